//! The museum: what happened to real companies, as procedures, as practised and repaired.
//!
//! `docs/museum.md` and its pictures are written from these files. Run with `COUNTERSIGN_BLESS=1`
//! to write them again, and review that.

#![expect(
    clippy::panic,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "helpers of a test fail it; what is looked up is there; the museum is read from disk"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use countersign_language::{Claim, Diagnostic, Procedure, Severity, Target, format, line_of, read};
use countersign_prover::draw::{self, Room};
use countersign_prover::{
    Attack, Compromise, Limits, Verdict, What, advice, attacks, certificate, cheapest, check, reach,
};

/// One incident of the museum. What it tells about the world stands in `docs/museum.md`, with sources.
struct Exhibit {
    /// Of its two files, before `.practised.procedure` and `.repaired.procedure`. Begins with the year.
    name: &'static str,
    company: &'static str,
    lost: &'static str,
    /// The attack in five words or so.
    attack: &'static str,
    /// The line of practice that failed, as it stands in the file.
    failed: &'static str,
    /// What the attacker had or did to people.
    set: &'static [&'static str],
    /// What was then done, in order.
    acts: &'static [&'static str],
}

const EXHIBITS: &[Exhibit] = &[
    Exhibit {
        name: "2007-xbox-live",
        company: "Xbox Live",
        lost: "accounts and their points",
        attack: "one detail in each call",
        failed: r#"prove gamertag  agent confirms "the caller's story is plausible""#,
        set: &["agent deceived"],
        acts: &["details.tell", "account.recover"],
    },
    Exhibit {
        name: "2012-amazon-apple",
        company: "Amazon and Apple",
        lost: "three devices and a mail account, erased",
        attack: "a card one added oneself",
        failed: "path by_phone { prove name_address and amazon_card }",
        set: &[],
        acts: &[
            "amazon.add_card",
            "amazon.add_mail",
            "amazon.reset",
            "amazon.look",
            "apple.reset",
            "apple.wipe",
        ],
    },
    Exhibit {
        name: "2012-att",
        company: "AT&T",
        lost: "1,900,033 unlocked telephones",
        attack: "agents paid for each request",
        failed: r#"path as_practised { agent confirms "the customer may have it unlocked" }"#,
        set: &["agent deceived"],
        acts: &["phone.unlock"],
    },
    Exhibit {
        name: "2012-linode",
        company: "Linode",
        lost: "46,703 bitcoins",
        attack: "one login of the portal",
        failed: "path as_practised { prove support_login }",
        set: &["support_login stolen"],
        acts: &["manager.open", "root.reset"],
    },
    Exhibit {
        name: "2013-melbourne-it",
        company: "Melbourne IT",
        lost: "name servers of nytimes.com, for hours",
        attack: "logins kept in a mailbox",
        failed: "sends reseller_login to reseller_mail",
        set: &["reseller_mail hijacked"],
        acts: &["login.mailed", "dns.change"],
    },
    Exhibit {
        name: "2013-ovh",
        company: "OVH",
        lost: "the customer database",
        attack: "a mailbox that recovered everything",
        failed: "path as_practised { prove mail_read }",
        set: &["admin_mail hijacked"],
        acts: &["vpn.recover", "backoffice.enter", "customers.read"],
    },
    Exhibit {
        name: "2014-paypal-godaddy",
        company: "PayPal and GoDaddy",
        lost: "domains, and a name extorted with them",
        attack: "four digits of a card",
        failed: r#"path as_claimed { prove card_last4  godaddy_agent confirms "the digits guessed are right" }"#,
        set: &["godaddy_agent deceived", "paypal_agent deceived"],
        acts: &["card.tell", "account.reset", "mail.redirect"],
    },
    Exhibit {
        name: "2016-amazon-chat",
        company: "Amazon",
        lost: "where a customer lives",
        attack: "an address from a register",
        failed: r#"path as_practised { prove whois_address  agent confirms "I am chatting with the customer" }"#,
        set: &["agent deceived"],
        acts: &["order.tell"],
    },
    Exhibit {
        name: "2016-namecheap",
        company: "Namecheap",
        lost: "two servers",
        attack: "a PIN that nobody asked",
        failed: r#"path as_practised { agent confirms "it sounds like the customer" }"#,
        set: &["agent deceived", "mailbox hijacked"],
        acts: &["credentials.resend", "server.wipe"],
    },
    Exhibit {
        name: "2016-t-mobile",
        company: "T-Mobile",
        lost: "bitcoins, reported as millions of dollars",
        attack: "a number moved without notice",
        failed: r#"path as_practised { carrier confirms "the caller is the customer" }"#,
        set: &["carrier deceived"],
        acts: &["number.port_out", "mail.reset", "accounts.reset"],
    },
    Exhibit {
        name: "2017-fox-it",
        company: "Fox-IT",
        lost: "9 passwords and 12 files",
        attack: "one password, four years old",
        failed: "path as_practised { prove registrar_password }",
        set: &["registrar_password stolen"],
        acts: &["dns.change", "certificate.issue", "portal.intercept"],
    },
    Exhibit {
        name: "2019-outlook",
        company: "Microsoft consumer mail",
        lost: "customers' mail; coins at an exchange",
        attack: "a portal that shows mail",
        failed: "path as_practised { prove support_login }",
        set: &["support_login stolen"],
        acts: &["mail.show", "exchange.reset"],
    },
    Exhibit {
        name: "2020-godaddy",
        company: "GoDaddy",
        lost: "escrow.com and about five other domains",
        attack: "one phished employee, a note",
        failed: r#"path as_practised { agent confirms "the customer asked for it" }"#,
        set: &["agent deceived"],
        acts: &["dns.change"],
    },
    Exhibit {
        name: "2020-roblox",
        company: "Roblox",
        lost: "players' data; two accounts plundered",
        attack: "a bribe, then the panel",
        failed: r#"path as_practised { insider confirms "the player asked for it" }"#,
        set: &["insider deceived"],
        acts: &["password.set", "second_factor.remove", "items.sell"],
    },
    Exhibit {
        name: "2020-twitter",
        company: "Twitter",
        lost: "accounts, and over $118,000 of followers",
        attack: "a false IT help desk",
        failed: r#"path as_practised { employee confirms "the account's owner asked for it" }"#,
        set: &["employee deceived"],
        acts: &[
            "email.change",
            "second_factor.remove",
            "password.reset",
            "account.post",
        ],
    },
    Exhibit {
        name: "2021-electronic-arts",
        company: "Electronic Arts",
        lost: "780 GB of source code",
        attack: "\"lost my phone\", in chat",
        failed: r#"path as_practised { prove chat_cookie  it confirms "the phone was lost at a party" }"#,
        set: &["chat_cookie stolen", "it deceived"],
        acts: &["token.issue", "network.enter"],
    },
    Exhibit {
        name: "2022-digitalocean",
        company: "DigitalOcean and Mailchimp",
        lost: "e-mail addresses; few accounts tried",
        attack: "the sender of reset links",
        failed: "path as_practised { prove mail_code }",
        set: &["mailchimp deceived"],
        acts: &["sender.read", "password.reset", "account.enter"],
    },
    Exhibit {
        name: "2022-namecheap",
        company: "Namecheap",
        lost: "at least 16.5 wrapped bitcoins of users",
        attack: "support passes the second proof",
        failed: r#"path as_practised { agent confirms "the customer asked for it" }"#,
        set: &["agent deceived"],
        acts: &["dns.change"],
    },
    Exhibit {
        name: "2022-signal-twilio",
        company: "Signal and Twilio",
        lost: "about 1,900 numbers exposed",
        attack: "the sender of text codes",
        failed: "path as_practised { prove text_code }",
        set: &["twilio deceived"],
        acts: &["console.read", "number.register"],
    },
    Exhibit {
        name: "2022-uber",
        company: "Uber",
        lost: "broad internal access",
        attack: "prompts until somebody says yes",
        failed: r#"path as_practised { prove password  contractor confirms "this sign-in is mine" }"#,
        set: &["contractor deceived", "password stolen"],
        acts: &["network.enter"],
    },
    Exhibit {
        name: "2023-mgm",
        company: "MGM Resorts",
        lost: "about $100 million",
        attack: "ten minutes with the desk",
        failed: r#"path as_practised { prove facts  desk confirms "I am speaking with the employee" }"#,
        set: &["desk deceived"],
        acts: &["proofs.reset", "admin.enter"],
    },
    Exhibit {
        name: "2023-okta",
        company: "Okta",
        lost: "files of 134 customers; five sessions",
        attack: "sessions in uploaded case files",
        failed: "path as_practised { prove service_login }",
        set: &["service_login stolen"],
        acts: &["files.read", "session.replay"],
    },
    Exhibit {
        name: "2024-hospitals",
        company: "Hospitals in the United States",
        lost: "payments, not quantified",
        attack: "right answers to personal questions",
        failed: r#"path as_practised { prove personal  desk confirms "the caller is the employee" }"#,
        set: &["desk deceived", "personal stolen"],
        acts: &["access.reset", "bank.change"],
    },
    Exhibit {
        name: "2025-coinbase",
        company: "Coinbase",
        lost: "records of 69,461 customers",
        attack: "bribed agents copy what opens",
        failed: r#"path as_practised { agent confirms "it is needed for the work" }"#,
        set: &["agent deceived"],
        acts: &["record.open"],
    },
    Exhibit {
        name: "2025-marks-and-spencer",
        company: "Marks & Spencer",
        lost: "about £300 million, estimated",
        attack: "a call to contracted help",
        failed: r#"path as_practised { desk confirms "the caller is who they say they are" }"#,
        set: &["desk deceived"],
        acts: &["password.reset", "network.enter"],
    },
    Exhibit {
        name: "2026-odido",
        company: "Odido",
        lost: "files of 6.2 million customers",
        attack: "\"IT\" calls about the sign-in",
        failed: r#"path as_practised { prove agent_password  agent confirms "the sign-in is mine" }"#,
        set: &["agent deceived", "agent_password stolen"],
        acts: &["desk.enter", "record.open"],
    },
    Exhibit {
        name: "2026-playstation",
        company: "PlayStation Network",
        lost: "an account",
        attack: "the number of a purchase",
        failed: r#"path as_practised { prove purchase  agent confirms "the caller owns the account" }"#,
        set: &["agent deceived", "purchase stolen"],
        acts: &["email.change", "account.enter"],
    },
];

