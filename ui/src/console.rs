//! The console as an egui application: takes in what arrived, shows the page, sends what was asked for.

use crate::command::Command;
use crate::icons::Icon;
use crate::model::{Effect, Link, Model, Stage};
use crate::pages::{self, Cx};
use crate::text::Text;
use crate::time::ZoneOffset;
use crate::toast::Tone;
use crate::tokens::{self, palette};
use crate::transport::Transport;
use crate::view::{Dialog, Page, SessionFilter};
use crate::widgets::{self, Mood};
use api::{Language, Snapshot};
use egui::accesskit::Role;
use egui::{Align, Color32, Context, Frame, Layout, Margin, RichText, Sense, Theme, Ui, WidgetInfo};
use std::sync::Arc;

/// Seconds between two attempts to reach a server that did not answer.
const RETRY_S: f64 = 3.0;

/// What the console needs from where it runs.
pub struct Platform {
    /// The way to the server.
    pub transport: Box<dyn Transport>,
    /// Local clocks.
    pub zone: ZoneOffset,
    /// Address of the server as this page knows it, such as `192.168.1.20:8480`.
    pub host: String,
    /// The shell's one-time ticket, if the page was opened with one.
    pub ticket: Option<String>,
    /// Language to start with.
    pub language: Language,
    /// Theme to start with; light when nobody chose.
    pub theme: Option<Theme>,
    /// Keeps language and theme for the next visit.
    pub remember: Box<dyn Fn(Language, Theme)>,
}

/// The console.
pub struct Console {
    model: Model,
    platform: Platform,
    pages: Pages,
    installed: bool,
    retry_at_s: Option<f64>,
    theme_shown: Option<Theme>,
}

/// What the pages keep between frames.
#[derive(Default)]
struct Pages {
    sign_in: pages::sign_in::SignInForm,
    overview: pages::overview::OverviewState,
    chargers: pages::chargers::ChargersState,
    cards: pages::cards::CardsState,
    tariffs: pages::tariffs::TariffsState,
    statements: pages::statements::StatementsState,
    cloud: pages::cloud::CloudState,
    connect: pages::connect::ConnectState,
    circuits: pages::circuits::CircuitsState,
    wish: pages::wish::WishForm,
    correct: pages::correct::CorrectForm,
    orphans: pages::orphans::OrphansForm,
    import: pages::import::ImportForm,
    insight: pages::insight::InsightState,
    settings: pages::settings::SettingsState,
    demo: pages::demo::DemoState,
    filter: Option<SessionFilter>,
}

impl Console {
    /// A console that asks the server at once who is signed in.
    #[must_use]
    pub fn new(mut platform: Platform) -> Self {
        let mut model = Model::new(platform.language, platform.theme);
        model.start(platform.ticket.take());
        Self { model, platform, pages: Pages::default(), installed: false, retry_at_s: None, theme_shown: None }
    }

    /// Takes in what arrived and sends what is due; paints nothing.
    pub fn logic(&mut self, ctx: &Context) {
        if !self.installed {
            self.installed = true;
            tokens::install(ctx);
        }
        for arrival in self.platform.transport.arrivals() {
            self.model.arrive(arrival);
        }
        self.retry(ctx);
        self.perform(ctx);
        if self.theme_shown != Some(self.model.theme()) {
            self.theme_shown = Some(self.model.theme());
            ctx.set_theme(self.model.theme());
        }
        if let Some(seconds) = self.model.toasts.tick(ctx.input(|input| input.time)) {
            wake_in(ctx, seconds);
        }
    }

    /// Asks again for a server that did not answer at the start.
    fn retry(&mut self, ctx: &Context) {
        if self.model.stage != Stage::Unreachable {
            self.retry_at_s = None;
            return;
        }
        let now = ctx.input(|input| input.time);
        let at = *self.retry_at_s.get_or_insert(now + RETRY_S);
        if now >= at {
            self.retry_at_s = Some(now + RETRY_S);
            self.model.command(Command::Fetch(crate::command::Resource::Session));
        }
        wake_in(ctx, (at - now).max(0.1));
    }

