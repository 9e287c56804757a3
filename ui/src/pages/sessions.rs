//! Sessions: who charged where, when and how much, with the load curve of one.

use super::{Cx, not_yet, title};
use crate::command::{Command, Resource};
use crate::format::{self, UNKNOWN};
use crate::graph::{curve, paint::Style};
use crate::icons::Icon;
use crate::records::RecordsResource;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{Dialog, Page, Period, SessionFilter};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{SessionChangeItem, SessionItem, Snapshot};
use domain::{EndReason, Provenance};
use egui::accesskit::Role;
use egui::{Align, Layout, RichText, Sense, Ui, WidgetInfo};

/// Height of a row.
const ROW: f32 = 38.0;

/// Shows the list and the open session.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, changed: &mut Option<SessionFilter>) {
    let wanted = cx.model.values.sessions.is_wanted();
    cx.want(wanted, Resource::Sessions);
    let wanted = cx.model.values.tenants.is_wanted();
    cx.want(wanted, Resource::Tenants);
    title(cx, ui, Page::Sessions, |cx, ui| {
        cx.button(ui, Loudness::Normal, None, "", Command::Fetch(Resource::Sessions));
    });
    orphans(cx, ui);
    let open =
        cx.model.view.session.and_then(|id| {
            cx.model.values.sessions.value().and_then(|list| list.iter().find(|session| session.id == id))
        });
    let width = ui.available_width();
    let aside = if open.is_some() { (width * 0.38).min(520.0) } else { 0.0 };
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let main = if open.is_some() { width - aside - tokens::GAP_L } else { width };
        ui.allocate_ui_with_layout(egui::vec2(main, 0.0), Layout::top_down(Align::Min), |ui| {
            widgets::card(ui, |ui| {
                filters(cx, ui, snapshot, changed);
                list(cx, ui, snapshot, open.is_none());
            });
        });
        if let Some(session) = open {
            ui.allocate_ui_with_layout(egui::vec2(aside, 0.0), Layout::top_down(Align::Min), |ui| {
                widgets::card(ui, |ui| detail(cx, ui, snapshot, session));
            });
        }
    });
}

/// Ends that fit no session are told where sessions are.
fn orphans(cx: &mut Cx<'_>, ui: &mut Ui) {
    let remote = &cx.model.values.records.orphans;
    let count = remote.value().map_or(0, Vec::len);
    let wanted = remote.is_wanted();
    cx.want(wanted, Resource::Records(RecordsResource::Orphans));
    if count == 0 {
        return;
    }
    widgets::card(ui, |ui| {
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                cx.button(ui, Loudness::Primary, None, "", Command::ShowDialog(Some(Dialog::Orphans)));
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    widgets::badge(ui, &count.to_string(), Mood::Warn);
                    widgets::line(ui, cx.text(Text::OrphansTitle));
                });
            });
        });
    });
    ui.add_space(tokens::GAP_S);
}

fn filters(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, changed: &mut Option<SessionFilter>) {
    let filter = &cx.model.view.filter;
    ui.horizontal_wrapped(|ui| {
        let periods = Period::ALL.map(|period| (period, cx.text(period.label())));
        if let Some(period) = widgets::segmented(ui, cx.text(Text::FilterPeriod), &periods, filter.period) {
            *changed = Some(SessionFilter { period, ..filter.clone() });
        }
        let mut tenants = vec![(None, cx.text(Text::Everyone).to_owned())];
        let known = cx.model.values.tenants.value().into_iter().flatten().filter(|tenant| tenant.erased_at.is_none());
        tenants.extend(known.map(|tenant| (Some(tenant.id), tenant.form.name.clone())));
        if let Some(tenant_id) = widgets::select(ui, cx.text(Text::FilterTenant), &tenants, &filter.tenant_id, 170.0) {
            *changed = Some(SessionFilter { tenant_id, ..filter.clone() });
        }
        let mut chargers = vec![(None, cx.text(Text::AllChargers).to_owned())];
        chargers.extend(snapshot.chargers.iter().map(|charger| (Some(charger.id.clone()), charger.name.clone())));
        if let Some(charger) = widgets::select(ui, cx.text(Text::FilterCharger), &chargers, &filter.charger, 170.0) {
            *changed = Some(SessionFilter { charger, ..filter.clone() });
        }
        more_filters(cx, ui, changed);
    });
    ui.add_space(4.0);
}