#[test]
fn every_file_is_half_of_an_exhibit() {
    let found: BTreeSet<String> = std::fs::read_dir(folder())
        .expect("the museum")
        .map(|entry| entry.expect("an entry").file_name())
        .map(|name| name.into_string().expect("a plain name"))
        .collect();
    let expected: BTreeSet<String> = EXHIBITS
        .iter()
        .flat_map(|exhibit| Side::BOTH.map(|side| file_name(exhibit, side)))
        .collect();
    assert_eq!(found, expected);
    assert!(EXHIBITS.is_sorted_by_key(|exhibit| exhibit.name));
}

#[test]
fn files_are_valid_canonical_and_repaired_ones_clean() {
    for exhibit in EXHIBITS {
        for side in Side::BOTH {
            let name = file_name(exhibit, side);
            let file = open(exhibit, side);
            let worst = file
                .diagnostics
                .iter()
                .filter(|found| side == Side::Repaired || found.severity == Severity::Error);
            assert_eq!(worst.count(), 0, "{name}: {:#?}", file.diagnostics);
            let tree = read(&file.text).tree;
            assert_eq!(format(&tree).expect("a whole tree"), file.text, "{name}");
        }
    }
}

#[test]
fn as_practised_the_promise_is_broken_by_what_happened() {
    for exhibit in EXHIBITS {
        let file = open(exhibit, Side::Practised);
        let (attack, targets) = file.historic();
        assert_eq!(attack.set, exhibit.set, "{}", exhibit.name);
        assert_eq!(acts(&file.procedure, attack), exhibit.acts);

        // It is minimal among all attacks, not only among those that the promise speaks of.
        let all = attacks(&file.procedure, &targets, 4, Limits::default());
        assert!(all.complete(), "{}", exhibit.name);
        assert!(all.names.contains(&attack.set), "{}", exhibit.name);
        assert!(
            file.text.contains(exhibit.failed),
            "{}: no line says `{}`",
            exhibit.name,
            exhibit.failed
        );
    }
}

