//! Counters for `metrics`, in the text format of Prometheus.

use crate::engine::Live;
use control::StorageState;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the program started.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    ocpp_received: AtomicU64,
    ocpp_sent: AtomicU64,
    mqtt_received: AtomicU64,
    http_requests: AtomicU64,
}

impl Metrics {
    pub(crate) fn ocpp_received(&self) {
        self.ocpp_received.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ocpp_sent(&self) {
        self.ocpp_sent.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn mqtt_message(&self) {
        self.mqtt_received.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn http_request(&self) {
        self.http_requests.fetch_add(1, Ordering::Relaxed);
    }

    /// Everything as text.
    pub(crate) fn text(&self, live: &Live, commits: u64, sinks: &[api::SinkStatus]) -> String {
        let mut text = Text(String::with_capacity(4096));
        let site = &live.shown.site;
        let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed).to_string();
        text.family("meshwatt_ocpp_frames_total", "counter", "OCPP frames by direction");
        text.line("meshwatt_ocpp_frames_total", "direction=\"received\"", &count(&self.ocpp_received));
        text.line("meshwatt_ocpp_frames_total", "direction=\"sent\"", &count(&self.ocpp_sent));
        text.one("meshwatt_mqtt_messages_total", "counter", "MQTT messages received", &count(&self.mqtt_received));
        text.one("meshwatt_http_requests_total", "counter", "HTTP requests", &count(&self.http_requests));
        text.one("meshwatt_store_commits_total", "counter", "Transactions committed", &commits.to_string());
        let failing = u8::from(live.storage == StorageState::Failing).to_string();
        text.one("meshwatt_store_failing", "gauge", "1 while records cannot be written", &failing);
        text.one(
            "meshwatt_site_limit_amperes",
            "gauge",
            "Limit of the grid connection per phase",
            &site.limit_a.to_string(),
        );
        text.one(
            "meshwatt_site_headroom_amperes",
            "gauge",
            "Free current of the fullest phase",
            &site.headroom_a.to_string(),
        );
        text.one("meshwatt_house_kilowatts", "gauge", "Load without chargers", &site.house_kw.to_string());
        text.one("meshwatt_total_kilowatts", "gauge", "Load with chargers", &site.total_kw.to_string());
        text.one("meshwatt_cars_charging", "gauge", "Cars that draw energy", &site.cars_charging.to_string());
        text.one("meshwatt_cars_waiting", "gauge", "Cars on standby", &site.cars_waiting.to_string());
        text.one("meshwatt_alarms", "gauge", "Alarms that last", &live.shown.alarms.len().to_string());
        text.chargers(live);
        text.sinks(sinks);
        text.0
    }
}

struct Text(String);

impl Text {
    fn push(&mut self, arguments: std::fmt::Arguments<'_>) {
        if self.0.write_fmt(arguments).is_err() {
            tracing::debug!("writing to a text cannot fail");
        }
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.push(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    fn line(&mut self, name: &str, labels: &str, value: &str) {
        if labels.is_empty() {
            self.push(format_args!("{name} {value}\n"));
        } else {
            self.push(format_args!("{name}{{{labels}}} {value}\n"));
        }
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: &str) {
        self.family(name, kind, help);
        self.line(name, "", value);
    }

    fn chargers(&mut self, live: &Live) {
        self.family("meshwatt_charger_online", "gauge", "1 while the charger is connected");
        for charger in &live.shown.chargers {
            let labels = format!("charger=\"{}\"", escaped(&charger.id));
            self.line("meshwatt_charger_online", &labels, &u8::from(charger.online).to_string());
        }
        self.family("meshwatt_connector_set_amperes", "gauge", "Commanded current per wire");
        self.connectors(live, "meshwatt_connector_set_amperes", |connector| connector.set_a);
        self.family("meshwatt_connector_kilowatts", "gauge", "Measured power");
        self.connectors(live, "meshwatt_connector_kilowatts", |connector| connector.power_kw);
    }

    fn sinks(&mut self, sinks: &[api::SinkStatus]) {
        let mut each = |name: &str, kind: &str, help: &str, value: fn(&api::SinkStatus) -> String| {
            self.family(name, kind, help);
            for sink in sinks {
                self.line(name, &format!("sink=\"{}\"", escaped(&sink.name)), &value(sink));
            }
        };
        each("meshwatt_sink_rows_total", "counter", "Rows sent since the sink was set up", |it| {
            it.rows_sent.to_string()
        });
        each("meshwatt_sink_waiting", "gauge", "Changes that wait to be sent", |it| it.waiting.to_string());
        each("meshwatt_sink_lag_seconds", "gauge", "Age of the oldest change that waits", |it| {
            it.lag_s.unwrap_or(f64::NAN).to_string()
        });
        each("meshwatt_sink_failing", "gauge", "1 while something stands in the way", |it| {
            u8::from(it.failing).to_string()
        });
    }

    fn connectors(&mut self, live: &Live, name: &str, value: impl Fn(&api::ConnectorItem) -> f64) {
        for charger in &live.shown.chargers {
            for connector in &charger.connectors {
                let labels = format!("charger=\"{}\",connector=\"{}\"", escaped(&charger.id), connector.id);
                self.line(name, &labels, &value(connector).to_string());
            }
        }
    }
}

/// A label's value may hold anything but these.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
