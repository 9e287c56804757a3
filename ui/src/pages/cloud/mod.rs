//! What leaves the building, and copies of what stays.

mod copies;
mod database;
mod fog;

use super::{Cx, title};
use crate::command::Resource;
use crate::keeping::KeepingResource;
use crate::text::Text;
use crate::tokens;
use crate::view::Page;
use crate::widgets;
use api::{BackupForm, CloudForm, KafkaForm, MqttForm, RetentionForm};
use egui::Ui;

/// Which part of the page is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Part {
    /// The cloud database.
    #[default]
    Database,
    /// Other systems.
    Fog,
    /// Copies.
    Copies,
}

/// What is typed on the page.
#[derive(Default)]
pub(crate) struct CloudState {
    part: Part,
    saved: u32,
    cloud: Option<CloudForm>,
    port: String,
    password: String,
    mqtt: Option<MqttForm>,
    mqtt_password: String,
    kafka: Option<KafkaForm>,
    kafka_password: String,
    backups: Option<BackupForm>,
    retention: Option<RetentionForm>,
    sure: bool,
}

/// Shows the page.
pub(crate) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CloudState) {
    let values = &cx.model.values.keeping;
    let (cloud, backups) = (values.cloud.is_wanted(), values.backups.is_wanted());
    let retention = values.retention.is_wanted();
    let (mqtt, kafka) = (values.mqtt.is_wanted(), values.kafka.is_wanted());
    if state.saved != values.saved {
        *state = CloudState { saved: values.saved, part: state.part, ..CloudState::default() };
    }
    cx.want(cloud, Resource::Keeping(KeepingResource::Cloud));
    cx.want(mqtt, Resource::Keeping(KeepingResource::Mqtt));
    cx.want(kafka, Resource::Keeping(KeepingResource::Kafka));
    cx.want(backups, Resource::Keeping(KeepingResource::Backups));
    cx.want(retention, Resource::Keeping(KeepingResource::Retention));
    title(cx, ui, Page::Cloud, |cx, ui| {
        let choices = [
            (Part::Database, cx.text(Text::CloudTab)),
            (Part::Fog, cx.text(Text::FogTab)),
            (Part::Copies, cx.text(Text::CopiesTab)),
        ];
        if let Some(picked) = widgets::segmented(ui, cx.text(Text::Cloud), &choices, state.part) {
            state.part = picked;
        }
    });
    let height = widgets::rest_of_window(ui, 120.0);
    widgets::scroll("cloud-page", height).show(ui, |ui| {
        match state.part {
            Part::Database => database::show(cx, ui, state),
            Part::Fog => fog::show(cx, ui, state),
            Part::Copies => copies::show(cx, ui, state),
        }
        ui.add_space(tokens::GAP_M);
    });
}

/// Widest column: a line of a form that is longer is hard to follow from its name to its value.
const COLUMN_MAX: f32 = 620.0;

/// Two columns beside each other, or below each other where there is little room.
fn columns(ui: &mut Ui, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    let width = ui.available_width();
    if width < 760.0 {
        widgets::card(ui, left);
        ui.add_space(tokens::GAP_M);
        widgets::card(ui, right);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = tokens::GAP_L;
        let half = egui::vec2(((width - tokens::GAP_L) / 2.0).min(COLUMN_MAX), 0.0);
        let layout = egui::Layout::top_down(egui::Align::Min);
        ui.allocate_ui_with_layout(half, layout, |ui| widgets::card(ui, left));
        ui.allocate_ui_with_layout(half, layout, |ui| widgets::card(ui, right));
    });
}
