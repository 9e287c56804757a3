//! Connecting a device: what to type where, who waits, and who was refused and why.

mod brands;
pub(crate) mod files;
mod foreign;
mod listeners;
mod qr;
mod security;

use self::brands::{BRANDS, Identity};
use super::{Cx, title};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::pages::overview::{approval, kind_of};
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{Dialog, Page};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{ConnectionItem, NetworkItem, NewDevice, Snapshot};
use egui::{Align, Layout, RichText, Ui};

/// Width of a QR code, which a phone reads from half a metre.
const CODE_WIDTH: f32 = 148.0;

/// What the page keeps between frames.
#[derive(Default)]
pub(crate) struct ConnectState {
    /// Which network's addresses are shown.
    network: usize,
    /// Which of the makers is chosen.
    brand: Option<usize>,
    /// Name of a new MQTT device.
    device: String,
    /// What the list of attempts was asked for with.
    seen: Option<(usize, usize, u32)>,
    /// Meters of other makers.
    foreign: foreign::ForeignState,
}

impl ConnectState {
    /// Forgets what was typed in a dialog that closed.
    pub(crate) fn close_dialog(&mut self) {
        self.device.clear();
    }
}

/// Shows the page.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ConnectState, snapshot: &Snapshot) {
    let wanted = cx.model.values.connections.is_wanted();
    cx.want(wanted, Resource::Connections);
    title(cx, ui, Page::Connect, |cx, ui| {
        cx.button(ui, Loudness::Normal, Some(Icon::Plus), "", Command::ShowDialog(Some(Dialog::AddDevice)));
    });
    let width = ui.available_width();
    let aside = (width * 0.42).clamp(380.0, 620.0);
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let main = egui::vec2(width - aside - tokens::GAP_L, 0.0);
        ui.allocate_ui_with_layout(main, Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_L;
            widgets::card(ui, |ui| addresses(cx, ui, state));
            widgets::card(ui, |ui| hints(cx, ui, state));
            widgets::card(ui, |ui| authority(cx, ui));
            widgets::card(ui, |ui| listeners::show(cx, ui));
        });
        ui.allocate_ui_with_layout(egui::vec2(aside, 0.0), Layout::top_down(Align::Min), |ui| {
            ui.spacing_mut().item_spacing.y = tokens::GAP_L;
            widgets::card(ui, |ui| waiting(cx, ui, snapshot));
            widgets::card(ui, |ui| attempts(cx, ui, state, snapshot));
        });
    });
    ui.add_space(tokens::GAP_L);
    widgets::card(ui, |ui| security::show(cx, ui));
    ui.add_space(tokens::GAP_L);
    widgets::card(ui, |ui| foreign::show(cx, ui, &mut state.foreign));
    ui.add_space(tokens::GAP_L);
    widgets::card(ui, |ui| files::show(cx, ui));
}

fn addresses(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ConnectState) {
    widgets::card_title(ui, cx.text(Text::ConnectAddress), cx.text(Text::ConnectAddressSub));
    let networks = cx.model.values.connections.value().map(|page| page.networks.clone()).unwrap_or_default();
    if networks.is_empty() {
        return super::chargers::addresses(cx, ui);
    }
    state.network = state.network.min(networks.len() - 1);
    if networks.len() > 1 {
        let choices: Vec<(usize, &str)> =
            networks.iter().enumerate().map(|(index, network)| (index, network.name.as_str())).collect();
        if let Some(picked) = widgets::segmented(ui, cx.text(Text::ConnectNetwork), &choices, state.network) {
            state.network = picked;
        }
    }
    let Some(network) = networks.get(state.network) else { return };
    ui.horizontal_top(|ui| {
        let code = network.ocpp.as_ref().or(network.ocpps.as_ref());
        if let Some(code) = code {
            qr::paint(ui, &cx.fill(Text::ConnectQr, &[code]), code, CODE_WIDTH);
        }
        ui.vertical(|ui| of_network(cx, ui, network));
    });
}

