//! What the central system asks of the charger.

use super::{OcppCharger, OcppOutput, Permit, Purpose, status_payload};
use crate::profile::{Profile, ProfileRefusal, Purpose as ProfilePurpose};
use domain::{MilliAmps, Now};
use serde_json::{Value, json};

/// How a call is answered: the payload, or the code of a CALLERROR.
type Answer = Result<Value, &'static str>;

impl OcppCharger {
    pub(super) fn receive(&mut self, now: Now, text: &str) {
        // A frame nobody can read is dropped, as real chargers do.
        let Ok(Value::Array(frame)) = serde_json::from_str::<Value>(text) else { return };
        match frame.as_slice() {
            [kind, Value::String(id), Value::String(action), payload] if *kind == json!(2) => {
                let answer = self.call(now, action, payload);
                let reply = match &answer {
                    Ok(payload) => json!([3, id, payload]),
                    Err(code) => json!([4, id, code, "", {}]),
                };
                self.out.push(OcppOutput::Send(reply.to_string()));
                self.after_answer(now, action, payload, &answer);
            }
            [kind, Value::String(id), payload] if *kind == json!(3) => {
                if let Some(purpose) = self.queue.answered(id) {
                    self.answered(now, purpose, payload);
                }
            }
            [kind, Value::String(id), ..] if *kind == json!(4) => {
                let attempts = self.keys.value("TransactionMessageAttempts").parse().unwrap_or(3);
                let pause = self.keys.seconds("TransactionMessageRetryInterval");
                if self.queue.failed(now, id, attempts, pause) == Some(Purpose::Boot) {
                    self.boot = super::Boot::Pending(now.instant + pause);
                }
            }
            _ => {}
        }
    }

    fn call(&mut self, now: Now, action: &str, payload: &Value) -> Answer {
        match action {
            "RemoteStartTransaction" => self.remote_start(now, payload),
            "RemoteStopTransaction" => self.remote_stop(now, payload),
            "SetChargingProfile" => self.set_profile(now, payload),
            "ClearChargingProfile" => Ok(self.clear_profiles(payload)),
            "GetCompositeSchedule" => Ok(self.composite_schedule(now, payload)),
            "ChangeConfiguration" => {
                let status = self.keys.change(text(payload, "key")?, text(payload, "value")?);
                Ok(json!({ "status": status }))
            }
            "GetConfiguration" => Ok(self.get_configuration(payload)),
            "ChangeAvailability" => self.change_availability(payload),
            "TriggerMessage" => Ok(json!({ "status": trigger_status(text(payload, "requestedMessage")?) })),
            "Reset" => text(payload, "type").map(|_kind| status("Accepted")),
            "UnlockConnector" => Ok(json!({ "status": self.unlock(now, payload) })),
            "ClearCache" => {
                self.cache.clear();
                Ok(status("Accepted"))
            }
            "DataTransfer" => {
                let known = text(payload, "vendorId")? == self.build.hardware.vendor;
                Ok(status(if known { "Accepted" } else { "UnknownVendorId" }))
            }
            "GetLocalListVersion" => Ok(json!({ "listVersion": self.list.version() })),
            "SendLocalList" => Ok(status(self.list.take(payload))),
            "ReserveNow" | "CancelReservation" => Ok(status("Rejected")),
            _ => Err("NotImplemented"),
        }
    }

    /// What a command sets in motion once it was answered.
    fn after_answer(&mut self, now: Now, action: &str, payload: &Value, answer: &Answer) {
        let accepted = answer.as_ref().is_ok_and(|answer| answer.get("status") == Some(&json!("Accepted")));
        if !accepted {
            return;
        }
        match action {
            "Reset" => {
                let hard = payload.get("type").and_then(Value::as_str) == Some("Hard");
                self.restart(now, if hard { "HardReset" } else { "SoftReset" });
            }
            "RemoteStopTransaction" => self.stop(now, None, "Remote"),
            "TriggerMessage" => self.triggered(now, payload),
            _ => {}
        }
    }

    fn remote_start(&mut self, now: Now, payload: &Value) -> Answer {
        let card = text(payload, "idTag")?.to_owned();
        let connector = payload.get("connectorId").and_then(Value::as_u64).unwrap_or(1);
        if connector != 1 || !self.operative || self.transaction.is_some() {
            return Ok(status("Rejected"));
        }
        if let Some(profile) = payload.get("chargingProfile") {
            let wires = self.outlet.voltages().len();
            let profile = Profile::parse(profile, now.wall, wires).map_err(|_ignored| "FormationViolation")?;
            self.profiles.install(profile);
        }
        if self.keys.is_on("AuthorizeRemoteTxRequests") {
            self.queue.push(Purpose::Authorize(card.clone()), json!({ "idTag": card }));
        } else {
            let until = now.instant + self.keys.seconds("ConnectionTimeOut");
            self.permit = Some(Permit { card, until });
        }
        Ok(status("Accepted"))
    }

    fn remote_stop(&self, _now: Now, payload: &Value) -> Answer {
        let wanted = payload.get("transactionId").and_then(Value::as_i64).ok_or("FormationViolation")?;
        let running = self.transaction.as_ref().and_then(|running| self.identities.get(&running.number));
        Ok(status(if running == Some(&wanted) { "Accepted" } else { "Rejected" }))
    }