/// Words, who pays, and kind of figures.
fn more_filters(cx: &Cx<'_>, ui: &mut Ui, changed: &mut Option<SessionFilter>) {
    let filter = &cx.model.view.filter;
    let mut words = filter.words.clone();
    let (name, hint) = (cx.text(Text::Search), cx.text(Text::SessionSearchHint));
    if widgets::text_field(ui, name, hint, &mut words, Field::Text, 250.0).changed() {
        *changed = Some(SessionFilter { words, ..filter.clone() });
    }
    let mut kinds = vec![(None, cx.text(Text::AllFigures).to_owned())];
    kinds.extend(TRUSTS.map(|trust| (Some(trust), cx.text(badge_of(trust).0).to_owned())));
    if let Some(trust) = widgets::select(ui, cx.text(Text::Trust), &kinds, &filter.trust, 170.0) {
        *changed = Some(SessionFilter { trust, ..filter.clone() });
    }
    let mut unassigned = filter.unassigned;
    if widgets::tick(ui, &mut unassigned, cx.text(Text::OnlyUnassigned)).changed() {
        *changed = Some(SessionFilter { unassigned, ..filter.clone() });
    }
}

fn list(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, wide: bool) {
    let remote = &cx.model.values.sessions;
    let Some(sessions) = remote.value() else { return not_yet(cx, ui, remote, Resource::Sessions) };
    if sessions.is_empty() {
        widgets::empty(ui, Icon::List, cx.text(Text::NoSessions), cx.text(Text::NoSessionsSub));
        return;
    }
    let mut titles = vec![Text::Tenant, Text::ColCharger, Text::ColFrom];
    if wide {
        titles.extend([Text::ColTo, Text::ColDuration]);
    }
    titles.push(Text::ColEnergyTotal);
    if wide {
        titles.push(Text::Trust);
    }
    let columns = f32::from(u8::try_from(titles.len()).unwrap_or(1));
    let width = (ui.available_width() - 24.0) / columns;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.add_space(8.0);
        for title in titles {
            let p = palette(ui);
            let text = RichText::new(cx.text(title)).font(tokens::strong(12.0)).color(p.text_weak);
            cell(ui, width, |ui| ui.add(egui::Label::new(text).truncate()));
        }
    });
    widgets::hairline(ui);
    // Filters take two rows over the whole width, and four beside an open session.
    let height = widgets::rest_of_window(ui, if wide { 306.0 } else { 384.0 });
    widgets::scroll("sessions", height).show_rows(ui, ROW - 8.0, sessions.len(), |ui, range| {
        for session in sessions.get(range).unwrap_or_default() {
            row(cx, ui, snapshot, session, wide, width);
        }
    });
    if cx.model.values.sessions_next.is_some() {
        ui.vertical_centered(|ui| {
            let more = Command::Fetch(Resource::MoreSessions);
            cx.button(ui, Loudness::Normal, None, "", more);
        });
    }
}

fn cell(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui) -> egui::Response) {
    ui.allocate_ui_with_layout(egui::vec2(width, ROW - 12.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(width);
        ui.set_max_width(width - 8.0);
        add(ui);
    });
}

fn row(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, session: &SessionItem, wide: bool, width: f32) {
    let p = palette(ui);
    let size = egui::vec2(ui.available_width(), ROW - 8.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    let who = session.tenant.clone().unwrap_or_else(|| cx.text(Text::NoTenant).to_owned());
    let name = format!("{} {} {who}", cx.text(Text::ShowSession), session.id);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let selected = cx.model.view.session == Some(session.id);
    if selected || response.hovered() {
        let fill = if selected { p.accent_low } else { p.surface_low };
        ui.painter().rect_filled(rect, tokens::RADIUS_CONTROL, fill);
    }
    widgets::focus_ring(ui, &response, tokens::RADIUS_CONTROL);
    let charger = snapshot.chargers.iter().find(|charger| charger.id == session.charger);
    let place = charger.map_or(session.charger.as_str(), |charger| charger.name.as_str());
    let mut texts = vec![who, place.to_owned(), cx.local(&session.started_at)];
    if wide {
        let running = cx.text(Text::Running).to_owned();
        texts.push(session.ended_at.as_deref().map_or(running, |at| cx.local(at)));
        texts.push(length(session, cx.now_ms()));
    }
    texts.push(format::energy(session.energy_wh, cx.language()));
    let mut inner = ui.new_child(egui::UiBuilder::new().max_rect(rect).layout(Layout::left_to_right(Align::Center)));
    inner.spacing_mut().item_spacing.x = 0.0;
    inner.add_space(8.0);
    for (index, text) in texts.iter().enumerate() {
        let rich = if index == 0 { RichText::new(text).font(tokens::strong(13.5)) } else { RichText::new(text) };
        cell(&mut inner, width, |ui| ui.add(egui::Label::new(rich.size(13.5)).truncate()));
    }
    if wide {
        let (word, mood) = badge_of(session.provenance);
        cell(&mut inner, width, |ui| widgets::badge(ui, cx.text(word), mood));
    }
    if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
        cx.send(Command::ShowSession(if selected { None } else { Some(session.id) }));
    }
}

