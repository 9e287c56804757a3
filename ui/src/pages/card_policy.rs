//! What the manager decides about one card: the most it may draw, its priority, whether its car may be paused.

use super::Cx;
use crate::command::Command;
use crate::format::{self, field_number, read_number};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{CardPolicyItem, Language};
use egui::{Align, Layout, Ui};

/// Currents a car can charge with, as the server checks.
const AMPS: std::ops::RangeInclusive<f64> = 6.0..=80.0;
/// Priorities beyond these order nobody differently.
const PRIORITIES: std::ops::RangeInclusive<i32> = -1000..=1000;

/// What is typed in the dialog.
#[derive(Default)]
pub(crate) struct CardPolicyForm {
    of: Option<(i64, CardPolicyItem)>,
    typed: CardPolicyItem,
    max: String,
    priority: String,
    error: Option<String>,
}

impl CardPolicyForm {
    /// Fills the form for another card, and again when its rules changed on the server.
    fn follow(&mut self, id: i64, policy: CardPolicyItem, language: Language) {
        if self.of == Some((id, policy)) {
            return;
        }
        *self = Self {
            of: Some((id, policy)),
            typed: policy,
            max: policy.max_a.map(|amps| field_number(amps, language)).unwrap_or_default(),
            priority: policy.priority.map(|priority| priority.to_string()).unwrap_or_default(),
            error: None,
        };
    }

    /// The rules as typed, or what is wrong with them.
    fn read(&self, language: Language) -> Result<CardPolicyItem, String> {
        let max_a = match self.max.trim() {
            "" => None,
            typed => Some(
                read_number(typed)
                    .filter(|amps| AMPS.contains(amps))
                    .ok_or_else(|| Text::ErrorRange.fill(language, &[Text::CardMax.get(language), "6", "80"]))?,
            ),
        };
        let priority = match self.priority.trim() {
            "" => None,
            typed => Some(
                typed
                    .parse()
                    .ok()
                    .filter(|number| PRIORITIES.contains(number))
                    .ok_or_else(|| Text::ErrorWholeNumber.fill(language, &[Text::CardPriority.get(language)]))?,
            ),
        };
        Ok(CardPolicyItem { max_a, priority, ..self.typed })
    }
}

/// The dialog.
pub(crate) fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut CardPolicyForm, id: i64) {
    let language = cx.language();
    let tenants = cx.model.values.tenants.value();
    let card = tenants.into_iter().flatten().flat_map(|tenant| &tenant.cards).find(|card| card.id == id);
    let Some(card) = card else { return super::cancel(cx, ui) };
    form.follow(id, card.policy, language);
    widgets::heading(ui, &cx.fill(Text::CardPolicyTitle, &[&card.uid]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::CardPolicySub));
    let volts = cx.model.values.site.value().map_or(230.0, |site| site.nominal_voltage_v);
    let example = [format::amps(16.0, language), format::kilowatts(16.0 * volts / 1000.0, language)];
    let hint = cx.fill(Text::CardMaxHint, &[&example[0], &example[1]]);
    widgets::form_field(ui, cx.text(Text::CardMax), &hint, &mut form.max, Field::Text);
    let hint = cx.text(Text::CardPriorityHint);
    widgets::form_field(ui, cx.text(Text::CardPriority), hint, &mut form.priority, Field::Text);
    widgets::field_label(ui, cx.text(Text::Pausing));
    let pausing = [(false, cx.text(Text::MayPause)), (true, cx.text(Text::NeverPause))];
    if let Some(never) = widgets::segmented(ui, cx.text(Text::Pausing), &pausing, form.typed.never_pause) {
        form.typed.never_pause = never;
    }
    if form.typed.sleeps {
        widgets::notice(ui, Icon::Alert, cx.text(Text::CardSleeps), Mood::Info);
        let label = cx.text(Text::CardSleepsForget);
        let look = Look { loudness: Loudness::Quiet, icon: None, label, name: label, enabled: true };
        if widgets::button(ui, look).clicked() {
            form.typed.sleeps = false;
        }
    }
    let read = form.read(language);
    form.error = read.as_ref().err().cloned();
    if let Some(error) = &form.error {
        widgets::notice(ui, Icon::Alert, error, Mood::Bad);
    }
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let ready = read.is_ok();
            cx.button_if(ui, ready, Loudness::Primary, "", Command::SetCardPolicy(id, read.unwrap_or_default()));
            super::cancel(cx, ui);
        });
    });
}

/// The rules of a card in a few words; nothing when there are none.
pub(crate) fn summary(policy: &CardPolicyItem, language: Language) -> String {
    let max = policy.max_a.map(|amps| Text::CardRuleMax.fill(language, &[&format::amps(amps, language)]));
    let priority = policy.priority.map(|number| Text::CardRulePriority.fill(language, &[&number.to_string()]));
    let never = policy.never_pause.then(|| Text::NeverPause.get(language).to_lowercase());
    let sleeps = policy.sleeps.then(|| Text::CardRuleSleeps.get(language).to_owned());
    [max, priority, never, sleeps].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is typed becomes the rules in either language's numbers, and nonsense is named instead of saved.
    #[test]
    fn rules_are_read_or_refused() {
        let form = |max: &str, priority: &str| CardPolicyForm {
            max: max.to_owned(),
            priority: priority.to_owned(),
            ..CardPolicyForm::default()
        };
        let read = form(" 7,4 ", " -3 ").read(Language::Portuguese).unwrap();
        assert_eq!((read.max_a, read.priority), (Some(7.4), Some(-3)));
        assert_eq!(form("", "").read(Language::English), Ok(CardPolicyItem::default()));
        for (max, priority) in [("5", ""), ("81", ""), ("x", ""), ("", "1.5"), ("", "99999")] {
            assert!(form(max, priority).read(Language::English).is_err(), "{max:?} {priority:?}");
        }
    }

    /// The list says what is decided about a card, and nothing where nothing is.
    #[test]
    fn summary_says_what_was_decided() {
        let policy = CardPolicyItem { max_a: Some(16.0), priority: Some(2), never_pause: true, sleeps: false };
        assert_eq!(summary(&policy, Language::English), "at most 16 A · priority 2 · never pause");
        assert_eq!(summary(&CardPolicyItem::default(), Language::English), "");
    }
}
