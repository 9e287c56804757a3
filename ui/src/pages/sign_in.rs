//! Signing in, and the first-run questions.

use super::Cx;
use crate::command::{Command, Resource};
use crate::format::read_number;
use crate::icons::Icon;
use crate::model::Stage;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{Language, Setup};
use domain::PhaseCount;
use egui::{Key, Ui};

/// Width of the sheet in the middle.
const SHEET: f32 = 400.0;
/// Shortest password, as the server checks it too.
const PASSWORD_CHARS_MIN: usize = 8;

/// What is being typed.
#[derive(Clone, Debug)]
pub(crate) struct SignInForm {
    password: String,
    name: String,
    contracted_kva: String,
    phases: PhaseCount,
    error: Option<Text>,
}

impl Default for SignInForm {
    fn default() -> Self {
        Self {
            password: String::new(),
            name: String::new(),
            // The smallest contract of a condominium with three phases; people put theirs.
            contracted_kva: String::new(),
            phases: PhaseCount::Three,
            error: None,
        }
    }
}

impl SignInForm {
    /// The answers, or what is wrong with the first wrong one.
    pub(crate) fn setup(&self, language: Language) -> Result<Setup, Text> {
        let name = self.name.trim();
        if name.is_empty() {
            return Err(Text::ErrorName);
        }
        let kva = read_number(&self.contracted_kva).filter(|kva| (1.0..=10_000.0).contains(kva));
        let contracted_kva = kva.ok_or(Text::ErrorKva)?;
        if self.password.chars().count() < PASSWORD_CHARS_MIN {
            return Err(Text::ErrorPassword);
        }
        let password = self.password.clone();
        Ok(Setup { name: name.to_owned(), contracted_kva, phases: self.phases.into(), password, language })
    }
}

/// The page of everyone who is not signed in.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut SignInForm) {
    let height = match cx.model.stage {
        Stage::SetUp => 590.0,
        Stage::Starting | Stage::Unreachable | Stage::SignIn | Stage::Inside => 380.0,
    };
    ui.vertical_centered(|ui| {
        ui.add_space(((ui.available_height() - height) / 2.2).max(16.0));
        ui.allocate_ui(egui::vec2(SHEET, 0.0), |ui| {
            brand(ui);
            ui.add_space(tokens::GAP_L);
            widgets::card_with(ui, egui::Margin::same(26), |ui| {
                ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 12.0;
                    match cx.model.stage {
                        Stage::Starting | Stage::Inside => {
                            widgets::weak(ui, cx.text(Text::Connecting));
                        }
                        Stage::Unreachable => unreachable_server(cx, ui),
                        Stage::SignIn => sign_in(cx, ui, form),
                        Stage::SetUp => set_up(cx, ui, form),
                    }
                });
            });
            ui.add_space(tokens::GAP_M);
            language(cx, ui);
        });
    });
}

/// The product's mark and name.
pub(crate) fn brand(ui: &mut Ui) {
    let p = palette(ui);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 10.0;
        mark(ui, 34.0);
        ui.label(egui::RichText::new("Meshwatt").font(tokens::strong(22.0)).color(p.text));
    });
}

/// The product's mark.
pub(crate) fn mark(ui: &mut Ui, side: f32) {
    let p = palette(ui);
    let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(side), egui::Sense::hover());
    ui.painter().rect_filled(rect, side * 0.28, p.accent);
    Icon::Bolt.paint(ui.painter(), rect.shrink(side * 0.2), p.on_accent);
}

fn language(cx: &mut Cx<'_>, ui: &mut Ui) {
    let choices = [(Language::English, "English"), (Language::Portuguese, "Português")];
    let group = cx.text(Text::LanguageName);
    if let Some(language) = widgets::segmented(ui, group, &choices, cx.language()) {
        cx.send(Command::SetLanguage(language));
    }
}

