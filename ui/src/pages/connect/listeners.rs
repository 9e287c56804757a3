//! Which listeners with TLS are switched on, and the file server.

use super::super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::text::Text;
use crate::widgets::{self, Mood};
use api::ListenerSwitches;
use egui::Ui;

/// Shows the card.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::card_title(ui, cx.text(Text::Listeners), cx.text(Text::ListenersSub));
    let remote = &cx.model.values.listeners;
    let wanted = remote.is_wanted();
    let Some(item) = remote.value().copied() else {
        not_yet(cx, ui, remote, Resource::Listeners);
        return cx.want(wanted, Resource::Listeners);
    };
    let mut switches = item.switches;
    let mut is_changed = false;
    for (text, is_on) in places(&mut switches) {
        is_changed |= widgets::tick(ui, is_on, cx.text(text)).changed();
    }
    if is_changed {
        cx.send(Command::SetListeners(switches));
    }
    if item.restart {
        widgets::notice(ui, Icon::Alert, cx.text(Text::ListenersRestart), Mood::Warn);
        return;
    }
    let (mut wanted, mut running) = (item.switches, item.running);
    let others = places(&mut wanted).into_iter().zip(places(&mut running)).filter(|((_, on), (_, runs))| *on != *runs);
    let names: Vec<&str> = others.map(|((text, _), _)| cx.text(text)).collect();
    if !names.is_empty() {
        widgets::weak(ui, &cx.fill(Text::ListenerOther, &[&names.join(", ")]));
    }
}

const fn places(switches: &mut ListenerSwitches) -> [(Text, &mut bool); 4] {
    [
        (Text::ListenerFiles, &mut switches.files),
        (Text::ListenerOcpps, &mut switches.ocpps),
        (Text::ListenerMqtts, &mut switches.mqtts),
        (Text::ListenerHttps, &mut switches.https),
    ]
}
