//! The demo as a stranger runs it: `countersign demo`.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not see as tests"
)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use reqwest::{Client, Response, StatusCode, header, redirect};

/// The stories take about two seconds; a machine that builds meanwhile takes longer.
const PATIENCE: Duration = Duration::from_mins(1);

/// A demo that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn demo(arguments: &[&str]) -> Running {
    let child = Command::new(env!("CARGO_BIN_EXE_countersign"))
        .arg("demo")
        .args(["--port", "0"])
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    Running(child)
}

#[test]
fn four_stories_end_as_they_must() {
    let mut running = demo(&["--exit"]);
    let deadline = Instant::now() + PATIENCE;
    // Everything it says fits into a pipe, so it can be read when it has ended.
    let status = loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "the demo did not end");
        std::thread::sleep(Duration::from_millis(20));
    };
    let told = std::io::read_to_string(running.0.stdout.take().unwrap()).unwrap();
    let complained = std::io::read_to_string(running.0.stderr.take().unwrap()).unwrap();
    assert!(status.success(), "{told}\n{complained}");
    for number in 1..=4 {
        assert!(
            told.contains(&format!("Story {number} ended as it must: ")),
            "{told}"
        );
    }
    assert!(told.contains("All four stories ended as they must."));
    assert!(told.contains("made-up data"));
    assert_eq!(complained, "");
    // What stopped the attack is quoted as it stands in the file, with its line.
    let procedure = include_str!("../../../procedures/hosting.procedure");
    let stopped: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.contains("Stopped by"))
        .take(2)
        .collect();
    let number: usize = stopped[0]
        .split("line ")
        .nth(1)
        .and_then(|rest| rest.split(' ').next())
        .and_then(|number| number.parse().ok())
        .expect("it names a line");
    assert_eq!(
        procedure.lines().nth(number - 1).unwrap().trim(),
        stopped[1].trim()
    );
    // Whoever reads over a shoulder learns no secret of a link.
    assert!(
        !told.contains("cs_link_") && !told.contains("cs_stop_"),
        "{told}"
    );
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("countersign.db"), "mine").unwrap();
    let mut running = demo(&["--exit", "--data", folder.path().to_str().unwrap()]);
    let status = running.0.wait().unwrap();
    assert_eq!(status.code(), Some(2));
    let kept = std::fs::read_to_string(folder.path().join("countersign.db")).unwrap();
    assert_eq!(kept, "mine");
}

#[tokio::test]
async fn the_lobby_gives_parts_to_its_own_visitors_only() {
    // Its end is not a quiet one, so its folder is one that the test removes.
    let folder = tempfile::tempdir().unwrap();
    let mut running = demo(&["--data", folder.path().to_str().unwrap()]);
    let stdout = running.0.stdout.take().unwrap();
    let lobby = tokio::task::spawn_blocking(move || {
        BufReader::new(stdout)
            .lines()
            .map_while(Result::ok)
            .find_map(|line| Some(line.split_once("Start here")?.1.trim().to_owned()))
    });
    let lobby = tokio::time::timeout(PATIENCE, lobby)
        .await
        .unwrap()
        .unwrap()
        .expect("it prints where to start");
    let visitor = Visitor::new();

    let page = visitor.get(&lobby).await;
    assert_eq!(page.status(), StatusCode::OK);
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let page = page.text().await.unwrap();
    assert!(page.contains("Be the attacker"), "{page}");

    // Maja's session is signed for with her passkey, and opens the gate's desk.
    let seated = visitor.press(&lobby, "/sit", "who", "maja", &lobby).await;
    assert_eq!(seated.status(), StatusCode::SEE_OTHER);
    let gate = location(&seated);
    let desk = format!("{gate}desk");
    let cookie = seated.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.contains("HttpOnly"), "{cookie}");
    let session = cookie.split(';').next().unwrap();
    let response = visitor.0.get(&desk).header(header::COOKIE, session);
    let response = response.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.text().await.unwrap().contains("Maja"));

    // The customer and the attacker get a link to the customer's page, and nothing more.
    for (button, name, value) in [
        ("/customer", "who", "c-2077"),
        ("/attacker", "what", "reinstall"),
    ] {
        let sent = visitor.press(&lobby, button, name, value, &lobby).await;
        assert_eq!(sent.status(), StatusCode::SEE_OTHER, "{button}");
        assert!(location(&sent).contains("/c/"), "{}", location(&sent));
        assert!(sent.headers().get(header::SET_COOKIE).is_none());
    }

    // Another site cannot press a button, nor can a page of the gate or of the panel.
    for origin in ["https://evil.example", gate.trim_end_matches('/'), "null"] {
        let refused = visitor.press(&lobby, "/clock", "hours", "24", origin).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{origin}");
    }
    // Whoever comes by another name of this machine is sent to the one that the cookies are for.
    let response = visitor.0.get(&lobby).header(header::HOST, "evil.example");
    let response = response.send().await.unwrap();
    assert_eq!(location(&response), lobby);
    let moved = visitor.press(&lobby, "/clock", "hours", "1", &lobby).await;
    assert_eq!(moved.status(), StatusCode::OK);
}

/// A browser that goes nowhere by itself.
struct Visitor(Client);

impl Visitor {
    fn new() -> Self {
        countersign_service::adapters::http::install_tls_provider();
        let client = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .resolve("localhost", ([127, 0, 0, 1], 0).into())
            .timeout(Duration::from_secs(20));
        Self(client.build().unwrap())
    }

    async fn get(&self, url: &str) -> Response {
        self.0.get(url).send().await.unwrap()
    }

    async fn press(
        &self,
        lobby: &str,
        to: &str,
        name: &str,
        value: &str,
        origin: &str,
    ) -> Response {
        let request = self.0.post(format!("{lobby}{to}"));
        let request = request
            .header(header::ORIGIN, origin)
            .form(&[(name, value)]);
        request.send().await.unwrap()
    }
}

fn location(response: &Response) -> String {
    response.headers()[header::LOCATION]
        .to_str()
        .unwrap()
        .to_owned()
}
