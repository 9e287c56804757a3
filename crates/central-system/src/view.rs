//! A station as people look at it.

use crate::cards::ListState;
use crate::memory::Learned;
use crate::report::{NewestValue, SecurityEvent, Transfer};
use crate::setup::{self, Wanted};
use crate::station::Station;
use domain::{ConnectorNumber, DurationMs, HardwareInfo, MilliAmps, Now, SessionId};

/// Reconnects are counted over this time.
const FLAP_WINDOW: DurationMs = DurationMs::from_secs(3600);

/// Everything a station knows about its charger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StationView {
    /// Whether a socket is open.
    pub is_connected: bool,
    /// What the charger said about itself.
    pub hardware: Option<HardwareInfo>,
    /// Sockets opened in the last hour.
    pub connections_last_hour: usize,
    /// Configuration keys: those the charger told, and those that are wanted.
    pub configuration: Vec<ConfigurationView>,
    /// Its list of cards.
    pub cards: CardsView,
    /// Whether enrolled tenants can charge while this program is off.
    pub offline: OfflineView,
    /// The fallback the charger confirmed.
    pub fallback: Option<MilliAmps>,
    /// How limits are written for it, in words.
    pub profile_way: String,
    /// Live limits the charger confirmed.
    pub limits: Vec<LimitView>,
    /// The newest value of each measurand.
    pub values: Vec<NewestValue>,
    /// Progress of files, newest first.
    pub transfers: Vec<Transfer>,
    /// Security events, newest first.
    pub security: Vec<SecurityEvent>,
    /// What was found out about its model and firmware.
    pub learned: Learned,
    /// Keys that take effect after a restart.
    pub restart_for: Vec<String>,
}

/// One configuration key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigurationView {
    /// Key.
    pub key: String,
    /// Value the charger told; `None` when it told none.
    pub value: Option<String>,
    /// Whether it cannot be written.
    pub readonly: bool,
    /// The value it shall have; `None` where nobody cares.
    pub wanted: Option<String>,
    /// Whether it has another value than it shall have.
    pub is_drift: bool,
}

/// A charger's list of cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CardsView {
    /// Cards it shall hold.
    pub wanted: usize,
    /// Cards it holds.
    pub held: usize,
    /// Version it holds.
    pub version: Option<i32>,
    /// How far that can be relied on.
    pub state: ListState,
    /// Most cards it can hold, where it says so.
    pub list_max: Option<usize>,
}

/// Whether enrolled tenants can charge while this program is off.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfflineView {
    /// Whether they can.
    pub works: bool,
    /// Why not, or what limits it; in order of weight.
    pub reasons: Vec<OfflineReason>,
}

/// Why enrolled tenants cannot charge while this program is off, or what limits it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfflineReason {
    /// It was never connected since this program started, so nothing is known.
    NotSeen,
    /// It was not approved.
    NotApproved,
    /// It keeps no list of cards and no cache.
    NoList,
    /// It keeps no list of cards; cards used there lately are in its cache.
    CacheOnly,
    /// Its list is not confirmed yet.
    ListNotVerified,
    /// It refuses the list.
    ListRefused,
    /// Its list is too short for all cards.
    ListTooShort,
    /// It is set to start nothing without us.
    OfflineDisabled,
    /// It starts for every card while we are gone, so energy may be nobody's.
    AcceptsUnknownCards,
    /// Its fallback current is 0 A.
    FallbackZero,
    /// Its fallback current is not confirmed.
    FallbackNotConfirmed,
}

impl OfflineReason {
    /// Whether it prevents charging.
    const fn is_fatal(self) -> bool {
        match self {
            Self::NotSeen
            | Self::NotApproved
            | Self::NoList
            | Self::ListNotVerified
            | Self::ListRefused
            | Self::OfflineDisabled
            | Self::FallbackZero
            | Self::FallbackNotConfirmed => true,
            Self::CacheOnly | Self::ListTooShort | Self::AcceptsUnknownCards => false,
        }
    }
}

/// A limit the charger holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitView {
    /// Where.
    pub connector: ConnectorNumber,
    /// For which session.
    pub session: SessionId,
    /// The limit.
    pub limit: MilliAmps,
}

