//! Everything a person can do, with its words. Widgets never change anything: they send a [`Command`].

use crate::books::{BooksCommand, BooksResource};
use crate::history::Quantity;
use crate::keeping::{KeepingCommand, KeepingResource};
use crate::records::{RecordsCommand, RecordsResource};
use crate::text::Text;
use crate::view::{Dialog, GraphForm, Page, Span};
use api::{
    CardPatch, ChargerPatch, ChargerSecurityPut, ChargerSettings, CircuitList, ConnectorTarget, DemoCommand,
    EnrolmentRequest, ForeignMeterPut, ForeignPreview, Language, LimitRequest, MeterPatch, NewCard, NewChargerPassword,
    NewDevice, Operation, ResetKind, SecurityPolicy, Setup, SiteItem, StartRequest, TenantForm, TenantPatch, WishItem,
};
use egui::Theme;

/// A charger by its identity.
pub(crate) type Charger = String;

/// A value the console reads from the server.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    /// Whether someone is signed in.
    Session,
    /// Settings of the site.
    Site,
    /// The tree of circuits.
    Circuits,
    /// What flows while nobody commands.
    Fallbacks,
    /// Tenants with their cards.
    Tenants,
    /// Past and running sessions, from the start of the list.
    Sessions,
    /// The next page of them.
    MoreSessions,
    /// Readings of one session.
    Curve(i32),
    /// Readings for the graph.
    Readings(Quantity, i64),
    /// Why a charger had what it had.
    Decisions(Charger),
    /// The messages of a charger that contain a text.
    Frames(Charger, String),
    /// A charger in detail.
    Detail(Charger),
    /// How a charger's states changed.
    Timeline(Charger),
    /// Sums for the insight page.
    Usage,
    /// Devices that are, were or want to be connected.
    Connections,
    /// Which proof chargers must bring.
    Security,
    /// Meters of other makers.
    ForeignMeters,
    /// Those whose messages are known.
    ForeignPresets,
    /// Files from and for chargers.
    Files,
    /// Which listeners are switched on.
    Listeners,
    /// Something about tariffs and statements.
    Books(BooksResource),
    /// Something about cards and sessions.
    Records(RecordsResource),
    /// Something about cloud and copies.
    Keeping(KeepingResource),
    /// The virtual building.
    Demo,
}

