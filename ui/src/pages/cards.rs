//! Tenants, their cards, and cards that were refused.

use super::{Cx, not_yet, title};
use crate::command::{Command, Resource};
use crate::icons::Icon;
use crate::pages::enrol::EnrolState;
use crate::pages::tenant::TenantTyped;
use crate::text::Text;
use crate::tokens::{self, palette};
use crate::view::{Dialog, Page};
use crate::widgets::{self, Field, Loudness, Mood};
use api::{CardItem, CardPatch, EnrolmentRequest, RefusedCardItem, Snapshot, TenantItem};
use domain::CardUid;
use egui::{Align, Layout, RichText, Ui};
use std::collections::BTreeMap;

/// Seconds a card may take to be held to a charger.
const ENROL_TTL_S: u32 = 120;
/// The same in the demo, whose clock may run sixty times as fast.
const ENROL_TTL_DEMO_S: u32 = 600;

/// Height of a tenant without cards.
const TENANT_HEIGHT: f32 = 54.0;
/// Height that each card adds.
const CARD_HEIGHT: f32 = 44.0;

/// What the cards page keeps between frames.
#[derive(Default)]
pub(crate) struct CardsState {
    search: String,
    /// For each unknown refused card, the enrolled one it may be another reading of; and what that was found from.
    likely: (Vec<String>, usize, BTreeMap<String, String>),
    /// The enrolment dialog.
    pub(crate) enrol: EnrolState,
    /// What is typed in the tenant dialog.
    pub(crate) tenant: Option<TenantTyped>,
    /// What is typed in the dialog of a card's rules.
    pub(crate) policy: super::card_policy::CardPolicyForm,
}

impl CardsState {
    /// Compares each unknown card with all that are enrolled, when either changed.
    fn find_likely(&mut self, cx: &Cx<'_>, refused: &[RefusedCardItem]) {
        let unknown: Vec<String> =
            refused.iter().filter(|card| card.why == "unknown").map(|card| card.uid.clone()).collect();
        let tenants = cx.model.values.tenants.value().map(Vec::as_slice).unwrap_or_default();
        let cards: usize = tenants.iter().map(|tenant| tenant.cards.len()).sum();
        if self.likely.0 == unknown && self.likely.1 == cards {
            return;
        }
        let found = unknown.iter().filter_map(|uid| Some((uid.clone(), resembling(tenants, uid)?.0.uid.clone())));
        self.likely = (unknown.clone(), cards, found.collect());
    }

    /// Forgets what was typed in a dialog that closed.
    pub(crate) fn close_dialog(&mut self) {
        self.tenant = None;
        self.policy = super::card_policy::CardPolicyForm::default();
        self.enrol = EnrolState::default();
    }
}

/// The enrolled card that this number may be another reading of, and whose it is.
pub(crate) fn resembling<'a>(tenants: &'a [TenantItem], uid: &str) -> Option<(&'a CardItem, &'a TenantItem)> {
    let uid = CardUid::new(uid).ok()?;
    let cards = tenants.iter().flat_map(|tenant| tenant.cards.iter().map(move |card| (card, tenant)));
    let likely = cards.filter(|(card, _)| card.alias_of.is_none()).filter_map(|(card, tenant)| {
        let likeness = CardUid::new(&card.uid).ok()?.likeness(&uid)?;
        Some((likeness, card, tenant))
    });
    likely.min_by_key(|(likeness, _, _)| *likeness).map(|(_, card, tenant)| (card, tenant))
}

/// The request that waits for a card.
pub(crate) fn enrol(cx: &Cx<'_>, tenant_id: Option<i64>) -> Command {
    let demo = cx.model.snapshot.as_ref().is_some_and(|snapshot| snapshot.demo);
    let ttl_s = if demo { ENROL_TTL_DEMO_S } else { ENROL_TTL_S };
    Command::Enrol(EnrolmentRequest { tenant_id, charger: None, ttl_s })
}

/// Tenants whose name, flat or card contains the words, regardless of case.
pub(crate) fn matching<'a>(tenants: &'a [TenantItem], words: &str) -> Vec<&'a TenantItem> {
    let words = words.trim().to_lowercase();
    let hit = |text: &str| text.to_lowercase().contains(&words);
    let fits = |tenant: &&TenantItem| {
        hit(&tenant.form.name) || hit(&tenant.form.unit) || tenant.cards.iter().any(|card| hit(&card.uid))
    };
    tenants.iter().filter(|tenant| tenant.erased_at.is_none()).filter(fits).collect()
}

