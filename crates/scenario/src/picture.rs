//! A played scenario as a picture: the building and every car stacked over time, below the limit.

use crate::file::{FaultKind, Scenario};
use std::fmt::Write as _;

/// What flowed in one second, on the first phase.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TraceRow {
    /// Second since the script began.
    pub second: u64,
    /// The building without cars, in mA.
    pub house_ma: u32,
    /// Each car, in the order of the chargers, in mA.
    pub cars_ma: Vec<u32>,
}

/// A played scenario, second by second.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The limit of the grid connection, in mA.
    pub limit_ma: u32,
    /// Names of the chargers.
    pub chargers: Vec<String>,
    /// What flowed.
    pub rows: Vec<TraceRow>,
}

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 34.0;
const BOTTOM: f64 = 44.0;
const RIGHT: f64 = 12.0;
/// The building, then the cars.
const INKS: [&str; 6] = ["#b8c0cc", "#2f7d6d", "#5aa897", "#93c9bb", "#3d6fa5", "#86acd4"];

impl Trace {
    /// The picture as SVG, with what breaks shaded.
    #[must_use]
    pub fn svg(&self, scenario: &Scenario) -> String {
        let frame = Frame::of(self);
        let mut svg = String::new();
        // Writing to a String cannot fail.
        let _infallible = write!(
            svg,
            r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="11"><title>{}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>"##,
            escaped(&scenario.title)
        );
        for fault in &scenario.faults {
            shade(&mut svg, &frame, fault.at_s, fault.at_s + fault.for_s, &fault_words(fault.kind, &fault.device));
        }
        self.layers(&mut svg, &frame);
        self.axes(&mut svg, &frame);
        self.legend(&mut svg);
        svg.push_str("</svg>\n");
        svg
    }

    /// Each layer lies on those before it.
    fn layers(&self, svg: &mut String, frame: &Frame) {
        let mut below: Vec<u32> = vec![0; self.rows.len()];
        for layer in 0..=self.chargers.len() {
            let of = |row: &TraceRow| match layer.checked_sub(1) {
                None => row.house_ma,
                Some(car) => row.cars_ma.get(car).copied().unwrap_or_default(),
            };
            let above: Vec<u32> = self.rows.iter().zip(&below).map(|(row, below)| below + of(row)).collect();
            let forth = self.rows.iter().zip(&above).map(|(row, top)| frame.point(row.second, *top));
            let back = self.rows.iter().zip(&below).rev().map(|(row, top)| frame.point(row.second, *top));
            let points: Vec<String> = forth.chain(back).collect();
            let ink = INKS.get(layer % INKS.len()).copied().unwrap_or("#888888");
            let _infallible = write!(svg, r#"<polygon points="{}" fill="{ink}"/>"#, points.join(" "));
            below = above;
        }
    }

    fn axes(&self, svg: &mut String, frame: &Frame) {
        let y = frame.y(self.limit_ma);
        let _infallible = write!(
            svg,
            r##"<line x1="{LEFT}" y1="{y:.1}" x2="{}" y2="{y:.1}" stroke="#b3261e" stroke-width="1.5" stroke-dasharray="6 4"/><text x="{}" y="{:.1}" fill="#b3261e" text-anchor="end">limit {} A</text>"##,
            WIDTH - RIGHT,
            WIDTH - RIGHT,
            y - 4.0,
            self.limit_ma / 1000
        );
        let mut amps = 0;
        while amps * 1000 <= frame.top_ma {
            let y = frame.y(amps * 1000);
            let _infallible = write!(
                svg,
                r##"<text x="{}" y="{:.1}" fill="#444444" text-anchor="end">{amps} A</text>"##,
                LEFT - 6.0,
                y + 4.0
            );
            amps += 10;
        }
        for second in (0..=frame.last_s).step_by(60) {
            let x = frame.x(second);
            let _infallible = write!(
                svg,
                r##"<line x1="{x:.1}" y1="{}" x2="{x:.1}" y2="{}" stroke="#888888"/><text x="{x:.1}" y="{}" fill="#444444" text-anchor="middle">{} min</text>"##,
                HEIGHT - BOTTOM,
                HEIGHT - BOTTOM + 4.0,
                HEIGHT - BOTTOM + 16.0,
                second / 60
            );
        }
    }

    fn legend(&self, svg: &mut String) {
        let names = std::iter::once("building").chain(self.chargers.iter().map(String::as_str));
        let mut x = LEFT;
        for (layer, name) in names.enumerate() {
            let ink = INKS.get(layer % INKS.len()).copied().unwrap_or("#888888");
            let _infallible = write!(
                svg,
                r##"<rect x="{x}" y="{}" width="10" height="10" fill="{ink}"/><text x="{}" y="{}" fill="#222222">{}</text>"##,
                HEIGHT - 18.0,
                x + 14.0,
                HEIGHT - 9.0,
                escaped(name)
            );
            x += 110.0;
        }
    }
}

/// Where a second and a current lie.
struct Frame {
    last_s: u64,
    top_ma: u32,
}

impl Frame {
    fn of(trace: &Trace) -> Self {
        let total = |row: &TraceRow| row.house_ma + row.cars_ma.iter().sum::<u32>();
        let most = trace.rows.iter().map(total).max().unwrap_or_default().max(trace.limit_ma);
        Self { last_s: trace.rows.last().map_or(1, |row| row.second.max(1)), top_ma: most + most / 8 }
    }

