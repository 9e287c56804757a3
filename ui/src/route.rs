//! Which request each command and each value needs. Pure: the paths of `/api/v1` in one place.

use crate::command::{Command, Resource};
use crate::history::series_names;
use crate::time::rfc3339;
use crate::transport::Method;
use crate::view::{Axis, InsightFilter, SessionFilter};
use api::{PriorityOrder, Snapshot};
use domain::Provenance;
use serde::Serialize;

/// Sessions in one page of the list.
const SESSIONS_PER_PAGE: u32 = 50;
/// Decisions and messages shown of a charger.
const LOG_ROWS: u32 = 200;
/// Steps of readings for a graph: as dense as they are measured.
const STEP_S: i64 = 5;
/// Most series in one question, as the server allows.
const SERIES_MAX: usize = 64;

/// Method, path below `/api/v1/` and JSON body.
pub(crate) type Route = (Method, String, Option<String>);

/// What is decided about a card, and nothing else about it.
fn card_patch(policy: api::CardPolicyItem) -> api::CardPatch {
    api::CardPatch { policy: Some(policy), ..api::CardPatch::default() }
}

/// The request of a command; `None` for commands that only change the view.
pub(crate) fn of_command(command: &Command, snapshot: Option<&Snapshot>) -> Option<Route> {
    use Method::{Delete, Patch, Post, Put};
    Some(match command {
        Command::SignIn(password) => (Post, "login".to_owned(), json(&api::Login { password: password.clone() })),
        Command::SignInWithTicket(ticket) => {
            (Post, "login/ticket".to_owned(), Some(serde_json::json!({ "ticket": ticket }).to_string()))
        }
        Command::SignOut => (Post, "logout".to_owned(), empty()),
        Command::SetUp(setup) => (Post, "setup".to_owned(), json(setup)),
        Command::ApproveMeter(id) => (Post, format!("meters/{}/approve", part(id)), empty()),
        Command::EditMeter(id, patch) => (Patch, format!("meters/{}", part(id)), json(patch)),
        Command::RemoveMeter(id) => (Delete, format!("meters/{}", part(id)), None),
        Command::MoveUp(id) => order(snapshot?, id, |place| place.saturating_sub(1))?,
        Command::MoveDown(id) => order(snapshot?, id, |place| place + 1)?,
        Command::MoveTo(id, place) => order(snapshot?, id, |_| *place)?,
        Command::Enrol(request) => (Post, "enrolment".to_owned(), json(request)),
        Command::CancelEnrolment => (Delete, "enrolment".to_owned(), None),
        Command::AddTenant(tenant, _) => (Post, "tenants".to_owned(), json(tenant)),
        Command::AddCard(tenant, card) => (Post, format!("tenants/{tenant}/cards"), json(card)),
        Command::EditTenant(tenant, patch) => (Patch, format!("tenants/{tenant}"), json(patch)),
        Command::CorrectSession(id, patch) => (Patch, format!("sessions/{id}"), json(patch)),
        Command::RemoveTenant(tenant) => (Delete, format!("tenants/{tenant}"), None),
        Command::SetCardPolicy(card, policy) => (Patch, format!("cards/{card}"), json(&card_patch(*policy))),
        Command::BlockCard(card, patch) => (Patch, format!("cards/{card}"), json(patch)),
        Command::RemoveCard(card) => (Delete, format!("cards/{card}"), None),
        Command::EditCircuits(list) => (Put, "circuits".to_owned(), json(list)),
        Command::Wish(session, wish) => (Post, format!("sessions/{session}/wish"), json(wish)),
        Command::WithdrawWish(session) => (Delete, format!("sessions/{session}/wish"), None),
        Command::EditSite(site) => (Put, "site".to_owned(), json(site)),
        Command::SetSecurityPolicy(policy) => (Put, "security".to_owned(), json(policy)),
        Command::SetChargerSecurity(id, put) => (Put, format!("chargers/{}/security", part(id)), json(put)),
        Command::GivePassword(id, password) => charger(id, "security/password", json(password)),
        Command::TrustAuthority(id) => charger(id, "security/trust", empty()),
        Command::AskCertificate(id) => charger(id, "security/certificate", empty()),
        Command::RevokeCertificate(serial) => (Post, format!("certificates/{}/revoke", part(serial)), empty()),
        Command::PutForeign(id, put) => (Put, format!("foreign-meters/{}", part(id)), json(put)),
        Command::RemoveForeign(id) => (Delete, format!("foreign-meters/{}", part(id)), None),
        Command::PreviewForeign(preview) => (Post, "foreign-meters/preview".to_owned(), json(preview)),
        Command::SetListeners(switches) => (Put, "listeners".to_owned(), json(switches)),
        Command::KeepFirmware(_) | Command::RemoveFile(_) => of_file(command)?,
        Command::AddDevice(device) => (Post, "mqtt/devices".to_owned(), json(device)),
        Command::Books(books) => books.route(),
        Command::Records(records) => records.route(),
        Command::Keeping(keeping) => keeping.route(),
        Command::Demo(demo) => (Post, "demo".to_owned(), json(demo)),
        Command::ApproveCharger(id) => charger(id, "approve", empty()),
        Command::Pause(id) => charger(id, "pause", empty()),
        Command::Resume(id) => charger(id, "resume", empty()),
        Command::Stop(id, target) => charger(id, "stop", json(target)),
        Command::Limit(id, limit) => charger(id, "limit", json(limit)),
        Command::Start(id, start) => charger(id, "start", json(start)),
        Command::Reset(id, kind) => charger(id, "reset", json(&api::ResetRequest { kind: *kind })),
        Command::Unlock(id, target) => charger(id, "unlock", json(target)),
        Command::Operate(id, operation) => charger(id, "operations", json(operation)),
        Command::SetCharger(id, settings) => (Put, format!("chargers/{}/settings", part(id)), json(settings)),
        Command::EditCharger(id, patch) => (Patch, format!("chargers/{}", part(id)), json(patch)),
        Command::RemoveCharger(id) => (Delete, format!("chargers/{}", part(id)), None),
        Command::Show(_)
        | Command::ShowCharger(_)
        | Command::ShowSession(_)
        | Command::ShowDialog(_)
        | Command::SetSpan(_)
        | Command::SetInsight(_)
        | Command::SetQuantity(_)
        | Command::SetGraphForm(_)
        | Command::SetLanguage(_)
        | Command::SetTheme(_)
        | Command::Dismiss(_)
        | Command::Copy(_)
        | Command::Fetch(_) => return None,
    })
}

