//! The protocol of `loop_safety.py`: `init` once, then one `set` for every `tick`.

use crate::Failure;
use domain::{ConnectorStatus, DurationMs, Instant, MilliAmps, MilliVolts};
use scenario::{ChargerReport, ChargerSetup, LoopSetup, LoopSite, LoopTick, MeterReport};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request {
    Init(Init),
    Tick(Tick),
    End {},
}

#[derive(Debug, Deserialize)]
struct Init {
    limit_a: Vec<f64>,
    #[serde(default = "default_voltage")]
    voltage_ln: f64,
    #[serde(default = "default_min")]
    min_a: f64,
    #[serde(default = "default_period")]
    meter_period_s: f64,
    chargers: Vec<InitCharger>,
}

#[derive(Debug, Deserialize)]
struct InitCharger {
    id: String,
    phases: Vec<u8>,
    max_a: f64,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    reg_order: u32,
}

#[derive(Debug, Deserialize)]
struct Tick {
    t: f64,
    meter: Option<Meter>,
    chargers: Vec<TickCharger>,
}

#[derive(Debug, Deserialize)]
struct Meter {
    ts: f64,
    a: Vec<f64>,
}

#[derive(Debug, Deserialize)]
struct TickCharger {
    charger: String,
    state: State,
    set_a: f64,
    measured_a: Vec<f64>,
    ts: f64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Charging,
    Standby,
    Starting,
    Full,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Answer {
    Ready { name: &'static str },
    Set { amps: BTreeMap<String, u32> },
}

const fn default_voltage() -> f64 {
    230.0
}

const fn default_min() -> f64 {
    6.0
}

const fn default_period() -> f64 {
    2.0
}

/// Answers until the tool says `end` or closes the pipe.
pub(super) fn speak(input: impl BufRead, mut output: impl Write) -> Result<(), Failure> {
    let mut site: Option<LoopSite> = None;
    for line in input.lines() {
        let line = line.map_err(|source| Failure::System { what: "cannot read standard input", source })?;
        if line.trim().is_empty() {
            continue;
        }
        let request: Request =
            serde_json::from_str(&line).map_err(|error| Failure::Usage(format!("{error} in the message {line}")))?;
        let answer = match request {
            Request::Init(init) => {
                site = Some(LoopSite::new(&setup(init)).map_err(|error| Failure::Usage(error.to_string()))?);
                Answer::Ready { name: "meshwatt" }
            }
            Request::Tick(tick) => {
                let Some(site) = &mut site else {
                    return Err(Failure::Usage("send an init message before the first tick".to_owned()));
                };
                let amps = site.tick(&moment(tick)).into_iter().map(|(id, limit)| (id, limit.amps_floor())).collect();
                Answer::Set { amps }
            }
            Request::End {} => return Ok(()),
        };
        let text = serde_json::to_string(&answer).map_err(|error| Failure::Usage(error.to_string()))?;
        writeln!(output, "{text}")
            .and_then(|()| output.flush())
            .map_err(|source| Failure::System { what: "cannot write standard output", source })?;
    }
    Ok(())
}

fn setup(init: Init) -> LoopSetup {
    LoopSetup {
        limits: init.limit_a.into_iter().map(milli_amps).collect(),
        voltage: MilliVolts(milli(init.voltage_ln)),
        min: milli_amps(init.min_a),
        meter_period: DurationMs(u64::from(milli(init.meter_period_s))),
        chargers: (1..)
            .zip(init.chargers)
            .map(|(row, charger)| ChargerSetup {
                id: charger.id,
                phases: charger.phases,
                max: milli_amps(charger.max_a),
                priority: charger.priority,
                registered: if charger.reg_order == 0 { row } else { charger.reg_order },
            })
            .collect(),
    }
}

fn moment(tick: Tick) -> LoopTick {
    LoopTick {
        at: instant(tick.t),
        meter: tick.meter.map(|meter| MeterReport {
            taken: instant(meter.ts),
            currents: meter.a.into_iter().map(milli_amps).collect(),
        }),
        chargers: tick
            .chargers
            .into_iter()
            .map(|charger| ChargerReport {
                id: charger.charger,
                status: match charger.state {
                    State::Charging => ConnectorStatus::Charging,
                    State::Standby => ConnectorStatus::SuspendedEvse,
                    State::Starting => ConnectorStatus::Preparing,
                    State::Full => ConnectorStatus::SuspendedEv,
                },
                set: milli_amps(charger.set_a),
                measured: charger.measured_a.into_iter().map(milli_amps).collect(),
                taken: instant(charger.ts),
            })
            .collect(),
    }
}

pub(super) fn milli_amps(amperes: f64) -> MilliAmps {
    MilliAmps(milli(amperes))
}

fn instant(seconds: f64) -> Instant {
    Instant(u64::from(milli(seconds)))
}

/// Thousandths, to the nearest whole one; what is no number or negative is nothing.
pub(super) fn milli(value: f64) -> u32 {
    let thousandths = (value * 1000.0).round().clamp(0.0, f64::from(u32::MAX));
    #[expect(clippy::as_conversions, reason = "whole and within the range of u32 by the clamp above")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the same clamp")]
    let whole = thousandths as u32;
    whole
}
