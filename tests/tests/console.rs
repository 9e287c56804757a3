//! The console in a real browser, against a building on real sockets.

use serde_json::{Value, json};
use std::time::Instant;
use tests::{Api, Browser, Building, DEADLINE, Meshwatt};

const PASSWORD: &str = "correct horse";

/// Protects the manager: signs in with the password, sees the building's live numbers change, and moves a charger up,
/// whereupon the ampere that equal division leaves over moves there.
#[test]
fn the_manager_sees_live_numbers_and_changes_priorities() {
    let directory = tempfile::tempdir().unwrap();
    let program = Meshwatt::serve(directory.path());
    let setup = json!({"name": "Published", "contracted_kva": 6.9, "phases": 1, "password": PASSWORD});
    let _done: Value = program.api().post("setup", &setup).ok();
    let mut building = Building::join(&program, 2);
    careful(program.api());
    building.set_house(5.0);
    building.start(0);
    building.start(1);
    // 25 A are left, and the ampere that equal division leaves over goes to the earlier registration.
    settle(&mut building, &[13.0, 12.0]);

    let browser = Browser::start(1280, 860);
    browser.open(&format!("http://{}/", program.api().address()));
    browser.fill("Password", "wrong password");
    browser.activate("Sign in");
    browser.wait_text("the refusal of a wrong password", |text| text.contains("The password is wrong"));
    browser.fill("Password", PASSWORD);
    browser.activate("Sign in");
    let before = live_number(&mut building, &browser, |number| !number.is_empty());
    building.set_house(7.0);
    live_number(&mut building, &browser, |number| number != before);
    settle(&mut building, &[12.0, 11.0]);

    browser.activate("Chargers");
    browser.activate("Move up CP2");
    settle(&mut building, &[11.0, 12.0]);
    browser.wait_text("the reason at charger 2", |text| text.contains("12 A") && text.contains("shared equally"));
}

/// The default rule instead of the published one.
fn careful(api: &Api) {
    let mut site = api.get("site").ok();
    site["pacing"] = json!("careful");
    let _site: Value = api.put("site", &site).ok();
}

/// Goes on until the cars draw exactly this.
#[track_caller]
fn settle(building: &mut Building, expected_a: &[f64]) {
    let begun = Instant::now();
    while building.drawn() != expected_a {
        building.go_on();
        assert!(begun.elapsed() < DEADLINE, "{:?}, not {expected_a:?}", building.drawn());
    }
}

/// Goes on until the tile of what is available for cars shows what `wanted` recognises.
#[track_caller]
fn live_number(building: &mut Building, browser: &Browser, wanted: impl Fn(&str) -> bool) -> String {
    let begun = Instant::now();
    loop {
        building.go_on();
        if let Some(number) = browser.value_of("tile-available").filter(|number| wanted(number)) {
            return number;
        }
        assert!(begun.elapsed() < DEADLINE, "the page says {:?}", browser.texts());
    }
}