/// Shows tenants and cards.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CardsState, snapshot: &Snapshot) {
    let wanted = cx.model.values.tenants.is_wanted();
    cx.want(wanted, Resource::Tenants);
    title(cx, ui, Page::Cards, |cx, ui| {
        let wait = enrol(cx, None);
        cx.button(ui, Loudness::Primary, Some(Icon::Card), "", wait);
        cx.button(ui, Loudness::Normal, Some(Icon::Plus), "", Command::ShowDialog(Some(Dialog::AddTenant)));
        cx.button(ui, Loudness::Normal, None, "", Command::ShowDialog(Some(Dialog::ImportTenants)));
    });
    let width = ui.available_width();
    let aside = tokens::ASIDE_WIDTH + 20.0;
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let main = egui::vec2(width - aside - tokens::GAP_L, 0.0);
        ui.allocate_ui_with_layout(main, Layout::top_down(Align::Min), |ui| {
            widgets::card(ui, |ui| tenants(cx, ui, state));
        });
        ui.allocate_ui_with_layout(egui::vec2(aside, 0.0), Layout::top_down(Align::Min), |ui| {
            widgets::card(ui, |ui| {
                state.find_likely(cx, &snapshot.refused_cards);
                refused(cx, ui, &snapshot.refused_cards, &state.likely.2);
            });
        });
    });
}

fn tenants(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CardsState) {
    let remote = &cx.model.values.tenants;
    let Some(list) = remote.value() else { return not_yet(cx, ui, remote, Resource::Tenants) };
    if list.is_empty() {
        widgets::empty(ui, Icon::Card, cx.text(Text::NoTenants), cx.text(Text::NoTenantsSub));
        return;
    }
    ui.horizontal(|ui| {
        widgets::heading(ui, cx.text(Text::Tenants), tokens::TEXT_TITLE);
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            let name = cx.text(Text::Search);
            widgets::text_field(ui, name, name, &mut state.search, Field::Text, 200.0);
        });
    });
    let found = matching(list, &state.search);
    let height = widgets::rest_of_window(ui, 190.0);
    widgets::scroll("tenants", height).show(ui, |ui| {
        for tenant in found {
            let rows = f32::from(u16::try_from(tenant.cards.len()).unwrap_or(u16::MAX));
            let size = egui::vec2(ui.available_width(), TENANT_HEIGHT + rows * CARD_HEIGHT);
            let rect = egui::Rect::from_min_size(ui.cursor().min, size);
            // Of hundreds of tenants only those in view cost anything.
            if ui.is_rect_visible(rect) {
                ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
                    ui.set_min_height(size.y);
                    widgets::hairline(ui);
                    show_tenant(cx, ui, tenant);
                });
            } else {
                ui.allocate_space(size);
            }
        }
    });
}

fn show_tenant(cx: &mut Cx<'_>, ui: &mut Ui, tenant: &TenantItem) {
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            let remove = Command::ShowDialog(Some(Dialog::RemoveTenant(tenant.id)));
            cx.icon(ui, Icon::Cross, true, &tenant.form.name, remove);
            let edit = Command::ShowDialog(Some(Dialog::EditTenant(tenant.id)));
            cx.icon(ui, Icon::Sliders, true, &tenant.form.name, edit);
            let wait = enrol(cx, Some(tenant.id));
            cx.button(ui, Loudness::Quiet, Some(Icon::Plus), &tenant.form.name, wait);
            ui.with_layout(Layout::top_down(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 1.0;
                widgets::strong_line(ui, &tenant.form.name);
                let moved = tenant.archived_at.as_ref().map(|_| cx.text(Text::MovedOut));
                let cards = match tenant.cards.len() {
                    0 => cx.text(Text::NoCardsOfTenant).to_owned(),
                    1 => cx.text(Text::CardsOne).to_owned(),
                    count => cx.fill(Text::CardsCount, &[&count.to_string()]),
                };
                let parts = [tenant.form.unit.as_str(), cards.as_str(), moved.unwrap_or_default()];
                let known: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
                widgets::weak_line(ui, &known.join(" · "));
            });
        });
    });
    for card in &tenant.cards {
        show_card(cx, ui, card);
    }
    ui.add_space(2.0);
}

