//! Under which addresses a listener of this computer can be reached, for people to type into a device.

use std::net::{IpAddr, SocketAddr};

/// Each address of the networks this computer is in; just its own when the listener is bound to one, and
/// the loopback one when there is no network.
pub(crate) fn reachable(bound: SocketAddr) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the networks of this computer cannot be listed");
        Vec::new()
    });
    let mut addresses: Vec<SocketAddr> = interfaces
        .into_iter()
        // Chargers take IPv4; a link-local address means that no network gave one.
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local() && interface.ip().is_ipv4())
        .map(|interface| SocketAddr::new(interface.ip(), bound.port()))
        .collect();
    addresses.sort();
    addresses.dedup();
    if addresses.is_empty() {
        addresses.push(SocketAddr::new(IpAddr::from([127, 0, 0, 1]), bound.port()));
    }
    addresses
}
