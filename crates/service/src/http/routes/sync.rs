//! What leaves the building: the cloud database.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use crate::cloud::{CLOUD, secret_name};
use api::{CloudForm, CloudItem, ConnectionTest, ConsentForm, SinkPause, SinkStatus, SyncPage, TroubleItem};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::Clock as _;
use store::{Consent, Resolution, SinkOrder, SinkSetup, SinkState};
use sync::postgres::{Settings, Tls};
use sync::{Phase, Trouble};

/// The usual port of PostgreSQL.
const PORT: u16 = 5432;

pub(super) fn trouble_item(trouble: &Trouble) -> TroubleItem {
    TroubleItem { code: trouble.code.to_owned(), sentence: trouble.sentence.clone(), detail: trouble.detail.clone() }
}

fn refused(trouble: &Trouble) -> Failure {
    Failure::conflict(trouble.sentence.clone())
}

fn settings_of(form: &CloudForm) -> Answer<Settings> {
    let tls = match form.tls.as_str() {
        "off" => Tls::Off,
        "encrypt" => Tls::Encrypt,
        "verify_ca" => Tls::VerifyCa,
        "verify_full" | "" => Tls::VerifyFull,
        _ => return Err(Failure::invalid("tls is off, encrypt, verify_ca or verify_full")),
    };
    let trimmed = |text: &str| text.trim().to_owned();
    Ok(Settings {
        host: trimmed(&form.host),
        port: if form.port == 0 { PORT } else { form.port },
        database: trimmed(&form.database),
        user: trimmed(&form.user),
        tls,
        ca_file: trimmed(&form.ca_file),
    })
}

const fn tls_word(tls: Tls) -> &'static str {
    match tls {
        Tls::Off => "off",
        Tls::Encrypt => "encrypt",
        Tls::VerifyCa => "verify_ca",
        Tls::VerifyFull => "verify_full",
    }
}

pub(super) fn consents_of(form: ConsentForm) -> (Vec<Consent>, Resolution) {
    let boxes = [
        (form.names, Consent::Names),
        (form.cards, Consent::Cards),
        (form.papers, Consent::Papers),
        (form.frames, Consent::Frames),
    ];
    let ticked = boxes.into_iter().filter(|(ticked, _)| *ticked).map(|(_, consent)| consent).collect();
    (ticked, if form.raw { Resolution::Raw } else { Resolution::Minutes })
}

pub(super) fn consent_form(setup: &SinkSetup) -> ConsentForm {
    let has = |consent| setup.consents.contains(&consent);
    ConsentForm {
        names: has(Consent::Names),
        cards: has(Consent::Cards),
        papers: has(Consent::Papers),
        frames: has(Consent::Frames),
        raw: setup.resolution == Resolution::Raw,
    }
}

const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Beginning => "beginning",
        Phase::Sending => "sending",
        Phase::UpToDate => "up_to_date",
        Phase::Paused => "paused",
        Phase::Failing => "failing",
    }
}

/// How a sink is doing. The numbers of the outbox are times of this computer, whatever clock the building follows.
pub(super) async fn sink_status(shared: &Shared, name: &str, state: Option<&SinkState>) -> SinkStatus {
    let Some(state) = state else { return SinkStatus { name: name.to_owned(), ..SinkStatus::default() } };
    let status = shared.clouds.status(name);
    let has_password = shared.secrets.get(&secret_name(name)).await.is_ok_and(|found| found.is_some());
    let place = shared.secrets.place().await.ok().filter(|_| has_password);
    let now_ms = crate::config::SystemClock::default().now().wall.0;
    let uploading = state.waiting > 0 && state.oldest_ms.is_none();
    let seconds = |ms: i64| f64::from(i32::try_from(ms.max(0) / 1000).unwrap_or(i32::MAX));
    let part = |filled: i64| {
        let clipped = |value: i64| f64::from(i32::try_from(value).unwrap_or(i32::MAX));
        1.0 - (clipped(state.waiting) / clipped(filled.max(1))).min(1.0)
    };
    SinkStatus {
        name: name.to_owned(),
        configured: true,
        phase: if state.sink.setup.paused { "paused" } else { phase_word(status.phase) }.to_owned(),
        rows_sent: state.sink.sent,
        waiting: state.waiting,
        first_upload: uploading.then(|| part(state.sink.filled)),
        lag_s: match state.oldest_ms {
            _ if state.waiting == 0 => Some(0.0),
            Some(oldest) => Some(seconds(now_ms - oldest)),
            None => None,
        },
        last_trouble: status.last_trouble.as_ref().map(trouble_item),
        failing: status.phase == Phase::Failing,
        password_in: place.map(|place| place.name().to_owned()).unwrap_or_default(),
    }
}

pub(super) async fn states(shared: &Shared) -> Answer<Vec<SinkState>> {
    shared.clouds.sinks().await.map_err(|error| shared.store_failure(&error))
}

async fn cloud_item(shared: &Shared) -> Answer<CloudItem> {
    let states = states(shared).await?;
    let state = states.iter().find(|state| state.sink.setup.name == CLOUD);
    let form = match state {
        Some(state) => {
            let settings: Settings = serde_json::from_str(&state.sink.setup.settings).unwrap_or_default();
            CloudForm {
                host: settings.host,
                port: settings.port,
                database: settings.database,
                user: settings.user,
                tls: tls_word(settings.tls).to_owned(),
                ca_file: settings.ca_file,
                password: None,
                consent: consent_form(&state.sink.setup),
            }
        }
        None => CloudForm { port: PORT, tls: tls_word(Tls::default()).to_owned(), ..CloudForm::default() },
    };
    let site_id = shared.reader.site_key().await.map_err(|error| shared.store_failure(&error))?;
    Ok(CloudItem { form, status: sink_status(shared, CLOUD, state).await, site_id })
}

