//! Sends plain text mail through the company's own SMTP server.
//!
//! One attempt a call: when and how often to try again is the outbox's. The
//! `Message-ID` is made from the caller's key, so a repeat after a lost answer
//! is recognisable as the same message all the way to the mailbox.

use std::{
    fmt,
    net::IpAddr,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use aws_lc_rs::digest;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::Timestamp;
use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, header},
    transport::smtp::{
        authentication::Credentials,
        client::{Tls, TlsParameters},
    },
};

use tracing::{Instrument as _, field::Empty, info_span};

use super::{
    delivery::{Delivery, LaterReason, RefusedReason},
    http::install_tls_provider,
    outside::{Outside, OutsideMail},
    secrets::Secret,
};
use crate::traces::{self, TARGET};

/// The longest a whole delivery may take. SMTP itself would allow ten minutes for the last answer alone.
pub(crate) const DELIVERY_TIMEOUT: Duration = Duration::from_mins(1);
/// The longest wait for one answer of the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

const MAX_SUBJECT_BYTES: usize = 500;
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// Not at all: to this very machine only.
    Plain,
    /// `STARTTLS`, required.
    StartTls,
    /// TLS from the first byte.
    Tls,
}

/// The company's SMTP server.
#[derive(Debug, Clone)]
pub struct MailServer {
    /// Name or address; with TLS the name in its certificate.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Protection.
    pub security: MailSecurity,
    /// User name and password, if it asks for them.
    pub login: Option<(String, Secret)>,
}

/// Why mail cannot be set up, or a message not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Plain text to another machine.
    #[error("mail to `{0}` must be protected by TLS")]
    Insecure(String),
    /// TLS could not be set up for this name.
    #[error("cannot set up TLS for `{0}`")]
    Tls(String),
    /// Not an address. The address itself is personal and is not repeated.
    #[error("not a mail address")]
    BadAddress,
    /// Empty, too long, or with a line break or another control character.
    #[error("not a usable subject")]
    BadSubject,
    /// Empty, too long, or with a control character other than tab and line break.
    #[error("not a usable text")]
    BadText,
}

/// One message to one address, checked: nothing in it can become a header or a command.
#[derive(Clone)]
pub struct Mail {
    to: Address,
    subject: String,
    text: String,
    key: String,
    leave: Option<String>,
}

impl Mail {
    /// `key` names the message: the same key and address are the same message, however often it is sent.
    ///
    /// # Errors
    /// [`MailError::BadAddress`], [`MailError::BadSubject`], [`MailError::BadText`]
    pub fn new(to: &str, subject: &str, text: &str, key: &str) -> Result<Self, MailError> {
        let to = to.parse().map_err(|_| MailError::BadAddress)?;
        if subject.trim().is_empty()
            || subject.len() > MAX_SUBJECT_BYTES
            || subject.chars().any(char::is_control)
        {
            return Err(MailError::BadSubject);
        }
        let text = text.replace("\r\n", "\n");
        let control = |c: char| c.is_control() && c != '\n' && c != '\t';
        if text.trim().is_empty() || text.len() > MAX_TEXT_BYTES || text.chars().any(control) {
            return Err(MailError::BadText);
        }
        Ok(Self {
            to,
            subject: subject.to_owned(),
            text,
            key: key.to_owned(),
            leave: None,
        })
    }

    /// To a subscriber, who leaves with one click at this address (RFC 8058). An address that is no `https` or `http` one
    /// of plain letters is left out.
    #[must_use]
    pub fn with_leave(mut self, url: &str) -> Self {
        let plain = |c: char| c.is_ascii_graphic() && !matches!(c, '<' | '>' | ',');
        let web = url.starts_with("https://") || url.starts_with("http://");
        self.leave = (web && url.chars().all(plain)).then(|| url.to_owned());
        self
    }
}

