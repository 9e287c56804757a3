//! Statements: pick a month, see it, settle what keeps it from closing, close it, hand it out.

mod handing_out;
mod obstacles;

use super::{Cx, not_yet, title};
use crate::books::{BooksCommand, BooksResource, file_of};
use crate::command::{Command, Resource};
use crate::format;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::Page;
use crate::widgets::{self, Look, Loudness, Mood};
use api::{LetterheadItem, MailItem, MonthItem, MonthState, MonthStatement, StatementRow};
use egui::{Align, Layout, RichText, Ui};
use std::collections::BTreeMap;

/// Which card is at the right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Aside {
    /// What keeps the month from closing, and the comparison of counts.
    #[default]
    Settle,
    /// Files and e-mails for all.
    HandOut,
    /// Letterhead and mail server.
    Settings,
}

/// What the page keeps between frames.
#[derive(Default)]
pub(crate) struct StatementsState {
    /// The month that was picked.
    picked: Option<String>,
    /// The month that was asked for.
    month: Option<String>,
    aside: Aside,
    /// Whether closing was pressed once.
    sure: bool,
    /// Reasons being typed, by obstacle.
    reasons: BTreeMap<String, String>,
    letterhead: Option<LetterheadItem>,
    mail: Option<MailItem>,
    saved: u32,
}

/// Shows the page.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut StatementsState) {
    let books = &cx.model.values.books;
    let (months, letterhead, mail) = (books.months.is_wanted(), books.letterhead.is_wanted(), books.mail.is_wanted());
    cx.want(months, Resource::Books(BooksResource::Months));
    cx.want(letterhead, Resource::Books(BooksResource::Letterhead));
    cx.want(mail, Resource::Books(BooksResource::Mail));
    if state.saved != cx.model.values.books.saved {
        (state.saved, state.letterhead, state.mail) = (cx.model.values.books.saved, None, None);
    }
    let remote = &cx.model.values.books.months;
    let Some(months) = remote.value().cloned() else {
        title(cx, ui, Page::Statements, |_, _| {});
        let remote = &cx.model.values.books.months;
        return not_yet(cx, ui, remote, Resource::Books(BooksResource::Months));
    };
    // The last month that is over is what a manager comes for.
    let chosen = state.picked.clone().or_else(|| months.get(1).or(months.first()).map(|one| one.month.clone()));
    let Some(chosen) = chosen else { return };
    let remote = &cx.model.values.books.month;
    if (remote.is_wanted() || state.month.as_ref() != Some(&chosen)) && !remote.is_pending() {
        state.month = Some(chosen.clone());
        cx.send(Command::Fetch(Resource::Books(BooksResource::Month(chosen.clone()))));
        cx.send(Command::Fetch(Resource::Books(BooksResource::Deliveries(chosen.clone()))));
    }
    title(cx, ui, Page::Statements, |cx, ui| {
        let fetch = Command::Fetch(Resource::Books(BooksResource::Month(chosen.clone())));
        cx.button(ui, Loudness::Normal, None, "", fetch);
        pick(cx, ui, state, &months, &chosen);
    });
    let remote = &cx.model.values.books.month;
    let Some(month) = remote.value().filter(|month| month.month == chosen).cloned() else {
        return not_yet(cx, ui, remote, Resource::Books(BooksResource::Month(chosen)));
    };
    body(cx, ui, state, &month);
}

fn pick(cx: &Cx<'_>, ui: &mut Ui, state: &mut StatementsState, months: &[MonthItem], chosen: &str) {
    let name = |item: &MonthItem| match item.state {
        MonthState::Closed => format!("{} · {}", item.month, cx.text(Text::MonthClosedWord)),
        MonthState::Preview => item.month.clone(),
    };
    let choices: Vec<(String, String)> = months.iter().map(|item| (item.month.clone(), name(item))).collect();
    if let Some(month) = widgets::select(ui, cx.text(Text::MonthName), &choices, &chosen.to_owned(), 150.0) {
        state.picked = Some(month);
        state.sure = false;
        state.reasons.clear();
    }
}

