//! The API under `/api/v1`, the live socket and the console's files.

mod auth;
mod console;
mod live;
mod metrics;
mod paging;
mod peer;
pub(crate) mod problem;
mod routes;

use crate::access::Access;
use crate::backup::Backups;
use crate::books::Jobs;
use crate::cloud::Clouds;
use crate::config::{ConsoleAssets, Demo};
use crate::connections::Connections;
use crate::engine::{ChargerCommand, CommandRefused, Commands, Happened, Live, OrderRefused};
use crate::files::Files;
use crate::mqtt::{DeviceCredentials, ToBroker};
use crate::secrets::Secrets;
use crate::tls::Certificates;
use api::{Code, CommandState};
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::serve::{IncomingStream, Listener};
use control::{Made, Order};
use domain::{ChargerId, Clock};
use problem::{Answer, Failure};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::{Reader, Writer};
use tokio::sync::{broadcast, mpsc, oneshot, watch};

pub(crate) use self::auth::{Auth, MANAGER_SECRET};
pub(crate) use self::metrics::Metrics;
pub(crate) use self::peer::SecuredListener;
use self::peer::{Peer, known_peer};
pub use self::routes::openapi_document;

/// Largest body; the longest real one is a tree of circuits of some kilobytes.
const BODY_BYTES_MAX: usize = 1024 * 1024;

/// What the engine has to answer within; it answers in milliseconds unless the disk hangs.
const ENGINE_WAIT: Duration = Duration::from_secs(10);

/// What handlers share.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) reader: Reader,
    pub(crate) writer: Writer,
    pub(crate) credentials: DeviceCredentials,
    /// Keys and passwords of other systems.
    pub(crate) secrets: Secrets,
    /// The authority of the building.
    pub(crate) certificates: Certificates,
    /// Which proof chargers must bring.
    pub(crate) access: Access,
    /// Copies of the records.
    pub(crate) backups: Backups,
    /// What leaves the building.
    pub(crate) clouds: Clouds,
    /// Files from and for chargers.
    pub(crate) files: Files,
    /// Files and e-mails for all tenants, under way or done.
    pub(crate) jobs: Jobs,
    pub(crate) engine: mpsc::Sender<Happened>,
    pub(crate) live: watch::Receiver<Arc<Live>>,
    pub(crate) outcomes: broadcast::Sender<CommandState>,
    pub(crate) commands: Commands,
    pub(crate) auth: Arc<Auth>,
    pub(crate) connections: Connections,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) console: Option<Arc<ConsoleAssets>>,
    pub(crate) demo: Option<Arc<dyn Demo>>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) to_broker: mpsc::Sender<ToBroker>,
    pub(crate) addresses: crate::Addresses,
    /// What was switched on in the console.
    pub(crate) listeners: crate::listeners::Listeners,
    pub(crate) drain: watch::Receiver<bool>,
}

impl Shared {
    /// The newest live state.
    pub(crate) fn live(&self) -> Arc<Live> {
        Arc::clone(&self.live.borrow())
    }

    /// Gives an order and waits until its result is durable.
    pub(crate) async fn order(&self, order: Order) -> Answer<Made> {
        let (reply, answer) = oneshot::channel();
        self.engine.send(Happened::Order { order, reply }).await.map_err(|_ended| Failure::draining())?;
        match tokio::time::timeout(ENGINE_WAIT, answer).await {
            Ok(Ok(Ok(made))) => Ok(made),
            Ok(Ok(Err(OrderRefused::Refused(error)))) => Err(order_failure(&error)),
            Ok(Ok(Err(OrderRefused::NotKept))) => Err(Failure::new(
                StatusCode::SERVICE_UNAVAILABLE,
                Code::StorageFailing,
                "It is in force, but could not be kept yet; free space on the disk or check it",
            )),
            Ok(Err(_dropped)) => Err(Failure::draining()),
            Err(_elapsed) => Err(Failure::storage()),
        }
    }

    /// Gives an order that only makes sense when it can be kept.
    pub(crate) async fn order_kept(&self, order: Order) -> Answer<Made> {
        if self.live().storage == control::StorageState::Failing {
            return Err(Failure::storage());
        }
        self.order(order).await
    }

    /// Commands a charger; gives the number to ask for the outcome with.
    pub(crate) async fn command(&self, charger: ChargerId, command: ChargerCommand) -> Answer<u64> {
        let (reply, answer) = oneshot::channel();
        let happened = Happened::Command { charger, command, reply };
        self.engine.send(happened).await.map_err(|_ended| Failure::draining())?;
        match tokio::time::timeout(ENGINE_WAIT, answer).await {
            Ok(Ok(Ok(id))) => Ok(id),
            Ok(Ok(Err(refused))) => Err(command_failure(&refused)),
            Ok(Err(_dropped)) => Err(Failure::draining()),
            Err(_elapsed) => Err(Failure::internal()),
        }
    }

