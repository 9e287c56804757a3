//! The list of cards a charger keeps, so that enrolled tenants charge while this program is off.
//!
//! The list is versioned: changes are sent as differences as long as the charger holds the version we sent last,
//! else the whole list is. Then the version is asked for, and only the expected answer counts as verified. A card
//! that may no longer charge leaves the list before anything else is asked.

use crate::command::{Command, ListEntry, ListUpdate};
use crate::memory::{KeptList, Spelling};
use domain::{CardUid, DurationMs, Instant, TenantId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Cards and who pays for them.
pub type CardList = BTreeMap<CardUid, TenantId>;

/// Cards that differ between two lists: their tenant, or that they go.
pub(crate) type Changes = Vec<(CardUid, Option<TenantId>)>;

/// `idTag` has 20 characters in OCPP 1.6; a longer card cannot be on a list.
const TAG_CHARS_MAX: usize = 20;
/// Cards in one message, where the charger does not say; more make messages some chargers drop.
const CHUNK_DEFAULT: usize = 20;
/// Failures in a row after which the list is left alone for a while.
const PATIENCE: u8 = 3;
/// That while.
const REST: DurationMs = DurationMs::from_secs(600);

/// How far the charger's list can be relied on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListState {
    /// Nothing is known yet.
    #[default]
    Unknown,
    /// It is being sent.
    Sending,
    /// The charger confirmed the version that holds every enrolled card.
    Verified,
    /// The same, but the charger's list is too short for all cards.
    Partial,
    /// The charger keeps no list.
    Unsupported,
    /// The charger refuses or garbles the list.
    Refused,
}

/// What is asked next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    /// Which version it holds.
    #[default]
    Ask,
    /// To take cards.
    Send,
    /// Whether it holds the version we sent.
    Verify,
    /// Nothing.
    Rest,
}

/// What the charger holds, as far as we know.
#[derive(Clone, Debug)]
struct Held {
    version: i32,
    cards: Arc<CardList>,
}

/// The machine of the list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cards {
    wanted: Option<Arc<CardList>>,
    held: Option<Held>,
    kept: Option<KeptList>,
    phase: Phase,
    pub(crate) state: ListState,
    last_version: i32,
    not_before: Instant,
    failures: u8,
    /// `SendLocalListMaxLength`, or what was found out.
    pub(crate) chunk_max: Option<usize>,
    /// `LocalAuthListMaxLength`.
    pub(crate) list_max: Option<usize>,
    /// Orders of people that wait for the list to be verified.
    waiting: Vec<u64>,
}

/// What changed by an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ListNews {
    /// Keep this.
    pub(crate) kept: Option<KeptList>,
    /// Orders that ended, and whether well.
    pub(crate) ended: Vec<(u64, bool)>,
    /// The charger keeps no list.
    pub(crate) unsupported: bool,
    /// Fewer cards in a message from now on.
    pub(crate) chunk_max: Option<usize>,
}

impl Cards {
    pub(crate) fn restore(kept: Option<KeptList>, unsupported: bool, chunk_max: Option<usize>) -> Self {
        let state = if unsupported { ListState::Unsupported } else { ListState::Unknown };
        let last_version = kept.as_ref().map_or(0, |kept| kept.version);
        Self { kept, state, last_version, chunk_max, ..Self::default() }
    }

    /// The cards that may charge now.
    pub(crate) fn want(&mut self, cards: Arc<CardList>) {
        let fits = cards.keys().all(|card| card.as_str().len() <= TAG_CHARS_MAX);
        let cards = if fits {
            cards
        } else {
            Arc::new(cards.iter().filter(|(card, _)| card.as_str().len() <= TAG_CHARS_MAX).map(clone).collect())
        };
        if self.wanted.as_ref() == Some(&cards) {
            return;
        }
        self.wanted = Some(cards);
        if self.phase != Phase::Ask {
            self.phase = Phase::Send;
        }
        self.sending();
    }

    /// Whether a card may charge.
    pub(crate) fn is_wanted(&self, card: &CardUid) -> bool {
        self.wanted.as_ref().is_some_and(|wanted| wanted.contains_key(card))
    }

    fn sending(&mut self) {
        if self.state != ListState::Unsupported {
            self.state =
                if self.held.is_some() || self.kept.is_some() { ListState::Sending } else { ListState::Unknown };
        }
    }

    /// The charger restarted or may have changed: what it holds is asked for anew.
    pub(crate) fn doubt(&mut self) {
        if self.state != ListState::Unsupported {
            (self.phase, self.failures, self.not_before) = (Phase::Ask, 0, Instant(0));
        }
    }

