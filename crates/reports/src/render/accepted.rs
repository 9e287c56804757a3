//! What was accepted before a month closed, in words for whoever reads its summary.

use super::Setting;
use super::format::Language;
use crate::{Obstacle, ObstacleKind};

/// What was in the way, in a few words; obstacles that cannot be accepted are never listed and keep their key.
pub(super) fn words(obstacle: &Obstacle, setting: &Setting<'_>) -> String {
    let language = setting.language;
    let kwh = |wh: i64| language.kwh(wh);
    let signed = |wh: u64| i64::try_from(wh).unwrap_or(i64::MAX);
    let session = |id: &domain::SessionId| match language {
        Language::En => format!("Session {id}"),
        Language::PtPt | Language::PtBr => format!("Sessão {id}"),
    };
    let say = |english: &str, portuguese: &str| match language {
        Language::En => english.to_owned(),
        Language::PtPt | Language::PtBr => portuguese.to_owned(),
    };
    match &obstacle.kind {
        ObstacleKind::EndsBeforeStart { session: id, .. } => {
            format!("{} · {}", session(id), say("ends before it begins", "termina antes de começar"))
        }
        ObstacleKind::ImpossibleEnergy { session: id, energy_wh, .. } => {
            let why = say("more energy than its time allows", "mais energia do que o seu tempo permite");
            format!("{} · {} · {why}", session(id), kwh(signed(*energy_wh)))
        }
        ObstacleKind::RegisterDoubt { session: id, energy_wh, .. } => {
            let why = say("energy and registers disagree", "a energia e os registos do contador não coincidem");
            format!("{} · {} · {why}", session(id), kwh(signed(*energy_wh)))
        }
        ObstacleKind::NoTenant { session: id, energy_wh } => {
            let why = say("nobody pays for it", "ninguém a paga");
            format!("{} · {} · {why}", session(id), kwh(signed(*energy_wh)))
        }
        ObstacleKind::EndEstimated { session: id } => {
            let why =
                say("its end never arrived, its last reading counts", "o fim nunca chegou, conta a última leitura");
            format!("{} · {why}", session(id))
        }
        ObstacleKind::ReadingsMissing { session: id } => {
            let why = say("cut between readings far apart", "dividida entre leituras muito afastadas");
            format!("{} · {why}", session(id))
        }
        ObstacleKind::OrphanStop { charger, .. } => {
            let why = say("end of a session nobody knows", "fim de uma sessão desconhecida");
            format!("{} · {why}", setting.charger(charger))
        }
        ObstacleKind::RegisterMismatch { charger, connector, difference_wh } => {
            let why = say("register less sessions", "contador menos sessões");
            format!("{} · {connector} · {why}: {}", setting.charger(charger), kwh(*difference_wh))
        }
        ObstacleKind::MeterMismatch { meter, difference_wh } => {
            let why = say("meter less sessions", "contador menos sessões");
            format!("{meter} · {why}: {}", kwh(*difference_wh))
        }
        ObstacleKind::MonthRuns
        | ObstacleKind::EarlierMonthOpen { .. }
        | ObstacleKind::LaterMonthClosed { .. }
        | ObstacleKind::NoTariff { .. }
        | ObstacleKind::InvoiceMissing
        | ObstacleKind::FlagMissing
        | ObstacleKind::OpenSession { .. } => obstacle.key.clone(),
    }
}
