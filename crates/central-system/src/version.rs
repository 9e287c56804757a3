//! Which versions of OCPP are spoken, and the one shape every version's machine has.
//!
//! A version is added here and nowhere else: a variant of [`Version`], and a type of its own that is a
//! [`ChargerMachine`]. Everything outside this crate holds machines by that trait and asks [`Version`] for words on
//! the wire, so it does not change.

use crate::port::{Input, Output, StationConfig};
use crate::station::Station;
use crate::view::StationView;
use domain::{HardwareInfo, Now, Protocol};
use std::fmt::Debug;

/// One charger identity in whatever version of OCPP it speaks: what goes in and comes out names none.
pub trait ChargerMachine: Debug + Send {
    /// Takes one input and says what to do, in order.
    fn handle(&mut self, now: Now, input: Input<'_>) -> Vec<Output>;
    /// The charger as people look at it.
    fn view(&self, now: Now) -> StationView;
    /// What it said about itself when it last started.
    fn hardware(&self) -> Option<&HardwareInfo>;
    /// Whether something waits that must reach the charger before its socket may close.
    fn has_urgent_requests(&self, now: Now) -> bool;
    /// The version it speaks.
    fn version(&self) -> Version;
}

/// A version of OCPP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// OCPP 1.6 with JSON.
    V16,
}

impl Version {
    /// All that are spoken, the most wanted first.
    pub const ALL: [Self; 1] = [Self::V16];
    /// What a charger speaks that does not say.
    pub const UNSAID: Self = Self::V16;

    /// Its name in a WebSocket handshake.
    #[must_use]
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::V16 => "ocpp1.6",
        }
    }

    /// The most wanted of those a charger offers, with the charger's own spelling of it: letter case differs, and some
    /// leave out the point or add that they mean the JSON kind.
    #[must_use]
    pub fn choose<'a>(offered: &[&'a str]) -> Option<(Self, &'a str)> {
        let plain = |word: &str| -> String {
            let word: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
            word.to_ascii_lowercase().replace("json", "").replace('j', "")
        };
        let offer = |version: Self, exact: bool| {
            let wanted = version.subprotocol();
            let fits = |word: &&&str| **word == wanted || (!exact && plain(word) == plain(wanted));
            offered.iter().find(fits).map(|word| (version, *word))
        };
        Self::ALL.into_iter().find_map(|version| offer(version, true).or_else(|| offer(version, false)))
    }

    /// As the rest of the program calls it.
    #[must_use]
    pub const fn protocol(self) -> Protocol {
        match self {
            Self::V16 => Protocol::Ocpp16,
        }
    }

    /// The version behind a name of the rest of the program; `None` for what is no OCPP.
    #[must_use]
    pub const fn of_protocol(protocol: Protocol) -> Option<Self> {
        match protocol {
            Protocol::Ocpp16 => Some(Self::V16),
            Protocol::Ievcc | Protocol::Metered => None,
        }
    }

    /// A machine for a charger of this version.
    #[must_use]
    pub fn machine(self, config: StationConfig) -> Box<dyn ChargerMachine> {
        match self {
            Self::V16 => Box::new(Station::new(config)),
        }
    }
}

impl ChargerMachine for Station {
    fn handle(&mut self, now: Now, input: Input<'_>) -> Vec<Output> {
        Self::handle(self, now, input)
    }

    fn view(&self, now: Now) -> StationView {
        Self::view(self, now)
    }

    fn hardware(&self) -> Option<&HardwareInfo> {
        Self::hardware(self)
    }

    fn has_urgent_requests(&self, now: Now) -> bool {
        Self::has_urgent_requests(self, now)
    }

    fn version(&self) -> Version {
        Version::V16
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A charger's offers are chosen from in any order and letter case; what nobody speaks is not chosen.
    #[test]
    fn the_most_wanted_offer_is_chosen() {
        assert_eq!(Version::choose(&["ocpp1.5", "OCPP1.6"]), Some((Version::V16, "OCPP1.6")));
        assert_eq!(Version::choose(&["ocpp1.6J", "ocpp1.6"]), Some((Version::V16, "ocpp1.6")), "exact before alike");
        assert_eq!(Version::choose(&["ocpp1.5", "mqtt", "ocpp2.0.1", ""]), None);
        for version in Version::ALL {
            assert_eq!(Version::choose(&[version.subprotocol()]), Some((version, version.subprotocol())));
            assert_eq!(Version::of_protocol(version.protocol()), Some(version));
        }
    }
}