    fn set_profile(&mut self, now: Now, payload: &Value) -> Answer {
        let connector = payload.get("connectorId").and_then(Value::as_u64).ok_or("FormationViolation")?;
        let content = payload.get("csChargingProfiles").ok_or("FormationViolation")?;
        let profile = match Profile::parse(content, now.wall, self.outlet.voltages().len()) {
            Ok(profile) => profile,
            Err(ProfileRefusal::Malformed) => return Err("FormationViolation"),
            Err(ProfileRefusal::Refused) => return Ok(status("Rejected")),
        };
        let running = self.transaction.as_ref().map(|running| self.identities.get(&running.number).copied());
        let fits = match (profile.purpose(), connector) {
            (ProfilePurpose::ChargePointMax, 0) | (ProfilePurpose::TxDefault, 0 | 1) => true,
            (ProfilePurpose::Tx, 1) => match (running, profile.transaction()) {
                (Some(Some(id)), Some(named)) => id == named,
                (Some(_), None) => true,
                (Some(None) | None, _) => false,
            },
            (ProfilePurpose::ChargePointMax | ProfilePurpose::TxDefault | ProfilePurpose::Tx, _) => false,
        };
        if fits {
            self.profiles.install(profile);
        }
        Ok(status(if fits { "Accepted" } else { "Rejected" }))
    }

    fn clear_profiles(&mut self, payload: &Value) -> Value {
        let purpose = match payload.get("chargingProfilePurpose").and_then(Value::as_str) {
            Some("ChargePointMaxProfile") => Some(ProfilePurpose::ChargePointMax),
            Some("TxDefaultProfile") => Some(ProfilePurpose::TxDefault),
            Some("TxProfile") => Some(ProfilePurpose::Tx),
            Some(_) | None => None,
        };
        let number = |key: &str| payload.get(key).and_then(Value::as_i64);
        let gone = self.profiles.clear(number("id"), purpose, number("stackLevel"));
        status(if gone > 0 { "Accepted" } else { "Unknown" })
    }

    fn composite_schedule(&self, now: Now, payload: &Value) -> Value {
        let started = self.transaction.as_ref().map(|running| running.started);
        let limit = self.profiles.limit(now.wall, started).unwrap_or(self.build.without_profile);
        json!({
            "status": "Accepted",
            "connectorId": payload.get("connectorId").cloned().unwrap_or(json!(0)),
            "chargingSchedule": {
                "chargingRateUnit": "A",
                "duration": payload.get("duration").cloned().unwrap_or(json!(0)),
                "chargingSchedulePeriod": [{ "startPeriod": 0, "limit": tenths(limit) }],
            },
        })
    }

    fn get_configuration(&self, payload: &Value) -> Value {
        let keys = payload.get("key").and_then(Value::as_array);
        let wanted: Vec<&str> = keys.into_iter().flatten().filter_map(Value::as_str).collect();
        self.keys.list(&wanted)
    }

    fn change_availability(&mut self, payload: &Value) -> Answer {
        let operative = match text(payload, "type")? {
            "Operative" => true,
            "Inoperative" => false,
            _ => return Err("PropertyConstraintViolation"),
        };
        if !operative && self.transaction.is_some() {
            self.going_inoperative = true;
            return Ok(status("Scheduled"));
        }
        self.operative = operative;
        self.going_inoperative = false;
        Ok(status("Accepted"))
    }

    fn unlock(&mut self, now: Now, payload: &Value) -> &'static str {
        if payload.get("connectorId").and_then(Value::as_u64) != Some(1) {
            return "UnlockFailed";
        }
        self.stop(now, None, "UnlockCommand");
        "Unlocked"
    }

    fn triggered(&mut self, now: Now, payload: &Value) {
        match payload.get("requestedMessage").and_then(Value::as_str) {
            Some("BootNotification") => {
                let boot = self.boot;
                self.ask_to_boot();
                // Asking again does not lose the place it has.
                self.boot = boot;
            }
            Some("Heartbeat") => self.queue.push(Purpose::Heartbeat, json!({})),
            Some("StatusNotification") => {
                let payload = status_payload(now, 1, self.status());
                self.queue.push(Purpose::Status, payload);
            }
            Some("MeterValues") => {
                let payload = self.meter_values(now, "Trigger");
                match self.transaction.as_ref().map(|running| running.number) {
                    Some(number) => self.queue.push(Purpose::Meter(number), payload),
                    None => self.queue.push_as(Purpose::Other, "MeterValues", payload),
                }
            }
            Some("DiagnosticsStatusNotification") => {
                self.queue.push_as(Purpose::Other, "DiagnosticsStatusNotification", status("Idle"));
            }
            Some("FirmwareStatusNotification") => {
                self.queue.push_as(Purpose::Other, "FirmwareStatusNotification", status("Idle"));
            }
            Some(_) | None => {}
        }
    }
}

fn trigger_status(message: &str) -> &'static str {
    match message {
        "BootNotification"
        | "Heartbeat"
        | "StatusNotification"
        | "MeterValues"
        | "DiagnosticsStatusNotification"
        | "FirmwareStatusNotification" => "Accepted",
        _ => "NotImplemented",
    }
}

fn status(text: &str) -> Value {
    json!({ "status": text })
}

fn text<'a>(payload: &'a Value, key: &str) -> Result<&'a str, &'static str> {
    payload.get(key).and_then(Value::as_str).ok_or("FormationViolation")
}

/// Amps with one decimal, as limits are written.
fn tenths(limit: MilliAmps) -> f64 {
    f64::from(limit.0 / 100) / 10.0
}