fn unreachable_server(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::notice(ui, Icon::Alert, cx.text(Text::Unreachable), Mood::Warn);
    let label = cx.text(Text::TryAgain);
    if widgets::button(ui, Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: true })
        .clicked()
    {
        cx.send(Command::Fetch(Resource::Session));
    }
}

fn refusal(cx: &Cx<'_>, ui: &mut Ui, form: &SignInForm) {
    let ours = form.error.map(|text| cx.text(text).to_owned());
    if let Some(detail) = ours.or_else(|| cx.model.refusal.clone()) {
        widgets::notice(ui, Icon::Alert, &detail, Mood::Bad);
    }
}

fn sign_in(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut SignInForm) {
    widgets::card_title(ui, cx.text(Text::SignInTitle), cx.text(Text::SignInSub));
    ui.add_space(2.0);
    let busy = cx.model.is_busy(|command| matches!(command, Command::SignIn(_)));
    let field = widgets::form_field(ui, cx.text(Text::Password), "", &mut form.password, Field::Password);
    let entered = field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
    if !field.has_focus() && form.password.is_empty() && ui.memory(|memory| memory.focused().is_none()) {
        field.request_focus();
    }
    refusal(cx, ui, form);
    let label = cx.text(if busy { Text::SigningIn } else { Text::SignIn });
    let name = cx.text(Text::SignIn);
    let pressed = wide_button(ui, label, name, !busy);
    if (pressed || entered) && !busy {
        cx.send(Command::SignIn(form.password.clone()));
    }
}

fn set_up(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut SignInForm) {
    widgets::card_title(ui, cx.text(Text::SetupTitle), cx.text(Text::SetupSub));
    ui.add_space(2.0);
    widgets::form_field(ui, cx.text(Text::BuildingName), cx.text(Text::BuildingNameHint), &mut form.name, Field::Text);
    let (label, hint) = (cx.text(Text::ContractedPower), cx.text(Text::ContractedHint));
    widgets::form_field(ui, label, hint, &mut form.contracted_kva, Field::Text);
    widgets::field_label(ui, cx.text(Text::Phases));
    let choices = [(PhaseCount::One, cx.text(Text::SinglePhase)), (PhaseCount::Three, cx.text(Text::ThreePhase))];
    if let Some(phases) = widgets::segmented(ui, cx.text(Text::Phases), &choices, form.phases) {
        form.phases = phases;
    }
    let (label, hint) = (cx.text(Text::NewPassword), cx.text(Text::NewPasswordHint));
    widgets::form_field(ui, label, hint, &mut form.password, Field::Password);
    refusal(cx, ui, form);
    let busy = cx.model.is_busy(|command| matches!(command, Command::SetUp(_)));
    let label = cx.text(Text::FinishSetup);
    if wide_button(ui, label, label, !busy) {
        match form.setup(cx.language()) {
            Ok(setup) => {
                form.error = None;
                cx.send(Command::SetUp(setup));
            }
            Err(error) => form.error = Some(error),
        }
    }
}

fn wide_button(ui: &mut Ui, label: &str, name: &str, enabled: bool) -> bool {
    ui.horizontal(|ui| {
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            widgets::button(ui, Look { loudness: Loudness::Primary, icon: None, label, name, enabled }).clicked()
        })
        .inner
    })
    .inner
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each answer is checked in the order of the form, and Portuguese decimals are understood.
    #[test]
    fn setup_checks_each_answer() {
        let mut form = SignInForm::default();
        assert_eq!(form.setup(Language::English), Err(Text::ErrorName));
        form.name = " Rua da Alegria 12 ".to_owned();
        assert_eq!(form.setup(Language::English), Err(Text::ErrorKva));
        form.contracted_kva = "41,4".to_owned();
        assert_eq!(form.setup(Language::English), Err(Text::ErrorPassword));
        form.password = "password".to_owned();
        let setup = form.setup(Language::English).unwrap();
        assert_eq!((setup.name.as_str(), setup.contracted_kva), ("Rua da Alegria 12", 41.4));
    }
}