#[test]
fn repaired_the_same_promises_are_kept_and_what_happened_does_nothing() {
    for exhibit in EXHIBITS {
        let practised = open(exhibit, Side::Practised);
        let repaired = open(exhibit, Side::Repaired);
        let name = exhibit.name;
        let same = practised.promises();
        assert_eq!(same, repaired.promises()[..same.len()], "{name}");
        for verdict in &repaired.verdicts {
            assert!(verdict.kept, "{name}: {verdict:#?}");
        }
        let always = |file: &File| {
            let claims = file.procedure.promises.iter().map(|promise| &promise.claim);
            claims
                .filter(|claim| matches!(claim, Claim::Always { .. }))
                .count()
        };
        assert!(always(&repaired) > 0, "{name} may lock everybody out");

        let (_, targets) = practised.historic();
        let lost: Vec<&str> = targets
            .iter()
            .map(|&target| countersign_prover::target_name(&practised.procedure, target))
            .collect();
        let with: Vec<Compromise> = exhibit
            .set
            .iter()
            .map(|name| repaired.compromise(name))
            .collect();
        for loss in reach(&repaired.procedure, &with).losses {
            let loss = &repaired.procedure.losses[loss.index()].name;
            assert!(!lost.contains(&loss.as_str()), "{name} still loses {loss}");
        }
    }
}

