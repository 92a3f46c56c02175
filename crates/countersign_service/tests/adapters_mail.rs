//! Real mail by a real client to a real (small) server, and what happens when either misbehaves.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot be set up has failed"
)]

use std::time::Duration;

use countersign_cases::Timestamp;
use countersign_service::adapters::{
    delivery::{Delivery, LaterReason, RefusedReason},
    mailer::{Mail, MailSecurity, MailServer, Mailer},
    smtp_sink::{MAX_MESSAGE_BYTES, ReceivedMail, SmtpSink},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};

const NOW: Timestamp = Timestamp(1_760_000_000_000);
const SIGNE: &str = "signe@halden.example";
const PATIENCE: Duration = Duration::from_secs(10);

fn mailer_at(port: u16, security: MailSecurity) -> Mailer {
    let server = MailServer {
        host: "127.0.0.1".into(),
        port,
        security,
        login: None,
    };
    Mailer::new(server, "Acme Support <support@acme.example>").unwrap()
}

fn mailer(sink: &SmtpSink) -> Mailer {
    mailer_at(sink.address().port(), MailSecurity::Plain)
}

fn notice(text: &str) -> Mail {
    Mail::new(
        SIGNE,
        "Begäran om ominstallation – är det du?",
        text,
        "notice/CS-7F3K9Q/1",
    )
    .unwrap()
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let sink = SmtpSink::start(0).await.unwrap();
    let long = format!("{}\n", "ett långt ord och ett till ".repeat(100));
    for text in [
        "Hello Signe,\n\nplain ASCII.\n",
        "Hej Signe,\när det du?\nhttps://support.acme.example/c/cs_link_abc=def\n",
        ".\n..\n.hidden\n",
        &long,
    ] {
        assert_eq!(
            mailer(&sink).send(&notice(text), NOW).await,
            Delivery::HandedOver
        );
        let received = sink.mails().pop().unwrap();
        assert_eq!(
            received.text().trim_end_matches('\n'),
            text.trim_end_matches('\n')
        );
        assert_eq!(received.subject(), "Begäran om ominstallation – är det du?");
        assert_eq!(
            (received.from.as_str(), received.to.as_slice()),
            ("support@acme.example", [SIGNE.to_owned()].as_slice())
        );
        assert_eq!(
            received.header("From").as_deref(),
            Some("\"Acme Support\" <support@acme.example>")
        );
        assert_eq!(received.header("To").as_deref(), Some(SIGNE));
        assert_eq!(
            received.header("Date").as_deref(),
            Some("Thu, 09 Oct 2025 08:53:20 +0000")
        );
        assert_eq!(
            received.header("Auto-Submitted").as_deref(),
            Some("auto-generated")
        );
        assert!(
            received
                .header("Content-Type")
                .unwrap()
                .starts_with("text/plain")
        );
    }
    assert_eq!(sink.mails().len(), 4);
}

#[tokio::test]
async fn a_refused_address_is_refused_for_good_or_for_now() {
    let sink = SmtpSink::start(0).await.unwrap();
    sink.refuse("Signe@Halden.example", 550);
    assert_eq!(
        mailer(&sink).send(&notice("x"), NOW).await,
        Delivery::Refused(RefusedReason::Answered(550))
    );
    sink.refuse(SIGNE, 450);
    assert_eq!(
        mailer(&sink).send(&notice("x"), NOW).await,
        Delivery::TryLater(LaterReason::Answered(450))
    );
    sink.refuse(SIGNE, 535);
    assert_eq!(
        mailer(&sink).send(&notice("x"), NOW).await,
        Delivery::TryLater(LaterReason::Answered(535))
    );
    assert!(sink.mails().is_empty());
    sink.accept(SIGNE);
    assert_eq!(
        mailer(&sink).send(&notice("x"), NOW).await,
        Delivery::HandedOver
    );
}