/// Everything a person can do.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Command {
    /// Go to a page.
    Show(Page),
    /// Open a charger's details, or close them.
    ShowCharger(Option<Charger>),
    /// Open a session's load curve, or close it.
    ShowSession(Option<i32>),
    /// Open or close a dialog.
    ShowDialog(Option<Dialog>),
    /// Look at another stretch of time.
    SetSpan(Span),
    /// Look at another quantity.
    SetQuantity(Quantity),
    /// Graph or table.
    SetGraphForm(GraphForm),
    /// Speak another language.
    SetLanguage(Language),
    /// Light or dark.
    SetTheme(Theme),
    /// Close a toast.
    Dismiss(u64),
    /// Put text on the clipboard.
    Copy(String),
    /// Read a value anew.
    Fetch(Resource),
    /// Sign in.
    SignIn(String),
    /// Sign in with the shell's one-time ticket.
    SignInWithTicket(String),
    /// Sign out.
    SignOut,
    /// Answer the first-run questions.
    SetUp(Setup),
    /// Let a charger in.
    ApproveCharger(Charger),
    /// Let a meter in.
    ApproveMeter(String),
    /// Serve a charger one place earlier.
    MoveUp(Charger),
    /// Serve a charger one place later.
    MoveDown(Charger),
    /// Put a charger at a place, counted from 0.
    MoveTo(Charger, usize),
    /// Give it nothing.
    Pause(Charger),
    /// Let it take part again.
    Resume(Charger),
    /// End the session of a connector.
    Stop(Charger, ConnectorTarget),
    /// Limit it, or lift the limit.
    Limit(Charger, LimitRequest),
    /// Start a session.
    Start(Charger, StartRequest),
    /// Change its settings.
    EditCharger(Charger, ChargerPatch),
    /// Remove it.
    RemoveCharger(Charger),
    /// Restart it.
    Reset(Charger, ResetKind),
    /// Free its plug.
    Unlock(Charger, ConnectorTarget),
    /// Another operation of its protocol.
    Operate(Charger, Operation),
    /// Say how it shall be set.
    SetCharger(Charger, ChargerSettings),
    /// Wait for a card.
    Enrol(EnrolmentRequest),
    /// Stop waiting.
    CancelEnrolment,
    /// Create a tenant; then give them this card, if any.
    AddTenant(TenantForm, Option<NewCard>),
    /// Give a tenant a card.
    AddCard(i64, NewCard),
    /// Change a tenant.
    EditTenant(i64, TenantPatch),
    /// Correct a session, or say who pays.
    CorrectSession(i32, api::SessionPatch),
    /// Look at other sums.
    SetInsight(crate::view::InsightFilter),
    /// Remove a tenant with all cards.
    RemoveTenant(i64),
    /// Block or unblock a card.
    BlockCard(i64, CardPatch),
    /// Decide about a card.
    SetCardPolicy(i64, api::CardPolicyItem),
    /// Forget a card.
    RemoveCard(i64),
    /// Change the site's settings.
    EditSite(Box<SiteItem>),
    /// Replace the drawing of circuits.
    EditCircuits(Box<CircuitList>),
    /// Say what a session needs.
    Wish(i32, WishItem),
    /// Withdraw what a session needs.
    WithdrawWish(i32),
    /// Change a meter.
    EditMeter(String, MeterPatch),
    /// Remove a meter.
    RemoveMeter(String),
    /// Give an MQTT device a password.
    AddDevice(NewDevice),
    /// Add a meter of another maker, or change it.
    PutForeign(String, Box<ForeignMeterPut>),
    /// Forget one.
    RemoveForeign(String),
    /// Try a mapping.
    PreviewForeign(Box<ForeignPreview>),
    /// Switch listeners on or off.
    SetListeners(api::ListenerSwitches),
    /// Keep firmware for chargers.
    KeepFirmware(crate::file::Read),
    /// Remove a file of a charger.
    RemoveFile(String),
    /// Change which proof chargers must bring.
    SetSecurityPolicy(SecurityPolicy),
    /// Change which proof one charger must bring.
    SetChargerSecurity(Charger, ChargerSecurityPut),
    /// Give a charger a password.
    GivePassword(Charger, NewChargerPassword),
    /// Let a charger trust this building's authority.
    TrustAuthority(Charger),
    /// Let a charger ask for a certificate.
    AskCertificate(Charger),
    /// Revoke a certificate.
    RevokeCertificate(String),
    /// Something with tariffs and statements.
    Books(BooksCommand),
    /// Something with cards and sessions.
    Records(RecordsCommand),
    /// Something with cloud and copies.
    Keeping(KeepingCommand),
    /// Something in the virtual building.
    Demo(DemoCommand),
}

