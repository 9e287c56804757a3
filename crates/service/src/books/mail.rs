//! Statements by e-mail, through the manager's own server.

use super::{FileKind, Job, MonthBook, Which};
use domain::{Clock, TenantId};
use lettre::message::header::ContentType;
use lettre::message::{Attachment, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters, TlsParametersBuilder};
use lettre::transport::smtp::response::Response;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use reports::render::Language;
use rustls::pki_types::CertificateDer;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;
use store::{Delivery, StatementRecord, Writer};
use zeroize::Zeroizing;

/// A server that does not answer within this time will not today.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// Longest time for one letter, from the greeting to the server's word that it took it, a slow line included.
const LETTER_WAIT: Duration = Duration::from_secs(120);

/// How the connection is protected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Security {
    /// TLS from the first byte, usually port 465.
    #[default]
    Tls,
    /// TLS after a greeting, usually port 587; never without.
    Starttls,
    /// None: only for a server on this computer.
    None,
}

/// The manager's own mail server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MailServer {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: Security,
    pub(crate) user: String,
    pub(crate) from: String,
}

/// What to send.
pub(crate) struct MailTask {
    pub(crate) server: MailServer,
    pub(crate) password: Option<Zeroizing<String>>,
    pub(crate) book: MonthBook,
    /// Pseudonyms.
    pub(crate) keys: Vec<String>,
}

/// Why a mail server cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MailError {
    #[error("the sender is no e-mail address; write it as Name <name@example.pt>")]
    From,
    #[error("the mail server cannot be reached with these settings: {0}")]
    Server(String),
    #[error("without TLS only a server on this computer is used; choose TLS or STARTTLS")]
    Unprotected,
    #[error("no mail server is set; enter it under Statements")]
    NoServer,
}

impl MailServer {
    /// Checks what can be checked without the network.
    pub(crate) fn check(&self) -> Result<(), MailError> {
        if self.host.is_empty() {
            return Err(MailError::NoServer);
        }
        self.from.parse::<Mailbox>().map_err(|_no_address| MailError::From)?;
        let local = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.security == Security::None && !local {
            return Err(MailError::Unprotected);
        }
        Ok(())
    }

    fn transport(&self, password: Option<&str>) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
        let failed = |error: lettre::transport::smtp::Error| MailError::Server(crate::error::chain(&error));
        let parameters = || trusting_this_computer(TlsParameters::builder(self.host.clone())).build().map_err(failed);
        let tls = match self.security {
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::Starttls => Tls::Required(parameters()?),
            Security::None => Tls::None,
        };
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&self.host)
            .port(self.port)
            .tls(tls)
            .timeout(Some(ANSWER_WAIT));
        if let Some(password) = password.filter(|_| !self.user.is_empty()) {
            builder = builder.credentials(Credentials::new(self.user.clone(), password.to_owned()));
        }
        Ok(builder.build())
    }
}

/// Trusts, beside the public authorities, the ones this computer trusts: an office's own server has a certificate of its own.
fn trusting_this_computer(builder: TlsParametersBuilder) -> TlsParametersBuilder {
    let is_usable = |der: &CertificateDer<'static>| rustls::RootCertStore::empty().add(der.clone()).is_ok();
    let known = rustls_native_certs::load_native_certs().certs.into_iter().filter(is_usable);
    known
        .filter_map(|der| Certificate::from_der(der.to_vec()).ok())
        .fold(builder, TlsParametersBuilder::add_root_certificate)
}

/// Sends to everyone, one after the other, and notes each result.
pub(crate) async fn send_all(task: MailTask, writer: Writer, clock: Arc<dyn Clock>, job: Arc<Job>) {
    let transport = match task
        .server
        .check()
        .and_then(|()| task.server.transport(task.password.as_ref().map(|password| password.as_str())))
    {
        Ok(transport) => transport,
        Err(error) => return job.end_failed(error.to_string()),
    };
    for key in &task.keys {
        if job.is_cancelled() {
            break;
        }
        let Some(known) = task.book.around.known.get(key) else { continue };
        let result = match message(&task, key) {
            Ok(message) => in_time(transport.send(message)).await,
            Err(detail) => Err(detail),
        };
        let delivery = delivery(&task, known.id, clock.now().wall, result);
        if let Err(error) = writer.statement(StatementRecord::Delivery(delivery)).await {
            return job.end_failed(crate::error::chain(&error));
        }
        job.step();
    }
    job.end_done();
}

/// What the server said of a letter. A server that takes the connection and then says nothing must not hold up the others.
async fn in_time(sending: impl Future<Output = Result<Response, SmtpError>>) -> Result<String, String> {
    match tokio::time::timeout(LETTER_WAIT, sending).await {
        Ok(Ok(answer)) => Ok(answer.message().collect::<Vec<_>>().join(" ")),
        Ok(Err(error)) => Err(crate::error::chain(&error)),
        Err(_elapsed) => {
            Err("the mail server took the connection and said nothing; check its address and port, then try again"
                .to_owned())
        }
    }
}

fn delivery(task: &MailTask, tenant: TenantId, at: domain::Timestamp, result: Result<String, String>) -> Delivery {
    let sent = result.is_ok();
    let (Ok(detail) | Err(detail)) = result;
    Delivery { month: task.book.month.to_string(), tenant, at, sent, detail }
}

fn message(task: &MailTask, key: &str) -> Result<Message, String> {
    let known = task.book.around.known.get(key).ok_or("this tenant was erased")?;
    if known.email.trim().is_empty() {
        return Err("this tenant has no e-mail address; enter it under Tenants".to_owned());
    }
    let to: Mailbox = known.email.trim().parse().map_err(|_no| format!("{:?} is no e-mail address", known.email))?;
    let from: Mailbox = task.server.from.parse().map_err(|_no| MailError::From.to_string())?;
    let which = Which::Tenant(key.to_owned());
    let pdf = task.book.file(&which, FileKind::Pdf, None).map_err(|error| crate::error::chain(&error))?;
    let language = known.language.unwrap_or(task.book.around.language);
    let (subject, text) = words(language, &language.month(task.book.month), &task.book.around.letterhead.name);
    let kind = ContentType::parse(FileKind::Pdf.media_type()).map_err(|error| error.to_string())?;
    let attachment = Attachment::new(task.book.file_name(&which, FileKind::Pdf)).body(pdf, kind);
    let body = MultiPart::mixed().singlepart(SinglePart::plain(text)).singlepart(attachment);
    Message::builder().from(from).to(to).subject(subject).multipart(body).map_err(|error| error.to_string())
}

fn words(language: Language, month: &str, building: &str) -> (String, String) {
    match language {
        Language::PtPt => (
            format!("{building}: extrato de carregamentos de {month}"),
            format!(
                "Em anexo segue o seu extrato de carregamentos de {month}.\n\nEste extrato não serve de fatura.\n\n{building}\n"
            ),
        ),
        Language::PtBr => (
            format!("{building}: demonstrativo de recargas de {month}"),
            format!(
                "Segue em anexo o seu demonstrativo de recargas de {month}.\n\nEste documento não serve de fatura.\n\n{building}\n"
            ),
        ),
        Language::En => (
            format!("{building}: charging statement for {month}"),
            format!(
                "Please find attached your charging statement for {month}.\n\nIt is a statement of costs, not an invoice.\n\n{building}\n"
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that never answers ends its letter with words that say what to do, so that the next one is tried.
    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_left() {
        let said = in_time(std::future::pending()).await;
        assert!(said.as_ref().is_err_and(|why| why.contains("check its address and port")), "{said:?}");
    }
}