    fn perform(&mut self, ctx: &Context) {
        for effect in self.model.effects() {
            match effect {
                Effect::Send(request) => self.platform.transport.send(request),
                Effect::OpenLive => self.platform.transport.open_live(),
                Effect::CloseLive => {
                    self.platform.transport.close_live();
                    self.pages = Pages::default();
                }
                Effect::Copy(text) => ctx.copy_text(text),
                Effect::Remember => (self.platform.remember)(self.model.language, self.model.theme()),
            }
        }
    }

    /// Shows the console.
    pub fn ui(&mut self, ui: &mut Ui) {
        let commands = {
            let mut cx =
                Cx { model: &self.model, zone: &self.platform.zone, host: &self.platform.host, out: Vec::new() };
            match self.model.stage {
                Stage::Inside => inside(&mut cx, ui, &mut self.pages),
                Stage::Starting | Stage::Unreachable | Stage::SetUp | Stage::SignIn => {
                    outside(&mut cx, ui, &mut self.pages);
                }
            }
            toasts(&mut cx, ui);
            cx.out
        };
        if let Some(filter) = self.pages.filter.take() {
            self.model.view.filter = filter;
            self.model.view.session = None;
            self.model.fetch(crate::command::Resource::Sessions);
        }
        if commands.is_empty() {
            return self.perform(ui.ctx());
        }
        for command in commands {
            if matches!(command, Command::ShowDialog(_)) {
                self.pages.chargers.close_dialog();
                self.pages.cards.close_dialog();
                self.pages.connect.close_dialog();
                self.pages.wish = pages::wish::WishForm::default();
                self.pages.correct = pages::correct::CorrectForm::default();
                self.pages.orphans = pages::orphans::OrphansForm::default();
                self.pages.import = pages::import::ImportForm::default();
            }
            self.model.command(command);
        }
        self.perform(ui.ctx());
        // What the commands changed is not on screen yet.
        ui.ctx().request_repaint();
    }
}

/// Asks for a frame after some seconds.
fn wake_in(ctx: &Context, seconds: f64) {
    // A frame that comes a little late finds the moment passed; one that comes early would come again.
    let ms = crate::graph::paint::whole((seconds * 1000.0).clamp(0.0, 60_000.0)) + 15;
    ctx.request_repaint_after(std::time::Duration::from_millis(u64::try_from(ms).unwrap_or(0)));
}

fn outside(cx: &mut Cx<'_>, ui: &mut Ui, pages: &mut Pages) {
    let fill = palette(ui).page;
    egui::CentralPanel::default().frame(Frame::new().fill(fill).inner_margin(Margin::same(16))).show(ui, |ui| {
        egui::ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            pages::sign_in::show(cx, ui, &mut pages.sign_in);
        });
    });
}

fn inside(cx: &mut Cx<'_>, ui: &mut Ui, pages: &mut Pages) {
    let snapshot: Option<Arc<Snapshot>> = cx.model.snapshot.clone();
    let p = palette(ui);
    let nav = Frame::new().fill(p.surface).inner_margin(Margin::symmetric(12, 16));
    egui::Panel::left("navigation")
        .exact_size(tokens::NAV_WIDTH)
        .resizable(false)
        .frame(nav)
        .show_separator_line(true)
        .show(ui, |ui| navigation(cx, ui, snapshot.as_deref()));
    if cx.model.link == Link::Lost {
        let banner = Frame::new().fill(p.warn_low).inner_margin(Margin::symmetric(24, 8));
        egui::Panel::top("connection").frame(banner).show_separator_line(false).show(ui, |ui| {
            widgets::notice(ui, Icon::Alert, cx.text(Text::ConnectionLost), Mood::Warn);
        });
    }
    // The page's scroll bar stands in the margin at the right.
    let page =
        Frame::new().fill(p.page).inner_margin(Margin { left: tokens::PAGE_MARGIN, right: 6, top: 0, bottom: 0 });
    egui::CentralPanel::default().frame(page).show(ui, |ui| {
        if cx.model.link == Link::Lost {
            ui.set_opacity(0.55);
        }
        let Some(snapshot) = snapshot else {
            ui.centered_and_justified(|ui| widgets::weak(ui, cx.text(Text::Loading)));
            return;
        };
        scrolled(ui, |ui| show_page(cx, ui, pages, &snapshot));
        dialog(cx, ui, pages, &snapshot);
    });
}