fn body(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut StatementsState, month: &MonthStatement) {
    tiles(cx, ui, month);
    ui.add_space(tokens::GAP_M);
    let width = ui.available_width();
    let aside = (width * 0.36).clamp(tokens::ASIDE_WIDTH, 460.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let main = egui::vec2(width - aside - tokens::GAP_L, 0.0);
        ui.allocate_ui_with_layout(main, Layout::top_down(Align::Min), |ui| {
            widgets::card(ui, |ui| tenants(cx, ui, month));
        });
        ui.allocate_ui_with_layout(egui::vec2(aside, 0.0), Layout::top_down(Align::Min), |ui| {
            widgets::card(ui, |ui| {
                let choices = [
                    (Aside::Settle, cx.text(Text::TabSettle)),
                    (Aside::HandOut, cx.text(Text::TabHandOut)),
                    (Aside::Settings, cx.text(Text::TabLetterhead)),
                ];
                if let Some(picked) = widgets::segmented(ui, cx.text(Text::Statements), &choices, state.aside) {
                    state.aside = picked;
                }
                let height = widgets::rest_of_window(ui, 270.0);
                widgets::scroll("statements-aside", height).show(ui, |ui| match state.aside {
                    Aside::Settle => {
                        obstacles::show(cx, ui, &mut state.reasons, &mut state.picked, month);
                        closing(cx, ui, state, month);
                        obstacles::counts(cx, ui, month);
                    }
                    Aside::HandOut => handing_out::show(cx, ui, month),
                    Aside::Settings => handing_out::settings(cx, ui, &mut state.letterhead, &mut state.mail),
                });
            });
        });
    });
}

/// An amount as people of the console's language write it, with its currency.
pub(super) fn money(cx: &Cx<'_>, amount: &str, currency: &str) -> String {
    let value: f64 = amount.parse().unwrap_or(0.0);
    let decimals = amount.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    format!("{} {currency}", format::number(value, decimals, cx.language()))
}

/// Height of a tile, whether it holds a figure or a badge.
const TILE: f32 = 50.0;

fn tiles(cx: &Cx<'_>, ui: &mut Ui, month: &MonthStatement) {
    let sessions: u32 = month.tenants.iter().chain([&month.unassigned]).map(|row| row.sessions).sum();
    let open = month.obstacles.iter().filter(|one| one.accepted.is_none()).count();
    let (mood, word) = match (month.state, open) {
        (MonthState::Closed, _) => (Mood::Good, cx.text(Text::MonthClosedWord).to_owned()),
        (MonthState::Preview, 0) => (Mood::Info, cx.text(Text::MonthReady).to_owned()),
        (MonthState::Preview, open) => (Mood::Warn, cx.fill(Text::MonthToSettle, &[&open.to_string()])),
    };
    let figures = [
        (Text::CatEnergy, format::energy(month.energy_wh, cx.language())),
        (Text::Sessions, sessions.to_string()),
        (Text::MonthTotal, money(cx, &month.total, &month.currency)),
    ];
    ui.columns(4, |columns| {
        for (ui, (label, figure)) in columns.iter_mut().zip(figures) {
            widgets::card(ui, |ui| {
                ui.set_min_height(TILE);
                widgets::weak(ui, cx.text(label));
                let text = RichText::new(figure).font(tokens::strong(20.0)).color(palette(ui).text);
                ui.add(egui::Label::new(text).truncate());
            });
        }
        if let Some(ui) = columns.last_mut() {
            widgets::card(ui, |ui| {
                ui.set_min_height(TILE);
                widgets::weak(ui, cx.text(Text::MonthStateName));
                widgets::badge(ui, &word, mood);
            });
        }
    });
}

/// Widths of the columns as parts of the whole.
const PARTS: [f32; 5] = [0.29, 0.11, 0.18, 0.19, 0.23];

fn cells(ui: &mut Ui, add: [&mut dyn FnMut(&mut Ui); 5]) {
    let whole = ui.available_width() - 8.0;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        for (part, add) in PARTS.iter().zip(add) {
            ui.allocate_ui_with_layout(egui::vec2(whole * part, 26.0), Layout::left_to_right(Align::Center), |ui| {
                ui.set_min_width(whole * part);
                ui.set_max_width(whole * part - 6.0);
                add(ui);
            });
        }
    });
}

