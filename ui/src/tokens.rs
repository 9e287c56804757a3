//! Every colour, size and font of the console, in one place.
//!
//! Widgets ask for a role ("text that matters less"), never for a colour. Both themes give every role a
//! value; contrast of text on its surface is at least 4.5 to 1 in both (a test measures it).

use egui::epaint::Shadow;
use egui::{Color32, CornerRadius, FontData, FontDefinitions, FontFamily, FontId, Margin, Stroke, TextStyle, Theme};
use std::sync::Arc;

/// Space between things that belong together, in points.
pub(crate) const GAP_S: f32 = 6.0;
/// Space between the parts of a card.
pub(crate) const GAP_M: f32 = 12.0;
/// Space between cards.
pub(crate) const GAP_L: f32 = 16.0;
/// Space around a page.
pub(crate) const PAGE_MARGIN: i8 = 24;
/// Space inside a card.
pub(crate) const CARD_MARGIN: i8 = 16;
/// Widest a page grows, so that a line stays readable on a large screen.
pub(crate) const PAGE_WIDTH_MAX: f32 = 1560.0;
/// Widest a form grows.
pub(crate) const FORM_WIDTH_MAX: f32 = 560.0;
/// Width of the navigation.
pub(crate) const NAV_WIDTH: f32 = 212.0;
/// Width of the column beside the graph.
pub(crate) const ASIDE_WIDTH: f32 = 300.0;
/// Height of a button and of a field: large enough for a finger.
pub(crate) const CONTROL_HEIGHT: f32 = 32.0;
/// Side of an icon inside a control.
pub(crate) const ICON: f32 = 16.0;
/// Corners of cards.
pub(crate) const RADIUS_CARD: u8 = 10;
/// Corners of controls.
pub(crate) const RADIUS_CONTROL: u8 = 7;

/// Colours by role.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Palette {
    /// Behind everything.
    pub(crate) page: Color32,
    /// Cards, panels, dialogs.
    pub(crate) surface: Color32,
    /// Fields, hovered rows, quiet buttons.
    pub(crate) surface_low: Color32,
    /// The same under the pointer.
    pub(crate) surface_hover: Color32,
    /// Hairlines.
    pub(crate) border: Color32,
    /// Borders of controls.
    pub(crate) border_strong: Color32,
    /// Text.
    pub(crate) text: Color32,
    /// Text that matters less.
    pub(crate) text_weak: Color32,
    /// The product's colour: primary buttons, selection, focus.
    pub(crate) accent: Color32,
    /// The same under the pointer.
    pub(crate) accent_hover: Color32,
    /// Behind a selected thing.
    pub(crate) accent_low: Color32,
    /// Text on `accent`.
    pub(crate) on_accent: Color32,
    /// All is well.
    pub(crate) good: Color32,
    /// Behind `good`.
    pub(crate) good_low: Color32,
    /// Wants attention.
    pub(crate) warn: Color32,
    /// Behind `warn`.
    pub(crate) warn_low: Color32,
    /// Wrong.
    pub(crate) bad: Color32,
    /// Behind `bad`.
    pub(crate) bad_low: Color32,
    /// For information.
    pub(crate) info: Color32,
    /// Behind `info`.
    pub(crate) info_low: Color32,
    /// The building's own load in the graph.
    pub(crate) house: Color32,
    /// Outline of the total in the graph.
    pub(crate) total: Color32,
    /// Shadow of cards.
    pub(crate) shadow: Color32,
    /// Behind a dialog.
    pub(crate) veil: Color32,
}

