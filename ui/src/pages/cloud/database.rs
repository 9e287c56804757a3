//! The cloud database: where it is, what may leave, how far it has come.

use super::CloudState;
use crate::command::{Command, Resource};
use crate::format;
use crate::icons::Icon;
use crate::keeping::{KeepingCommand, KeepingResource};
use crate::pages::{Cx, not_yet};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Loudness, Mood};
use api::{CloudForm, CloudItem, ConnectionTest, ConsentForm, Language, SinkStatus, TroubleItem};
use egui::Ui;

pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, state: &mut CloudState) {
    let remote = &cx.model.values.keeping.cloud;
    let Some(item) = remote.value().cloned() else {
        return not_yet(cx, ui, remote, Resource::Keeping(KeepingResource::Cloud));
    };
    if state.cloud.is_none() {
        state.port = item.form.port.to_string();
        state.cloud = Some(item.form.clone());
    }
    let mut form = state.cloud.clone().unwrap_or_default();
    let cx_cell = std::cell::RefCell::new((cx, &mut form, &mut *state));
    super::columns(
        ui,
        |ui| {
            let (cx, form, state) = &mut *cx_cell.borrow_mut();
            place(cx, ui, form, state, &item);
        },
        |ui| {
            let (cx, form, state) = &mut *cx_cell.borrow_mut();
            if item.status.configured {
                progress(cx, ui, &item.status, &mut state.sure);
                ui.add_space(tokens::GAP_M);
            }
            leaves(cx, ui, &mut form.consent);
        },
    );
    state.cloud = Some(form);
}

/// Where the database is, with test and start.
fn place(cx: &mut Cx<'_>, ui: &mut Ui, form: &mut CloudForm, state: &mut CloudState, item: &CloudItem) {
    widgets::card_title(ui, cx.text(Text::CloudPlace), cx.text(Text::CloudPlaceSub));
    widgets::form_field(ui, cx.text(Text::CloudHost), "", &mut form.host, Field::Text);
    widgets::form_field(ui, cx.text(Text::CloudPort), "", &mut state.port, Field::Text);
    widgets::form_field(ui, cx.text(Text::CloudDatabase), "", &mut form.database, Field::Text);
    widgets::form_field(ui, cx.text(Text::CloudUser), "", &mut form.user, Field::Text);
    let kept = &item.status.password_in;
    let hint = if kept.is_empty() { String::new() } else { cx.fill(Text::MailPasswordIn, &[kept]) };
    widgets::form_field(ui, cx.text(Text::Password), &hint, &mut state.password, Field::Password);
    let label = cx.text(Text::CloudTls);
    widgets::field_label(ui, label);
    let modes = [
        ("verify_full", Text::CloudTlsFull),
        ("verify_ca", Text::CloudTlsCa),
        ("encrypt", Text::CloudTlsEncrypt),
        ("off", Text::CloudTlsOff),
    ]
    .map(|(word, text)| (word.to_owned(), cx.text(text).to_owned()));
    if let Some(mode) = widgets::select(ui, label, &modes, &form.tls, 320.0) {
        form.tls = mode;
    }
    if form.tls.starts_with("verify") {
        widgets::form_field(
            ui,
            cx.text(Text::CloudCaFile),
            cx.text(Text::CloudCaFileHint),
            &mut form.ca_file,
            Field::Text,
        );
    }
    ui.add_space(tokens::GAP_S);
    let Some(sent) = sent(form, state) else {
        return widgets::notice(ui, Icon::Alert, cx.text(Text::CloudPortWrong), Mood::Bad);
    };
    ui.horizontal_wrapped(|ui| {
        cx.button(ui, Loudness::Normal, None, "", Command::Keeping(KeepingCommand::Test(Box::new(sent.clone()))));
        cx.button(ui, Loudness::Primary, None, "", Command::Keeping(KeepingCommand::Start(Box::new(sent))));
    });
    if let Some(test) = cx.model.values.keeping.test.clone() {
        tested(cx, ui, &test);
    }
}

/// The form as it is sent; `None` for a port that is no number.
fn sent(form: &CloudForm, state: &CloudState) -> Option<CloudForm> {
    let typed = state.port.trim();
    let port = if typed.is_empty() { 0 } else { typed.parse().ok()? };
    let password = Some(state.password.clone()).filter(|password| !password.is_empty());
    Some(CloudForm { port, password, ..form.clone() })
}

fn tested(cx: &Cx<'_>, ui: &mut Ui, test: &ConnectionTest) {
    match &test.trouble {
        Some(trouble) => trouble_notice(cx, ui, trouble),
        None => {
            let text = if test.encrypted { Text::CloudTestGood } else { Text::CloudTestPlain };
            widgets::notice(ui, Icon::Check, &cx.fill(text, &[&test.server]), Mood::Good);
            if !test.prepared {
                widgets::weak(ui, cx.text(Text::CloudPrepares));
            }
        }
    }
}

/// What is wrong, in the language of the console, and what the other end said.
pub(super) fn trouble_notice(cx: &Cx<'_>, ui: &mut Ui, trouble: &TroubleItem) {
    let sentence = match (cx.language(), known(&trouble.code)) {
        (Language::Portuguese, Some(text)) => cx.text(text).to_owned(),
        (Language::English | Language::Portuguese, _) => trouble.sentence.clone(),
    };
    widgets::notice(ui, Icon::Alert, &sentence, Mood::Bad);
    if !trouble.detail.is_empty() {
        widgets::weak(ui, &trouble.detail);
    }
}

