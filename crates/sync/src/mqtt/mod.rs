//! A broker further up: readings by topic and payload templates, with presets for what others expect.
//!
//! Every message is acknowledged by the broker (quality of service 1) before the cursor moves. A message that is sent
//! twice carries the same time and value, so it says nothing new.

mod link;
mod template;

pub use self::template::{Message, Preset, TemplateError, Templates};

use self::link::Link;
use crate::postgres::trouble;
use crate::{Batch, Sink, Trouble};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

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
    /// Whether the connection is encrypted and the broker's certificate checked.
    #[serde(default)]
    pub tls: bool,
    /// File with the authority's certificate, PEM; empty for those this computer knows.
    #[serde(default)]
    pub ca_file: String,
}

/// A connection to the broker.
pub struct Northbound {
    link: Link,
    templates: Templates,
    /// Topics whose description was sent on this connection.
    described: BTreeSet<String>,
    retain: bool,
}

impl Northbound {
    /// Connects.
    ///
    /// # Errors
    /// With the code `incomplete`, `template`, `name`, `port`, `tls`, `password`, `rights`, `refused` or `lost`.
    pub async fn connect(settings: &Settings, password: &str) -> Result<Self, Trouble> {
        if settings.host.is_empty() || settings.name.is_empty() {
            return Err(trouble("incomplete", "Enter the broker and how this building is to be called there", ""));
        }
        let templates = Templates::new(settings)
            .map_err(|error| trouble("template", format!("The templates cannot be used: {error}"), ""))?;
        let link = Link::open(settings, password).await?;
        Ok(Self { link, templates, described: BTreeSet::new(), retain: settings.retain })
    }
}

impl Sink for Northbound {
    async fn deliver(&mut self, batch: &Batch) -> Result<(), Trouble> {
        let readings = batch.newest_readings();
        let messages = self.templates.messages(&readings, &batch.series, &mut self.described);
        self.link.publish(&messages, self.retain).await
    }
}