    /// The reader writes cards in another way than they are on the list: the list is sent anew.
    pub(crate) fn respell(&mut self) {
        (self.held, self.kept) = (None, None);
        self.doubt();
    }

    /// Another firmware: it may keep a list now.
    pub(crate) fn forget(&mut self) {
        let (wanted, waiting) = (self.wanted.take(), std::mem::take(&mut self.waiting));
        *self = Self { wanted, waiting, ..Self::default() };
    }

    /// A person wants the whole list sent.
    pub(crate) fn push(&mut self, order: u64) {
        (self.held, self.kept, self.failures, self.not_before) = (None, None, 0, Instant(0));
        (self.phase, self.state) = (Phase::Ask, ListState::Sending);
        self.waiting.push(order);
    }

    /// Orders nobody will answer, because the connection is gone.
    pub(crate) fn abandon(&mut self) -> Vec<u64> {
        if self.phase == Phase::Send || self.phase == Phase::Verify {
            self.phase = Phase::Ask;
        }
        std::mem::take(&mut self.waiting)
    }

    /// How many cards it shall hold and holds, and under which version.
    pub(crate) fn counts(&self) -> (usize, usize, Option<i32>) {
        let wanted = self.wanted.as_ref().map_or(0, |cards| cards.len());
        let held = self.held.as_ref().map(|held| (held.cards.len(), held.version));
        let held = held.or_else(|| self.kept.as_ref().map(|kept| (kept.cards, kept.version)));
        (wanted, held.map_or(0, |(cards, _)| cards), held.map(|(_, version)| version))
    }

    /// Whether somebody who may no longer charge is still on the charger's list.
    pub(crate) fn is_urgent(&self) -> bool {
        let (Some(wanted), Some(held), Phase::Send) = (&self.wanted, &self.held, self.phase) else { return false };
        held.cards.keys().any(|card| !wanted.contains_key(card))
    }

    /// What to ask now. A [`Command::SendLocalList`] must be followed by the answer or its absence.
    pub(crate) fn next(&mut self, now: Instant, spelling: &Spelling) -> Option<(Command, Changes)> {
        if now < self.not_before || self.state == ListState::Unsupported {
            return None;
        }
        let wanted = self.target()?;
        match self.phase {
            Phase::Rest => None,
            Phase::Ask | Phase::Verify => Some((Command::GetLocalListVersion, Vec::new())),
            Phase::Send => {
                let changes = self.changes(&wanted);
                if changes.is_empty() && self.held.is_some() {
                    self.phase = Phase::Verify;
                    return Some((Command::GetLocalListVersion, Vec::new()));
                }
                let update = if self.held.is_some() { ListUpdate::Differential } else { ListUpdate::Full };
                let version = self.last_version.max(0).saturating_add(1);
                let entries =
                    changes.iter().map(|(card, tenant)| ListEntry { tag: spelling.write(card), tenant: *tenant });
                Some((Command::SendLocalList { version, update, entries: entries.collect() }, changes))
            }
        }
    }

    /// The cards that fit on the charger's list; the first ones win, so that the choice is steady.
    fn target(&self) -> Option<Arc<CardList>> {
        let wanted = self.wanted.as_ref()?;
        Some(match self.list_max {
            Some(max) if wanted.len() > max => Arc::new(wanted.iter().take(max).map(clone).collect()),
            _ => Arc::clone(wanted),
        })
    }

    /// The next changes, those that take a card away first.
    fn changes(&self, wanted: &CardList) -> Changes {
        let chunk = self.chunk_max.unwrap_or(CHUNK_DEFAULT).max(1);
        let held = self.held.as_ref().map(|held| &*held.cards);
        let gone = held.into_iter().flat_map(|held| held.keys()).filter(|card| !wanted.contains_key(*card));
        let gone = gone.map(|card| (card.clone(), None));
        let new = wanted.iter().filter(|(card, tenant)| held.and_then(|held| held.get(*card)) != Some(*tenant));
        gone.chain(new.map(|(card, tenant)| (card.clone(), Some(*tenant)))).take(chunk).collect()
    }