impl Command {
    /// What a button says.
    #[expect(clippy::too_many_lines, reason = "the list of all commands")]
    pub(crate) const fn label(&self) -> Text {
        match self {
            Self::EditTenant(_, TenantPatch { archived: Some(true), .. }) => Text::MoveOut,
            Self::EditTenant(_, TenantPatch { archived: Some(false), .. }) => Text::MoveIn,
            Self::Show(page) => page.title(),
            Self::ShowCharger(Some(_)) => Text::Details,
            Self::ShowCharger(None) => Text::Back,
            Self::ShowSession(Some(_)) => Text::ShowSession,
            Self::ShowSession(None) | Self::ShowDialog(None) => Text::Close,
            Self::ShowDialog(Some(dialog)) => dialog.opener(),
            Self::SetSpan(span) => span.label(),
            Self::SetQuantity(_) => Text::QuantityName,
            Self::SetGraphForm(GraphForm::Graph) => Text::AsGraph,
            Self::SetGraphForm(GraphForm::Table) => Text::AsTable,
            Self::SetLanguage(_) => Text::LanguageName,
            Self::SetTheme(Theme::Light) => Text::LightTheme,
            Self::SetTheme(Theme::Dark) => Text::DarkTheme,
            Self::Dismiss(_) => Text::Dismiss,
            Self::Copy(_) => Text::Copy,
            Self::Fetch(Resource::MoreSessions) => Text::ShowMore,
            Self::Fetch(_) => Text::Refresh,
            Self::SignIn(_) | Self::SignInWithTicket(_) => Text::SignIn,
            Self::SignOut => Text::SignOut,
            Self::SetUp(_) => Text::FinishSetup,
            Self::ApproveCharger(_) | Self::ApproveMeter(_) => Text::Approve,
            Self::MoveUp(_) => Text::MoveUp,
            Self::MoveDown(_) => Text::MoveDown,
            Self::MoveTo(..) => Text::Drag,
            Self::Pause(_) => Text::Pause,
            Self::Resume(_) => Text::Resume,
            Self::Stop(..) => Text::StopSession,
            Self::Limit(_, LimitRequest { limit_a: Some(_) }) => Text::ApplyLimit,
            Self::Limit(_, LimitRequest { limit_a: None }) => Text::LiftLimit,
            Self::Start(..) => Text::StartSession,
            Self::EditCharger(..)
            | Self::SetCharger(..)
            | Self::EditSite(_)
            | Self::EditCircuits(_)
            | Self::EditMeter(..)
            | Self::EditTenant(..)
            | Self::AddTenant(_, None)
            | Self::CorrectSession(..)
            | Self::SetListeners(_)
            | Self::SetCardPolicy(..) => Text::Save,
            Self::Wish(..) => Text::SaveWish,
            Self::WithdrawWish(_) => Text::WithdrawWish,
            Self::RemoveCharger(_) | Self::RemoveMeter(_) => Text::Remove,
            Self::Reset(_, ResetKind::Soft) => Text::ResetSoft,
            Self::Reset(_, ResetKind::Hard) => Text::ResetHard,
            Self::Unlock(..) => Text::Unlock,
            Self::Operate(_, operation) => operation_label(operation),
            Self::Enrol(EnrolmentRequest { tenant_id: Some(_), .. }) => Text::EnrolFor,
            Self::Enrol(EnrolmentRequest { tenant_id: None, .. }) => Text::EnrolCard,
            Self::CancelEnrolment => Text::Cancel,
            Self::AddTenant(_, Some(_)) | Self::AddCard(..) => Text::EnrolFinish,
            Self::SetSecurityPolicy(_) | Self::SetChargerSecurity(..) | Self::PutForeign(..) => Text::Save,
            Self::SetInsight(_) => Text::Insight,
            Self::RemoveTenant(_) => Text::RemoveTenant,
            Self::BlockCard(_, CardPatch { blocked: Some(true), .. }) => Text::Block,
            Self::BlockCard(_, CardPatch { blocked: Some(false) | None, .. }) => Text::Unblock,
            Self::RemoveCard(_) => Text::RemoveCard,
            Self::Books(books) => books.label(),
            Self::Records(records) => records.label(),
            Self::Keeping(keeping) => keeping.label(),
            Self::AddDevice(_) => Text::AddDeviceDo,
            Self::PreviewForeign(_) => Text::TryMapping,
            Self::KeepFirmware(_) => Text::FirmwareAdd,
            Self::RemoveForeign(_) | Self::RemoveFile(_) => Text::Remove,
            Self::GivePassword(_, NewChargerPassword { send: true, .. }) => Text::SendPassword,
            Self::GivePassword(_, NewChargerPassword { send: false, .. }) => Text::ShowPassword,
            Self::TrustAuthority(_) => Text::TrustAuthority,
            Self::AskCertificate(_) => Text::AskCertificate,
            Self::RevokeCertificate(_) => Text::RevokeCertificate,
            Self::Demo(command) => demo_label(command),
        }
    }

