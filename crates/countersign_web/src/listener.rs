//! Accepting connections: each in a task of its own, none for longer than it is of use.
//!
//! What a client can do slowly has an end: the head of a request here, its
//! body in [`crate::body`], and taking the answer here again.
//!
//! Here and not in the program, which is compiled half optimised: whoever names hyper's connection compiles its code.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, Sleep, sleep};
use tower::Service as _;

/// Most connections at once; another one is told to come back.
const MOST_CONNECTIONS: usize = 4_096;

/// How many are being told so at once; further ones wait in the kernel's queue.
const MOST_TURNED_AWAY: usize = 256;

/// How long it may take to tell one.
const TURNED_AWAY_WITHIN: Duration = Duration::from_secs(1);

/// What one is told, whatever it asks.
const COME_BACK: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\nconnection: close\r\ncache-control: no-store\r\ncontent-length: 0\r\n\r\n";

/// Pause after the system had no connection to give, such as for want of file descriptors.
const AFTER_TROUBLE: Duration = Duration::from_millis(200);

/// How long a client may take.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// From a connection's beginning, or the answer before, to the last line of a request's head. An idle connection
    /// is closed after it as well: a proxy in front must let go of idle connections sooner.
    pub head: Duration,
    /// For which an answer may wait to be taken without any of it being taken.
    pub stall: Duration,
    /// For which an idle connection is kept open once no more are taken: its other end may be sending this very moment,
    /// and is told with the answer that it is the last.
    pub linger: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // Above the 60 s for which common proxies keep an idle connection.
            head: Duration::from_secs(65),
            stall: Duration::from_secs(30),
            linger: Duration::from_secs(1),
        }
    }
}

/// The socket to listen on: the one that whoever started the program holds for it (`LISTEN_FDS`, as systemd's socket
/// units do), else a new one at this address. A socket that outlives the program loses no connection while one program
/// ends and the next begins: they wait in its queue.
///
/// # Errors
/// Whatever the system says.
pub async fn bind(address: &str) -> io::Result<(TcpListener, Held)> {
    if let Some(listener) = listenfd::ListenFd::from_env().take_tcp_listener(0)? {
        listener.set_nonblocking(true)?;
        return Ok((TcpListener::from_std(listener)?, Held::Outside));
    }
    Ok((TcpListener::bind(address).await?, Held::Here))
}

/// Who holds a listening socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// This program: connections are refused once it is gone.
    Here,
    /// Whoever started it.
    Outside,
}

/// Serves until `stop` is true; then accepts no more, and ends once the requests in progress are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    patience: Patience,
    stop: watch::Receiver<bool>,
) {
    serve_at_most(MOST_CONNECTIONS, listener, router, patience, stop).await;
}

async fn serve_at_most(
    most: usize,
    listener: TcpListener,
    router: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(most));
    let turned_away = Arc::new(Semaphore::new(MOST_TURNED_AWAY));
    // Every connection holds a sender of this: when the last is gone, all have ended.
    let (alive, mut ended) = tokio::sync::mpsc::channel::<()>(1);
    loop {
        let next = async {
            let away = Arc::clone(&turned_away).acquire_owned().await;
            (away, listener.accept().await)
        };
        let (away, accepted) = tokio::select! {
            next = next => next,
            () = asked(&mut stop) => break,
        };
        let (connection, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) if is_of_one_connection(&error) => continue,
            Err(error) => {
                tracing::warn!(%error, "no connection could be accepted");
                sleep(AFTER_TROUBLE).await;
                continue;
            }
        };
        // Only speed is lost without it.
        let _ = connection.set_nodelay(true);
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            tokio::spawn(async move {
                turn_away(connection).await;
                drop(away);
            });
            continue;
        };
        let (router, stop, alive) = (router.clone(), stop.clone(), alive.clone());
        tokio::spawn(async move {
            one(connection, peer, router, patience, stop).await;
            drop((place, alive));
        });
    }
    drop((listener, alive));
    // Nothing is ever sent: this ends when the last sender is gone.
    ended.recv().await;
}

/// Says when to come back, and closes only once the other end has read it: a close over bytes that were not read would
/// throw the answer away.
async fn turn_away(mut connection: TcpStream) {
    let told = async {
        connection.write_all(COME_BACK).await?;
        connection.shutdown().await?;
        let mut rest = [0; 1_024];
        while connection.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    // Whoever does not listen is not told.
    let _ = tokio::time::timeout(TURNED_AWAY_WITHIN, told).await;
}

/// Done once `stop` is true, or nobody is left who could say so.
async fn asked(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The client went away between its knock and our answer.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
    )
}