    /// The charger said which version it holds; -1 stands for no list at all.
    pub(crate) fn version(&mut self, now: Instant, version: i64) -> ListNews {
        let Ok(version) = i32::try_from(version) else { return self.failed(now) };
        if version < 0 {
            return self.unsupported();
        }
        self.last_version = self.last_version.max(version);
        match self.phase {
            Phase::Verify if self.held.as_ref().is_some_and(|held| held.version == version) => self.verified(),
            Phase::Verify => {
                // It says accepted and keeps something else.
                self.held = None;
                self.phase = Phase::Send;
                self.failed(now)
            }
            Phase::Ask => {
                self.phase = Phase::Send;
                let target = self.target().unwrap_or_default();
                let known = self.kept.as_ref().filter(|kept| kept.version == version);
                if self.held.as_ref().is_some_and(|held| held.version != version) {
                    self.held = None;
                }
                if self.held.is_none() && known.is_some_and(|kept| kept.digest == digest(&target)) {
                    self.held = Some(Held { version, cards: Arc::clone(&target) });
                }
                if version == 0 && target.is_empty() {
                    self.held = Some(Held { version, cards: Arc::clone(&target) });
                }
                match &self.held {
                    Some(held) if held.cards == target => self.verified(),
                    _ => {
                        self.state = ListState::Sending;
                        ListNews::default()
                    }
                }
            }
            Phase::Send | Phase::Rest => ListNews::default(),
        }
    }

    fn verified(&mut self) -> ListNews {
        let Some(held) = &mut self.held else { return ListNews::default() };
        // One copy of the list serves every charger that holds it.
        if let Some(wanted) = self.wanted.as_ref().filter(|wanted| **wanted == held.cards) {
            held.cards = Arc::clone(wanted);
        }
        let kept = KeptList { version: held.version, digest: digest(&held.cards), cards: held.cards.len() };
        let is_whole = self.wanted.as_ref().is_some_and(|wanted| wanted.len() <= held.cards.len());
        self.state = if is_whole { ListState::Verified } else { ListState::Partial };
        (self.phase, self.failures) = (Phase::Rest, 0);
        self.kept = Some(kept.clone());
        let ended = std::mem::take(&mut self.waiting).into_iter().map(|order| (order, true)).collect();
        ListNews { kept: Some(kept), ended, ..ListNews::default() }
    }

    /// The charger answered a list of ours.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        status: &str,
        version: i32,
        update: ListUpdate,
        changes: &[(CardUid, Option<TenantId>)],
    ) -> ListNews {
        match status {
            "accepted" => {
                let mut cards = match (update, self.held.take()) {
                    (ListUpdate::Differential, Some(held)) => held.cards,
                    (ListUpdate::Full, _) | (ListUpdate::Differential, None) => Arc::default(),
                };
                let list = Arc::make_mut(&mut cards);
                for (card, tenant) in changes {
                    match tenant {
                        Some(tenant) => list.insert(card.clone(), *tenant),
                        None => list.remove(card),
                    };
                }
                self.held = Some(Held { version, cards });
                self.last_version = version;
                ListNews::default()
            }
            "notsupported" => self.unsupported(),
            "versionmismatch" => {
                (self.held, self.kept, self.phase) = (None, None, Phase::Ask);
                self.failed(now)
            }
            _ => {
                (self.held, self.kept) = (None, None);
                let mut news = self.failed(now);
                if changes.len() > 1 {
                    // Some say "failed" where the list is too long for one message.
                    self.chunk_max = Some(changes.len() / 2);
                    news.chunk_max = self.chunk_max;
                }
                news
            }
        }
    }

    /// The charger does not know such requests.
    pub(crate) fn unsupported(&mut self) -> ListNews {
        (self.state, self.phase, self.held, self.kept) = (ListState::Unsupported, Phase::Rest, None, None);
        ListNews { unsupported: true, ended: self.give_up(), ..ListNews::default() }
    }

    /// No answer, or one that makes no sense.
    pub(crate) fn failed(&mut self, now: Instant) -> ListNews {
        self.failures = self.failures.saturating_add(1);
        if self.failures < PATIENCE {
            return ListNews::default();
        }
        (self.state, self.phase, self.failures) = (ListState::Refused, Phase::Ask, 0);
        self.not_before = now + REST;
        ListNews { ended: self.give_up(), ..ListNews::default() }
    }

    fn give_up(&mut self) -> Vec<(u64, bool)> {
        std::mem::take(&mut self.waiting).into_iter().map(|order| (order, false)).collect()
    }
}

fn clone((card, tenant): (&CardUid, &TenantId)) -> (CardUid, TenantId) {
    (card.clone(), *tenant)
}

/// FNV-1a over the cards in order: tells lists apart, protects nothing.
fn digest(cards: &CardList) -> u64 {
    let text = cards.iter().flat_map(|(card, tenant)| format!("{card}={tenant};").into_bytes());
    text.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