fn of_network(cx: &mut Cx<'_>, ui: &mut Ui, network: &NetworkItem) {
    let lines = [
        (Text::ConnectOcpp, &network.ocpp),
        (Text::ConnectOcpps, &network.ocpps),
        (Text::ConnectMqtt, &network.mqtt),
        (Text::ConnectMqtts, &network.mqtts),
    ];
    for (what, address) in lines {
        let Some(address) = address else { continue };
        widgets::weak(ui, cx.text(what));
        ui.horizontal_wrapped(|ui| {
            let p = palette(ui);
            let text = RichText::new(address).font(egui::FontId::monospace(14.0)).color(p.text);
            ui.add(egui::Label::new(text).selectable(true));
            cx.button(ui, Loudness::Quiet, None, address, Command::Copy(address.clone()));
        });
    }
    if network.ocpps.is_none() {
        widgets::weak(ui, cx.text(Text::ConnectNoTls));
    }
}

fn hints(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ConnectState) {
    widgets::card_title(ui, cx.text(Text::ConnectWhere), cx.text(Text::ConnectWhereSub));
    let mut choices: Vec<(Option<usize>, String)> = vec![(None, cx.text(Text::ConnectOtherBrand).to_owned())];
    choices.extend(BRANDS.iter().enumerate().map(|(index, brand)| (Some(index), brand.name.to_owned())));
    if let Some(picked) = widgets::select(ui, cx.text(Text::ConnectBrand), &choices, &state.brand, 260.0) {
        state.brand = picked;
    }
    let Some(brand) = state.brand.and_then(|index| BRANDS.get(index)) else {
        ui.label(cx.text(Text::HintOther));
        return;
    };
    let (sentence, tool) = brand.place.sentence();
    let parts: &[&str] = if tool.is_empty() { &[brand.menu] } else { &[tool, brand.menu] };
    ui.label(cx.fill(sentence, parts));
    widgets::weak(
        ui,
        cx.text(match brand.identity {
            Identity::Added => Text::HintIdentityAdded,
            Identity::OwnField => Text::HintIdentityField,
        }),
    );
}

fn authority(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::card_title(ui, cx.text(Text::ConnectAuthority), cx.text(Text::ConnectAuthoritySub));
    let label = cx.text(Text::DownloadAuthority);
    let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
    if widgets::button(ui, look).clicked() {
        ui.ctx().open_url(egui::OpenUrl::new_tab("/api/v1/certificates/authority"));
    }
}

fn waiting(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    widgets::card_title(ui, cx.text(Text::WaitingDevices), cx.text(Text::WaitingDevicesSub));
    if snapshot.waiting_devices.is_empty() {
        widgets::weak(ui, cx.text(Text::NobodyWaitsHere));
    }
    let height = widgets::rest_of_window(ui, 420.0).clamp(120.0, 260.0);
    widgets::scroll("connect-waiting", height).show(ui, |ui| {
        for device in &snapshot.waiting_devices {
            widgets::hairline(ui);
            ui.horizontal(|ui| {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    if let Some(approve) = approval(device) {
                        cx.button(ui, Loudness::Primary, None, &device.device, approve);
                    }
                    ui.with_layout(Layout::top_down(Align::Min), |ui| {
                        ui.spacing_mut().item_spacing.y = 1.0;
                        widgets::strong_line(ui, &device.device);
                        let kind = cx.text(kind_of(device));
                        widgets::weak_line(ui, &cx.fill(Text::DeviceFrom, &[kind, &device.address]));
                    });
                });
            });
        }
    });
}

/// What the server last said of every device, with the newest refusals.
fn attempts(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ConnectState, snapshot: &Snapshot) {
    widgets::card_title(ui, cx.text(Text::ConnectAttempts), cx.text(Text::ConnectAttemptsSub));
    // Asked for again whenever a device comes, goes, or is refused.
    let online = snapshot.chargers.iter().filter(|charger| charger.online).count()
        + snapshot.meters.iter().filter(|meter| meter.online).count();
    let refused: u32 = snapshot.refused_connections.iter().map(|attempt| attempt.attempts).sum();
    let seen = (online, snapshot.waiting_devices.len(), refused);
    if state.seen != Some(seen) && !cx.model.values.connections.is_pending() {
        cx.want(state.seen.is_some(), Resource::Connections);
        state.seen = Some(seen);
    }
    let mut all = snapshot.refused_connections.clone();
    let page = cx.model.values.connections.value();
    all.extend(page.iter().flat_map(|page| &page.items).filter(|item| item.state != "refused").cloned());
    all.sort_by(|a, b| b.at.cmp(&a.at));
    if all.is_empty() {
        widgets::weak(ui, cx.text(Text::NoAttempts));
    }
    let height = widgets::rest_of_window(ui, 60.0).max(160.0);
    widgets::scroll("connect-attempts", height).show(ui, |ui| {
        for attempt in &all {
            widgets::hairline(ui);
            ui.vertical(|ui| one_attempt(cx, ui, attempt));
        }
    });
}

