//! Prints what a frame of the overview costs: 24 h of 5-second values of 12 series.
//!
//! `cargo run --release -p ui --example frame_cost`. Measured headless: running the pass and tessellating
//! it, with the accessibility tree on, for three kinds of frames, in CPU time of the thread.

#![expect(clippy::print_stdout, reason = "printing is what this program is for")]

use api::Language;
use cpu_time::ThreadTime;
use egui::{Context, Event, Pos2, RawInput, Rect};
use std::time::Duration;
use ui::fixtures::{self, NOW_MS, Server};
use ui::mirror::{self, Done};

/// Frames measured of each kind.
const FRAMES: u32 = 300;
/// 24 h of 5-second values.
const ROWS: usize = 17_280;

/// A console without a window.
struct Bench {
    ctx: Context,
    console: ui::Console,
    server: Server,
    time_s: f64,
}

impl Bench {
    fn frame(&mut self, events: Vec<Event>) -> Duration {
        self.time_s += 0.25;
        let screen = Rect::from_min_size(Pos2::ZERO, egui::vec2(1920.0, 1080.0));
        let input = RawInput { screen_rect: Some(screen), time: Some(self.time_s), events, ..RawInput::default() };
        let console = &mut self.console;
        let start = ThreadTime::now();
        let mut output = self.ctx.run_ui(input, |ui| {
            console.logic(ui.ctx());
            console.ui(ui);
        });
        let shapes = std::mem::take(&mut output.shapes);
        let primitives = self.ctx.tessellate(shapes, output.pixels_per_point);
        let cost = start.elapsed();
        assert!(!primitives.is_empty(), "a frame paints something");
        output.drop_without_applying_deltas();
        cost
    }

    /// The element that is called so, as a browser test finds it.
    fn find(&mut self, label: &str) -> Option<egui::accesskit::NodeId> {
        let input = RawInput { time: Some(self.time_s), ..RawInput::default() };
        let console = &mut self.console;
        let mut output = self.ctx.run_ui(input, |ui| {
            console.logic(ui.ctx());
            console.ui(ui);
        });
        let update = output.platform_output.accesskit_update.take();
        output.drop_without_applying_deltas();
        let list = mirror::elements(&update?).0;
        list.into_iter().find(|element| element.label == label).map(|element| element.node)
    }

    fn measure(&mut self, name: &str, mut each: impl FnMut(&mut Self, u32) -> Vec<Event>) {
        let mut costs: Vec<Duration> = (0..FRAMES)
            .map(|index| {
                let events = each(self, index);
                self.frame(events)
            })
            .collect();
        costs.sort();
        let at = |percent: usize| costs.get(costs.len() * percent / 100).copied().unwrap_or_default();
        println!("{name:<38} p50 {:>7.2?}   p95 {:>7.2?}   max {:>7.2?}", at(50), at(95), at(99));
    }
}

fn main() {
    let server = Server::signed_in();
    let mut snapshot = fixtures::snapshot();
    // Eleven chargers and the building make twelve series.
    let names = ["CP-01", "CP-02", "CP-03", "CP-04", "CP-05", "CP-06", "CP-07", "EV-1", "EV-2", "EV-3", "EV-4"];
    snapshot.chargers = names.iter().map(|id| fixtures::charger(id)).collect();
    server.answer("readings", &fixtures::columns(&names.map(str::to_owned), ROWS, 1000));
    server.push(snapshot.clone());
    let ctx = Context::default();
    ctx.enable_accesskit();
    let mut bench = Bench { console: server.console(Language::English), ctx, server, time_s: 0.0 };
    for _ in 0..8 {
        bench.frame(Vec::new());
    }
    let day = bench.find("Time range: 24 h");
    bench.frame(
        day.into_iter().map(|node| Event::AccessKitActionRequest(mirror::action(node, Done::Pressed))).collect(),
    );
    for _ in 0..4 {
        bench.frame(Vec::new());
    }
    println!("24 h of 5-second values of 12 series ({ROWS} rows), 1920x1080");
    bench.measure("nothing new (repaint only)", |_, _| Vec::new());
    bench.measure("pointer moves over the graph", |_, index| {
        let x = 300.0 + f32::from(u16::try_from(index % 900).unwrap_or(0));
        vec![Event::PointerMoved(egui::pos2(x, 420.0))]
    });
    bench.measure("a new snapshot with each frame", |bench, index| {
        snapshot.revision += 1;
        snapshot.at_ms = NOW_MS + i64::from(index + 1) * 5000;
        bench.server.push(snapshot.clone());
        Vec::new()
    });
}
