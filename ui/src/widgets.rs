//! The console's own widgets: every one has a name that screen readers and tests can find.

use crate::icons::Icon;
use crate::tokens::{self, Palette, palette};
use egui::accesskit::Role;
use egui::{Align, Color32, CornerRadius, Frame, Layout, Margin, Response, RichText, Sense, Stroke, Ui, WidgetInfo};

/// How a thing is meant; gives it its colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Nothing special.
    Quiet,
    /// All is well.
    Good,
    /// Wants attention.
    Warn,
    /// Wrong.
    Bad,
    /// For information.
    Info,
}

impl Mood {
    /// Colour of its text and icons.
    pub(crate) const fn ink(self, p: &Palette) -> Color32 {
        match self {
            Self::Quiet => p.text_weak,
            Self::Good => p.good,
            Self::Warn => p.warn,
            Self::Bad => p.bad,
            Self::Info => p.info,
        }
    }

    /// Colour behind it.
    pub(crate) const fn paper(self, p: &Palette) -> Color32 {
        match self {
            Self::Quiet => p.surface_low,
            Self::Good => p.good_low,
            Self::Warn => p.warn_low,
            Self::Bad => p.bad_low,
            Self::Info => p.info_low,
        }
    }
}

/// How loud a button is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loudness {
    /// The one thing to do here.
    Primary,
    /// One of several.
    Normal,
    /// In a row of a list; no frame until pointed at.
    Quiet,
    /// Destroys something.
    Danger,
}

/// A box to tick with its words. Empty it is white with a clear edge: a grey one would look ticked or switched off.
pub(crate) fn tick(ui: &mut Ui, checked: &mut bool, text: impl Into<egui::WidgetText>) -> Response {
    let p = palette(ui);
    let look = ui.visuals().widgets.inactive;
    let of_box = &mut ui.visuals_mut().widgets.inactive;
    of_box.bg_fill = if *checked { p.accent_low } else { p.surface };
    of_box.bg_stroke = Stroke::new(1.2, if *checked { p.accent } else { p.text_weak });
    let response = ui.checkbox(checked, text.into());
    ui.visuals_mut().widgets.inactive = look;
    response
}

/// A white sheet with a hairline.
pub(crate) fn card<R>(ui: &mut Ui, add: impl FnOnce(&mut Ui) -> R) -> R {
    card_with(ui, Margin::same(tokens::CARD_MARGIN), add)
}

/// A card with its own margin.
pub(crate) fn card_with<R>(ui: &mut Ui, margin: Margin, add: impl FnOnce(&mut Ui) -> R) -> R {
    let p = palette(ui);
    Frame::new()
        .fill(p.surface)
        .stroke(Stroke::new(1.0, p.border))
        .corner_radius(CornerRadius::same(tokens::RADIUS_CARD))
        .shadow(egui::Shadow { offset: [0, 1], blur: 6, spread: 0, color: p.shadow })
        .inner_margin(margin)
        .show(ui, |ui| {
            ui.set_min_width(ui.available_width());
            // What is inside does not inherit the wide gaps between cards.
            ui.spacing_mut().item_spacing = egui::vec2(8.0, 8.0);
            add(ui)
        })
        .inner
}

/// Title of a card, with a weak line below it.
pub(crate) fn card_title(ui: &mut Ui, title: &str, subtitle: &str) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 2.0;
        heading(ui, title, tokens::TEXT_TITLE);
        if !subtitle.is_empty() {
            weak(ui, subtitle);
        }
    });
}

/// A heading, for eyes and for screen readers.
pub(crate) fn heading(ui: &mut Ui, text: &str, size: f32) {
    let color = palette(ui).text;
    let response = ui.add(egui::Label::new(RichText::new(text).font(tokens::strong(size)).color(color)).truncate());
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_role(Role::Heading));
}

/// Small text that matters less; wraps.
pub(crate) fn weak(ui: &mut Ui, text: &str) -> Response {
    let color = palette(ui).text_weak;
    ui.label(RichText::new(text).size(tokens::TEXT_SMALL).color(color))
}

/// Small text that matters less, on one line, elided with a tooltip.
pub(crate) fn weak_line(ui: &mut Ui, text: &str) -> Response {
    let color = palette(ui).text_weak;
    ui.add(egui::Label::new(RichText::new(text).size(tokens::TEXT_SMALL).color(color)).truncate())
}

/// Text on one line, elided with a tooltip.
pub(crate) fn line(ui: &mut Ui, text: &str) -> Response {
    ui.add(egui::Label::new(text).truncate())
}

