//! A console in front of a server of fixtures, and what a person does with it.

use api::{Language, Snapshot};
use egui::accesskit::Role;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use ui::fixtures::Server;

/// A console at this size with its first snapshot on screen.
pub(crate) fn open(server: &Server, language: Language, size: [f32; 2]) -> Harness<'static> {
    let mut console = server.console(language);
    let mut harness = Harness::builder().with_size(size).with_max_steps(60).build_ui(move |ui| {
        console.logic(ui.ctx());
        console.ui(ui);
    });
    harness.run();
    harness
}

/// The same at the smallest size it has to look right at.
pub(crate) fn small(server: &Server, language: Language) -> Harness<'static> {
    open(server, language, [1280.0, 720.0])
}

/// A server somebody is signed in at, with this snapshot.
pub(crate) fn live(snapshot: Snapshot) -> Server {
    let server = Server::signed_in();
    server.push(snapshot);
    server
}

/// Opens a page.
pub(crate) fn go(harness: &mut Harness<'_>, page: &str) {
    harness.get_by_role_and_label(Role::Tab, page).click();
    harness.run();
}

/// Presses a button.
pub(crate) fn press(harness: &mut Harness<'_>, name: &str) {
    harness.get_by_role_and_label(Role::Button, name).click();
    harness.run();
}

/// Whether the text is on screen, as a label or a value.
pub(crate) fn says(harness: &Harness<'_>, text: &str) -> bool {
    harness.query_all_by_label(text).next().is_some() || harness.query_all_by_value(text).next().is_some()
}

/// A file as somebody drops it on the page.
#[derive(Debug)]
struct Dropped(Vec<u8>);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        std::path::Path::new("list.csv")
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }
}

/// Drops a file on the page.
pub(crate) fn drop_file(harness: &mut Harness<'_>, bytes: &[u8]) {
    harness.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(bytes.to_vec())));
    harness.run();
}

/// Types a text into a field.
pub(crate) fn write(harness: &mut Harness<'_>, role: Role, name: &str, text: &str) {
    harness.get_by_role_and_label(role, name).focus();
    harness.run();
    harness.get_by_role_and_label(role, name).type_text(text);
    harness.run();
}
