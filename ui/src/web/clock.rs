//! Local clocks of the building, asked from the browser's own time zone data.

use crate::time::{HOUR_MS, MINUTE_MS, ZoneOffset, parse};
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen::{JsCast as _, JsValue};

/// Hours whose offset is remembered: more than a day's graph and a list of sessions ask for.
const HOURS_MAX: usize = 2000;

/// Offsets of one time zone by hour.
#[derive(Default)]
struct Known {
    zone: String,
    by_hour: BTreeMap<i64, i32>,
}

/// Minutes that clocks of a zone are ahead of UTC; the browser's own zone where it does not know that one.
pub(super) fn zone() -> ZoneOffset {
    let known = RefCell::new(Known::default());
    Box::new(move |at_ms, zone| {
        let mut known = known.borrow_mut();
        if known.zone != zone || known.by_hour.len() > HOURS_MAX {
            *known = Known { zone: zone.to_owned(), by_hour: BTreeMap::new() };
        }
        let hour = at_ms.div_euclid(HOUR_MS);
        *known.by_hour.entry(hour).or_insert_with(|| {
            let start = hour * HOUR_MS;
            offset(start, zone).unwrap_or_else(|| -whole(date(start).get_timezone_offset()))
        })
    })
}

fn date(at_ms: i64) -> js_sys::Date {
    js_sys::Date::new(&JsValue::from_f64(crate::graph::columns::to_f64(at_ms)))
}

/// Swedish clock readings are `2026-11-20 18:30:00`, which is almost RFC 3339.
fn offset(at_ms: i64, zone: &str) -> Option<i32> {
    if zone.is_empty() {
        return None;
    }
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"timeZone".into(), &zone.into()).ok()?;
    let date = date(at_ms);
    let print: js_sys::Function = js_sys::Reflect::get(&date, &"toLocaleString".into()).ok()?.dyn_into().ok()?;
    let text = print.call2(&date, &"sv-SE".into(), &options).ok()?.as_string()?;
    let local = parse(&text.replace(' ', "T"))?;
    i32::try_from((local - at_ms) / MINUTE_MS).ok()
}

#[expect(clippy::cast_possible_truncation, reason = "minutes of a time zone are less than 1000")]
const fn whole(minutes: f64) -> i32 {
    minutes as i32
}
