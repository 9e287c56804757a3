//! From an open socket to a session: reads the CONNECT, asks the authority, and answers.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::time::timeout;
use tracing::debug;

use crate::codec::{Connect, Reason, read_connect, write_refusal};
use crate::limits::Seat;
use crate::session::{Attach, Context, Era, Io, NoSession, Registry, Wire, refusal_reason};
use crate::{Admission, Attempt, Authority, Connection, Identity, Login, Protocol, Refusal, Standing};

/// Why nobody was let in.
struct Turned {
    /// What the client is told, when it can be told.
    answer: Option<(Protocol, Reason)>,
    client_id: Option<String>,
    user: Option<String>,
    reason: String,
}

/// Serves a socket until its session has it, or it is closed.
pub(crate) async fn serve<A: Authority>(context: Arc<Context<A>>, stream: Box<dyn Io>, peer: SocketAddr, seat: Seat) {
    let mut wire = Wire::new(stream, context.config.packet_bytes_max);
    let patience = context.config.connect_timeout;
    let turned = match timeout(patience, greet(&context, &mut wire, peer)).await {
        Ok(Ok(guest)) => {
            let Guest { connect, identity, connection, has_assigned_id, era } = guest;
            attach(&context, Box::new(Attach { wire, connect, identity, connection, has_assigned_id, era, seat }))
                .await;
            return;
        }
        Ok(Err(turned)) => turned,
        Err(_) => silent(format!("no login within {} seconds", patience.as_secs())),
    };
    if let Some((protocol, reason)) = turned.answer {
        write_refusal(&mut wire.out, protocol, reason, &turned.reason);
    }
    debug!(%peer, reason = %turned.reason, "MQTT login refused");
    let Turned { client_id, user, reason, .. } = turned;
    context.authority.refused(Attempt::Login { peer, client_id, user, reason }).await;
    wire.last_words().await;
    wire.close().await;
}

/// Hands a connection that was let in to its session.
pub(crate) async fn attach<A: Authority>(context: &Arc<Context<A>>, attach: Box<Attach>) {
    let Err((why, mut attach)) = Registry::attach(context, attach).await else { return };
    let (code, reason) = match why {
        NoSession::Full => (Reason::QuotaExceeded, "there is no room for one more MQTT session"),
        NoSession::Outdated => (Reason::ServerUnavailable, "rights changed during the login; connect again"),
    };
    write_refusal(&mut attach.wire.out, attach.connect.protocol, code, reason);
    let attempt = Attempt::Login {
        peer: attach.connection.peer,
        client_id: Some(attach.connection.client_id.clone()),
        user: attach.connect.user.clone(),
        reason: reason.to_owned(),
    };
    context.authority.refused(attempt).await;
    attach.wire.last_words().await;
    attach.wire.close().await;
}

/// A client that was let in.
struct Guest {
    connect: Connect,
    identity: Identity,
    connection: Connection,
    has_assigned_id: bool,
    era: Era,
}

async fn greet<A: Authority>(context: &Context<A>, wire: &mut Wire, peer: SocketAddr) -> Result<Guest, Turned> {
    let frame = match wire.first_frame().await {
        Ok(Ok(frame)) => frame,
        Ok(Err(fault)) => return Err(silent(fault.text.to_owned())),
        Err(source) => return Err(silent(format!("the connection was lost before the login: {source}"))),
    };
    let mut connect = read_connect(frame, context.config.topic_bytes_max).map_err(|error| Turned {
        answer: error.answer.map(|protocol| (protocol, error.fault.reason)),
        client_id: None,
        user: None,
        reason: error.fault.text.to_owned(),
    })?;
    let generation = context.last_generation.fetch_add(1, Ordering::Relaxed) + 1;
    let has_assigned_id = connect.client_id.is_empty();
    if has_assigned_id {
        connect.client_id = format!("auto-{generation}");
    }
    let era = context.registry.era();
    let identity = admit(context, &connect, peer).await?;
    check_will(context, &connect, &identity)?;
    let connection = Connection { generation, client_id: connect.client_id.clone(), peer, protocol: connect.protocol };
    Ok(Guest { connect, identity, connection, has_assigned_id, era })
}

async fn admit<A: Authority>(context: &Context<A>, connect: &Connect, peer: SocketAddr) -> Result<Identity, Turned> {
    let login = Login {
        client_id: connect.client_id.clone(),
        user: connect.user.clone(),
        password: connect.password.as_ref().map(|password| password.to_vec()),
        peer,
        protocol: connect.protocol,
    };
    match context.authority.authenticate(login).await {
        Admission::Admitted(identity) => Ok(identity.with_standing(Standing::Trusted)),
        Admission::Quarantined(identity) => Ok(identity.with_standing(Standing::Quarantined)),
        Admission::Refused(refusal) => {
            let text = match refusal {
                Refusal::BadCredentials => "user name or password is wrong",
                Refusal::NotAuthorized => "this user is not allowed to connect",
                Refusal::Banned => "this user is blocked",
                Refusal::Unavailable => "logins cannot be checked now; try again later",
            };
            Err(turn(connect, refusal_reason(refusal), text.to_owned()))
        }
    }
}

/// A will on a foreign topic would be a way around the rules.
fn check_will<A: Authority>(context: &Context<A>, connect: &Connect, who: &Identity) -> Result<(), Turned> {
    let Some(will) = &connect.will else { return Ok(()) };
    if !will.topic.is_reserved() && context.authority.may_publish(who, will.topic.as_str()) {
        return Ok(());
    }
    Err(turn(connect, Reason::NotAuthorized, format!("not allowed to leave a will on \"{}\"", will.topic)))
}

fn turn(connect: &Connect, reason: Reason, text: String) -> Turned {
    Turned {
        answer: Some((connect.protocol, reason)),
        client_id: Some(connect.client_id.clone()),
        user: connect.user.clone(),
        reason: text,
    }
}

const fn silent(reason: String) -> Turned {
    Turned { answer: None, client_id: None, user: None, reason }
}
