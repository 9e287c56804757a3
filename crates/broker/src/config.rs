//! The limits of the gate. Every queue and every table has one.

use std::time::Duration;

/// Limits of the broker. `Config::default()` fits a building with a few hundred devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Sockets open at one time, from all addresses together; a connection beyond it is closed at once.
    pub connections_max: usize,
    /// Sockets open at one time from one IP address.
    pub connections_per_ip_max: usize,
    /// From the accepted socket to the end of the login.
    pub connect_timeout: Duration,
    /// Longest keep-alive time of an MQTT 5 client, in seconds: a device that is gone is noticed within one and a half
    /// of it. One that asks for none keeps none; one of MQTT 3.1.1 keeps what it asks for.
    pub keep_alive_s_max: u16,
    /// How long a device may refuse to read what is sent to it before it is cut off.
    pub write_timeout: Duration,
    /// How long [`crate::Authority::received`] may take; after that the message counts as not taken.
    pub receive_timeout: Duration,
    /// Largest packet accepted, in bytes, with its header.
    pub packet_bytes_max: usize,
    /// Longest topic or filter, in bytes.
    pub topic_bytes_max: usize,
    /// Sessions kept at one time, with or without a connection.
    pub sessions_max: usize,
    /// Sessions one identity may have: a device needs one, a few client ids of an installer fit.
    pub sessions_per_identity_max: usize,
    /// How long a session outlives its connection at most, whatever the device asks for.
    pub session_expiry_max: Duration,
    /// Subscriptions of one session.
    pub subscriptions_max: usize,
    /// Messages on their way to one device that it has not acknowledged, and QoS 2 messages from it not yet released.
    pub inflight_max: u16,
    /// Messages waiting for one session; the oldest is dropped beyond it.
    pub queue_messages_max: usize,
    /// Bytes waiting for one session; the oldest message is dropped beyond it.
    pub queue_bytes_max: usize,
    /// Bytes of all retained messages together; a retained message beyond it is delivered but not kept.
    pub retained_bytes_max: usize,
    /// Different topics and filters the router has seen before it is replaced by a fresh one; it never forgets any itself.
    pub router_names_max: usize,
    /// How often the router is asked whether it is alive.
    pub router_probe_interval: Duration,
    /// How long it may take to answer before it is replaced.
    pub router_probe_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            connections_per_ip_max: 512,
            connect_timeout: Duration::from_secs(10),
            keep_alive_s_max: 60,
            write_timeout: Duration::from_secs(20),
            receive_timeout: Duration::from_secs(15),
            packet_bytes_max: 256 * 1024,
            topic_bytes_max: 1_024,
            sessions_max: 2_048,
            sessions_per_identity_max: 16,
            session_expiry_max: Duration::from_secs(24 * 3_600),
            subscriptions_max: 64,
            inflight_max: 64,
            queue_messages_max: 1_000,
            queue_bytes_max: 1024 * 1024,
            retained_bytes_max: 4 * 1024 * 1024,
            router_names_max: 50_000,
            router_probe_interval: Duration::from_secs(1),
            router_probe_timeout: Duration::from_secs(10),
        }
    }
}
