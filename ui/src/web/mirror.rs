//! The mirror's elements in the page: created, changed and removed as the tree changes.

use crate::mirror::{Done, Element, Kind, action, elements};
use egui::accesskit::{ActionRequest, NodeId};
use std::cell::RefCell;
use std::collections::BTreeMap;
use wasm_bindgen::prelude::*;
use web_sys::{Document, HtmlCanvasElement, HtmlElement, HtmlInputElement};

thread_local! {
    // The page has one thread; egui's plugins must be `Send`, elements of a page are not.
    static MIRROR: RefCell<Option<Mirror>> = const { RefCell::new(None) };
}

struct Mirror {
    document: Document,
    canvas: HtmlCanvasElement,
    root: HtmlElement,
    shown: BTreeMap<NodeId, (Element, HtmlElement)>,
    order: Vec<NodeId>,
    focus: Option<NodeId>,
    actions: Vec<ActionRequest>,
}

struct Hook;

impl egui::Plugin for Hook {
    fn debug_name(&self) -> &'static str {
        "mirror"
    }

    fn input_hook(&mut self, _ctx: &egui::Context, input: &mut egui::RawInput) {
        let actions =
            MIRROR.with_borrow_mut(|mirror| mirror.as_mut().map(|mirror| std::mem::take(&mut mirror.actions)));
        for request in actions.unwrap_or_default() {
            input.events.push(egui::Event::AccessKitActionRequest(request));
        }
    }

    fn output_hook(&mut self, _ctx: &egui::Context, output: &mut egui::FullOutput) {
        let Some(update) = output.platform_output.accesskit_update.take() else { return };
        let (list, focus) = elements(&update);
        MIRROR.with_borrow_mut(|mirror| {
            if let Some(mirror) = mirror {
                mirror.show(list, focus);
            }
        });
    }
}

/// Puts the mirror over the canvas.
pub(super) fn install(ctx: &egui::Context, canvas: HtmlCanvasElement, root: HtmlElement) {
    let Some(document) = web_sys::window().and_then(|window| window.document()) else { return };
    canvas.set_attribute("role", "application").ok();
    canvas.set_attribute("aria-label", "Meshwatt").ok();
    for event in ["click", "input", "focusin"] {
        let ctx = ctx.clone();
        let listener = Closure::<dyn FnMut(web_sys::Event)>::new(move |event: web_sys::Event| {
            if let Some(request) = request(&event) {
                MIRROR.with_borrow_mut(|mirror| {
                    if let Some(mirror) = mirror {
                        mirror.actions.push(request);
                    }
                });
                ctx.request_repaint();
            }
        });
        root.add_event_listener_with_callback(event, listener.as_ref().unchecked_ref()).ok();
        // Lives as long as the page.
        listener.forget();
    }
    let mirror =
        Mirror { document, canvas, root, shown: BTreeMap::new(), order: Vec::new(), focus: None, actions: Vec::new() };
    MIRROR.set(Some(mirror));
    ctx.enable_accesskit();
    ctx.add_plugin(Hook);
}

/// What an event on an element asks egui to do.
fn request(event: &web_sys::Event) -> Option<ActionRequest> {
    let target: HtmlElement = event.target()?.dyn_into().ok()?;
    let node = NodeId(target.get_attribute("data-node")?.parse().ok()?);
    let input = target.dyn_ref::<HtmlInputElement>();
    let done = match (event.type_().as_str(), input) {
        ("click", None) => Done::Pressed,
        ("input", Some(input)) if input.type_() == "range" => Done::Moved(input.value().parse().ok()?),
        ("input", Some(input)) => Done::Typed(input.value()),
        ("focusin", _) => Done::Focused,
        _other => return None,
    };
    Some(action(node, done))
}

impl Mirror {
    fn show(&mut self, list: Vec<Element>, focus: NodeId) {
        let order: Vec<NodeId> = list.iter().map(|element| element.node).collect();
        let known: std::collections::BTreeSet<NodeId> = order.iter().copied().collect();
        self.shown.retain(|node, (_, html)| {
            let stays = known.contains(node);
            if !stays {
                html.remove();
            }
            stays
        });
        for element in list {
            self.show_element(element);
        }
        if order != self.order {
            for node in &order {
                if let Some((_, html)) = self.shown.get(node) {
                    self.root.append_child(html).ok();
                }
            }
            self.order = order;
        }
        if self.focus != Some(focus) {
            self.focus = Some(focus);
            self.canvas.set_attribute("aria-activedescendant", &html_id(focus)).ok();
        }
    }

