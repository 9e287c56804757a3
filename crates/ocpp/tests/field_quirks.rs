//! What real chargers send, at the decoder. Names are those of the compatibility list.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use ocpp::v16::*;
use proptest::prelude::*;

/// Q1: a backlog with the largest i64 as transaction, an invented context and no measurand.
#[test]
fn tx_id_i64_max() {
    let read: MeterValuesRequest = ocpp::read(
        r#"{"connectorId":1,"transactionId":9223372036854775807,"meterValue":[{"timestamp":"2019-02-01T10:00:00Z",
        "sampledValue":[{"value":"0.0","context":"CurrentMax"}]}]}"#,
    )
    .unwrap();
    assert_eq!(read.transaction_id, Some(i64::MAX));
    assert_eq!(read.meter_value[0].sampled_value[0].context, Some(ReadingContext::Unlisted("CurrentMax".to_owned())));
    assert_eq!(read.meter_value[0].sampled_value[0].measurand, None);
    let stop: StopTransactionRequest =
        ocpp::read(r#"{"transactionId":1e30,"meterStop":5,"timestamp":"2019-02-01T10:00:00Z"}"#).unwrap();
    assert_eq!(stop.transaction_id, i64::MAX);
}

/// Q2: zero and negative transaction ids are numbers like any other here.
#[test]
fn tx_id_zero_and_minus_one() {
    for id in [0, -1, -2_147_483_649_i64] {
        let text = format!(r#"{{"transactionId":{id},"meterStop":5,"timestamp":""}}"#);
        assert_eq!(ocpp::read::<StopTransactionRequest>(&text).unwrap().transaction_id, id);
    }
}

/// Numbers come as text, as floats, in exponent form; texts come as numbers.
#[test]
fn numbers_and_texts_change_places() {
    let start: StartTransactionRequest = ocpp::read(
        r#"{"connectorId":"1","idTag":12345678,"meterStart":"1042.9","timestamp":"2026-01-01T00:00:00Z","reservationId":""}"#,
    )
    .unwrap();
    assert_eq!((start.connector_id, start.meter_start, start.reservation_id), (1, 1042, None));
    assert_eq!(start.id_tag, "12345678");
    let values: MeterValuesRequest =
        ocpp::read(r#"{"connectorId":1.0,"meterValue":{"timestamp":null,"sampledValue":{"value":16.25,"unit":"a"}}}"#)
            .unwrap();
    let sample = &values.meter_value[0].sampled_value[0];
    assert_eq!((sample.value.as_str(), &sample.unit), ("16.25", &Some(UnitOfMeasure::A)));
}

/// Missing optional fields, empty texts, null and unknown fields change nothing else.
#[test]
fn absence_in_every_form() {
    let status: StatusNotificationRequest = ocpp::read(
        r#"{"connectorId":1,"status":"charging ","timestamp":"","info":null,"vendorId":"","firmware":{"a":[1]},"errorCode":null}"#,
    )
    .unwrap();
    assert_eq!(status.status, ChargePointStatus::Charging);
    assert_eq!((status.timestamp, status.info), (None, None));
    assert_eq!(status.error_code, ChargePointErrorCode::Unlisted(String::new()));
    let boot: BootNotificationRequest = ocpp::read("{}").unwrap();
    assert_eq!(boot.charge_point_vendor, "");
    let error = ocpp::read::<StartTransactionRequest>("{}").unwrap_err();
    assert_eq!(error.to_string(), "missing field `connectorId`");
}

/// Q20: a sample with nothing but a value is read.
#[test]
fn metervalue_defaults() {
    let read: MeterValuesRequest =
        ocpp::read(r#"{"connectorId":1,"meterValue":[{"sampledValue":[{"value":"7"}]}]}"#).unwrap();
    assert_eq!(read.meter_value[0].timestamp.as_str(), "");
}

/// Q22: both spellings of the unit are words of the list.
#[test]
fn celcius() {
    assert_eq!(UnitOfMeasure::from_text("Celcius"), UnitOfMeasure::Celcius);
    assert_eq!(UnitOfMeasure::from_text("Celsius"), UnitOfMeasure::Celsius);
}

/// Q50: an empty list, a value that is missing, a flag written as text, a value longer than allowed.
#[test]
fn getconfiguration_variants() {
    let read: GetConfigurationResponse = ocpp::read(r#"{"configurationKey":[],"unknownKey":null}"#).unwrap();
    assert_eq!((read.configuration_key, read.unknown_key), (Some(Vec::new()), None));
    let long = "x".repeat(600);
    let text = format!(
        r#"{{"configurationKey":[{{"key":"heartbeatinterval","readonly":"false"}},{{"key":"K","readonly":1,"value":"{long}"}}]}}"#
    );
    let read: GetConfigurationResponse = ocpp::read(&text).unwrap();
    let keys = read.configuration_key.unwrap();
    assert_eq!((keys[0].readonly, keys[0].value.as_deref(), keys[1].readonly), (false, None, true));
    assert_eq!(keys[1].value.as_ref().map(String::len), Some(600));
}

/// A field given twice counts once; the last one wins.
#[test]
fn repeated_fields_are_read() {
    let read: AuthorizeRequest = ocpp::read(r#"{"idTag":"A","idTag":"B"}"#).unwrap();
    assert_eq!(read.id_tag, "B");
}

/// Fields in another letter case or with underscores are the same fields; what we write keeps the standard's spelling.
#[test]
fn field_names_in_other_spellings() {
    for text in [
        r#"{"connectorid":1,"idtag":"A","meterstart":5,"timestamp":"2026-01-01T00:00:00Z"}"#,
        r#"{"ConnectorId":1,"IdTag":"A","MeterStart":5,"Timestamp":"2026-01-01T00:00:00Z"}"#,
        r#"{"connectorID":1,"id_tag":"A","meter_start":5,"timestamp":"2026-01-01T00:00:00Z"}"#,
    ] {
        let read: StartTransactionRequest = ocpp::read(text).unwrap();
        assert_eq!((read.connector_id, read.id_tag.as_str(), read.meter_start), (1, "A", 5), "{text}");
        assert!(ocpp::write(&read).unwrap().contains(r#""connectorId":1,"idTag":"A","meterStart":5"#));
    }
}

/// A card of 300 characters is read whole; whether it may charge is decided elsewhere.
#[test]
fn idtag_20_chars_garbage_tail() {
    let text = format!(r#"{{"idTag":"{}"}}"#, "A".repeat(300));
    assert_eq!(ocpp::read::<AuthorizeRequest>(&text).unwrap().id_tag.len(), 300);
}

proptest! {
    /// No payload makes any reader panic.
    #[test]
    fn noise_never_panics(
        field in prop_oneof![Just("connectorId"), Just("meterValue"), Just("idTag"), Just("timestamp"), Just("status")],
        value in prop_oneof!["[\\[\\]{}:,\"a-z0-9.eE+-]{0,30}", Just("null".to_owned()), "-?[0-9]{1,60}(\\.[0-9]{1,60})?"],
    ) {
        let text = format!(r#"{{"{field}":{value}}}"#);
        macro_rules! harmless {
            ($name:literal, $message:ty) => {
                let _read = ocpp::read::<$message>(&text).map(|message| ocpp::write(&message).is_ok());
            };
        }
        ocpp::for_each_v16_message!(harmless);
    }
}
