//! Requests about files: diagnostics, logs, firmware.

use super::{Written, date_time, written};
use crate::command::{Download, LogKind, Upload};
use domain::Timestamp;
use ocpp::WriteError;
use ocpp::v16::{
    Firmware, GetDiagnosticsRequest, GetLogRequest, LogParameters, LogType, SignedUpdateFirmwareRequest,
    UpdateFirmwareRequest,
};

pub(super) fn diagnostics(upload: &Upload) -> Result<Written, WriteError> {
    written(&GetDiagnosticsRequest {
        location: upload.location.clone(),
        retries: upload.retries.map(i64::from),
        retry_interval: upload.retry_interval_s.map(i64::from),
        start_time: upload.from.map(date_time),
        stop_time: upload.to.map(date_time),
    })
}

pub(super) fn log(kind: LogKind, request: i32, upload: &Upload) -> Result<Written, WriteError> {
    written(&GetLogRequest {
        log: LogParameters {
            latest_timestamp: upload.to.map(date_time),
            oldest_timestamp: upload.from.map(date_time),
            remote_location: upload.location.clone(),
        },
        log_type: match kind {
            LogKind::Diagnostics => LogType::DiagnosticsLog,
            LogKind::Security => LogType::SecurityLog,
        },
        request_id: i64::from(request),
        retries: upload.retries.map(i64::from),
        retry_interval: upload.retry_interval_s.map(i64::from),
    })
}

pub(super) fn firmware(download: &Download) -> Result<Written, WriteError> {
    written(&UpdateFirmwareRequest {
        location: download.location.clone(),
        retries: download.retries.map(i64::from),
        retrieve_date: date_time(download.at),
        retry_interval: download.retry_interval_s.map(i64::from),
    })
}

pub(super) fn signed_firmware(
    request: i32,
    download: &Download,
    install_at: Option<Timestamp>,
    certificate: &str,
    signature: &str,
) -> Result<Written, WriteError> {
    written(&SignedUpdateFirmwareRequest {
        firmware: Firmware {
            install_date_time: install_at.map(date_time),
            location: download.location.clone(),
            retrieve_date_time: date_time(download.at),
            signature: signature.to_owned(),
            signing_certificate: certificate.to_owned(),
        },
        request_id: i64::from(request),
        retries: download.retries.map(i64::from),
        retry_interval: download.retry_interval_s.map(i64::from),
    })
}