/// The page in the middle of wide screens, scrolling when it is higher than the window.
fn scrolled(ui: &mut Ui, add: impl FnOnce(&mut Ui)) {
    egui::ScrollArea::vertical().id_salt("page").auto_shrink([false, false]).show(ui, |ui| {
        let width = ui.available_width() - f32::from(tokens::PAGE_MARGIN) + 6.0;
        let used = width.min(tokens::PAGE_WIDTH_MAX);
        ui.add_space(f32::from(tokens::PAGE_MARGIN));
        ui.horizontal_top(|ui| {
            ui.spacing_mut().item_spacing.x = 0.0;
            ui.add_space((width - used) / 2.0);
            ui.allocate_ui_with_layout(egui::vec2(used, 0.0), Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                add(ui);
            });
        });
        ui.add_space(f32::from(tokens::PAGE_MARGIN) - 8.0);
    });
}

fn show_page(cx: &mut Cx<'_>, ui: &mut Ui, pages: &mut Pages, snapshot: &Snapshot) {
    match cx.model.view.page {
        Page::Overview => pages::overview::show(cx, ui, &mut pages.overview, snapshot),
        Page::Chargers => pages::chargers::show(cx, ui, &mut pages.chargers, snapshot),
        Page::Cards => pages::cards::show(cx, ui, &mut pages.cards, snapshot),
        Page::Sessions => pages::sessions::show(cx, ui, snapshot, &mut pages.filter),
        Page::Tariffs => pages::tariffs::show(cx, ui, &mut pages.tariffs),
        Page::Statements => pages::statements::show(cx, ui, &mut pages.statements),
        Page::Insight => pages::insight::show(cx, ui, &mut pages.insight, snapshot),
        Page::Connect => pages::connect::show(cx, ui, &mut pages.connect, snapshot),
        Page::Circuits => pages::circuits::show(cx, ui, &mut pages.circuits, snapshot),
        Page::Cloud => pages::cloud::show(cx, ui, &mut pages.cloud),
        Page::Settings => pages::settings::show(cx, ui, &mut pages.settings, snapshot),
        Page::Demo => pages::demo::show(cx, ui, &mut pages.demo),
    }
}

/// Width of a dialog.
const DIALOG: f32 = 420.0;
/// Width of a dialog with a table.
const DIALOG_WIDE: f32 = 760.0;

