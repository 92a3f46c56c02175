//! What holds for every text: reading never fails badly, formatting loses
//! nothing, and the JSON twin says the same.

use std::fmt::Write as _;
use std::path::Path;

use countersign_language::{
    Severity, check, format, read, read_bytes, read_json, render_json, render_terminal, text_of,
    to_json,
};
use proptest::prelude::*;

pub(crate) fn texts() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../procedures");
    let mut texts: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "procedure")
        })
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    texts.push(EVERYTHING.to_owned());
    texts.sort();
    texts
}

/// Every construct of the language, in every form.
pub(crate) const EVERYTHING: &str = r#"
organisation "Every \"construct\" \\ there is"
staff agent "support agent"
staff senior "senior" includes agent
staff boss "boss" includes senior, agent
secret password "account password" using password
secret born "date of birth" public
secret card "last digits" using pin visible to agent
channel mailbox "mailbox"
channel mobile "mobile"
device key "key"
state signed_in "signed in" using oidc
proof mail_code "code by mail" shows mailbox using mail
proof text_code "code by text" shows mobile using text
proof passkey "passkey" shows key using passkey
loss money "money"
loss account "account"
action session "Sign in" { gives signed_in runs panel path p { prove password } }
action credit "Give credit" {
  with amount "amount", reason "reason"
  says "Credit {amount} because of {reason}"
  opened by agent, customer
  loses money
  runs billing
  expires 36h
  path small { when amount <= 49.99 agent confirms "they called \"us\"" at most 3 per 7d per staff at most 1 per 1d per customer prove signed_in }
  path large {
    when amount > 49.99 when customer.plan is not "free" when customer.years >= 2 when customer.age < 99 when amount is 5
    prove 2 of (password, mail_code settled 7d, text_code or passkey, 1 of (card, born))
    prove (password and mail_code) or (passkey and (text_code or card))
    sign-off 2 senior sign-off 1 boss notify mobile, mailbox wait 30m
    backup within 24h backup verified within 7d in 2 places backup restored within 30d in 1 place
  }
}
action address.change "Change address" { with to "new" says "To {to}" changes mailbox gives key sends password to mobile loses account runs panel
  path p { prove passkey notify every channel wait 72h } }
outside action mailbox.recover "Recovery" { gives mailbox path anybody {} path text { prove text_code } }
promise "one" { even if 1 secret stolen and 2 channels hijacked and 1 device taken and mailbox hijacked and card stolen
  and key taken and 2 senior deceived and any agent deceived and notices unread never money, account, credit }
promise "two" { never money }
promise "three" { even without key, mobile always credit within 3d }
promise "four" { always session }
"#;

/// Splits a text without comments into its tokens.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '#' => {
                rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
                continue;
            }
            '"' => {
                let mut end = 1;
                while !rest[end..].starts_with('"') {
                    end += if rest[end..].starts_with('\\') {
                        2
                    } else {
                        rest[end..].chars().next().unwrap().len_utf8()
                    };
                }
                end + 1
            }
            _ if first.is_whitespace() => {
                rest = &rest[first.len_utf8()..];
                continue;
            }
            '{' | '}' | '(' | ')' | ',' => 1,
            _ => rest
                .find(|letter: char| letter.is_whitespace() || "{}(),\"#".contains(letter))
                .unwrap_or(rest.len()),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    tokens
}

/// The same tokens with any layout and any comments between them.
fn laid_out(tokens: &[String], gaps: &[u8]) -> (String, Vec<String>) {
    let mut text = String::new();
    let mut comments = Vec::new();
    for (n, token) in tokens.iter().enumerate() {
        let gap = gaps[n % gaps.len()];
        match gap {
            0..=99 => text.push(' '),
            100..=139 => text.push('\n'),
            140..=159 => text.push_str("\n\n\n"),
            160..=169 => text.push_str("\r\n\t"),
            170..=189 => {
                comments.push(format!("# c{n}"));
                let _ = writeln!(text, " # c{n} ");
            }
            190..=209 => {
                comments.push(format!("# c{n}"));
                let _ = write!(text, "\n# c{n}\n");
            }
            210..=229 => {
                comments.extend([format!("# c{n}"), format!("# d{n}")]);
                let _ = write!(text, "\n\n# c{n}\n\n# d{n}\n\n");
            }
            _ => {
                comments.extend([format!("# c{n}"), format!("# d{n}")]);
                let _ = write!(text, "# c{n}\n  # d{n}\n");
            }
        }
        text.push_str(token);
    }
    (text, comments)
}