const LIGHT: Palette = Palette {
    page: Color32::from_rgb(0xF5, 0xF6, 0xF8),
    surface: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    surface_low: Color32::from_rgb(0xF4, 0xF6, 0xF8),
    surface_hover: Color32::from_rgb(0xEA, 0xED, 0xF1),
    border: Color32::from_rgb(0xE4, 0xE8, 0xED),
    border_strong: Color32::from_rgb(0xCF, 0xD6, 0xDE),
    text: Color32::from_rgb(0x14, 0x20, 0x2B),
    text_weak: Color32::from_rgb(0x58, 0x66, 0x75),
    accent: Color32::from_rgb(0x0B, 0x72, 0x66),
    accent_hover: Color32::from_rgb(0x09, 0x5E, 0x55),
    accent_low: Color32::from_rgb(0xE3, 0xF3, 0xF0),
    on_accent: Color32::from_rgb(0xFF, 0xFF, 0xFF),
    good: Color32::from_rgb(0x0B, 0x72, 0x45),
    good_low: Color32::from_rgb(0xE2, 0xF5, 0xEB),
    warn: Color32::from_rgb(0x96, 0x53, 0x04),
    warn_low: Color32::from_rgb(0xFD, 0xF2, 0xDD),
    bad: Color32::from_rgb(0xB4, 0x23, 0x26),
    bad_low: Color32::from_rgb(0xFC, 0xE9, 0xE8),
    info: Color32::from_rgb(0x1D, 0x5F, 0xB8),
    info_low: Color32::from_rgb(0xE6, 0xF0, 0xFC),
    house: Color32::from_rgb(0xB4, 0xC0, 0xCD),
    total: Color32::from_rgb(0x33, 0x41, 0x50),
    shadow: Color32::from_rgba_unmultiplied_const(0x14, 0x20, 0x2B, 14),
    veil: Color32::from_rgba_unmultiplied_const(0x14, 0x20, 0x2B, 110),
};

const DARK: Palette = Palette {
    page: Color32::from_rgb(0x0F, 0x14, 0x19),
    surface: Color32::from_rgb(0x18, 0x1F, 0x26),
    surface_low: Color32::from_rgb(0x20, 0x29, 0x32),
    surface_hover: Color32::from_rgb(0x2A, 0x35, 0x40),
    border: Color32::from_rgb(0x29, 0x33, 0x3D),
    border_strong: Color32::from_rgb(0x3D, 0x4A, 0x57),
    text: Color32::from_rgb(0xE8, 0xED, 0xF2),
    text_weak: Color32::from_rgb(0x9D, 0xAB, 0xB9),
    accent: Color32::from_rgb(0x3C, 0xC4, 0xB0),
    accent_hover: Color32::from_rgb(0x5C, 0xD6, 0xC4),
    accent_low: Color32::from_rgb(0x16, 0x36, 0x35),
    on_accent: Color32::from_rgb(0x05, 0x1C, 0x19),
    good: Color32::from_rgb(0x55, 0xD0, 0x94),
    good_low: Color32::from_rgb(0x13, 0x33, 0x26),
    warn: Color32::from_rgb(0xF0, 0xB4, 0x58),
    warn_low: Color32::from_rgb(0x38, 0x2B, 0x14),
    bad: Color32::from_rgb(0xF5, 0x8A, 0x86),
    bad_low: Color32::from_rgb(0x3B, 0x1E, 0x20),
    info: Color32::from_rgb(0x7F, 0xB4, 0xF5),
    info_low: Color32::from_rgb(0x17, 0x2B, 0x44),
    house: Color32::from_rgb(0x4C, 0x5A, 0x69),
    total: Color32::from_rgb(0xD3, 0xDC, 0xE5),
    shadow: Color32::from_rgba_unmultiplied_const(0, 0, 0, 60),
    veil: Color32::from_rgba_unmultiplied_const(0, 0, 0, 150),
};

