//! The dialog that takes a list of tenants in: choose a file, see every row with what is wrong in it, then all or nothing.

use super::Cx;
use crate::command::Command;
use crate::file;
use crate::icons::Icon;
use crate::records::RecordsCommand;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Look, Loudness, Mood};
use api::{ImportColumn, ImportPreview, ImportProblem, ImportRequest, ImportRow, Language};
use egui::{Align, Layout, RichText, Ui};

/// What the dialog keeps.
#[derive(Default)]
pub(crate) struct ImportForm {
    /// The chosen file in Base64.
    content: String,
}

/// The dialog.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut ImportForm) {
    widgets::heading(ui, cx.text(Text::ImportTitle), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::ImportSub));
    if let Some(content) = file::take(ui.ctx(), file::Use::Tenants) {
        form.content.clone_from(&content);
        cx.send(Command::Records(RecordsCommand::Import(ImportRequest { content_base64: content, dry_run: true })));
    }
    ui.horizontal(|ui| {
        let label = cx.text(Text::ChooseFile);
        let look = Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
        if widgets::button(ui, look).clicked() {
            file::choose(ui.ctx(), file::Use::Tenants);
        }
        widgets::weak(ui, cx.text(Text::ImportDrop));
    });
    let preview = cx.model.values.records.preview.clone();
    if let Some(preview) = &preview {
        summary(cx, ui, preview);
        let height = (ui.ctx().content_rect().height() - 360.0).clamp(140.0, 420.0);
        widgets::scroll("import-rows", height).show(ui, |ui| {
            for row in &preview.rows {
                show_row(cx, ui, row);
            }
        });
    }
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let is_ready = preview.is_some_and(|preview| preview.wrong_rows == 0 && !preview.rows.is_empty());
            let request = ImportRequest { content_base64: form.content.clone(), dry_run: false };
            let import = Command::Records(RecordsCommand::Import(request));
            cx.button_if(ui, is_ready, Loudness::Primary, "", import);
            super::cancel(cx, ui);
        });
    });
}

fn summary(cx: &Cx<'_>, ui: &mut Ui, preview: &ImportPreview) {
    let separator = match preview.separator.as_str() {
        "\t" => cx.text(Text::ImportTab).to_owned(),
        other => other.to_owned(),
    };
    let rows = preview.rows.len().to_string();
    widgets::weak(ui, &cx.fill(Text::ImportRead, &[&rows, &preview.encoding, &separator]));
    let (icon, text, mood) = match (preview.wrong_rows, preview.rows.is_empty()) {
        (_, true) => (Icon::Alert, cx.text(Text::ImportNothing).to_owned(), Mood::Warn),
        (0, false) => (Icon::Check, cx.text(Text::ImportGood).to_owned(), Mood::Good),
        (wrong, false) => (Icon::Alert, cx.fill(Text::ImportWrong, &[&wrong.to_string()]), Mood::Bad),
    };
    widgets::notice(ui, icon, &text, mood);
}

fn show_row(cx: &Cx<'_>, ui: &mut Ui, row: &ImportRow) {
    let p = palette(ui);
    ui.horizontal(|ui| {
        ui.allocate_ui_with_layout(egui::vec2(44.0, 20.0), Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_width(44.0);
            ui.label(RichText::new(row.line.to_string()).size(12.0).color(p.text_weak));
        });
        let form = &row.tenant;
        let cards = row.cards.join(" ");
        let parts = [form.name.as_str(), form.unit.as_str(), form.email.as_str(), cards.as_str()];
        let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        widgets::line(ui, &known.join(" · "));
    });
    for problem in &row.problems {
        ui.horizontal(|ui| {
            ui.add_space(52.0);
            let text = problem_text(cx, problem);
            ui.add(egui::Label::new(RichText::new(text).size(13.0).color(p.bad)).wrap());
        });
    }
}

/// The server's own words in English; what the column wants in Portuguese.
fn problem_text(cx: &Cx<'_>, problem: &ImportProblem) -> String {
    let name = cx.text(column(problem.column));
    let said = match cx.language() {
        Language::English => Some(problem.detail.clone()),
        Language::Portuguese => api::in_portuguese(&problem.detail),
    };
    match said {
        Some(said) => format!("{name}: {said}"),
        None if problem.value.is_empty() => cx.fill(Text::ImportEmpty, &[name]),
        None => cx.fill(Text::ImportRefused, &[name, &problem.value]),
    }
}

const fn column(column: ImportColumn) -> Text {
    match column {
        ImportColumn::Name => Text::Name,
        ImportColumn::Unit => Text::Unit,
        ImportColumn::Email => Text::TenantEmail,
        ImportColumn::Phone => Text::TenantPhone,
        ImportColumn::Language => Text::TenantLanguage,
        ImportColumn::Cards => Text::Cards,
        ImportColumn::ParkingSpaces => Text::TenantSpaces,
        ImportColumn::Chargers => Text::TenantChargers,
        ImportColumn::MaxPower => Text::TenantMaxPower,
        ImportColumn::Priority => Text::TenantPriority,
        ImportColumn::MonthlyCap => Text::TenantCap,
        ImportColumn::ValidFrom => Text::TenantFrom,
        ImportColumn::ValidUntil => Text::TenantUntil,
        ImportColumn::UnitKey => Text::TenantKey,
    }
}
