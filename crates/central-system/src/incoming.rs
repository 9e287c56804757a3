//! What a charger sends, action by action.
//!
//! Every call gets exactly one answer: at once, or after a decision (see `answers`). An error answer is
//! only for what cannot be read at all, because a charger repeats a transaction message for ever until
//! it is accepted.

use crate::answers::Asked;
use crate::clock::Corrected;
use crate::command::Trigger;
use crate::measure;
use crate::memory::Spelling;
use crate::port::{Gate, Output};
use crate::report::{SecurityEvent, Transfer, TransferKind};
use crate::station::Station;
use domain::{
    CardUid, ChargerEvent, ConnectorNumber, ConnectorStatus, DurationMs, HardwareInfo, Now, SessionId, SessionRef,
    StartRequest, StatusDetail, StopReason, StopRequest, WattHours,
};
use ocpp::DateTime;
use ocpp::frame::{Call, CallResult, codes};
use ocpp::v16::{
    Action, AuthorizeRequest, BootNotificationRequest, BootNotificationResponse, ChargePointErrorCode,
    ChargePointStatus, DataTransferResponse, DataTransferStatus, GenericStatus, HeartbeatResponse, MeterValue,
    MeterValuesRequest, Reason, RegistrationStatus, Request, SecurityEventNotificationRequest, SignCertificateRequest,
    SignCertificateResponse, StartTransactionRequest, StatusNotificationRequest, StopTransactionRequest,
};
use serde_json::Value;

/// A charger that has just been answered gets this long before it is asked anything.
const AFTER_BOOT: DurationMs = DurationMs::from_secs(1);
/// The standard's longest heartbeat that keeps a charger's clock right.
const HEARTBEAT_MAX_S: u32 = 900;
/// `idTag` has 20 characters in OCPP 1.6; what follows them is garbage.
const ID_TAG_CHARS: usize = 20;
/// Longest text kept of what a charger says about itself.
const TEXT_CHARS_MAX: usize = 100;

/// Sends an answer that depends on no decision.
pub(crate) fn send(out: &mut Vec<Output>, text: String) {
    out.push(Output::Send { text, gate: Gate::Recorded });
}

/// The beginning of a text, for people.
pub(crate) fn clip(text: &str, chars: usize) -> String {
    if text.chars().count() <= chars { text.to_owned() } else { text.chars().take(chars).chain(['…']).collect() }
}

fn respond<R: serde::Serialize + ocpp::Check>(call: &Call, response: &R, out: &mut Vec<Output>) {
    let text = match ocpp::write(response) {
        Ok(payload) => CallResult { id: call.id.clone(), payload }.to_string(),
        Err(error) => Station::failed(call.id.clone(), &error),
    };
    send(out, text);
}

fn respond_empty(call: &Call, out: &mut Vec<Output>) {
    send(out, CallResult { id: call.id.clone(), payload: "{}".to_owned() }.to_string());
}

/// Reads a request, standing in for whole numbers that are missing or unreadable.
fn read_with<R: Request>(payload: &str, stand_ins: &[(&str, i64)]) -> Result<R, ocpp::ReadError> {
    let error = match ocpp::read::<R>(payload) {
        Ok(request) => return Ok(request),
        Err(error) => error,
    };
    let Ok(Value::Object(mut fields)) = serde_json::from_str(payload) else { return Err(error) };
    for (name, stand_in) in stand_ins {
        let is_readable = match fields.get(*name) {
            Some(Value::Number(_)) => true,
            Some(Value::String(text)) => ocpp::Decimal::parse(text).is_some(),
            _ => false,
        };
        if !is_readable {
            fields.insert((*name).to_owned(), Value::from(*stand_in));
        }
    }
    ocpp::read(&Value::Object(fields).to_string())
}