/// Colours of chargers in the graph: neighbours differ in hue and in lightness.
const SERIES_LIGHT: [Color32; 12] = [
    Color32::from_rgb(0x14, 0xA0, 0x90),
    Color32::from_rgb(0x4F, 0x8B, 0xE8),
    Color32::from_rgb(0xF0, 0xA5, 0x30),
    Color32::from_rgb(0x8E, 0x6C, 0xE0),
    Color32::from_rgb(0xE8, 0x6A, 0x92),
    Color32::from_rgb(0x6F, 0xB5, 0x3F),
    Color32::from_rgb(0x35, 0xB6, 0xD6),
    Color32::from_rgb(0xE0, 0x70, 0x45),
    Color32::from_rgb(0x5B, 0x62, 0xD0),
    Color32::from_rgb(0xC9, 0xB0, 0x30),
    Color32::from_rgb(0xB9, 0x5C, 0xC6),
    Color32::from_rgb(0x3E, 0x8E, 0x62),
];

/// The palette of the theme in use.
pub(crate) fn palette(ui: &egui::Ui) -> &'static Palette {
    of(if ui.visuals().dark_mode { Theme::Dark } else { Theme::Light })
}

/// The palette of a theme.
pub(crate) const fn of(theme: Theme) -> &'static Palette {
    match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

/// Colour of the n-th charger in the graph, counted by registration so that it keeps its colour.
pub(crate) fn series(index: usize) -> Color32 {
    SERIES_LIGHT.get(index % SERIES_LIGHT.len()).copied().unwrap_or(LIGHT.accent)
}

/// The semibold face.
pub(crate) fn strong_family() -> FontFamily {
    FontFamily::Name("strong".into())
}

/// A semibold font of this size.
pub(crate) fn strong(size: f32) -> FontId {
    FontId::new(size, strong_family())
}

/// Size of text in a page.
pub(crate) const TEXT: f32 = 14.0;
/// Size of text that matters less.
pub(crate) const TEXT_SMALL: f32 = 12.5;
/// Size of the title of a card.
pub(crate) const TEXT_TITLE: f32 = 15.0;
/// Size of the title of a page.
pub(crate) const TEXT_PAGE: f32 = 22.0;
/// Size of the number in a tile.
pub(crate) const TEXT_VALUE: f32 = 27.0;

/// Puts fonts and both themes into the context; called once.
pub(crate) fn install(ctx: &egui::Context) {
    ctx.set_fonts(fonts());
    for theme in [Theme::Light, Theme::Dark] {
        ctx.style_mut_of(theme, |style| apply(style, of(theme), theme));
    }
}

