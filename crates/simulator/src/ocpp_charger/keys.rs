//! The configuration keys of a charger (OCPP 1.6, section 9).

use domain::DurationMs;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Whether the central system may change a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    ReadOnly,
    ReadWrite,
}

/// Keys with their values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keys(BTreeMap<&'static str, (Access, String)>);

const DEFAULTS: [(&str, Access, &str); 31] = [
    ("AllowOfflineTxForUnknownId", Access::ReadWrite, "false"),
    ("AuthorizationCacheEnabled", Access::ReadWrite, "true"),
    ("AuthorizeRemoteTxRequests", Access::ReadWrite, "false"),
    ("ChargeProfileMaxStackLevel", Access::ReadOnly, "8"),
    ("ChargingScheduleAllowedChargingRateUnit", Access::ReadOnly, "Current,Power"),
    ("ChargingScheduleMaxPeriods", Access::ReadOnly, "24"),
    ("ClockAlignedDataInterval", Access::ReadWrite, "0"),
    ("ConnectionTimeOut", Access::ReadWrite, "60"),
    ("ConnectorPhaseRotation", Access::ReadWrite, "0.RST,1.RST"),
    ("GetConfigurationMaxKeys", Access::ReadOnly, "50"),
    ("HeartbeatInterval", Access::ReadWrite, "300"),
    ("LocalAuthListEnabled", Access::ReadWrite, "false"),
    ("LocalAuthListMaxLength", Access::ReadOnly, "200"),
    ("LocalAuthorizeOffline", Access::ReadWrite, "true"),
    ("LocalPreAuthorize", Access::ReadWrite, "false"),
    ("MaxChargingProfilesInstalled", Access::ReadOnly, "16"),
    ("MeterValueSampleInterval", Access::ReadWrite, "60"),
    ("MeterValuesAlignedData", Access::ReadWrite, "Energy.Active.Import.Register"),
    ("MeterValuesSampledData", Access::ReadWrite, SAMPLED),
    ("MinimumStatusDuration", Access::ReadWrite, "0"),
    ("NumberOfConnectors", Access::ReadOnly, "1"),
    ("ResetRetries", Access::ReadWrite, "3"),
    ("SendLocalListMaxLength", Access::ReadOnly, "50"),
    ("StopTransactionOnEVSideDisconnect", Access::ReadWrite, "true"),
    ("StopTransactionOnInvalidId", Access::ReadWrite, "true"),
    ("StopTxnAlignedData", Access::ReadWrite, ""),
    ("StopTxnSampledData", Access::ReadWrite, ""),
    ("SupportedFeatureProfiles", Access::ReadOnly, "Core,LocalAuthListManagement,RemoteTrigger,SmartCharging"),
    ("TransactionMessageAttempts", Access::ReadWrite, "3"),
    ("TransactionMessageRetryInterval", Access::ReadWrite, "10"),
    ("UnlockConnectorOnEVSideDisconnect", Access::ReadWrite, "true"),
];

const SAMPLED: &str = "Current.Import,Current.Offered,Power.Active.Import,Energy.Active.Import.Register,Voltage";

impl Keys {
    pub(super) fn new() -> Self {
        let entries = DEFAULTS.iter().map(|(key, access, value)| (*key, (*access, (*value).to_owned())));
        Self(entries.collect())
    }

    pub(super) fn value(&self, key: &str) -> &str {
        self.0.get(key).map_or("", |(_, value)| value.as_str())
    }

    pub(super) fn seconds(&self, key: &str) -> DurationMs {
        DurationMs::from_secs(self.value(key).parse().unwrap_or(0))
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        self.value(key) == "true"
    }

    pub(super) fn force(&mut self, key: &str, text: String) {
        if let Some((_, value)) = self.0.get_mut(key) {
            *value = text;
        }
    }

    /// The status of `ChangeConfiguration.conf`.
    pub(super) fn change(&mut self, key: &str, text: &str) -> &'static str {
        let Some((access, value)) = self.0.get_mut(key) else { return "NotSupported" };
        if *access == Access::ReadOnly || !fits(value, text) {
            return "Rejected";
        }
        text.clone_into(value);
        "Accepted"
    }

    /// The payload of `GetConfiguration.conf`.
    pub(super) fn list(&self, wanted: &[&str]) -> Value {
        let entry = |key: &str, access: Access, value: &str| json!({ "key": key, "readonly": access == Access::ReadOnly, "value": value });
        let found: Vec<Value> = self
            .0
            .iter()
            .filter(|(key, _)| wanted.is_empty() || wanted.contains(key))
            .map(|(key, (access, value))| entry(key, *access, value))
            .collect();
        let unknown: Vec<&&str> = wanted.iter().filter(|key| !self.0.contains_key(**key)).collect();
        if unknown.is_empty() {
            json!({ "configurationKey": found })
        } else {
            json!({ "configurationKey": found, "unknownKey": unknown })
        }
    }
}

/// A number stays a non-negative number, a switch stays a switch.
fn fits(old: &str, new: &str) -> bool {
    if old == "true" || old == "false" {
        return new == "true" || new == "false";
    }
    old.parse::<u32>().is_err() || new.parse::<u32>().is_ok()
}
