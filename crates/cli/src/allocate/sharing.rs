//! The protocol of `sharing_compare.py`: `init` once, then one `set` for every `step`.

use super::guard_loop::{milli, milli_amps};
use crate::Failure;
use control::planner::{Bench, Branch, CarFacts, LocalMinute, Moment, PastSession};
use domain::{
    CardUid, ChargerId, ConnectorNumber, DurationMs, Instant, MilliAmps, PerPhase, Phase, SessionId, WattHours, Wiring,
};
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::io::{BufRead, Write};

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Request {
    Init(Init),
    Step(Step),
    End {},
}

#[derive(Debug, Deserialize)]
struct Init {
    voltage_ln: f64,
    min_a: f64,
    nodes: Vec<InitNode>,
    chargers: Vec<InitCharger>,
    #[serde(default)]
    max_active: Option<u16>,
    #[serde(default)]
    start: Option<DateTime>,
    #[serde(default)]
    history: Vec<Past>,
}

#[derive(Debug, Deserialize)]
struct InitNode {
    id: String,
    parent: Option<String>,
}

#[derive(Debug, Deserialize)]
struct InitCharger {
    id: String,
    node: String,
    max_a: f64,
    #[serde(default)]
    reg_order: u32,
}

#[derive(Debug, Deserialize)]
struct Past {
    card: Option<String>,
    plugged_in: DateTime,
    plugged_out: DateTime,
    energy_kwh: f64,
}

#[derive(Debug, Deserialize)]
struct Step {
    t: i64,
    time_s: f64,
    available_a: BTreeMap<String, Vec<f64>>,
    sessions: Vec<Session>,
}

