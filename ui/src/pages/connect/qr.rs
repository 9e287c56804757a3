//! A QR code, painted from its squares.

use crate::tokens;
use egui::{Color32, Rect, Role, Sense, Ui, WidgetInfo};
use qrcode::{Color, EcLevel, QrCode};

/// Free squares around the code that readers need.
const QUIET: usize = 4;

/// Squares of a code, row by row; `true` is dark. Pure; `None` for a text that fits into no code.
pub(crate) fn squares(text: &str) -> Option<(usize, Vec<bool>)> {
    let code = QrCode::with_error_correction_level(text.as_bytes(), EcLevel::M).ok()?;
    let width = code.width();
    Some((width, code.to_colors().into_iter().map(|color| color == Color::Dark).collect()))
}

/// Paints the code of `text`, `size` points wide, called `name`.
pub(crate) fn paint(ui: &mut Ui, name: &str, text: &str, size: f32) {
    let Some((width, squares)) = squares(text) else { return };
    let (rect, response) = ui.allocate_exact_size(egui::Vec2::splat(size), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
    // Dark on white in every theme: many readers know nothing else.
    ui.painter().rect_filled(rect, f32::from(tokens::RADIUS_CONTROL), Color32::WHITE);
    let units = u16::try_from(width + 2 * QUIET).unwrap_or(u16::MAX);
    let unit = size / f32::from(units);
    for (index, _dark) in squares.iter().enumerate().filter(|(_, dark)| **dark) {
        let at = |squares: usize| f32::from(u16::try_from(squares + QUIET).unwrap_or(u16::MAX)) * unit;
        let corner = rect.min + egui::vec2(at(index % width), at(index / width));
        ui.painter().rect_filled(Rect::from_min_size(corner, egui::Vec2::splat(unit + 0.2)), 0.0, Color32::BLACK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A code is square and has the three corners that readers look for.
    #[test]
    fn has_its_corners() {
        let (width, squares) = squares("ws://192.168.1.20:8887/ocpp/").unwrap();
        assert_eq!(squares.len(), width * width);
        for (x, y) in [(0, 0), (width - 7, 0), (0, width - 7)] {
            assert!((0..7).all(|n| squares[y * width + x + n] && squares[(y + n) * width + x]), "corner at {x},{y}");
        }
        assert!(super::squares(&"x".repeat(5000)).is_none());
    }
}
