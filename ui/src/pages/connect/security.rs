//! Which proof chargers must bring: the site's rule, and each charger with what it has proven.

use super::super::{Cx, not_yet};
use crate::command::{Command, Resource};
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Loudness, Mood};
use api::{ChargerSecurityItem, ChargerSecurityPut, NewChargerPassword, SecurityPolicy, SecurityState};
use egui::Ui;

/// Width of the choices of profiles.
const PROFILE_WIDTH: f32 = 210.0;

/// Name of a security profile.
const fn profile_name(profile: u8) -> Text {
    match profile {
        0 => Text::Profile0,
        1 => Text::Profile1,
        2 => Text::Profile2,
        _ => Text::Profile3,
    }
}

/// Shows the card.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui) {
    widgets::card_title(ui, cx.text(Text::Security), cx.text(Text::SecuritySub));
    let remote = &cx.model.values.security;
    let wanted = remote.is_wanted();
    let Some(state) = remote.value().cloned() else {
        not_yet(cx, ui, remote, Resource::Security);
        return cx.want(wanted, Resource::Security);
    };
    policy(cx, ui, &state);
    let kept = match state.secrets.as_str() {
        "keyring" => Text::SecretsKeyring,
        "vault" => Text::SecretsVault,
        "key_file" => Text::SecretsKeyFile,
        _nothing_yet => Text::SecretsNone,
    };
    widgets::weak(ui, cx.text(kept));
    for charger in &state.chargers {
        widgets::hairline(ui);
        one(cx, ui, charger);
    }
}

fn policy(cx: &mut Cx<'_>, ui: &mut Ui, state: &SecurityState) {
    ui.horizontal_wrapped(|ui| {
        widgets::weak(ui, cx.text(Text::SiteProfile));
        let choices: Vec<(u8, String)> =
            (0..=3).map(|profile| (profile, cx.text(profile_name(profile)).to_owned())).collect();
        if let Some(picked) =
            widgets::select(ui, cx.text(Text::SiteProfile), &choices, &state.default_profile, PROFILE_WIDTH)
        {
            let policy = SecurityPolicy { default_profile: picked, open_from: state.open_from.clone() };
            cx.send(Command::SetSecurityPolicy(policy));
        }
        widgets::weak(ui, cx.text(Text::OpenFrom));
        let choices = [
            ("local_network", Text::OpenLocalNetwork),
            ("nowhere", Text::OpenNowhere),
            ("anywhere", Text::OpenAnywhere),
        ]
        .map(|(value, text)| (value.to_owned(), cx.text(text).to_owned()));
        if let Some(picked) = widgets::select(ui, cx.text(Text::OpenFrom), &choices, &state.open_from, PROFILE_WIDTH) {
            let policy = SecurityPolicy { default_profile: state.default_profile, open_from: picked };
            cx.send(Command::SetSecurityPolicy(policy));
        }
    });
    if state.open_from == "anywhere" {
        widgets::notice(ui, crate::icons::Icon::Alert, cx.text(Text::OpenAnywhereWarning), Mood::Warn);
    }
}

fn one(cx: &mut Cx<'_>, ui: &mut Ui, security: &ChargerSecurityItem) {
    let id = &security.charger;
    ui.horizontal(|ui| {
        let mood = if security.enforced >= security.wanted { Mood::Good } else { Mood::Warn };
        widgets::badge(ui, cx.text(profile_name(security.enforced)), mood);
        widgets::strong_line(ui, id);
    });
    // On a line of their own: with a long name they would push it out of the window.
    ui.horizontal_wrapped(|ui| {
        for send in [false, true] {
            let password = NewChargerPassword { password: None, send };
            cx.button(ui, Loudness::Quiet, None, id, Command::GivePassword(id.clone(), password));
        }
        cx.button(ui, Loudness::Quiet, None, id, Command::TrustAuthority(id.clone()));
        cx.button(ui, Loudness::Quiet, None, id, Command::AskCertificate(id.clone()));
        if let Some(certificate) = security.certificates.iter().find(|known| known.revoked_at.is_none()) {
            cx.button(ui, Loudness::Quiet, None, id, Command::RevokeCertificate(certificate.serial.clone()));
        }
    });
    ui.horizontal(|ui| {
        widgets::weak(ui, cx.text(Text::ShallReach));
        let mut choices: Vec<(Option<u8>, String)> = vec![(None, cx.text(Text::AsSite).to_owned())];
        choices.extend((0..=3).map(|profile| (Some(profile), cx.text(profile_name(profile)).to_owned())));
        let name = format!("{} {id}", cx.text(Text::ShallReach));
        if let Some(target) = widgets::select(ui, &name, &choices, &security.target, PROFILE_WIDTH) {
            let put = ChargerSecurityPut { target, enforced: None };
            cx.send(Command::SetChargerSecurity(id.clone(), put));
        }
        if security.enforced < security.wanted {
            widgets::weak(ui, cx.text(next_step(security)));
        }
    });
    if let Some(certificate) = security.certificates.first() {
        let at = cx.local(&certificate.expires_at);
        let text = if certificate.revoked_at.is_some() { Text::CertificateRevoked } else { Text::CertificateUntil };
        widgets::weak(ui, &cx.fill(text, &[&at]));
    }
    ui.add_space(tokens::GAP_L / 4.0);
}

/// What is to be done so that a charger reaches what is wanted of it.
const fn next_step(security: &ChargerSecurityItem) -> Text {
    match (security.enforced, security.wanted) {
        (0, _) if !security.has_password => Text::StepPassword,
        (0, _) => Text::StepUsePassword,
        (1, _) => Text::StepTls,
        _ => Text::StepCertificate,
    }
}
