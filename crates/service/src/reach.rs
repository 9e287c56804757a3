//! Under which addresses a listener of this computer can be reached, for people to type into a device.

use std::net::{IpAddr, SocketAddr};

/// An address of this computer and the network card it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Card {
    /// The address.
    pub(crate) address: IpAddr,
    /// Name of the card.
    pub(crate) name: String,
}

/// The cards of this computer with an address that devices can be told; the loopback one when there is no network.
pub(crate) fn cards() -> Vec<Card> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the networks of this computer cannot be listed");
        Vec::new()
    });
    let mut cards: Vec<Card> = interfaces
        .into_iter()
        // Chargers take IPv4; a link-local address means that no network gave one.
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local() && interface.ip().is_ipv4())
        .map(|interface| Card { address: interface.ip(), name: interface.name })
        .collect();
    cards.sort();
    cards.dedup_by(|left, right| left.address == right.address);
    if cards.is_empty() {
        cards.push(Card { address: IpAddr::from([127, 0, 0, 1]), name: "loopback".to_owned() });
    }
    cards
}

/// Whether a listener bound to `bound` is reached at `address`.
pub(crate) fn is_reached_at(bound: SocketAddr, address: IpAddr) -> bool {
    bound.ip().is_unspecified() || bound.ip() == address
}

/// Each address of the networks this computer is in; just its own when the listener is bound to one.
pub(crate) fn reachable(bound: SocketAddr) -> Vec<SocketAddr> {
    if !bound.ip().is_unspecified() {
        return vec![bound];
    }
    cards().into_iter().map(|card| SocketAddr::new(card.address, bound.port())).collect()
}

/// The address of ours that a device at `device` most likely reaches: the one that begins like its own.
pub(crate) fn nearest(bound: SocketAddr, device: Option<IpAddr>) -> SocketAddr {
    let candidates = reachable(bound);
    let Some(IpAddr::V4(device)) = device.map(|ip| ip.to_canonical()) else {
        return candidates.first().copied().unwrap_or(bound);
    };
    if device.is_loopback() && bound.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::from([127, 0, 0, 1]), bound.port());
    }
    let alike = |address: &SocketAddr| match address.ip() {
        IpAddr::V4(ours) => (ours.to_bits() ^ device.to_bits()).leading_zeros(),
        IpAddr::V6(_) => 0,
    };
    candidates.into_iter().max_by_key(alike).unwrap_or(bound)
}