    fn show_element(&mut self, element: Element) {
        match self.shown.get_mut(&element.node) {
            Some((old, _)) if *old == element => {}
            Some((old, html)) if std::mem::discriminant(&old.kind) == std::mem::discriminant(&element.kind) => {
                write(html, &element, Some(old));
                *old = element;
            }
            Some(_) | None => {
                let Some(html) = create(&self.document, element.kind) else { return };
                html.set_attribute("data-node", &element.node.0.to_string()).ok();
                html.set_id(&html_id(element.node));
                write(&html, &element, None);
                self.root.append_child(&html).ok();
                if let Some((_, old)) = self.shown.insert(element.node, (element, html)) {
                    old.remove();
                    self.order.clear();
                }
            }
        }
    }
}

fn html_id(node: NodeId) -> String {
    format!("mw-{}", node.0)
}

fn create(document: &Document, kind: Kind) -> Option<HtmlElement> {
    let (tag, role, input) = match kind {
        Kind::Button => ("button", None, None),
        Kind::Choice(_) => ("button", Some("radio"), None),
        Kind::Tab(_) => ("button", Some("tab"), None),
        Kind::Switch(_) => ("button", Some("switch"), None),
        Kind::Field => ("input", None, Some("text")),
        Kind::Password => ("input", None, Some("password")),
        Kind::Slider(..) => ("input", None, Some("range")),
        Kind::Heading => ("h2", None, None),
        Kind::Value => ("span", Some("group"), None),
        Kind::Alert => ("span", Some("alert"), None),
        Kind::Image => ("span", Some("img"), None),
        Kind::Text => ("span", None, None),
    };
    let html: HtmlElement = document.create_element(tag).ok()?.dyn_into().ok()?;
    if let Some(role) = role {
        html.set_attribute("role", role).ok();
    }
    if let Some(kind) = input {
        html.set_attribute("type", kind).ok();
        html.set_attribute("autocomplete", "off").ok();
    }
    // The canvas keeps the keyboard of people who see; screen readers reach the elements on their own.
    html.set_attribute("tabindex", "-1").ok();
    Some(html)
}

/// Writes what differs from `old`; everything for a new element.
fn write(html: &HtmlElement, element: &Element, old: Option<&Element>) {
    let changed = |differs: fn(&Element, &Element) -> bool| old.is_none_or(|old| differs(old, element));
    let set = |name: &str, value: &str| html.set_attribute(name, value).ok();
    if changed(|a, b| a.label != b.label) && !element.label.is_empty() {
        set("aria-label", &element.label);
    }
    if changed(|a, b| a.handle != b.handle)
        && let Some(handle) = &element.handle
    {
        set("data-id", handle);
    }
    if changed(|a, b| a.enabled != b.enabled) {
        if element.enabled {
            html.remove_attribute("disabled").ok();
        } else {
            set("disabled", "");
        }
    }
    if changed(|a, b| a.bounds != b.bounds) {
        let [left, top, width, height] = element.bounds;
        set("style", &format!("left:{left:.0}px;top:{top:.0}px;width:{width:.0}px;height:{height:.0}px"));
    }
    if !changed(|a, b| a.value != b.value || a.kind != b.kind || a.label != b.label) {
        return;
    }
    match element.kind {
        Kind::Field | Kind::Password => {
            if let Some(input) = html.dyn_ref::<HtmlInputElement>()
                && input.value() != element.value
                && element.kind == Kind::Field
            {
                input.set_value(&element.value);
            }
        }
        Kind::Slider(low, high, step, value) => {
            set("min", &low.to_string());
            set("max", &high.to_string());
            set("step", &step.to_string());
            if let Some(input) = html.dyn_ref::<HtmlInputElement>() {
                input.set_value(&value.to_string());
            }
        }
        Kind::Choice(on) | Kind::Switch(on) => {
            set("aria-checked", if on { "true" } else { "false" });
            html.set_text_content(Some(&element.label));
        }
        Kind::Tab(on) => {
            set("aria-selected", if on { "true" } else { "false" });
            html.set_text_content(Some(&element.label));
        }
        Kind::Button => {
            let text = if element.value.is_empty() { &element.label } else { &element.value };
            html.set_text_content(Some(text));
        }
        Kind::Heading | Kind::Value | Kind::Alert | Kind::Text => html.set_text_content(Some(&element.value)),
        Kind::Image => {}
    }
}