/// How long a session lasted, or lasts so far. Pure.
pub(crate) fn length(session: &SessionItem, now_ms: i64) -> String {
    let start = crate::time::parse(&session.started_at);
    let end = session.ended_at.as_deref().map_or(Some(now_ms), crate::time::parse);
    match (start, end) {
        (Some(start), Some(end)) => format::duration(end - start),
        (None, _) | (_, None) => UNKNOWN.to_owned(),
    }
}

fn detail(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, session: &SessionItem) {
    ui.horizontal(|ui| {
        let heading = cx.fill(Text::SessionTitle, &[&session.id.to_string()]);
        widgets::heading(ui, &heading, tokens::TEXT_TITLE);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.icon(ui, Icon::Cross, true, &heading, Command::ShowSession(None));
        });
    });
    let wanted = cx.model.values.curve.is_wanted();
    cx.want(wanted, Resource::Curve(session.id));
    facts(cx, ui, snapshot, session);
    let correct = Command::ShowDialog(Some(Dialog::CorrectSession(session.id)));
    cx.button(ui, Loudness::Normal, None, "", correct);
    changes(cx, ui, session);
    ui.add_space(tokens::GAP_S);
    widgets::heading(ui, cx.text(Text::SessionCurve), tokens::TEXT_TITLE);
    let remote = &cx.model.values.curve;
    let Some((_, columns)) = remote.value().filter(|(id, _)| *id == session.id) else {
        return not_yet(cx, ui, remote, Resource::Curve(session.id));
    };
    let points = curve::points(columns);
    if points.len() < 2 {
        widgets::weak(ui, cx.text(Text::NoCurve));
        return;
    }
    let peak = format::kilowatts(points.iter().map(|point| point.1).fold(0.0, f64::max), cx.language());
    let name = cx.fill(Text::SessionGraph, &[&session.id.to_string(), &peak]);
    let offset_min = cx.offset(crate::time::parse(&session.started_at).unwrap_or_default());
    curve::show(ui, &points, &Style { language: cx.language(), offset_min, unit: "kW", name: &name, height: 220.0 });
    widgets::weak(ui, &format!("{}: {peak}", cx.text(Text::Peak)));
}

fn facts(cx: &Cx<'_>, ui: &mut Ui, snapshot: &Snapshot, session: &SessionItem) {
    let charger = snapshot.chargers.iter().find(|charger| charger.id == session.charger);
    let place = charger.map_or(session.charger.as_str(), |charger| charger.name.as_str());
    let ended = session.ended_at.as_deref().map_or_else(|| cx.text(Text::Running).to_owned(), |at| cx.local(at));
    let mut facts = vec![
        (Text::Tenant, session.tenant.clone().unwrap_or_else(|| cx.text(Text::NoTenant).to_owned())),
        (Text::Card, session.card.clone().unwrap_or_else(|| UNKNOWN.to_owned())),
        (Text::ColCharger, place.to_owned()),
        (Text::ColFrom, cx.local(&session.started_at)),
        (Text::ColTo, ended),
        (Text::ColDuration, length(session, cx.now_ms())),
        (Text::ColEnergyTotal, format::energy(session.energy_wh, cx.language())),
        (Text::Trust, cx.text(trust(session.provenance)).to_owned()),
    ];
    if let Some(reason) = session.end_reason {
        facts.push((Text::EndedBy, cx.text(end(reason)).to_owned()));
    }
    widgets::text_rows(ui, 18.0);
    egui::Grid::new("facts").num_columns(2).spacing([18.0, 5.0]).show(ui, |ui| {
        for (name, value) in facts {
            widgets::weak(ui, cx.text(name));
            widgets::line(ui, &value);
            ui.end_row();
        }
    });
}