impl fmt::Debug for Mail {
    /// Says neither to whom nor what.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// Hands mail over.
pub struct Mailer {
    carrier: Carrier,
    from: Mailbox,
    /// Of the mail server, where there is one.
    host: Option<String>,
    port: Option<u16>,
}

enum Carrier {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Played(Arc<dyn Outside>),
}

impl Mailer {
    /// `from` is an address, or a name and an address: `Acme Support <support@acme.example>`.
    ///
    /// # Errors
    /// [`MailError::Insecure`], [`MailError::Tls`], [`MailError::BadAddress`]
    pub fn new(server: MailServer, from: &str) -> Result<Self, MailError> {
        install_tls_provider();
        let from = from.parse().map_err(|_| MailError::BadAddress)?;
        let tls_parameters = || {
            TlsParameters::new(server.host.clone()).map_err(|_| MailError::Tls(server.host.clone()))
        };
        let tls = match server.security {
            MailSecurity::Plain if is_this_machine(&server.host) => Tls::None,
            MailSecurity::Plain => return Err(MailError::Insecure(server.host)),
            MailSecurity::StartTls => Tls::Required(tls_parameters()?),
            MailSecurity::Tls => Tls::Wrapper(tls_parameters()?),
        };
        let (host, port) = (server.host.clone(), server.port);
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host)
            .port(server.port)
            .tls(tls)
            .timeout(Some(ANSWER_TIMEOUT));
        if let Some((user, password)) = server.login {
            builder =
                builder.credentials(Credentials::new(user, password.expose_text().to_owned()));
        }
        Ok(Self {
            carrier: Carrier::Smtp(builder.build()),
            from,
            host: Some(host),
            port: Some(port),
        })
    }

    /// Mail to whoever plays the mail server.
    ///
    /// # Errors
    /// [`MailError::BadAddress`]
    pub fn played(outside: Arc<dyn Outside>, from: &str) -> Result<Self, MailError> {
        Ok(Self {
            carrier: Carrier::Played(outside),
            from: from.parse().map_err(|_| MailError::BadAddress)?,
            host: None,
            port: None,
        })
    }

    /// Connects, protects the connection, signs in and asks for nothing more: whether mail could leave. The error is for the operator.
    pub async fn answers(&self) -> Result<(), String> {
        let Carrier::Smtp(transport) = &self.carrier else {
            return Ok(());
        };
        match tokio::time::timeout(DELIVERY_TIMEOUT, transport.test_connection()).await {
            Ok(Ok(true)) => Ok(()),
            Ok(Ok(false)) => Err("it answered, and then not as a mail server does".to_owned()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it did not answer in time".to_owned()),
        }
    }

    /// Tries once.
    pub async fn send(&self, mail: &Mail, now: Timestamp) -> Delivery {
        let Some(message) = self.compose(mail, now) else {
            return Delivery::Refused(RefusedReason::Malformed);
        };
        let transport = match &self.carrier {
            Carrier::Smtp(transport) => transport,
            Carrier::Played(outside) => {
                return outside
                    .mail(OutsideMail {
                        to: mail.to.to_string(),
                        subject: mail.subject.clone(),
                        text: mail.text.clone(),
                        key: mail.key.clone(),
                    })
                    .await;
            }
        };
        let span = info_span!(
            target: TARGET,
            "mail",
            otel.name = "send mail",
            otel.kind = "client",
            network.protocol.name = "smtp",
            server.address = self.host,
            server.port = self.port,
            "error.type" = Empty,
            otel.status_code = Empty,
        );
        let sending = transport.send(message).instrument(span.clone());
        let sent = tokio::time::timeout(DELIVERY_TIMEOUT, sending).await;
        let delivery = match sent {
            Ok(Ok(_)) => Delivery::HandedOver,
            Ok(Err(error)) => verdict(error.status().map(u16::from)),
            Err(_) => verdict(None),
        };
        if !matches!(delivery, Delivery::HandedOver) {
            traces::failed(&span, "not_handed_over");
        }
        drop(span);
        tracing::info!(key = mail.key, ?delivery, "mail tried");
        delivery
    }

    fn compose(&self, mail: &Mail, now: Timestamp) -> Option<Message> {
        let since_epoch = Duration::from_millis(u64::try_from(now.0).unwrap_or(0));
        let mut message = Message::builder();
        if let Some(url) = &mail.leave {
            message = message
                .header(ListUnsubscribe(url.clone()))
                .header(ListUnsubscribePost);
        }
        message
            .message_id(Some(self.message_id(mail)))
            .from(self.from.clone())
            .to(Mailbox::new(None, mail.to.clone()))
            .date(UNIX_EPOCH.checked_add(since_epoch)?)
            .subject(mail.subject.clone())
            .header(AutoSubmitted)
            .header(header::ContentType::TEXT_PLAIN)
            .body(mail.text.clone())
            .ok()
    }

    fn message_id(&self, mail: &Mail) -> String {
        let named = format!("countersign/mail/v1\0{}\0{}", mail.key, mail.to);
        let hash = digest::digest(&digest::SHA256, named.as_bytes());
        let id = URL_SAFE_NO_PAD.encode(hash.as_ref());
        format!("<{id}@{}>", self.from.email.domain())
    }
}

impl fmt::Debug for Mailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mailer").finish_non_exhaustive()
    }
}