#[test]
fn practice_is_warned_of_and_repairs_are_not() {
    let mut warned = 0;
    for exhibit in EXHIBITS {
        let repaired = open(exhibit, Side::Repaired);
        assert_eq!(warnings(&repaired), [], "{}", exhibit.name);
        warned += usize::from(!warnings(&open(exhibit, Side::Practised)).is_empty());
    }
    assert!(
        warned >= 18,
        "only {warned} are warned of before any promise"
    );
}

#[test]
fn no_repair_makes_anything_easier() {
    let mut level = Vec::new();
    for exhibit in EXHIBITS {
        let [before, after] = Side::BOTH.map(|side| size(&smallest(&open(exhibit, side))));
        assert!(after >= before, "{}: {before} {after}", exhibit.name);
        if after == before {
            level.push(exhibit.name);
        }
    }
    // There, what is the customer's own takes the place of a person who can be called up.
    assert_eq!(level, ["2022-uber", "2026-odido"]);
}

#[test]
fn every_verdict_carries_its_proof() {
    for exhibit in EXHIBITS {
        for side in Side::BOTH {
            let file = open(exhibit, side);
            let written = certificate::write(&file.procedure, &file.verdicts);
            let checked = certificate::check_all(&file.procedure, &written)
                .unwrap_or_else(|fault| panic!("{}: {fault}", exhibit.name));
            assert_eq!(checked.len(), file.verdicts.len());
        }
    }
}

#[test]
fn the_page_tells_what_the_files_say() {
    let path = root().join("docs/museum.md");
    let page = std::fs::read_to_string(&path).expect("docs/museum.md");
    let mut written = replaced(&page, "index", &index());
    for exhibit in EXHIBITS {
        written = replaced(&written, exhibit.name, &told(exhibit));
        let heading = format!("\n## {}\n", heading(exhibit));
        assert!(page.contains(&heading), "docs/museum.md has no{heading}");
    }
    assert_eq!(
        page.matches(OPEN).count(),
        EXHIBITS.len() + 1,
        "docs/museum.md tells of something that is not in the museum"
    );
    fresh(&path, &page, &written);
}

