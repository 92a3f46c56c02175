//! A small SMTP server that keeps what it receives in memory, for the demo and for tests.
//!
//! It listens on the loopback only, relays nothing, and speaks enough of
//! RFC 5321 for real clients to hand real mail over: HELO, EHLO, MAIL, RCPT,
//! DATA, RSET, NOOP, QUIT, within limits of size, number and time. It can be
//! told to refuse an address, or to lose an answer.

use std::{
    collections::{BTreeMap, VecDeque},
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    sync::{Semaphore, watch},
    task::JoinHandle,
    time::{Instant, timeout, timeout_at},
};

/// Longest message, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;
/// Longest command line (RFC 5321 §4.5.3.1.4 says 512; extensions lengthen MAIL).
const MAX_COMMAND_BYTES: usize = 1024;
/// RFC 5321 §4.5.3.1.8.
const MAX_RECIPIENTS: usize = 100;
const MAX_CONNECTIONS: usize = 32;
/// Older mail is forgotten.
const MAX_KEPT: usize = 10_000;
/// The longest a client may think.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest one message may take to arrive.
const DATA_PATIENCE: Duration = Duration::from_mins(1);

/// A running server. Stops when dropped.
#[derive(Debug)]
pub struct SmtpSink {
    address: SocketAddr,
    shared: Arc<Shared>,
    listener: JoinHandle<()>,
}

/// A message as received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedMail {
    /// Envelope sender.
    pub from: String,
    /// Envelope recipients.
    pub to: Vec<String>,
    /// Headers and body, dots unstuffed, line ends CRLF.
    pub raw: Vec<u8>,
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// How many messages were ever received.
    received: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    mails: VecDeque<ReceivedMail>,
    refusals: BTreeMap<String, u16>,
    answers_to_lose: u32,
}

impl SmtpSink {
    /// Listens on this port of 127.0.0.1; 0 for any free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            received: watch::Sender::new(0),
        });
        let listener = tokio::spawn(listen(listener, Arc::clone(&shared)));
        Ok(Self {
            address,
            shared,
            listener,
        })
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// All mail received, oldest first.
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state().mails.iter().cloned().collect()
    }

    /// All mail received for an address, oldest first.
    pub fn mails_to(&self, address: &str) -> Vec<ReceivedMail> {
        self.shared
            .state()
            .mails
            .iter()
            .filter(|mail| mail.is_to(address))
            .cloned()
            .collect()
    }

    /// The newest message that fits, as soon as there is one; `None` if there is none in time.
    pub async fn wait_for(
        &self,
        patience: Duration,
        fits: impl Fn(&ReceivedMail) -> bool,
    ) -> Option<ReceivedMail> {
        let deadline = Instant::now() + patience;
        let mut received = self.shared.received.subscribe();
        loop {
            received.mark_unchanged();
            let found = self
                .shared
                .state()
                .mails
                .iter()
                .rev()
                .find(|mail| fits(mail))
                .cloned();
            if found.is_some() {
                return found;
            }
            timeout_at(deadline, received.changed()).await.ok()?.ok()?;
        }
    }

    /// From now on answers this code, such as 450 or 550, to this recipient.
    pub fn refuse(&self, address: &str, code: u16) {
        self.shared
            .state()
            .refusals
            .insert(address.to_ascii_lowercase(), code);
    }

    /// From now on accepts this recipient again.
    pub fn accept(&self, address: &str) {
        self.shared
            .state()
            .refusals
            .remove(&address.to_ascii_lowercase());
    }

    /// Keeps the next message, but hangs up instead of saying so.
    pub fn lose_next_answer(&self) {
        self.shared.state().answers_to_lose += 1;
    }
}

impl Drop for SmtpSink {
    fn drop(&mut self) {
        self.listener.abort();
    }
}

impl ReceivedMail {
    /// Whether an address is among the recipients, in any case of letters.
    pub fn is_to(&self, address: &str) -> bool {
        self.to.iter().any(|to| to.eq_ignore_ascii_case(address))
    }

