//! A virtual building sends to a real PostgreSQL, a real Mosquitto and the Kafka broker of librdkafka while lines
//! are cut and delayed, the servers crash and restart and the program is killed; then everything is compared row by row.
//! `meshwatt bench faults` is the long run.

use std::process::Command;
use tests::meshwatt_program;

/// Where the dice begin: with these rounds every kind of fault comes up, on every line, and the program is killed twice.
const SEED: &str = "19933";
const ROUNDS: &str = "12";

/// No row is missing, doubled or different, whatever breaks.
#[test]
fn faults_lose_nothing() {
    let output = Command::new(meshwatt_program())
        .args(["bench", "faults", "--rounds", ROUNDS, "--seed", SEED])
        .output()
        .expect("the program of this build starts");
    let told = String::from_utf8_lossy(&output.stdout);
    println!("{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "see above; run it again with: meshwatt bench faults --seed {SEED}");
    assert!(told.contains("in the cloud 0 are missing, 0 differ, 0 are too many"));
    assert_eq!(told.matches("in Kafka 0 are missing, 0 differ").count(), 2, "rows and minutes");
    assert!(told.contains("at the broker 0 are missing, 0 differ, 0 came after a later one"));
}