fn sorted(mut lines: Vec<String>) -> Vec<String> {
    lines.sort();
    lines
}

/// The comments of a text, by lines (no quoted words in these texts hold a `#`).
fn comments_of(text: &str) -> Vec<String> {
    text.lines()
        .filter_map(|line| line.find('#').map(|at| line[at..].to_owned()))
        .collect()
}

fn check_invariants(bytes: &[u8]) {
    let reading = read_bytes(bytes);
    let text = text_of(bytes);
    let errors = reading
        .diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    assert_eq!(reading.procedure.is_none(), errors, "{text}");
    if text.as_bytes() == bytes {
        let checked = check(&text);
        assert_eq!(checked.procedure, reading.procedure, "{text}");
        assert_eq!(checked.diagnostics, reading.diagnostics, "{text}");
    }
    for diagnostic in &reading.diagnostics {
        assert!(!diagnostic.labels.is_empty());
        for label in &diagnostic.labels {
            assert!(
                text.get(label.span.start as usize..label.span.end as usize)
                    .is_some(),
                "{diagnostic:?} in {text:?}"
            );
        }
        assert!(
            !diagnostic.message.ends_with('.') && !diagnostic.message.contains('\n'),
            "{}",
            diagnostic.message
        );
    }
    let _ = render_terminal(&reading.diagnostics, "a.procedure", &text, true);
    let _ = render_json(&reading.diagnostics, "a.procedure", &text);
    let _ = to_json(&reading.tree);
    if let Ok(formatted) = format(&reading.tree) {
        let again = read(&formatted);
        assert_eq!(
            format(&again.tree).unwrap(),
            formatted,
            "formatting changed formatted text, from {text:?}"
        );
        assert_eq!(
            to_json(&again.tree),
            to_json(&reading.tree),
            "formatting changed the meaning of {text:?}"
        );
        assert_eq!(
            again.procedure.map(|p| p.version),
            reading.procedure.map(|p| p.version)
        );
    }
}

#[test]
fn the_example_of_everything_is_valid() {
    let reading = read(EVERYTHING);
    let errors: Vec<_> = reading
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .collect();
    assert!(
        errors.is_empty(),
        "{}",
        render_terminal(&reading.diagnostics, "everything", EVERYTHING, false)
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// White space and comments mean nothing, and formatting keeps every comment.
    #[test]
    fn layout_means_nothing(which in 0_usize..8, gaps in proptest::collection::vec(any::<u8>(), 1..400)) {
        let texts = texts();
        let plain = &texts[which % texts.len()];
        let (text, comments) = laid_out(&tokens(plain), &gaps);
        let expected = read(plain).procedure.unwrap();
        let reading = read(&text);
        prop_assert_eq!(&check(&text).procedure, &reading.procedure);
        let version = reading.procedure.as_ref().map(|procedure| procedure.version);
        prop_assert_eq!(version, Some(expected.version), "{}", text);
        let formatted = format(&reading.tree).unwrap();
        let again = read(&formatted);
        prop_assert_eq!(again.procedure.unwrap().without_spans(), expected.without_spans());
        prop_assert_eq!(format(&again.tree).unwrap(), &*formatted, "from {}", text);
        prop_assert_eq!(sorted(comments_of(&formatted)), sorted(comments), "{}", formatted);
    }

    /// A file with tokens missing, doubled, swapped or from elsewhere never does harm.
    #[test]
    fn mutated_files_do_no_harm(
        which in 0_usize..8,
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 0_u8..4), 1..6),
    ) {
        let texts = texts();
        let mut tokens = tokens(&texts[which % texts.len()]);
        for (at, other, edit) in edits {
            let (at, other) = (at.index(tokens.len()), other.index(tokens.len()));
            match edit {
                0 => { tokens.remove(at); }
                1 => { let copy = tokens[other].clone(); tokens.insert(at, copy); }
                2 => tokens.swap(at, other),
                _ => {
                    let end = tokens[at].char_indices().nth(1).map_or(0, |(end, _)| end);
                    tokens[at].truncate(end);
                }
            }
        }
        check_invariants(tokens.join("\n").as_bytes());
        check_invariants(tokens.join(" ").as_bytes());
    }

    #[test]
    fn mutated_bytes_do_no_harm(which in 0_usize..8, edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let texts = texts();
        let mut bytes = texts[which % texts.len()].clone().into_bytes();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        check_invariants(&bytes);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
        check_invariants(&bytes);
    }

    /// Random words of the language reach every corner of the parser.
    #[test]
    fn random_words_do_no_harm(words in proptest::collection::vec(prop::sample::select(WORDS), 0..200)) {
        check_invariants(words.join(" ").as_bytes());
    }

    #[test]
    fn mutated_twins_do_no_harm(which in 0_usize..8, at in any::<prop::sample::Index>(), with in prop::sample::select(PIECES)) {
        let texts = texts();
        let json = to_json(&read(&texts[which % texts.len()]).tree);
        let mut value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let count = count(&value);
        replace(&mut value, &mut at.index(count), &serde_json::from_str(with).unwrap());
        let text = value.to_string();
        let reading = read_json(&text);
        let errors = reading.diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
        for label in reading.diagnostics.iter().flat_map(|finding| &finding.labels) {
            prop_assert!(text.get(label.span.start as usize..label.span.end as usize).is_some(), "{}", text);
        }
        prop_assert_eq!(reading.procedure.is_none(), errors);
        if let Some(procedure) = reading.procedure {
            let again = read(&format(&reading.tree).unwrap());
            prop_assert_eq!(again.procedure.unwrap().without_spans(), procedure);
        }
    }
}