    /// First header of this name, unfolded, encoded words (RFC 2047) decoded.
    pub fn header(&self, name: &str) -> Option<String> {
        self.raw_header(name).map(|value| decode_words(&value))
    }

    /// The subject.
    pub fn subject(&self) -> String {
        self.header("Subject").unwrap_or_default()
    }

    /// The body as text, transfer encoding decoded, line ends LF. Not for multipart messages.
    pub fn text(&self) -> String {
        let body = self.head_and_body().1;
        let encoding = self
            .raw_header("Content-Transfer-Encoding")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let decoded = match encoding.as_str() {
            "quoted-printable" => decode_quoted_printable(&body),
            "base64" => STANDARD
                .decode(body.split_whitespace().collect::<String>())
                .unwrap_or_default(),
            _ => body.into_bytes(),
        };
        String::from_utf8_lossy(&decoded).replace("\r\n", "\n")
    }

    fn raw_header(&self, name: &str) -> Option<String> {
        let head = self
            .head_and_body()
            .0
            .replace("\r\n ", " ")
            .replace("\r\n\t", " ");
        head.split("\r\n")
            .filter_map(|line| line.split_once(':'))
            .find(|(found, _)| found.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.trim().to_owned())
    }

    fn head_and_body(&self) -> (String, String) {
        let text = String::from_utf8_lossy(&self.raw);
        text.split_once("\r\n\r\n").map_or_else(
            || (text.clone().into_owned(), String::new()),
            |(head, body)| (head.to_owned(), body.to_owned()),
        )
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a message. False if its answer is to be lost.
    fn keep(&self, mail: ReceivedMail) -> bool {
        let mut state = self.state();
        if state.mails.len() >= MAX_KEPT {
            state.mails.pop_front();
        }
        state.mails.push_back(mail);
        let lose = state.answers_to_lose > 0;
        state.answers_to_lose = state.answers_to_lose.saturating_sub(1);
        drop(state);
        self.received.send_modify(|count| *count += 1);
        !lose
    }
}

async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    // Dropped with this task, and every conversation with it.
    let mut conversations = tokio::task::JoinSet::new();
    loop {
        while conversations.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&places).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        let shared = Arc::clone(&shared);
        conversations.spawn(async move {
            let _place = place;
            // The other side hung up, was silent too long, or broke the rules: nothing more to say.
            let _ended = Conversation::new(stream, shared).hold().await.is_ok();
        });
    }
}

struct Conversation {
    reader: BufReader<OwnedReadHalf>,
    writer: OwnedWriteHalf,
    shared: Arc<Shared>,
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

impl Conversation {
    fn new(stream: TcpStream, shared: Arc<Shared>) -> Self {
        let (reader, writer) = stream.into_split();
        Self {
            reader: BufReader::new(reader),
            writer,
            shared,
            greeted: false,
            from: None,
            to: Vec::new(),
        }
    }

    async fn hold(mut self) -> io::Result<()> {
        self.say("220 localhost ESMTP sink").await?;
        loop {
            let line = timeout(PATIENCE, read_line(&mut self.reader, MAX_COMMAND_BYTES))
                .await
                .map_err(|_| io::ErrorKind::TimedOut)??;
            let Some(line) = line
                .strip_suffix(b"\r\n")
                .and_then(|line| std::str::from_utf8(line).ok())
            else {
                self.say("500 5.5.2 a command is text that ends with CRLF")
                    .await?;
                continue;
            };
            let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.greet(&format!("250-localhost\r\n250-SIZE {MAX_MESSAGE_BYTES}\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 ENHANCEDSTATUSCODES")).await?,
                "HELO" => self.greet("250 localhost").await?,
                "MAIL" => self.mail(rest).await?,
                "RCPT" => self.recipient(rest).await?,
                "DATA" => {
                    if !self.data().await? {
                        return Ok(());
                    }
                }
                "RSET" => {
                    self.reset();
                    self.say("250 2.0.0 ok").await?;
                }
                "NOOP" => self.say("250 2.0.0 ok").await?,
                "QUIT" => return self.say("221 2.0.0 bye").await,
                _ => self.say("502 5.5.1 unknown command").await?,
            }
        }
    }