    fn x(&self, second: u64) -> f64 {
        LEFT + real(second) / real(self.last_s) * (WIDTH - LEFT - RIGHT)
    }

    fn y(&self, milli_amps: u32) -> f64 {
        HEIGHT - BOTTOM - f64::from(milli_amps) / f64::from(self.top_ma.max(1)) * (HEIGHT - TOP - BOTTOM)
    }

    fn point(&self, second: u64, milli_amps: u32) -> String {
        format!("{:.1},{:.1}", self.x(second), self.y(milli_amps))
    }
}

fn shade(svg: &mut String, frame: &Frame, from_s: u64, to_s: u64, words: &str) {
    let (x, to) = (frame.x(from_s.min(frame.last_s)), frame.x(to_s.min(frame.last_s)));
    let _infallible = write!(
        svg,
        r##"<rect x="{x:.1}" y="{TOP}" width="{:.1}" height="{}" fill="#fdeccf"/><text x="{:.1}" y="{}" fill="#7a4b00">{}</text>"##,
        to - x,
        HEIGHT - TOP - BOTTOM,
        x + 2.0,
        TOP - 6.0,
        escaped(words)
    );
}

fn fault_words(kind: FaultKind, device: &str) -> String {
    match kind {
        FaultKind::Silent => format!("{device} is silent"),
        FaultKind::LinkLost => format!("{device} has no link"),
        FaultKind::Disobeys => format!("{device} ignores its limit"),
        FaultKind::CommandsLost => format!("every second command to {device} is lost"),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn real(number: u64) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file::Scenario;
    use crate::run::run_traced;

    /// The pictures of `docs/power-sharing.md` are what the program draws today, and in none of them a phase is above
    /// the limit for longer than cars need to follow. `UPDATE_PICTURES=1` draws them again.
    #[test]
    fn pictures_of_the_documentation_are_todays() {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/power-sharing");
        for (name, text) in [
            ("house-step", include_str!("../scenarios/house-step.toml")),
            ("silent-meter", include_str!("../scenarios/silent-meter.toml")),
            ("lost-charger", include_str!("../scenarios/lost-charger.toml")),
        ] {
            let scenario = Scenario::parse(text).unwrap();
            let (report, trace) = run_traced(&scenario, 1).unwrap();
            assert!(!report.tripped, "{report}");
            let over = |row: &TraceRow| row.house_ma + row.cars_ma.iter().sum::<u32>() > trace.limit_ma;
            let longest = trace.rows.split(|row| !over(row)).map(<[TraceRow]>::len).max().unwrap_or(0);
            assert!(longest <= 12, "{name}: {longest} s above the limit");
            let (path, drawn) = (format!("{root}/{name}.svg"), trace.svg(&scenario));
            if std::env::var_os("UPDATE_PICTURES").is_some() {
                std::fs::write(&path, &drawn).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap_or_default(), drawn, "{path} is of an older program");
        }
    }
}
