//! One connection to a broker, with or without TLS. It only publishes; packets are made and read by `rumqttc`'s codec,
//! because its own client takes no stream of ours and its TLS would bring an old certificate library.

use super::Settings;
use super::template::Message;
use crate::Trouble;
use crate::postgres::trouble;
use futures_util::{SinkExt, StreamExt as _};
use rumqttc::mqttbytes::v4::{Codec, Connect, Packet, Publish};
use rumqttc::{ConnectReturnCode, QoS};
use rustls::pki_types::ServerName;
use std::collections::BTreeSet;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_util::codec::Framed;

/// Messages on their way that the broker has not acknowledged.
const IN_FLIGHT: usize = 100;

/// Time for each step of a connection: name, port, TLS, greeting.
const STEP_MAX: Duration = Duration::from_secs(10);

/// The broker may forget us after one and a half of this many seconds without a message; minutes come more often.
const KEEP_ALIVE_S: u16 = 600;

/// Longest packet: payloads are templates, filled with some hundred characters.
const PACKET_MAX: usize = 256 * 1024;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that was greeted.
pub(super) struct Link {
    framed: Framed<Box<dyn Stream>, Codec>,
    host: String,
    packet: u16,
}

impl Link {
    pub(super) async fn open(settings: &Settings, password: &str) -> Result<Self, Trouble> {
        let stream = reach(&settings.host, settings.port).await?;
        let stream: Box<dyn Stream> = if settings.tls { encrypt(settings, stream).await? } else { Box::new(stream) };
        let codec = Codec { max_incoming_size: PACKET_MAX, max_outgoing_size: PACKET_MAX };
        let mut link = Self { framed: Framed::new(stream, codec), host: settings.host.clone(), packet: 0 };
        let mut hello = Connect::new(format!("meshwatt-{}", settings.name));
        hello.keep_alive = KEEP_ALIVE_S;
        if !settings.user.is_empty() {
            hello.set_login(&settings.user, password);
        }
        link.send(Packet::Connect(hello)).await?;
        link.flush().await?;
        let Settings { host, port, .. } = settings;
        let stranger = |detail: String| {
            trouble("port", format!("Something answers on port {port} of {host}, but it is no MQTT broker"), detail)
        };
        match tokio::time::timeout(STEP_MAX, link.framed.next()).await {
            Ok(Some(Ok(Packet::ConnAck(answer)))) => link.greeted(answer.code),
            Ok(None | Some(Err(_))) if !settings.tls => Err(trouble(
                "port",
                format!("What answers on port {port} of {host} is no MQTT broker, or one with TLS; then tick its box"),
                "",
            )),
            Ok(None) => Err(stranger("the connection ended".to_owned())),
            Ok(Some(other)) => Err(stranger(format!("{other:?}"))),
            Err(_elapsed) => Err(stranger(String::new())),
        }
    }

    fn greeted(self, code: ConnectReturnCode) -> Result<Self, Trouble> {
        let host = &self.host;
        match code {
            ConnectReturnCode::Success => Ok(self),
            ConnectReturnCode::BadUserNamePassword | ConnectReturnCode::NotAuthorized => {
                Err(trouble("password", format!("{host} refuses the user or the password"), format!("{code:?}")))
            }
            ConnectReturnCode::BadClientId => Err(trouble(
                "rights",
                format!("{host} refuses the name of this building; choose another"),
                format!("{code:?}"),
            )),
            ConnectReturnCode::RefusedProtocolVersion | ConnectReturnCode::ServiceUnavailable => {
                Err(trouble("refused", format!("{host} refuses the connection"), format!("{code:?}")))
            }
        }
    }

    fn lost(&self, detail: impl std::fmt::Display) -> Trouble {
        trouble("lost", format!("The connection to {} broke; tried again by itself", self.host), detail)
    }

    async fn send(&mut self, packet: Packet) -> Result<(), Trouble> {
        let done = self.framed.feed(packet).await;
        done.map_err(|error| self.lost(error))
    }

