//! What really goes over the line: pages and files as the router sends them to a browser that takes brotli.

use axum::body::Body;
use axum::http::{HeaderMap, Request, header};

use crate::world::{Client, World};

/// `pages.rs` measures all pages with this quality of brotli; here it is seen that the router does no worse.
#[tokio::test]
async fn pages_leave_the_router_as_small_as_they_are_measured() {
    let world = World::new().await;
    let mut agent = world.colleague("maja").await.browser;
    for path in [
        "/desk",
        "/procedures",
        "/settings",
        "/cases/new/customer",
        "/customers",
        "/docs/api",
    ] {
        let plain = agent.get(path).await;
        assert_eq!(plain.status, 200, "{path}");
        let (_, sent) = packed(&mut agent, path).await;
        let measured = brotli(&plain.bytes);
        println!(
            "{path}: {} bytes, {sent} sent, {measured} measured",
            plain.bytes.len()
        );
        // A fresh idempotency key on each page moves it by a few bytes.
        assert!(
            sent <= measured + measured / 20,
            "{path} leaves with {sent} bytes and is measured with {measured}"
        );
    }
}

/// No file of a page is fetched twice, and nothing changes under a name.
#[tokio::test]
async fn files_are_packed_and_kept_for_ever() {
    let world = World::new().await;
    let mut visitor = world.visitor();
    let page = visitor.get("/sign-in").await;
    let files: Vec<String> = page
        .body()
        .split("\"/assets/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|file| format!("/assets/{file}"))
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    let mut sum = 0;
    for file in &files {
        let (headers, size) = packed(&mut visitor, file).await;
        assert_eq!(
            headers["cache-control"], "public, max-age=31536000, immutable",
            "{file}"
        );
        assert_eq!(headers["vary"], "accept-encoding", "{file}");
        sum += size;
    }
    assert!(sum < 16 * 1024, "{sum} bytes of files");
}

/// As a browser that takes brotli gets it, not unpacked.
async fn packed(browser: &mut Client, path: &str) -> (HeaderMap, usize) {
    let request = Request::get(path)
        .header(header::ACCEPT, "text/html")
        .header(header::ACCEPT_ENCODING, "gzip, deflate, br, zstd")
        .header("sec-fetch-site", "same-origin")
        .body(Body::empty())
        .unwrap();
    let (parts, body) = browser.begin(request).await.into_parts();
    assert_eq!(parts.status, 200, "{path}");
    assert_eq!(parts.headers["content-encoding"], "br", "{path}");
    let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
    (parts.headers, bytes.len())
}

fn brotli(body: &[u8]) -> usize {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 2,
        ..Default::default()
    };
    let mut packed = Vec::new();
    brotli::BrotliCompress(&mut &*body, &mut packed, &parameters).unwrap();
    packed.len()
}
