//! Why a connector has the current it has, as data and as one sentence.

use crate::Language;
use serde::{Deserialize, Serialize};

/// What holds the current down.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Bottleneck {
    /// Name of the circuit.
    pub circuit: String,
    /// Which of its limits.
    pub kind: BottleneckKind,
    /// That limit in amperes.
    pub limit_a: f64,
    /// Phase number 1 to 3; absent on a single-phase site.
    pub phase: Option<u8>,
}

/// Kinds of limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum BottleneckKind {
    /// The main fuse.
    MainFuse,
    /// The contracted power.
    Contract,
    /// A fuse or cable further down.
    Circuit,
}

/// Why a connector has the current it has.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Reason {
    /// No car wants energy here.
    #[default]
    Idle,
    /// The available current is shared.
    Shared {
        /// Commanded current.
        set_a: f64,
        /// How many cars share.
        cars: u16,
        /// What limits them; absent when nothing but the chargers' own maxima does.
        bottleneck: Option<Bottleneck>,
        /// Whether this one got the ampere that equal division leaves over.
        extra_amp: bool,
    },
    /// All the charger can give.
    ChargerMaximum {
        /// Commanded current.
        set_a: f64,
    },
    /// The manager set this limit.
    ManagerLimit {
        /// Commanded current.
        set_a: f64,
    },
    /// The tenant's maximum power; at 0 A their other sessions take all of it.
    TenantLimit {
        /// Commanded current.
        set_a: f64,
    },
    /// The tenant used the energy of this month.
    CapReached,
    /// The car takes less than it was offered.
    CarTakesLess {
        /// Commanded current.
        set_a: f64,
        /// What it takes.
        measured_a: f64,
    },
    /// Not enough current for its minimum.
    Waiting {
        /// The minimum.
        min_a: f64,
        /// Place in line, from 1.
        place: u16,
        /// What limits.
        bottleneck: Option<Bottleneck>,
    },
    /// Not enough current for its minimum while chargers nobody has heard from since the start are counted at the most
    /// they may draw.
    WaitingForNews {
        /// How many those are.
        chargers: u16,
    },
    /// The site's number of active chargers is reached.
    WaitingForTurn {
        /// How many may charge at once.
        max_active: u16,
        /// Place in line, from 1.
        place: u16,
    },
    /// It was paused a moment ago and returns after the hold time.
    WaitingHold {
        /// Seconds until it may return.
        remaining_s: u32,
    },
    /// A raise waits until the meter confirms the room.
    Confirming {
        /// Commanded current.
        set_a: f64,
    },
    /// The manager paused it.
    Paused,
    /// It is outside its charging times.
    OutsideTimes,
    /// It charges from solar surplus only, and there is none.
    NoSurplus,
    /// It charges in the cheapest hours, and better ones come.
    WaitingForPrice {
        /// Seconds until then.
        remaining_s: u32,
    },
    /// Its car did not charge on after a pause, so its pilot is taken away for a moment.
    Waking {
        /// Which attempt this is, from 1.
        attempt: u8,
    },
    /// The phases would differ by more than the limit.
    Imbalance,
    /// A meter is silent, so the declared building load is assumed.
    MeterSilent {
        /// Commanded current.
        set_a: f64,
    },
    /// Nobody has heard from it since the program started; it is counted at what it may draw.
    Unheard {
        /// What it is counted at.
        counted_a: f64,
    },
    /// Nobody can reach it; it is counted at its last limit as long as that may be in force, then at its fallback.
    Offline {
        /// What it is counted at.
        fallback_a: f64,
    },
    /// It draws more than it is told, so it is counted at its maximum.
    Disobeys {
        /// What it is counted at.
        counted_a: f64,
    },
    /// The manager has not let it in yet.
    NotApproved,
    /// The running session belongs to nobody: its card is unknown, blocked or in use elsewhere.
    NotAuthorised,
}

impl Reason {
    /// One sentence for people, without a closing period.
    #[must_use]
    pub fn sentence(&self, language: Language) -> String {
        match language {
            Language::English => self.english(),
            Language::Portuguese => self.portuguese(),
        }
    }

