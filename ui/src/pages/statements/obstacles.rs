//! What keeps a month from closing, each with what to do, and how sessions, registers and meters compare.

use crate::books::BooksCommand;
use crate::command::Command;
use crate::format;
use crate::icons::Icon;
use crate::pages::Cx;
use crate::text::Text;
use crate::tokens;
use crate::view::{Dialog, Page};
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{MonthState, MonthStatement, ObstacleCode, ObstacleDecision, ObstacleItem, ReconciliationRow};
use egui::{Align, Layout, Ui};
use std::collections::BTreeMap;

/// Shows what is to be settled, then what was accepted.
pub(super) fn show(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    reasons: &mut BTreeMap<String, String>,
    picked: &mut Option<String>,
    month: &MonthStatement,
) {
    let is_closed = month.state == MonthState::Closed;
    let (open, accepted): (Vec<&ObstacleItem>, Vec<&ObstacleItem>) =
        month.obstacles.iter().partition(|one| one.accepted.is_none());
    if open.is_empty() && !is_closed {
        widgets::notice(ui, Icon::Check, cx.text(Text::NothingToSettle), Mood::Good);
    }
    for obstacle in open {
        one(cx, ui, reasons, month, obstacle);
        if obstacle.code == ObstacleCode::EarlierMonthOpen {
            earlier(cx, ui, picked, &obstacle.subject);
        }
    }
    if !accepted.is_empty() {
        widgets::field_label(ui, cx.text(Text::AcceptedTitle));
    }
    for obstacle in accepted {
        widgets::line(ui, &obstacle.sentence(cx.language()));
        widgets::weak(ui, obstacle.accepted.as_deref().unwrap_or_default());
        if !is_closed {
            let decision = ObstacleDecision { key: obstacle.key.clone(), reason: String::new() };
            let back = Command::Books(BooksCommand::Decide(month.month.clone(), decision));
            cx.button(ui, Loudness::Quiet, None, &obstacle.key, back);
        }
    }
}

/// A button that opens the month that has to be closed first.
fn earlier(cx: &Cx<'_>, ui: &mut Ui, picked: &mut Option<String>, month: &str) {
    let label = cx.fill(Text::OpenMonth, &[month]);
    let look = Look { loudness: Loudness::Normal, icon: None, label: &label, name: &label, enabled: true };
    if widgets::button(ui, look).clicked() {
        *picked = Some(month.to_owned());
    }
    ui.add_space(tokens::GAP_S);
}

fn one(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    reasons: &mut BTreeMap<String, String>,
    month: &MonthStatement,
    obstacle: &ObstacleItem,
) {
    widgets::notice(ui, Icon::Alert, &obstacle.sentence(cx.language()), Mood::Warn);
    widgets::weak(ui, obstacle.fix(cx.language()));
    ui.horizontal_wrapped(|ui| {
        if let Some(fix) = fix(obstacle) {
            cx.button(ui, Loudness::Normal, None, &obstacle.key, fix);
        }
        if obstacle.can_accept {
            let reason = reasons.entry(obstacle.key.clone()).or_default();
            let name = format!("{} {}", cx.text(Text::Reason), obstacle.key);
            widgets::text_field(ui, &name, cx.text(Text::Reason), reason, Field::Text, 150.0);
            let decision = ObstacleDecision { key: obstacle.key.clone(), reason: reason.trim().to_owned() };
            let is_ready = !decision.reason.is_empty();
            if is_ready {
                let accept = Command::Books(BooksCommand::Decide(month.month.clone(), decision));
                cx.button(ui, Loudness::Normal, None, &obstacle.key, accept);
            }
        }
    });
    ui.add_space(tokens::GAP_S);
}

/// What mends it, or leads to where it is mended.
fn fix(obstacle: &ObstacleItem) -> Option<Command> {
    let correct = || obstacle.session_id.map(|id| Command::ShowDialog(Some(Dialog::CorrectSession(id))));
    match obstacle.code {
        ObstacleCode::NoTariff | ObstacleCode::InvoiceMissing | ObstacleCode::FlagMissing => {
            Some(Command::Show(Page::Tariffs))
        }
        ObstacleCode::OpenSession | ObstacleCode::RegisterMismatch => Some(Command::Show(Page::Chargers)),
        ObstacleCode::MeterMismatch => Some(Command::Show(Page::Sessions)),
        ObstacleCode::OrphanStop => Some(Command::ShowDialog(Some(Dialog::Orphans))),
        ObstacleCode::EndsBeforeStart
        | ObstacleCode::ImpossibleEnergy
        | ObstacleCode::RegisterDoubt
        | ObstacleCode::NoTenant
        | ObstacleCode::EndEstimated => correct(),
        ObstacleCode::EarlierMonthOpen
        | ObstacleCode::MonthRuns
        | ObstacleCode::LaterMonthClosed
        | ObstacleCode::ReadingsMissing => None,
    }
}

/// Sessions against registers and meters.
pub(super) fn counts(cx: &Cx<'_>, ui: &mut Ui, month: &MonthStatement) {
    ui.add_space(tokens::GAP_M);
    widgets::card_title(ui, cx.text(Text::CountsTitle), cx.text(Text::CountsSub));
    for row in &month.reconciliation {
        let language = cx.language();
        let counted = row.counted_wh.map_or_else(|| "–".to_owned(), |wh| format::energy(wh, language));
        let sessions = format::energy(row.sessions_wh, language);
        let (text, mood) = explanation(row);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                widgets::badge(ui, cx.text(text), mood);
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    widgets::strong_line(ui, &named(cx, &row.name))
                });
            });
        });
        widgets::weak_line(ui, &cx.fill(Text::CountsRow, &[&sessions, &counted]));
    }
}

/// `CP-1 · 1` with the charger's name instead of its identity; anything else as it is.
fn named(cx: &Cx<'_>, name: &str) -> String {
    let chargers = cx.model.snapshot.as_ref().map(|snapshot| snapshot.chargers.as_slice()).unwrap_or_default();
    let known = name.rsplit_once(" · ").and_then(|(id, connector)| {
        let charger = chargers.iter().find(|charger| charger.id == id)?;
        let several = charger.connectors.len() > 1;
        Some(if several { format!("{} · {connector}", charger.name) } else { charger.name.clone() })
    });
    known.unwrap_or_else(|| name.to_owned())
}

fn explanation(row: &ReconciliationRow) -> (Text, Mood) {
    match row.explanation.as_str() {
        "equal" => (Text::CountsEqual, Mood::Good),
        "within_tolerance" => (Text::CountsTolerance, Mood::Good),
        "register_reset" => (Text::CountsReset, Mood::Info),
        "outside_sessions" => (Text::CountsOutside, Mood::Warn),
        "sessions_exceed" => (Text::CountsExceed, Mood::Warn),
        _ => (Text::CountsNone, Mood::Quiet),
    }
}