async fn one(
    connection: TcpStream,
    peer: SocketAddr,
    router: Router,
    patience: Patience,
    mut stop: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().call(request)
    });
    let io = TokioIo::new(Patient::new(connection, patience.stall));
    let mut served = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.head)
            .serve_connection(io, service)
    );
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = asked(&mut stop) => {
            if let Ok(ended) = tokio::time::timeout(patience.linger, served.as_mut()).await { ended } else {
                served.as_mut().graceful_shutdown();
                served.await
            }
        }
    };
    if let Err(error) = ended {
        // A client that left or was too slow: nothing that anybody here must act on.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// A connection whose other end must take some of what it is sent within a time.
struct Patient {
    connection: TcpStream,
    stall: Duration,
    /// Runs while a write waits.
    until: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn new(connection: TcpStream, stall: Duration) -> Self {
        Self {
            connection,
            stall,
            until: None,
        }
    }

    /// Passes an outcome of writing on, or ends the wait for it.
    fn bounded<T>(
        &mut self,
        outcome: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.until = None;
            return outcome;
        }
        let stall = self.stall;
        let until = self
            .until
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(Instant::now() + stall)));
        ready!(until.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_read(context, into)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write(context, bytes);
        self.bounded(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.connection).poll_write_vectored(context, pieces);
        self.bounded(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.connection.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.connection).poll_flush(context);
        self.bounded(flushed, context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.connection).poll_shutdown(context);
        self.bounded(shut, context)
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use axum::routing::{get, post};
    use tokio::sync::Notify;
    use tokio::task::JoinHandle;

    use super::*;

    const SHORT: Patience = Patience {
        head: Duration::from_millis(300),
        stall: Duration::from_millis(300),
        linger: Duration::from_millis(50),
    };

    /// Far more than `SHORT`, far less than the time a test may take.
    const LONG: Duration = Duration::from_secs(10);

    struct Server {
        address: SocketAddr,
        stop: watch::Sender<bool>,
        serving: JoinHandle<()>,
    }

    async fn started(router: Router) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, router, SHORT, stopped));
        Server {
            address,
            stop,
            serving,
        }
    }

    fn hello() -> Router {
        Router::new()
            .route(
                "/",
                get(async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.ip().to_string()),
            )
            .route("/endless", post(async || "not looked at"))
    }

    /// Everything that comes until the server closes, and how long that took.
    async fn until_closed(mut connection: TcpStream) -> (String, Duration) {
        let begun = Instant::now();
        let mut all = Vec::new();
        // A reset is a close as well.
        let closed = tokio::time::timeout(LONG, connection.read_to_end(&mut all)).await;
        assert!(closed.is_ok(), "still open after {LONG:?}");
        (String::from_utf8_lossy(&all).into_owned(), begun.elapsed())
    }

    #[tokio::test]
    async fn half_a_head_and_silence_are_cut_within_the_time() {
        let server = started(hello()).await;
        for sent in [
            "",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nHost: here\r\nX-Long: ",
        ] {
            let mut connection = TcpStream::connect(server.address).await.unwrap();
            connection.write_all(sent.as_bytes()).await.unwrap();
            let (answer, took) = until_closed(connection).await;
            assert!(!answer.contains("200"), "{answer}");
            assert!(took >= SHORT.head / 2, "{took:?} after {sent:?}");
        }
    }

    #[tokio::test]
    async fn a_head_that_trickles_is_cut_though_something_always_comes() {
        let server = started(hello()).await;
        let connection = TcpStream::connect(server.address).await.unwrap();
        let (reading, mut writing) = connection.into_split();
        let trickle = tokio::spawn(async move {
            // Until the other end is gone.
            while writing.write_all(b"G").await.is_ok() {
                sleep(SHORT.head / 20).await;
            }
        });
        let mut reading = reading;
        let mut all = Vec::new();
        let closed = tokio::time::timeout(LONG, reading.read_to_end(&mut all)).await;
        assert!(closed.is_ok(), "still open after {LONG:?}");
        assert!(tokio::time::timeout(LONG, trickle).await.is_ok());
    }

    #[tokio::test]
    async fn a_whole_request_is_answered_and_the_idle_connection_closed_later() {
        let server = started(hello()).await;
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        connection.write_all(request).await.unwrap();
        let (answer, took) = until_closed(connection).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.ends_with(&IpAddr::from([127, 0, 0, 1]).to_string()));
        assert!(took >= SHORT.head / 2, "kept for another request: {took:?}");
    }

    #[tokio::test]
    async fn a_body_that_nobody_reads_does_not_hold_the_connection() {
        let server = started(hello()).await;
        let connection = TcpStream::connect(server.address).await.unwrap();
        let (mut reading, mut writing) = connection.into_split();
        let head = b"POST /endless HTTP/1.1\r\nHost: here\r\nTransfer-Encoding: chunked\r\n\r\n";
        writing.write_all(head).await.unwrap();
        let endless = tokio::spawn(async move {
            let chunk = [b"400\r\n".as_slice(), &[b'x'; 1_024], b"\r\n"].concat();
            while writing.write_all(&chunk).await.is_ok() {}
        });
        let mut all = Vec::new();
        let closed = tokio::time::timeout(LONG, reading.read_to_end(&mut all)).await;
        assert!(closed.is_ok(), "still open after {LONG:?}");
        assert!(tokio::time::timeout(LONG, endless).await.is_ok());
    }

    #[tokio::test]
    async fn a_connection_too_many_is_told_to_come_back_at_once() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(serve_at_most(
            1,
            listener,
            hello(),
            Patience::default(),
            stopped,
        ));
        let request = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(request).await.unwrap();
        let mut answer = [0; 12];
        first.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200");
        for sent in [request.as_slice(), b""] {
            let mut second = TcpStream::connect(address).await.unwrap();
            second.write_all(sent).await.unwrap();
            let (answer, _) = until_closed(second).await;
            assert!(answer.starts_with("HTTP/1.1 503"), "{answer:?}");
            assert!(answer.contains("retry-after: 1"), "{answer:?}");
        }
        drop(first);
        // Once the place is free the next one is served; until the program has noticed, it is told to come back.
        let served = async {
            loop {
                let mut next = TcpStream::connect(address).await.unwrap();
                next.write_all(request).await.unwrap();
                let mut answer = [0; 12];
                next.read_exact(&mut answer).await.unwrap();
                if &answer == b"HTTP/1.1 200" {
                    return;
                }
            }
        };
        assert!(tokio::time::timeout(LONG, served).await.is_ok());
        drop(stop);
    }

    /// Tells that an answer is given up.
    struct Tells(Arc<Notify>);

    impl Drop for Tells {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    #[tokio::test]
    async fn an_answer_that_nobody_takes_is_given_up() {
        let gone = Arc::new(Notify::new());
        let tells = Arc::clone(&gone);
        let router = Router::new().route(
            "/",
            get(async move || {
                let tells = Tells(Arc::clone(&tells));
                Body::from_stream(futures_util::stream::unfold(tells, async |tells| {
                    Some((Ok::<_, io::Error>(vec![b'x'; 1 << 16]), tells))
                }))
            }),
        );
        let server = started(router).await;
        let mut connection = TcpStream::connect(server.address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        connection.write_all(request).await.unwrap();
        // The connection stays open on this side, and nothing is read.
        let given_up = tokio::time::timeout(LONG, gone.notified()).await;
        assert!(given_up.is_ok(), "still sending after {LONG:?}");
        drop(connection);
    }

    #[tokio::test]
    async fn asked_to_end_it_answers_what_is_in_progress_and_takes_nothing_new() {
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let router = {
            let (begun, go_on) = (Arc::clone(&begun), Arc::clone(&go_on));
            Router::new().route(
                "/",
                get(async move || {
                    begun.notify_one();
                    go_on.notified().await;
                    "whole"
                }),
            )
        };
        let server = started(router).await;
        let mut asking = TcpStream::connect(server.address).await.unwrap();
        let request = b"GET / HTTP/1.1\r\nHost: here\r\n\r\n";
        asking.write_all(request).await.unwrap();
        begun.notified().await;
        server.stop.send_replace(true);
        assert!(!server.serving.is_finished());
        go_on.notify_one();
        let (answer, _) = until_closed(asking).await;
        assert!(answer.ends_with("whole"), "{answer}");
        assert!(tokio::time::timeout(LONG, server.serving).await.is_ok());
        assert!(TcpStream::connect(server.address).await.is_err());
    }
}
