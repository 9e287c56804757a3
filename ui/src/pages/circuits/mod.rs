//! Circuits: the wiring diagram with live currents, the editor of the drawing, and what flows while nobody commands.

mod diagram;
mod draft;
mod editor;
mod fallback;

use super::{Cx, title};
use crate::text::Text;
use crate::tokens;
use crate::view::Page;
use crate::widgets;
use api::Snapshot;
use egui::Ui;

pub(crate) use self::editor::EditorState;

/// The parts of the page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// Live currents against limits.
    #[default]
    Diagram,
    /// The drawing to change.
    Editor,
    /// What flows while the computer is off.
    Fallback,
}

/// What the page keeps between frames.
#[derive(Default)]
pub(crate) struct CircuitsState {
    part: Part,
    editor: EditorState,
}

/// Shows the page.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CircuitsState, snapshot: &Snapshot) {
    title(cx, ui, Page::Circuits, |_, _| {});
    let parts = [
        (Part::Diagram, cx.text(Text::WiringDiagram)),
        (Part::Editor, cx.text(Text::EditCircuits)),
        (Part::Fallback, cx.text(Text::WhileOff)),
    ];
    if let Some(part) = widgets::segmented(ui, cx.text(Text::Circuits), &parts, state.part) {
        state.part = part;
    }
    ui.add_space(tokens::GAP_S);
    match state.part {
        Part::Diagram => diagram::show(cx, ui, snapshot),
        Part::Editor => editor::show(cx, ui, &mut state.editor, snapshot),
        Part::Fallback => fallback::show(cx, ui, snapshot),
    }
}
