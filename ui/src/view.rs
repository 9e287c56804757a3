//! What the person looks at: page, range, open dialog. Nothing here is known to the server.

use crate::history::Quantity;
use crate::text::Text;
use crate::time::{DAY_MS, HOUR_MS, MINUTE_MS};
use domain::Provenance;

/// A page of the console.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Page {
    /// Live graph, tiles, alarms.
    #[default]
    Overview,
    /// All chargers and one in detail.
    Chargers,
    /// Tenants and cards.
    Cards,
    /// Sessions and their load curves.
    Sessions,
    /// What things cost.
    Tariffs,
    /// Months and their statements.
    Statements,
    /// Sums and patterns.
    Insight,
    /// Connecting devices.
    Connect,
    /// The wiring: live, to edit, and while the computer is off.
    Circuits,
    /// What leaves the building, and copies of what stays.
    Cloud,
    /// Building, meters, console.
    Settings,
    /// The virtual building.
    Demo,
}

impl Page {
    /// All of them, in the order of the navigation.
    pub(crate) const ALL: [Self; 12] = [
        Self::Overview,
        Self::Chargers,
        Self::Cards,
        Self::Sessions,
        Self::Tariffs,
        Self::Statements,
        Self::Insight,
        Self::Circuits,
        Self::Connect,
        Self::Cloud,
        Self::Settings,
        Self::Demo,
    ];

    /// Its name.
    pub(crate) const fn title(self) -> Text {
        match self {
            Self::Overview => Text::Overview,
            Self::Chargers => Text::Chargers,
            Self::Cards => Text::Cards,
            Self::Sessions => Text::Sessions,
            Self::Tariffs => Text::Tariffs,
            Self::Statements => Text::Statements,
            Self::Insight => Text::Insight,
            Self::Connect => Text::Connect,
            Self::Circuits => Text::Circuits,
            Self::Cloud => Text::Cloud,
            Self::Settings => Text::Settings,
            Self::Demo => Text::Demo,
        }
    }

    /// What it is for.
    pub(crate) const fn subtitle(self) -> Text {
        match self {
            Self::Overview => Text::OverviewSub,
            Self::Chargers => Text::ChargersSub,
            Self::Cards => Text::CardsSub,
            Self::Sessions => Text::SessionsSub,
            Self::Tariffs => Text::TariffsSub,
            Self::Statements => Text::StatementsSub,
            Self::Insight => Text::InsightSub,
            Self::Connect => Text::ConnectSub,
            Self::Circuits => Text::CircuitsPageSub,
            Self::Cloud => Text::CloudSub,
            Self::Settings => Text::SettingsSub,
            Self::Demo => Text::DemoSub,
        }
    }
}

/// A stretch of time that ends now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Span {
    /// 15 minutes.
    #[default]
    Quarter,
    /// One hour.
    Hour,
    /// One day.
    Day,
}

impl Span {
    /// All of them, in the order of the selector.
    pub(crate) const ALL: [Self; 3] = [Self::Quarter, Self::Hour, Self::Day];

    /// Its length.
    pub(crate) const fn ms(self) -> i64 {
        match self {
            Self::Quarter => 15 * MINUTE_MS,
            Self::Hour => HOUR_MS,
            Self::Day => DAY_MS,
        }
    }

    /// Its name.
    pub(crate) const fn label(self) -> Text {
        match self {
            Self::Quarter => Text::Range15,
            Self::Hour => Text::Range1h,
            Self::Day => Text::Range24h,
        }
    }
}

/// How values over time are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum GraphForm {
    /// As a graph.
    #[default]
    Graph,
    /// As a table, for people who do not see graphs.
    Table,
}

/// A question in front of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Dialog {
    /// A limit for this charger.
    Limit(String),
    /// The addresses a new charger needs.
    AddCharger,
    /// Whether to remove this charger.
    RemoveCharger(String),
    /// Whether to remove this meter.
    RemoveMeter(String),
    /// Waiting for a card, then asking whose it is.
    Enrol,
    /// Whose this refused card is.
    EnrolRefused(String),
    /// A new MQTT device.
    AddDevice,
    /// A password that is shown once.
    ShownPassword,
    /// A new tenant.
    AddTenant,
    /// Changes of a tenant.
    EditTenant(i64),
    /// Whether to remove this tenant.
    RemoveTenant(i64),
    /// Corrections of a session.
    CorrectSession(i32),
    /// Ends that fit no session.
    Orphans,
    /// A list of tenants.
    ImportTenants,
    /// What this session needs.
    Wish(i32),
    /// What the manager decides about this card.
    CardPolicy(i64),
}