/// What happens to a file of chargers; the file itself goes beside the route.
fn of_file(command: &Command) -> Option<Route> {
    match command {
        Command::KeepFirmware(file) => Some((Method::Post, format!("files?name={}", part(&file.name)), None)),
        Command::RemoveFile(id) => Some((Method::Delete, format!("files/{}", part(id)), None)),
        _ => None,
    }
}

/// A command to one charger.
fn charger(id: &str, verb: &str, body: Option<String>) -> Route {
    (Method::Post, format!("chargers/{}/{verb}", part(id)), body)
}

/// A new order of chargers with one of them elsewhere; `None` when nothing moves.
fn order(snapshot: &Snapshot, id: &str, to: impl Fn(usize) -> usize) -> Option<Route> {
    let mut chargers: Vec<String> = snapshot.chargers.iter().map(|charger| charger.id.clone()).collect();
    let place = chargers.iter().position(|known| known == id)?;
    let target = to(place).min(chargers.len() - 1);
    if target == place {
        return None;
    }
    let moved = chargers.remove(place);
    chargers.insert(target, moved);
    Some((Method::Put, "chargers/order".to_owned(), json(&PriorityOrder { chargers })))
}

/// What is needed to ask for a value.
pub(crate) struct Asking<'a> {
    /// The newest snapshot.
    pub(crate) snapshot: Option<&'a Snapshot>,
    /// Which sums are shown.
    pub(crate) insight: &'a InsightFilter,
    /// Which sessions are listed.
    pub(crate) filter: &'a SessionFilter,
    /// Where the list of sessions goes on.
    pub(crate) cursor: Option<&'a str>,
}

/// Path of a value; `None` while what it depends on is unknown.
pub(crate) fn of_resource(resource: &Resource, asking: &Asking<'_>) -> Option<String> {
    Some(match resource {
        Resource::Session => "session".to_owned(),
        Resource::Site => "site".to_owned(),
        Resource::Circuits => "circuits".to_owned(),
        Resource::Fallbacks => "fallbacks".to_owned(),
        Resource::Tenants => "tenants?limit=1000".to_owned(),
        Resource::Sessions => sessions(asking, None),
        Resource::MoreSessions => sessions(asking, Some(asking.cursor?)),
        Resource::Usage => usage(asking.insight, asking.snapshot?.at_ms)?,
        Resource::Curve(id) => format!("sessions/{id}/curve"),
        Resource::Readings(quantity, from_ms) => {
            let snapshot = asking.snapshot?;
            readings(&series_names(snapshot, *quantity), *from_ms, snapshot.at_ms, STEP_S)
        }
        Resource::Decisions(id) => format!("chargers/{}/decisions?limit={LOG_ROWS}", part(id)),
        Resource::Frames(id, text) => {
            let search = if text.is_empty() { String::new() } else { format!("&text={}", part(text)) };
            format!("chargers/{}/frames?limit={LOG_ROWS}{search}", part(id))
        }
        Resource::Detail(id) => format!("chargers/{}/detail", part(id)),
        Resource::Timeline(id) => format!("chargers/{}/timeline", part(id)),
        Resource::Connections => "connections?limit=500".to_owned(),
        Resource::Security => "security".to_owned(),
        Resource::ForeignMeters => "foreign-meters".to_owned(),
        Resource::ForeignPresets => "foreign-meters/presets".to_owned(),
        Resource::Listeners => "listeners".to_owned(),
        Resource::Files => "files?limit=1000".to_owned(),
        Resource::Books(books) => books.path(),
        Resource::Records(records) => records.path(),
        Resource::Keeping(keeping) => keeping.path(),
        Resource::Demo => "demo".to_owned(),
    })
}

