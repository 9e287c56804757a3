//! Files and e-mails for all tenants, with progress; letterhead and mail server.

use crate::books::{BooksCommand, archive_of};
use crate::command::Command;
use crate::file;
use crate::icons::Icon;
use crate::pages::Cx;
use crate::text::Text;
use crate::tokens;
use crate::widgets::{self, Field, Look, Loudness, Mood};
use api::{ExportRequest, JobItem, JobState, LetterheadItem, MailItem, MonthState, MonthStatement, SendRequest};
use egui::Ui;

/// Shows files and e-mails for all.
pub(super) fn show(cx: &mut Cx<'_>, ui: &mut Ui, month: &MonthStatement) {
    widgets::card_title(ui, cx.text(Text::FilesForAll), cx.text(Text::FilesForAllSub));
    let job = cx.model.values.books.job.clone().filter(|job| job.month == month.month);
    let is_running = job.as_ref().is_some_and(|job| job.state == JobState::Running);
    ui.horizontal_wrapped(|ui| {
        for (format, dialect, label) in [
            ("pdf", None, "PDF"),
            ("xlsx", None, "XLSX"),
            ("csv", Some("semicolon"), "CSV ;"),
            ("csv", Some("rfc4180"), "CSV ,"),
        ] {
            let request = ExportRequest { format: format.to_owned(), dialect: dialect.map(str::to_owned) };
            let export = Command::Books(BooksCommand::Export(month.month.clone(), request));
            let name = crate::pages::named(cx.text(export.label()), label);
            let look = Look { loudness: Loudness::Normal, icon: None, label, name: &name, enabled: !is_running };
            if widgets::button(ui, look).clicked() {
                cx.send(export);
            }
        }
    });
    if let Some(job) = &job {
        progress(cx, ui, job);
    }
    ui.add_space(tokens::GAP_M);
    widgets::card_title(ui, cx.text(Text::MailForAll), cx.text(Text::MailForAllSub));
    let has_server = cx.model.values.books.mail.value().is_some_and(|mail| !mail.host.is_empty());
    let is_closed = month.state == MonthState::Closed;
    let send = Command::Books(BooksCommand::Send(month.month.clone(), SendRequest::default()));
    cx.button_if(ui, has_server && is_closed && !is_running, Loudness::Normal, "", send);
    if !has_server {
        widgets::weak(ui, cx.text(Text::MailNeedsServer));
    } else if !is_closed {
        widgets::weak(ui, cx.text(Text::MailNeedsClosing));
    }
    let deliveries = cx.model.values.books.deliveries.value().cloned().unwrap_or_default();
    for one in &deliveries {
        let (text, mood) = if one.sent { (Text::MailSent, Mood::Good) } else { (Text::MailFailed, Mood::Bad) };
        ui.horizontal(|ui| {
            widgets::badge(ui, cx.text(text), mood);
            widgets::line(ui, &format!("{} · {}", one.name, cx.local(&one.at)));
        });
        widgets::weak(ui, &crate::text::said(&one.detail, cx.language()));
    }
}

fn progress(cx: &mut Cx<'_>, ui: &mut Ui, job: &JobItem) {
    let (done, total) = (job.done.to_string(), job.total.to_string());
    widgets::weak(ui, &cx.fill(Text::JobProgress, &[&done, &total]));
    let part = f64::from(job.done) / f64::from(job.total.max(1));
    #[expect(clippy::cast_possible_truncation, reason = "a length on the screen")]
    widgets::bar(ui, part as f32, Mood::Info);
    match job.state {
        JobState::Running => {
            cx.button(ui, Loudness::Normal, None, "", Command::Books(BooksCommand::Cancel(job.id)));
        }
        JobState::Done if job.kind == "export" => {
            let label = cx.text(Text::Download);
            let look = Look { loudness: Loudness::Primary, icon: None, label, name: label, enabled: true };
            if widgets::button(ui, look).clicked() {
                ui.ctx().open_url(egui::OpenUrl::new_tab(archive_of(job.id)));
            }
        }
        JobState::Done => widgets::notice(ui, Icon::Check, cx.text(Text::JobDone), Mood::Good),
        JobState::Cancelled => widgets::notice(ui, Icon::Alert, cx.text(Text::JobCancelled), Mood::Warn),
        JobState::Failed => widgets::notice(ui, Icon::Alert, &crate::text::said(&job.detail, cx.language()), Mood::Bad),
    }
}