/// Semibold text on one line, elided with a tooltip.
pub(crate) fn strong_line(ui: &mut Ui, text: &str) -> Response {
    let color = palette(ui).text;
    ui.add(egui::Label::new(RichText::new(text).font(tokens::strong(tokens::TEXT)).color(color)).truncate())
}

/// A word on a coloured pill.
pub(crate) fn badge(ui: &mut Ui, text: &str, mood: Mood) -> Response {
    let p = palette(ui);
    let font = tokens::strong(12.0);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font, mood.ink(p));
    let size = egui::vec2(galley.size().x + 26.0, 22.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    ui.painter().rect_filled(rect, 11.0, mood.paper(p));
    ui.painter().circle_filled(rect.left_center() + egui::vec2(10.5, 0.0), 3.0, mood.ink(p));
    let at = rect.left_center() + egui::vec2(18.0, -galley.size().y / 2.0);
    ui.painter().galley(at, galley, mood.ink(p));
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

/// What a button looks like and is called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    /// How loud.
    pub(crate) loudness: Loudness,
    /// Its icon, if any.
    pub(crate) icon: Option<Icon>,
    /// What it says; empty for an icon alone.
    pub(crate) label: &'a str,
    /// What it is called; unique on the page.
    pub(crate) name: &'a str,
    /// Whether it can be pressed.
    pub(crate) enabled: bool,
}

/// A button.
pub(crate) fn button(ui: &mut Ui, look: Look<'_>) -> Response {
    let p = palette(ui);
    let has_label = !look.label.is_empty();
    let ink_probe = p.text;
    let galley = ui.painter().layout_no_wrap(look.label.to_owned(), font_of(look.loudness), ink_probe);
    let icon_width = if look.icon.is_some() { tokens::ICON } else { 0.0 };
    let inner_gap = if look.icon.is_some() && has_label { tokens::GAP_S } else { 0.0 };
    let padding = if has_label { 12.0 } else { 8.0 };
    let width = (galley.size().x + icon_width + inner_gap + 2.0 * padding).max(tokens::CONTROL_HEIGHT);
    let sense = if look.enabled { Sense::click() } else { Sense::hover() };
    let (rect, response) = ui.allocate_exact_size(egui::vec2(width, tokens::CONTROL_HEIGHT), sense);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, look.enabled, look.name));
    if ui.is_rect_visible(rect) {
        let (fill, edge, ink) = colors(p, look, &response);
        ui.painter().rect(rect, tokens::RADIUS_CONTROL, fill, Stroke::new(1.0, edge), egui::StrokeKind::Inside);
        let content = galley.size().x + icon_width + inner_gap;
        let mut x = rect.center().x - content / 2.0;
        if let Some(icon) = look.icon {
            let center = egui::pos2(x + icon_width / 2.0, rect.center().y);
            icon.paint(ui.painter(), egui::Rect::from_center_size(center, egui::Vec2::splat(tokens::ICON)), ink);
            x += icon_width + inner_gap;
        }
        ui.painter().galley_with_override_text_color(
            egui::pos2(x, rect.center().y - galley.size().y / 2.0),
            galley,
            ink,
        );
        focus_ring(ui, &response, tokens::RADIUS_CONTROL);
    }
    response.on_hover_cursor(egui::CursorIcon::PointingHand)
}

fn font_of(loudness: Loudness) -> egui::FontId {
    match loudness {
        Loudness::Primary | Loudness::Danger => tokens::strong(tokens::TEXT),
        Loudness::Normal | Loudness::Quiet => egui::FontId::proportional(tokens::TEXT),
    }
}

/// Fill, edge and ink of a button.
fn colors(p: &Palette, look: Look<'_>, response: &Response) -> (Color32, Color32, Color32) {
    let hot = response.hovered() || response.has_focus();
    let clear = Color32::TRANSPARENT;
    if !look.enabled {
        let faded = p.text_weak.gamma_multiply(0.6);
        return match look.loudness {
            Loudness::Quiet => (clear, clear, faded),
            Loudness::Primary | Loudness::Normal | Loudness::Danger => (p.surface_low, p.border, faded),
        };
    }
    match (look.loudness, hot) {
        (Loudness::Primary, false) => (p.accent, p.accent, p.on_accent),
        (Loudness::Primary, true) => (p.accent_hover, p.accent_hover, p.on_accent),
        (Loudness::Normal, false) => (p.surface, p.border_strong, p.text),
        (Loudness::Normal, true) => (p.surface_hover, p.border_strong, p.text),
        (Loudness::Quiet, false) => (clear, clear, p.text_weak),
        (Loudness::Quiet, true) => (p.surface_hover, clear, p.text),
        (Loudness::Danger, false) => (p.surface, p.border_strong, p.bad),
        (Loudness::Danger, true) => (p.bad_low, p.bad, p.bad),
    }
}