impl Station {
    pub(crate) fn call(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let Some(action) = Action::from_name(&call.action) else {
            self.notice(
                now,
                format!("The charger asked for {:?}, which OCPP 1.6 does not have", clip(&call.action, 40)),
                out,
            );
            let description = format!("{} is not an action of OCPP 1.6", clip(&call.action, 60));
            return Self::refuse(call, codes::NOT_IMPLEMENTED, description, out);
        };
        match action {
            Action::Authorize => self.authorize(now, call, out),
            Action::BootNotification => self.boot(now, call, out),
            Action::DataTransfer => {
                let status = DataTransferStatus::UnknownVendorId;
                respond(call, &DataTransferResponse { data: None, status }, out);
            }
            Action::Heartbeat => {
                respond(call, &HeartbeatResponse { current_time: DateTime::from_unix_ms(now.wall.0) }, out);
            }
            Action::MeterValues => self.meter_values(now, call, out),
            Action::SignCertificate => self.sign(now, call, out),
            Action::StartTransaction => self.start(now, call, out),
            Action::StatusNotification => self.status(now, call, out),
            Action::StopTransaction => self.stop(now, call, out),
            Action::DiagnosticsStatusNotification => self.transfer(now, call, TransferKind::Diagnostics, out),
            Action::FirmwareStatusNotification => self.transfer(now, call, TransferKind::Firmware, out),
            Action::LogStatusNotification => self.transfer(now, call, TransferKind::Log, out),
            Action::SignedFirmwareStatusNotification => self.transfer(now, call, TransferKind::SignedFirmware, out),
            Action::SecurityEventNotification => self.security_event(now, call, out),
            action => {
                let description = format!("{} goes from the central system to the charger", action.name());
                Self::refuse(call, codes::NOT_SUPPORTED, description, out);
            }
        }
    }

    /// Reads a call's payload, or refuses it with the reason.
    fn decode<R: Request>(
        &mut self,
        now: Now,
        call: &Call,
        stand_ins: &[(&str, i64)],
        out: &mut Vec<Output>,
    ) -> Option<R> {
        match read_with(&call.payload, stand_ins) {
            Ok(request) => Some(request),
            Err(error) => {
                let description = format!("{}: {error}", R::ACTION.name());
                self.notice(now, format!("A message could not be read: {description}"), out);
                Self::refuse(call, codes::FORMATION_VIOLATION, description, out);
                None
            }
        }
    }

    fn boot(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let Some(request) = self.decode::<BootNotificationRequest>(now, call, &[], out) else { return };
        let serial = request.charge_point_serial_number.or(request.charge_box_serial_number).unwrap_or_default();
        let hardware = HardwareInfo {
            vendor: clip(request.charge_point_vendor.trim(), TEXT_CHARS_MAX),
            model: clip(request.charge_point_model.trim(), TEXT_CHARS_MAX),
            firmware: clip(request.firmware_version.unwrap_or_default().trim(), TEXT_CHARS_MAX),
            serial: clip(serial.trim(), TEXT_CHARS_MAX),
        };
        let is_other = self.hardware.as_ref().is_some_and(|before| *before != hardware);
        self.hardware = Some(hardware.clone());
        self.clock.forget();
        for connector in self.connectors.values_mut() {
            connector.forget_installed();
        }
        let approved = self.config.approved;
        let ready_at = now.instant + AFTER_BOOT;
        if let Some(link) = &mut self.link {
            (link.ready_at, link.ask, link.left_pending) = (ready_at, None, !approved);
        }
        self.restart_for.clear();
        if is_other {
            // Another firmware may have learnt or forgotten anything.
            self.memory.learned = crate::memory::Learned::default();
            self.is_memory_new = true;
            self.cards.forget();
        } else {
            self.cards.doubt();
        }
        self.outgoing.restarted(is_other);
        if self.config.approved {
            self.begin_setup(ready_at);
        }
        out.push(Output::Event(ChargerEvent::Booted(hardware)));
        let (status, interval) = if approved {
            let heartbeat_s = self.config.settings.heartbeat_s.unwrap_or(self.config.heartbeat_s);
            (RegistrationStatus::Accepted, heartbeat_s.clamp(1, HEARTBEAT_MAX_S))
        } else {
            (RegistrationStatus::Pending, self.config.pending_retry_s.max(1))
        };
        let current_time = DateTime::from_unix_ms(now.wall.0);
        respond(call, &BootNotificationResponse { current_time, interval: i64::from(interval), status }, out);
    }

    fn status(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let stand_in = [("connectorId", self.only_connector().map_or(0, |number| i64::from(number.0)))];
        let Some(request) = self.decode::<StatusNotificationRequest>(now, call, &stand_in, out) else { return };
        let at = self.clock.event(&request.timestamp.unwrap_or_default(), now).at;
        let connector = self.number(request.connector_id);
        let is_charging = connector.is_some_and(|number| self.session_of(number).is_some());
        let status = status_word(&request.status, is_charging);
        if let Some(connector) = connector.and_then(|number| self.connector(number)) {
            connector.reports(status);
        }
        if let Some(link) = self.link.as_mut().filter(|link| link.ask == Some(Trigger::StatusNotification)) {
            link.ask = None;
        }
        let error = match &request.error_code {
            ChargePointErrorCode::NoError => String::new(),
            other => clip(other.as_str(), TEXT_CHARS_MAX),
        };
        let info =
            [request.info, request.vendor_error_code].into_iter().flatten().filter(|text| !text.trim().is_empty());
        let info = clip(&info.collect::<Vec<_>>().join("; "), TEXT_CHARS_MAX);
        if connector.is_some() || request.connector_id == 0 {
            let detail = StatusDetail { error, info };
            out.push(Output::Event(ChargerEvent::Status { connector, status, detail, at }));
        }
        respond_empty(call, out);
    }