#[test]
fn the_pictures_show_what_the_files_say() {
    let folder = root().join("docs/pictures/museum");
    let mut expected = BTreeSet::new();
    for exhibit in EXHIBITS {
        let file = open(exhibit, Side::Practised);
        let (attack, _) = file.historic();
        let svg = draw::attack(&file.procedure, attack).svg(Room::Page);
        let path = folder.join(format!("{}.svg", exhibit.name));
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        fresh(&path, &found, &svg);
        expected.insert(path);
    }
    let found: BTreeSet<PathBuf> = std::fs::read_dir(folder)
        .expect("the pictures")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    assert_eq!(found, expected, "a picture of nothing in the museum");
}

/// The table at the top of the page.
fn index() -> String {
    let rows = EXHIBITS.iter().map(|exhibit| {
        let [before, after] = Side::BOTH.map(|side| size(&smallest(&open(exhibit, side))));
        format!(
            "| {} | [{}](#{}) | {} | {} | {before} | {after} |\n",
            &exhibit.name[..4],
            exhibit.company,
            anchor(&heading(exhibit)),
            exhibit.lost,
            exhibit.attack,
        )
    });
    ["| year | company | what was lost | the attack | smallest before | after |\n|---|---|---|---|---|---|\n".to_owned()]
        .into_iter()
        .chain(rows)
        .collect()
}

fn heading(exhibit: &Exhibit) -> String {
    format!("{}: {}", &exhibit.name[..4], exhibit.company)
}

/// How a heading is linked to.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// What the page says of one exhibit that the files know.
fn told(exhibit: &Exhibit) -> String {
    let practised = open(exhibit, Side::Practised);
    let (attack, _) = practised.historic();
    let failed = practised
        .text
        .lines()
        .position(|line| line.contains(exhibit.failed))
        .map_or(0, |index| index + 1);
    let steps: Vec<String> = (1..)
        .zip(&attack.steps)
        .map(|(number, step)| {
            let line = line_of(&practised.text, step.span);
            format!("{number}. {} (line {line})", step.text)
        })
        .collect();
    let warned: Vec<String> = warnings(&practised)
        .into_iter()
        .map(|(code, line)| format!("[`{code}`](diagnostics/{code}.md) in line {line}"))
        .collect();
    let warned = if warned.is_empty() {
        String::new()
    } else {
        format!(
            "Whatever is promised, the machine warns of {}. ",
            warned.join(", ")
        )
    };
    let left = smallest(&open(exhibit, Side::Repaired));
    format!(
        "![How {} was attacked, step by step as below](pictures/museum/{}.svg)\n\n\
         **The line that failed**, line {failed} of the procedure [as practised](../procedures/museum/{}): `{}`\n\n\
         **The promise**, broken there and kept in the [repaired](../procedures/museum/{}) one: *{}*\n\n\
         ```text\n{}\n```\n\n\
         {warned}The smallest attack that is left in the repaired procedure is of size {}: {}.\n",
        exhibit.company,
        exhibit.name,
        file_name(exhibit, Side::Practised),
        exhibit.failed,
        file_name(exhibit, Side::Repaired),
        practised.first_broken().text,
        steps.join("\n"),
        size(&left),
        left.set.join(", ")
    )
}

/// Between these two comments the page is written by machine.
const OPEN: &str = "<!-- from the files: ";
const CLOSE: &str = "<!-- so far -->";

fn replaced(page: &str, name: &str, by: &str) -> String {
    let open = format!("{OPEN}{name} -->\n");
    let (before, rest) = page
        .split_once(&open)
        .unwrap_or_else(|| panic!("docs/museum.md has no place for {name}"));
    let (_, after) = rest.split_once(CLOSE).expect("the end of that place");
    format!("{before}{open}\n{by}\n{CLOSE}{after}")
}

/// Fails unless the file says what it should; with `COUNTERSIGN_BLESS` writes it.
fn fresh(path: &Path, found: &str, expected: &str) {
    if std::env::var_os("COUNTERSIGN_BLESS").is_some() {
        std::fs::write(path, expected).expect("a file to write to");
        return;
    }
    assert!(
        found == expected,
        "{} is not fresh; run with COUNTERSIGN_BLESS=1 to write it",
        path.display()
    );
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Practised,
    Repaired,
}

impl Side {
    const BOTH: [Self; 2] = [Self::Practised, Self::Repaired];
}

