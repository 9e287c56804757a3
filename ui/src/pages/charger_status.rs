//! What a charger is, whether it works alone, how its state changed, and what it measures.

use super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Loudness, Mood};
use api::{ChargerDetail, ChargerItem, TimelineItem, ValueItem};
use domain::ConnectorStatus;
use egui::{RichText, Sense, Ui};

/// Height of a line of the timeline.
const LINE: f32 = 18.0;
/// A day.
const DAY_MS: i64 = 86_400_000;

/// The detail of the open charger, asked for when it is not here.
pub(crate) fn detail<'a>(cx: &mut Cx<'a>, ui: &mut Ui, charger: &ChargerItem) -> Option<&'a ChargerDetail> {
    let model = cx.model;
    let remote = &model.values.detail;
    let found = remote.value().filter(|(id, _)| *id == charger.id).map(|(_, detail)| detail);
    if found.is_none() {
        cx.want(remote.is_wanted() || remote.value().is_some(), Resource::Detail(charger.id.clone()));
        not_yet(cx, ui, remote, Resource::Detail(charger.id.clone()));
    }
    found
}

/// Identity, capabilities and whether it works while the program is off.
pub(crate) fn identity(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    widgets::heading(ui, cx.text(Text::WhatItIs), tokens::TEXT_TITLE);
    let Some(detail) = detail(cx, ui, charger) else { return };
    let language = cx.language();
    let facts = [
        (Text::Vendor, detail.vendor.as_str()),
        (Text::Model, detail.model.as_str()),
        (Text::FirmwareVersion, detail.firmware.as_str()),
        (Text::SerialNumber, detail.serial.as_str()),
    ];
    egui::Grid::new("identity").num_columns(2).spacing([tokens::GAP_L, 4.0]).show(ui, |ui| {
        for (label, value) in facts {
            widgets::weak(ui, cx.text(label));
            widgets::line(ui, if value.is_empty() { "–" } else { value });
            ui.end_row();
        }
    });
    ui.horizontal_wrapped(|ui| {
        for capability in &detail.capabilities {
            let mood = match capability.supported {
                Some(true) => Mood::Good,
                Some(false) => Mood::Bad,
                None => Mood::Quiet,
            };
            widgets::badge(ui, &capability.name, mood);
        }
    });
    widgets::hairline(ui);
    let (word, mood, icon) = if detail.works_offline {
        (Text::WorksAlone, Mood::Good, Icon::Check)
    } else {
        (Text::StopsAlone, Mood::Warn, Icon::Alert)
    };
    let mut text = cx.text(word).to_owned();
    for reason in &detail.offline_reasons {
        text.push_str("\n· ");
        text.push_str(reason.sentence(language));
    }
    widgets::notice(ui, icon, &text, mood);
    let (held, wanted) = (detail.cards.held.to_string(), detail.cards.wanted.to_string());
    let version = detail.cards.version.map_or_else(|| "–".to_owned(), |version| version.to_string());
    widgets::weak(ui, &cx.fill(Text::CardsHeld, &[&held, &wanted, &version]));
    if detail.connections_last_hour > 3 {
        let text = cx.fill(Text::Flapping, &[&detail.connections_last_hour.to_string()]);
        widgets::notice(ui, Icon::Alert, &text, Mood::Warn);
    }
    held_profiles(cx, ui, detail);
}

fn held_profiles(cx: &Cx<'_>, ui: &mut Ui, detail: &ChargerDetail) {
    if detail.profiles.is_empty() {
        return;
    }
    widgets::field_label(ui, cx.text(Text::HeldProfiles));
    for profile in &detail.profiles {
        let limit = crate::format::number(profile.limit_a, 1, cx.language());
        let text = match profile.session_id {
            Some(session) => {
                cx.fill(Text::ProfileSession, &[&profile.connector.to_string(), &session.to_string(), &limit])
            }
            None => cx.fill(Text::ProfileFallback, &[&limit]),
        };
        widgets::line(ui, &text);
    }
    widgets::weak(ui, &detail.profile_way);
}

/// The last 24 hours of the link and of each connector.
pub(crate) fn timeline(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    let resource = Resource::Timeline(charger.id.clone());
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::Timeline), tokens::TEXT_TITLE);
        let subject = cx.text(Text::Timeline);
        cx.button(ui, Loudness::Quiet, None, subject, Command::Fetch(resource.clone()));
    });
    let model = cx.model;
    let remote = &model.values.timeline;
    let Some((_, items)) = remote.value().filter(|(id, _)| *id == charger.id) else {
        cx.want(remote.is_wanted() || remote.value().is_some(), resource.clone());
        return not_yet(cx, ui, remote, resource);
    };
    if items.is_empty() {
        widgets::weak(ui, cx.text(Text::TimelineEmpty));
        return;
    }
    let to_ms = cx.now_ms();
    let mut lines: Vec<u16> = items.iter().map(|item| item.connector).collect();
    lines.sort_unstable();
    lines.dedup();
    for line in lines {
        let name =
            if line == 0 { cx.text(Text::Link).to_owned() } else { cx.fill(Text::Connector, &[&line.to_string()]) };
        widgets::weak(ui, &name);
        let of_line: Vec<&TimelineItem> = items.iter().filter(|item| item.connector == line).collect();
        paint(cx, ui, &name, &of_line, to_ms);
    }
    let hours = ["-24 h", "-18 h", "-12 h", "-6 h"];
    ui.columns(4, |columns| {
        for (column, hour) in columns.iter_mut().zip(hours) {
            widgets::weak(column, hour);
        }
    });
}

