//! The AccessKit tree as plain elements, to be mirrored into the page. Pure.
//!
//! egui draws on a canvas, which is silent to screen readers and to browser tests. After each frame the
//! page turns the tree that egui makes for native windows into real elements over the canvas, and what
//! is done to those elements comes back as AccessKit actions. This module decides what the elements are;
//! `web/mirror.rs` creates them.
//!
//! # For browser tests
//! - Everything that can be pressed is a `<button>`: `document.querySelector('button[aria-label="Move up
//!   Lugar 1"]').click()`.
//! - Fields are `<input>` with their name as `aria-label`: set `value`, dispatch an `input` event.
//! - Sliders are `<input type="range">`.
//! - Values are elements with their name as `aria-label` and the value as text; those of the overview's
//!   tiles carry a handle that no language changes, such as `[data-id="tile-used"]`.
//! - Choices have `role="radio"` and `aria-checked`, pages `role="tab"` and `aria-selected`.
//!
//! A change shows after the next frame, which an event on the mirror asks for.

use egui::accesskit::{Action, ActionData, ActionRequest, Node, NodeId, Role, Toggled, TreeId, TreeUpdate};
use std::collections::BTreeMap;

/// What kind of element stands for a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Can be pressed.
    Button,
    /// One of several choices, with whether it is taken.
    Choice(bool),
    /// A page of the console, with whether it is shown.
    Tab(bool),
    /// Can be switched, with its state.
    Switch(bool),
    /// A text field.
    Field,
    /// A field with hidden letters.
    Password,
    /// A slider: lowest, highest, step, value.
    Slider(f64, f64, f64, f64),
    /// A heading.
    Heading,
    /// A value with a name.
    Value,
    /// Is read out at once.
    Alert,
    /// A picture with a description.
    Image,
    /// Plain text.
    Text,
}

/// An element of the mirror.
#[derive(Clone, Debug, PartialEq)]
pub struct Element {
    /// The node it stands for.
    pub node: NodeId,
    /// What it is.
    pub kind: Kind,
    /// Its name; empty for plain text.
    pub label: String,
    /// Its value or text.
    pub value: String,
    /// A handle for tests, if it has one.
    pub handle: Option<String>,
    /// Whether it can be used.
    pub enabled: bool,
    /// Left, top, width, height in CSS pixels.
    pub bounds: [f64; 4],
}

/// The elements of a tree in reading order, and the node that has the keyboard.
#[must_use]
pub fn elements(update: &TreeUpdate) -> (Vec<Element>, NodeId) {
    let nodes: BTreeMap<NodeId, &Node> = update.nodes.iter().map(|(id, node)| (*id, node)).collect();
    let mut out = Vec::new();
    if let Some(tree) = &update.tree {
        visit(tree.root, &nodes, &mut out);
    }
    // In front of an open dialog nothing else can be used, but what is announced is still announced.
    if let Some((dialog, _)) = update.nodes.iter().find(|(_, node)| node.role() == Role::Dialog) {
        let mut inside = Vec::new();
        visit(*dialog, &nodes, &mut inside);
        let announced = |element: &Element| element.kind == Kind::Alert && !inside.contains(element);
        out.retain(announced);
        out.append(&mut inside);
    }
    (out, update.focus)
}

fn visit(id: NodeId, nodes: &BTreeMap<NodeId, &Node>, out: &mut Vec<Element>) {
    let Some(node) = nodes.get(&id) else { return };
    if node.is_hidden() {
        return;
    }
    if let Some(element) = element(id, node, nodes) {
        out.push(element);
    }
    // The letters of a field and of a label are said by the field and the label.
    if !matches!(node.role(), Role::TextInput | Role::PasswordInput | Role::MultilineTextInput | Role::Label) {
        for child in node.children() {
            visit(*child, nodes, out);
        }
    }
}

fn element(id: NodeId, node: &Node, nodes: &BTreeMap<NodeId, &Node>) -> Option<Element> {
    let kind = kind(node)?;
    let own = node.label().unwrap_or_default().to_owned();
    let label = if own.is_empty() { labelled_by(node, nodes) } else { own };
    let value = node.value().unwrap_or_default().to_owned();
    // A text says itself, whichever of the two fields it stands in.
    let (label, value) = match kind {
        Kind::Text | Kind::Heading | Kind::Alert if value.is_empty() => (String::new(), label),
        Kind::Text | Kind::Heading | Kind::Alert => (String::new(), value),
        Kind::Button
        | Kind::Choice(_)
        | Kind::Tab(_)
        | Kind::Switch(_)
        | Kind::Field
        | Kind::Password
        | Kind::Slider(..)
        | Kind::Value
        | Kind::Image => (label, value),
    };
    if label.is_empty() && value.is_empty() {
        return None;
    }
    let bounds = node.bounds().map_or([0.0; 4], |b| [b.x0, b.y0, (b.x1 - b.x0).max(0.0), (b.y1 - b.y0).max(0.0)]);
    let handle = node.author_id().map(str::to_owned);
    Some(Element { node: id, kind, label, value, handle, enabled: !node.is_disabled(), bounds })
}

fn labelled_by(node: &Node, nodes: &BTreeMap<NodeId, &Node>) -> String {
    let words = node
        .labelled_by()
        .iter()
        .filter_map(|id| nodes.get(id))
        .filter_map(|label| label.label().filter(|text| !text.is_empty()).or_else(|| label.value()));
    words.collect::<Vec<_>>().join(" ")
}

