//! All chargers in the order they are served, one row per connector.

use super::{Cx, charger, named, status, title, wish};
use crate::command::{Command, Resource};
use crate::format;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{Dialog, Page};
use crate::widgets::{self, Loudness};
use api::{ChargerItem, ConnectorItem, ConnectorTarget, LimitRequest, Snapshot};
use egui::accesskit::Role;
use egui::{Align, Layout, Rect, RichText, Sense, Ui, WidgetInfo};

/// Height of a row, equal for all so that only visible rows cost anything.
const ROW: f32 = 76.0;

/// What the chargers page keeps between frames.
#[derive(Default)]
pub(crate) struct ChargersState {
    /// The detail pane.
    pub(crate) detail: charger::DetailState,
    /// What is typed in the limit dialog.
    limit: Option<(String, String)>,
    /// The charger under the pointer while it is dragged.
    dragged: Option<String>,
}

/// One row: a connector, with its charger and the charger's place.
struct Row<'a> {
    place: usize,
    charger: &'a ChargerItem,
    connector: Option<&'a ConnectorItem>,
    /// Whether this row carries the charger's own controls.
    first: bool,
}

/// Shows the list, or one charger in detail.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ChargersState, snapshot: &Snapshot) {
    let open = cx.model.view.charger.as_ref();
    if let Some(open) = open.and_then(|id| snapshot.chargers.iter().find(|charger| charger.id == *id)) {
        charger::show(cx, ui, &mut state.detail, open);
        return;
    }
    title(cx, ui, Page::Chargers, |cx, ui| {
        cx.button(ui, Loudness::Normal, Some(Icon::Plus), "", Command::ShowDialog(Some(Dialog::AddCharger)));
    });
    if snapshot.chargers.is_empty() {
        widgets::card(ui, |ui| {
            widgets::empty(ui, Icon::Plug, cx.text(Text::NoChargers), cx.text(Text::NoChargersSub));
            ui.horizontal_top(|ui| {
                let width = ui.available_width().min(620.0);
                ui.add_space((ui.available_width() - width) / 2.0);
                ui.allocate_ui_with_layout(egui::vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
                    addresses(cx, ui)
                });
            });
            ui.add_space(tokens::GAP_M);
        });
        return;
    }
    wish::waiting_card(cx, ui, snapshot);
    let rows = rows(snapshot);
    widgets::card_with(ui, egui::Margin::symmetric(8, 4), |ui| {
        let height = widgets::rest_of_window(ui, 118.0);
        ui.spacing_mut().item_spacing.y = 0.0;
        widgets::scroll("chargers", height).show_rows(ui, ROW, rows.len(), |ui, range| {
            let top = ui.cursor().top() - f32::from(u16::try_from(range.start).unwrap_or(0)) * ROW;
            for row in rows.get(range).unwrap_or_default() {
                show_row(cx, ui, state, row, snapshot.chargers.len());
            }
            drop_target(cx, ui, state, &rows, top);
        });
    });
}

fn rows(snapshot: &Snapshot) -> Vec<Row<'_>> {
    let mut rows = Vec::new();
    for (place, charger) in snapshot.chargers.iter().enumerate() {
        if charger.connectors.is_empty() {
            rows.push(Row { place, charger, connector: None, first: true });
        }
        for (index, connector) in charger.connectors.iter().enumerate() {
            rows.push(Row { place, charger, connector: Some(connector), first: index == 0 });
        }
    }
    rows
}

