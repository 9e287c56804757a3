//! What is kept for the graphs, and when.

use super::{Building, ONE, circuits, site};
use crate::{Output, Setup};
use domain::{ChargerEvent, ChargerSample, MeterRole, MilliVolts, Pacing, Quantity, Record, Source};

/// Rows of the quantities that nothing is decided by.
fn beside(out: &[Output]) -> Vec<(String, i64)> {
    let rows = out.iter().filter_map(|o| if let Output::Save(Record::Readings(rows)) = o { Some(rows) } else { None });
    let kept = rows.flatten().filter(|row| match row.series.quantity {
        Quantity::VoltageL1
        | Quantity::VoltageL2
        | Quantity::VoltageL3
        | Quantity::StateOfCharge
        | Quantity::Temperature => matches!(row.series.source, Source::Connector(..)),
        Quantity::CurrentL1
        | Quantity::CurrentL2
        | Quantity::CurrentL3
        | Quantity::Power
        | Quantity::Energy
        | Quantity::Setpoint
        | Quantity::Limit => false,
    });
    kept.map(|row| (row.series.to_string(), row.value)).collect()
}

/// Voltage, state of charge and temperature are recorded once each time they are measured, also when no car charges, and
/// a message with one of them does not take the others away.
#[test]
fn what_is_measured_beside_is_kept_once() {
    let mut b = Building::new(site(Pacing::Careful), 1, MeterRole::House);
    b.run(10);
    b.log.clear();
    let measured = |b: &mut Building, sample: ChargerSample| {
        let sample = ChargerSample { at: b.now().wall, ..sample };
        b.event(1, ChargerEvent::Measured { connector: Some(ONE), session: None, sample })
    };
    measured(
        &mut b,
        ChargerSample {
            voltage_per_wire: vec![MilliVolts(231_400)],
            soc_percent: Some(64),
            temperature_dc: Some(-50),
            ..ChargerSample::default()
        },
    );
    measured(&mut b, ChargerSample { soc_percent: Some(65), ..ChargerSample::default() });
    b.run(20);
    let kept = beside(&b.log);
    let expected = [("voltage_l1_mv", 231_400), ("soc_percent", 65), ("temperature_dc", -50)];
    let expected = expected.map(|(name, value)| (format!("charger/C1/1/{name}"), value));
    assert_eq!(kept, expected, "each value once");
}

/// A building without any device has nothing to record: the load it is assumed to have before the first questions are
/// answered would stand in its graphs for ever.
#[test]
fn nothing_is_recorded_before_the_first_device() {
    let mut b = Building::of(Setup::empty(site(Pacing::Careful), circuits(200)), MeterRole::House);
    b.metered = false;
    b.run(60);
    let rows = b.log.iter().filter(|output| matches!(output, Output::Save(Record::Readings(_))));
    assert_eq!(rows.count(), 0);
}