fn dialog(cx: &mut Cx<'_>, ui: &mut Ui, pages: &mut Pages, snapshot: &Snapshot) {
    let Some(dialog) = cx.model.view.dialog.clone() else { return };
    let p = palette(ui);
    let sheet = Frame::window(ui.style()).inner_margin(Margin::same(22));
    let modal = egui::Modal::new(egui::Id::unique("dialog")).frame(sheet).backdrop_color(p.veil);
    let response = modal.show(ui.ctx(), |ui| {
        ui.set_width(if dialog == Dialog::ImportTenants { DIALOG_WIDE } else { DIALOG });
        ui.ctx().accesskit_node_builder(ui.unique_id(), |node| node.set_role(Role::Dialog));
        ui.spacing_mut().item_spacing.y = 12.0;
        match &dialog {
            Dialog::Limit(id) => pages::chargers::limit_dialog(cx, ui, &mut pages.chargers, snapshot, id),
            Dialog::AddCharger => {
                widgets::heading(ui, cx.text(Text::AddChargerTitle), tokens::TEXT_TITLE);
                pages::chargers::addresses(cx, ui);
                widgets::weak(ui, cx.text(Text::AddChargerThen));
                pages::cancel(cx, ui);
            }
            Dialog::RemoveCharger(id) => {
                let charger = snapshot.chargers.iter().find(|charger| charger.id == *id);
                let name = charger.map_or(id.as_str(), |charger| charger.name.as_str());
                pages::charger::remove_dialog(cx, ui, name, id);
            }
            Dialog::RemoveMeter(id) => {
                let meter = snapshot.meters.iter().find(|meter| meter.id == *id);
                let name = meter.map_or(id.as_str(), |meter| meter.name.as_str());
                pages::settings::remove_meter_dialog(cx, ui, name, id);
            }
            Dialog::Enrol => pages::enrol::dialog(cx, ui, &mut pages.cards.enrol, snapshot),
            Dialog::EnrolRefused(uid) => pages::enrol::refused_dialog(cx, ui, &mut pages.cards.enrol, uid),
            Dialog::AddDevice => pages::connect::device_dialog(cx, ui, &mut pages.connect),
            Dialog::ShownPassword => pages::connect::password_dialog(cx, ui),
            Dialog::AddTenant => pages::tenant::dialog(cx, ui, &mut pages.cards.tenant, None),
            Dialog::EditTenant(id) => pages::tenant::dialog(cx, ui, &mut pages.cards.tenant, Some(*id)),
            Dialog::Orphans => pages::orphans::dialog(cx, ui, &mut pages.orphans, snapshot),
            Dialog::ImportTenants => pages::import::dialog(cx, ui, &mut pages.import),
            Dialog::CorrectSession(id) => pages::correct::dialog(cx, ui, &mut pages.correct, *id),
            Dialog::Wish(session) => pages::wish::dialog(cx, ui, &mut pages.wish, snapshot, *session),
            Dialog::CardPolicy(id) => pages::card_policy::dialog(cx, ui, &mut pages.cards.policy, *id),
            Dialog::RemoveTenant(id) => pages::cards::remove_dialog(cx, ui, *id),
        }
    });
    if response.should_close() {
        if dialog == Dialog::Enrol {
            cx.send(Command::CancelEnrolment);
        }
        cx.send(Command::ShowDialog(None));
    }
}

fn navigation(cx: &mut Cx<'_>, ui: &mut Ui, snapshot: Option<&Snapshot>) {
    let p = palette(ui);
    ui.spacing_mut().item_spacing.y = 3.0;
    ui.horizontal(|ui| {
        ui.add_space(4.0);
        pages::sign_in::mark(ui, 30.0);
        ui.vertical(|ui| {
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.label(RichText::new("Meshwatt").font(tokens::strong(16.0)).color(p.text));
            let name = snapshot.map_or("", |snapshot| snapshot.site.name.as_str());
            widgets::weak_line(ui, name);
        });
    });
    ui.add_space(14.0);
    let demo = snapshot.is_some_and(|snapshot| snapshot.demo);
    for page in Page::ALL {
        if page != Page::Demo || demo {
            nav_item(cx, ui, page);
        }
    }
    ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let leave = Command::SignOut;
            cx.icon(ui, Icon::Leave, true, "", leave);
            let (icon, other) = match cx.model.theme() {
                Theme::Light => (Icon::Moon, Theme::Dark),
                Theme::Dark => (Icon::Sun, Theme::Light),
            };
            cx.icon(ui, icon, true, "", Command::SetTheme(other));
            language_switch(cx, ui);
        });
        ui.add_space(6.0);
        connection(cx, ui, snapshot);
    });
}

/// The other language, in its own words.
fn language_switch(cx: &mut Cx<'_>, ui: &mut Ui) {
    let (label, name, other) = match cx.language() {
        Language::English => ("PT", "Português", Language::Portuguese),
        Language::Portuguese => ("EN", "English", Language::English),
    };
    let look = widgets::Look { loudness: widgets::Loudness::Quiet, icon: None, label, name, enabled: true };
    if widgets::button(ui, look).on_hover_text(name).clicked() {
        cx.send(Command::SetLanguage(other));
    }
}

