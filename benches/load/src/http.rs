//! HTTP/1.1 as far as the load needs it: keep-alive connections, whole bodies with `Content-Length`.
//!
//! The load program shares two cores with what it measures, so it does no more than this.

use std::{cell::RefCell, future::Future, io, net::SocketAddr, rc::Rc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The longest message taken.
const MESSAGE_BYTES_MAX: usize = 1 << 20;

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// `name=value` of the first cookie it sets to something.
    pub(crate) cookie: Option<String>,
    pub(crate) body: Vec<u8>,
}

/// Connections to one server, kept open.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    server: SocketAddr,
    idle: Rc<RefCell<Vec<TcpStream>>>,
}

impl Pool {
    pub(crate) fn new(server: SocketAddr) -> Self {
        Self {
            server,
            idle: Rc::default(),
        }
    }

    pub(crate) fn server(&self) -> SocketAddr {
        self.server
    }

    /// Asks once. `line` is the request line without the version, `headers` further lines, each ended by `\r\n`.
    pub(crate) async fn ask(&self, line: &str, headers: &str, body: &[u8]) -> io::Result<Answer> {
        let kept = self.idle.borrow_mut().pop();
        let mut connection = match kept {
            Some(connection) => connection,
            None => connect(self.server).await?,
        };
        let mut request = format!(
            "{line} HTTP/1.1\r\nhost: localhost\r\n{headers}content-length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        connection.write_all(&request).await?;
        let mut buffer = Vec::with_capacity(4_096);
        let message = read_message(&mut connection, &mut buffer)
            .await?
            .ok_or(io::ErrorKind::UnexpectedEof)?;
        self.idle.borrow_mut().push(connection);
        Ok(Answer {
            status: message
                .first_line
                .split(' ')
                .nth(1)
                .and_then(|status| status.parse().ok())
                .unwrap_or(0),
            cookie: message.cookie,
            body: message.body,
        })
    }
}

async fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let connection = TcpStream::connect(server).await?;
    connection.set_nodelay(true)?;
    Ok(connection)
}

struct Message {
    first_line: String,
    cookie: Option<String>,
    body: Vec<u8>,
}

/// The next message; `None` where the other end has closed before one began.
async fn read_message(
    connection: &mut TcpStream,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Message>> {
    let end = loop {
        if let Some(at) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if buffer.len() > MESSAGE_BYTES_MAX {
            return Err(io::ErrorKind::InvalidData.into());
        }
        if connection.read_buf(buffer).await? == 0 {
            return if buffer.is_empty() {
                Ok(None)
            } else {
                Err(io::ErrorKind::UnexpectedEof.into())
            };
        }
    };
    let rest = buffer.split_off(end);
    let head = String::from_utf8_lossy(buffer);
    let mut lines = head.split("\r\n");
    let first_line = lines.next().unwrap_or_default().to_owned();
    let (mut length, mut cookie) = (0_usize, None);
    for line in lines {
        let Some((name, value)) = line.split_once(": ") else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().map_err(|_| io::ErrorKind::InvalidData)?;
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            return Err(io::Error::other("an answer in chunks"));
        } else if name.eq_ignore_ascii_case("set-cookie") && cookie.is_none() {
            let pair = value.split(';').next().unwrap_or_default();
            cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
        }
    }
    let mut body = rest;
    while body.len() < length {
        if length > MESSAGE_BYTES_MAX || connection.read_buf(&mut body).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
    *buffer = body.split_off(length);
    Ok(Some(Message {
        first_line,
        cookie,
        body,
    }))
}

/// Answers every request with what `answer` makes of its first line and body: JSON.
pub(crate) async fn serve<F, A>(listener: TcpListener, answer: F)
where
    F: Fn(String, Vec<u8>) -> A + Clone + 'static,
    A: Future<Output = String>,
{
    while let Ok((mut connection, _)) = listener.accept().await {
        let answer = answer.clone();
        tokio::task::spawn_local(async move {
            // Only speed is lost without it.
            let _ = connection.set_nodelay(true);
            let mut buffer = Vec::with_capacity(8_192);
            while let Ok(Some(message)) = read_message(&mut connection, &mut buffer).await {
                let body = answer(message.first_line, message.body).await;
                let response = format!(
                    "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                    body.len()
                );
                if connection.write_all(response.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
    }
}