    /// Logs what the store said and makes the answer for the client.
    pub(crate) fn store_failure(&self, error: &store::StoreError) -> Failure {
        if let store::StoreError::Cursor(_) = error {
            return Failure::invalid(error.to_string());
        }
        if let store::StoreError::Corrupt(_) = error {
            self.writer.doubt();
        }
        tracing::error!(error = crate::error::chain(error), "the records could not be read");
        Failure::storage()
    }
}

fn order_failure(error: &control::OrderError) -> Failure {
    use control::OrderError as E;
    let detail = crate::error::chain(error);
    match error {
        E::UnknownCharger(_)
        | E::UnknownMeter(_)
        | E::UnknownTenant(_)
        | E::TenantErased(_)
        | E::UnknownCard(_)
        | E::UnknownSession(_) => Failure::new(StatusCode::NOT_FOUND, Code::NotFound, detail),
        E::CardTaken { .. }
        | E::CardTwice(_)
        | E::ChargerOwned { .. }
        | E::CircuitInUse { .. }
        | E::NothingCaptured
        | E::NotEnrolling
        | E::SessionRuns(_)
        | E::NoSession { .. } => Failure::conflict(detail),
        E::UnknownCircuit(_)
        | E::Site(_)
        | E::Policy(_)
        | E::Tenant(_)
        | E::NoReason
        | E::NothingChanged
        | E::SessionTimes
        | E::SessionEnergy { .. }
        | E::OrphanElsewhere
        | E::OrphanRegister
        | E::EmptyName
        | E::MaximumOutOfRange { .. }
        | E::FallbackOutOfRange { .. }
        | E::LimitOutOfRange { .. }
        | E::ConnectorsOutOfRange { .. }
        | E::WiringOutsideSite => Failure::invalid(detail),
    }
}

fn command_failure(refused: &CommandRefused) -> Failure {
    match refused {
        CommandRefused::UnknownCharger => Failure::not_found("such charger"),
        CommandRefused::Offline => Failure::new(
            StatusCode::CONFLICT,
            Code::ChargerOffline,
            "The charger is not connected; check its power and network",
        ),
        CommandRefused::NotApproved => {
            Failure::new(StatusCode::CONFLICT, Code::NotApproved, "The charger waits for approval; approve it first")
        }
        CommandRefused::Unsupported => {
            Failure::new(StatusCode::CONFLICT, Code::Unsupported, "The charger's protocol has no such operation")
        }
        CommandRefused::UnknownCard => Failure::invalid("nobody enrolled this card; enrol it for a tenant first"),
        CommandRefused::BlockedCard => Failure::invalid("this card is blocked; unblock it or take another"),
        CommandRefused::Refused(error) => order_failure(error),
    }
}

/// Serves until the drain.
pub(crate) async fn serve<L>(listener: L, shared: Shared)
where
    L: Listener<Addr = SocketAddr>,
    Peer: for<'a> Connected<IncomingStream<'a, L>>,
{
    let mut drain = shared.drain.clone();
    let app = router(shared).layer(from_fn(known_peer)).into_make_service_with_connect_info::<Peer>();
    let ended = async move {
        crate::drain::drained(&mut drain).await;
    };
    if let Err(error) = axum::serve(listener, app).with_graceful_shutdown(ended).await {
        tracing::error!(%error, "the API ended");
    }
}

fn router(shared: Shared) -> Router {
    let (api, _document) = routes::router(&shared);
    Router::new()
        .nest("/api/v1", api)
        .route("/enter", axum::routing::get(routes::enter))
        .fallback(console::serve)
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .layer(from_fn_with_state(shared.clone(), local_names_only))
        .layer(from_fn(security_headers))
        .with_state(shared)
}

/// A page of somebody else that gave us a name of its own gets nothing.
async fn local_names_only(
    State(shared): State<Shared>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
    next: Next,
) -> Response {
    shared.metrics.http_request();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if host.is_some_and(|host| !auth::is_local_name(host)) {
        tracing::warn!(%peer, ?host, "a request under a foreign name is refused");
        return Failure::new(
            StatusCode::MISDIRECTED_REQUEST,
            Code::Invalid,
            "Open the console by this computer's name or address",
        )
        .into_response();
    }
    next.run(request).await
}

/// What the console may load: itself, compiled code included; nothing from elsewhere, and nobody frames it.
const POLICY: &str = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; \
    img-src 'self' data: blob:; connect-src 'self' ws: wss:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

async fn security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("permissions-policy"), "camera=(), microphone=(), geolocation=()"),
    ];
    for (name, value) in fixed {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
