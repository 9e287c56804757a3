//! Copies of the records: the rule, the list, what is in one, bringing it back; everything as open formats.

use super::CloudState;
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::keeping::{KeepingCommand, KeepingResource};
use crate::pages::{Cx, not_yet};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{BackupForm, BackupItem, BackupPage, BackupPreview, RetentionForm};
use egui::Ui;

pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CloudState) {
    let remote = &cx.model.values.keeping.backups;
    let Some(page) = remote.value().cloned() else {
        return not_yet(cx, ui, remote, Resource::Keeping(KeepingResource::Backups));
    };
    let mut form = state.backups.clone().unwrap_or_else(|| page.form.clone());
    let cx_cell = std::cell::RefCell::new((cx, &mut form, &mut *state));
    super::columns(
        ui,
        |ui| {
            let (cx, _, state) = &mut *cx_cell.borrow_mut();
            list(cx, ui, &page, &mut state.sure);
        },
        |ui| {
            let (cx, form, state) = &mut *cx_cell.borrow_mut();
            rule(cx, ui, form, &page);
            ui.add_space(tokens::GAP_M);
            retention(cx, ui, &mut state.retention);
        },
    );
    state.backups = Some(form);
}

fn list(cx: &mut Cx<'_>, ui: &mut Ui, page: &BackupPage, sure: &mut bool) {
    widgets::card_title(ui, cx.text(Text::CopiesTitle), &page.folder);
    if !page.trouble.is_empty() {
        widgets::notice(ui, Icon::Alert, &cx.fill(Text::CopiesFailed, &[&page.trouble]), Mood::Bad);
    }
    if !page.restores.is_empty() {
        widgets::notice(ui, Icon::Alert, &cx.fill(Text::CopiesRestores, &[&page.restores]), Mood::Warn);
    }
    cx.button(ui, Loudness::Primary, None, "", Command::Keeping(KeepingCommand::BackUp));
    if page.items.is_empty() {
        widgets::weak(ui, cx.text(Text::CopiesNone));
    }
    for item in page.items.iter().take(60) {
        row(cx, ui, item);
    }
    let preview = &cx.model.values.keeping.preview;
    if let Some(failure) = preview.failure() {
        widgets::notice(ui, Icon::Alert, failure, Mood::Bad);
    } else if let Some(found) = preview.value().cloned() {
        ui.add_space(tokens::GAP_M);
        inside(cx, ui, &found, sure);
    }
}

fn row(cx: &mut Cx<'_>, ui: &mut Ui, item: &BackupItem) {
    ui.horizontal(|ui| {
        widgets::line(ui, &cx.local(&item.at));
        widgets::weak(ui, &size(item.bytes));
        let label = cx.text(Text::CopiesLook);
        let name = crate::pages::named(label, &item.name);
        let look = widgets::Look { loudness: Loudness::Quiet, icon: None, label, name: &name, enabled: true };
        if widgets::button(ui, look).clicked() {
            cx.send(Command::Fetch(Resource::Keeping(KeepingResource::Preview(item.name.clone()))));
        }
    });
}

fn size(bytes: u64) -> String {
    format!("{}.{} MB", bytes / 1_000_000, bytes / 100_000 % 10)
}

fn inside(cx: &mut Cx<'_>, ui: &mut Ui, found: &BackupPreview, sure: &mut bool) {
    widgets::card_title(ui, &found.site, &found.name);
    let counts = [found.chargers, found.tenants, found.sessions, found.closed_months].map(|count| count.to_string());
    widgets::weak(ui, &cx.fill(Text::CopiesInside, &[&counts[0], &counts[1], &counts[2], &counts[3]]));
    if !found.newest.is_empty() {
        widgets::weak(ui, &cx.fill(Text::CopiesNewest, &[&cx.local(&found.newest)]));
    }
    beside(cx, ui, found);
    widgets::weak(ui, cx.text(Text::CopiesRestoreHint));
    widgets::tick(ui, sure, cx.text(Text::CopiesSure));
    cx.button_if(ui, *sure, Loudness::Normal, "", Command::Keeping(KeepingCommand::Restore(found.name.clone())));
}

/// Files and secrets, which are not among the records.
fn beside(cx: &Cx<'_>, ui: &mut Ui, found: &BackupPreview) {
    if found.files > 0 {
        widgets::weak(ui, &cx.fill(Text::CopiesFiles, &[&found.files.to_string()]));
    }
    if found.files_missing > 0 {
        let missing = cx.fill(Text::CopiesFilesMissing, &[&found.files_missing.to_string()]);
        widgets::notice(ui, Icon::Alert, &missing, Mood::Warn);
    }
    if found.sealed {
        widgets::weak(ui, cx.text(Text::CopiesSealed));
    }
    if !found.again.is_empty() {
        let names = found.again.iter().map(|word| match word.as_str() {
            "cloud" => cx.text(Text::CopiesAgainCloud),
            "mqtt" => cx.text(Text::CopiesAgainMqtt),
            "kafka" => cx.text(Text::CopiesAgainKafka),
            "mail" => cx.text(Text::CopiesAgainMail),
            "certificates" => cx.text(Text::CopiesAgainCertificates),
            other => other,
        });
        let names = names.collect::<Vec<_>>().join(", ");
        widgets::weak(ui, &cx.fill(Text::CopiesAgain, &[&names]));
    }
}

