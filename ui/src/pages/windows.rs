//! Times that come back every week, as forms: a row of days and two clocks for each.

use super::Cx;
use crate::command::Command;
use crate::icons::Icon;
use crate::text::Text;
use crate::tokens;
use crate::view::Page;
use crate::widgets::{self, Field, Look, Loudness};
use api::TimeWindowItem;
use domain::Weekday;
use egui::Ui;

/// Whether the text is a time of day such as `07:30`.
pub(crate) fn is_time(text: &str) -> bool {
    let Some((hours, minutes)) = text.trim().split_once(':') else { return false };
    let number = |part: &str| part.parse::<u16>().ok().filter(|_| part.len() <= 2);
    match (number(hours), number(minutes)) {
        (Some(hours), Some(minutes)) => (hours < 24 && minutes < 60) || (hours == 24 && minutes == 0),
        _no_number => false,
    }
}

const fn day_name(day: Weekday) -> Text {
    match day {
        Weekday::Mon => Text::DayMon,
        Weekday::Tue => Text::DayTue,
        Weekday::Wed => Text::DayWed,
        Weekday::Thu => Text::DayThu,
        Weekday::Fri => Text::DayFri,
        Weekday::Sat => Text::DaySat,
        Weekday::Sun => Text::DaySun,
    }
}

/// Seven days to switch; none chosen means every day.
pub(crate) fn days(cx: &Cx<'_>, ui: &mut Ui, subject: &str, chosen: &mut Vec<Weekday>) {
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        for day in Weekday::ALL {
            let label = cx.text(day_name(day));
            let is_on = chosen.contains(&day);
            let name = format!("{label} {subject}");
            let loudness = if is_on { Loudness::Primary } else { Loudness::Normal };
            let response = widgets::button(ui, Look { loudness, icon: None, label, name: &name, enabled: true });
            ui.ctx().accesskit_node_builder(response.id, |node| node.set_toggled(is_on.into()));
            if response.clicked() {
                if is_on {
                    chosen.retain(|known| *known != day);
                } else {
                    chosen.push(day);
                    chosen.sort_unstable();
                }
            }
        }
        if chosen.is_empty() {
            widgets::weak(ui, cx.text(Text::EveryDay));
        }
    });
}

/// From and to of one window.
pub(crate) fn clocks(cx: &Cx<'_>, ui: &mut Ui, subject: &str, from: &mut String, to: &mut String) {
    for (text, typed) in [(Text::FromTime, from), (Text::ToTime, to)] {
        widgets::weak(ui, cx.text(text));
        let name = super::named(cx.text(text), subject);
        widgets::text_field(ui, &name, "07:30", typed, Field::Text, 64.0);
    }
}

/// A list of windows with a button to add one.
pub(crate) fn list(cx: &mut Cx<'_>, ui: &mut Ui, title: Text, windows: &mut Vec<TimeWindowItem>) {
    let mut gone = None;
    for (index, window) in windows.iter_mut().enumerate() {
        let subject = format!("{} {}", cx.text(title), index + 1);
        days(cx, ui, &subject, &mut window.days);
        ui.horizontal(|ui| {
            clocks(cx, ui, &subject, &mut window.from, &mut window.to);
            if take_away(cx, ui, &subject) {
                gone = Some(index);
            }
        });
        ui.add_space(tokens::GAP_S);
    }
    if let Some(index) = gone {
        windows.remove(index);
    }
    if add(cx, ui, Text::AddTimes, cx.text(title)) {
        windows.push(TimeWindowItem { days: Vec::new(), from: "22:00".to_owned(), to: "08:00".to_owned() });
    }
}

/// A small cross; says whether it was pressed.
pub(crate) fn take_away(cx: &Cx<'_>, ui: &mut Ui, subject: &str) -> bool {
    let name = super::named(cx.text(Text::Remove), subject);
    let look = Look { loudness: Loudness::Quiet, icon: Some(Icon::Cross), label: "", name: &name, enabled: true };
    widgets::button(ui, look).on_hover_text(&name).clicked()
}

/// A button that adds a row; says whether it was pressed.
pub(crate) fn add(cx: &Cx<'_>, ui: &mut Ui, text: Text, subject: &str) -> bool {
    let label = cx.text(text);
    let name = super::named(label, subject);
    let look = Look { loudness: Loudness::Normal, icon: Some(Icon::Plus), label, name: &name, enabled: true };
    widgets::button(ui, look).clicked()
}

/// A link to a page in words.
pub(crate) fn link(cx: &mut Cx<'_>, ui: &mut Ui, page: Page) {
    cx.button(ui, Loudness::Normal, None, "", Command::Show(page));
}

#[cfg(test)]
mod tests {
    use super::is_time;

    /// The form takes what the server takes, and nothing else.
    #[test]
    fn times_of_day() {
        for text in ["0:00", "07:30", " 23:59", "24:00"] {
            assert!(is_time(text), "{text:?}");
        }
        for text in ["", "7", "24:01", "12:60", "-1:00", "007:30", "a:b"] {
            assert!(!is_time(text), "{text:?}");
        }
    }
}