fn tenants(cx: &Cx<'_>, ui: &mut Ui, month: &MonthStatement) {
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::Tenants), tokens::TEXT_TITLE);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            for (format, dialect, label) in
                [("csv", "rfc4180", "CSV ,"), ("csv", "semicolon", "CSV ;"), ("xlsx", "", "XLSX"), ("pdf", "", "PDF")]
            {
                link(cx, ui, month, None, (format, dialect, label), cx.text(Text::MonthSummary));
            }
            widgets::weak(ui, cx.text(Text::MonthSummary));
        });
    });
    let p = palette(ui);
    let head = |ui: &mut Ui, text: Text| {
        let text = RichText::new(cx.text(text)).font(tokens::strong(12.0)).color(p.text_weak);
        ui.add(egui::Label::new(text).truncate());
    };
    cells(
        ui,
        [
            &mut |ui| head(ui, Text::Tenant),
            &mut |ui| head(ui, Text::Sessions),
            &mut |ui| head(ui, Text::CatEnergy),
            &mut |ui| head(ui, Text::MonthTotal),
            &mut |ui| head(ui, Text::Statement),
        ],
    );
    widgets::hairline(ui);
    let rows: Vec<&StatementRow> = month.tenants.iter().chain([&month.unassigned]).collect();
    let height = widgets::rest_of_window(ui, 330.0);
    widgets::scroll("statements", height).show_rows(ui, 30.0, rows.len(), |ui, range| {
        for row in rows.get(range).unwrap_or_default() {
            tenant(cx, ui, month, row);
        }
    });
}

fn tenant(cx: &Cx<'_>, ui: &mut Ui, month: &MonthStatement, row: &StatementRow) {
    let name = match (row.tenant_id, row.name.is_empty()) {
        (Some(_), false) if row.unit.is_empty() => row.name.clone(),
        (Some(_), false) => format!("{} · {}", row.name, row.unit),
        (_, _) => cx.text(Text::NoTenant).to_owned(),
    };
    cells(
        ui,
        [
            &mut |ui| {
                widgets::line(ui, &name);
            },
            &mut |ui| {
                widgets::line(ui, &row.sessions.to_string());
            },
            &mut |ui| {
                widgets::line(ui, &format::energy(row.energy_wh, cx.language()));
            },
            &mut |ui| {
                widgets::strong_line(ui, &money(cx, &row.total, &month.currency));
            },
            &mut |ui| {
                if row.tenant_id.is_some() {
                    link(cx, ui, month, row.tenant_id, ("pdf", "", "PDF"), &name);
                    link(cx, ui, month, row.tenant_id, ("xlsx", "", "XLSX"), &name);
                }
            },
        ],
    );
}

fn link(
    _cx: &Cx<'_>,
    ui: &mut Ui,
    month: &MonthStatement,
    tenant: Option<i64>,
    (format, dialect, label): (&str, &str, &str),
    subject: &str,
) {
    let name = super::named(label, subject);
    let look = Look { loudness: Loudness::Quiet, icon: None, label, name: &name, enabled: true };
    if widgets::button(ui, look).clicked() {
        ui.ctx().open_url(egui::OpenUrl::new_tab(file_of(&month.month, tenant, format, dialect)));
    }
}

/// Closing asks once more, since it is for ever.
fn closing(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut StatementsState, month: &MonthStatement) {
    if month.state == MonthState::Closed {
        let at = month.closed_at.as_deref().map(|at| cx.local(at)).unwrap_or_default();
        widgets::notice(ui, Icon::Check, &cx.fill(Text::MonthClosedAt, &[&at]), Mood::Good);
        if let Some(hash) = &month.hash {
            widgets::weak(ui, &format!("SHA-256 {hash}"));
        }
        return;
    }
    let is_open = month.obstacles.iter().any(|one| one.accepted.is_none());
    ui.add_space(tokens::GAP_S);
    if state.sure {
        widgets::notice(ui, Icon::Alert, cx.text(Text::CloseMonthSure), Mood::Warn);
        ui.horizontal(|ui| {
            let close = Command::Books(BooksCommand::Close(month.month.clone()));
            if cx.button(ui, Loudness::Primary, None, &month.month, close).clicked() {
                state.sure = false;
            }
            let label = cx.text(Text::Cancel);
            let look = Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                state.sure = false;
            }
        });
    } else {
        let label = cx.text(Text::CloseMonth);
        let look = Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: !is_open };
        if widgets::button(ui, look).clicked() {
            state.sure = true;
        }
    }
}
