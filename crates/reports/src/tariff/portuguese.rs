//! What keeps a tariff from being used, said in Portuguese.

use super::DayKind;
use super::check::TariffError;

const fn day_name(day: DayKind) -> &'static str {
    match day {
        DayKind::Monday => "segunda-feira",
        DayKind::Tuesday => "terça-feira",
        DayKind::Wednesday => "quarta-feira",
        DayKind::Thursday => "quinta-feira",
        DayKind::Friday => "sexta-feira",
        DayKind::Saturday => "sábado",
        DayKind::Sunday => "domingo",
        DayKind::Holiday => "feriado",
    }
}

fn season_name(season: &str) -> &'static str {
    if season == "summer" { "hora de verão" } else { "hora de inverno" }
}

impl TariffError {
    /// The same sentence as its `Display`, in Portuguese.
    #[must_use]
    pub fn portuguese(&self) -> String {
        match self {
            Self::Unnamed(version) => format!("dê um nome a cada parte de {version}"),
            Self::Backwards { name, from, to } => {
                format!("«{name}» termina em {to}, antes de começar em {from}; corrija uma das datas")
            }
            Self::Overlap { first, second, on } => format!(
                "«{first}» e «{second}» são ambas válidas em {on}; termine a primeira no dia antes de a segunda começar"
            ),
            Self::VersionGap { first, second, from, to } => {
                format!("nenhuma versão é válida de {from} a {to}, entre «{first}» e «{second}»; prolongue uma delas")
            }
            Self::PeriodGap { version, day, season, at } => format!(
                "«{version}» não tem período em {} às {at} ({}); acrescente uma regra que o cubra",
                day_name(*day),
                season_name(season)
            ),
            Self::PeriodOverlap { version, day, season, at } => format!(
                "«{version}» tem dois períodos em {} às {at} ({}); encurte uma das regras",
                day_name(*day),
                season_name(season)
            ),
            Self::Rule { version, rule } => format!(
                "a regra {rule} de «{version}» precisa de um período que exista, de pelo menos um dia e de um fim depois do início"
            ),
            Self::NoPeriod(version) => format!(
                "«{version}» precisa de pelo menos um período e, havendo vários, de regras que digam quando vale cada um"
            ),
            Self::Negative { version, what, value } => {
                format!("{what} de «{version}» é {value}, abaixo de zero; preços e taxas são zero ou mais")
            }
            Self::TooLarge { version, what, value } => format!(
                "{what} de «{version}» é {value}; só até 1 000 000 com dez casas decimais se calcula com exatidão"
            ),
            Self::InvoiceEach(version) => {
                format!("a fatura de «{version}» é repartida; escolha por igual, por consumo ou por permilagem")
            }
            Self::NoUnitKeys(version) => {
                format!("«{version}» reparte por permilagem; introduza a permilagem de pelo menos um condómino")
            }
            Self::TaxOnCorrection { version, tax } => {
                format!("o imposto «{tax}» de «{version}» incide sobre acertos, que já o incluem; retire-o")
            }
            Self::UnknownFlag { month, flag } => format!(
                "{month} tem a bandeira «{flag}», que nenhuma versão válida nesse mês conhece; escolha uma das suas"
            ),
            Self::InvoiceAmount { month, amount } => {
                format!("a fatura de {month} é {amount}; introduza um valor de zero a 1 000 000 000")
            }
        }
    }
}