const WORDS: &[&str] = &[
    "organisation",
    "staff",
    "secret",
    "channel",
    "device",
    "state",
    "proof",
    "loss",
    "action",
    "outside",
    "promise",
    "with",
    "says",
    "opened",
    "by",
    "gives",
    "changes",
    "sends",
    "to",
    "loses",
    "runs",
    "expires",
    "path",
    "prove",
    "sign-off",
    "notify",
    "every",
    "wait",
    "backup",
    "within",
    "in",
    "places",
    "when",
    "is",
    "not",
    "at",
    "most",
    "per",
    "customer",
    "confirms",
    "and",
    "or",
    "of",
    "settled",
    "even",
    "if",
    "without",
    "never",
    "always",
    "any",
    "deceived",
    "notices",
    "unread",
    "stolen",
    "using",
    "mail",
    "public",
    "visible",
    "includes",
    "shows",
    "a",
    "b",
    "wait",
    "1",
    "2",
    "24h",
    "\"x\"",
    "\"{a}\"",
    "{",
    "}",
    "{",
    "}",
    "(",
    ")",
    ",",
    "<",
    "\n",
    "# c\n",
    "%",
];

pub(crate) const PIECES: &[&str] = &[
    "\"\\u00e4 {x} {amount} \\u0022\"",
    "null",
    "true",
    "0",
    "1",
    "-1",
    "1.5",
    "\"\"",
    "\"pin\"",
    "\"24h\"",
    "[]",
    "{}",
    "[\"a\", \"b\"]",
    "{\"and\": [\"a\", \"b\"]}",
    "4294967296",
];

pub(crate) fn count(value: &serde_json::Value) -> usize {
    1 + match value {
        serde_json::Value::Array(items) => items.iter().map(count).sum(),
        serde_json::Value::Object(fields) => fields.values().map(count).sum(),
        _ => 0,
    }
}

pub(crate) fn replace(value: &mut serde_json::Value, at: &mut usize, with: &serde_json::Value) {
    if *at == 0 {
        *value = with.clone();
        *at = usize::MAX;
        return;
    }
    *at -= 1;
    match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| {
            if *at != usize::MAX {
                replace(item, at, with);
            }
        }),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(|field| {
            if *at != usize::MAX {
                replace(field, at, with);
            }
        }),
        _ => {}
    }
}

#[test]
fn the_twin_says_the_same() {
    for text in texts() {
        let reading = read(&text);
        let json = to_json(&reading.tree);
        let twin = read_json(&json);
        let errors: Vec<_> = twin
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .collect();
        assert!(
            errors.is_empty(),
            "{}",
            render_terminal(&twin.diagnostics, "twin.json", &json, false)
        );
        let procedure = reading.procedure.unwrap();
        assert_eq!(twin.procedure.as_ref().unwrap().version, procedure.version);
        assert_eq!(twin.procedure.unwrap(), procedure.without_spans());
        assert_eq!(to_json(&twin.tree), json);
        let formatted = format(&twin.tree).unwrap();
        let again = read(&formatted);
        assert_eq!(format(&again.tree).unwrap(), formatted);
        assert_eq!(to_json(&again.tree), json);
    }
}