fn connection(cx: &Cx<'_>, ui: &mut Ui, snapshot: Option<&Snapshot>) {
    let p = palette(ui);
    let (word, ink) = match cx.model.link {
        Link::Open => (Text::Connected, p.good),
        Link::Opening => (Text::Connecting, p.text_weak),
        Link::Lost => (Text::Connecting, p.warn),
    };
    ui.horizontal(|ui| {
        ui.add_space(8.0);
        let (rect, _) = ui.allocate_exact_size(egui::vec2(10.0, 18.0), Sense::hover());
        ui.painter().circle_filled(rect.center(), 4.0, ink);
        let clock = snapshot.map_or_else(String::new, |snapshot| {
            crate::format::clock_seconds(snapshot.at_ms, cx.offset(snapshot.at_ms))
        });
        widgets::weak_line(ui, &format!("{} {clock}", cx.text(word)));
    });
}

fn nav_item(cx: &mut Cx<'_>, ui: &mut Ui, page: Page) {
    let p = palette(ui);
    let selected = cx.model.view.page == page;
    let (rect, response) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 38.0), Sense::click());
    let label = cx.text(page.title());
    response.widget_info(|| WidgetInfo::selected(Role::Tab, true, selected, label));
    let (fill, ink) = match (selected, response.hovered()) {
        (true, _) => (p.accent_low, p.accent),
        (false, true) => (p.surface_low, p.text),
        (false, false) => (Color32::TRANSPARENT, p.text_weak),
    };
    ui.painter().rect_filled(rect, tokens::RADIUS_CONTROL, fill);
    let icon = match page {
        Page::Overview => Icon::Graph,
        Page::Chargers => Icon::Plug,
        Page::Cards => Icon::Card,
        Page::Sessions => Icon::List,
        Page::Tariffs => Icon::Clock,
        Page::Statements => Icon::Table,
        Page::Insight => Icon::Graph,
        Page::Connect => Icon::Link,
        Page::Circuits => Icon::Tree,
        Page::Cloud => Icon::Cloud,
        Page::Settings => Icon::Sliders,
        Page::Demo => Icon::Flask,
    };
    let at = egui::Rect::from_center_size(rect.left_center() + egui::vec2(21.0, 0.0), egui::Vec2::splat(18.0));
    icon.paint(ui.painter(), at, ink);
    let font = if selected { tokens::strong(tokens::TEXT) } else { egui::FontId::proportional(tokens::TEXT) };
    let text_at = rect.left_center() + egui::vec2(42.0, 0.0);
    ui.painter().text(text_at, egui::Align2::LEFT_CENTER, label, font, ink);
    widgets::focus_ring(ui, &response, tokens::RADIUS_CONTROL);
    if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
        cx.send(Command::Show(page));
    }
}

fn toasts(cx: &mut Cx<'_>, ui: &mut Ui) {
    if cx.model.toasts.list().is_empty() {
        return;
    }
    let area = egui::Area::new(egui::Id::unique("toasts")).order(egui::Order::Foreground);
    area.anchor(egui::Align2::RIGHT_BOTTOM, [-20.0, -20.0]).show(ui.ctx(), |ui| {
        ui.set_max_width(400.0);
        for toast in cx.model.toasts.list() {
            let p = palette(ui);
            let (mood, icon) = match toast.tone {
                Tone::Good => (Mood::Good, Icon::Check),
                Tone::Bad => (Mood::Bad, Icon::Alert),
            };
            let sheet = Frame::window(ui.style()).inner_margin(Margin { left: 14, right: 6, top: 8, bottom: 8 });
            sheet.show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.set_min_width(360.0);
                    let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(20.0), Sense::hover());
                    icon.paint(ui.painter(), rect, mood.ink(p));
                    ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                        cx.icon(ui, Icon::Cross, true, "", Command::Dismiss(toast.id));
                        ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                            let response = ui.add(egui::Label::new(RichText::new(&toast.text).size(13.5)).wrap());
                            ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::Alert));
                        });
                    });
                });
            });
        }
    });
}
