//! Cloud and copies as the console knows them: what it asks for, what it sends, what came back. Pure.

use crate::remote::Remote;
use crate::text::Text;
use crate::transport::Method;
use api::{
    BackupForm, BackupPage, BackupPreview, CloudForm, CloudItem, ConnectionTest, ExportWritten, KafkaForm, KafkaItem,
    Language, MqttForm, MqttItem, RetentionForm, RetentionItem, SinkPause,
};
use serde::de::DeserializeOwned;

/// A value about cloud or copies.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeepingResource {
    /// The cloud database.
    Cloud,
    /// The broker further up.
    Mqtt,
    /// Kafka.
    Kafka,
    /// Copies of the records.
    Backups,
    /// How long records are kept.
    Retention,
    /// What is in a copy.
    Preview(String),
}

/// Something to do with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeepingCommand {
    /// Try the connection.
    Test(Box<CloudForm>),
    /// Start sending, or change what is sent where.
    Start(Box<CloudForm>),
    /// Send nothing for now, or go on.
    Pause(bool),
    /// Forget the cloud.
    Forget,
    /// Send from this computer.
    TakeOver,
    /// Try the broker further up.
    TestMqtt(Box<MqttForm>),
    /// Publish there.
    StartMqtt(Box<MqttForm>),
    /// Try Kafka.
    TestKafka(Box<KafkaForm>),
    /// Send there.
    StartKafka(Box<KafkaForm>),
    /// Send nothing to one of them for now, or go on.
    PauseSink(String, bool),
    /// Forget one of them.
    ForgetSink(String),
    /// Choose folder and rule of the copies.
    SetBackups(Box<BackupForm>),
    /// Choose how long records are kept.
    SetRetention(RetentionForm),
    /// Make a copy.
    BackUp,
    /// Bring a copy back.
    Restore(String),
    /// Write everything as open formats.
    Export,
}

impl KeepingCommand {
    /// What a button says.
    pub(crate) const fn label(&self) -> Text {
        match self {
            Self::Test(_) | Self::TestMqtt(_) | Self::TestKafka(_) => Text::CloudTest,
            Self::Start(_) | Self::StartMqtt(_) | Self::StartKafka(_) => Text::CloudStart,
            Self::Pause(true) | Self::PauseSink(_, true) => Text::CloudPause,
            Self::Pause(false) | Self::PauseSink(_, false) => Text::CloudGoOn,
            Self::Forget | Self::ForgetSink(_) => Text::CloudForget,
            Self::TakeOver => Text::CloudTakeOver,
            Self::SetBackups(_) | Self::SetRetention(_) => Text::Save,
            Self::BackUp => Text::BackupNow,
            Self::Restore(_) => Text::BackupRestore,
            Self::Export => Text::ExportDo,
        }
    }

    /// Its request.
    pub(crate) fn route(&self) -> (Method, String, Option<String>) {
        let empty = || Some("{}".to_owned());
        match self {
            Self::Test(form) => (Method::Post, "sync/cloud/test".to_owned(), serde_json::to_string(form).ok()),
            Self::Start(form) => (Method::Put, "sync/cloud".to_owned(), serde_json::to_string(form).ok()),
            Self::Pause(paused) => (
                Method::Post,
                "sync/cloud/pause".to_owned(),
                serde_json::to_string(&SinkPause { paused: *paused }).ok(),
            ),
            Self::TestMqtt(form) => (Method::Post, "sync/mqtt/test".to_owned(), serde_json::to_string(form).ok()),
            Self::StartMqtt(form) => (Method::Put, "sync/mqtt".to_owned(), serde_json::to_string(form).ok()),
            Self::TestKafka(form) => (Method::Post, "sync/kafka/test".to_owned(), serde_json::to_string(form).ok()),
            Self::StartKafka(form) => (Method::Put, "sync/kafka".to_owned(), serde_json::to_string(form).ok()),
            Self::PauseSink(sink, paused) => {
                (Method::Post, format!("sync/{sink}/pause"), serde_json::to_string(&SinkPause { paused: *paused }).ok())
            }
            Self::ForgetSink(sink) => (Method::Delete, format!("sync/{sink}"), None),
            Self::Forget => (Method::Delete, "sync/cloud".to_owned(), None),
            Self::TakeOver => (Method::Post, "sync/cloud/take-over".to_owned(), empty()),
            Self::SetBackups(form) => (Method::Put, "backups".to_owned(), serde_json::to_string(form).ok()),
            Self::SetRetention(form) => (Method::Put, "retention".to_owned(), serde_json::to_string(form).ok()),
            Self::BackUp => (Method::Post, "backups".to_owned(), empty()),
            Self::Restore(name) => (Method::Post, format!("backups/{name}/restore"), empty()),
            Self::Export => (Method::Post, "export".to_owned(), empty()),
        }
    }
}

impl KeepingResource {
    /// Where it is.
    pub(crate) fn path(&self) -> String {
        match self {
            Self::Cloud => "sync/cloud".to_owned(),
            Self::Mqtt => "sync/mqtt".to_owned(),
            Self::Kafka => "sync/kafka".to_owned(),
            Self::Backups => "backups".to_owned(),
            Self::Retention => "retention".to_owned(),
            Self::Preview(name) => format!("backups/{name}"),
        }
    }
}