fn show_card(cx: &mut Cx<'_>, ui: &mut Ui, card: &CardItem) {
    let p = palette(ui);
    let fill = egui::Frame::new().fill(p.surface_low).corner_radius(tokens::RADIUS_CONTROL);
    fill.inner_margin(egui::Margin { left: 12, right: 4, top: 2, bottom: 2 }).show(ui, |ui| {
        ui.set_min_width(ui.available_width());
        ui.horizontal(|ui| {
            let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(18.0), egui::Sense::hover());
            Icon::Card.paint(ui.painter(), rect, p.text_weak);
            ui.label(RichText::new(&card.uid).monospace());
            if card.alias_of.is_some() {
                widgets::badge(ui, cx.text(Text::CardAlias), Mood::Info);
            }
            if card.blocked {
                widgets::badge(ui, cx.text(Text::Blocked), Mood::Bad);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                cx.button(ui, Loudness::Quiet, None, &card.uid, Command::RemoveCard(card.id));
                let block =
                    Command::BlockCard(card.id, CardPatch { blocked: Some(!card.blocked), ..CardPatch::default() });
                cx.button(ui, Loudness::Quiet, None, &card.uid, block);
                if card.alias_of.is_none() {
                    let rules = Command::ShowDialog(Some(Dialog::CardPolicy(card.id)));
                    cx.button(ui, Loudness::Quiet, None, &card.uid, rules);
                }
                widgets::weak_line(ui, &super::card_policy::summary(&card.policy, cx.language()));
            });
        });
    });
}

fn refused(cx: &mut Cx<'_>, ui: &mut Ui, list: &[RefusedCardItem], likely: &BTreeMap<String, String>) {
    widgets::card_title(ui, cx.text(Text::Refused), cx.text(Text::RefusedSub));
    if list.is_empty() {
        ui.add_space(4.0);
        widgets::weak(ui, cx.text(Text::NoRefused));
    }
    for card in list {
        widgets::hairline(ui);
        let why = match card.why.as_str() {
            "blocked" => Text::RefusedBlocked,
            "not_approved" => Text::RefusedNotApproved,
            "in_use" => Text::RefusedInUse,
            "not_valid" => Text::RefusedNotValid,
            "cap_reached" => Text::RefusedCap,
            "not_here" => Text::RefusedNotHere,
            _unknown => Text::RefusedUnknown,
        };
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if why == Text::RefusedUnknown {
                    let dialog = Dialog::EnrolRefused(card.uid.clone());
                    cx.button(ui, Loudness::Normal, None, &card.uid, Command::ShowDialog(Some(dialog)));
                }
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    ui.add(egui::Label::new(RichText::new(&card.uid).monospace().strong()).truncate());
                    widgets::weak_line(ui, cx.text(why));
                    if let Some(known) = likely.get(&card.uid) {
                        widgets::badge(ui, &cx.fill(Text::CardLike, &[known]), Mood::Info);
                    }
                    widgets::weak_line(ui, &cx.fill(Text::RefusedAt, &[&card.charger, &cx.local(&card.at)]));
                });
            });
        });
    }
}

/// Where everything the records say about a tenant is.
pub(crate) fn export_of(tenant: i64) -> String {
    format!("/api/v1/tenants/{tenant}/export")
}

/// The question before a tenant is removed.
pub(crate) fn remove_dialog(cx: &mut Cx<'_>, ui: &mut Ui, id: i64) {
    let name = cx
        .model
        .values
        .tenants
        .value()
        .and_then(|list| list.iter().find(|tenant| tenant.id == id))
        .map_or_else(String::new, |tenant| tenant.form.name.clone());
    widgets::heading(ui, &cx.fill(Text::RemoveTenantTitle, &[&name]), tokens::TEXT_TITLE);
    widgets::weak(ui, cx.text(Text::RemoveTenantSub));
    ui.hyperlink_to(cx.text(Text::ExportTenant), export_of(id));
    ui.horizontal(|ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            cx.button(ui, Loudness::Danger, None, "", Command::RemoveTenant(id));
            super::cancel(cx, ui);
        });
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    /// Searching finds a tenant by name, flat or card, in any case.
    #[test]
    fn finds_tenants_by_all_they_are_known_by() {
        let tenants = fixtures::tenants();
        let (first, card) = (&tenants[0], &tenants[0].cards[0]);
        for words in [first.form.name.to_uppercase(), first.form.unit.clone(), card.uid.to_lowercase()] {
            assert!(matching(&tenants, &words).contains(&first), "{words}");
        }
        assert_eq!(matching(&tenants, "").len(), tenants.len());
        assert!(matching(&tenants, "zzz").is_empty(), "nobody is called zzz");
    }
}