fn fonts() -> FontDefinitions {
    let mut fonts = FontDefinitions::default();
    let faces: [(&str, &'static [u8]); 2] = [
        ("inter", include_bytes!("../fonts/inter-regular.otf")),
        ("inter-semibold", include_bytes!("../fonts/inter-semibold.otf")),
    ];
    for (name, bytes) in faces {
        fonts.font_data.insert(name.to_owned(), Arc::new(FontData::from_static(bytes)));
    }
    // egui's own fonts stay behind ours for symbols that Inter lacks.
    let fallback = fonts.families.get(&FontFamily::Proportional).cloned().unwrap_or_default();
    for (family, face) in [(FontFamily::Proportional, "inter"), (strong_family(), "inter-semibold")] {
        let mut list = vec![face.to_owned()];
        list.extend(fallback.iter().cloned());
        fonts.families.insert(family, list);
    }
    fonts
}

fn apply(style: &mut egui::Style, p: &Palette, theme: Theme) {
    style.text_styles = [
        (TextStyle::Small, FontId::proportional(TEXT_SMALL)),
        (TextStyle::Body, FontId::proportional(TEXT)),
        (TextStyle::Button, FontId::proportional(TEXT)),
        (TextStyle::Heading, strong(TEXT_PAGE)),
        (TextStyle::Monospace, FontId::monospace(TEXT_SMALL)),
    ]
    .into();
    // Nothing moves by itself: an animation would ask for frames without new data.
    style.animation_time = 0.0;
    style.interaction.selectable_labels = false;
    let s = &mut style.spacing;
    s.item_spacing = egui::vec2(8.0, 8.0);
    s.button_padding = egui::vec2(12.0, 6.0);
    s.interact_size = egui::vec2(40.0, CONTROL_HEIGHT);
    s.window_margin = Margin::same(20);
    s.menu_margin = Margin::same(6);
    s.text_edit_width = 260.0;
    s.combo_width = 120.0;
    s.tooltip_width = 360.0;
    s.slider_width = 200.0;
    s.scroll.floating = true;
    visuals(&mut style.visuals, p, theme);
}

fn visuals(v: &mut egui::Visuals, p: &Palette, theme: Theme) {
    *v = match theme {
        Theme::Light => egui::Visuals::light(),
        Theme::Dark => egui::Visuals::dark(),
    };
    let shadow = Shadow { offset: [0, 6], blur: 22, spread: 0, color: p.shadow };
    v.weak_text_color = Some(p.text_weak);
    v.hyperlink_color = p.accent;
    v.faint_bg_color = p.surface_low;
    v.extreme_bg_color = p.surface_low;
    v.text_edit_bg_color = Some(p.surface);
    v.code_bg_color = p.surface_low;
    v.warn_fg_color = p.warn;
    v.error_fg_color = p.bad;
    v.panel_fill = p.page;
    v.window_fill = p.surface;
    v.window_stroke = Stroke::new(1.0, p.border);
    v.window_corner_radius = CornerRadius::same(RADIUS_CARD);
    v.menu_corner_radius = CornerRadius::same(RADIUS_CONTROL);
    v.window_shadow = shadow;
    v.popup_shadow = shadow;
    v.selection.bg_fill = p.accent_low;
    v.selection.stroke = Stroke::new(1.5, p.accent);
    v.slider_trailing_fill = true;
    v.handle_shape = egui::style::HandleShape::Circle;
    let radius = CornerRadius::same(RADIUS_CONTROL);
    let set = |w: &mut egui::style::WidgetVisuals, fill: Color32, edge: Color32, text: Color32| {
        w.bg_fill = fill;
        w.weak_bg_fill = fill;
        w.bg_stroke = Stroke::new(1.0, edge);
        w.fg_stroke = Stroke::new(1.0, text);
        w.corner_radius = radius;
        w.expansion = 0.0;
    };
    set(&mut v.widgets.noninteractive, p.surface, p.border, p.text);
    set(&mut v.widgets.inactive, p.surface, p.border_strong, p.text);
    set(&mut v.widgets.hovered, p.surface_hover, p.border_strong, p.text);
    set(&mut v.widgets.active, p.surface_hover, p.accent, p.text);
    set(&mut v.widgets.open, p.surface_hover, p.border_strong, p.text);
    v.widgets.inactive.bg_fill = p.border_strong;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(c: Color32) -> f32 {
        let part = |v: u8| {
            let v = f32::from(v) / 255.0;
            if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * part(c.r()) + 0.7152 * part(c.g()) + 0.0722 * part(c.b())
    }

    fn contrast(a: Color32, b: Color32) -> f32 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Text stays readable (WCAG AA) on every surface it is put on, in both themes.
    #[test]
    fn text_has_enough_contrast() {
        for theme in [Theme::Light, Theme::Dark] {
            let p = of(theme);
            let pairs = [
                (p.text, p.page),
                (p.text, p.surface),
                (p.text, p.surface_hover),
                (p.text_weak, p.page),
                (p.text_weak, p.surface),
                (p.text_weak, p.surface_low),
                (p.on_accent, p.accent),
                (p.on_accent, p.accent_hover),
                (p.accent, p.surface),
                (p.accent, p.accent_low),
                (p.good, p.good_low),
                (p.warn, p.warn_low),
                (p.bad, p.bad_low),
                (p.bad, p.surface),
                (p.info, p.info_low),
            ];
            for (text, surface) in pairs {
                let found = contrast(text, surface);
                assert!(found >= 4.5, "{theme:?}: {text:?} on {surface:?} has {found:.2}");
            }
        }
    }
}
