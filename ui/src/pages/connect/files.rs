//! Files that chargers sent, and firmware kept for them.

use super::super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::file;
use crate::text::Text;
use crate::widgets::{self, Loudness};
use egui::{Align, Layout, Ui};

/// A button that takes a firmware file in; it can be dropped on the page, too.
pub(crate) fn keep(cx: &mut Cx<'_>, ui: &mut Ui) {
    if let Some(read) = file::take_whole(ui.ctx(), file::Use::Firmware) {
        cx.send(Command::KeepFirmware(read));
    }
    let label = cx.text(Text::FirmwareAdd);
    let enabled = !cx.model.is_busy(|command| matches!(command, Command::KeepFirmware(_)));
    let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: label, enabled };
    if widgets::button(ui, look).clicked() {
        file::choose(ui.ctx(), file::Use::Firmware);
    }
    if !enabled {
        widgets::weak(ui, cx.text(Text::FirmwareAdding));
    }
}

/// Shows the card.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::card_title(ui, cx.text(Text::Files), cx.text(Text::FilesSub));
    let remote = &cx.model.values.files;
    let wanted = remote.is_wanted();
    let Some(files) = remote.value().cloned() else {
        not_yet(cx, ui, remote, Resource::Files);
        return cx.want(wanted, Resource::Files);
    };
    ui.horizontal(|ui| {
        keep(cx, ui);
        cx.button(ui, Loudness::Quiet, None, cx.text(Text::Files), Command::Fetch(Resource::Files));
    });
    let arrived: Vec<_> = files.into_iter().filter(|file| file.bytes.is_some()).collect();
    if arrived.is_empty() {
        widgets::weak(ui, cx.text(Text::FilesNone));
    }
    for file in &arrived {
        widgets::hairline(ui);
        ui.horizontal(|ui| {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                cx.button(ui, Loudness::Quiet, None, &file.name, Command::RemoveFile(file.id.clone()));
                let label = cx.text(Text::Download);
                let name = crate::pages::named(label, &file.name);
                let look = widgets::Look { loudness: Loudness::Normal, icon: None, label, name: &name, enabled: true };
                if widgets::button(ui, look).clicked() {
                    let url = format!("/api/v1/files/{}/content", file.id);
                    ui.ctx().open_url(egui::OpenUrl::new_tab(url));
                }
                ui.with_layout(Layout::top_down(Align::Min), |ui| {
                    ui.spacing_mut().item_spacing.y = 1.0;
                    widgets::strong_line(ui, &file.name);
                    let who = file.charger.as_deref().unwrap_or_else(|| cx.text(Text::Firmware));
                    let size = format!("{} kB", file.bytes.unwrap_or_default().div_ceil(1000));
                    widgets::weak_line(ui, &[who, &size, &cx.local(&file.at)].join(" · "));
                });
            });
        });
    }
}