/// What people changed about it, newest first, each with what it was before.
fn changes(cx: &mut Cx<'_>, ui: &mut Ui, session: &SessionItem) {
    let remote = &cx.model.values.records.changes;
    let known = remote.value().filter(|(id, _)| *id == session.id).map(|(_, list)| list.clone());
    let wanted = known.is_none() && !remote.is_pending() && remote.failure().is_none();
    cx.want(wanted, Resource::Records(RecordsResource::Changes(session.id)));
    let list = known.unwrap_or_default();
    if list.is_empty() {
        return;
    }
    ui.add_space(tokens::GAP_S);
    widgets::field_label(ui, cx.text(Text::ChangesTitle));
    for change in list.iter().rev() {
        widgets::line(ui, &format!("{} · {}", cx.local(&change.at), change.reason));
        for text in differences(cx, change) {
            widgets::weak(ui, &text);
        }
    }
}

/// What a change changed, each as `before → after`.
fn differences(cx: &Cx<'_>, change: &SessionChangeItem) -> Vec<String> {
    let (before, after) = (&change.before, &change.after);
    let who = |id: Option<i64>| {
        let tenants = cx.model.values.tenants.value().into_iter().flatten();
        let known = |id| tenants.clone().find(|tenant| tenant.id == id).map(|tenant| tenant.form.name.clone());
        id.map_or_else(|| cx.text(Text::NoTenant).to_owned(), |id| known(id).unwrap_or_else(|| format!("# {id}")))
    };
    let end = |at: &Option<String>| at.as_deref().map_or_else(|| UNKNOWN.to_owned(), |at| cx.local_seconds(at));
    let pairs = [
        (Text::Tenant, who(before.tenant_id), who(after.tenant_id)),
        (Text::ColFrom, cx.local_seconds(&before.started_at), cx.local_seconds(&after.started_at)),
        (Text::ColTo, end(&before.ended_at), end(&after.ended_at)),
        (
            Text::ColEnergyTotal,
            format::energy(before.energy_wh, cx.language()),
            format::energy(after.energy_wh, cx.language()),
        ),
    ];
    let differing = pairs.into_iter().filter(|(_, before, after)| before != after);
    differing.map(|(name, before, after)| format!("{}: {before} → {after}", cx.text(name))).collect()
}

/// All kinds of figures, in the order of the selector.
const TRUSTS: [Provenance; 5] = [
    Provenance::Measured,
    Provenance::ReceivedLate,
    Provenance::ClockCorrected,
    Provenance::Estimated,
    Provenance::Corrected,
];

/// The word on the badge of a session's figures.
const fn badge_of(provenance: Provenance) -> (Text, Mood) {
    match provenance {
        Provenance::Measured => (Text::BadgeMeasured, Mood::Good),
        Provenance::ReceivedLate => (Text::BadgeLate, Mood::Info),
        Provenance::ClockCorrected => (Text::BadgeClock, Mood::Info),
        Provenance::Estimated => (Text::BadgeEstimated, Mood::Warn),
        Provenance::Corrected => (Text::BadgeCorrected, Mood::Info),
    }
}

const fn trust(provenance: Provenance) -> Text {
    match provenance {
        Provenance::Measured => Text::TrustMeasured,
        Provenance::ReceivedLate => Text::TrustLate,
        Provenance::ClockCorrected => Text::TrustClock,
        Provenance::Estimated => Text::TrustEstimated,
        Provenance::Corrected => Text::TrustCorrected,
    }
}

const fn end(reason: EndReason) -> Text {
    match reason {
        EndReason::Card => Text::EndCard,
        EndReason::Manager => Text::EndManager,
        EndReason::Unplugged => Text::EndUnplugged,
        EndReason::PowerLoss => Text::EndPowerLoss,
        EndReason::Charger => Text::EndCharger,
        EndReason::Lost => Text::EndLost,
    }
}
