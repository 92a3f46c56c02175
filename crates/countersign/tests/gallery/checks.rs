//! Every page in every state in Chromium: what axe-core finds, what scrolls, what moves, what needs a script.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use countersign_testkit::browser::{Browser, Look, Stage, play};
use countersign_web::pages;
use serde_json::{Value, json};

use crate::common::workspace;
use crate::site::Site;

/// WCAG 2.0, 2.1 and 2.2 at A and AA, and what axe's makers advise beyond.
const RULES: &[&str] = &[
    "wcag2a",
    "wcag2aa",
    "wcag21a",
    "wcag21aa",
    "wcag22a",
    "wcag22aa",
    "best-practice",
];

/// Name, width and height in CSS pixels, dark, device pixels for one CSS pixel.
type Way = (&'static str, u32, u32, bool, f64);

const NARROW: Way = ("320", 320, 640, false, 1.0);

/// In which ways each page is looked at.
///
/// A browser's zoom of 200 % halves the page's size in CSS pixels and doubles the device pixels of each; that of 400 %
/// on a window of 1280 leaves 320, which is what WCAG 1.4.10 asks of.
const WAYS: &[Way] = &[
    ("light", 1280, 900, false, 1.0),
    ("dark", 1280, 900, true, 1.0),
    ("phone", 390, 844, false, 1.0),
    NARROW,
    ("zoom 200 %", 640, 450, false, 2.0),
];

/// WCAG 1.4.12: nothing is lost when a reader spaces the text out.
const SPACED: &str = "
    const sheet = new CSSStyleSheet();
    sheet.replaceSync('* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important; } p { margin-bottom: 2em !important; }');
    document.adoptedStyleSheets = [sheet];";

/// As it is in a script that is written from right to left: what stood at the start of a line stands at its right.
const FROM_THE_RIGHT: &str =
    "document.adoptedStyleSheets = []; document.documentElement.dir = 'rtl';";

/// As it is in a language with longer words: accents on the letters, and two fifths more of them. The words of a case,
/// addresses and times stay: no translator touches them.
const LONGER: &str = "
    document.documentElement.dir = 'ltr';
    const accents = { a: 'á', e: 'é', i: 'í', o: 'ö', u: 'ü', A: 'Á', E: 'É', I: 'Í', O: 'Ö', U: 'Ü', c: 'ç', n: 'ñ' };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const text = texts.currentNode, word = text.data.trim();
      if (word.length < 2 || text.parentElement.closest('.words, .m, .number, time, code, pre, svg, bdi, script, b[dir]')) continue;
      text.data = text.data.replace(/[aeiouAEIOUcn]/g, (c) => accents[c]) + ' ' + 'öñé two '.repeat(word.length).slice(0, Math.ceil(word.length * .4));
    }";

/// How far the page scrolls sideways, and whose fault it is.
const SIDEWAYS: &str = "
    const page = document.scrollingElement, wide = page.clientWidth, over = page.scrollWidth - wide;
    if (over <= 0) return '';
    const out = [...document.querySelectorAll('body *')].filter((e) => {
      const box = e.getBoundingClientRect();
      return box.right > wide + .5 || box.left < -.5;
    }).slice(-3);
    return over + ' px: ' + out.map((e) => e.outerHTML.slice(0, 90)).join(' | ');";

/// Boxes that cut text off, other than those that are meant to scroll or to be unseen.
const CUT: &str = "
    const cut = [...document.querySelectorAll('main *, header *, footer *')].filter((e) => {
      const style = getComputedStyle(e);
      if (!/hidden|clip/.test(style.overflowX + style.overflowY) || e.closest('.vh, svg, pre, input, [hidden]') || style.clipPath !== 'none') return false;
      if (/auto|scroll/.test(style.overflowX)) return false;
      return e.clientWidth > 0 && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
    });
    return cut.map((e) => {
      const box = e.getBoundingClientRect(), over = [...e.querySelectorAll('*')].filter((f) => {
        const part = f.getBoundingClientRect();
        return part.width > 0 && (part.right > box.right + 1 || part.left < box.left - 1 || part.bottom > box.bottom + 1);
      });
      return `${e.id || e.className}: ${over.slice(0, 2).map((f) => f.outerHTML.slice(0, 90))}`;
    }).join(' | ');";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_can_be_used_by_everyone_in_every_size_and_colour() {
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let axe = axe();
        let files = files();
        let begun = Instant::now();
        let next = AtomicUsize::new(0);
        let look = async || {
            let browser = stage.browser(Look::DESK).await;
            browser.before_every_page(WATCH_SHIFTS).await;
            let mut wrong = String::new();
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                for mistake in look_at(&browser, &site.file(file), &axe).await {
                    writeln!(wrong, "{file}: {mistake}").unwrap();
                }
            }
            wrong
        };
        let (one, other) = tokio::join!(look(), look());
        println!(
            "{} pages, {} ways each: {:.1?}",
            files.len(),
            WAYS.len(),
            begun.elapsed()
        );
        assert!(one.is_empty() && other.is_empty(), "{one}{other}");
    })
    .await;
}