    /// What its tooltip explains, where the label is not enough.
    #[expect(clippy::too_many_lines, reason = "a table of texts, one entry per command")]
    pub(crate) const fn tooltip(&self) -> Option<Text> {
        Some(match self {
            Self::ShowCharger(Some(_)) => Text::DetailsTip,
            Self::EditTenant(_, TenantPatch { archived: Some(true), .. }) => Text::MoveOutTip,
            Self::ShowDialog(Some(dialog)) => match dialog.tooltip() {
                Some(tip) => tip,
                None => return None,
            },
            Self::SetGraphForm(GraphForm::Graph) => Text::AsGraphTip,
            Self::SetGraphForm(GraphForm::Table) => Text::AsTableTip,
            Self::Copy(_) => Text::CopiedTip,
            Self::ApproveCharger(_) | Self::ApproveMeter(_) => Text::ApproveTip,
            Self::MoveUp(_) => Text::MoveUpTip,
            Self::MoveDown(_) => Text::MoveDownTip,
            Self::Pause(_) => Text::PauseTip,
            Self::Resume(_) => Text::ResumeTip,
            Self::Stop(..) => Text::StopTip,
            Self::Start(..) => Text::StartSessionTip,
            Self::Reset(_, ResetKind::Soft) => Text::ResetSoftTip,
            Self::Reset(_, ResetKind::Hard) => Text::ResetHardTip,
            Self::Unlock(..) => Text::UnlockTip,
            Self::Operate(_, operation) => operation_tooltip(operation),
            Self::Enrol(EnrolmentRequest { tenant_id: Some(_), .. }) => Text::EnrolForTip,
            Self::Enrol(EnrolmentRequest { tenant_id: None, .. }) => Text::EnrolCardTip,
            Self::RemoveTenant(_) => Text::RemoveTenantTip,
            Self::BlockCard(_, CardPatch { blocked: Some(true), .. }) => Text::BlockTip,
            Self::BlockCard(_, CardPatch { blocked: Some(false) | None, .. }) => Text::UnblockTip,
            Self::RemoveCard(_) => Text::RemoveCardTip,
            Self::GivePassword(_, NewChargerPassword { send: true, .. }) => Text::SendPasswordTip,
            Self::GivePassword(_, NewChargerPassword { send: false, .. }) => Text::ShowPasswordTip,
            Self::TrustAuthority(_) => Text::TrustAuthorityTip,
            Self::AskCertificate(_) => Text::AskCertificateTip,
            Self::RevokeCertificate(_) => Text::RevokeCertificateTip,
            Self::Demo(command) => match demo_tooltip(command) {
                Some(tip) => tip,
                None => return None,
            },
            Self::Show(_)
            | Self::ShowCharger(None)
            | Self::ShowSession(_)
            | Self::ShowDialog(None)
            | Self::SetSpan(_)
            | Self::SetQuantity(_)
            | Self::SetLanguage(_)
            | Self::SetTheme(_)
            | Self::Dismiss(_)
            | Self::Fetch(_)
            | Self::SignIn(_)
            | Self::SignInWithTicket(_)
            | Self::SignOut
            | Self::SetUp(_)
            | Self::MoveTo(..)
            | Self::Limit(..)
            | Self::EditCharger(..)
            | Self::SetCharger(..)
            | Self::RemoveCharger(_)
            | Self::CancelEnrolment
            | Self::AddTenant(..)
            | Self::AddCard(..)
            | Self::EditTenant(..)
            | Self::CorrectSession(..)
            | Self::SetInsight(_)
            | Self::EditSite(_)
            | Self::EditCircuits(_)
            | Self::Wish(..)
            | Self::SetCardPolicy(..)
            | Self::WithdrawWish(_)
            | Self::EditMeter(..)
            | Self::RemoveMeter(_)
            | Self::SetSecurityPolicy(_)
            | Self::PutForeign(..)
            | Self::RemoveForeign(_)
            | Self::PreviewForeign(_)
            | Self::SetListeners(_)
            | Self::KeepFirmware(_)
            | Self::RemoveFile(_)
            | Self::SetChargerSecurity(..)
            | Self::Books(_)
            | Self::Records(_)
            | Self::Keeping(_)
            | Self::AddDevice(_) => return None,
        })
    }
}

const fn operation_label(operation: &Operation) -> Text {
    match operation {
        Operation::GetConfiguration { .. } => Text::ReadConfiguration,
        Operation::ChangeConfiguration { .. } => Text::WriteConfiguration,
        Operation::ChangeAvailability { operative: true, .. } => Text::PutBack,
        Operation::ChangeAvailability { operative: false, .. } => Text::TakeOut,
        Operation::ClearCache => Text::ClearCache,
        Operation::TriggerMessage { .. } => Text::Trigger,
        Operation::ExtendedTriggerMessage { .. } => Text::TriggerExtended,
        Operation::DataTransfer { .. } => Text::SendData,
        Operation::ReserveNow { .. } => Text::Reserve,
        Operation::CancelReservation { .. } => Text::CancelReserve,
        Operation::SetChargingProfile { .. } => Text::SetProfile,
        Operation::ClearChargingProfile { .. } => Text::ClearProfile,
        Operation::GetCompositeSchedule { .. } => Text::Composite,
        Operation::GetDiagnostics { .. } => Text::Diagnostics,
        Operation::GetLog { .. } => Text::FetchLog,
        Operation::UpdateFirmware { .. } => Text::Firmware,
        Operation::SignedUpdateFirmware { .. } => Text::FirmwareSigned,
        Operation::GetLocalListVersion => Text::ListVersion,
        Operation::SendLocalList => Text::ListSend,
        Operation::InstallCertificate { .. } => Text::CertificateInstall,
        Operation::DeleteCertificate { .. } => Text::CertificateDelete,
        Operation::GetInstalledCertificateIds { .. } => Text::CertificateList,
        Operation::CertificateSigned { .. } => Text::CertificateHand,
    }
}