/// The ring around what has the keyboard.
pub(crate) fn focus_ring(ui: &Ui, response: &Response, radius: u8) {
    if response.has_focus() {
        let stroke = Stroke::new(2.0, palette(ui).accent);
        ui.painter().rect_stroke(response.rect.expand(2.0), radius + 2, stroke, egui::StrokeKind::Inside);
    }
}

/// A row of choices of which one is taken. Each choice is called by the group's and its own words.
pub(crate) fn segmented<T: Copy + PartialEq>(ui: &mut Ui, group: &str, choices: &[(T, &str)], current: T) -> Option<T> {
    let p = palette(ui);
    let galleys: Vec<_> = choices
        .iter()
        .map(|(value, label)| {
            let selected = *value == current;
            let font = if selected { tokens::strong(13.0) } else { egui::FontId::proportional(13.0) };
            let ink = if selected { p.text } else { p.text_weak };
            ui.painter().layout_no_wrap((*label).to_owned(), font, ink)
        })
        .collect();
    let widths: Vec<f32> = galleys.iter().map(|galley| (galley.size().x + 20.0).max(36.0)).collect();
    let size = egui::vec2(widths.iter().sum::<f32>() + 4.0, tokens::CONTROL_HEIGHT);
    // What is wider than its column would push the columns beside it off the page.
    if size.x > ui.max_rect().width() {
        let choices: Vec<(T, String)> = choices.iter().map(|(value, label)| (*value, (*label).to_owned())).collect();
        return select(ui, group, &choices, &current, ui.max_rect().width());
    }
    let (frame, group_response) = ui.allocate_exact_size(size, Sense::hover());
    let edge = Stroke::new(1.0, p.border);
    ui.painter().rect(frame, tokens::RADIUS_CONTROL, p.surface_low, edge, egui::StrokeKind::Inside);
    let mut picked = None;
    let mut x = frame.left() + 2.0;
    for (((value, label), galley), width) in choices.iter().zip(galleys).zip(widths) {
        let size = egui::vec2(width, frame.height() - 4.0);
        let rect = egui::Rect::from_min_size(egui::pos2(x, frame.top() + 2.0), size);
        x += width;
        let selected = *value == current;
        let response = ui.interact(rect, group_response.id.with(*label), Sense::click());
        let name = format!("{group}: {label}");
        response.widget_info(|| WidgetInfo::selected(Role::RadioButton, true, selected, &name));
        if selected {
            let edge = Stroke::new(1.0, p.border_strong);
            ui.painter().rect(rect, 5.0, p.surface, edge, egui::StrokeKind::Inside);
        } else if response.hovered() {
            ui.painter().rect_filled(rect, 5.0, p.surface_hover);
        }
        let ink = if selected { p.text } else { p.text_weak };
        ui.painter().galley(rect.center() - galley.size() / 2.0, galley, ink);
        focus_ring(ui, &response, 5);
        if response.on_hover_cursor(egui::CursorIcon::PointingHand).clicked() {
            picked = Some(*value);
        }
    }
    picked
}

/// A drop-down of choices under a name.
pub(crate) fn select<T: Clone + PartialEq>(
    ui: &mut Ui,
    name: &str,
    choices: &[(T, String)],
    current: &T,
    width: f32,
) -> Option<T> {
    let shown = choices.iter().find(|(value, _)| value == current).map_or("", |(_, text)| text.as_str());
    let mut picked = None;
    let response = egui::ComboBox::from_id_salt(name)
        .width(width)
        .truncate()
        .selected_text(shown)
        .show_ui(ui, |ui| {
            for (value, text) in choices {
                if ui.selectable_label(value == current, text).clicked() {
                    picked = Some(value.clone());
                }
            }
        })
        .response;
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ComboBox, true, name);
        info.current_text_value = Some(shown.to_owned());
        info
    });
    picked
}

/// Words above a field.
pub(crate) fn field_label(ui: &mut Ui, text: &str) {
    let color = palette(ui).text;
    ui.label(RichText::new(text).font(tokens::strong(13.0)).color(color));
}

