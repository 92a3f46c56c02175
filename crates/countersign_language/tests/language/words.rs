//! Plain English: explanations, sentences, and whether there are enough people.

use std::collections::BTreeMap;

use countersign_language::{
    Duration, Expr, Procedure, Requirement, Unit, check_staffing, explain, read,
};

fn hosting() -> Procedure {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../procedures/hosting.procedure"
    );
    read(&std::fs::read_to_string(path).unwrap())
        .procedure
        .unwrap()
}

fn procedure(text: &str) -> Procedure {
    let reading = read(text);
    reading
        .procedure
        .unwrap_or_else(|| panic!("{:#?}", reading.diagnostics))
}

#[test]
fn a_whole_procedure_in_plain_english() {
    insta::assert_snapshot!(explain(&hosting(), None));
}

#[test]
fn one_action_in_plain_english() {
    let hosting = hosting();
    insta::assert_snapshot!(explain(&hosting, hosting.action_named("email.change")));
}

#[test]
fn every_requirement_in_plain_english() {
    let procedure = procedure(
        r#"organisation "Acme"
        staff agent "support agent"
        staff senior "senior support agent" includes agent
        secret pin "support PIN" using pin
        channel mailbox "e-mail address on file"
        channel mobile "mobile number"
        device key "passkey"
        proof mail_code "code sent by e-mail" shows mailbox using mail
        proof passkey "passkey" shows key using passkey
        action credit "Give credit" {
          with amount "amount in euro"
          says "Add {amount} euro"
          runs billing
          path all {
            when amount <= 49.5 when amount > 1 when customer.home_country is not "NO"
            at most 1 per 1d per customer at most 20 per 7d per staff
            prove pin and (mail_code settled 7d or passkey)
            prove 2 of (pin, mail_code and passkey, passkey)
            agent confirms "they called us"
            sign-off 1 senior sign-off 2 agent
            notify every channel notify mailbox, mobile
            wait 1h wait 30m
            backup within 24h backup verified within 7d in 2 places backup restored within 1d
          }
        }"#,
    );
    insta::assert_snapshot!(explain(&procedure, procedure.action_named("credit")));
}

#[test]
fn words_of_the_file_are_no_markup() {
    let procedure = procedure(
        "organisation \"<b>A*c_me</b>\"\nsecret pin \"[PIN](http://x)\" using pin\naction a \"# `A`\" { runs p path p { prove pin } }",
    );
    let page = explain(&procedure, None);
    assert!(
        page.contains("What &lt;b&gt;A\\*c\\_me&lt;/b&gt; asks"),
        "{page}"
    );
    assert!(
        page.contains("\\[PIN\\](http://x)") && page.contains("### \\# \\`A\\`"),
        "{page}"
    );
}

#[test]
fn sentences_have_the_values_of_the_case() {
    let hosting = hosting();
    let action = hosting.action_named("server.reinstall").unwrap();
    let mut values = BTreeMap::from([("server".to_owned(), "web-1 {image}".to_owned())]);
    assert_eq!(
        hosting.sentence(action, &values),
        None,
        "a value is missing"
    );
    values.insert("image".to_owned(), "Debian 13".to_owned());
    assert_eq!(
        hosting.sentence(action, &values).as_deref(),
        Some("Erase everything on web-1 {image} and install Debian 13"),
        "values are put in as they are, once"
    );
    let reset = hosting.action_named("password.reset").unwrap();
    assert_eq!(
        hosting.sentence(reset, &BTreeMap::new()).as_deref(),
        Some("Send a password reset link")
    );
}

#[test]
fn spans_point_at_what_they_name() {
    let text = "organisation \"A\"\nsecret pin \"PIN\" using pin\naction a.b \"A\" {\n  runs p\n  path usual { prove pin }\n}\n";
    let procedure = procedure(text);
    let slice = |span: countersign_language::Span| &text[span.start as usize..span.end as usize];
    let action = &procedure.actions[0];
    assert_eq!(slice(procedure.holdings[0].span), "secret pin \"PIN\"");
    assert_eq!(slice(action.span), "action a.b \"A\"");
    assert_eq!(slice(action.paths[0].span), "path usual");
    assert_eq!(slice(action.paths[0].lines[0].span), "prove pin");
    let Requirement::Prove(Expr::Atom { span, .. }) = action.paths[0].lines[0].requirement else {
        panic!()
    };
    assert_eq!(slice(span), "pin");
    assert_eq!(
        action.expires,
        Duration {
            count: 48,
            unit: Unit::Hour
        }
    );
    assert!(action.opened_by.customer);
}

