//! An IEVCC device's MQTT connection.

use super::{Backoff, CONNECT_MAX, Ended, Handle, Link, Port, Wire, wire};
use crate::world::{DeviceInput, DeviceOutput};
use rumqttc::{AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, Packet, QoS};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Where an IEVCC device connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeshClientConfig {
    /// The broker.
    pub broker: SocketAddr,
    /// Identity: client id, user name and topic.
    pub device: String,
    /// Its password.
    pub password: String,
}

/// A device's client: connects, reconnects and carries messages until it is dropped.
#[derive(Debug)]
pub struct MeshClient {
    handle: Handle,
}

/// Requests that wait for the event loop; the device sends a handful per second at most.
const REQUESTS: usize = 128;
/// Largest message either way; the protocol's own are below 1 KB.
const PACKET_BYTES_MAX: usize = 64 * 1024;
/// Pause before the connection is opened again after the device closed it itself, as after a reset.
const RESTART: Duration = Duration::from_millis(500);

impl MeshClient {
    /// Starts the client on the current runtime.
    #[must_use]
    pub fn start(config: MeshClientConfig, port: Arc<dyn Port>) -> Self {
        let (handle, wire) = wire(port);
        tokio::spawn(run(config, wire));
        Self { handle }
    }

    /// Breaks, mends or ends the link.
    pub fn set_link(&self, link: Link) {
        self.handle.link.send_replace(link);
    }

    /// Gives an output the machine made on its own; it is lost when the link takes nothing.
    pub fn push(&self, output: DeviceOutput) {
        if self.handle.outputs.try_send(output).is_err() {
            tracing::debug!("a virtual device's link takes nothing");
        }
    }
}

impl Drop for MeshClient {
    fn drop(&mut self) {
        self.set_link(Link::Gone);
    }
}

async fn run(config: MeshClientConfig, mut wire: Wire) {
    let mut backoff = Backoff::new();
    while wire.intact().await {
        wire.drop_stale();
        let mut connection = Connection::new(&config);
        let ended = connection.carry(&mut wire).await;
        if ended == Ended::Lost {
            let _nothing_to_send = wire.port.handle(DeviceInput::LinkDown);
        }
        backoff.pause(ended).await;
    }
}

/// One connection with its own event loop: after an error the old one is never used again.
struct Connection {
    topic: String,
    client: AsyncClient,
    events: EventLoop,
    up: bool,
}

impl Connection {
    fn new(config: &MeshClientConfig) -> Self {
        let mut options = MqttOptions::new(config.device.clone(), config.broker.ip().to_string(), config.broker.port());
        options.set_credentials(config.device.clone(), config.password.clone());
        options.set_keep_alive(Duration::from_secs(20));
        options.set_clean_session(true);
        options.set_max_packet_size(PACKET_BYTES_MAX, PACKET_BYTES_MAX);
        let (client, mut events) = AsyncClient::new(options, REQUESTS);
        events.network_options.set_connection_timeout(CONNECT_MAX.as_secs());
        Self { topic: config.device.clone(), client, events, up: false }
    }

    /// Carries messages until the link is cut or the connection fails.
    ///
    /// The event loop is polled by one future that is never dropped half-way but at the end.
    async fn carry(&mut self, wire: &mut Wire) -> Ended {
        let Self { topic, client, events, up } = self;
        let port = wire.port.clone();
        let receive = receive(topic, client, events, up, port.as_ref());
        let forward = async {
            while let Some(output) = wire.outputs.recv().await {
                if send(client, output) == Sent::Closing {
                    break;
                }
            }
            // What was published just before leaves first.
            tokio::time::sleep(RESTART).await;
        };
        tokio::select! {
            error = receive => if let Some(error) = error {
                tracing::debug!(%error, device = topic, "a virtual device's connection ended");
            },
            () = forward => {}
            () = Wire::cut(&mut wire.link) => {}
        }
        if self.up { Ended::Lost } else { Ended::Refused }
    }
}

/// Polls until the connection fails (`Some`) or the device closes it (`None`).
async fn receive(
    topic: &str,
    client: &AsyncClient,
    events: &mut EventLoop,
    up: &mut bool,
    port: &dyn Port,
) -> Option<ConnectionError> {
    loop {
        let outputs = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                if client.try_subscribe(topic, QoS::AtLeastOnce).is_err() {
                    return None;
                }
                Vec::new()
            }
            // Granted or refused (a stranger may only say hello): either way the device can speak now.
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                *up = true;
                port.handle(DeviceInput::LinkUp)
            }
            Ok(Event::Incoming(Packet::Publish(message))) => port.handle(DeviceInput::Received(&message.payload)),
            Ok(_) => Vec::new(),
            Err(error) => return Some(error),
        };
        for output in outputs {
            if send(client, output) == Sent::Closing {
                return None;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Queued,
    Closing,
}

fn send(client: &AsyncClient, output: DeviceOutput) -> Sent {
    match output {
        DeviceOutput::Publish { topic, payload } => {
            match client.try_publish(topic, QoS::AtLeastOnce, false, payload) {
                Ok(()) => Sent::Queued,
                // The queue is full: this connection is stuck, a new one starts clean.
                Err(_) => Sent::Closing,
            }
        }
        DeviceOutput::Close => Sent::Closing,
        DeviceOutput::Text(_) => Sent::Queued,
    }
}
