//! The demo panel. These resources exist in the demo only.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use api::{Code, DemoCommand, DemoSnapshot};
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use std::sync::Arc;

fn demo(shared: &Shared) -> Answer<Arc<dyn crate::Demo>> {
    shared.demo.clone().ok_or_else(|| {
        Failure::new(
            StatusCode::NOT_FOUND,
            Code::DemoOnly,
            "This is a real building; start the demo for the demo panel",
        )
    })
}

/// The virtual building
#[utoipa::path(get, path = "/demo", tag = "demo", responses((status = 200, body = DemoSnapshot), (status = 404, body = api::Problem)))]
pub(crate) async fn demo_get(State(shared): State<Shared>) -> Answer<Json<DemoSnapshot>> {
    Ok(Json(demo(&shared)?.snapshot()))
}

/// Do something to the virtual building
#[utoipa::path(post, path = "/demo/commands", tag = "demo", request_body = DemoCommand,
    responses((status = 204), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn demo_command(State(shared): State<Shared>, Body(command): Body<DemoCommand>) -> Answer<StatusCode> {
    demo(&shared)?.command(command).map_err(Failure::invalid)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Do something to the virtual building; the same as demo/commands
#[utoipa::path(post, path = "/demo", tag = "demo", request_body = DemoCommand,
    responses((status = 204), (status = 404, body = api::Problem), (status = 422, body = api::Problem)))]
pub(crate) async fn demo_post(state: State<Shared>, body: Body<DemoCommand>) -> Answer<StatusCode> {
    demo_command(state, body).await
}