/// For how long each kind of record is kept.
fn retention(cx: &mut Cx<'_>, ui: &mut Ui, typed: &mut Option<RetentionForm>) {
    widgets::card_title(ui, cx.text(Text::RetentionTitle), cx.text(Text::RetentionSub));
    let remote = &cx.model.values.keeping.retention;
    let Some(item) = remote.value().copied() else {
        return not_yet(cx, ui, remote, Resource::Keeping(KeepingResource::Retention));
    };
    widgets::weak(ui, &cx.fill(Text::RetentionSize, &[&size(item.bytes)]));
    let mut form = typed.unwrap_or(item.form);
    let usual = item.usual;
    for (value, usual, text) in [
        (&mut form.raw_days, usual.raw_days, Text::RetentionRaw),
        (&mut form.minute_days, usual.minute_days, Text::RetentionMinutes),
        (&mut form.frame_days, usual.frame_days, Text::RetentionFrames),
        (&mut form.transaction_frame_days, usual.transaction_frame_days, Text::RetentionTransactions),
        (&mut form.decision_days, usual.decision_days, Text::RetentionDecisions),
        (&mut form.event_days, usual.event_days, Text::RetentionEvents),
    ] {
        ui.horizontal(|ui| {
            let dragged = egui::DragValue::new(value).range(1..=36_525).suffix(cx.text(Text::RetentionDays));
            let response = ui.add(dragged);
            let label = widgets::line(ui, cx.text(text));
            response.labelled_by(label.id);
            if *value != usual {
                widgets::weak(ui, &cx.fill(Text::RetentionUsual, &[&usual.to_string()]));
            }
        });
    }
    let fits = form.minute_days >= form.raw_days;
    if !fits {
        widgets::notice(ui, Icon::Alert, cx.text(Text::RetentionOrder), Mood::Bad);
    }
    let shorter = [
        (form.raw_days, item.form.raw_days),
        (form.minute_days, item.form.minute_days),
        (form.frame_days, item.form.frame_days),
        (form.transaction_frame_days, item.form.transaction_frame_days),
        (form.decision_days, item.form.decision_days),
        (form.event_days, item.form.event_days),
    ];
    if shorter.iter().any(|(new, old)| new < old) {
        widgets::notice(ui, Icon::Alert, cx.text(Text::RetentionShorter), Mood::Warn);
    }
    let save = Command::Keeping(KeepingCommand::SetRetention(form));
    cx.button_if(ui, fits && form != item.form, Loudness::Normal, cx.text(Text::RetentionTitle), save);
    *typed = Some(form);
}

fn rule(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut BackupForm, page: &BackupPage) {
    widgets::card_title(ui, cx.text(Text::CopiesRule), cx.text(Text::CopiesRuleSub));
    widgets::form_field(
        ui,
        cx.text(Text::CopiesFolder),
        cx.text(Text::CopiesFolderHint),
        &mut form.folder,
        Field::Text,
    );
    widgets::tick(ui, &mut form.daily, cx.text(Text::CopiesDaily));
    for (value, text, most) in [
        (&mut form.days, Text::CopiesDays, 366),
        (&mut form.weeks, Text::CopiesWeeks, 520),
        (&mut form.months, Text::CopiesMonths, 1200),
    ] {
        ui.horizontal(|ui| {
            let label = widgets::weak(ui, cx.text(text));
            ui.add(egui::DragValue::new(value).range(0..=most)).labelled_by(label.id);
        });
    }
    let is_changed = *form != page.form;
    let save = Command::Keeping(KeepingCommand::SetBackups(Box::new(form.clone())));
    cx.button_if(ui, is_changed && form.days > 0, Loudness::Primary, "", save);
    ui.add_space(tokens::GAP_M);
    widgets::card_title(ui, cx.text(Text::ExportTitle), cx.text(Text::ExportAllSub));
    cx.button(ui, Loudness::Normal, None, "", Command::Keeping(KeepingCommand::Export));
    if let Some(written) = &cx.model.values.keeping.exported {
        let (files, rows) = (written.files.to_string(), written.rows.to_string());
        widgets::notice(ui, Icon::Check, &cx.fill(Text::ExportWritten, &[&files, &rows, &written.folder]), Mood::Good);
    }
}
