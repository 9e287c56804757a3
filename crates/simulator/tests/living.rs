//! The living building without sockets, and an OCPP client on a real one.
#![expect(clippy::unwrap_used, reason = "a test may stop at what cannot be")]

use domain::{DurationMs, Instant, Now, Timestamp};
use futures_util::{SinkExt as _, StreamExt as _};
use simulator::{
    DeviceInput, DeviceOutput, Life, Link, OcppClient, OcppClientConfig, People, Physics, Port, World, build_world,
    building_plan, parse_time,
};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};

/// Lets the building live for so many seconds; nobody answers its devices.
fn live(start: Timestamp, seconds: u64) -> (World, usize) {
    let plan = building_plan(2026, start).unwrap();
    let mut world = build_world(&plan, &BTreeMap::new(), Physics::REAL);
    let mut now = Now { instant: Instant(0), wall: start };
    let mut people = People::new(&plan, Life::Lively, now);
    let mut most = 0;
    for _ in 0..seconds * 5 {
        let step = DurationMs(200);
        now = Now { instant: now.instant + step, wall: now.wall + step };
        world.step(now, step);
        people.step(now, &mut world);
        most = most.max(cars(&world));
    }
    (world, most)
}

fn cars(world: &World) -> usize {
    world.devices().filter(|(_, device)| device.outlet().is_some_and(|outlet| outlet.car().is_some())).count()
}

/// Whenever the demo starts, at least five cars are plugged in within five seconds, and no bay is used twice.
#[test]
fn there_are_cars_at_any_time_of_day() {
    let monday = parse_time("2026-11-16T00:00:00Z").unwrap();
    for quarter in 0..7 * 24_u64 {
        let start = monday + DurationMs(quarter * 3_600_000 + 1_234_567);
        let (world, most) = live(start, 5);
        assert!((5..=8).contains(&most), "{} cars at {start:?}", cars(&world));
    }
}

/// Cars come and go: after a day other cars stand there, and the bays are never all empty for good.
#[test]
fn cars_come_and_go() {
    let start = parse_time("2026-11-16T08:00:00Z").unwrap();
    let plan = building_plan(2026, start).unwrap();
    let list = simulator::visits(plan.seed, start, start + DurationMs(7 * 86_400_000), 8, 10);
    assert!(list.len() > 20, "{} visits in a week", list.len());
}

/// A machine that counts links and answers nothing.
#[derive(Default)]
struct Counter(Mutex<Vec<&'static str>>);

impl Port for Counter {
    fn handle(&self, input: DeviceInput<'_>) -> Vec<DeviceOutput> {
        let mut events = self.0.lock().unwrap();
        match input {
            DeviceInput::LinkUp => {
                events.push("up");
                vec![DeviceOutput::Text("[2,\"1\",\"BootNotification\",{}]".to_owned())]
            }
            DeviceInput::LinkDown => {
                events.push("down");
                Vec::new()
            }
            DeviceInput::Received(_) => {
                events.push("received");
                vec![DeviceOutput::Text("heard".to_owned())]
            }
            _ => Vec::new(),
        }
    }
}

/// Chooses `ocpp1.6` as a central system does; a charger that asked for it hangs up otherwise.
#[expect(clippy::result_large_err, reason = "the signature tungstenite asks for")]
fn choose_ocpp16(request: &Request, mut response: Response) -> Result<Response, ErrorResponse> {
    let asked = request.headers().get("Sec-WebSocket-Protocol").cloned().unwrap();
    assert_eq!(asked, "ocpp1.6");
    assert_eq!(request.uri().path(), "/ocpp/CP-1");
    response.headers_mut().insert("Sec-WebSocket-Protocol", asked);
    Ok(response)
}

/// The client connects as `ocpp1.6`, carries frames, stays away while its link is broken and comes back.
#[tokio::test]
async fn an_ocpp_client_carries_and_comes_back() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/ocpp", listener.local_addr().unwrap());
    let port = Arc::new(Counter::default());
    let client = OcppClient::start(OcppClientConfig { url, id: "CP-1".to_owned() }, port.clone());
    for round in 0..2 {
        let (stream, _) = listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_hdr_async(stream, choose_ocpp16).await.unwrap();
        let frame = socket.next().await.unwrap().unwrap();
        assert!(frame.to_text().unwrap().contains("BootNotification"));
        socket.send(Message::text("[3,\"1\",{}]")).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap().to_text().unwrap(), "heard");
        client.push(DeviceOutput::Text(format!("round {round}")));
        assert_eq!(socket.next().await.unwrap().unwrap().to_text().unwrap(), format!("round {round}"));
        client.set_link(Link::Broken);
        while let Some(Ok(_)) = socket.next().await {}
        let nobody = tokio::time::timeout(Duration::from_millis(600), listener.accept()).await;
        assert!(nobody.is_err(), "a broken link stays broken");
        client.set_link(Link::Intact);
    }
    assert_eq!(*port.0.lock().unwrap(), ["up", "received", "down", "up", "received", "down"]);
}