/// Only passkeys, live parts and keys need a script: what a reader sees is the same without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_says_the_same_without_scripts() {
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let with = stage.browser(Look::DESK).await;
        let without = stage.browser(Look::DESK.without_script()).await;
        let mut wrong = String::new();
        for file in files() {
            let url = site.file(&file);
            let (with, without) = tokio::join!(seen(&with, &url), seen(&without, &url));
            if without.contains("Passkeys need JavaScript")
                || without.contains("Signing needs JavaScript")
            {
                continue;
            }
            if with != without {
                writeln!(wrong, "{file}:\n  with    {with}\n  without {without}").unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    })
    .await;
}

/// What a reader sees, without what is there for scripts or for want of them: the live dot, copying.
async fn seen(browser: &Browser, url: &str) -> String {
    browser.go(url).await;
    browser
        .eval(
            "const sheet = new CSSStyleSheet();
             sheet.replaceSync('.live, [data-copy], .refresh { display: none !important; }');
             document.adoptedStyleSheets = [sheet];
             return document.body.innerText.replace(/\\s+/g, ' ').trim();",
        )
        .await
        .as_str()
        .unwrap_or_default()
        .to_owned()
}

/// The tab key reaches everything in the order in which it is read, and nothing that sticks to an edge covers what has
/// the focus (WCAG 2.1.1, 2.4.3, 2.4.11).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tab_key_reaches_everything_in_order() {
    const PAGES: [&str; 4] = [
        "case--customer",
        "approval--sign",
        "link-start--ask",
        "link-stop--ask",
    ];
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let browser = stage.browser(Look::DESK).await;
        let mut wrong = String::new();
        for look in [
            Look {
                height: 720,
                ..Look::DESK
            },
            Look::PHONE,
        ] {
            browser.look(look).await;
            for page in PAGES {
                browser.go(&site.file(&format!("{page}.html"))).await;
                let found = walk(&browser).await;
                if !found.is_empty() {
                    writeln!(wrong, "{page} at {} px: {found:?}", look.width).unwrap();
                }
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    })
    .await;
}

