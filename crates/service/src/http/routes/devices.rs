//! Credentials of MQTT devices.

use super::super::Shared;
use super::super::problem::{Answer, Body, Failure};
use super::meters::reconnect;
use crate::credentials::random_hex;
use api::{NewDevice, ShownPassword};
use axum::Json;
use axum::extract::State;
use domain::MeterId;

/// Random bytes of a device's password: 128 bits, in a form people can type.
const PASSWORD_BYTES: usize = 16;

/// Give an MQTT device a password; it is shown once. The one before ends at once
#[utoipa::path(post, path = "/mqtt/devices", tag = "security", request_body = NewDevice,
    responses((status = 200, body = ShownPassword), (status = 422, body = api::Problem)))]
pub(crate) async fn device_add(
    State(shared): State<Shared>,
    Body(device): Body<NewDevice>,
) -> Answer<Json<ShownPassword>> {
    let name = MeterId::new(&device.name)?;
    if name.as_str() == crate::mqtt::RESERVED {
        return Err(Failure::invalid("this name is our own; give the device a name of its own"));
    }
    let password = random_hex(PASSWORD_BYTES).map_err(|error| {
        tracing::error!(%error, "the system gives no random numbers");
        Failure::internal()
    })?;
    shared.credentials.provision(name.as_str(), &password).await.map_err(|error| {
        tracing::error!(error, "a device's password could not be kept");
        Failure::storage()
    })?;
    // Whoever is connected under this name has to prove itself with the new password.
    reconnect(&shared, name.as_str()).await;
    Ok(Json(ShownPassword { user: name.to_string(), password, command_id: None }))
}
