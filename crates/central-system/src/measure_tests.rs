//! Meter values in every spelling seen in the field.

use super::*;
use domain::Timestamp;
use proptest::prelude::*;

fn sample(json: &str, phases: u8) -> ChargerSample {
    let value: MeterValue = ocpp::read(&format!(r#"{{"timestamp":"","sampledValue":{json}}}"#)).unwrap();
    measured(&value, Timestamp(0), phases).sample
}

fn milliamps(values: &[u32]) -> Vec<MilliAmps> {
    values.iter().copied().map(MilliAmps).collect()
}

/// Q20: a bare value is the import register in Wh.
#[test]
fn metervalue_defaults() {
    assert_eq!(sample(r#"[{"value":"1234.9"}]"#, 1).energy, Some(WattHours(1234)));
    assert_eq!(sample(r#"[{"value":"1.2349","unit":"kWh"}]"#, 1).energy, Some(WattHours(1234)));
    assert!(sample(r#"[{"value":""},{"value":"NaN"},{"value":"7","measurand":"Strange"}]"#, 1).is_empty());
}

/// A unit tells what a value without a measurand is, and may stand behind the number; a comma is a point.
#[test]
fn units_that_say_more() {
    let values = sample(
        r#"[{"value":"16,5","unit":"A"},{"value":"231","unit":"V"},{"value":"3.8","unit":"kW"},{"value":"1.5 kWh"}]"#,
        1,
    );
    assert_eq!((values.current_per_wire, values.voltage_per_wire), (milliamps(&[16_500]), vec![MilliVolts(231_000)]));
    assert_eq!((values.power, values.energy), (Some(Watts(3800)), Some(WattHours(1500))));
    assert!(sample(r#"[{"value":"12 bananas"},{"value":"A"}]"#, 1).is_empty());
    assert_eq!(sample(r#"[{"value":"1.234,5"},{"value":"1,234.5"}]"#, 1).energy, Some(WattHours(1234)));
}

/// Q21: phases with and without `-N`; the neutral is no load; a sum only where there is no total.
#[test]
fn phase_labels() {
    let with_neutral = r#"[{"value":"6.1","measurand":"Current.Import","phase":"L1-N"},{"value":"7","measurand":"Current.Import","phase":"L2"},
        {"value":"8","measurand":"Current.Import","phase":"L3"},{"value":"9","measurand":"Current.Import","phase":"N"}]"#;
    assert_eq!(sample(with_neutral, 3).current_per_wire, milliamps(&[6100, 7000, 8000]));
    let voltage = r#"[{"value":"231","measurand":"Voltage","phase":"L1-N"},{"value":"0.2","measurand":"Voltage","phase":"N"},
        {"value":"400","measurand":"Voltage","phase":"L1-L2"}]"#;
    assert_eq!(sample(voltage, 1).voltage_per_wire, [MilliVolts(231_000)]);
    let per_phase = r#"[{"value":"1","unit":"kW","measurand":"Power.Active.Import","phase":"L1"},
        {"value":"2000","unit":"W","measurand":"Power.Active.Import","phase":"L2"}]"#;
    assert_eq!(sample(per_phase, 3).power, Some(Watts(3000)));
    let total = per_phase.replacen('[', r#"[{"value":"2900","measurand":"Power.Active.Import"},"#, 1);
    assert_eq!(sample(&total, 3).power, Some(Watts(2900)));
    assert_eq!(sample(r#"[{"value":"5000","phase":"L1"}]"#, 3).energy, Some(WattHours(5000)), "only L1 is tagged");
    let alone = r#"[{"value":"10","measurand":"Current.Import"}]"#;
    assert_eq!(sample(alone, 3).current_per_wire, milliamps(&[10_000; 3]), "counted on every wire, to be safe");
    let third = r#"[{"value":"10","measurand":"Current.Import","phase":"L3"}]"#;
    assert_eq!(sample(third, 3).current_per_wire, milliamps(&[0, 0, 10_000]));
}

/// Units in every spelling, sizes only, temperatures in tenths of a degree (Q22).
#[test]
fn celcius() {
    let temperature = |unit: &str, value: &str| {
        sample(&format!(r#"[{{"value":"{value}","measurand":"Temperature","unit":"{unit}"}}]"#), 1).temperature_dc
    };
    assert_eq!(temperature("Celcius", "21.45"), Some(214));
    assert_eq!(temperature("Celsius", "-3"), Some(-30));
    assert_eq!(temperature("K", "273.15"), Some(0));
    assert_eq!(temperature("Fahrenheit", "212"), Some(1000));
    assert_eq!(
        sample(r#"[{"value":"16000","measurand":"Current.Import","unit":"mA"}]"#, 1).current_per_wire,
        milliamps(&[16_000])
    );
    assert_eq!(sample(r#"[{"value":"-6.5","measurand":"Current.Import"}]"#, 1).current_per_wire, milliamps(&[6500]));
    let soc = r#"[{"value":"55","measurand":"SoC","unit":"Percent","location":"EV"},{"value":"400","measurand":"Voltage","location":"EV"}]"#;
    assert_eq!((sample(soc, 1).soc_percent, sample(soc, 1).voltage_per_wire.len()), (Some(55), 0));
    assert_eq!(sample(r#"[{"value":"32","measurand":"Current.Offered"}]"#, 1).offered, Some(MilliAmps(32_000)));
}

/// Q27: signed values are kept with the frame and stay out of the maths.
#[test]
fn signed_data_excluded() {
    let both = r#"[{"value":"OCMF|{}","format":"SignedData"},{"value":"99","format":"SignedData"},{"value":"7"}]"#;
    assert_eq!(sample(both, 1).energy, Some(WattHours(7)));
    assert!(sample(r#"[{"value":"99","format":"SignedData"}]"#, 1).is_empty());
}

/// The value of a session's beginning, repeated beside the present one, is not the present one.
#[test]
fn repeated_beginnings_lose() {
    let both = r#"[{"value":"7"},{"value":"1","context":"Transaction.Begin"}]"#;
    assert_eq!(sample(both, 1).energy, Some(WattHours(7)));
    assert_eq!(sample(r#"[{"value":"1","context":"Transaction.Begin"}]"#, 1).energy, Some(WattHours(1)));
}

/// Q18: a register that rises a thousand times too slowly counts kWh; an honest one is left alone.
#[test]
fn kwh_labelled_wh() {
    let run = |labelled: fn(f64) -> String| {
        let mut scale = RegisterScale::default();
        let mut last = None;
        for step in 0..120_u32 {
            // 3.6 kW: one Wh a second, one sample every ten.
            let wh = 500_000.0 + f64::from(step) * 10.0;
            let json = format!(
                r#"[{{"value":"{}","unit":"Wh"}},{{"value":"3600","measurand":"Power.Active.Import"}}]"#,
                labelled(wh)
            );
            let value: MeterValue = ocpp::read(&format!(r#"{{"sampledValue":{json}}}"#)).unwrap();
            let mut it = measured(&value, Timestamp(0), 1);
            scale.apply(Instant(u64::from(step) * 10_000), &mut it);
            last = it.sample.energy;
        }
        last
    };
    assert_eq!(run(|wh| format!("{wh:.0}")), Some(WattHours(501_190)));
    assert_eq!(run(|wh| format!("{:.3}", wh / 1000.0)), Some(WattHours(501_190)));
}

proptest! {
    /// No value, unit, phase or measurand makes the normaliser panic.
    #[test]
    fn any_value_is_harmless(value in ".{0,30}", unit in "[a-zA-Z%]{0,5}", phase in "(L1|L2-N|N|x)?", measurand in "(Voltage|SoC|Temperature|Current.Import|x)?") {
        let json = serde_json::json!({ "timestamp": value, "sampledValue": [{ "value": value, "unit": unit, "phase": phase, "measurand": measurand }] });
        let value: MeterValue = ocpp::read(&json.to_string()).unwrap();
        let mut it = measured(&value, Timestamp(0), 3);
        RegisterScale::default().apply(Instant(0), &mut it);
    }
}
