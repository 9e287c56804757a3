//! A building, its cloud, an MQTT broker and Kafka under random faults: connections are cut and delayed, the servers crash or
//! restart, the program is killed; in the end everything must have arrived, once and in order.

mod compare;
mod http;
mod proxy;

use crate::Failure;
use crate::report::say;
use clap::Args;
use proxy::Proxy;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use sync::cluster::{Cluster, Consumer, Ending, Kafka, Listener, Mosquitto, PASSWORD, free_port};
use tokio::process::{Child, Command};

/// Time a program has to be ready, or everything to arrive after the last fault.
const PATIENCE: Duration = Duration::from_secs(180);

/// Topic of rows.
const TOPIC: &str = "records";

/// Topic of readings.
const READINGS_TOPIC: &str = "readings";

/// Partitions of each, so that the building has to stay on one.
const PARTITIONS: i32 = 3;

/// What to do how often.
#[derive(Clone, Debug, Args)]
pub struct Options {
    /// Faults
    #[arg(long, value_name = "N", default_value_t = 200)]
    rounds: u32,
    /// Where the dice begin; a new one is taken and printed when absent
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// How fast the virtual building lives: 1, 10 or 60
    #[arg(long, value_name = "N", default_value_t = 60)]
    speed: u8,
}

/// One of the things that go wrong.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Cut,
    Refuse,
    Delay,
    ServerCrash,
    ServerStop,
    BrokerStop,
    StreamStop,
    Kill,
}

impl Fault {
    const ALL: [Self; 8] = [
        Self::Cut,
        Self::Refuse,
        Self::Delay,
        Self::ServerCrash,
        Self::ServerStop,
        Self::BrokerStop,
        Self::Kill,
        Self::StreamStop,
    ];
}

/// Numbers from a seed: `SplitMix64`, published by Steele, Lea and Flood; enough for dice.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below.max(1)
    }

    fn pause(&mut self, below_ms: u64) -> Duration {
        Duration::from_millis(self.roll(below_ms))
    }
}

fn failed(what: &'static str) -> impl Fn(std::io::Error) -> Failure {
    move |source| Failure::System { what, source }
}

/// The program under test, as a process that can be killed.
pub(super) struct Program {
    child: Child,
    port: u16,
    dir: PathBuf,
}