/// The server has it, we do not know: the repeat is recognisable as the same message.
#[tokio::test]
async fn a_repeat_after_a_lost_answer_has_the_same_message_id() {
    let sink = SmtpSink::start(0).await.unwrap();
    sink.lose_next_answer();
    assert_eq!(
        mailer(&sink).send(&notice("x"), NOW).await,
        Delivery::TryLater(LaterReason::Unreachable)
    );
    assert_eq!(
        mailer(&sink).send(&notice("x"), NOW.plus_seconds(60)).await,
        Delivery::HandedOver
    );
    let other = Mail::new(SIGNE, "s", "x", "notice/CS-7F3K9Q/2").unwrap();
    assert_eq!(mailer(&sink).send(&other, NOW).await, Delivery::HandedOver);
    let elsewhere = Mail::new("ombud@halden.example", "s", "x", "notice/CS-7F3K9Q/1").unwrap();
    assert_eq!(
        mailer(&sink).send(&elsewhere, NOW).await,
        Delivery::HandedOver
    );
    let ids: Vec<String> = sink
        .mails()
        .iter()
        .map(|mail| mail.header("Message-ID").unwrap())
        .collect();
    assert_eq!(ids[0], ids[1]);
    assert!(ids[0].ends_with("@acme.example>"), "{}", ids[0]);
    assert!(
        ids[2] != ids[0] && ids[3] != ids[0] && ids[2] != ids[3],
        "{ids:?}"
    );
}

#[tokio::test]
async fn nobody_there_and_a_server_that_hangs_up_are_for_later() {
    let nobody = TcpListener::bind("127.0.0.1:0")
        .await
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    assert_eq!(
        mailer_at(nobody, MailSecurity::Plain)
            .send(&notice("x"), NOW)
            .await,
        Delivery::TryLater(LaterReason::Unreachable)
    );
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = rude.local_addr().unwrap().port();
    let hang_up = tokio::spawn(async move { drop(rude.accept().await.unwrap()) });
    assert_eq!(
        mailer_at(port, MailSecurity::Plain)
            .send(&notice("x"), NOW)
            .await,
        Delivery::TryLater(LaterReason::Unreachable)
    );
    hang_up.await.unwrap();
}

/// A server that offers no STARTTLS, or someone in between who struck it out, gets no mail.
#[tokio::test]
async fn protection_that_is_required_is_never_dropped() {
    let sink = SmtpSink::start(0).await.unwrap();
    for security in [MailSecurity::StartTls, MailSecurity::Tls] {
        let delivery = mailer_at(sink.address().port(), security)
            .send(&notice("x"), NOW)
            .await;
        assert!(matches!(delivery, Delivery::TryLater(_)), "{delivery:?}");
    }
    assert!(sink.mails().is_empty());
}

#[tokio::test]
async fn waiting_for_a_message_ends_with_it_or_in_time() {
    let sink = SmtpSink::start(0).await.unwrap();
    assert_eq!(
        sink.wait_for(Duration::from_millis(10), |_| true).await,
        None
    );
    let mailer = mailer(&sink);
    let (found, delivery) = tokio::join!(
        sink.wait_for(PATIENCE, |mail: &ReceivedMail| mail
            .text()
            .contains("code 17")),
        async {
            mailer.send(&notice("code 16"), NOW).await;
            mailer.send(&notice("code 17"), NOW).await
        }
    );
    assert_eq!(delivery, Delivery::HandedOver);
    assert_eq!(found.unwrap().text().trim_end(), "code 17");
    assert_eq!(sink.mails_to("SIGNE@halden.example").len(), 2);
    assert_eq!(sink.mails_to("other@halden.example").len(), 0);
}

#[tokio::test]
async fn the_server_stops_when_dropped() {
    let sink = SmtpSink::start(0).await.unwrap();
    let mut open = Client::connect(&sink).await;
    let address = sink.address();
    drop(sink);
    let mut rest = String::new();
    tokio::time::timeout(PATIENCE, open.reader.read_to_string(&mut rest))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rest, "");
    assert!(TcpStream::connect(address).await.is_err());
}

mod by_hand {
    use super::*;

    #[tokio::test]
    async fn the_order_of_commands_matters() {
        let sink = SmtpSink::start(0).await.unwrap();
        let mut client = Client::connect(&sink).await;
        for (line, code) in [
            ("MAIL FROM:<a@b.example>", "503"),
            ("HELO me", "250"),
            ("NOOP", "250"),
            ("RCPT TO:<a@b.example>", "503"),
            ("DATA", "503"),
            ("MAIL TO:<a@b.example>", "501"),
            ("MAIL a@b.example", "501"),
            ("MAIL FROM:<>", "250"),
            ("MAIL FROM:<a@b.example>", "503"),
            ("RCPT TO:<nobody>", "501"),
            ("RCPT TO:<a@b.example>", "250"),
            ("RSET", "250"),
            ("DATA", "503"),
            ("mail from: <a@b.example> size=1000", "250"),
            ("rcpt to:<c@d.example>", "250"),
            ("VRFY a", "502"),
            ("AUTH PLAIN AAAA", "502"),
            ("", "502"),
            ("DATA", "354"),
            ("Subject: by hand\r\n\r\n..dot\r\n.", "250"),
            ("DATA", "503"),
            ("QUIT", "221"),
        ] {
            assert!(client.ask(line).await.starts_with(code), "{line}");
        }
        let mails = sink.mails();
        assert_eq!(mails.len(), 1);
        assert_eq!(mails[0].raw, b"Subject: by hand\r\n\r\n.dot\r\n");
        assert_eq!(mails[0].to, ["c@d.example"]);
    }

