//! The pages. Each reads the model and sends commands; what it keeps itself is only what is being typed.

pub(crate) mod card_policy;
pub(crate) mod cards;
pub(crate) mod charger;
mod charger_forms;
mod charger_operations;
mod charger_setup;
mod charger_status;
pub(crate) mod chargers;
pub(crate) mod circuits;
pub(crate) mod cloud;
pub(crate) mod connect;
pub(crate) mod correct;
pub(crate) mod decisions;
pub(crate) mod demo;
pub(crate) mod enrol;
pub(crate) mod import;
pub(crate) mod insight;
mod measured;
pub(crate) mod orphans;
pub(crate) mod overview;
pub(crate) mod policy;
pub(crate) mod rules;
pub(crate) mod sessions;
pub(crate) mod settings;
pub(crate) mod sign_in;
pub(crate) mod statements;
pub(crate) mod status;
pub(crate) mod tariffs;
pub(crate) mod tenant;
pub(crate) mod windows;
pub(crate) mod wish;

use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::model::Model;
use crate::text::Text;
use crate::time::ZoneOffset;
use crate::tokens;
use crate::widgets::{self, Look, Loudness};
use api::Language;
use egui::{Response, Ui};

/// What every page gets for one frame.
pub(crate) struct Cx<'a> {
    /// What the console knows.
    pub(crate) model: &'a Model,
    /// Minutes the building's clocks are ahead.
    pub(crate) zone: &'a ZoneOffset,
    /// Address of the server as this page knows it, such as `192.168.1.20:8480`.
    pub(crate) host: &'a str,
    /// Commands of this frame.
    pub(crate) out: Vec<Command>,
}

impl Cx<'_> {
    /// The language.
    pub(crate) const fn language(&self) -> Language {
        self.model.language
    }

    /// A text in that language.
    pub(crate) const fn text(&self, text: Text) -> &'static str {
        text.get(self.model.language)
    }

    /// A text with its blanks filled.
    pub(crate) fn fill(&self, text: Text, parts: &[&str]) -> String {
        text.fill(self.model.language, parts)
    }

    /// Sends a command.
    pub(crate) fn send(&mut self, command: Command) {
        self.out.push(command);
    }

    /// Asks for a value if nobody did.
    pub(crate) fn want(&mut self, wanted: bool, resource: Resource) {
        if wanted {
            self.out.push(Command::Fetch(resource));
        }
    }

    /// Minutes the building's clocks are ahead of UTC at this moment.
    pub(crate) fn offset(&self, at_ms: i64) -> i32 {
        (self.zone)(at_ms, self.model.values.site.value().map_or("", |site| site.time_zone.as_str()))
    }

    /// The site's clock, or the start of time before the first snapshot.
    pub(crate) fn now_ms(&self) -> i64 {
        self.model.snapshot.as_ref().map_or(0, |snapshot| snapshot.at_ms)
    }

    /// An RFC 3339 time as short local text; the text itself when it cannot be read.
    pub(crate) fn local(&self, at: &str) -> String {
        crate::time::parse(at).map_or_else(
            || at.to_owned(),
            |ms| crate::format::day_clock(ms, self.now_ms(), self.offset(ms), self.language()),
        )
    }

    /// The same with seconds, for logs.
    pub(crate) fn local_seconds(&self, at: &str) -> String {
        crate::time::parse(at).map_or_else(
            || at.to_owned(),
            |ms| {
                let text = crate::format::day_clock(ms, self.now_ms(), self.offset(ms), self.language());
                let clock = crate::format::clock_seconds(ms, self.offset(ms));
                text.rsplit_once(' ').map_or_else(|| clock.clone(), |(day, _)| format!("{day} {clock}"))
            },
        )
    }

    /// A button that sends a command; called by its words and `subject`, so that it is unique on the page.
    pub(crate) fn button(
        &mut self,
        ui: &mut Ui,
        loudness: Loudness,
        icon: Option<Icon>,
        subject: &str,
        command: Command,
    ) -> Response {
        let label = self.text(command.label());
        self.press(ui, Look { loudness, icon, label, name: &named(label, subject), enabled: true }, command)
    }

    /// The same, which can be out of action.
    pub(crate) fn button_if(
        &mut self,
        ui: &mut Ui,
        enabled: bool,
        loudness: Loudness,
        subject: &str,
        command: Command,
    ) -> Response {
        let label = self.text(command.label());
        self.press(ui, Look { loudness, icon: None, label, name: &named(label, subject), enabled }, command)
    }

    /// An icon that sends a command; its words are its name and tooltip.
    pub(crate) fn icon(&mut self, ui: &mut Ui, icon: Icon, enabled: bool, subject: &str, command: Command) -> Response {
        let words = self.text(command.label());
        let look =
            Look { loudness: Loudness::Quiet, icon: Some(icon), label: "", name: &named(words, subject), enabled };
        self.press(ui, look, command)
    }

    fn press(&mut self, ui: &mut Ui, look: Look<'_>, command: Command) -> Response {
        let response = widgets::button(ui, look);
        if response.clicked() {
            self.out.push(command.clone());
        }
        let tip = command.tooltip().map(|tip| self.text(tip));
        match (tip, look.label.is_empty()) {
            (Some(tip), true) => response.on_hover_text(format!("{}\n{tip}", look.name)),
            (Some(tip), false) => response.on_hover_text(tip),
            (None, true) => response.on_hover_text(look.name),
            (None, false) => response,
        }
    }
}

/// `Pause` and `Garage 3` make `Pause Garage 3`.
pub(crate) fn named(label: &str, subject: &str) -> String {
    let label = label.trim_end_matches('…');
    if subject.is_empty() { label.to_owned() } else { format!("{label} {subject}") }
}

/// Title of a page at the left, its main commands at the right.
pub(crate) fn title(cx: &mut Cx<'_>, ui: &mut Ui, page: crate::view::Page, actions: impl FnOnce(&mut Cx<'_>, &mut Ui)) {
    ui.horizontal(|ui| {
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 2.0;
            widgets::heading(ui, cx.text(page.title()), tokens::TEXT_PAGE);
            widgets::weak(ui, cx.text(page.subtitle()));
        });
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| actions(cx, ui));
    });
    ui.add_space(tokens::GAP_S);
}

/// What a list shows before its first value: that it is loading, or why it failed.
pub(crate) fn not_yet<T>(cx: &mut Cx<'_>, ui: &mut Ui, remote: &crate::remote::Remote<T>, resource: Resource) {
    match remote.failure() {
        Some(detail) => {
            widgets::notice(ui, Icon::Alert, detail, widgets::Mood::Bad);
            let label = cx.text(Text::TryAgain);
            let look = Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                cx.send(Command::Fetch(resource));
            }
        }
        None => {
            widgets::weak(ui, cx.text(Text::Loading));
        }
    }
}

/// The button that closes a dialog without doing anything.
pub(crate) fn cancel(cx: &mut Cx<'_>, ui: &mut Ui) {
    let label = cx.text(Text::Cancel);
    let look = Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled: true };
    if widgets::button(ui, look).clicked() {
        cx.send(Command::ShowDialog(None));
    }
}