/// How a text field behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    /// Plain text.
    Text,
    /// Hidden letters.
    Password,
}

/// A text field called `name`.
pub(crate) fn text_field(ui: &mut Ui, name: &str, hint: &str, text: &mut String, kind: Field, width: f32) -> Response {
    let response = ui.add(
        egui::TextEdit::singleline(text)
            .hint_text(hint.to_owned())
            .password(kind == Field::Password)
            .desired_width(width)
            .margin(Margin::symmetric(10, 7))
            .char_limit(500),
    );
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
    response
}

/// A labelled text field with a weak line below, as forms use it.
pub(crate) fn form_field(ui: &mut Ui, name: &str, hint: &str, text: &mut String, kind: Field) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 4.0;
        field_label(ui, name);
        let width = ui.available_width();
        let response = text_field(ui, name, "", text, kind, width);
        if !hint.is_empty() {
            weak(ui, hint);
        }
        response
    })
    .inner
}

/// A line in the colours of a mood, for errors in forms and for banners.
pub(crate) fn notice(ui: &mut Ui, icon: Icon, text: &str, mood: Mood) {
    let p = palette(ui);
    Frame::new().fill(mood.paper(p)).corner_radius(tokens::RADIUS_CONTROL).inner_margin(Margin::symmetric(12, 9)).show(
        ui,
        |ui| {
            ui.set_min_width(ui.available_width());
            ui.horizontal_top(|ui| {
                let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(18.0), Sense::hover());
                icon.paint(ui.painter(), rect, mood.ink(p));
                let label = egui::Label::new(RichText::new(text).size(13.5).color(mood.ink(p))).wrap();
                let response = ui.add(label);
                ui.ctx().accesskit_node_builder(response.id, |node| {
                    node.set_role(Role::Alert);
                });
            });
        },
    );
}

/// What a page says when there is nothing yet: an icon, what is missing and what to do.
pub(crate) fn empty(ui: &mut Ui, icon: Icon, title: &str, text: &str) {
    let p = palette(ui);
    ui.vertical_centered(|ui| {
        ui.add_space(18.0);
        let (rect, _) = ui.allocate_exact_size(egui::Vec2::splat(48.0), Sense::hover());
        ui.painter().circle_filled(rect.center(), 24.0, p.surface_low);
        icon.paint(ui.painter(), rect.shrink(13.0), p.text_weak);
        ui.add_space(2.0);
        ui.label(RichText::new(title).font(tokens::strong(tokens::TEXT_TITLE)).color(p.text));
        ui.allocate_ui_with_layout(
            egui::vec2(ui.available_width().min(440.0), 0.0),
            Layout::top_down(Align::Center),
            |ui| {
                weak(ui, text);
            },
        );
        ui.add_space(14.0);
    });
}

/// A list that scrolls by itself once it is higher than `height`.
pub(crate) fn scroll(id: &str, height: f32) -> egui::ScrollArea {
    egui::ScrollArea::vertical()
        .id_salt(id.to_owned())
        .max_height(height)
        .min_scrolled_height(height)
        .auto_shrink([false, true])
}

/// What a list may take of the window's height when `taken` points are above and below it.
pub(crate) fn rest_of_window(ui: &Ui, taken: f32) -> f32 {
    (ui.ctx().content_rect().height() - taken).max(180.0)
}

/// Lines of plain text stand closer than controls.
pub(crate) fn text_rows(ui: &mut Ui, height: f32) {
    ui.spacing_mut().interact_size.y = height;
    ui.spacing_mut().item_spacing.y = 4.0;
}

/// A hairline across.
pub(crate) fn hairline(ui: &mut Ui) {
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 1.0), Sense::hover());
    ui.painter().hline(rect.x_range(), rect.center().y, Stroke::new(1.0, palette(ui).border));
}

/// A bar that fills from the left; `fraction` is clamped to 0..=1.
pub(crate) fn bar(ui: &mut Ui, fraction: f32, mood: Mood) {
    let p = palette(ui);
    let (rect, _) = ui.allocate_exact_size(egui::vec2(ui.available_width(), 5.0), Sense::hover());
    ui.painter().rect_filled(rect, 2.5, p.surface_hover);
    let mut filled = rect;
    filled.set_width(rect.width() * fraction.clamp(0.0, 1.0));
    let ink = if mood == Mood::Good { p.accent } else { mood.ink(p) };
    ui.painter().rect_filled(filled, 2.5, ink);
}
