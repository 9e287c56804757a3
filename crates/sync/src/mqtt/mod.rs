//! A broker further up: readings by topic and payload templates, with presets for what others expect.
//!
//! Every message is acknowledged by the broker (quality of service 1) before the cursor moves. A message that is sent
//! twice carries the same time and value, so it says nothing new.

mod template;

pub use self::template::{Message, Preset, TemplateError, Templates};

use crate::postgres::trouble;
use crate::{Batch, Sink, Trouble};
use rumqttc::{AsyncClient, ConnectReturnCode, ConnectionError, Event, EventLoop, Incoming, MqttOptions, QoS};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Messages on their way that the broker has not acknowledged.
const IN_FLIGHT: u16 = 100;

/// Time the broker has to take a connection.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// Where the broker is; the password is kept elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// User; empty for none.
    #[serde(default)]
    pub user: String,
    /// How this building calls itself there; also the identity of the client.
    #[serde(default)]
    pub name: String,
    /// Ready-made templates, or one's own.
    #[serde(default)]
    pub preset: Preset,
    /// Topic, for one's own templates.
    #[serde(default)]
    pub topic: String,
    /// Payload, for one's own templates.
    #[serde(default)]
    pub payload: String,
    /// Whether the broker keeps the newest message of each topic.
    #[serde(default)]
    pub retain: bool,
}

/// A connection to the broker.
pub struct Northbound {
    client: AsyncClient,
    events: EventLoop,
    templates: Templates,
    /// Topics whose description was sent on this connection.
    described: BTreeSet<String>,
    retain: bool,
    host: String,
}

impl Northbound {
    /// Connects.
    ///
    /// # Errors
    /// With the code `incomplete`, `template`, `name`, `port`, `password`, `rights` or `lost`.
    pub async fn connect(settings: &Settings, password: &str) -> Result<Self, Trouble> {
        if settings.host.is_empty() || settings.name.is_empty() {
            return Err(trouble("incomplete", "Enter the broker and how this building is to be called there", ""));
        }
        let templates = Templates::new(settings)
            .map_err(|error| trouble("template", format!("The templates cannot be used: {error}"), ""))?;
        let Settings { host, port, .. } = settings;
        reach(host, *port).await?;
        let mut options = MqttOptions::new(format!("meshwatt-{}", settings.name), host, *port);
        options.set_keep_alive(Duration::from_secs(30)).set_inflight(IN_FLIGHT).set_clean_session(true);
        if !settings.user.is_empty() {
            options.set_credentials(&settings.user, password);
        }
        let (client, events) = AsyncClient::new(options, usize::from(IN_FLIGHT));
        let host = host.clone();
        let mut open = Self { client, events, templates, described: BTreeSet::new(), retain: settings.retain, host };
        let greeted = tokio::time::timeout(CONNECT_MAX, async {
            loop {
                match open.events.poll().await {
                    Ok(Event::Incoming(Incoming::ConnAck(_))) => return Ok(()),
                    Ok(_) => {}
                    Err(error) => return Err(open.lost(&error)),
                }
            }
        });
        match greeted.await {
            Ok(done) => done.map(|()| open),
            Err(_elapsed) => {
                let host = &settings.host;
                Err(trouble(
                    "port",
                    format!("Something answers on port {port} of {host}, but it is no MQTT broker"),
                    "",
                ))
            }
        }
    }

    fn lost(&self, error: &ConnectionError) -> Trouble {
        let host = &self.host;
        match error {
            ConnectionError::ConnectionRefused(
                ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized,
            ) => trouble("password", format!("{host} refuses the user or the password"), error),
            other => trouble("lost", format!("The connection to {host} broke; tried again by itself"), other),
        }
    }

    /// Publishes all and waits until the broker has acknowledged each.
    async fn publish(&mut self, messages: &[Message]) -> Result<(), Trouble> {
        let (mut sent, mut acknowledged) = (0, 0);
        while acknowledged < messages.len() {
            while let Some(message) = messages.get(sent)
                && sent - acknowledged < usize::from(IN_FLIGHT)
            {
                let retain = message.retain || self.retain;
                let given = self.client.try_publish(&message.topic, QoS::AtLeastOnce, retain, message.payload.clone());
                if given.is_err() {
                    break;
                }
                sent += 1;
            }
            match self.events.poll().await {
                Ok(Event::Incoming(Incoming::PubAck(_))) => acknowledged += 1,
                Ok(_) => {}
                Err(error) => return Err(self.lost(&error)),
            }
        }
        Ok(())
    }
}

async fn reach(host: &str, port: u16) -> Result<(), Trouble> {
    let found = tokio::time::timeout(CONNECT_MAX, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(trouble("name", format!("No computer is called {host}; check the name"), error)),
        Err(_elapsed) => return Err(trouble("name", format!("The name {host} is not answered; check the line"), "")),
    };
    match tokio::time::timeout(CONNECT_MAX, tokio::net::TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(_stream)) => Ok(()),
        Ok(Err(error)) => Err(trouble(
            "port",
            format!("{host} is there, but nothing listens on port {port}; check the port and that the broker runs"),
            error,
        )),
        Err(_elapsed) => Err(trouble("port", format!("{host} does not answer on port {port}; check the firewall"), "")),
    }
}

impl Sink for Northbound {
    async fn deliver(&mut self, batch: &Batch) -> Result<(), Trouble> {
        let readings = batch.newest_readings();
        let messages = self.templates.messages(&readings, &batch.series, &mut self.described);
        self.publish(&messages).await
    }
}