/// Presses the tab key until the focus leaves the page; what was passed over, came too early or was covered.
async fn walk(browser: &Browser) -> Vec<String> {
    let all = browser
        .eval(
            "document.activeElement.blur(); scrollTo(0, 0);
             const shown = (e) => e.checkVisibility({ visibilityProperty: true, contentVisibilityAuto: true }) && !e.closest('details:not([open]) > :not(summary)');
             const named = {};
             window.all = [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex=\"0\"]')].filter((e) => shown(e) && e.tabIndex >= 0)
               // Of radio buttons that belong together one can be reached; arrows go to the others.
               .filter((e) => e.type !== 'radio' || !named[e.name] && (named[e.name] = true));
             window.walked = [];
             return all.length",
        )
        .await
        .as_u64()
        .unwrap();
    assert!(all > 3, "{all} things to press");
    for _ in 0..all {
        browser.keys("\u{e004}").await;
        browser
            .eval(
                "const e = document.activeElement, box = e.getBoundingClientRect();
                 const points = [.5, .1, .9].map((part) => document.elementFromPoint(box.left + box.width / 2, box.top + box.height * part));
                 const seen = e.classList.contains('vh') || e.type === 'radio' || points.some((point) => point && (e.contains(point) || point.contains(e)));
                 walked.push([e, seen]);",
            )
            .await;
    }
    let found = browser
        .eval(
            "const name = (e) => e.outerHTML.slice(0, 70), reached = walked.map(([e]) => e);
             const missed = all.filter((e) => !reached.includes(e) && !(e.type === 'radio' && reached.some((r) => r.name === e.name)));
             const early = reached.filter((e, at) => at && reached[at - 1].compareDocumentPosition(e) & Node.DOCUMENT_POSITION_PRECEDING);
             const covered = walked.filter(([, seen]) => !seen).map(([e]) => e);
             return [...missed.map((e) => 'not reached: ' + name(e)), ...early.map((e) => 'too early: ' + name(e)), ...covered.map((e) => 'covered: ' + name(e))]",
        )
        .await;
    found
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// On paper there is nothing to press, and the words are there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_paper_there_is_nothing_to_press() {
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let paper = Look { print: true, ..Look::DESK };
        let browser = stage.browser(paper).await;
        let mut wrong = String::new();
        for file in files() {
            browser.go(&site.file(&file)).await;
            let found = browser
                .eval(
                    "const shown = (e) => e.getClientRects().length > 0;
                     const left = [...document.querySelectorAll('.btn, button, input, .top, nav, form')].filter(shown);
                     const heading = document.querySelector('h1');
                     const back = getComputedStyle(document.body).backgroundColor;
                     return [!heading || !shown(heading) ? 'no heading' : '', back !== 'rgb(255, 255, 255)' ? back : '', ...left.map((e) => e.outerHTML.slice(0, 80))].filter(Boolean)",
                )
                .await;
            if found != json!([]) {
                writeln!(wrong, "{file}: {found}").unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    })
    .await;
}

/// Where the system decides about colours (Windows' contrast themes), shapes are told by lines and marks by pictures.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_forced_colours_every_shape_has_a_line() {
    play(async |stage: &Stage| {
        let site = Site::open().await;
        let browser = stage.browser(Look::DESK).await;
        let media = json!({ "features": [{ "name": "forced-colors", "value": "active" }] });
        browser.cdp("Emulation.setEmulatedMedia", &media).await;
        let mut wrong = String::new();
        for file in files() {
            browser.go(&site.file(&file)).await;
            let found = browser
                .eval(
                    "const bare = (e) => e.getClientRects().length > 0 && parseFloat(getComputedStyle(e).borderTopWidth) < 1;
                     return [...document.querySelectorAll('.card, .pill, .banner, .mark, .btn:not(.quiet), .count, .summary, input:not([type=hidden], [type=radio], [type=checkbox], .vh), textarea')]
                       .filter((e) => bare(e) && !e.closest('.vh')).map((e) => e.outerHTML.slice(0, 80))",
                )
                .await;
            if found != json!([]) {
                writeln!(wrong, "{file}: {found}").unwrap();
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    })
    .await;
}

/// Sums what moved without anybody having asked for it (Layout Instability, W3C).
const WATCH_SHIFTS: &str = "
    window.shifted = [];
    new PerformanceObserver((list) => {
      for (const shift of list.getEntries()) if (!shift.hadRecentInput)
        shifted.push(shift.value.toFixed(4) + ' ' + shift.sources.map((s) => s.node?.outerHTML?.slice(0, 60) ?? '').join(' | '));
    }).observe({ type: 'layout-shift', buffered: true });";

async fn look_at(browser: &Browser, url: &str, axe: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    ways(browser, WAYS[0]).await;
    browser.go(url).await;
    // A shift is reported with the picture after it.
    let shifted = browser
        .eval_async(
            "await new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(seen))); return shifted",
            Vec::new(),
        )
        .await;
    if shifted != json!([]) {
        mistakes.push(format!("moves by itself: {shifted}"));
    }
    browser.eval(axe).await;
    for way in WAYS {
        ways(browser, *way).await;
        for found in violations(browser).await {
            mistakes.push(format!("{}: {found}", way.0));
        }
        mistakes.extend(does_not_fit(browser, way.0).await);
    }
    ways(browser, NARROW).await;
    for (how, script) in [
        ("spaced out", SPACED),
        ("from right to left", FROM_THE_RIGHT),
        ("in longer words", LONGER),
    ] {
        browser.eval(script).await;
        mistakes.extend(does_not_fit(browser, how).await);
    }
    mistakes
}

/// What scrolls sideways or is cut off.
async fn does_not_fit(browser: &Browser, how: &str) -> Vec<String> {
    let mut mistakes = Vec::new();
    for (what, script) in [("scrolls sideways", SIDEWAYS), ("is cut off", CUT)] {
        let found = browser.eval(script).await;
        if found != json!("") {
            mistakes.push(format!("{how}: {what}: {found}"));
        }
    }
    mistakes
}

async fn ways(browser: &Browser, (_, width, height, dark, scale): Way) {
    let metrics =
        json!({ "width": width, "height": height, "deviceScaleFactor": scale, "mobile": false });
    browser
        .cdp("Emulation.setDeviceMetricsOverride", &metrics)
        .await;
    let scheme = if dark { "dark" } else { "light" };
    let media = json!({ "features": [
        { "name": "prefers-color-scheme", "value": scheme },
        { "name": "prefers-reduced-motion", "value": "reduce" },
    ] });
    browser.cdp("Emulation.setEmulatedMedia", &media).await;
}

/// What axe finds, one line for each rule, with the first elements that break it.
async fn violations(browser: &Browser) -> Vec<String> {
    let found = browser
        .eval_async(
            "const found = await axe.run(document, { runOnly: arguments[0], resultTypes: ['violations'], preload: false });
             return found.violations.map((v) => `${v.id} (${v.impact}): ${v.nodes.slice(0, 3).map((n) => n.html.slice(0, 120)).join(' | ')}`)",
            vec![json!(RULES)],
        )
        .await;
    match found {
        Value::Array(found) => found
            .iter()
            .map(|line| line.as_str().unwrap_or_default().to_owned())
            .collect(),
        other => vec![format!("axe did not run: {other}")],
    }
}

/// The pages to look at: all of them and the index, or those whose name begins with `GALLERY_ONLY`, for whoever mends one.
fn files() -> Vec<String> {
    let only = std::env::var("GALLERY_ONLY").unwrap_or_default();
    let files: Vec<String> = pages::gallery()
        .unwrap()
        .iter()
        .map(pages::GalleryPage::file)
        .chain(["index.html".to_owned()])
        .filter(|file| file.starts_with(&only))
        .collect();
    assert!(!files.is_empty(), "no page begins with `{only}`");
    files
}

/// The source of axe-core, which `tests/external/node/install` fetches.
fn axe() -> String {
    let file: PathBuf = workspace().join("target/external/node/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!(
            "{}: {error}: run tests/external/node/install",
            file.display()
        )
    })
}