struct File {
    text: String,
    procedure: Procedure,
    diagnostics: Vec<Diagnostic>,
    verdicts: Vec<Verdict>,
}

impl File {
    /// The first promise that does not hold.
    fn first_broken(&self) -> &Verdict {
        let mut broken = self.verdicts.iter().filter(|verdict| !verdict.kept);
        broken.next().expect("a broken promise")
    }

    /// The attack that breaks it, and on what.
    fn historic(&self) -> (&Attack, Vec<Target>) {
        let verdict = self.first_broken();
        let attack = verdict.attack.as_ref().expect("an attack");
        (attack, self.targets(verdict.promise))
    }

    fn targets(&self, promise: usize) -> Vec<Target> {
        match &self.procedure.promises[promise].claim {
            Claim::Never { targets, .. } => targets.clone(),
            Claim::Always { .. } => panic!("not a promise about thieves"),
        }
    }

    /// Its promises as they are written, in canonical format and so comparable.
    fn promises(&self) -> Vec<String> {
        let tail = self.text.find("\npromise ").expect("a promise");
        let promises = self.text[tail..].split("\npromise ").skip(1);
        promises.map(|text| text.trim().to_owned()).collect()
    }

    fn compromise(&self, name: &str) -> Compromise {
        let holdings = (0_u32..).map(|id| Compromise::Holding(countersign_language::HoldingId(id)));
        let roles = (0_u32..).map(|id| Compromise::Deceived {
            role: countersign_language::RoleId(id),
            count: 1,
        });
        holdings
            .take(self.procedure.holdings.len())
            .chain(roles.take(self.procedure.roles.len()))
            .find(|one| one.name(&self.procedure) == name)
            .unwrap_or_else(|| panic!("nothing is called {name}"))
    }
}

/// The cheapest attack of all, whatever the promises speak of.
fn smallest(file: &File) -> Attack {
    let targets = file.targets(0);
    let found = cheapest(&file.procedure, &targets, |_| 1).expect("an attack");
    assert!(found.proved);
    found.attack
}

fn size(attack: &Attack) -> usize {
    attack.compromises.iter().map(|one| one.size()).sum()
}

/// What the machine says of a file whatever it promises: the kind and the line, each kind once.
/// A model of practice names proofs that no gate could check; of that nothing is said here.
fn warnings(file: &File) -> Vec<(&'static str, usize)> {
    let further = advice(&file.procedure);
    let all = file.diagnostics.iter().chain(&further);
    let mut kinds: Vec<(&'static str, usize)> = Vec::new();
    for found in all {
        let gate = ["unusable-proof", "unreachable-action"].contains(&found.code);
        if !gate && kinds.iter().all(|&(code, _)| code != found.code) {
            let line = found.labels.first().map(|label| label.span);
            kinds.push((found.code, line.map_or(0, |span| line_of(&file.text, span))));
        }
    }
    kinds
}

fn acts<'a>(procedure: &'a Procedure, attack: &Attack) -> Vec<&'a str> {
    let steps = attack.steps.iter();
    steps
        .filter_map(|step| match step.what {
            What::Act { action, .. } => Some(procedure.actions[action.index()].name.as_str()),
            _ => None,
        })
        .collect()
}

fn open(exhibit: &Exhibit, side: Side) -> File {
    let name = file_name(exhibit, side);
    let text = std::fs::read_to_string(folder().join(&name))
        .unwrap_or_else(|error| panic!("{name}: {error}"));
    let reading = read(&text);
    let procedure = reading
        .procedure
        .unwrap_or_else(|| panic!("{name}: {:#?}", reading.diagnostics));
    let verdicts = check(&procedure);
    File {
        text,
        procedure,
        diagnostics: reading.diagnostics,
        verdicts,
    }
}

fn file_name(exhibit: &Exhibit, side: Side) -> String {
    match side {
        Side::Practised => format!("{}.practised.procedure", exhibit.name),
        Side::Repaired => format!("{}.repaired.procedure", exhibit.name),
    }
}

fn folder() -> PathBuf {
    root().join("procedures/museum")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
