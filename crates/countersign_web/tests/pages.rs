//! Every page in every state keeps the rules that a browser, a screen reader and the content security policy rely on.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests, which clippy does not see as tests"
)]

mod states;

use std::collections::{BTreeMap, BTreeSet};

use countersign_service::Language;
use countersign_web::pages::{self, GalleryPage, Page};

/// A start tag: its name, and its attributes as they stand.
#[derive(Debug)]
struct Tag<'a> {
    name: &'a str,
    attributes: BTreeMap<&'a str, &'a str>,
}

#[test]
fn every_page_keeps_the_rules() {
    let mut gallery = pages::gallery().unwrap();
    assert!(gallery.len() > 150, "{} samples", gallery.len());
    // The longest language, the made-up ones, and the one that runs the other way.
    for language in [Language::German, Language::Accented, Language::Mirrored] {
        gallery.extend(pages::customer_gallery(language).unwrap());
    }
    let mut mistakes = Vec::new();
    for page in &gallery {
        for mistake in mistakes_of(page) {
            mistakes.push(format!("{}--{}: {mistake}", page.page, page.state));
        }
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// What scrolls one way never shows a bar for the other: `auto` alone makes both.
#[test]
fn the_tabs_scroll_sideways_alone() {
    let style = include_str!("../assets/app.css");
    let tabs = style
        .lines()
        .find(|line| line.starts_with(".tabs {"))
        .unwrap();
    assert!(tabs.contains("overflow: auto hidden"), "{tabs}");
    let tab = style
        .lines()
        .find(|line| line.starts_with(".tabs a {"))
        .unwrap();
    assert!(
        !tab.contains("margin-bottom: -"),
        "its line would be cut: {tab}"
    );
}

/// Where a script is written from right to left, everything changes sides: the style sheet names none. How it then looks
/// is for the browser to say (the tests of the gallery turn every page round).
#[test]
fn the_style_sheet_names_no_side() {
    let style = include_str!("../assets/app.css");
    let sides = |style: &str| -> Vec<String> {
        style
            .split(['{', '}', ';'])
            .filter_map(|declaration| declaration.split_once(':'))
            .filter(|(name, value)| {
                let of = |text: &str| {
                    text.split(|c: char| !c.is_ascii_alphabetic())
                        .any(|word| matches!(word, "left" | "right"))
                };
                of(name) || of(value) && !name.trim().starts_with("--")
            })
            .map(|(name, value)| format!("{}:{value}", name.trim()))
            .collect()
    };
    assert_eq!(sides(style), Vec::<String>::new());
    assert_eq!(sides("a { margin-left: 1px; }"), ["margin-left: 1px"]);
    assert_eq!(sides("a { text-align: right; }").len(), 1);
    assert_eq!(sides("a { inset-inline-start: 0; }").len(), 0);
}

/// The test above can fail: each of these breaks one rule.
#[test]
fn the_rules_are_checked() {
    let good = pages::gallery()
        .unwrap()
        .into_iter()
        .find(|page| page.page == "decline")
        .unwrap();
    assert_eq!(mistakes_of(&good), Vec::<String>::new());
    for (from, to) in [
        ("<h1>", "<h1>a</h1><h1>"),
        ("<title>", "<title></title><p>"),
        ("<html lang=\"en\"", "<html"),
        ("<h1>", "<h1 style=\"color: red\">"),
        ("<h1>", "<h1 onclick=\"x()\">"),
        ("<h1>", "<svg class=\"dg\" role=\"img\"></svg><h1>"),
        (
            "<h1>",
            "<svg class=\"dg\" role=\"img\"><title>a</title><desc>b</desc><g style=\"x\"/></svg><h1>",
        ),
        ("<h1>", "<script>x()</script><h1>"),
        ("<h1>", "<style>h1 {}</style><h1>"),
        ("<h1>", "<img src=\"https://elsewhere.example/x.png\"><h1>"),
        ("<h1>", "<img src=\"//elsewhere.example/x.png\"><h1>"),
        ("<h1>", "<h1 id=\"reason\">"),
        ("name=\"idempotency_key\"", "name=\"x\""),
        ("method=\"post\"", ""),
        ("<label for=\"reason\">", "<label>"),
        ("reason-hint", "no-such-element"),
        ("Decline this?", "Decline this!"),
        ("<ol class=\"checks\">", "<ol><p></ol>"),
        ("</main>", ""),
        ("</section>", "</div>"),
    ] {
        if !good.html.contains(from) {
            continue;
        }
        let html = good
            .html
            .replacen(from, to, if from == "reason-hint" { 1 } else { usize::MAX });
        let bad = GalleryPage {
            html,
            ..good.clone()
        };
        assert!(!mistakes_of(&bad).is_empty(), "not noticed: {from} → {to}");
    }
}

fn mistakes_of(page: &GalleryPage) -> Vec<String> {
    let mut mistakes = Vec::new();
    let (html, pictures) = without_pictures(&page.html);
    for picture in &pictures {
        if picture_has_no_words(picture) {
            mistakes.push("a picture without words".into());
        }
        for tag in tags(picture) {
            if tag.attributes.keys().any(|name| {
                *name == "style" || *name == "id" && tag.name != "pattern" || name.starts_with("on")
            }) {
                mistakes.push(format!("attribute in a picture: {tag:?}"));
            }
        }
        mistakes.extend(unbalanced(picture));
    }
    let html = &html;
    let tags = tags(html);
    let count = |name: &str| tags.iter().filter(|tag| tag.name == name).count();

    for name in ["h1", "title", "main", "html", "body"] {
        if count(name) != 1 {
            mistakes.push(format!("{} of <{name}>", count(name)));
        }
    }
    let title = between(html, "<title>", "</title>").unwrap_or_default();
    if title
        .split(" · ")
        .next()
        .unwrap_or_default()
        .trim()
        .is_empty()
    {
        mistakes.push(format!("title is `{title}`"));
    }
    let wrong = html.contains("aria-invalid") || html.contains("There is a problem");
    let says_so = ["Error: ", "Fehler: ", "Éŕŕóóŕ: "]
        .iter()
        .any(|mark| title.starts_with(mark))
        || html.contains("dir=\"rtl\"");
    if wrong && !says_so {
        mistakes.push(format!(
            "title `{title}` does not say that there is an error"
        ));
    }
    if let Some(mistake) = unbalanced(html) {
        mistakes.push(mistake);
    }
    if html.contains('!') && html.replace("<!doctype html>", "").contains('!') {
        mistakes.push("an exclamation mark".into());
    }

    let mut ids = BTreeSet::new();
    for tag in &tags {
        if let Some(id) = tag.attributes.get("id")
            && !ids.insert(*id)
        {
            mistakes.push(format!("id `{id}` twice"));
        }
    }
    let labelled: BTreeSet<&str> = tags
        .iter()
        .filter(|tag| tag.name == "label")
        .filter_map(|tag| tag.attributes.get("for").copied())
        .collect();

    for tag in &tags {
        let get = |name: &str| tag.attributes.get(name).copied();
        if tag.name == "html" && get("lang").is_none_or(str::is_empty) {
            mistakes.push("no lang".into());
        }
        if tag.name == "style" || tag.name == "script" && get("src").is_none() {
            mistakes.push(format!("inline <{}>", tag.name));
        }
        for (name, value) in &tag.attributes {
            if *name == "style" || name.starts_with("on") {
                mistakes.push(format!("attribute {name} of <{}>", tag.name));
            }
            let reference = matches!(
                *name,
                "src" | "href" | "action" | "data-live" | "data-start" | "data-finish"
            );
            let ours = value.starts_with('#')
                || value.starts_with("tel:")
                || value.starts_with("otpauth://totp/")
                || value.starts_with('/') && !value.starts_with("//");
            // Where the company's panel gets its customer back: the one address of another site, from an allow-list.
            let back =
                page.state == "back-to-panel" && *value == "https://panel.nordhamn.example/servers";
            if reference && !ours && !back {
                mistakes.push(format!("{name}=\"{value}\""));
            }
            let target = value.strip_prefix('#');
            if *name == "href" && target.is_some_and(|id| !ids.contains(id)) {
                mistakes.push(format!("nothing has the id of {value}"));
            }
            if matches!(*name, "aria-describedby" | "aria-labelledby") {
                for id in value.split_whitespace().filter(|id| !ids.contains(id)) {
                    mistakes.push(format!("{name} names `{id}`, which is not there"));
                }
            }
        }
        let hidden = get("type") == Some("hidden");
        if matches!(tag.name, "input" | "textarea" | "select") && !hidden {
            let known = get("id").is_some_and(|id| labelled.contains(id));
            let wrapped = matches!(get("type"), Some("radio" | "checkbox"));
            let unseen = get("aria-hidden").is_some() && get("tabindex") == Some("-1");
            if !known && !wrapped && !unseen {
                mistakes.push(format!("no label: {tag:?}"));
            }
        }
        if tag.name == "svg" && get("aria-hidden") != Some("true") {
            mistakes.push("a picture without words that is not hidden".into());
        }
    }

    for form in html.split("<form").skip(1) {
        let form = form.split("</form>").next().unwrap_or_default();
        let head = form.split('>').next().unwrap_or_default();
        let posts = head.contains("method=\"post\"");
        let searches = head.contains("role=\"search\"");
        // Searches post as well: who is searched for stands in no address. Questions about the procedure name nobody.
        // Filters of the audit log stand in the address so that what was looked for can be looked for again.
        let asks = ["procedures/", "audit\"", "statistics\""]
            .iter()
            .any(|path| head.contains(&format!("action=\"/{path}")));
        if !head.contains("action=\"/") || !(posts || asks) {
            mistakes.push(format!("form:{head}"));
        }
        if posts && !form.contains("name=\"idempotency_key\" value=\"01JD3QZ6X4W8\"") {
            mistakes.push(format!("no idempotency key in form:{head}"));
        }
        if !searches && !form.contains("<button") {
            mistakes.push(format!("no button in form:{head}"));
        }
    }

    let for_customer = html.contains("<body class=\"c\">");
    let languages = [
        Language::English,
        Language::German,
        Language::Accented,
        Language::Mirrored,
    ];
    let said = languages
        .iter()
        .any(|language| html.contains(&format!("<p>{}</p>", language.say("frame-never-aloud"))));
    if for_customer && !said {
        mistakes.push("the words at the bottom are missing".into());
    }
    mistakes
}

/// Pictures that say something are taken out: their titles are not the page's.
fn without_pictures(html: &str) -> (String, Vec<String>) {
    let mut left = String::new();
    let mut pictures = Vec::new();
    for (index, piece) in html.split("<svg class=\"").enumerate() {
        if index == 0 {
            left.push_str(piece);
        } else if ["dg\"", "chart\"", "qr\""]
            .iter()
            .any(|class| piece.starts_with(class))
        {
            let (picture, after) = piece.split_once("</svg>").unwrap_or((piece, ""));
            pictures.push(format!("<svg class=\"{picture}</svg>"));
            left.push_str(after);
        } else {
            left.push_str("<svg class=\"");
            left.push_str(piece);
        }
    }
    (left, pictures)
}

fn picture_has_no_words(picture: &str) -> bool {
    let said = |tag: &str| between(picture, &format!("<{tag}>"), &format!("</{tag}>"));
    !picture.contains(" role=\"img\"")
        || said("title").is_none_or(str::is_empty)
        // What a chart says stands below it as a table, and above it as a sentence.
        || !picture.starts_with("<svg class=\"chart\"") && said("desc").is_none_or(str::is_empty)
}

/// The rules for pictures stand in the style sheet as the pictures were drawn for.
#[test]
fn the_style_sheet_knows_the_pictures() {
    let href = countersign_web::assets::href("app.css");
    let css = countersign_web::assets::asset(href.strip_prefix("/assets/").unwrap()).unwrap();
    let css = std::str::from_utf8(css.body).unwrap();
    assert!(css.contains(countersign_prover::draw::STYLE));
}

#[test]
fn the_words_are_the_same_wherever_they_stand() {
    let words = "Change the recovery email of <b dir=\"auto\">Halden Freight AB</b> from <b class=\"m\" dir=\"ltr\">ops@haldenfreight.example</b> to <b class=\"m\" dir=\"ltr\">ops@halden-freight.example</b>.";
    let everywhere = [
        "case--customer",
        "run--ask",
        "approvals--for-me",
        "approval--sign",
        "approval--stopped",
        "decline--ask",
        "new-case-check--check",
        "link-confirm--ask",
        "link-done--waits",
        "link-stop--ask",
        "link-receipts--some",
        "customer-receipt--happened",
        "staff-receipt--happened",
    ];
    let gallery = pages::gallery().unwrap();
    for name in everywhere {
        let page = gallery
            .iter()
            .find(|page| format!("{}--{}", page.page, page.state) == name)
            .unwrap_or_else(|| panic!("no page {name}"));
        assert!(
            page.html
                .contains(&format!("<p class=\"words\">{words}</p>")),
            "{name}"
        );
    }
    for page in gallery
        .iter()
        .filter(|page| page.page == "link-start" || page.state == "from-notice")
    {
        assert!(
            !page.html.contains("ops@"),
            "{}--{} shows an address",
            page.page,
            page.state
        );
    }
}

#[test]
fn fragments_are_what_the_page_has() {
    let gallery = pages::gallery().unwrap();
    let find = |page: &'static str, state: &str| {
        let found = gallery
            .iter()
            .find(|one| one.page == page && one.state == state);
        found.unwrap().html.as_str()
    };
    for (state, page) in pages::CasePage::samples() {
        let html = find("case", state);
        let fragments = pages::case_fragments(&page);
        for id in ["pill", "notice", "checklist", "bar", "log"] {
            assert!(
                fragments.contains(&format!(" id=\"{id}\"")),
                "{state}: {id}"
            );
        }
        assert!(!fragments.contains("class=\"words\""), "{state}");
        for (start, end) in [
            ("<p id=\"pill\">", "</p>"),
            ("<ol class=\"log\">", "</ol>"),
            ("<section class=\"card notice", "</section>"),
        ] {
            let inside = between(&fragments, start, end).unwrap_or_default();
            assert!(html.contains(inside), "{state}: {inside}");
        }
    }
    for (state, page) in pages::DeskPage::samples() {
        let html = find("desk", state);
        let fragments = pages::desk_fragments(&page);
        assert!(fragments.contains("id=\"tabs\"") && fragments.contains("id=\"news\""));
        for row in &page.rows {
            assert!(
                fragments.contains(&row.to_string()) && html.contains(&row.to_string()),
                "{state}"
            );
        }
    }
    for (state, page) in pages::ApprovalsPage::samples() {
        let html = find("approvals", state);
        let fragments = pages::approvals_fragments(&page);
        assert!(fragments.contains("id=\"nav-count\"") && fragments.contains("id=\"menu-count\""));
        for row in &page.rows {
            assert!(
                fragments.contains(&row.to_string()) && html.contains(&row.to_string()),
                "{state}"
            );
        }
    }
    for (state, page) in pages::DonePage::samples() {
        let fragment = pages::customer_done_fragments(&page);
        assert!(find("link-done", state).contains(&fragment), "{state}");
        assert!(
            fragment.starts_with("<div class=\"stack\" id=\"state\" data-say=\"h1\">")
                && !fragment.contains("class=\"words\"")
        );
    }
}

/// UX.md, section 16: what a page takes by itself, once its files are known, and on a first visit with all of them.
#[test]
fn pages_are_small() {
    const K: usize = 1024;
    let mut largest: BTreeMap<&str, (usize, usize, String)> = BTreeMap::new();
    let mut mistakes = Vec::new();
    for page in pages::gallery().unwrap() {
        let size = brotli(page.html.as_bytes());
        let first = size + files_of(&page.html);
        let for_customer = page.html.contains("<body class=\"c\">");
        let (most, most_first) = match page.page {
            _ if for_customer => (4 * K, 16 * K),
            "desk" | "approvals" | "audit" => (12 * K, 30 * K),
            name if name.starts_with("procedure") => (15 * K, 36 * K),
            "statistics" => (15 * K, 40 * K),
            _ => (6 * K, 24 * K),
        };
        if size > most || first > most_first {
            mistakes.push(format!(
                "{} takes {size} bytes, {first} on a first visit; at most {most} and {most_first}",
                page.file()
            ));
        }
        let entry = largest.entry(page.page).or_default();
        if size > entry.0 {
            *entry = (size, first, page.state.to_owned());
        }
    }
    for (page, (size, first, state)) in largest {
        println!("{page}: {size}, {first} on a first visit ({state})");
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

/// The desk is at its largest with a hundred cases on it.
#[test]
fn a_full_desk_is_small() {
    let (_, mut desk) = pages::DeskPage::samples().remove(0);
    let some = desk.rows.clone();
    desk.rows = (0..100)
        .map(|number| {
            let mut row = some[number % some.len()].clone();
            row.id = format!("CS-{:06X}", number * 7919 % 0x00ff_ffff);
            row.customer = format!("{} {number}", row.customer);
            row
        })
        .collect();
    let html = desk.to_string();
    let size = brotli(html.as_bytes());
    println!("a hundred cases: {size}");
    assert!(size <= 12 * 1024, "{size}");
}

/// Sum of the files that a page loads, as they are served.
fn files_of(html: &str) -> usize {
    let files: BTreeSet<&str> = html
        .split("\"/assets/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(!files.is_empty());
    files
        .into_iter()
        .map(|file| countersign_web::assets::asset(file).unwrap().brotli.len())
        .sum()
}

/// As the router compresses pages, which `budgets.rs` sees it do.
fn brotli(body: &[u8]) -> usize {
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 2,
        ..Default::default()
    };
    let mut packed = Vec::new();
    let packing = brotli::BrotliCompress(&mut &*body, &mut packed, &parameters);
    assert!(packing.is_ok());
    packed.len()
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// The start tags of a document whose attribute values never hold `>`; our escaping sees to that.
fn tags(html: &str) -> Vec<Tag<'_>> {
    html.split('<')
        .skip(1)
        .filter(|piece| !piece.starts_with(['/', '!']))
        .filter_map(|piece| piece.split_once('>'))
        .map(|(tag, _)| {
            let (name, mut rest) = tag.split_once(char::is_whitespace).unwrap_or((tag, ""));
            let mut attributes = BTreeMap::new();
            while !rest.trim_start().is_empty() {
                rest = rest.trim_start();
                let end = rest.find(['=', ' ', '\n']).unwrap_or(rest.len());
                let key;
                (key, rest) = rest.split_at(end);
                let mut value = "";
                if let Some(after) = rest.strip_prefix("=\"") {
                    (value, rest) = after.split_once('"').unwrap_or((after, ""));
                } else if let Some(after) = rest.strip_prefix('=') {
                    (value, rest) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
                }
                attributes.insert(key, value);
            }
            Tag { name, attributes }
        })
        .collect()
}

/// The first end tag that does not fit, and blocks inside paragraphs.
fn unbalanced(html: &str) -> Option<String> {
    const VOID: [&str; 7] = ["meta", "link", "input", "br", "img", "path", "hr"];
    const BLOCK: [&str; 12] = [
        "p", "div", "form", "ul", "ol", "dl", "section", "h1", "h2", "details", "table", "header",
    ];
    let mut open: Vec<&str> = Vec::new();
    for piece in html.split('<').skip(1) {
        let tag = piece.split_once('>').map_or(piece, |(tag, _)| tag);
        if tag.starts_with('!') {
            continue;
        }
        let name = tag
            .trim_start_matches('/')
            .split([' ', '\n', '/'])
            .next()
            .unwrap_or_default();
        if tag.starts_with('/') {
            let last = open.pop();
            if last != Some(name) {
                return Some(format!("</{name}> closes {last:?}"));
            }
        } else if !VOID.contains(&name) && !tag.ends_with('/') {
            if BLOCK.contains(&name) && open.contains(&"p") {
                return Some(format!("<{name}> inside <p>"));
            }
            if name == "form" && open.contains(&"form") {
                return Some("a form in a form".into());
            }
            if matches!(name, "a" | "button")
                && open.iter().any(|outer| matches!(*outer, "a" | "button"))
            {
                return Some(format!("<{name}> inside another control"));
            }
            open.push(name);
        }
    }
    (!open.is_empty()).then(|| format!("still open: {open:?}"))
}
