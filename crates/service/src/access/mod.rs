//! Which proof a charger must bring to be let in: the security profiles of the OCPP security whitepaper.
//!
//! What is demanded of a charger (`enforced`) rises by itself to what the charger has proven, never beyond what the manager
//! wants for it (`target`), and never falls unless the manager lowers it. Without any proof a charger is let in from the
//! local network only, unless the manager chose otherwise.

mod passwords;

pub(crate) use self::passwords::{PasswordError, Passwords};

use crate::ocpp_socket::{Link, Proof};
use api::RefusalCode;
use domain::{ChargerId, ChargerSecurity, Record, SecurityProfile};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use store::{Reader, StoreError, Writer};
use tokio::time::Instant;

/// Public value with the policy of the site.
const POLICY: &str = "security/policy";

/// How long an invitation to ask for a certificate holds; making a key takes a charger minutes at most.
const INVITATION: Duration = Duration::from_secs(600);

/// What holds for chargers without settings of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Policy {
    /// Number of the profile chargers shall reach.
    default_profile: u8,
    /// From where chargers without any proof are let in.
    open_from: OpenFrom,
}

/// From where chargers without any proof are let in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpenFrom {
    /// From the local network.
    #[default]
    LocalNetwork,
    /// From everywhere; the manager chose so knowingly.
    Anywhere,
    /// From nowhere, new chargers included.
    Nowhere,
}

impl Policy {
    pub(crate) const fn new(default_profile: SecurityProfile, open_from: OpenFrom) -> Self {
        Self { default_profile: default_profile.number(), open_from }
    }

    pub(crate) fn default_profile(self) -> SecurityProfile {
        SecurityProfile::from_number(self.default_profile).unwrap_or_default()
    }

    pub(crate) const fn open_from(self) -> OpenFrom {
        self.open_from
    }
}

/// What a charger presents in its request.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// The password; any bytes.
    pub(crate) password: Vec<u8>,
}

/// Shows nothing of the password.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// Why a charger is not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Denied {
    /// It may come again with the right proof: why, and what that is about.
    Proof(RefusalCode, String),
    /// It cannot be judged now.
    Unavailable,
}

/// Judges chargers that connect.
#[derive(Clone)]
pub(crate) struct Access(Arc<Inner>);

struct Inner {
    writer: Writer,
    passwords: Passwords,
    state: RwLock<State>,
}

#[derive(Default)]
struct State {
    policy: Policy,
    chargers: BTreeMap<ChargerId, ChargerSecurity>,
    approved: BTreeSet<ChargerId>,
    /// Who was asked to ask for a certificate, and when.
    invited: BTreeMap<ChargerId, Instant>,
}

impl Access {
    /// What was demanded in the last run.
    ///
    /// # Errors
    /// When it cannot be read; to let everybody in instead would be wrong.
    pub(crate) async fn open(
        reader: &Reader,
        writer: Writer,
        passwords: Passwords,
        approved: BTreeSet<ChargerId>,
    ) -> Result<Self, StoreError> {
        let policy = match reader.secret_get(POLICY).await? {
            Some(text) => serde_json::from_str(&text).unwrap_or_else(|error| {
                tracing::error!(%error, "the security policy cannot be read; the strict one takes its place");
                Policy::new(SecurityProfile::Basic, OpenFrom::Nowhere)
            }),
            None => Policy::default(),
        };
        let chargers = reader.charger_security_list().await?;
        let chargers = chargers.into_iter().map(|security| (security.charger.clone(), security)).collect();
        passwords.load().await?;
        Ok(Self(Arc::new(Inner {
            writer,
            passwords,
            state: RwLock::new(State { policy, chargers, approved, invited: BTreeMap::new() }),
        })))
    }

