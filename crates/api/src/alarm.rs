//! Alarms as clients see them.

use crate::Language;
use serde::{Deserialize, Serialize};

/// Kinds of alarm a client can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum AlarmCode {
    /// A meter is silent.
    MeterSilent,
    /// No meter measures the grid connection.
    NoMeter,
    /// A charger cannot be reached.
    ChargerOffline,
    /// A charger reports a fault.
    ChargerFaulted,
    /// A charger draws more than it was told.
    ChargerDisobeys,
    /// A circuit carries more than its limit.
    OverLimit,
    /// The plan failed the independent check.
    PlanRejected,
    /// A charger has no safe current while the PC is off.
    FallbackDoesNotFit,
    /// A device waits for approval.
    WaitsForApproval,
    /// Records cannot be written.
    StorageFailing,
    /// The embedded broker was restarted.
    BrokerRestarted,
}

/// What an alarm is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlarmText {
    /// What is wrong.
    pub code: AlarmCode,
    /// The device or circuit, as people named it; empty when it is about the whole site.
    pub subject: String,
}

impl AlarmText {
    /// One sentence that says what is wrong and, after a semicolon, what to do.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        let s = &self.subject;
        match (language, self.code) {
            (Language::English, AlarmCode::MeterSilent) => {
                format!("Meter {s} is silent, so the declared building load is assumed; check its power and network")
            }
            (Language::English, AlarmCode::NoMeter) => {
                "No meter measures the building, so the declared load is assumed; connect and approve a meter"
                    .to_owned()
            }
            (Language::English, AlarmCode::ChargerOffline) => {
                format!("{s} cannot be reached and is counted at its fallback; check its power and network")
            }
            (Language::English, AlarmCode::ChargerFaulted) => format!("{s} reports a fault; see its details"),
            (Language::English, AlarmCode::ChargerDisobeys) => {
                format!("{s} draws more than it is told and is counted at its maximum; check its settings")
            }
            (Language::English, AlarmCode::OverLimit) => {
                format!("{s} carries more than its limit; chargers are being reduced")
            }
            (Language::English, AlarmCode::PlanRejected) => {
                "A plan failed its safety check and the safe plan is in force; please report this".to_owned()
            }
            (Language::English, AlarmCode::FallbackDoesNotFit) => {
                format!("{s} cannot charge while this PC is off; lower another charger's fallback to make room")
            }
            (Language::English, AlarmCode::WaitsForApproval) => format!("{s} wants to join; approve it if you know it"),
            (Language::English, AlarmCode::StorageFailing) => {
                "Records cannot be written, charging goes on; free space on the disk or check it".to_owned()
            }
            (Language::English, AlarmCode::BrokerRestarted) => {
                "The MQTT broker was restarted and devices reconnect; nothing to do unless it happens again".to_owned()
            }
            (Language::Portuguese, AlarmCode::MeterSilent) => {
                format!(
                    "O contador {s} não responde, conta-se a carga declarada do edifício; verifique a alimentação e a rede"
                )
            }
            (Language::Portuguese, AlarmCode::NoMeter) => {
                "Nenhum contador mede o edifício, conta-se a carga declarada; ligue e aprove um contador".to_owned()
            }
            (Language::Portuguese, AlarmCode::ChargerOffline) => {
                format!("{s} está sem ligação e conta com a corrente de recurso; verifique a alimentação e a rede")
            }
            (Language::Portuguese, AlarmCode::ChargerFaulted) => format!("{s} indica uma avaria; veja os detalhes"),
            (Language::Portuguese, AlarmCode::ChargerDisobeys) => {
                format!("{s} consome mais do que lhe é indicado e conta com o máximo; verifique a configuração")
            }
            (Language::Portuguese, AlarmCode::OverLimit) => {
                format!("{s} excede o limite; os carregadores estão a ser reduzidos")
            }
            (Language::Portuguese, AlarmCode::PlanRejected) => {
                "Um plano falhou a verificação de segurança e vigora o plano seguro; comunique-nos, por favor"
                    .to_owned()
            }
            (Language::Portuguese, AlarmCode::FallbackDoesNotFit) => {
                format!("{s} não carrega com este PC desligado; baixe a corrente de recurso de outro carregador")
            }
            (Language::Portuguese, AlarmCode::WaitsForApproval) => {
                format!("{s} quer entrar; aprove se o reconhecer")
            }
            (Language::Portuguese, AlarmCode::StorageFailing) => {
                "Não é possível gravar registos, o carregamento continua; liberte espaço ou verifique o disco"
                    .to_owned()
            }
            (Language::Portuguese, AlarmCode::BrokerRestarted) => {
                "O servidor MQTT foi reiniciado e os dispositivos voltam a ligar-se; nada a fazer se não se repetir"
                    .to_owned()
            }
        }
    }
}

/// An alarm in a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct AlarmItem {
    /// What is wrong and with what.
    #[serde(flatten)]
    pub text: AlarmText,
    /// The English sentence.
    pub sentence: String,
    /// Since when.
    pub raised_at: String,
    /// Until when; `null` while it lasts.
    pub cleared_at: Option<String>,
}