fn one_attempt(cx: &Cx<'_>, ui: &mut Ui, attempt: &ConnectionItem) {
    ui.spacing_mut().item_spacing.y = 1.0;
    let name = if attempt.device.is_empty() { cx.text(Text::Nameless) } else { &attempt.device };
    let (word, mood) = match attempt.state.as_str() {
        "connected" => (Text::StatusOnline, Mood::Good),
        "waiting" => (Text::WaitingDevices, Mood::Warn),
        "refused" => (Text::AttemptRefused, Mood::Bad),
        _gone => (Text::StatusOffline, Mood::Quiet),
    };
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            widgets::badge(ui, cx.text(word), mood);
            if attempt.attempts > 1 {
                let times = cx.fill(Text::Times, &[&attempt.attempts.to_string()]);
                widgets::badge(ui, &times, Mood::Quiet);
            }
            widgets::weak_line(ui, &cx.local(&attempt.at));
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| widgets::strong_line(ui, name));
        });
    });
    widgets::weak_line(ui, &attempt.address);
    let why = reason(cx, attempt);
    if !why.is_empty() {
        let p = palette(ui);
        let ink = if attempt.refusal.is_some() { p.bad } else { p.text_weak };
        ui.add(egui::Label::new(RichText::new(why).size(tokens::TEXT_SMALL).color(ink)).wrap());
    }
}

/// The reason in the language of the console.
pub(crate) fn reason(cx: &Cx<'_>, attempt: &ConnectionItem) -> String {
    let detail = || match cx.language() {
        api::Language::English => attempt.detail.clone(),
        api::Language::Portuguese => api::in_portuguese(&attempt.detail).unwrap_or_else(|| attempt.detail.clone()),
    };
    attempt.refusal.map_or_else(detail, |code| code.sentence(cx.language(), &attempt.about))
}

/// The dialog that creates an MQTT device.
pub(crate) fn device_dialog(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut ConnectState) {
    widgets::heading(ui, cx.text(Text::AddDeviceTitle), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::AddDeviceSub));
    widgets::form_field(ui, cx.text(Text::Name), cx.text(Text::AddDeviceHint), &mut state.device, Field::Text);
    let name = state.device.trim().to_owned();
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let add = Command::AddDevice(NewDevice { name: name.clone() });
            cx.button_if(ui, !name.is_empty(), Loudness::Primary, "", add);
            super::cancel(cx, ui);
        });
    });
}

/// The dialog that shows a password once.
pub(crate) fn password_dialog(cx: &mut Cx<'_>, ui: &mut Ui) {
    let Some(shown) = &cx.model.values.shown_password else { return cx.send(Command::ShowDialog(None)) };
    let shown = shown.clone();
    widgets::heading(ui, &cx.fill(Text::PasswordOf, &[&shown.user]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::PasswordOnce));
    for (what, value) in [(Text::UserName, &shown.user), (Text::Password, &shown.password)] {
        widgets::weak(ui, cx.text(what));
        ui.horizontal(|ui| {
            let p = palette(ui);
            let text = RichText::new(value).font(egui::FontId::monospace(15.0)).color(p.text);
            ui.add(egui::Label::new(text).selectable(true));
            cx.button(ui, Loudness::Quiet, None, cx.text(what), Command::Copy(value.clone()));
        });
    }
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button(ui, Loudness::Primary, None, "", Command::ShowDialog(None));
        });
    });
}
