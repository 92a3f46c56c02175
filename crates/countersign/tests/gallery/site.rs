//! The gallery on loopback, with the headers that the gate puts on every answer.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use countersign_web::headers::on_every_answer;
use countersign_web::pages::{Theme, gallery_files};
use futures_util::stream;

/// Until it is dropped.
#[derive(Debug)]
pub(crate) struct Site {
    address: String,
    server: tokio::task::JoinHandle<()>,
}

impl Site {
    /// On a port of its own.
    pub(crate) async fn open() -> Self {
        let files = Arc::new(gallery_files(Theme::System).unwrap());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(move |uri: Uri| {
            let answer = answer(&files, uri.path());
            async move { answer }
        });
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, server }
    }

    /// Address of this file.
    pub(crate) fn file(&self, name: &str) -> String {
        format!("{}/{name}", self.address)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A file of the gallery; for live parts a stream on which nothing ever happens.
fn answer(files: &BTreeMap<String, Vec<u8>>, path: &str) -> Response {
    let mut response = Response::new(Body::empty());
    let mut is = "text/html; charset=utf-8";
    if let Some(file) = files.get(path.trim_start_matches('/')) {
        is = match path.rsplit_once('.').map(|(_, ending)| ending) {
            Some("css") => "text/css; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("svg") => "image/svg+xml",
            _ => is,
        };
        *response.body_mut() = Body::from(file.clone());
    } else if path.ends_with("/events") {
        is = "text/event-stream";
        *response.body_mut() = Body::from_stream(stream::pending::<Result<Vec<u8>, Infallible>>());
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    let headers = response.headers_mut();
    headers.extend(on_every_answer());
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(is));
    response
}