    /// Progress of a file. Five messages say the same with different lists of words, so the word is kept as it came.
    fn transfer(&mut self, now: Now, call: &Call, kind: TransferKind, out: &mut Vec<Output>) {
        let fields: Value = serde_json::from_str(&call.payload).unwrap_or_default();
        let status = clip(fields.get("status").and_then(Value::as_str).unwrap_or_default().trim(), TEXT_CHARS_MAX);
        let request = fields.get("requestId").and_then(Value::as_i64);
        self.reports.transfer(Transfer { kind, request, status, at: now.wall });
        respond_empty(call, out);
    }

    fn security_event(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let Some(request) = self.decode::<SecurityEventNotificationRequest>(now, call, &[], out) else { return };
        let at = self.clock.event(&request.timestamp, now).at;
        let kind = clip(request.r#type.trim(), TEXT_CHARS_MAX);
        let info = clip(request.tech_info.unwrap_or_default().trim(), TEXT_CHARS_MAX);
        self.notice(now, format!("Security event of the charger: {kind} {info}"), out);
        self.reports.security(SecurityEvent { kind, info, at });
        respond_empty(call, out);
    }

    /// A charger that was let in may have a certificate; whoever signs it decides what it says.
    fn sign(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let Some(request) = self.decode::<SignCertificateRequest>(now, call, &[], out) else { return };
        let accepted = self.config.approved && !request.csr.trim().is_empty();
        let status = if accepted { GenericStatus::Accepted } else { GenericStatus::Rejected };
        respond(call, &SignCertificateResponse { status }, out);
        if accepted {
            out.push(Output::CertificateWanted(request.csr));
        }
    }

    fn authorize(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let Some(request) = self.decode::<AuthorizeRequest>(now, call, &[], out) else { return };
        match self.card(now, &request.id_tag, out) {
            Some(card) => {
                self.learn_spelling(&request.id_tag, &card);
                let reply = self.replies.note(call.id.clone(), self.generation(), Asked::Card);
                out.push(Output::Event(ChargerEvent::CardTapped { reply, connector: None, card }));
            }
            None => respond(call, &crate::answers::invalid_card(), out),
        }
    }

    /// A reader read an enrolled card: the list of cards must spell it the same.
    fn learn_spelling(&mut self, text: &str, card: &CardUid) {
        if !self.cards.is_wanted(card) || self.memory.spelling.write(card) == text.trim() {
            return;
        }
        if let Some(spelling) = Spelling::of(text, card) {
            self.memory.spelling = spelling;
            self.is_memory_new = true;
            self.cards.respell();
        }
    }

    fn start(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let likely = self.likely_connector();
        let register = self.connectors.get(&likely).and_then(|connector| connector.register);
        let stand_ins = [("connectorId", i64::from(likely.0)), ("meterStart", register_number(register))];
        let Some(request) = self.decode::<StartTransactionRequest>(now, call, &stand_ins, out) else { return };
        let connector = self.number(request.connector_id).unwrap_or(likely);
        let card = self.card(now, &request.id_tag, out);
        let Corrected { at, provenance } = self.clock.event(&request.timestamp, now);
        let meter = watt_hours(request.meter_start);
        let stale = self.outgoing.wishes;
        if let Some(slot) = self.connector(connector) {
            slot.register = Some(meter);
            slot.values_at = now.instant;
        }
        let asked = Asked::Start { connector, at, card: card.clone(), stale };
        let reply = self.replies.note(call.id.clone(), self.generation(), asked);
        let request = StartRequest { connector, card, at, meter, provenance };
        out.push(Output::Event(ChargerEvent::SessionStarted { reply, request }));
    }

    fn stop(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let likely = self.likely_connector();
        let register = self.connectors.get(&likely).and_then(|connector| connector.register);
        let stand_ins = [("transactionId", -1), ("meterStop", register_number(register))];
        let Some(request) = self.decode::<StopTransactionRequest>(now, call, &stand_ins, out) else { return };
        let session = session_ref(request.transaction_id);
        let connector = match session {
            SessionRef::Known(id) => self.connector_of(id),
            SessionRef::Unknown => self.only_connector(),
        };
        for value in request.transaction_data.iter().flatten() {
            self.measured(now, connector, session, value, out);
        }
        let card = request.id_tag.filter(|text| !text.trim().is_empty());
        let card = card.and_then(|text| self.stop_card(now, connector, &text, out));
        let Corrected { at, provenance } = self.clock.event(&request.timestamp, now);
        let reason = stop_reason(request.reason.as_ref());
        let meter = watt_hours(request.meter_stop);
        // A session that runs under an id of ours is never ended by a message without one.
        let ends = connector.filter(|_| session != SessionRef::Unknown);
        let asked = Asked::Stop { connector: ends, stale: self.outgoing.wishes };
        let reply = self.replies.note(call.id.clone(), self.generation(), asked);
        let request = StopRequest { session, card, at, meter, reason, provenance };
        out.push(Output::Event(ChargerEvent::SessionStopped { reply, request }));
    }

    fn meter_values(&mut self, now: Now, call: &Call, out: &mut Vec<Output>) {
        let stand_in = [("connectorId", self.only_connector().map_or(0, |number| i64::from(number.0)))];
        let Some(request) = self.decode::<MeterValuesRequest>(now, call, &stand_in, out) else { return };
        let session = request.transaction_id.map_or(SessionRef::Unknown, session_ref);
        let connector = self.number(request.connector_id);
        if let Some(connector) = connector.and_then(|number| self.connector(number)) {
            connector.values_at = now.instant;
        }
        for value in &request.meter_value {
            self.measured(now, connector, session, value, out);
        }
        respond_empty(call, out);
    }

    fn measured(
        &mut self,
        now: Now,
        connector: Option<ConnectorNumber>,
        session: SessionRef,
        value: &MeterValue,
        out: &mut Vec<Output>,
    ) {
        let at = self.clock.sample(&value.timestamp, now);
        self.reports.sampled(connector.map_or(0, |number| number.0), value, at);
        let mut measured = measure::measured(value, at, self.config.phases);
        let mut is_found_out = false;
        if let Some(slot) = connector.and_then(|number| self.connector(number)) {
            is_found_out = slot.scale.apply(now.instant, &mut measured);
            slot.measured(&measured.sample);
            slot.register = measured.sample.energy.or(slot.register);
        }
        if is_found_out {
            let text = "The charger's energy register counts kWh but says Wh; it is read as kWh from now on";
            self.notice(now, text.to_owned(), out);
        }
        let session = match session {
            SessionRef::Known(id) => Some(id),
            SessionRef::Unknown => None,
        };
        if !measured.sample.is_empty() {
            out.push(Output::Event(ChargerEvent::Measured { connector, session, sample: measured.sample }));
        }
    }

    /// Reads a card; what no card can be is said to people and is nobody's.
    fn card(&mut self, now: Now, text: &str, out: &mut Vec<Output>) -> Option<CardUid> {
        // What follows the end of a text in memory is no part of the card.
        let is_junk = |c: char| c.is_whitespace() || c.is_control() || c == char::REPLACEMENT_CHARACTER;
        let text = text.trim_matches(is_junk);
        let text = text.split('\0').next().unwrap_or_default();
        // KEBA appends its own serial number: `04A1B2C3_21001234`.
        let is_keba = self.hardware.as_ref().is_some_and(|it| it.vendor.to_ascii_lowercase().contains("keba"));
        let bare = text.split('_').next().filter(|_| is_keba).unwrap_or(text);
        match CardUid::new(bare) {
            Ok(card) => Some(card),
            Err(error) => {
                self.notice(now, format!("A card was refused: {error} ({:?})", clip(text, 40)), out);
                None
            }
        }
    }

    /// The card that ended a session. One model appends garbage to a card of full length.
    fn stop_card(
        &mut self,
        now: Now,
        connector: Option<ConnectorNumber>,
        text: &str,
        out: &mut Vec<Output>,
    ) -> Option<CardUid> {
        let first: String = text.chars().take(ID_TAG_CHARS).collect();
        let started = connector.and_then(|number| self.connectors.get(&number)).and_then(|slot| slot.card.clone());
        let shortened = CardUid::new(&first).ok().filter(|_| first.len() < text.len());
        match (shortened, started) {
            (Some(short), Some(started)) if short == started => Some(started),
            (Some(short), _) if CardUid::new(text).is_err() => Some(short),
            _ => self.card(now, text, out),
        }
    }

    fn generation(&self) -> u64 {
        self.link.as_ref().map_or(0, |link| link.generation)
    }

    fn number(&mut self, id: i64) -> Option<ConnectorNumber> {
        let number = ConnectorNumber(u16::try_from(id).ok()?);
        self.connector(number).map(|_known| number)
    }

    fn session_of(&self, number: ConnectorNumber) -> Option<SessionId> {
        self.connectors.get(&number)?.session
    }

    fn connector_of(&self, session: SessionId) -> Option<ConnectorNumber> {
        self.connectors.iter().find(|(_, slot)| slot.session == Some(session)).map(|(number, _)| *number)
    }

    pub(crate) fn only_connector(&self) -> Option<ConnectorNumber> {
        let mut numbers = self.connectors.keys();
        numbers.next().copied().filter(|_| numbers.next().is_none())
    }

    /// Where a message that names no connector most likely belongs: plugged and without a session.
    fn likely_connector(&self) -> ConnectorNumber {
        let plugged = self.connectors.iter().find(|(_, slot)| slot.status.is_plugged() && slot.session.is_none());
        let first = self.connectors.iter().next();
        plugged.or(first).map_or(ConnectorNumber(1), |(number, _)| *number)
    }
}

fn session_ref(transaction_id: i64) -> SessionRef {
    match i32::try_from(transaction_id) {
        Ok(id) if id >= 1 => SessionRef::Known(SessionId(id)),
        _ => SessionRef::Unknown,
    }
}

fn watt_hours(register: i64) -> WattHours {
    WattHours(u64::try_from(register).unwrap_or(0))
}

fn register_number(register: Option<WattHours>) -> i64 {
    register.and_then(|register| i64::try_from(register.0).ok()).unwrap_or(0)
}

fn status_word(status: &ChargePointStatus, is_charging: bool) -> ConnectorStatus {
    match status {
        ChargePointStatus::Available => ConnectorStatus::Available,
        ChargePointStatus::Preparing => ConnectorStatus::Preparing,
        ChargePointStatus::Charging => ConnectorStatus::Charging,
        ChargePointStatus::SuspendedEvse => ConnectorStatus::SuspendedEvse,
        ChargePointStatus::SuspendedEv => ConnectorStatus::SuspendedEv,
        ChargePointStatus::Finishing => ConnectorStatus::Finishing,
        ChargePointStatus::Reserved => ConnectorStatus::Reserved,
        ChargePointStatus::Unavailable => ConnectorStatus::Unavailable,
        ChargePointStatus::Faulted => ConnectorStatus::Faulted,
        // The word of OCPP 1.5, still sent by old firmware.
        ChargePointStatus::Unlisted(word) if word.eq_ignore_ascii_case("occupied") => {
            if is_charging {
                ConnectorStatus::Charging
            } else {
                ConnectorStatus::Preparing
            }
        }
        ChargePointStatus::Unlisted(word) => meant(word),
    }
}

/// Words of other versions and of firmware that made up its own.
fn meant(word: &str) -> ConnectorStatus {
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    match plain.to_ascii_lowercase().as_str() {
        "free" | "idle" | "ready" => ConnectorStatus::Available,
        "plugged" | "connected" => ConnectorStatus::Preparing,
        "inuse" => ConnectorStatus::Charging,
        "suspended" | "suspendedbyev" | "suspendedev" => ConnectorStatus::SuspendedEv,
        "suspendedbyevse" | "suspendedevse" => ConnectorStatus::SuspendedEvse,
        "fault" | "error" => ConnectorStatus::Faulted,
        "inoperative" | "outoforder" => ConnectorStatus::Unavailable,
        _ => ConnectorStatus::Unknown,
    }
}

/// The standard's default is `Local`.
fn stop_reason(reason: Option<&Reason>) -> StopReason {
    match reason {
        None | Some(Reason::Local) => StopReason::Local,
        Some(Reason::Remote) => StopReason::Remote,
        Some(Reason::EvDisconnected) => StopReason::EvDisconnected,
        Some(Reason::PowerLoss | Reason::Reboot | Reason::HardReset | Reason::SoftReset) => StopReason::PowerLoss,
        Some(
            Reason::EmergencyStop | Reason::Other | Reason::UnlockCommand | Reason::DeAuthorized | Reason::Unlisted(_),
        ) => StopReason::Other,
    }
}