/// Where a charger's messages are as a file.
pub(crate) fn export_of_frames(id: &str, text: &str, format: &str) -> String {
    format!("/api/v1/chargers/{}/frames?format={format}&text={}", part(id), part(text))
}

fn sessions(asking: &Asking<'_>, cursor: Option<&str>) -> String {
    let mut path = format!("sessions?limit={SESSIONS_PER_PAGE}");
    if let (Some(length), Some(snapshot)) = (asking.filter.period.ms(), asking.snapshot) {
        path.push_str(&format!("&from={}", rfc3339(snapshot.at_ms - length)));
    }
    if let Some(tenant) = asking.filter.tenant_id {
        path.push_str(&format!("&tenant_id={tenant}"));
    }
    if let Some(charger) = &asking.filter.charger {
        path.push_str(&format!("&charger={}", part(charger)));
    }
    if asking.filter.unassigned {
        path.push_str("&unassigned=true");
    }
    if let Some(trust) = asking.filter.trust {
        path.push_str(&format!("&provenance={}", trust_word(trust)));
    }
    let words = asking.filter.words.trim();
    if !words.is_empty() {
        path.push_str(&format!("&q={}", part(words)));
    }
    if let Some(cursor) = cursor {
        path.push_str(&format!("&cursor={}", part(cursor)));
    }
    path
}

/// As the server spells it.
const fn trust_word(trust: Provenance) -> &'static str {
    match trust {
        Provenance::Measured => "measured",
        Provenance::ReceivedLate => "received_late",
        Provenance::ClockCorrected => "clock_corrected",
        Provenance::Estimated => "estimated",
        Provenance::Corrected => "corrected",
    }
}

/// The question behind a chart; also the address of its values as CSV.
pub(crate) fn usage(filter: &InsightFilter, now_ms: i64) -> Option<String> {
    let (bucket, by) = match filter.axis {
        Axis::Day => ("day", "all"),
        Axis::Month => ("month", "all"),
        Axis::Hour => ("hour", "all"),
        Axis::Tenant => ("total", "tenant"),
        Axis::Charger => ("total", "charger"),
    };
    // As far back as the server sums.
    let length = filter.period.ms().unwrap_or(1_090 * crate::time::DAY_MS);
    let from = rfc3339(now_ms.checked_sub(length)?);
    let mut path = format!("usage?from={from}&bucket={bucket}&by={by}");
    if let Some(tenant) = filter.tenant_id {
        path.push_str(&format!("&tenant_id={tenant}"));
    }
    if let Some(charger) = &filter.charger {
        path.push_str(&format!("&charger={}", part(charger)));
    }
    Some(path)
}

pub(crate) fn readings(series: &[String], from_ms: i64, to_ms: i64, step_s: i64) -> String {
    let names: Vec<String> = series.iter().take(SERIES_MAX).map(|name| part(name)).collect();
    format!("readings?series={}&from={}&to={}&step_s={step_s}", names.join(","), rfc3339(from_ms), rfc3339(to_ms))
}

fn json<T: Serialize>(value: &T) -> Option<String> {
    // Our own types always serialise: their maps have text keys.
    serde_json::to_string(value).ok()
}

#[expect(clippy::unnecessary_wraps, reason = "a body like the others")]
fn empty() -> Option<String> {
    Some("{}".to_owned())
}

/// Percent-encodes one part of a path or query; `/` stays, since series carry it in a query.
pub(crate) fn part(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::ChargerItem;

    fn snapshot(ids: &[&str]) -> Snapshot {
        let charger = |id: &&str| -> ChargerItem { crate::fixtures::charger(id) };
        Snapshot { chargers: ids.iter().map(charger).collect(), ..Snapshot::default() }
    }

    /// Moving a charger sends the whole new order, and a move that changes nothing sends nothing.
    #[test]
    fn moving_sends_the_whole_order() {
        let snapshot = snapshot(&["A", "B", "C"]);
        let sent = |command| of_command(&command, Some(&snapshot)).map(|(_, _, body)| body.unwrap_or_default());
        assert_eq!(sent(Command::MoveUp("C".to_owned())).as_deref(), Some(r#"{"chargers":["A","C","B"]}"#));
        assert_eq!(sent(Command::MoveDown("A".to_owned())).as_deref(), Some(r#"{"chargers":["B","A","C"]}"#));
        assert_eq!(sent(Command::MoveTo("A".to_owned(), 9)).as_deref(), Some(r#"{"chargers":["B","C","A"]}"#));
        assert_eq!(sent(Command::MoveUp("A".to_owned())), None, "the first stays first");
        assert_eq!(sent(Command::MoveUp("X".to_owned())), None, "an unknown charger is not moved");
    }

    /// Identities with spaces or letters outside ASCII stay one part of the path.
    #[test]
    fn identities_are_encoded() {
        let (_, path, _) = of_command(&Command::Pause("Lugar 3 ç".to_owned()), None).unwrap();
        assert_eq!(path, "chargers/Lugar%203%20%C3%A7/pause");
    }
}