impl Program {
    pub(super) async fn start(dir: &Path, mode: &[&str]) -> Result<Self, Failure> {
        let port = free_port().map_err(failed("no free port"))?;
        let program = std::env::current_exe().map_err(failed("cannot find this program"))?;
        let child = Command::new(program)
            .args(mode)
            .args(["--http", &format!("127.0.0.1:{port}"), "--data-dir"])
            .arg(dir)
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(failed("cannot start the program"))?;
        let started = Self { child, port, dir: dir.to_owned() };
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while started.ask("GET", "health", "").await.is_err() {
            if tokio::time::Instant::now() > deadline {
                return Err(Failure::NotMet("the program does not start again".to_owned()));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(started)
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Result<String, Failure> {
        let token = std::fs::read_to_string(self.dir.join("api.token")).map_err(failed("no token"))?;
        http::ask(self.port, token.trim(), method, path, body).await
    }

    /// As a power cut does: no goodbye.
    pub(super) async fn kill(mut self) -> Result<(), Failure> {
        self.child.kill().await.map_err(failed("cannot kill the program"))
    }

    /// Everything has arrived at a sink.
    async fn drain(&self, sink: &str) -> Result<(), Failure> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            let text = self.ask("GET", &format!("sync/{sink}"), "").await.unwrap_or_default();
            if text.contains("\"phase\":\"up_to_date\"") && text.contains("\"waiting\":0,") {
                return Ok(());
            }
            if tokio::time::Instant::now() > deadline {
                return Err(Failure::NotMet(format!("not everything arrived: {text}")));
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

struct Bench {
    cluster: Cluster,
    broker: Mosquitto,
    stream: Kafka,
    /// The lines to the database, to the broker and to Kafka.
    lines: [Proxy; 3],
    listener: Listener,
    consumer: Consumer,
    dice: Dice,
    kills: u32,
}

/// Plays the faults, then compares.
pub(super) async fn run(options: &Options) -> Result<(), Failure> {
    let seed = options.seed.unwrap_or_else(|| u64::from(std::process::id()) ^ 0x6d65_7368);
    say(&format!("seed {seed}, {} rounds", options.rounds))?;
    let home = std::env::temp_dir().join(format!("meshwatt-faults-{}", std::process::id()));
    let (server_dir, broker_dir, data) = (home.join("server"), home.join("broker"), home.join("data"));
    for dir in [&server_dir, &broker_dir] {
        std::fs::create_dir_all(dir).map_err(failed("cannot write to the temporary folder"))?;
    }
    let cluster = Cluster::start(&server_dir, &[]).map_err(failed("no PostgreSQL for the test"))?;
    let broker = Mosquitto::start(&broker_dir).map_err(failed("no Mosquitto for the test"))?;
    let listener = Listener::begin(broker.port()).await.map_err(failed("nobody listens to the Mosquitto"))?;
    let database = Proxy::start(cluster.settings().port).await.map_err(failed("no proxy"))?;
    let northbound = Proxy::start(broker.port()).await.map_err(failed("no proxy"))?;
    let mut stream =
        Kafka::start(&[(TOPIC, PARTITIONS), (READINGS_TOPIC, PARTITIONS)]).map_err(failed("no Kafka for the test"))?;
    let consumer = stream.read().await.map_err(failed("nobody reads from Kafka"))?;
    let to_stream = Proxy::start(stream.port()).await.map_err(failed("no proxy"))?;
    stream.advertise(to_stream.port()).map_err(failed("Kafka does not obey"))?;
    let lines = [database, northbound, to_stream];
    let mut bench = Bench { cluster, broker, stream, lines, listener, consumer, dice: Dice(seed), kills: 0 };
    let done = play(options, &mut bench, &data).await;
    drop(bench);
    if done.is_ok() {
        drop(std::fs::remove_dir_all(&home));
    } else {
        say(&format!("the folder {} is kept to look into", home.display()))?;
    }
    done
}

/// Tells the program to send to all.
async fn begin(program: &Program, bench: &Bench) -> Result<(), Failure> {
    let settings = bench.cluster.settings();
    let [database, northbound, stream] = bench.lines.each_ref().map(Proxy::port);
    let consent = r#"{"names":true,"cards":true,"papers":true,"frames":true}"#;
    let cloud = format!(
        r#"{{"host":"127.0.0.1","port":{database},"database":"{}","user":"{}","tls":"off","password":"{PASSWORD}",
        "consent":{consent}}}"#,
        settings.database, settings.user,
    );
    let mqtt = format!(
        r#"{{"host":"127.0.0.1","port":{northbound},"name":"faults","preset":"own","topic":"{{source}}/{{quantity}}",
        "payload":"{{at_ms}} {{value}}"}}"#
    );
    let kafka = format!(
        r#"{{"brokers":"127.0.0.1:{stream}","topic":"{TOPIC}","readings_topic":"{READINGS_TOPIC}","consent":{consent}}}"#
    );
    for (sink, form) in [("cloud", cloud), ("mqtt", mqtt), ("kafka", kafka)] {
        let begun = program.ask("PUT", &format!("sync/{sink}"), &form).await?;
        if !begun.contains("\"configured\":true") {
            return Err(Failure::NotMet(format!("sending did not begin: {begun}")));
        }
    }
    Ok(())
}

async fn play(options: &Options, bench: &mut Bench, data: &Path) -> Result<(), Failure> {
    let speed = options.speed.to_string();
    let building = ["demo", "--speed", speed.as_str()];
    let mut program = Program::start(data, &building).await?;
    begin(&program, bench).await?;
    for round in 1..=options.rounds {
        let which = usize::try_from(bench.dice.roll(8)).unwrap_or(0);
        let fault = Fault::ALL.get(which).copied().unwrap_or(Fault::Cut);
        tracing::info!(round, ?fault, "a fault");
        tokio::time::sleep(bench.dice.pause(1500)).await;
        program = strike(fault, bench, program, data, &building).await?;
        if round % 20 == 0 {
            say(&format!("{round} rounds, the program was killed {} times", bench.kills))?;
        }
    }
    program.kill().await?;
    // The same records without the virtual building: nothing changes any more, and the rest arrives.
    let since_ms = jiff::Timestamp::now().as_millisecond();
    let quiet = Program::start(data, &["serve", "--ocpp", "127.0.0.1:0", "--mqtt", "127.0.0.1:0"]).await?;
    for sink in ["cloud", "mqtt", "kafka"] {
        quiet.drain(sink).await?;
    }
    // What it notes after that waits in the outbox, and is not compared.
    quiet.kill().await?;
    compare::all(data, &bench.listener, &bench.consumer, PATIENCE, since_ms).await
}

async fn strike(
    fault: Fault,
    bench: &mut Bench,
    program: Program,
    data: &Path,
    building: &[&str],
) -> Result<Program, Failure> {
    let server = failed("PostgreSQL does not obey");
    let which = bench.dice.roll(3);
    let Bench { lines: [database, northbound, to_stream], dice, .. } = bench;
    let line = match which {
        0 => database,
        1 => northbound,
        _ => to_stream,
    };
    match fault {
        Fault::Cut => line.cut(),
        Fault::Refuse => {
            line.refuse();
            tokio::time::sleep(dice.pause(2000)).await;
            line.calm();
        }
        Fault::Delay => {
            line.delay(dice.pause(800));
            tokio::time::sleep(dice.pause(2000)).await;
            line.calm();
        }
        Fault::ServerCrash | Fault::ServerStop => {
            let ending = if matches!(fault, Fault::ServerCrash) { Ending::Crash } else { Ending::Fast };
            bench.cluster.stop(ending).map_err(&server)?;
            tokio::time::sleep(bench.dice.pause(1000)).await;
            bench.cluster.resume().map_err(&server)?;
        }
        Fault::BrokerStop => {
            let broker = failed("Mosquitto does not obey");
            bench.broker.stop().map_err(&broker)?;
            tokio::time::sleep(bench.dice.pause(1000)).await;
            bench.broker.resume().map_err(&broker)?;
        }
        Fault::StreamStop => {
            let broker = failed("Kafka does not obey");
            bench.stream.stop().map_err(&broker)?;
            tokio::time::sleep(bench.dice.pause(1000)).await;
            bench.stream.resume().map_err(&broker)?;
        }
        Fault::Kill => {
            program.kill().await?;
            bench.kills += 1;
            return Program::start(data, building).await;
        }
    }
    Ok(program)
}