    async fn greet(&mut self, answer: &str) -> io::Result<()> {
        self.greeted = true;
        self.reset();
        self.say(answer).await
    }

    async fn mail(&mut self, rest: &str) -> io::Result<()> {
        if !self.greeted || self.from.is_some() {
            return self.say("503 5.5.1 not now").await;
        }
        let Some((from, parameters)) = path(rest, "FROM:") else {
            return self.say("501 5.5.4 MAIL FROM:<address>").await;
        };
        let announced = parameters.split(' ').find_map(|parameter| {
            parameter
                .to_ascii_uppercase()
                .strip_prefix("SIZE=")?
                .parse::<usize>()
                .ok()
        });
        if announced.is_some_and(|size| size > MAX_MESSAGE_BYTES) {
            return self.say("552 5.3.4 too big").await;
        }
        self.from = Some(from.to_owned());
        self.say("250 2.1.0 ok").await
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<()> {
        if self.from.is_none() {
            return self.say("503 5.5.1 MAIL first").await;
        }
        let Some((to, _)) = path(rest, "TO:").filter(|(to, _)| to.contains('@')) else {
            return self.say("501 5.5.4 RCPT TO:<address>").await;
        };
        if self.to.len() >= MAX_RECIPIENTS {
            return self.say("452 4.5.3 too many recipients").await;
        }
        let refusal = self
            .shared
            .state()
            .refusals
            .get(&to.to_ascii_lowercase())
            .copied();
        if let Some(code) = refusal {
            let answer = format!("{code} {}.1.1 refused as told", code / 100);
            return self.say(&answer).await;
        }
        self.to.push(to.to_owned());
        self.say("250 2.1.5 ok").await
    }

    /// False if the conversation is to end without an answer.
    async fn data(&mut self) -> io::Result<bool> {
        let Some(from) = self.from.clone().filter(|_| !self.to.is_empty()) else {
            self.say("503 5.5.1 RCPT first").await?;
            return Ok(true);
        };
        self.say("354 go on").await?;
        let received = timeout(DATA_PATIENCE, read_message(&mut self.reader))
            .await
            .map_err(|_| io::ErrorKind::TimedOut)??;
        let to = std::mem::take(&mut self.to);
        self.reset();
        match received {
            Received::Whole(raw) => {
                let answer = self.shared.keep(ReceivedMail { from, to, raw });
                if answer {
                    self.say("250 2.0.0 kept").await?;
                }
                return Ok(answer);
            }
            Received::TooBig => self.say("552 5.3.4 too big").await?,
            Received::BareLineFeed => self.say("554 5.6.0 every line ends with CRLF").await?,
        }
        Ok(true)
    }

    fn reset(&mut self) {
        self.from = None;
        self.to.clear();
    }

    async fn say(&mut self, answer: &str) -> io::Result<()> {
        let bytes = format!("{answer}\r\n").into_bytes();
        timeout(PATIENCE, self.writer.write_all(&bytes))
            .await
            .map_err(|_| io::ErrorKind::TimedOut)?
    }
}

/// `FROM:<a@b> PARAMETERS` as address and parameters.
fn path<'a>(rest: &'a str, keyword: &str) -> Option<(&'a str, &'a str)> {
    let (found, rest) = rest.split_at_checked(keyword.len())?;
    let (address, parameters) = rest.trim_start().strip_prefix('<')?.split_once('>')?;
    found
        .eq_ignore_ascii_case(keyword)
        .then_some((address, parameters.trim()))
}

enum Received {
    Whole(Vec<u8>),
    TooBig,
    BareLineFeed,
}