    fn english(&self) -> String {
        match self {
            Self::Idle => "No car is waiting for energy here".to_owned(),
            Self::Shared { set_a, cars, bottleneck, extra_amp } => {
                let how = match cars {
                    0 | 1 => "all that is available".to_owned(),
                    n => format!("shared equally by {} cars", english_number(*n)),
                };
                let extra = if *extra_amp { ", plus the ampere left over" } else { "" };
                format!("{} A: {how}{extra}{}", amps(*set_a, '.'), limit(bottleneck.as_ref(), Language::English))
            }
            Self::ChargerMaximum { set_a } => format!("{} A: all this charger can give", amps(*set_a, '.')),
            Self::ManagerLimit { set_a } => format!("{} A: limited by you", amps(*set_a, '.')),
            Self::TenantLimit { set_a } if *set_a > 0.0 => {
                format!("{} A: the most this tenant may use", amps(*set_a, '.'))
            }
            Self::TenantLimit { .. } => "Waiting: this tenant's other cars use all they may".to_owned(),
            Self::CapReached => "This tenant's energy for the month is used up".to_owned(),
            Self::CarTakesLess { set_a, measured_a } => {
                format!("{} A offered, the car takes {} A", amps(*set_a, '.'), amps(*measured_a, '.'))
            }
            Self::Waiting { min_a, place, bottleneck } => format!(
                "Waiting: less than {} A left; {} in line{}",
                amps(*min_a, '.'),
                english_ordinal(*place),
                limit(bottleneck.as_ref(), Language::English)
            ),
            Self::WaitingForNews { chargers: 1 } => {
                "Waiting: one charger has not been heard from yet and is counted at its most".to_owned()
            }
            Self::WaitingForNews { chargers } => {
                let chargers = english_number(*chargers);
                format!("Waiting: {chargers} chargers have not been heard from yet and are counted at their most")
            }
            Self::WaitingForTurn { max_active, place } => {
                format!(
                    "Waiting: {max_active} chargers are active, the most allowed; {} in line",
                    english_ordinal(*place)
                )
            }
            Self::WaitingHold { remaining_s } => format!("Waiting: paused a moment ago, returns in {remaining_s} s"),
            Self::Confirming { set_a } => {
                format!("{} A: more follows when the meter confirms the room", amps(*set_a, '.'))
            }
            Self::Paused => "Paused by you".to_owned(),
            Self::OutsideTimes => "Waiting for its charging times".to_owned(),
            Self::NoSurplus => "Waiting for solar surplus".to_owned(),
            Self::WaitingForPrice { remaining_s } => {
                format!("Waiting for cheaper hours, begins in {}", hours(*remaining_s))
            }
            Self::Waking { attempt } => format!("The car sleeps: waking it, attempt {attempt}"),
            Self::Imbalance => "Waiting: the phases would differ by more than the limit".to_owned(),
            Self::MeterSilent { set_a } => {
                format!("{} A: a meter is silent, so the declared building load is assumed", amps(*set_a, '.'))
            }
            Self::Offline { fallback_a } => {
                format!("Offline: counted at {} A", amps(*fallback_a, '.'))
            }
            Self::Unheard { counted_a } => {
                format!("Not heard from since the start: counted at {} A", amps(*counted_a, '.'))
            }
            Self::Disobeys { counted_a } => {
                format!("Draws more than it is told: counted at {} A", amps(*counted_a, '.'))
            }
            Self::NotApproved => "Waits for your approval".to_owned(),
            Self::NotAuthorised => "The card is not accepted; enrol or unblock it and tap again".to_owned(),
        }
    }

    fn portuguese(&self) -> String {
        match self {
            Self::Idle => "Nenhum carro à espera de energia aqui".to_owned(),
            Self::Shared { set_a, cars, bottleneck, extra_amp } => {
                let how = match cars {
                    0 | 1 => "tudo o que está disponível".to_owned(),
                    n => format!("dividido igualmente por {} carros", portuguese_number(*n)),
                };
                let extra = if *extra_amp { ", mais o ampere que sobra" } else { "" };
                format!("{} A: {how}{extra}{}", amps(*set_a, ','), limit(bottleneck.as_ref(), Language::Portuguese))
            }
            Self::ChargerMaximum { set_a } => format!("{} A: o máximo deste carregador", amps(*set_a, ',')),
            Self::ManagerLimit { set_a } => format!("{} A: limitado por si", amps(*set_a, ',')),
            Self::TenantLimit { set_a } if *set_a > 0.0 => {
                format!("{} A: o máximo que este condómino pode usar", amps(*set_a, ','))
            }
            Self::TenantLimit { .. } => "Em espera: os outros carros deste condómino usam tudo o que podem".to_owned(),
            Self::CapReached => "A energia do mês deste condómino está esgotada".to_owned(),
            Self::CarTakesLess { set_a, measured_a } => {
                format!("{} A oferecidos, o carro usa {} A", amps(*set_a, ','), amps(*measured_a, ','))
            }
            Self::Waiting { min_a, place, bottleneck } => format!(
                "Em espera: restam menos de {} A; {place}.º na fila{}",
                amps(*min_a, ','),
                limit(bottleneck.as_ref(), Language::Portuguese)
            ),
            Self::WaitingForNews { chargers: 1 } => {
                "Em espera: ainda não há notícias de um carregador, que conta com o seu máximo".to_owned()
            }
            Self::WaitingForNews { chargers } => {
                let chargers = portuguese_number(*chargers);
                format!("Em espera: ainda não há notícias de {chargers} carregadores, que contam com o seu máximo")
            }
            Self::WaitingForTurn { max_active, place } => {
                format!("Em espera: {max_active} carregadores ativos, o máximo permitido; {place}.º na fila")
            }
            Self::WaitingHold { remaining_s } => {
                format!("Em espera: pausado há pouco, volta dentro de {remaining_s} s")
            }
            Self::Confirming { set_a } => {
                format!("{} A: sobe quando o contador confirmar que há folga", amps(*set_a, ','))
            }
            Self::Paused => "Em pausa por sua ordem".to_owned(),
            Self::OutsideTimes => "À espera das suas horas de carregamento".to_owned(),
            Self::NoSurplus => "À espera de excedente solar".to_owned(),
            Self::WaitingForPrice { remaining_s } => {
                format!("À espera de horas mais baratas, começa dentro de {}", hours(*remaining_s))
            }
            Self::Waking { attempt } => format!("O carro adormeceu: a acordá-lo, tentativa {attempt}"),
            Self::Imbalance => "Em espera: a diferença entre fases passaria o limite".to_owned(),
            Self::MeterSilent { set_a } => {
                format!("{} A: um contador não responde, conta-se a carga declarada do edifício", amps(*set_a, ','))
            }
            Self::Offline { fallback_a } => {
                format!("Sem ligação: contado com {} A", amps(*fallback_a, ','))
            }
            Self::Unheard { counted_a } => {
                format!("Sem notícias desde o arranque: contado com {} A", amps(*counted_a, ','))
            }
            Self::Disobeys { counted_a } => {
                format!("Consome mais do que lhe é indicado: contado com {} A", amps(*counted_a, ','))
            }
            Self::NotApproved => "Aguarda a sua aprovação".to_owned(),
            Self::NotAuthorised => "O cartão não é aceite; registe-o ou desbloqueie-o e volte a passá-lo".to_owned(),
        }
    }
}