#[test]
fn proofs_have_the_same_numbers_however_declarations_are_mixed() {
    let names = |text: &str| {
        procedure(text)
            .proofs
            .into_iter()
            .map(|proof| proof.name)
            .collect::<Vec<_>>()
    };
    let mixed = "organisation \"A\" device d \"d\" proof p \"p\" shows d using passkey secret s \"s\" channel c \"c\" state t \"t\"";
    assert_eq!(names(mixed), ["s", "t", "p"]);
}

const STAFFED: &str = r#"
organisation "Acme"
staff agent "agent"
staff senior "senior" includes agent
staff office "accountant"
secret pin "PIN" using pin
action pay "Pay out" {
  runs billing
  path usual { prove pin  agent confirms "they called"  sign-off 2 senior  sign-off 1 office  sign-off 1 agent }
}
"#;

#[test]
fn staffing_counts_each_person_once() {
    let procedure = procedure(STAFFED);
    let people = |agent: u32, senior: u32, office: u32| {
        let people = [("agent", agent), ("senior", senior), ("office", office)];
        let people = people
            .into_iter()
            .map(|(role, count)| (role.to_owned(), count))
            .collect();
        let found = check_staffing(&procedure, &people);
        // It is the only path: if it cannot be completed, nothing can.
        let (shut, short): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|finding| finding.code == "nobody-on-duty");
        assert_eq!(shut.len(), short.len());
        short
            .into_iter()
            .map(|finding| finding.message)
            .collect::<Vec<_>>()
    };
    assert_eq!(people(2, 2, 1), Vec::<String>::new());
    assert_eq!(
        people(0, 4, 1),
        Vec::<String>::new(),
        "seniors may act as agents"
    );
    assert_eq!(
        people(9, 1, 1),
        ["path `usual` of `pay` needs 2 people as `senior` and there is 1"]
    );
    assert_eq!(
        people(9, 9, 0),
        ["path `usual` of `pay` needs 1 person as `accountant` and there are 0"]
    );
    assert_eq!(
        people(1, 2, 1),
        ["path `usual` of `pay` needs 4 people as `agent` or `senior` and there are 3"]
    );
    assert_eq!(check_staffing(&procedure, &BTreeMap::new()).len(), 2);
}

/// `changes` tells the old contact and every other, whether a path says so or not.
#[test]
fn a_change_tells_every_channel_by_every_path() {
    let text = "organisation \"A\"\nsecret pin \"PIN\" using pin\nchannel mail \"mail\"\nchannel mobile \"mobile\"\n\
        action mail.change \"Change it\" {\n  changes mail runs panel\n  path quiet { prove pin wait 72h }\n  path one { prove pin notify mobile wait 72h }\n  path loud { prove pin notify every channel wait 72h }\n}\n\
        action other \"Other\" { runs panel path usual { prove pin wait 1h } }\n\
        outside action mail.move \"Move it\" { changes mail path usual { prove pin } }\n";
    let procedure = countersign_language::read(text).procedure.unwrap();
    let told = |action: usize, path: usize| -> Vec<(bool, usize, usize)> {
        let lines = procedure.actions[action].paths[path].lines.iter();
        lines
            .filter_map(|line| match &line.requirement {
                Requirement::Notify { every, channels } => Some((
                    *every,
                    channels.len(),
                    countersign_language::line_of(text, line.span),
                )),
                _ => None,
            })
            .collect()
    };
    assert_eq!(told(0, 0), [(true, 2, 6)], "at the place of `changes`");
    assert_eq!(told(0, 1), [(false, 1, 8), (true, 2, 6)]);
    assert_eq!(told(0, 2), [(true, 2, 9)], "only once");
    assert_eq!(told(1, 0), []);
    assert_eq!(
        told(2, 0),
        [],
        "the gate has no part in what happens outside"
    );
}
