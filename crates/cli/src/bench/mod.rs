//! `meshwatt bench`: what this program does on this computer, measured from outside against a process of its own.

mod answers;
#[cfg(unix)]
mod catch_up;
mod ceiling;
mod charger;
#[cfg(unix)]
mod faults;
mod guard_loop;
mod idle;
mod month;
mod ocpp;
mod process;
mod statements;
#[cfg(unix)]
mod trip;
mod wire;
mod year;

use crate::Failure;
use clap::Subcommand;

/// What to measure.
#[derive(Clone, Debug, Subcommand)]
pub enum Bench {
    /// Time from a charger's message to its answer, with many chargers reporting every second
    Answers(answers::Options),
    /// Time and memory of a large month: its preview, and a PDF for every tenant
    Statements(statements::Options),
    /// Memory and processor share with few chargers reporting now and then
    Idle(idle::Options),
    /// Connections, messages a second, latency, memory and processor time of the OCPP side, beside the ceiling
    Ocpp(ocpp::Options),
    /// Rows a second when a cloud that was away for a month comes back; needs a PostgreSQL installed
    #[cfg(unix)]
    CatchUp(catch_up::Options),
    /// Random faults of lines, cloud, brokers and program, then a comparison row by row; needs what cargo xtask test installs
    #[cfg(unix)]
    Faults(faults::Options),
    /// Size of the records after a year, and how fast graphs of any period open
    Year(year::Options),
    /// The ceiling as a process of its own
    #[command(hide = true)]
    Ceiling(ceiling::Options),
    /// Time for a month of a building in steps of a second, from domain events or through the wire codecs
    Month(month::Options),
    /// Random buildings in which meter, links, chargers, clock and computer fail: whether a breaker opens
    Buildings(month::Trials),
    /// How close a harsh little site comes to a trip, and how much it charges, in simulated hours
    Loop(guard_loop::Options),
    /// How close a virtual building on real sockets comes to a trip, with limits that get lost and the program killed
    #[cfg(unix)]
    Trip(trip::Options),
}

pub(crate) async fn run(bench: Bench) -> Result<(), Failure> {
    match bench {
        Bench::Answers(options) => answers::run(&options).await,
        Bench::Statements(options) => statements::run(&options).await,
        Bench::Idle(options) => idle::run(&options).await,
        Bench::Ocpp(options) => ocpp::run(&options).await,
        #[cfg(unix)]
        Bench::CatchUp(options) => catch_up::run(&options).await,
        #[cfg(unix)]
        Bench::Faults(options) => faults::run(&options).await,
        Bench::Year(options) => year::run(&options).await,
        Bench::Ceiling(options) => ceiling::run(&options).await,
        Bench::Month(options) => month::run(&options),
        Bench::Buildings(options) => month::run_trials(&options),
        Bench::Loop(options) => guard_loop::run(&options),
        #[cfg(unix)]
        Bench::Trip(options) => trip::run(&options).await,
    }
}