fn paint(cx: &Cx<'_>, ui: &mut Ui, name: &str, items: &[&TimelineItem], to_ms: i64) {
    let p = palette(ui);
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), LINE), Sense::hover());
    ui.painter().rect_filled(rect, 3.0, p.surface_low);
    let from_ms = to_ms - DAY_MS;
    let place = |ms: i64| {
        let part = (ms - from_ms).clamp(0, DAY_MS);
        #[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a place on the screen")]
        let fraction = part as f32 / DAY_MS as f32;
        rect.left() + rect.width() * fraction
    };
    let mut words = Vec::new();
    for item in items {
        let (word, mood) = state_of(item);
        let stretch = egui::Rect::from_x_y_ranges(
            place(item.from_ms)..=place(item.to_ms).max(place(item.from_ms) + 1.0),
            rect.y_range(),
        );
        ui.painter().rect_filled(stretch, 2.0, mood.ink(p));
        let at = crate::format::clock_seconds(item.from_ms, cx.offset(item.from_ms));
        let text = format!("{at} {} {}", cx.text(word), item.error).trim().to_owned();
        if response.hover_pos().is_some_and(|pointer| stretch.x_range().contains(pointer.x)) {
            response.clone().on_hover_text(text.clone());
        }
        words.push(text);
    }
    // The same as text, for screen readers: the newest changes.
    let spoken = words.iter().rev().take(20).cloned().collect::<Vec<_>>().join("\n");
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(egui::accesskit::Role::Image);
        node.set_label(name);
        node.set_description(spoken);
    });
}

fn state_of(item: &TimelineItem) -> (Text, Mood) {
    match item.status {
        None if item.state == "online" => (Text::StatusOnline, Mood::Good),
        None => (Text::StatusOffline, Mood::Bad),
        Some(ConnectorStatus::Charging) => (Text::StatusCharging, Mood::Good),
        Some(ConnectorStatus::Faulted) => (Text::StatusFaulted, Mood::Bad),
        Some(ConnectorStatus::Unavailable) => (Text::StatusUnavailable, Mood::Warn),
        Some(ConnectorStatus::SuspendedEvse) => (Text::StatusWaiting, Mood::Warn),
        Some(ConnectorStatus::SuspendedEv) => (Text::StatusSuspendedEv, Mood::Info),
        Some(ConnectorStatus::Preparing) => (Text::StatusPreparing, Mood::Info),
        Some(ConnectorStatus::Finishing) => (Text::StatusFinishing, Mood::Info),
        Some(ConnectorStatus::Reserved) => (Text::StatusReserved, Mood::Info),
        Some(ConnectorStatus::Available) => (Text::StatusAvailable, Mood::Quiet),
        Some(ConnectorStatus::Unknown) => (Text::StatusUnknown, Mood::Quiet),
    }
}

/// Measurands people look at first; the others follow by name.
const FIRST: [&str; 8] = [
    "Current.Import",
    "Current.Offered",
    "Power.Active.Import",
    "Power.Offered",
    "Energy.Active.Import.Register",
    "Voltage",
    "SoC",
    "Temperature",
];

/// The newest value of each measurand, per phase.
pub(crate) fn values(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    widgets::card_title(ui, cx.text(Text::LiveValues), cx.text(Text::LiveValuesSub));
    let Some(detail) = detail(cx, ui, charger) else { return };
    if detail.values.is_empty() {
        widgets::weak(ui, cx.text(Text::NoValues));
        return;
    }
    let mut sorted: Vec<&ValueItem> = detail.values.iter().collect();
    let rank = |value: &ValueItem| FIRST.iter().position(|first| *first == value.measurand).unwrap_or(FIRST.len());
    sorted.sort_by(|a, b| {
        (a.connector, rank(a), &a.measurand, &a.phase).cmp(&(b.connector, rank(b), &b.measurand, &b.phase))
    });
    egui::Grid::new("values").num_columns(6).striped(true).spacing([tokens::GAP_L, 6.0]).show(ui, |ui| {
        for label in [Text::KindDevice, Text::Measurand, Text::Phase, Text::Value, Text::ValueContext, Text::MeasuredAt]
        {
            widgets::field_label(ui, cx.text(label));
        }
        ui.end_row();
        for value in sorted {
            ui.label(value.connector.to_string());
            ui.label(&value.measurand);
            ui.label(if value.phase.is_empty() { "–" } else { &value.phase });
            ui.label(RichText::new(format!("{} {}", value.value, value.unit)).font(tokens::strong(tokens::TEXT)));
            widgets::weak(ui, &[value.context.as_str(), value.location.as_str()].join(" "));
            widgets::weak(ui, &cx.local_seconds(&value.at));
            ui.end_row();
        }
    });
}

/// Files on their way and security events.
pub(crate) fn reports(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem) {
    let Some(detail) = detail(cx, ui, charger) else { return };
    widgets::heading(ui, cx.text(Text::Transfers), tokens::TEXT_TITLE);
    if detail.transfers.is_empty() && detail.security_events.is_empty() {
        widgets::weak(ui, cx.text(Text::NoTransfers));
    }
    for transfer in detail.transfers.iter().take(8) {
        widgets::line(ui, &format!("{}  {}  {}", cx.local_seconds(&transfer.at), transfer.kind, transfer.status));
    }
    for event in detail.security_events.iter().take(8) {
        widgets::line(ui, &format!("{}  {}  {}", cx.local_seconds(&event.at), event.kind, event.info));
    }
}