/// At most one decimal, none when it is zero.
fn amps(value: f64, decimal: char) -> String {
    let text = format!("{value:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    text.replace('.', &decimal.to_string())
}

fn limit(bottleneck: Option<&Bottleneck>, language: Language) -> String {
    let Some(Bottleneck { circuit, kind, limit_a, phase }) = bottleneck else {
        return String::new();
    };
    let (name, decimal) = match (kind, language) {
        (BottleneckKind::MainFuse, Language::English) => ("main fuse".to_owned(), '.'),
        (BottleneckKind::Contract, Language::English) => ("contracted power".to_owned(), '.'),
        (BottleneckKind::Circuit, Language::English) => (format!("circuit {circuit}"), '.'),
        (BottleneckKind::MainFuse, Language::Portuguese) => ("disjuntor geral".to_owned(), ','),
        (BottleneckKind::Contract, Language::Portuguese) => ("potência contratada".to_owned(), ','),
        (BottleneckKind::Circuit, Language::Portuguese) => (format!("circuito {circuit}"), ','),
    };
    let phase = phase.map(|number| format!(" L{number}")).unwrap_or_default();
    format!("; {name}{phase} {} A", amps(*limit_a, decimal))
}

/// Hours and minutes, in both languages alike.
fn hours(seconds: u32) -> String {
    match (seconds / 3600, seconds % 3600 / 60) {
        (0, minutes) => format!("{} min", minutes.max(1)),
        (hours, 0) => format!("{hours} h"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

fn english_number(n: u16) -> String {
    const WORDS: [&str; 11] = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
    WORDS.get(usize::from(n)).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

fn portuguese_number(n: u16) -> String {
    const WORDS: [&str; 11] = ["zero", "um", "dois", "três", "quatro", "cinco", "seis", "sete", "oito", "nove", "dez"];
    WORDS.get(usize::from(n)).map_or_else(|| n.to_string(), |word| (*word).to_owned())
}

fn english_ordinal(n: u16) -> String {
    const WORDS: [&str; 11] =
        ["zeroth", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"];
    WORDS.get(usize::from(n)).map_or_else(
        || {
            let suffix = match (n % 10, n % 100) {
                (_, 11..=13) => "th",
                (1, _) => "st",
                (2, _) => "nd",
                (3, _) => "rd",
                _ => "th",
            };
            format!("{n}{suffix}")
        },
        |word| (*word).to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The two sentences people were promised, word for word.
    #[test]
    fn sentences_read_as_promised() {
        let fuse =
            Bottleneck { circuit: "main".to_owned(), kind: BottleneckKind::MainFuse, limit_a: 30.0, phase: None };
        let shared = Reason::Shared { set_a: 8.0, cars: 3, bottleneck: Some(fuse), extra_amp: false };
        assert_eq!(shared.sentence(Language::English), "8 A: shared equally by three cars; main fuse 30 A");
        assert_eq!(
            shared.sentence(Language::Portuguese),
            "8 A: dividido igualmente por três carros; disjuntor geral 30 A"
        );
        let cheaper = Reason::WaitingForPrice { remaining_s: 12_300 };
        assert_eq!(cheaper.sentence(Language::English), "Waiting for cheaper hours, begins in 3 h 25 min");
        let waiting = Reason::Waiting { min_a: 6.0, place: 3, bottleneck: None };
        assert_eq!(waiting.sentence(Language::English), "Waiting: less than 6 A left; third in line");
        assert_eq!(waiting.sentence(Language::Portuguese), "Em espera: restam menos de 6 A; 3.º na fila");
    }
}
