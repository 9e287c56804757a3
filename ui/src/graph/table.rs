//! The table twin of the live graph: the same values for people who do not see graphs.

use super::paint::{Style, whole};
use super::plan::Plan;
use crate::format;
use crate::text::Text;
use crate::tokens::{self, palette};
use egui::accesskit::Role;
use egui::{RichText, Ui};

/// Height of a row.
const ROW: f32 = 26.0;
/// Width of a column.
const COLUMN: f32 = 104.0;

/// Shows the columns of a plan, newest first; only visible rows cost anything.
pub(crate) fn show(ui: &mut Ui, plan: &Plan, style: &Style<'_>) {
    let active: Vec<usize> = (0..plan.bands.len()).filter(|band| plan.is_active(*band)).collect();
    let words = |text: Text| text.get(style.language).to_owned();
    let mut titles = vec![words(Text::Time), words(Text::Total), words(Text::Building)];
    titles.extend(active.iter().filter_map(|band| plan.bands.get(*band)).map(|band| band.name.clone()));
    let rows = plan.columns.at_ms.len();
    let response = egui::ScrollArea::horizontal().id_salt("load table").show(ui, |ui| {
        cells(ui, &titles, true);
        crate::widgets::scroll("load rows", style.height - ROW).show_rows(ui, ROW, rows, |ui, range| {
            for index in range {
                let column = rows - 1 - index;
                let value = |value: f64| format!("{} {}", format::number(value, 1, style.language), style.unit);
                let at = plan.columns.at_ms.get(column).copied().unwrap_or_default();
                let mut texts = vec![format::clock_seconds(whole(at), style.offset_min)];
                texts.push(value(plan.total(column)));
                texts.push(value(plan.house(column)));
                texts.extend(active.iter().map(|band| value(plan.charger(*band, column))));
                cells(ui, &texts, false);
            }
        });
    });
    let name = style.name.to_owned();
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Table);
        node.set_label(name);
    });
}

fn cells(ui: &mut Ui, texts: &[String], title: bool) {
    let p = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        for text in texts {
            ui.allocate_ui_with_layout(
                egui::vec2(COLUMN, ROW - 8.0),
                egui::Layout::left_to_right(egui::Align::Center),
                |ui| {
                    ui.set_min_width(COLUMN);
                    let rich = if title {
                        RichText::new(text).font(tokens::strong(12.5)).color(p.text_weak)
                    } else {
                        RichText::new(text).size(13.0)
                    };
                    let response = ui.add(egui::Label::new(rich).truncate());
                    let role = if title { Role::ColumnHeader } else { Role::Cell };
                    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(role));
                },
            );
        }
    });
}
