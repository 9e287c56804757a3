//! Takes the pictures of the README from the running demo: `screenshots DIRECTORY`.

use serde_json::{Value, json};
use std::path::PathBuf;
use tests::{Browser, Meshwatt, until};

/// Each picture with the page it shows.
const PICTURES: [(&str, &str); 5] = [
    ("overview", "Overview"),
    ("chargers", "Chargers"),
    ("cards", "Cards"),
    ("sessions", "Sessions"),
    ("demo", "Demo"),
];

fn main() {
    let directory = PathBuf::from(std::env::args_os().nth(1).expect("name the directory for the pictures"));
    std::fs::create_dir_all(&directory).expect("the directory can be made");
    let data = tempfile::tempdir().expect("there is room for the demo's data");
    let (program, sign_in) = Meshwatt::demo(data.path());
    fill_the_graph(&program);
    let browser = Browser::start(1440, 900);
    browser.open(&sign_in);
    until("live numbers", || browser.value_of("tile-used"));
    for (name, page) in PICTURES {
        browser.activate(page);
        settle(&browser);
        let file = directory.join(format!("{name}.png"));
        browser.picture(&file);
        println!("{}", file.display());
    }
}

/// Energy of one session after which the graph shows enough.
const ENOUGH_WH: u64 = 1_500;

/// Lets the demo's time run fast until cars have charged for a while, then at its natural speed.
fn fill_the_graph(program: &Meshwatt) {
    let speed = |speed: &str| -> Value {
        let command = json!({"command": "set_speed", "speed": speed});
        program.api().post("demo", &command).ok()
    };
    let _answer = speed("x60");
    until("cars to charge for a while", || {
        let chargers = program.api().items("chargers");
        let energies = chargers.iter().filter_map(|charger| charger["connectors"][0]["session_energy_wh"].as_u64());
        energies.max().filter(|energy| *energy >= ENOUGH_WH)
    });
    let _answer = speed("x1");
}

/// Waits until the page says the same twice and loads nothing more.
fn settle(browser: &Browser) {
    let mut last = Vec::new();
    until("the page to settle", || {
        let texts = browser.texts();
        let names: Vec<usize> = vec![texts.len()];
        let settled = names == last && !texts.iter().any(|text| text.contains("Loading"));
        last = names;
        settled.then_some(())
    });
}