    /// The charger that is meant: some write their name in capitals once and in small letters later, for example after
    /// an update. One that was let in under exactly this name is itself.
    pub(crate) fn meant(&self, charger: ChargerId) -> ChargerId {
        let state = self.read();
        if state.approved.contains(&charger) {
            return charger;
        }
        let alike = |known: &&ChargerId| known.as_str().eq_ignore_ascii_case(charger.as_str());
        state.approved.iter().find(alike).cloned().unwrap_or(charger)
    }

    /// Decides about a charger and remembers what it proved.
    pub(crate) async fn judge(
        &self,
        charger: &ChargerId,
        credentials: Option<&Credentials>,
        link: &Link,
    ) -> Result<SecurityProfile, Denied> {
        let proven = self.proven(charger, credentials, link).await?;
        let (enforced, open_from, is_known) = {
            let state = self.read();
            let enforced = state.chargers.get(charger).map_or(SecurityProfile::Open, |security| security.enforced);
            (enforced, state.policy.open_from, state.approved.contains(charger))
        };
        if proven < enforced {
            let code = missing(enforced, credentials, link.tls.as_ref());
            return Err(Denied::Proof(code, String::new()));
        }
        if proven == SecurityProfile::Open && !open_to(open_from, link.peer.ip()) {
            let code = match open_from {
                OpenFrom::Nowhere => RefusalCode::OpenNowhere,
                OpenFrom::LocalNetwork | OpenFrom::Anywhere => RefusalCode::OpenLocalOnly,
            };
            return Err(Denied::Proof(code, String::new()));
        }
        if is_known {
            self.raise(charger, proven).await;
        }
        Ok(proven)
    }

    async fn proven(
        &self,
        charger: &ChargerId,
        credentials: Option<&Credentials>,
        link: &Link,
    ) -> Result<SecurityProfile, Denied> {
        if let Some(Proof::Certificate(owner)) = &link.tls {
            return if owner == charger {
                Ok(SecurityProfile::TlsCertificate)
            } else {
                Err(Denied::Proof(RefusalCode::CertificateOfAnother, owner.to_string()))
            };
        }
        let Some(credentials) = credentials else { return Ok(SecurityProfile::Open) };
        let approved = self.read().approved.contains(charger);
        match self.0.passwords.check(charger, &credentials.password, approved).await {
            Ok(passwords::Judgement::Right) if link.tls.is_some() => Ok(SecurityProfile::TlsBasic),
            Ok(passwords::Judgement::Right) => Ok(SecurityProfile::Basic),
            Ok(passwords::Judgement::NoneSet) => Ok(SecurityProfile::Open),
            Ok(passwords::Judgement::Wrong) => Err(Denied::Proof(RefusalCode::WrongPassword, String::new())),
            Err(error) => {
                tracing::error!(%charger, error = crate::error::chain(&error), "a password cannot be checked now");
                Err(Denied::Unavailable)
            }
        }
    }

    /// What was proven is demanded from now on, as far as the manager wants it.
    async fn raise(&self, charger: &ChargerId, proven: SecurityProfile) {
        let security = {
            let mut state = self.write();
            let before = state.of(charger);
            let wanted = before.target.unwrap_or_else(|| state.policy.default_profile());
            let enforced = before.enforced.max(proven.min(wanted));
            if enforced == before.enforced {
                return;
            }
            let security = ChargerSecurity { enforced, ..before };
            state.chargers.insert(charger.clone(), security.clone());
            security
        };
        tracing::info!(%charger, profile = security.enforced.number(), "the charger proved more; that is demanded from now on");
        if let Err(error) = self.0.writer.commit(vec![Record::ChargerSecurity(security)]).await {
            tracing::error!(error = crate::error::chain(&error), "the security profile could not be kept");
        }
    }

    /// What is demanded of a charger.
    pub(crate) fn of(&self, charger: &ChargerId) -> ChargerSecurity {
        self.read().of(charger)
    }

    /// What the manager wants, the site's default included.
    pub(crate) fn wanted(&self, charger: &ChargerId) -> SecurityProfile {
        let state = self.read();
        state.of(charger).target.unwrap_or_else(|| state.policy.default_profile())
    }