/// The sentence of a code.
fn known(code: &str) -> Option<Text> {
    Some(match code {
        "incomplete" => Text::CloudBadIncomplete,
        "name" => Text::CloudBadName,
        "port" => Text::CloudBadPort,
        "tls" => Text::CloudBadTls,
        "password" => Text::CloudBadPassword,
        "database" => Text::CloudBadDatabase,
        "rights" => Text::CloudBadRights,
        "version" => Text::CloudBadVersion,
        "format" => Text::CloudBadFormat,
        "other_computer" => Text::CloudBadOther,
        "restored" => Text::CloudBadRestored,
        "read_only" => Text::CloudBadReadOnly,
        "refused" => Text::CloudBadRefused,
        "template" => Text::CloudBadTemplate,
        "topic" => Text::CloudBadTopic,
        "secrets" => Text::CloudBadSecrets,
        "outbox" | "settings" | "site" => Text::CloudBadOwn,
        "full" => Text::CloudBadFull,
        "busy" | "slow" | "lost" => Text::CloudBadLost,
        _ => return None,
    })
}

/// How far it has come.
pub(super) fn progress_of(cx: &Cx<'_>, ui: &mut Ui, status: &SinkStatus) {
    widgets::card_title(ui, cx.text(Text::CloudProgress), "");
    let (text, mood) = match status.phase.as_str() {
        "up_to_date" => (Text::CloudUpToDate, Mood::Good),
        "sending" => (Text::CloudSending, Mood::Info),
        "paused" => (Text::CloudPaused, Mood::Warn),
        "failing" => (Text::CloudFailing, Mood::Bad),
        _ => (Text::CloudBeginning, Mood::Info),
    };
    widgets::badge(ui, cx.text(text), mood);
    if let Some(part) = status.first_upload {
        #[expect(clippy::cast_possible_truncation, reason = "a length on the screen")]
        widgets::bar(ui, part as f32, Mood::Info);
        let percent = format::field_number((part * 100.0).floor(), cx.language());
        widgets::weak(ui, &cx.fill(Text::CloudFirst, &[&percent]));
    }
    let unknown = format::UNKNOWN.to_owned();
    let lag = status.lag_s.map_or(unknown, |seconds| format::field_number(seconds.floor(), cx.language()));
    for (label, value) in [
        (Text::CloudRows, status.rows_sent.to_string()),
        (Text::CloudWaiting, status.waiting.to_string()),
        (Text::CloudLag, cx.fill(Text::CloudSeconds, &[&lag])),
    ] {
        ui.horizontal(|ui| {
            widgets::weak(ui, cx.text(label));
            widgets::strong_line(ui, &value);
        });
    }
    if let Some(trouble) = &status.last_trouble {
        if !status.failing {
            widgets::weak(ui, cx.text(Text::CloudLastTrouble));
        }
        trouble_notice(cx, ui, trouble);
    }
}

/// How far it has come, and what can be done about it.
fn progress(cx: &mut Cx<'_>, ui: &mut Ui, status: &SinkStatus, sure: &mut bool) {
    progress_of(cx, ui, status);
    if status
        .last_trouble
        .as_ref()
        .is_some_and(|trouble| ["other_computer", "restored"].contains(&trouble.code.as_str()))
    {
        cx.button(ui, Loudness::Normal, None, "", Command::Keeping(KeepingCommand::TakeOver));
    }
    let is_paused = status.phase == "paused";
    ui.horizontal_wrapped(|ui| {
        cx.button(ui, Loudness::Normal, None, "", Command::Keeping(KeepingCommand::Pause(!is_paused)));
        widgets::tick(ui, sure, cx.text(Text::CloudForgetSure));
        cx.button_if(ui, *sure, Loudness::Quiet, "", Command::Keeping(KeepingCommand::Forget));
    });
}

/// What would be sent, in plain words, with the boxes of what is personal.
fn leaves(cx: &Cx<'_>, ui: &mut Ui, consent: &mut ConsentForm) {
    widgets::card_title(ui, cx.text(Text::CloudLeaves), cx.text(Text::CloudLeavesSub));
    let readings = if consent.raw { Text::CloudLeavesRaw } else { Text::CloudLeavesMinutes };
    for text in [Text::CloudLeavesAlways, readings, Text::CloudLeavesNumbers, Text::CloudNeverLeaves] {
        widgets::weak(ui, cx.text(text));
    }
    ui.add_space(tokens::GAP_S);
    widgets::field_label(ui, cx.text(Text::CloudPersonal));
    for (ticked, text) in [
        (&mut consent.names, Text::CloudBoxNames),
        (&mut consent.cards, Text::CloudBoxCards),
        (&mut consent.papers, Text::CloudBoxPapers),
        (&mut consent.frames, Text::CloudBoxFrames),
        (&mut consent.raw, Text::CloudBoxRaw),
    ] {
        widgets::tick(ui, ticked, cx.text(text));
    }
    widgets::weak(ui, cx.text(Text::CloudBoxesHint));
}