    #[tokio::test]
    async fn too_much_is_refused_and_the_conversation_goes_on() {
        let sink = SmtpSink::start(0).await.unwrap();
        let mut client = Client::connect(&sink).await;
        assert!(client.ask("EHLO me").await.starts_with("250"));
        assert!(
            client
                .ask(&format!(
                    "MAIL FROM:<a@b.example> SIZE={}",
                    MAX_MESSAGE_BYTES + 1
                ))
                .await
                .starts_with("552")
        );
        assert!(
            client
                .ask("MAIL FROM:<a@b.example>")
                .await
                .starts_with("250")
        );
        for number in 0..100 {
            assert!(
                client
                    .ask(&format!("RCPT TO:<c{number}@d.example>"))
                    .await
                    .starts_with("250")
            );
        }
        assert!(
            client
                .ask("RCPT TO:<c100@d.example>")
                .await
                .starts_with("452")
        );
        assert!(client.ask("DATA").await.starts_with("354"));
        let line = format!("{}\r\n", "x".repeat(998));
        assert!(
            client
                .ask(&format!("{}.", line.repeat(MAX_MESSAGE_BYTES / 1000 + 1)))
                .await
                .starts_with("552")
        );
        assert!(sink.mails().is_empty());
        assert!(client.ask("NOOP").await.starts_with("250"));
    }

    #[tokio::test]
    async fn a_bare_line_feed_ends_nothing() {
        let sink = SmtpSink::start(0).await.unwrap();
        let mut client = Client::connect(&sink).await;
        for (line, code) in [
            ("HELO me", "250"),
            ("MAIL FROM:<a@b.example>", "250"),
            ("RCPT TO:<c@d.example>", "250"),
            ("DATA", "354"),
            // What follows the false end would be a second message.
            (
                "Subject: x\r\n\r\nhello\n.\nMAIL FROM:<evil@b.example>\r\n.",
                "554",
            ),
            ("NOOP", "250"),
            ("NOOP\nMAIL FROM:<evil@b.example>", "500"),
        ] {
            assert!(client.ask(line).await.starts_with(code), "{line}");
        }
        assert!(sink.mails().is_empty());
    }

    #[tokio::test]
    async fn an_endless_command_ends_the_conversation() {
        let sink = SmtpSink::start(0).await.unwrap();
        let mut client = Client::connect(&sink).await;
        let _ = client.writer.write_all(&vec![b'x'; 100_000]).await;
        let mut rest = Vec::new();
        // Closed or reset, but not waiting for more.
        let _ = tokio::time::timeout(PATIENCE, client.reader.read_to_end(&mut rest))
            .await
            .unwrap();
        assert!(mailer(&sink).send(&notice("still there"), NOW).await == Delivery::HandedOver);
    }
}

struct Client {
    reader: BufReader<tokio::net::tcp::OwnedReadHalf>,
    writer: tokio::net::tcp::OwnedWriteHalf,
}

impl Client {
    async fn connect(sink: &SmtpSink) -> Self {
        let (reader, writer) = TcpStream::connect(sink.address())
            .await
            .unwrap()
            .into_split();
        let mut client = Self {
            reader: BufReader::new(reader),
            writer,
        };
        assert!(client.answer().await.starts_with("220"));
        client
    }

    async fn ask(&mut self, line: &str) -> String {
        self.writer
            .write_all(format!("{line}\r\n").as_bytes())
            .await
            .unwrap();
        self.answer().await
    }

    /// The last line of one answer.
    async fn answer(&mut self) -> String {
        loop {
            let mut line = String::new();
            tokio::time::timeout(PATIENCE, self.reader.read_line(&mut line))
                .await
                .unwrap()
                .unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line;
            }
        }
    }
}