const fn operation_tooltip(operation: &Operation) -> Text {
    match operation {
        Operation::GetConfiguration { .. } => Text::ReadConfigurationTip,
        Operation::ChangeConfiguration { .. } => Text::WriteConfigurationTip,
        Operation::ChangeAvailability { operative: true, .. } => Text::PutBackTip,
        Operation::ChangeAvailability { operative: false, .. } => Text::TakeOutTip,
        Operation::ClearCache => Text::ClearCacheTip,
        Operation::TriggerMessage { .. } => Text::TriggerTip,
        Operation::ExtendedTriggerMessage { .. } => Text::TriggerExtendedTip,
        Operation::DataTransfer { .. } => Text::SendDataTip,
        Operation::ReserveNow { .. } => Text::ReserveTip,
        Operation::CancelReservation { .. } => Text::CancelReserveTip,
        Operation::SetChargingProfile { .. } => Text::SetProfileTip,
        Operation::ClearChargingProfile { .. } => Text::ClearProfileTip,
        Operation::GetCompositeSchedule { .. } => Text::CompositeTip,
        Operation::GetDiagnostics { .. } => Text::DiagnosticsTip,
        Operation::GetLog { .. } => Text::FetchLogTip,
        Operation::UpdateFirmware { .. } => Text::FirmwareTip,
        Operation::SignedUpdateFirmware { .. } => Text::FirmwareSignedTip,
        Operation::GetLocalListVersion => Text::ListVersionTip,
        Operation::SendLocalList => Text::ListSendTip,
        Operation::InstallCertificate { .. } => Text::CertificateInstallTip,
        Operation::DeleteCertificate { .. } => Text::CertificateDeleteTip,
        Operation::GetInstalledCertificateIds { .. } => Text::CertificateListTip,
        Operation::CertificateSigned { .. } => Text::CertificateHandTip,
    }
}

const fn demo_label(command: &DemoCommand) -> Text {
    match command {
        DemoCommand::SetSpeed { .. } => Text::Speed,
        DemoCommand::SetExtraLoad { .. } => Text::ExtraLoad,
        DemoCommand::Plug { .. } => Text::PlugIn,
        DemoCommand::Unplug { .. } => Text::Unplug,
        DemoCommand::TapCard { .. } => Text::Tap,
        DemoCommand::AddCharger { protocol: api::DemoProtocol::Ocpp } => Text::AddOcpp,
        DemoCommand::AddCharger { protocol: api::DemoProtocol::Ievcc } => Text::AddIevcc,
        DemoCommand::AddMeter => Text::AddMeter,
        DemoCommand::RemoveCharger { .. } | DemoCommand::RemoveMeter { .. } => Text::TakeAway,
        DemoCommand::SetLink { linked: true, .. } => Text::MendLink,
        DemoCommand::SetLink { linked: false, .. } => Text::BreakLink,
        DemoCommand::StartScenario { .. } => Text::StartScenario,
        DemoCommand::StopScenario => Text::StopScenario,
    }
}

const fn demo_tooltip(command: &DemoCommand) -> Option<Text> {
    match command {
        DemoCommand::SetSpeed { .. } | DemoCommand::SetExtraLoad { .. } => None,
        DemoCommand::Plug { .. } => Some(Text::PlugInTip),
        DemoCommand::Unplug { .. } => Some(Text::UnplugTip),
        DemoCommand::TapCard { .. } => Some(Text::TapTip),
        DemoCommand::AddCharger { .. } | DemoCommand::AddMeter => Some(Text::AddDeviceTip),
        DemoCommand::RemoveCharger { .. } | DemoCommand::RemoveMeter { .. } => Some(Text::TakeAwayTip),
        DemoCommand::SetLink { linked: true, .. } => Some(Text::MendLinkTip),
        DemoCommand::SetLink { linked: false, .. } => Some(Text::BreakLinkTip),
        DemoCommand::StartScenario { .. } => Some(Text::StartScenarioTip),
        DemoCommand::StopScenario => Some(Text::StopScenarioTip),
    }
}