fn show_row(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ChargersState, row: &Row<'_>, count: usize) {
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), ROW), Sense::hover());
    let name = label_of(row);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Row);
        node.set_label(name.clone());
    });
    let p = palette(ui);
    let dragged = state.dragged.as_deref() == Some(row.charger.id.as_str());
    if dragged {
        ui.painter().rect_filled(rect, tokens::RADIUS_CONTROL, p.accent_low);
    }
    if row.place > 0 || !row.first {
        ui.painter().hline(rect.shrink2(egui::vec2(8.0, 0.0)).x_range(), rect.top(), (1.0, p.border));
    }
    let id = egui::Id::unique(("row", &row.charger.id, row.connector.map(|c| c.id)));
    let mut inner = ui.new_child(egui::UiBuilder::new().scope_id(id).max_rect(rect.shrink2(egui::vec2(6.0, 8.0))));
    inner.horizontal(|ui| {
        ui.spacing_mut().item_spacing = egui::vec2(8.0, 2.0);
        priority(cx, ui, state, row, count);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            actions(cx, ui, row, &name);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.add_space(4.0);
                values(cx, ui, row, &name);
                reason(cx, ui, row, &name);
            });
        });
    });
}

/// Name of the charger, with the connector where it has several.
fn label_of(row: &Row<'_>) -> String {
    match row.connector {
        Some(connector) if row.charger.connectors.len() > 1 => format!("{} · {}", row.charger.name, connector.id),
        Some(_) | None => row.charger.name.clone(),
    }
}

fn priority(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ChargersState, row: &Row<'_>, count: usize) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(62.0, ROW - 16.0), Sense::hover());
    if !row.first {
        return;
    }
    let p = palette(ui);
    let charger = row.charger;
    let grip = Rect::from_min_size(rect.min, egui::vec2(24.0, rect.height()));
    let words = cx.text(Text::Drag);
    let handle = ui.interact(grip, ui.scope_id().with("grip"), Sense::drag());
    let name = named(words, &charger.name);
    handle.widget_info(|| WidgetInfo::labeled(Role::Button, true, &name));
    let ink = if handle.hovered() || handle.dragged() { p.text } else { p.text_weak };
    Icon::Grip.paint(ui.painter(), Rect::from_center_size(grip.center(), egui::Vec2::splat(18.0)), ink);
    if handle.drag_started() {
        state.dragged = Some(charger.id.clone());
    }
    handle.on_hover_text(words).on_hover_cursor(egui::CursorIcon::Grab);
    let buttons = Rect::from_min_max(egui::pos2(rect.left() + 26.0, rect.top()), rect.max);
    let mut column = ui.new_child(egui::UiBuilder::new().max_rect(buttons).layout(Layout::top_down(Align::Center)));
    column.spacing_mut().item_spacing.y = 0.0;
    cx.icon(&mut column, Icon::Up, row.place > 0, &charger.name, Command::MoveUp(charger.id.clone()));
    let last = row.place + 1 == count;
    cx.icon(&mut column, Icon::Down, !last, &charger.name, Command::MoveDown(charger.id.clone()));
}

/// Paints where a dragged charger would land, and sends it there when it is let go.
fn drop_target(cx: &mut Cx<'_>, ui: &Ui, state: &mut ChargersState, rows: &[Row<'_>], top: f32) {
    let Some(id) = state.dragged.clone() else { return };
    let Some(pointer) = ui.input(|input| input.pointer.interact_pos()) else { return };
    let gap = super::overview::pixels(((pointer.y - top) / ROW).round().max(0.0) + 1.0).saturating_sub(1);
    let gap = usize::try_from(gap).unwrap_or(0).min(rows.len());
    let y = top + f32::from(u16::try_from(gap).unwrap_or(0)) * ROW;
    ui.painter().hline(ui.max_rect().x_range(), y, (2.5, palette(ui).accent));
    if ui.input(|input| input.pointer.any_released()) {
        state.dragged = None;
        let before = rows.get(gap).map_or_else(|| rows.last().map_or(0, |row| row.place + 1), |row| row.place);
        let from = rows.iter().find(|row| row.charger.id == id).map_or(0, |row| row.place);
        let place = if before > from { before - 1 } else { before };
        cx.send(Command::MoveTo(id, place));
    }
}