/// Up to the line with a single dot (RFC 5321 §4.1.1.4). Only CRLF ends a line: anything else is how mail is smuggled.
async fn read_message(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Received> {
    let mut message = Vec::new();
    let (mut too_big, mut bare) = (false, false);
    loop {
        let line = read_line(reader, MAX_MESSAGE_BYTES).await?;
        if line == b".\r\n" {
            break;
        }
        bare |= !line.ends_with(b"\r\n");
        let unstuffed = line.strip_prefix(b".").unwrap_or(&line);
        too_big |= message.len() + unstuffed.len() > MAX_MESSAGE_BYTES;
        if !too_big {
            message.extend_from_slice(unstuffed);
        }
    }
    Ok(match (too_big, bare) {
        (true, _) => Received::TooBig,
        (false, true) => Received::BareLineFeed,
        (false, false) => Received::Whole(message),
    })
}

/// Up to and with the next line feed. A line over the limit or cut short ends the conversation.
async fn read_line(reader: &mut BufReader<OwnedReadHalf>, limit: usize) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    let limit = u64::try_from(limit).unwrap_or(u64::MAX);
    reader.take(limit).read_until(b'\n', &mut line).await?;
    if line.ends_with(b"\n") {
        Ok(line)
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

fn decode_quoted_printable(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    loop {
        match rest {
            [b'=', b'\r', b'\n', after @ ..] => rest = after,
            [b'=', high, low, after @ ..] => {
                let digit = |byte: &u8| {
                    char::from(*byte)
                        .to_digit(16)
                        .and_then(|digit| u8::try_from(digit).ok())
                };
                match (digit(high), digit(low)) {
                    (Some(high), Some(low)) => decoded.push(high << 4 | low),
                    _ => decoded.extend([b'=', *high, *low]),
                }
                rest = after;
            }
            [byte, after @ ..] => {
                decoded.push(*byte);
                rest = after;
            }
            [] => return decoded,
        }
    }
}

/// RFC 2047 §6.2: white space between two encoded words is not shown.
fn decode_words(value: &str) -> String {
    let mut decoded = String::new();
    let mut after_word = false;
    for token in value.split(' ') {
        let word = decode_word(token);
        let space = if decoded.is_empty() || (after_word && word.is_some()) {
            ""
        } else {
            " "
        };
        decoded.push_str(space);
        decoded.push_str(word.as_deref().unwrap_or(token));
        after_word = word.is_some();
    }
    decoded
}

fn decode_word(token: &str) -> Option<String> {
    let (charset, rest) = token
        .strip_prefix("=?")?
        .strip_suffix("?=")?
        .split_once('?')?;
    let (encoding, text) = rest.split_once('?')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let bytes = match encoding {
        "b" | "B" => STANDARD.decode(text).ok()?,
        "q" | "Q" => decode_quoted_printable(&text.replace('_', " ")),
        _ => return None,
    };
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(raw: &str) -> ReceivedMail {
        ReceivedMail {
            from: String::new(),
            to: vec![],
            raw: raw.replace('\n', "\r\n").into_bytes(),
        }
    }

    #[test]
    fn headers_are_unfolded_and_decoded() {
        let mail = mail(
            "Subject: =?utf-8?b?UsOkdHQ=?= =?UTF-8?Q?_=C3=A4r_r=C3=A4tt?=\n plain end\nX-Other: a\n\tb\n\nbody",
        );
        assert_eq!(mail.subject(), "Rätt är rätt plain end");
        assert_eq!(mail.header("x-other").as_deref(), Some("a b"));
        assert_eq!(mail.header("missing"), None);
    }

    #[test]
    fn bodies_are_decoded() {
        assert_eq!(mail("A: b\n\nplain\ntext\n").text(), "plain\ntext\n");
        assert_eq!(
            mail("Content-Transfer-Encoding: quoted-printable\n\nr=C3=A4tt=\n soft =3D").text(),
            "rätt soft ="
        );
        assert_eq!(
            mail("Content-Transfer-Encoding: base64\n\nUsOk\ndHQ=").text(),
            "Rätt"
        );
        assert_eq!(
            mail("Content-Transfer-Encoding: quoted-printable\n\nodd =zz =").text(),
            "odd =zz ="
        );
    }
}