fn verdict(code: Option<u16>) -> Delivery {
    match code {
        // Our own login is wanting or wrong (RFC 4954 §6): ours to mend, not the address's fault.
        Some(code @ (530 | 534 | 535 | 538)) => Delivery::TryLater(LaterReason::Answered(code)),
        Some(code @ 500..) => Delivery::Refused(RefusedReason::Answered(code)),
        Some(code) => Delivery::TryLater(LaterReason::Answered(code)),
        None => Delivery::TryLater(LaterReason::Unreachable),
    }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// RFC 3834: keeps holiday replies from answering.
#[derive(Debug, Clone)]
struct AutoSubmitted;

impl header::Header for AutoSubmitted {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// RFC 2369 §3.2.
#[derive(Debug, Clone)]
struct ListUnsubscribe(String);

impl header::Header for ListUnsubscribe {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("List-Unsubscribe")
    }

    fn parse(written: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self(written.trim_matches(['<', '>']).to_owned()))
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), format!("<{}>", self.0))
    }
}

/// RFC 8058 §3.1: a mail program may leave for its reader, by POST.
#[derive(Debug, Clone)]
struct ListUnsubscribePost;

impl header::Header for ListUnsubscribePost {
    fn name() -> header::HeaderName {
        header::HeaderName::new_from_ascii_str("List-Unsubscribe-Post")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> header::HeaderValue {
        header::HeaderValue::new(Self::name(), "List-Unsubscribe=One-Click".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(host: &str, security: MailSecurity) -> MailServer {
        MailServer {
            host: host.into(),
            port: 25,
            security,
            login: Some(("gate".into(), Secret::new("hunter2"))),
        }
    }

    #[test]
    fn unprotected_mail_stays_on_this_machine() {
        for host in ["127.0.0.1", "::1", "localhost"] {
            assert!(
                Mailer::new(server(host, MailSecurity::Plain), "gate@acme.example").is_ok(),
                "{host}"
            );
        }
        for host in ["mail.acme.example", "127.0.0.1.evil.example", "10.0.0.1"] {
            let error = Mailer::new(server(host, MailSecurity::Plain), "gate@acme.example")
                .map(|_| ())
                .unwrap_err();
            assert_eq!(error, MailError::Insecure(host.into()));
            assert!(
                Mailer::new(server(host, MailSecurity::StartTls), "gate@acme.example").is_ok(),
                "{host}"
            );
            assert!(
                Mailer::new(server(host, MailSecurity::Tls), "gate@acme.example").is_ok(),
                "{host}"
            );
        }
        assert!(!format!("{:?}", server("localhost", MailSecurity::Plain)).contains("hunter2"));
    }

    #[test]
    fn nothing_can_become_a_header_or_a_command() {
        let mail =
            |to: &str, subject: &str, text: &str| Mail::new(to, subject, text, "k").map(|_| ());
        assert_eq!(
            mail(
                "signe@halden.example",
                "Please confirm",
                "Hello\r\n\tSigne\n"
            ),
            Ok(())
        );
        for to in [
            "",
            "signe",
            "signe@halden.example\r\nBcc: all@halden.example",
            "signe@halden.example>",
            "a@b.example, c@d.example",
            "Signe <signe@halden.example>",
            "signe@halden.example\0",
        ] {
            assert_eq!(mail(to, "s", "t"), Err(MailError::BadAddress), "{to}");
        }
        for subject in [
            "",
            "  ",
            "a\r\nBcc: all@halden.example",
            "a\nb",
            "a\rb",
            "a\0b",
            "a\u{85}b",
            &"x".repeat(501),
        ] {
            assert_eq!(
                mail("signe@halden.example", subject, "t"),
                Err(MailError::BadSubject),
                "{subject}"
            );
        }
        for text in [
            "",
            "\n\n",
            "a\rb",
            "a\0b",
            "a\u{1b}[2Jb",
            &"x".repeat(MAX_TEXT_BYTES + 1),
        ] {
            assert_eq!(
                mail("signe@halden.example", "s", text),
                Err(MailError::BadText),
                "{text}"
            );
        }
    }

    #[test]
    fn codes_become_verdicts() {
        assert_eq!(
            verdict(Some(550)),
            Delivery::Refused(RefusedReason::Answered(550))
        );
        assert_eq!(
            verdict(Some(451)),
            Delivery::TryLater(LaterReason::Answered(451))
        );
        assert_eq!(
            verdict(Some(535)),
            Delivery::TryLater(LaterReason::Answered(535))
        );
        assert_eq!(verdict(None), Delivery::TryLater(LaterReason::Unreachable));
    }
}