fn values(cx: &mut Cx<'_>, ui: &mut Ui, row: &Row<'_>, name: &str) {
    let language = cx.language();
    let charger = row.charger;
    let (word, mood) = status::of(charger, row.connector);
    ui.horizontal(|ui| {
        let width = ui.available_width();
        let spacing = ui.spacing().item_spacing.x;
        // The name takes what the columns of fixed width leave.
        let fixed = [156.0, 116.0, 58.0, 148.0, 86.0];
        let rest = (width - fixed.iter().sum::<f32>() - spacing * 5.0).max(90.0);
        cell(ui, rest, |ui| {
            widgets::strong_line(ui, name);
        });
        let [state_width, who, set, measured, energy] = fixed;
        cell(ui, state_width, |ui| {
            widgets::badge(ui, cx.text(word), mood);
        });
        let Some(connector) = row.connector else { return };
        let person = match (&connector.tenant, &connector.card, connector.session_id) {
            (Some(tenant), _, _) => tenant.clone(),
            (None, Some(card), _) => card.clone(),
            (None, None, Some(_)) => cx.text(Text::NoCard).to_owned(),
            (None, None, None) => String::new(),
        };
        cell(ui, who, |ui| number(ui, cx.text(Text::ColWho), name, &person, false));
        // A free connector has nothing to say.
        if !connector.status.is_plugged() && connector.set_a <= 0.0 && connector.session_id.is_none() {
            return;
        }
        cell(ui, set, |ui| {
            number(ui, cx.text(Text::ColSet), name, &format::amps(connector.set_a, language), true);
        });
        let amps = format::amps_per_wire(&connector.measured_a, language);
        cell(ui, measured, |ui| number(ui, cx.text(Text::ColMeasured), name, &amps, false));
        let session = connector.session_id.map(|_| format::energy(connector.session_energy_wh, language));
        cell(ui, energy, |ui| number(ui, cx.text(Text::ColEnergy), name, &session.unwrap_or_default(), false));
    });
}

fn cell(ui: &mut Ui, width: f32, add: impl FnOnce(&mut Ui)) {
    ui.allocate_ui_with_layout(egui::vec2(width, 30.0), Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_width(width);
        ui.set_max_width(width - 6.0);
        add(ui);
    });
}

/// A value under its small name; spoken as `Set Garage 3: 8 A`.
fn number(ui: &mut Ui, title: &str, subject: &str, value: &str, strong: bool) {
    if value.is_empty() {
        return;
    }
    let p = palette(ui);
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        ui.add(egui::Label::new(RichText::new(title).size(11.0).color(p.text_weak)).truncate());
        let font = if strong { tokens::strong(13.5) } else { egui::FontId::proportional(13.5) };
        let response = ui.add(egui::Label::new(RichText::new(value).font(font)).truncate());
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Status);
            node.set_label(named(title, subject));
            node.set_value(value);
        });
    });
}

fn reason(cx: &Cx<'_>, ui: &mut Ui, row: &Row<'_>, name: &str) {
    let Some(connector) = row.connector else { return };
    let mut sentence = connector.why.sentence(cx.language());
    if !connector.error.is_empty() {
        sentence = format!("{sentence} · {}", connector.error);
    }
    if let Some(limit) = row.charger.manager_limit_a {
        sentence = format!("{sentence} · {}", cx.fill(Text::LimitedTo, &[&format::amps(limit, cx.language())]));
    }
    let response = widgets::weak_line(ui, &sentence);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Status);
        node.set_label(format!("{} {name}", cx.text(Text::ColState)));
        node.set_value(sentence);
    });
}

fn actions(cx: &mut Cx<'_>, ui: &mut Ui, row: &Row<'_>, name: &str) {
    ui.spacing_mut().item_spacing.x = 2.0;
    let charger = row.charger;
    let id = || charger.id.clone();
    if row.first {
        cx.icon(ui, Icon::Right, true, &charger.name, Command::ShowCharger(Some(id())));
        cx.icon(ui, Icon::Gauge, charger.approved, &charger.name, Command::ShowDialog(Some(Dialog::Limit(id()))));
    }
    if let Some(connector) = row.connector {
        let target = ConnectorTarget { connector: connector.id };
        cx.icon(ui, Icon::Stop, connector.session_id.is_some(), name, Command::Stop(id(), target));
    }
    if !row.first {
        return;
    }
    if !charger.approved {
        cx.button(ui, Loudness::Primary, None, &charger.name, Command::ApproveCharger(id()));
    } else if charger.paused {
        cx.icon(ui, Icon::Play, true, &charger.name, Command::Resume(id()));
    } else {
        cx.icon(ui, Icon::Pause, true, &charger.name, Command::Pause(id()));
    }
}