impl Station {
    /// The station as people look at it.
    #[must_use]
    pub fn view(&self, now: Now) -> StationView {
        let (wanted, held, version) = self.cards.counts();
        let limit = |(number, connector): (&ConnectorNumber, &crate::connector::Connector)| {
            let (session, limit) = connector.held()?;
            Some(LimitView { connector: *number, session, limit })
        };
        StationView {
            is_connected: self.link.is_some(),
            hardware: self.hardware.clone(),
            connections_last_hour: self.opened_at.iter().filter(|at| now.instant.since(**at) < FLAP_WINDOW).count(),
            configuration: self.configuration_view(),
            cards: CardsView { wanted, held, version, state: self.cards.state, list_max: self.cards.list_max },
            offline: self.offline_view(),
            fallback: self.outgoing.fallback_held,
            profile_way: self.outgoing.way_in_words(),
            limits: self.connectors.iter().filter_map(limit).collect(),
            values: self.reports.newest(),
            transfers: self.reports.transfers.iter().cloned().collect(),
            security: self.reports.security.iter().cloned().collect(),
            learned: self.memory.learned.clone(),
            restart_for: self.restart_for.iter().cloned().collect(),
        }
    }

    /// Seconds between meter values that are wanted.
    pub(crate) fn sample_interval_s(&self) -> u32 {
        self.config.settings.sample_interval_s.unwrap_or(self.config.sample_interval_s)
    }

    /// What set-up depends on.
    pub(crate) fn wanted(&self) -> Wanted<'_> {
        Wanted {
            settings: &self.config.settings,
            sample_interval_s: self.sample_interval_s(),
            learned: &self.memory.learned,
        }
    }

    fn configuration_view(&self) -> Vec<ConfigurationView> {
        let wanted = self.wanted().keys();
        let wanted_of = |key: &str| wanted.iter().find(|(it, _)| it.eq_ignore_ascii_case(key)).map(|(_, value)| value);
        let told = self.memory.configuration.values().map(|kept| {
            let wanted = wanted_of(&kept.key).cloned();
            let is_drift = match (&wanted, &kept.value) {
                (Some(wanted), Some(told)) => !setup::same_value(told, wanted),
                (Some(_), None) | (None, _) => false,
            };
            let (key, value, readonly) = (kept.key.clone(), kept.value.clone(), kept.readonly);
            ConfigurationView { key, value, readonly, wanted, is_drift }
        });
        let untold = wanted.iter().filter(|(key, _)| setup::find(&self.memory.configuration, key).is_none());
        let untold = untold.map(|(key, value)| ConfigurationView {
            key: key.clone(),
            value: None,
            readonly: false,
            wanted: Some(value.clone()),
            is_drift: false,
        });
        let mut all: Vec<_> = told.chain(untold).collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    /// Whether a key is set to yes or no, as told.
    fn flag(&self, key: &str) -> Option<bool> {
        let value = setup::find(&self.memory.configuration, key)?.value.as_deref()?;
        match value.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" => Some(true),
            "false" | "0" | "no" => Some(false),
            _ => None,
        }
    }

    fn offline_view(&self) -> OfflineView {
        let mut reasons = Vec::new();
        if !self.config.approved {
            reasons.push(OfflineReason::NotApproved);
        }
        let (is_list_off, is_offline_off) =
            (self.flag("LocalAuthListEnabled") == Some(false), self.flag("LocalAuthorizeOffline") == Some(false));
        let has_cache = self.flag("AuthorizationCacheEnabled") == Some(true);
        let without_list = if has_cache { OfflineReason::CacheOnly } else { OfflineReason::NoList };
        match self.cards.state {
            ListState::Verified if is_list_off => reasons.push(without_list),
            ListState::Verified => {}
            ListState::Partial => reasons.push(OfflineReason::ListTooShort),
            ListState::Unsupported => reasons.push(without_list),
            ListState::Refused => reasons.push(OfflineReason::ListRefused),
            ListState::Sending => reasons.push(OfflineReason::ListNotVerified),
            ListState::Unknown if self.newest_generation.is_none() => reasons.push(OfflineReason::NotSeen),
            ListState::Unknown => reasons.push(OfflineReason::ListNotVerified),
        }
        if is_offline_off {
            reasons.push(OfflineReason::OfflineDisabled);
        }
        if self.config.fallback == MilliAmps::ZERO {
            reasons.push(OfflineReason::FallbackZero);
        } else if self.outgoing.fallback_confirmed != Some(self.config.fallback) {
            reasons.push(OfflineReason::FallbackNotConfirmed);
        }
        if self.flag("AllowOfflineTxForUnknownId") == Some(true) {
            reasons.push(OfflineReason::AcceptsUnknownCards);
        }
        OfflineView { works: !reasons.iter().any(|reason| reason.is_fatal()), reasons }
    }
}
