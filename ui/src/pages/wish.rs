//! "I need 20 kWh by 07:30": what a session needs, and the cars that wait with their place in line.

use super::{Cx, windows};
use crate::command::Command;
use crate::format::{self, field_number, read_number};
use crate::text::Text;
use crate::tokens;
use crate::view::Dialog;
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{ChargerItem, ConnectorItem, Reason, Snapshot, WishItem};
use egui::{Align, Layout, Ui};

/// Most energy one can wish for, as the server checks.
const KWH_MAX: f64 = 1000.0;

/// What is typed in the dialog.
#[derive(Default)]
pub(crate) struct WishForm {
    of: Option<i32>,
    energy: String,
    by: String,
}

fn find(snapshot: &Snapshot, session: i32) -> Option<(&ChargerItem, &ConnectorItem)> {
    let connectors = |charger| -> Option<(&ChargerItem, &ConnectorItem)> {
        let charger: &ChargerItem = charger;
        charger.connectors.iter().find(|known| known.session_id == Some(session)).map(|known| (charger, known))
    };
    snapshot.chargers.iter().find_map(connectors)
}

/// The dialog.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut WishForm, snapshot: &Snapshot, session: i32) {
    let Some((charger, connector)) = find(snapshot, session) else {
        widgets::weak(ui, cx.text(Text::WishOver));
        return super::cancel(cx, ui);
    };
    if form.of != Some(session) {
        let energy = connector.wish.as_ref().map(|wish| field_number(wish.energy_kwh, cx.language()));
        let by = connector.wish.as_ref().and_then(|wish| crate::time::parse(&wish.by));
        *form = WishForm {
            of: Some(session),
            energy: energy.unwrap_or_default(),
            by: by.map_or_else(|| "07:30".to_owned(), |ms| format::clock(ms, cx.offset(ms))),
        };
    }
    widgets::heading(ui, &cx.fill(Text::WishTitle, &[&charger.name]), tokens::TEXT_TITLE);
    let had = format::energy(connector.session_energy_wh, cx.language());
    widgets::weak(ui, &cx.fill(Text::WishSub, &[&had]));
    widgets::form_field(ui, cx.text(Text::WishEnergy), "", &mut form.energy, Field::Text);
    widgets::form_field(ui, cx.text(Text::WishBy), cx.text(Text::WishByHint), &mut form.by, Field::Text);
    let energy = read_number(&form.energy).filter(|kwh| *kwh > 0.0 && *kwh <= KWH_MAX);
    let ready = energy.filter(|_| windows::is_time(&form.by));
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let wish = WishItem { energy_kwh: ready.unwrap_or_default(), by: form.by.trim().to_owned() };
            cx.button_if(ui, ready.is_some(), Loudness::Primary, "", Command::Wish(session, wish));
            if connector.wish.is_some() {
                cx.button(ui, Loudness::Normal, None, "", Command::WithdrawWish(session));
            }
            super::cancel(cx, ui);
        });
    });
}

/// The wish of a connector's session, and the button that opens the dialog; nothing without a session.
pub(crate) fn line(cx: &mut Cx<'_>, ui: &mut Ui, charger: &ChargerItem, connector: &ConnectorItem) {
    let Some(session) = connector.session_id else { return };
    ui.horizontal(|ui| {
        let subject = charger.name.as_str();
        cx.button(ui, Loudness::Normal, None, subject, Command::ShowDialog(Some(Dialog::Wish(session))));
        if let Some(wish) = &connector.wish {
            let energy = format!("{} kWh", format::number(wish.energy_kwh, 1, cx.language()));
            widgets::weak(ui, &cx.fill(Text::WishStands, &[&energy, &cx.local(&wish.by)]));
        }
    });
}

/// Cars that wait, in the order in which they are served. Pure.
fn waiting(snapshot: &Snapshot) -> Vec<(Option<u16>, &ChargerItem, &ConnectorItem)> {
    let mut list = Vec::new();
    for charger in &snapshot.chargers {
        for connector in charger.connectors.iter().filter(|connector| connector.session_id.is_some()) {
            let place = match &connector.why {
                Reason::Waiting { place, .. } | Reason::WaitingForTurn { place, .. } => Some(*place),
                Reason::WaitingHold { .. } | Reason::WaitingForNews { .. } => None,
                _charging_or_held_for_another_reason => continue,
            };
            list.push((place, charger, connector));
        }
    }
    list.sort_by_key(|(place, ..)| place.unwrap_or(u16::MAX));
    list
}

/// A card with the cars that wait and why; nothing while none does.
pub(crate) fn waiting_card(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: &Snapshot) {
    let list = waiting(snapshot);
    if list.is_empty() {
        return;
    }
    widgets::card(ui, |ui| {
        widgets::card_title(ui, cx.text(Text::CarsWaiting), cx.text(Text::WaitingOrderSub));
        for (place, charger, connector) in list {
            ui.horizontal(|ui| {
                let word = place.map_or_else(|| format::UNKNOWN.to_owned(), |place| place.to_string());
                widgets::badge(ui, &word, Mood::Warn);
                let look_at = Command::ShowCharger(Some(charger.id.clone()));
                let name = super::named(cx.text(Text::CarsWaiting), &charger.name);
                let label = connector.tenant.as_deref().unwrap_or(&charger.name);
                let look = Look { loudness: Loudness::Quiet, icon: None, label, name: &name, enabled: true };
                if widgets::button(ui, look).clicked() {
                    cx.send(look_at);
                }
                widgets::line(ui, &connector.why.sentence(cx.language()));
            });
        }
    });
    ui.add_space(tokens::GAP_M);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// Those who wait stand in their order, whatever the order of the chargers; those who charge are not listed.
    #[test]
    fn waiting_cars_stand_in_their_order() {
        let mut snapshot = fixtures::snapshot();
        let wait = |place| Reason::Waiting { min_a: 6.0, place, bottleneck: None };
        for (index, charger) in snapshot.chargers.iter_mut().enumerate() {
            for connector in &mut charger.connectors {
                connector.session_id = Some(7);
                connector.why = match index {
                    0 => wait(2),
                    1 => Reason::WaitingHold { remaining_s: 20 },
                    2 => wait(1),
                    _ => Reason::Confirming { set_a: 8.0 },
                };
            }
        }
        let list = waiting(&snapshot);
        let places: Vec<(Option<u16>, &str)> =
            list.iter().map(|(place, charger, _)| (*place, charger.id.as_str())).collect();
        assert_eq!(places, [(Some(1), "CP-03"), (Some(2), "CP-01"), (None, "CP-02")]);
    }
}