/// The addresses that new devices need, each with a button to copy it.
pub(crate) fn addresses(cx: &mut Cx<'_>, ui: &mut Ui) {
    let wanted = cx.model.values.connections.is_wanted();
    cx.want(wanted, Resource::Connections);
    let known = cx.model.values.connections.value();
    let ocpp = known.map_or(&[][..], |page| page.ocpp_addresses.as_slice());
    let mqtt = known.map_or(&[][..], |page| page.mqtt_addresses.as_slice());
    let fallback = default_addresses(cx.host, cx.text(Text::ThisComputer));
    let of = |told: &[String], fallback: &str| -> Vec<String> {
        if told.is_empty() { vec![fallback.to_owned()] } else { told.to_vec() }
    };
    let ocpp = of(ocpp, &fallback.0).into_iter().map(|address| (Text::AddChargerOcpp, address));
    let mqtt = of(mqtt, &fallback.1).into_iter().map(|address| (Text::AddChargerMqtt, address));
    let mut explained = None;
    for (explain, address) in ocpp.chain(mqtt) {
        if explained.replace(explain) != Some(explain) {
            widgets::weak(ui, cx.text(explain));
        }
        ui.horizontal(|ui| {
            let p = palette(ui);
            let text = RichText::new(&address).font(egui::FontId::monospace(15.0)).color(p.text);
            ui.add(egui::Label::new(text).selectable(true));
            cx.button(ui, Loudness::Normal, None, &address, Command::Copy(address.clone()));
        });
        ui.add_space(4.0);
    }
}

/// Addresses for OCPP and MQTT when the server tells none: the ports of a plain installation at the address
/// this page came from, or at words for it where that address means nothing to a charger.
pub(crate) fn default_addresses(host: &str, this_computer: &str) -> (String, String) {
    let name = host.rsplit_once(':').map_or(host, |(name, _port)| name);
    let local = matches!(name, "localhost" | "127.0.0.1" | "[::1]" | "");
    let name = if local { this_computer } else { name };
    (format!("ws://{name}:8887/ocpp/"), format!("mqtt://{name}:1883"))
}

/// The dialog that limits a charger.
pub(crate) fn limit_dialog(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ChargersState, snapshot: &Snapshot, id: &str) {
    let Some(charger) = snapshot.chargers.iter().find(|charger| charger.id == id) else { return };
    let language = cx.language();
    let typed = match &mut state.limit {
        Some((known, typed)) if known == id => typed,
        other => {
            let current = charger.manager_limit_a.unwrap_or(charger.max_a);
            &mut other.insert((id.to_owned(), format::field_number(current, language))).1
        }
    };
    widgets::heading(ui, &cx.fill(Text::LimitTitle, &[&charger.name]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::LimitExplain));
    let hint = cx.fill(Text::MaximumOf, &[&format::amps(charger.max_a, language)]);
    widgets::form_field(ui, cx.text(Text::LimitAmps), &hint, typed, widgets::Field::Text);
    let limit = format::read_number(typed).filter(|limit| (0.0..=charger.max_a).contains(limit));
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let apply = Command::Limit(id.to_owned(), LimitRequest { limit_a: Some(limit.unwrap_or_default()) });
            cx.button_if(ui, limit.is_some(), Loudness::Primary, "", apply);
            if charger.manager_limit_a.is_some() {
                let lift = Command::Limit(id.to_owned(), LimitRequest { limit_a: None });
                cx.button(ui, Loudness::Normal, None, "", lift);
            }
            super::cancel(cx, ui);
        });
    });
}

impl ChargersState {
    /// Forgets what was typed in a dialog that closed.
    pub(crate) fn close_dialog(&mut self) {
        self.limit = None;
    }
}