/// The forms of letterhead and mail server.
pub(super) fn settings(
    cx: &mut Cx<'_>,
    ui: &mut Ui,
    letterhead: &mut Option<LetterheadItem>,
    mail: &mut Option<MailItem>,
) {
    let known = cx.model.values.books.letterhead.value().cloned().unwrap_or_default();
    let form = letterhead.get_or_insert(known);
    widgets::card_title(ui, cx.text(Text::LetterheadTitle), cx.text(Text::LetterheadSub));
    widgets::form_field(ui, cx.text(Text::LetterheadName), "", &mut form.name, Field::Text);
    form.lines.resize(4, String::new());
    for (index, line) in form.lines.iter_mut().enumerate() {
        let name = format!("{} {}", cx.text(Text::LetterheadLine), index + 1);
        let width = ui.available_width() - 24.0;
        widgets::text_field(ui, &name, &name, line, Field::Text, width);
    }
    let languages = [("pt-PT", "Português (Portugal)"), ("pt-BR", "Português (Brasil)"), ("en", "English")]
        .map(|(code, name)| (code.to_owned(), name.to_owned()));
    let label = cx.text(Text::StatementLanguage);
    widgets::field_label(ui, label);
    if let Some(language) = widgets::select(ui, label, &languages, &form.language, 200.0) {
        form.language = language;
    }
    logo(cx, ui, form);
    widgets::field_label(ui, cx.text(Text::MidChargers));
    let chargers = cx.model.snapshot.as_ref().map(|snapshot| snapshot.chargers.clone()).unwrap_or_default();
    for charger in &chargers {
        let mut is_mid = form.mid_chargers.contains(&charger.id);
        if widgets::tick(ui, &mut is_mid, &charger.name).changed() {
            if is_mid {
                form.mid_chargers.push(charger.id.clone());
            } else {
                form.mid_chargers.retain(|id| *id != charger.id);
            }
        }
    }
    let save = Command::Books(BooksCommand::SetLetterhead(Box::new(form.clone())));
    cx.button(ui, Loudness::Primary, None, cx.text(Text::LetterheadTitle), save);
    ui.add_space(tokens::GAP_L);
    mail_form(cx, ui, mail);
}

/// A picture dropped on the console, or chosen, becomes the logo.
fn logo(cx: &Cx<'_>, ui: &mut Ui, form: &mut LetterheadItem) {
    widgets::field_label(ui, cx.text(Text::Logo));
    if let Some(picture) = file::take(ui.ctx(), file::Use::Logo) {
        form.logo_base64 = picture;
    }
    ui.horizontal_wrapped(|ui| {
        let label = cx.text(Text::ChooseFile);
        let name = crate::pages::named(label, cx.text(Text::Logo));
        let look = Look { loudness: Loudness::Normal, icon: None, label, name: &name, enabled: true };
        if widgets::button(ui, look).clicked() {
            file::choose(ui.ctx(), file::Use::Logo);
        }
        if form.logo_base64.is_empty() {
            widgets::weak(ui, cx.text(Text::LogoHint));
        } else {
            widgets::badge(ui, cx.text(Text::LogoThere), Mood::Good);
            let label = cx.text(Text::Remove);
            let name = crate::pages::named(label, cx.text(Text::Logo));
            let look = Look { loudness: Loudness::Quiet, icon: None, label, name: &name, enabled: true };
            if widgets::button(ui, look).clicked() {
                form.logo_base64.clear();
            }
        }
    });
}

fn mail_form(cx: &mut Cx<'_>, ui: &mut Ui, mail: &mut Option<MailItem>) {
    let known = cx.model.values.books.mail.value().cloned().unwrap_or_default();
    let form = mail.get_or_insert(known);
    widgets::card_title(ui, cx.text(Text::MailTitle), cx.text(Text::MailSub));
    widgets::form_field(ui, cx.text(Text::MailHost), "", &mut form.host, Field::Text);
    let securities = [("tls", "TLS"), ("starttls", "STARTTLS"), ("none", cx.text(Text::MailUnprotected))]
        .map(|(word, name)| (word.to_owned(), name.to_owned()));
    ui.horizontal(|ui| {
        if let Some(word) = widgets::select(ui, cx.text(Text::MailSecurity), &securities, &form.security, 190.0) {
            form.security = word;
            form.port = 0;
        }
        let mut port = if form.port == 0 { String::new() } else { form.port.to_string() };
        let name = cx.text(Text::MailPort);
        if widgets::text_field(ui, name, name, &mut port, Field::Text, 60.0).changed() {
            form.port = port.trim().parse().unwrap_or(0);
        }
    });
    widgets::form_field(ui, cx.text(Text::MailFrom), cx.text(Text::MailFromHint), &mut form.from, Field::Text);
    widgets::form_field(ui, cx.text(Text::MailUser), "", &mut form.user, Field::Text);
    let place = match form.password_in.as_str() {
        "" => String::new(),
        place => cx.fill(Text::MailPasswordIn, &[place]),
    };
    let mut password = form.password.clone().unwrap_or_default();
    widgets::form_field(ui, cx.text(Text::MailPassword), &place, &mut password, Field::Password);
    form.password = (!password.is_empty()).then_some(password);
    let save = Command::Books(BooksCommand::SetMail(Box::new(form.clone())));
    cx.button(ui, Loudness::Primary, None, cx.text(Text::MailTitle), save);
}