#[derive(Debug, Deserialize)]
struct Session {
    charger: String,
    session: String,
    phases: Vec<u8>,
    #[serde(default)]
    priority: i32,
    #[serde(default)]
    card: Option<String>,
    arrival_s: f64,
    set_a: f64,
    measured_a: f64,
    #[serde(default)]
    ev_max_a: Option<f64>,
    delivered_kwh: f64,
    #[serde(default)]
    departure_s: Option<f64>,
    #[serde(default)]
    remaining_kwh: Option<f64>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Answer {
    Ready { name: &'static str },
    Set { t: i64, amps: BTreeMap<String, u32> },
}

/// Answers until the tool says `end` or closes the pipe.
pub(super) fn speak(input: impl BufRead, mut output: impl Write) -> Result<(), Failure> {
    let mut site: Option<Site> = None;
    for line in input.lines() {
        let line = line.map_err(|source| Failure::System { what: "cannot read standard input", source })?;
        if line.trim().is_empty() {
            continue;
        }
        let request: Request =
            serde_json::from_str(&line).map_err(|error| Failure::Usage(format!("{error} in the message {line}")))?;
        let answer = match request {
            Request::Init(init) => {
                site = Some(Site::new(init)?);
                Answer::Ready { name: "meshwatt" }
            }
            Request::Step(step) => {
                let Some(site) = &mut site else {
                    return Err(Failure::Usage("send an init message before the first step".to_owned()));
                };
                Answer::Set { t: step.t, amps: site.step(step)? }
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

/// The tool's building.
struct Site {
    bench: Bench,
    volts: u32,
    min: MilliAmps,
    max_active: Option<u16>,
    start: LocalMinute,
    /// Name and parent of each circuit.
    nodes: Vec<(String, Option<usize>)>,
    chargers: BTreeMap<String, Wall>,
    /// The number each of the tool's session names was given.
    sessions: BTreeMap<String, SessionId>,
}

/// A charger as the tool described it.
struct Wall {
    id: ChargerId,
    node: usize,
    max: MilliAmps,
    registered: u32,
}

impl Site {
    fn new(init: Init) -> Result<Self, Failure> {
        let number = |name: &str| {
            let found = init.nodes.iter().position(|node| node.id == name);
            found.ok_or_else(|| Failure::Usage(format!("there is no node {name}; name one of nodes")))
        };
        let mut nodes = Vec::new();
        for node in &init.nodes {
            nodes.push((node.id.clone(), node.parent.as_deref().map(number).transpose()?));
        }
        let mut chargers = BTreeMap::new();
        for (row, charger) in (1..).zip(&init.chargers) {
            let wall = Wall {
                id: ChargerId::new(&charger.id).map_err(|error| Failure::Usage(error.to_string()))?,
                node: number(&charger.node)?,
                max: milli_amps(charger.max_a),
                registered: if charger.reg_order == 0 { row } else { charger.reg_order },
            };
            chargers.insert(charger.id.clone(), wall);
        }
        let past: Vec<PastSession> = init.history.iter().map(past).collect();
        Ok(Self {
            bench: Bench::new(&past),
            volts: milli(init.voltage_ln) / 1000,
            min: milli_amps(init.min_a),
            max_active: init.max_active,
            // A building that names no date begins at midnight of a Monday.
            start: init.start.map_or(LocalMinute(4 * 24 * 60), local_minute),
            nodes,
            chargers,
            sessions: BTreeMap::new(),
        })
    }

    fn step(&mut self, step: Step) -> Result<BTreeMap<String, u32>, Failure> {
        let now = instant(step.time_s);
        let branches = self.nodes.iter().map(|(id, parent)| Branch {
            parent: *parent,
            room: step.available_a.get(id).map(|room| per_phase(room)).unwrap_or_default(),
        });
        let branches = branches.collect();
        let mut cars = Vec::new();
        for session in step.sessions {
            cars.push(self.car(session)?);
        }
        let moment = Moment {
            now,
            local: LocalMinute(self.start.0.saturating_add(minutes(now))),
            volts: self.volts,
            min: self.min,
            max_active: self.max_active,
            branches,
            cars,
        };
        let limits = self.bench.step(&moment);
        let amps = limits.into_iter().filter(|(_, limit)| !limit.is_zero());
        Ok(amps.map(|((charger, _), limit)| (charger.to_string(), limit.amps_floor())).collect())
    }

    fn car(&mut self, session: Session) -> Result<CarFacts, Failure> {
        let next = SessionId(i32::try_from(self.sessions.len() + 1).unwrap_or(i32::MAX));
        let number = *self.sessions.entry(session.session).or_insert(next);
        let wall = self
            .chargers
            .get(&session.charger)
            .ok_or_else(|| Failure::Usage(format!("there is no charger {}; name it in init", session.charger)))?;
        let phases: Option<Vec<Phase>> = session.phases.iter().map(|phase| Phase::from_number(*phase)).collect();
        let wiring = phases.and_then(|phases| Wiring::new(phases).ok()).ok_or_else(|| {
            Failure::Usage(format!("{} cannot be wired to the phases {:?}", session.charger, session.phases))
        })?;
        let set = milli_amps(session.set_a);
        Ok(CarFacts {
            place: (wall.id.clone(), ConnectorNumber(1)),
            session: number,
            card: session.card.and_then(|card| CardUid::new(card).ok()),
            since: LocalMinute(self.start.0.saturating_add(minutes(instant(session.arrival_s)))),
            priority: session.priority,
            branch: wall.node,
            wiring,
            registered: wall.registered,
            max: wall.max,
            car_max: session.ev_max_a.map(milli_amps),
            set,
            drawn: (!set.is_zero()).then(|| milli_amps(session.measured_a)),
            delivered: watt_hours(session.delivered_kwh),
            departs: session.departure_s.map(instant),
            needs: session.remaining_kwh.map(watt_hours),
            received_before: WattHours(0),
            promised: MilliAmps::ZERO,
            never_pause: false,
            thrifty: false,
            response: None,
        })
    }
}

fn past(past: &Past) -> PastSession {
    let (begin, end) = (local_minute(past.plugged_in), local_minute(past.plugged_out));
    PastSession {
        card: past.card.as_ref().and_then(|card| CardUid::new(card).ok()),
        plugged_in: begin,
        stay: DurationMs(u64::try_from(end.0.saturating_sub(begin.0)).unwrap_or(0) * 60_000),
        energy: watt_hours(past.energy_kwh),
    }
}

fn local_minute(at: DateTime) -> LocalMinute {
    let since = at.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
    LocalMinute(since.as_secs().div_euclid(60))
}

fn per_phase(amps: &[f64]) -> PerPhase<MilliAmps> {
    let at = |index: usize| amps.get(index).copied().map(milli_amps).unwrap_or_default();
    PerPhase::new(at(0), at(1), at(2))
}

fn minutes(at: Instant) -> i64 {
    i64::try_from(at.0 / 60_000).unwrap_or(i64::MAX)
}

fn instant(seconds: f64) -> Instant {
    Instant(u64::from(milli(seconds / 1000.0)) * 1000)
}

fn watt_hours(kilowatt_hours: f64) -> WattHours {
    WattHours(u64::from(milli(kilowatt_hours)))
}
