//! The rules of the building beyond its ratings: contract by time, sharing, imbalance, off-peak, price feed.

use super::{Cx, windows};
use crate::format::{self, field_number, read_number};
use crate::text::Text;
use crate::widgets::{self, Field};
use api::{ContractPeriodItem, Language, SiteRulesItem, TimeWindowItem};
use domain::SharingRule;
use egui::Ui;

/// A contract period as it is typed.
#[derive(Clone, Debug, Default)]
struct PeriodForm {
    window: TimeWindowItem,
    kva: String,
}

/// The rules as they are typed.
#[derive(Default)]
pub(crate) struct RulesForm {
    sharing: SharingRule,
    periods: Vec<PeriodForm>,
    off_peak: Vec<TimeWindowItem>,
    imbalance: String,
    stand_alone: String,
    feed: String,
}

impl RulesForm {
    /// The rules as the server has them.
    pub(crate) fn of(rules: &SiteRulesItem, language: Language) -> Self {
        let number = |value: Option<f64>| value.map(|value| field_number(value, language)).unwrap_or_default();
        let period = |period: &ContractPeriodItem| PeriodForm {
            window: TimeWindowItem { days: period.days.clone(), from: period.from.clone(), to: period.to.clone() },
            kva: field_number(period.kva, language),
        };
        Self {
            sharing: rules.sharing,
            periods: rules.contract_periods.iter().map(period).collect(),
            off_peak: rules.off_peak.clone(),
            imbalance: number(rules.imbalance_a),
            stand_alone: number(rules.stand_alone_buffer_a),
            feed: rules.price_feed.clone().unwrap_or_default(),
        }
    }

    /// The rules as typed, or what is wrong with the first wrong one.
    pub(crate) fn read(&self, language: Language) -> Result<SiteRulesItem, String> {
        let ranged = |typed: &str, name: Text, low: f64, high: f64| {
            read_number(typed).filter(|value| (low..=high).contains(value)).ok_or_else(|| {
                let bound = |value: f64| format::number(value, 0, language);
                Text::ErrorRange.fill(language, &[name.get(language), &bound(low), &bound(high)])
            })
        };
        let optional = |typed: &str, name: Text, low: f64, high: f64| {
            (!typed.trim().is_empty()).then(|| ranged(typed, name, low, high)).transpose()
        };
        for window in self.periods.iter().map(|period| &period.window).chain(&self.off_peak) {
            check_window(window, language)?;
        }
        let period = |period: &PeriodForm| {
            Ok::<_, String>(ContractPeriodItem {
                days: period.window.days.clone(),
                from: period.window.from.trim().to_owned(),
                to: period.window.to.trim().to_owned(),
                kva: ranged(&period.kva, Text::ContractedPower, 1.0, 10_000.0)?,
            })
        };
        let feed = self.feed.trim();
        Ok(SiteRulesItem {
            contract_periods: self.periods.iter().map(period).collect::<Result<_, _>>()?,
            imbalance_a: optional(&self.imbalance, Text::Imbalance, 6.0, 10_000.0)?,
            sharing: self.sharing,
            off_peak: self.off_peak.iter().map(trimmed).collect(),
            stand_alone_buffer_a: optional(&self.stand_alone, Text::StandAlone, 0.0, 10_000.0)?,
            price_feed: (!feed.is_empty()).then(|| feed.to_owned()),
        })
    }
}

/// A window without the spaces around its clocks.
pub(crate) fn trimmed(window: &TimeWindowItem) -> TimeWindowItem {
    let (from, to) = (window.from.trim().to_owned(), window.to.trim().to_owned());
    TimeWindowItem { days: window.days.clone(), from, to }
}

/// Names the clock that no clock shows.
pub(crate) fn check_window(window: &TimeWindowItem, language: Language) -> Result<(), String> {
    match [&window.from, &window.to].into_iter().find(|clock| !windows::is_time(clock)) {
        Some(wrong) => Err(Text::ErrorTime.fill(language, &[wrong])),
        None => Ok(()),
    }
}

/// Shows the form; the page has the button.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut RulesForm) {
    widgets::card_title(ui, cx.text(Text::Sharing), cx.text(Text::SharingSub));
    let rules = [SharingRule::Equal, SharingRule::ByPriority, SharingRule::ByFairness, SharingRule::ByDeparture];
    let choices = rules.map(|rule| (rule, cx.text(rule_name(rule)).to_owned()));
    let width = ui.available_width().min(360.0);
    if let Some(rule) = widgets::select(ui, cx.text(Text::Sharing), &choices, &form.sharing, width) {
        form.sharing = rule;
    }
    ui.columns(2, |columns| {
        if let [left, right] = columns {
            let hint = cx.text(Text::ImbalanceHint);
            widgets::form_field(left, cx.text(Text::Imbalance), hint, &mut form.imbalance, Field::Text);
            let hint = cx.text(Text::StandAloneHint);
            widgets::form_field(right, cx.text(Text::StandAlone), hint, &mut form.stand_alone, Field::Text);
        }
    });
    widgets::field_label(ui, cx.text(Text::ContractPeriods));
    widgets::weak(ui, cx.text(Text::ContractPeriodsHint));
    periods(cx, ui, &mut form.periods);
    widgets::field_label(ui, cx.text(Text::OffPeak));
    widgets::weak(ui, cx.text(Text::OffPeakHint));
    windows::list(cx, ui, Text::OffPeak, &mut form.off_peak);
    widgets::form_field(ui, cx.text(Text::PriceFeed), cx.text(Text::PriceFeedHint), &mut form.feed, Field::Text);
}

fn periods(cx: &mut Cx<'_>, ui: &mut Ui, periods: &mut Vec<PeriodForm>) {
    let mut gone = None;
    for (index, period) in periods.iter_mut().enumerate() {
        let subject = format!("{} {}", cx.text(Text::ContractPeriods), index + 1);
        windows::days(cx, ui, &subject, &mut period.window.days);
        ui.horizontal(|ui| {
            windows::clocks(cx, ui, &subject, &mut period.window.from, &mut period.window.to);
            widgets::weak(ui, "kVA");
            let name = super::named("kVA", &subject);
            widgets::text_field(ui, &name, "", &mut period.kva, Field::Text, 60.0);
            if windows::take_away(cx, ui, &subject) {
                gone = Some(index);
            }
        });
    }
    if let Some(index) = gone {
        periods.remove(index);
    }
    if windows::add(cx, ui, Text::AddPeriod, "") {
        let window = TimeWindowItem { days: Vec::new(), from: "08:00".to_owned(), to: "22:00".to_owned() };
        periods.push(PeriodForm { window, kva: String::new() });
    }
}

const fn rule_name(rule: SharingRule) -> Text {
    match rule {
        SharingRule::Equal => Text::ShareEqual,
        SharingRule::ByPriority => Text::ShareByPriority,
        SharingRule::ByFairness => Text::ShareByFairness,
        SharingRule::ByDeparture => Text::ShareByDeparture,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// A form nobody touched says what the site says; a wrong time or number is named.
    #[test]
    fn form_reads_what_was_typed() {
        let rules = fixtures::site().rules;
        for language in [Language::English, Language::Portuguese] {
            let mut form = RulesForm::of(&rules, language);
            assert_eq!(form.read(language).as_ref(), Ok(&rules), "{language:?}: untouched form");
            form.off_peak[0].from = "26:00".to_owned();
            assert!(form.read(language).unwrap_err().contains("26:00"));
            form.off_peak.clear();
            form.imbalance = "2".to_owned();
            assert!(form.read(language).unwrap_err().contains('6'));
        }
    }
}
