//! What the manager decides about one charger.

use super::rules::{check_window, trimmed};
use super::{Cx, windows};
use crate::command::Command;
use crate::format::{self, field_number, read_number};
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{ChargerItem, ChargerPatch, ChargerPolicyItem, ChargingTimesKind, Language};
use domain::EnergySource;
use egui::Ui;

/// The policy as it is typed.
#[derive(Default)]
pub(crate) struct PolicyForm {
    of: Option<(String, ChargerPolicyItem)>,
    typed: ChargerPolicyItem,
    guaranteed: String,
    fixed: String,
    error: Option<String>,
}

impl PolicyForm {
    /// Fills the form for another charger, and again when its policy changed on the server.
    fn follow(&mut self, charger: &ChargerItem, language: Language) {
        let now = (charger.id.clone(), charger.policy.clone());
        if self.of.as_ref() == Some(&now) {
            return;
        }
        let number = |value: Option<f64>| value.map(|value| field_number(value, language)).unwrap_or_default();
        *self = Self {
            typed: charger.policy.clone(),
            guaranteed: number(charger.policy.guaranteed_a),
            fixed: number(charger.policy.fixed_a),
            of: Some(now),
            error: None,
        };
    }

    fn read(&self, charger: &ChargerItem, language: Language) -> Result<ChargerPolicyItem, String> {
        let amps = |typed: &str, name: Text| match typed.trim() {
            "" => Ok(None),
            typed => {
                read_number(typed).filter(|value| (6.0..=charger.max_a).contains(value)).map(Some).ok_or_else(|| {
                    let most = format::number(charger.max_a, 0, language);
                    Text::ErrorRange.fill(language, &[name.get(language), "6", &most])
                })
            }
        };
        let windows = match self.typed.charging_times {
            ChargingTimesKind::Always | ChargingTimesKind::OffPeak | ChargingTimesKind::Cheapest => Vec::new(),
            ChargingTimesKind::Windows if self.typed.windows.is_empty() => {
                return Err(Text::ErrorNoTimes.get(language).to_owned());
            }
            ChargingTimesKind::Windows => {
                self.typed.windows.iter().try_for_each(|window| check_window(window, language))?;
                self.typed.windows.iter().map(trimmed).collect()
            }
        };
        Ok(ChargerPolicyItem {
            guaranteed_a: amps(&self.guaranteed, Text::GuaranteedAmps)?,
            fixed_a: amps(&self.fixed, Text::FixedAmps)?,
            windows,
            ..self.typed.clone()
        })
    }
}

/// Shows the form.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut PolicyForm, charger: &ChargerItem) {
    form.follow(charger, cx.language());
    widgets::card_title(ui, cx.text(Text::Policy), cx.text(Text::PolicySub));
    choices(cx, ui, &mut form.typed);
    if form.typed.charging_times == ChargingTimesKind::Windows {
        windows::list(cx, ui, Text::ChargingTimes, &mut form.typed.windows);
    }
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            let hint = cx.text(Text::GuaranteedHint);
            widgets::form_field(left, cx.text(Text::GuaranteedAmps), hint, &mut form.guaranteed, Field::Text);
            let hint = cx.text(Text::FixedHint);
            widgets::form_field(right, cx.text(Text::FixedAmps), hint, &mut form.fixed, Field::Text);
        }
    });
    if let Some(error) = &form.error {
        widgets::notice(ui, Icon::Alert, error, Mood::Bad);
    }
    let busy = cx.model.is_busy(|command| matches!(command, Command::EditCharger(..)));
    let label = cx.text(Text::SavePolicy);
    let look = Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: !busy };
    if widgets::button(ui, look).clicked() {
        match form.read(charger, cx.language()) {
            Ok(policy) => {
                form.error = None;
                let patch = ChargerPatch { policy: Some(policy), ..ChargerPatch::default() };
                cx.send(Command::EditCharger(charger.id.clone(), patch));
            }
            Err(error) => form.error = Some(error),
        }
    }
}

fn choices(cx: &Cx<'_>, ui: &mut Ui, policy: &mut ChargerPolicyItem) {
    widgets::field_label(ui, cx.text(Text::Pausing));
    let pausing = [(false, cx.text(Text::MayPause)), (true, cx.text(Text::NeverPause))];
    if let Some(never) = widgets::segmented(ui, cx.text(Text::Pausing), &pausing, policy.never_pause) {
        policy.never_pause = never;
    }
    widgets::field_label(ui, cx.text(Text::SourceOfEnergy));
    let sources = [
        (EnergySource::Grid, cx.text(Text::SourceGrid)),
        (EnergySource::SolarFirst, cx.text(Text::SourceSolarFirst)),
        (EnergySource::SolarOnly, cx.text(Text::SourceSolarOnly)),
    ];
    if let Some(source) = widgets::segmented(ui, cx.text(Text::SourceOfEnergy), &sources, policy.energy_source) {
        policy.energy_source = source;
    }
    widgets::field_label(ui, cx.text(Text::ChargingTimes));
    let times = [
        (ChargingTimesKind::Always, cx.text(Text::TimesAlways)),
        (ChargingTimesKind::OffPeak, cx.text(Text::OffPeak)),
        (ChargingTimesKind::Cheapest, cx.text(Text::TimesCheapest)),
        (ChargingTimesKind::Windows, cx.text(Text::TimesOwn)),
    ];
    if let Some(kind) = widgets::segmented(ui, cx.text(Text::ChargingTimes), &times, policy.charging_times) {
        policy.charging_times = kind;
    }
    if policy.charging_times == ChargingTimesKind::Cheapest {
        widgets::weak(ui, cx.text(Text::TimesCheapestHint));
    }
    widgets::field_label(ui, cx.text(Text::WirePhases));
    let known = [(true, cx.text(Text::PhasesKnown)), (false, cx.text(Text::PhasesUnknown))];
    if let Some(known) = widgets::segmented(ui, cx.text(Text::WirePhases), &known, policy.rotation_known) {
        policy.rotation_known = known;
    }
    ui.add_space(tokens::GAP_S);
}