#[test]
fn the_version_is_the_hash_of_the_twin_without_white_space() {
    // Computed with another program: `jq -cjS . | sha256sum` over the twin.
    let reading = read("organisation \"Äcme \\\"\\\\\"\n");
    assert_eq!(
        to_json(&reading.tree)
            .lines()
            .map(str::trim)
            .collect::<String>()
            .replace("\": ", "\":"),
        r#"{"actions":[],"holdings":[],"losses":[],"organisation":"Äcme \"\\","promises":[],"proofs":[],"staff":[]}"#
    );
    assert_eq!(
        reading.procedure.unwrap().version.to_string(),
        "b8030905a6ac231475432876f13a19f18d70ded503a1059f698fc16e98747212"
    );
}

#[test]
fn floods_of_mistakes_are_capped() {
    let reading = read(&"? ".repeat(50_000));
    assert_eq!(
        reading
            .diagnostics
            .iter()
            .filter(|diagnostic| diagnostic.severity == Severity::Error)
            .count(),
        1_000
    );
    let last = reading.diagnostics.last().unwrap();
    assert_eq!(
        (last.code, &*last.message),
        ("too-many-findings", "49001 more findings are not shown")
    );
}

#[test]
fn nesting_is_limited_and_never_overflows_the_stack() {
    for piece in ["(", "1 of (", "(a or "] {
        let text = format!(
            "organisation \"A\" action a \"A\" {{ path p {{ prove {} }} }}",
            piece.repeat(200_000)
        );
        assert!(
            read(&text)
                .diagnostics
                .iter()
                .any(|diagnostic| diagnostic.code == "nested-too-deep")
        );
    }
    let deep = format!(
        "{}\"a\"{}",
        "{\"and\":[\"b\",".repeat(100),
        "]}".repeat(100)
    );
    let json = format!(
        r#"{{"organisation":"A","actions":[{{"name":"a","label":"A","paths":[{{"name":"p","lines":[{{"prove":{deep}}}]}}]}}]}}"#
    );
    assert!(
        read_json(&json)
            .diagnostics
            .iter()
            .any(|diagnostic| diagnostic.code == "nested-too-deep")
    );
}

/// Texts that would take for ever if anything were looked up or measured anew for each mention.
#[test]
fn large_and_hostile_files_are_read_in_one_go() {
    const SIZE: usize = 200_000;
    let many = |piece: &str| piece.repeat(SIZE / piece.len());
    let numbered = |write: &dyn Fn(usize) -> String| (0..SIZE / 40).map(write).collect::<String>();
    let action = |inside: &str| {
        format!(
            "organisation \"A\" secret pin \"PIN\" using pin channel c \"c\" action x \"x\" {{ runs p {inside} }}"
        )
    };
    let hostile = [
        action(&format!("with a \"a\" says \"{}\"", many("{b}"))),
        action(&format!("with a \"a\" says \"{}\"", many("{"))),
        action(&format!(
            "with {} says \"{}\"",
            numbered(&|n| format!("p{n} \"x\", ")),
            many("{b}")
        )),
        action(&format!("path p {{ prove {} }}", many("c or "))),
        action(&format!("path p {{ {} }}", many("notify every channel "))),
        action(&many("path p{}")),
        numbered(&|n| format!("staff r{n} \"x\" includes r{}\n", n.saturating_sub(1))),
        numbered(&|n| format!("proof p{n} \"x\" shows h{n} using mail\n")),
        numbered(&|n| format!("secret s{n} \"x\"\n"))
            + &action(&format!("path p {{ {} }}", many("prove m "))),
        numbered(&|n| {
            format!(
                "state s{n} \"x\" action a{n} \"x\" {{ gives s{n} runs p path p {{ prove s{} }} }}\n",
                n + 1
            )
        }),
        format!(
            "secret {} \"x\"\n{}",
            many("a"),
            numbered(&|n| format!("secret s{n} \"x\" using pin\n"))
        ),
        many("action a \"a\" {"),
        many("{"),
        many("# c\n"),
        format!("{{{}\"a\":1}}", many("\"staff\":1,")),
    ];
    for text in hostile {
        let reading = if text.starts_with("{\"") {
            read_json(&text)
        } else {
            read(&text)
        };
        assert!(reading.diagnostics.len() <= 2_001);
        let _ = format(&reading.tree);
        let _ = to_json(&reading.tree);
    }
}