/// How every sink is doing; none when the records cannot be read.
pub(super) async fn all_sinks(shared: &Shared) -> Vec<SinkStatus> {
    let mut items = Vec::new();
    for state in states(shared).await.unwrap_or_default() {
        items.push(sink_status(shared, &state.sink.setup.name, Some(&state)).await);
    }
    items
}

/// Everywhere records are sent to, and how far it has come
#[utoipa::path(get, path = "/sync", tag = "sync", responses((status = 200, body = SyncPage)))]
pub(crate) async fn sync_list(State(shared): State<Shared>) -> Answer<Json<SyncPage>> {
    Ok(Json(SyncPage { items: all_sinks(&shared).await }))
}

/// The cloud database and how far sending has come; the password is never given back
#[utoipa::path(get, path = "/sync/cloud", tag = "sync", responses((status = 200, body = CloudItem)))]
pub(crate) async fn cloud_get(State(shared): State<Shared>) -> Answer<Json<CloudItem>> {
    cloud_item(&shared).await.map(Json)
}

async fn password(shared: &Shared, form: &CloudForm) -> Answer<String> {
    if let Some(password) = &form.password {
        return Ok(password.clone());
    }
    let kept = shared.secrets.get(&secret_name(CLOUD)).await;
    let kept = kept.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    Ok(kept.map(|password| password.to_string()).unwrap_or_default())
}

/// Try the connection: says precisely what is wrong, and changes nothing
#[utoipa::path(post, path = "/sync/cloud/test", tag = "sync", request_body = CloudForm,
    responses((status = 200, body = ConnectionTest)))]
pub(crate) async fn cloud_test(
    State(shared): State<Shared>,
    Body(form): Body<CloudForm>,
) -> Answer<Json<ConnectionTest>> {
    let password = password(&shared, &form).await?;
    Ok(Json(match sync::postgres::test(&settings_of(&form)?, &password).await {
        Ok(tested) => ConnectionTest {
            trouble: None,
            server: tested.server,
            encrypted: tested.encrypted,
            prepared: tested.format == Some(sync::postgres::FORMAT),
        },
        Err(trouble) => ConnectionTest { trouble: Some(trouble_item(&trouble)), ..ConnectionTest::default() },
    }))
}

/// Start sending, or change what is sent where; makes the tables when there are none
#[utoipa::path(put, path = "/sync/cloud", tag = "sync", request_body = CloudForm,
    responses((status = 200, body = CloudItem), (status = 409, body = api::Problem)))]
pub(crate) async fn cloud_put(State(shared): State<Shared>, Body(form): Body<CloudForm>) -> Answer<Json<CloudItem>> {
    let settings = settings_of(&form)?;
    let password = password(&shared, &form).await?;
    sync::postgres::migrate(&settings, &password).await.map_err(|trouble| refused(&trouble))?;
    if form.password.is_some() {
        let kept = if password.is_empty() {
            shared.secrets.remove(&secret_name(CLOUD)).await
        } else {
            shared.secrets.set(&secret_name(CLOUD), &password).await
        };
        kept.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    }
    let (consents, resolution) = consents_of(form.consent);
    let settings = serde_json::to_string(&settings).map_err(|_unwritable| Failure::internal())?;
    let setup = SinkSetup { name: CLOUD.to_owned(), settings, consents, resolution, paused: false };
    order(&shared, SinkOrder::Set(setup)).await?;
    cloud_item(&shared).await.map(Json)
}

pub(super) async fn order(shared: &Shared, order: SinkOrder) -> Answer<()> {
    shared.writer.sink(order).await.map_err(|error| shared.store_failure(&error))?;
    shared.clouds.wake();
    Ok(())
}

/// Stop sending and forget where to; what arrived stays there
#[utoipa::path(delete, path = "/sync/cloud", tag = "sync", responses((status = 204)))]
pub(crate) async fn cloud_remove(State(shared): State<Shared>) -> Answer<StatusCode> {
    order(&shared, SinkOrder::Remove(CLOUD.to_owned())).await?;
    let forgotten = shared.secrets.remove(&secret_name(CLOUD)).await;
    forgotten.map_err(|error| Failure::conflict(crate::error::chain(&error)))?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send nothing for now, or go on; nothing is lost meanwhile
#[utoipa::path(post, path = "/sync/cloud/pause", tag = "sync", request_body = SinkPause,
    responses((status = 200, body = CloudItem)))]
pub(crate) async fn cloud_pause(State(shared): State<Shared>, Body(body): Body<SinkPause>) -> Answer<Json<CloudItem>> {
    order(&shared, SinkOrder::Pause(CLOUD.to_owned(), body.paused)).await?;
    cloud_item(&shared).await.map(Json)
}

/// Send for this building from this computer, in place of the one that did before
#[utoipa::path(post, path = "/sync/cloud/take-over", tag = "sync",
    responses((status = 200, body = CloudItem), (status = 409, body = api::Problem)))]
pub(crate) async fn cloud_take_over(State(shared): State<Shared>) -> Answer<Json<CloudItem>> {
    let known = shared.clouds.credentials().await.map_err(|trouble| refused(&trouble))?;
    let (settings, password) = known.ok_or_else(|| Failure::not_found("cloud"))?;
    let computer = shared.clouds.computer().await.map_err(Failure::conflict)?;
    let taken = sync::postgres::Cloud::take_over(&settings, &password, &computer).await;
    taken.map_err(|trouble| refused(&trouble))?;
    shared.clouds.wake();
    cloud_item(&shared).await.map(Json)
}