    async fn flush(&mut self) -> Result<(), Trouble> {
        let done = SinkExt::<Packet>::flush(&mut self.framed).await;
        done.map_err(|error| self.lost(error))
    }

    /// Publishes all and waits until the broker has acknowledged each.
    pub(super) async fn publish(&mut self, messages: &[Message], retain: bool) -> Result<(), Trouble> {
        let mut messages = messages.iter();
        let mut waiting = BTreeSet::new();
        loop {
            let room = IN_FLIGHT.saturating_sub(waiting.len());
            for message in messages.by_ref().take(room) {
                // Zero is no number of a packet; those on their way are fewer than there are numbers.
                self.packet = self.packet.checked_add(1).unwrap_or(1);
                let mut packet = Publish::new(&message.topic, QoS::AtLeastOnce, message.payload.as_bytes());
                packet.pkid = self.packet;
                packet.retain = retain || message.retain;
                waiting.insert(self.packet);
                self.send(Packet::Publish(packet)).await?;
            }
            if waiting.is_empty() {
                return Ok(());
            }
            self.flush().await?;
            match self.framed.next().await {
                Some(Ok(Packet::PubAck(answer))) => {
                    waiting.remove(&answer.pkid);
                }
                Some(Ok(_other)) => {}
                Some(Err(error)) => return Err(self.lost(error)),
                None => return Err(self.lost("the broker ended it")),
            }
        }
    }
}

async fn reach(host: &str, port: u16) -> Result<TcpStream, Trouble> {
    let found = tokio::time::timeout(STEP_MAX, tokio::net::lookup_host((host, port))).await;
    let addresses: Vec<_> = match found {
        Ok(Ok(addresses)) => addresses.collect(),
        Ok(Err(error)) => return Err(trouble("name", format!("No computer is called {host}; check the name"), error)),
        Err(_elapsed) => return Err(trouble("name", format!("The name {host} is not answered; check the line"), "")),
    };
    match tokio::time::timeout(STEP_MAX, TcpStream::connect(addresses.as_slice())).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(trouble(
            "port",
            format!("{host} is there, but nothing listens on port {port}; check the port and that the broker runs"),
            error,
        )),
        Err(_elapsed) => Err(trouble("port", format!("{host} does not answer on port {port}; check the firewall"), "")),
    }
}

async fn encrypt(settings: &Settings, stream: TcpStream) -> Result<Box<dyn Stream>, Trouble> {
    let Settings { host, port, .. } = settings;
    let connector = TlsConnector::from(crate::tls::client(&settings.ca_file)?);
    let name = ServerName::try_from(host.clone())
        .map_err(|error| trouble("name", format!("{host} is no name of a computer"), error))?;
    match tokio::time::timeout(STEP_MAX, connector.connect(name, stream)).await {
        Ok(Ok(stream)) => Ok(Box::new(stream)),
        Ok(Err(error)) => Err(trouble("tls", tls_words(host, *port, &error), error)),
        Err(_elapsed) => Err(trouble("tls", format!("{host} does not answer with TLS on port {port}"), "")),
    }
}

/// What is wrong with the certificate, or that there is none.
fn tls_words(host: &str, port: u16, error: &std::io::Error) -> String {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::NotValidForName | rustls::CertificateError::NotValidForNameContext { .. },
        )) => format!("The certificate of {host} is for another name; enter the name it was made for"),
        Some(rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer)) => {
            format!("The certificate of {host} is from an authority nobody here knows; choose the authority's file")
        }
        Some(rustls::Error::InvalidCertificate(
            rustls::CertificateError::Expired | rustls::CertificateError::ExpiredContext { .. },
        )) => format!("The certificate of {host} has ended; it must be renewed there"),
        Some(rustls::Error::InvalidCertificate(_)) => format!("The certificate of {host} is not accepted"),
        Some(_) | None => format!("Port {port} of {host} does not speak TLS; choose its TLS port, often 8883"),
    }
}