/// Values about cloud and copies.
#[derive(Debug, Default)]
pub(crate) struct KeepingValues {
    /// The cloud database.
    pub(crate) cloud: Remote<CloudItem>,
    /// What the last test of a connection found.
    pub(crate) test: Option<ConnectionTest>,
    /// The broker further up.
    pub(crate) mqtt: Remote<MqttItem>,
    /// What the last test of it found.
    pub(crate) mqtt_test: Option<ConnectionTest>,
    /// Kafka.
    pub(crate) kafka: Remote<KafkaItem>,
    /// What the last test of it found.
    pub(crate) kafka_test: Option<ConnectionTest>,
    /// Copies.
    pub(crate) backups: Remote<BackupPage>,
    /// How long records are kept.
    pub(crate) retention: Remote<RetentionItem>,
    /// What is in the copy that was last looked into.
    pub(crate) preview: Remote<BackupPreview>,
    /// What was written last.
    pub(crate) exported: Option<ExportWritten>,
    /// Counts up when something was saved: forms begin anew.
    pub(crate) saved: u32,
}

fn parsed<T: DeserializeOwned>(answer: Result<String, String>, language: Language) -> Result<T, String> {
    serde_json::from_str(&answer?).map_err(|_unreadable| Text::AnswerUnreadable.get(language).to_owned())
}

impl KeepingValues {
    /// Notes that a value was asked for.
    pub(crate) fn ask(&mut self, resource: &KeepingResource) {
        match resource {
            KeepingResource::Cloud => self.cloud.ask(),
            KeepingResource::Mqtt => self.mqtt.ask(),
            KeepingResource::Kafka => self.kafka.ask(),
            KeepingResource::Backups => self.backups.ask(),
            KeepingResource::Retention => self.retention.ask(),
            KeepingResource::Preview(_) => self.preview.ask(),
        }
    }

    /// Takes an answer in.
    pub(crate) fn answer(&mut self, resource: &KeepingResource, answer: Result<String, String>, language: Language) {
        match resource {
            KeepingResource::Cloud => self.cloud.answer(parsed(answer, language)),
            KeepingResource::Mqtt => self.mqtt.answer(parsed(answer, language)),
            KeepingResource::Kafka => self.kafka.answer(parsed(answer, language)),
            KeepingResource::Backups => self.backups.answer(parsed(answer, language)),
            KeepingResource::Retention => self.retention.answer(parsed(answer, language)),
            KeepingResource::Preview(_) => self.preview.answer(parsed(answer, language)),
        }
    }

    /// A command was carried out; gives what is to be asked for now and what to say.
    pub(crate) fn done(&mut self, command: &KeepingCommand, body: &str) -> (Vec<KeepingResource>, Option<Text>) {
        match command {
            KeepingCommand::Test(_) => {
                self.test = serde_json::from_str(body).ok();
                (Vec::new(), None)
            }
            KeepingCommand::Start(_) => {
                self.saved += 1;
                self.test = None;
                self.cloud_changed(body);
                (Vec::new(), Some(Text::CloudStarted))
            }
            KeepingCommand::TestMqtt(_) => {
                self.mqtt_test = serde_json::from_str(body).ok();
                (Vec::new(), None)
            }
            KeepingCommand::TestKafka(_) => {
                self.kafka_test = serde_json::from_str(body).ok();
                (Vec::new(), None)
            }
            KeepingCommand::StartMqtt(_) | KeepingCommand::StartKafka(_) => {
                self.saved += 1;
                (vec![KeepingResource::Mqtt, KeepingResource::Kafka], Some(Text::CloudStarted))
            }
            KeepingCommand::PauseSink(..) | KeepingCommand::ForgetSink(_) => {
                self.saved += 1;
                (vec![KeepingResource::Mqtt, KeepingResource::Kafka], None)
            }
            KeepingCommand::Pause(_) | KeepingCommand::TakeOver => {
                self.cloud_changed(body);
                (Vec::new(), None)
            }
            KeepingCommand::Forget => {
                self.saved += 1;
                self.test = None;
                (vec![KeepingResource::Cloud], None)
            }
            KeepingCommand::SetBackups(_) => {
                self.saved += 1;
                self.backups_changed(body);
                (Vec::new(), Some(Text::SettingsSaved))
            }
            KeepingCommand::SetRetention(_) => {
                self.saved += 1;
                if let Ok(item) = serde_json::from_str(body) {
                    self.retention.answer(Ok(item));
                }
                (Vec::new(), Some(Text::SettingsSaved))
            }
            KeepingCommand::BackUp => (vec![KeepingResource::Backups], Some(Text::BackupMade)),
            KeepingCommand::Restore(_) => {
                self.backups_changed(body);
                (Vec::new(), None)
            }
            KeepingCommand::Export => {
                self.exported = serde_json::from_str(body).ok();
                (Vec::new(), Some(Text::ExportDone))
            }
        }
    }

    fn cloud_changed(&mut self, body: &str) {
        if let Ok(item) = serde_json::from_str(body) {
            self.cloud.answer(Ok(item));
        }
    }

    fn backups_changed(&mut self, body: &str) {
        if let Ok(page) = serde_json::from_str(body) {
            self.backups.answer(Ok(page));
        }
    }
}
