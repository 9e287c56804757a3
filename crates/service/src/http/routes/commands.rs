//! Commands to chargers. Each answers 202 with a number; the outcome follows on `commands/{id}` and the live socket.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure, Path};
use super::operations;
use crate::engine::ChargerCommand;
use api::{CommandAccepted, CommandState, ConnectorTarget, Operation, ResetKind, ResetRequest, StartRequest};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use domain::{CardUid, ChargerId, ConnectorNumber};

type Accepted = Answer<(StatusCode, Json<CommandAccepted>)>;

async fn give(shared: &Shared, id: &str, command: ChargerCommand) -> Accepted {
    let command_id = shared.command(ChargerId::new(id)?, command).await?;
    Ok((StatusCode::ACCEPTED, Json(CommandAccepted { command_id })))
}

fn connector(number: u16) -> Answer<ConnectorNumber> {
    if number == 0 {
        return Err(Failure::invalid("connector counts from 1"));
    }
    Ok(ConnectorNumber(number))
}

/// Start a session with a card
#[utoipa::path(post, path = "/chargers/{id}/start", tag = "commands", params(("id" = String, Path)), request_body = StartRequest,
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn start(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(request): Body<StartRequest>,
) -> Accepted {
    let card = CardUid::new(&request.card).map_err(|error| Failure::invalid(error.to_string()))?;
    give(&shared, &id, ChargerCommand::Start { connector: connector(request.connector)?, card }).await
}

/// End the session that runs at a connector
#[utoipa::path(post, path = "/chargers/{id}/stop", tag = "commands", params(("id" = String, Path)), request_body = ConnectorTarget,
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn stop(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(target): Body<ConnectorTarget>,
) -> Accepted {
    give(&shared, &id, ChargerCommand::Stop { connector: connector(target.connector)? }).await
}

/// Restart a charger
#[utoipa::path(post, path = "/chargers/{id}/reset", tag = "commands", params(("id" = String, Path)), request_body = ResetRequest,
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn reset(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(request): Body<ResetRequest>,
) -> Accepted {
    let kind = match request.kind {
        ResetKind::Soft => central_system::ResetKind::Soft,
        ResetKind::Hard => central_system::ResetKind::Hard,
    };
    give(&shared, &id, ChargerCommand::Reset(kind)).await
}

/// Release a cable
#[utoipa::path(post, path = "/chargers/{id}/unlock", tag = "commands", params(("id" = String, Path)), request_body = ConnectorTarget,
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn unlock(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(target): Body<ConnectorTarget>,
) -> Accepted {
    give(&shared, &id, ChargerCommand::Unlock { connector: connector(target.connector)? }).await
}

/// Any other operation of the charger's protocol
#[utoipa::path(post, path = "/chargers/{id}/operations", tag = "commands", params(("id" = String, Path)), request_body = Operation,
    responses((status = 202, body = CommandAccepted), (status = 404, body = api::Problem), (status = 409, body = api::Problem)))]
pub(crate) async fn operate(
    State(shared): State<Shared>,
    Path(id): Path<String>,
    Body(operation): Body<Operation>,
) -> Accepted {
    let command = operations::command_of(&shared, &id, operation).await?;
    give(&shared, &id, ChargerCommand::Ocpp(command)).await
}

/// How a command ended
#[utoipa::path(get, path = "/commands/{id}", tag = "commands", params(("id" = u64, Path)),
    responses((status = 200, body = CommandState), (status = 404, body = api::Problem)))]
pub(crate) async fn command_get(State(shared): State<Shared>, Path(id): Path<u64>) -> Answer<Json<CommandState>> {
    shared.commands.get(id).map(Json).ok_or_else(|| Failure::not_found("such command, or it is too long ago"))
}