impl Dialog {
    /// What the button that opens it says.
    pub(crate) const fn opener(&self) -> Text {
        match self {
            Self::Limit(_) => Text::SetLimit,
            Self::AddCharger => Text::AddCharger,
            Self::RemoveCharger(_) => Text::RemoveCharger,
            Self::RemoveMeter(_) => Text::RemoveMeter,
            Self::Enrol => Text::EnrolCard,
            Self::EnrolRefused(_) => Text::EnrolThis,
            Self::AddDevice => Text::AddDevice,
            Self::ShownPassword => Text::Password,
            Self::AddTenant => Text::AddTenant,
            Self::EditTenant(_) => Text::EditTenant,
            Self::RemoveTenant(_) => Text::RemoveTenant,
            Self::CorrectSession(_) => Text::Correct,
            Self::Orphans => Text::OrphansDo,
            Self::ImportTenants => Text::ImportTenants,
            Self::Wish(_) => Text::SetWish,
            Self::CardPolicy(_) => Text::CardPolicyOpen,
        }
    }

    /// What the tooltip of that button explains.
    pub(crate) const fn tooltip(&self) -> Option<Text> {
        match self {
            Self::Limit(_) => Some(Text::SetLimitTip),
            Self::AddCharger => Some(Text::AddChargerTip),
            Self::RemoveCharger(_) => Some(Text::RemoveChargerTip),
            Self::RemoveMeter(_) => Some(Text::RemoveMeterTip),
            Self::Enrol => Some(Text::EnrolCardTip),
            Self::EnrolRefused(_) => Some(Text::EnrolThisTip),
            Self::AddDevice => Some(Text::AddDeviceConnectTip),
            Self::ShownPassword => None,
            Self::AddTenant => Some(Text::AddTenantTip),
            Self::EditTenant(_) => Some(Text::EditTenantTip),
            Self::RemoveTenant(_) => Some(Text::RemoveTenantTip),
            Self::CorrectSession(_) => Some(Text::CorrectTip),
            Self::Orphans => Some(Text::OrphansTip),
            Self::ImportTenants => Some(Text::ImportTenantsTip),
            Self::Wish(_) => Some(Text::SetWishTip),
            Self::CardPolicy(_) => Some(Text::CardPolicyTip),
        }
    }
}

/// How far back the list of sessions goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Period {
    /// A week.
    Week,
    /// A month.
    #[default]
    Month,
    /// All there is.
    All,
}

impl Period {
    /// All of them, in the order of the selector.
    pub(crate) const ALL: [Self; 3] = [Self::Week, Self::Month, Self::All];

    /// Its length; `None` without a start.
    pub(crate) const fn ms(self) -> Option<i64> {
        match self {
            Self::Week => Some(7 * DAY_MS),
            Self::Month => Some(31 * DAY_MS),
            Self::All => None,
        }
    }

    /// Its name.
    pub(crate) const fn label(self) -> Text {
        match self {
            Self::Week => Text::PeriodWeek,
            Self::Month => Text::PeriodMonth,
            Self::All => Text::PeriodAll,
        }
    }
}

/// What a chart of sums is drawn over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Axis {
    /// Each day.
    #[default]
    Day,
    /// Each month.
    Month,
    /// Each hour of the day.
    Hour,
    /// Each tenant.
    Tenant,
    /// Each charger.
    Charger,
}

impl Axis {
    /// All of them, in the order of the selector.
    pub(crate) const ALL: [Self; 5] = [Self::Day, Self::Month, Self::Hour, Self::Tenant, Self::Charger];

    /// Its name.
    pub(crate) const fn label(self) -> Text {
        match self {
            Self::Day => Text::AxisDay,
            Self::Month => Text::AxisMonth,
            Self::Hour => Text::AxisHour,
            Self::Tenant => Text::Tenant,
            Self::Charger => Text::ColCharger,
        }
    }
}

/// Which sums are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InsightFilter {
    /// Over what.
    pub(crate) axis: Axis,
    /// How far back.
    pub(crate) period: Period,
    /// Only of this tenant.
    pub(crate) tenant_id: Option<i64>,
    /// Only at this charger.
    pub(crate) charger: Option<String>,
}

/// Which sessions are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SessionFilter {
    /// Only of this tenant.
    pub(crate) tenant_id: Option<i64>,
    /// Only at this charger.
    pub(crate) charger: Option<String>,
    /// How far back.
    pub(crate) period: Period,
    /// Only those nobody pays for.
    pub(crate) unassigned: bool,
    /// Only with figures of this kind.
    pub(crate) trust: Option<Provenance>,
    /// Words that number, card, charger, tenant or flat contain.
    pub(crate) words: String,
}

/// What the person looks at.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct View {
    /// The page.
    pub(crate) page: Page,
    /// The range of the graph.
    pub(crate) span: Span,
    /// The quantity of the graph.
    pub(crate) quantity: Quantity,
    /// Graph or table.
    pub(crate) form: GraphForm,
    /// The charger whose details are open.
    pub(crate) charger: Option<String>,
    /// The session whose curve is open.
    pub(crate) session: Option<i32>,
    /// The dialog in front.
    pub(crate) dialog: Option<Dialog>,
    /// Which sums are shown.
    pub(crate) insight: InsightFilter,
    /// Which sessions are listed.
    pub(crate) filter: SessionFilter,
}