fn kind(node: &Node) -> Option<Kind> {
    let on = node.toggled() == Some(Toggled::True) || node.is_selected() == Some(true);
    Some(match node.role() {
        Role::Button | Role::Link | Role::ComboBox | Role::MenuItem | Role::DefaultButton => Kind::Button,
        Role::RadioButton | Role::ListBoxOption => Kind::Choice(on),
        Role::Tab => Kind::Tab(on),
        Role::CheckBox | Role::Switch => Kind::Switch(on),
        Role::TextInput | Role::MultilineTextInput | Role::SearchInput => Kind::Field,
        Role::PasswordInput => Kind::Password,
        Role::Slider | Role::SpinButton => {
            let value = node.numeric_value()?;
            let low = node.min_numeric_value().unwrap_or(f64::MIN);
            let high = node.max_numeric_value().unwrap_or(f64::MAX);
            Kind::Slider(low, high, node.numeric_value_step().unwrap_or(0.5), value)
        }
        Role::Heading => Kind::Heading,
        Role::Status | Role::Row | Role::Table | Role::Group => Kind::Value,
        Role::Alert => Kind::Alert,
        Role::Image => Kind::Image,
        Role::Label | Role::Cell | Role::ColumnHeader | Role::Paragraph => Kind::Text,
        // Containers and runs of letters say nothing themselves.
        _silent => return None,
    })
}

/// What was done to an element.
#[derive(Clone, Debug, PartialEq)]
pub enum Done {
    /// It was pressed.
    Pressed,
    /// It got the keyboard.
    Focused,
    /// Its text was changed to this.
    Typed(String),
    /// It was moved to this value.
    Moved(f64),
}

/// The action that tells egui what was done.
#[must_use]
pub fn action(node: NodeId, done: Done) -> ActionRequest {
    let (action, data) = match done {
        Done::Pressed => (Action::Click, None),
        Done::Focused => (Action::Focus, None),
        Done::Typed(text) => (Action::SetValue, Some(ActionData::Value(text.into()))),
        Done::Moved(value) => (Action::SetValue, Some(ActionData::NumericValue(value))),
    };
    ActionRequest { action, target_tree: TreeId::ROOT, target_node: node, data }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{self, Server};
    use api::Language;
    use egui_kittest::Harness;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Tap(Arc<Mutex<Vec<Element>>>);

    impl egui::Plugin for Tap {
        fn debug_name(&self) -> &'static str {
            "tap"
        }
        fn output_hook(&mut self, _ctx: &egui::Context, output: &mut egui::FullOutput) {
            if let Some(update) = &output.platform_output.accesskit_update {
                *self.0.lock().unwrap() = elements(update).0;
            }
        }
    }

    fn mirrored(server: &Server) -> (Harness<'static>, Tap) {
        let mut console = server.console(Language::English);
        let mut harness = Harness::builder().with_size([1280.0, 720.0]).build_ui(move |ui| {
            console.logic(ui.ctx());
            console.ui(ui);
        });
        let tap = Tap::default();
        harness.ctx.add_plugin(tap.clone());
        harness.run_steps(4);
        (harness, tap)
    }

    fn find(tap: &Tap, label: &str) -> Element {
        let list = tap.0.lock().unwrap();
        // Elements with a name, as `[aria-label=…]` finds them.
        let found = list.iter().find(|element| element.label == label);
        found.unwrap_or_else(|| panic!("no {label:?} in {list:#?}")).clone()
    }

    fn act(harness: &mut Harness<'static>, node: NodeId, done: Done) {
        harness.event(egui::Event::AccessKitActionRequest(action(node, done)));
        harness.run_steps(3);
    }

    /// What a browser test does: fills the mirrored password and presses the mirrored button.
    #[test]
    fn signing_in_through_the_mirror() {
        let server = Server::signed_out(false);
        let (mut harness, tap) = mirrored(&server);
        let field = find(&tap, "Password");
        assert_eq!(field.kind, Kind::Password);
        act(&mut harness, field.node, Done::Typed("secret password".to_owned()));
        server.asked();
        act(&mut harness, find(&tap, "Sign in").node, Done::Pressed);
        let asked = server.asked();
        assert!(asked.iter().any(|line| line == r#"POST login {"password":"secret password"}"#), "{asked:?}");
    }

    /// Behind an open dialog nothing can be pressed, as on the screen.
    #[test]
    fn an_open_dialog_hides_what_is_behind_it() {
        let server = Server::signed_in();
        server.push(fixtures::snapshot());
        let (mut harness, tap) = mirrored(&server);
        act(&mut harness, find(&tap, "Chargers").node, Done::Pressed);
        act(&mut harness, find(&tap, "Limit Lugar 1 · Ana").node, Done::Pressed);
        let labels: Vec<String> = tap.0.lock().unwrap().iter().map(|element| element.label.clone()).collect();
        assert!(labels.iter().any(|label| label == "Apply"), "{labels:?}");
        assert!(!labels.iter().any(|label| label == "Chargers" || label.starts_with("Pause")), "{labels:?}");
    }

    /// What a browser test does: reads a live number by its handle and moves a charger up.
    #[test]
    fn reading_numbers_and_moving_a_charger_through_the_mirror() {
        let server = Server::signed_in();
        server.push(fixtures::snapshot());
        let (mut harness, tap) = mirrored(&server);
        let used = tap.0.lock().unwrap().iter().find(|e| e.handle.as_deref() == Some("tile-used")).cloned();
        assert_eq!(used.map(|tile| (tile.label, tile.value)), Some(("In use now".to_owned(), "28.7 kW".to_owned())));
        act(&mut harness, find(&tap, "Chargers").node, Done::Pressed);
        server.asked();
        act(&mut harness, find(&tap, "Move up Lugar 2 · Bruno").node, Done::Pressed);
        let asked = server.asked();
        assert!(
            asked.iter().any(|line| line.starts_with(r#"PUT chargers/order {"chargers":["CP-02","CP-01""#)),
            "{asked:?}"
        );
    }
}
