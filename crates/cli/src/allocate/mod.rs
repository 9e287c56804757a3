//! `meshwatt allocate`: the decider behind JSON lines on standard input and output, for measuring tools.

mod guard_loop;
mod sharing;

use crate::Failure;

/// How to speak with the tool.
#[derive(Clone, Debug, clap::Args)]
pub struct Options {
    /// Decide second by second on meter samples, as `loop_safety.py` asks; without it, once per period on
    /// what is available, as `sharing_compare.py` asks
    #[arg(long = "loop")]
    guard_loop: bool,
    /// Standard input and output carry the messages; always on
    #[arg(long)]
    stdio: bool,
}

pub(crate) fn run(options: &Options) -> Result<(), Failure> {
    let Options { guard_loop, stdio: _ } = options;
    let (input, output) = (std::io::stdin().lock(), std::io::stdout().lock());
    if *guard_loop {
        return guard_loop::speak(input, output);
    }
    sharing::speak(input, output)
}