    /// Replaces what is demanded of a charger.
    pub(crate) async fn set(&self, security: ChargerSecurity) -> Result<(), StoreError> {
        self.0.writer.commit(vec![Record::ChargerSecurity(security.clone())]).await?;
        self.write().chargers.insert(security.charger.clone(), security);
        Ok(())
    }

    /// The policy of the site.
    pub(crate) fn policy(&self) -> Policy {
        self.read().policy
    }

    /// Replaces the policy of the site.
    pub(crate) async fn set_policy(&self, policy: Policy) -> Result<(), StoreError> {
        let text = serde_json::to_string(&policy).unwrap_or_default();
        self.0.writer.secret_set(POLICY, &text).await?;
        self.write().policy = policy;
        Ok(())
    }

    /// The manager let a charger in: a password it presented while it waited is its own from now on.
    pub(crate) async fn approve(&self, charger: &ChargerId) -> Result<(), StoreError> {
        self.0.passwords.pin(charger).await?;
        self.write().approved.insert(charger.clone());
        Ok(())
    }

    /// The manager removed a charger: whoever uses its identity next is a stranger.
    pub(crate) async fn forget(&self, charger: &ChargerId) -> Result<(), StoreError> {
        self.0.passwords.forget(charger).await?;
        let mut state = self.write();
        state.approved.remove(charger);
        state.chargers.remove(charger);
        Ok(())
    }

    /// The manager asked a charger to ask for a certificate.
    pub(crate) fn invite(&self, charger: &ChargerId) {
        self.write().invited.insert(charger.clone(), Instant::now());
    }

    /// Whether a charger that asks for a certificate gets one: it was invited lately, or every connection of it has to bring
    /// a proof. Otherwise whoever uses its name could get a certificate in its name.
    pub(crate) fn may_have_certificate(&self, charger: &ChargerId) -> bool {
        let state = self.read();
        state.of(charger).enforced >= SecurityProfile::Basic
            || state.invited.get(charger).is_some_and(|at| at.elapsed() < INVITATION)
    }

    /// Passwords of chargers.
    pub(crate) fn passwords(&self) -> &Passwords {
        &self.0.passwords
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, State> {
        self.0.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> std::sync::RwLockWriteGuard<'_, State> {
        self.0.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn of(&self, charger: &ChargerId) -> ChargerSecurity {
        self.chargers.get(charger).cloned().unwrap_or_else(|| ChargerSecurity {
            charger: charger.clone(),
            target: None,
            enforced: SecurityProfile::Open,
        })
    }
}

fn open_to(open_from: OpenFrom, address: IpAddr) -> bool {
    match open_from {
        OpenFrom::LocalNetwork => is_local(address),
        OpenFrom::Anywhere => true,
        OpenFrom::Nowhere => false,
    }
}

/// Whether an address belongs to a network of a building rather than to the internet.
fn is_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    }
}

/// Which proof is missing.
const fn missing(enforced: SecurityProfile, password: Option<&Credentials>, tls: Option<&Proof>) -> RefusalCode {
    match (enforced, password.is_some(), tls.is_some()) {
        (SecurityProfile::TlsCertificate, _, true) => RefusalCode::CertificateMissing,
        (SecurityProfile::TlsBasic, false, false) => RefusalCode::TlsAndPasswordMissing,
        (SecurityProfile::TlsBasic, true, false) | (SecurityProfile::TlsCertificate, _, false) => {
            RefusalCode::TlsMissing
        }
        // A password that was right would have been enough, so it is one that nobody set here.
        (SecurityProfile::Basic, true, _) | (SecurityProfile::TlsBasic, true, true) => RefusalCode::WrongPassword,
        (SecurityProfile::Open | SecurityProfile::Basic, _, _) | (SecurityProfile::TlsBasic, false, true) => {
            RefusalCode::PasswordMissing
        }
    }
}

#[cfg(test)]
mod tests;
