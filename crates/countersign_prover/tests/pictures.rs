//! Pictures: well formed, nothing runs out of its box, and they say what the prover says.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a test, which reads the shipped procedures"
)]

use std::collections::BTreeSet;
use std::path::Path;

use countersign_language::{ActionId, HoldingId, LossId, PathId, Procedure, RoleId, Target, read};
use countersign_prover::draw::{self, Item, Picture, Room};
use countersign_prover::{Compromise, Limits, System, attacks, lockout, reach};
use roxmltree::{Document, Node};

fn procedure(text: &str) -> Procedure {
    let reading = read(text);
    assert!(reading.procedure.is_some(), "{:?}", reading.diagnostics);
    reading.procedure.unwrap()
}

/// Every `.procedure` under `procedures/`, by name.
fn shipped() -> Vec<(String, Procedure)> {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../../procedures")];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|is| is == "procedure") {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                all.push((name, procedure(&std::fs::read_to_string(&path).unwrap())));
            }
        }
    }
    all.sort_by(|a, b| a.0.cmp(&b.0));
    assert!(all.len() >= 4);
    all
}

fn hosting() -> Procedure {
    let (_, found) = shipped()
        .into_iter()
        .find(|(name, _)| name == "hosting.procedure")
        .unwrap();
    found
}

fn losses(procedure: &Procedure) -> Vec<Target> {
    (0..)
        .take(procedure.losses.len())
        .map(|loss| Target::Loss(LossId(loss)))
        .collect()
}

/// Every single compromise of a procedure, and the pairs of them.
fn few(procedure: &Procedure) -> Vec<Vec<Compromise>> {
    let holdings = (0..).take(procedure.holdings.len()).map(HoldingId);
    let roles = (0..).take(procedure.roles.len()).map(RoleId);
    let ones: Vec<Compromise> = holdings
        .map(Compromise::Holding)
        .chain(roles.map(|role| Compromise::Deceived { role, count: 2 }))
        .chain([Compromise::NoticesUnread])
        .collect();
    let mut sets: Vec<Vec<Compromise>> = vec![Vec::new()];
    for (index, &one) in ones.iter().enumerate() {
        sets.push(vec![one]);
        sets.extend(ones.iter().skip(index + 1).map(|&other| vec![one, other]));
    }
    sets
}

/// Every kind of picture of one procedure.
fn pictures(procedure: &Procedure) -> Vec<Picture> {
    let mut pictures = vec![draw::procedure(procedure)];
    for id in (0..).take(procedure.actions.len()).map(ActionId) {
        pictures.push(draw::action(procedure, id));
        for path in (0..).take(procedure.actions[id.index()].paths.len()) {
            pictures.push(draw::path(procedure, id, PathId(path)));
        }
    }
    let system = System::compile(procedure);
    for target in losses(procedure) {
        let found = system.attacks(procedure, &[target], 3, Limits::default());
        for set in found.sets.iter().take(6) {
            let attack = system.explain(procedure, set, &[target]).unwrap();
            pictures.push(draw::attack(procedure, &attack));
        }
    }
    for set in few(procedure).iter().step_by(37) {
        pictures.push(draw::reached(procedure, set, None));
    }
    for holding in (0..).take(procedure.holdings.len()).map(HoldingId) {
        pictures.push(draw::locked_out(
            procedure,
            &lockout(procedure, &[holding]),
            None,
        ));
    }
    pictures
}

#[test]
fn every_picture_is_well_formed_named_and_keeps_its_words_in_their_boxes() {
    for (name, procedure) in shipped() {
        for picture in pictures(&procedure) {
            look(&name, &picture, &picture.svg(Room::Page), true);
            look(&name, &picture, &picture.inline(Room::Column), false);
        }
    }
}

fn look(name: &str, picture: &Picture, svg: &str, alone: bool) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{name}: {error}\n{svg}"));
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let child = |tag: &str| {
        root.children()
            .find(|node| node.tag_name().name() == tag)
            .and_then(|node| node.text())
            .unwrap_or_default()
            .to_owned()
    };
    assert_eq!(child("title"), picture.title);
    assert!(child("desc").starts_with(&picture.about));
    assert_eq!(alone, !child("style").is_empty());
    let width: f64 = root.attribute("width").unwrap().parse().unwrap();
    let height: f64 = root.attribute("height").unwrap().parse().unwrap();
    assert!(width <= 640.0, "{name}: {width} wide");
    // No script, no style attribute, no address, nothing loaded from anywhere.
    for node in document.descendants().filter(Node::is_element) {
        let tag = node.tag_name().name();
        assert!(
            [
                "svg", "title", "desc", "style", "g", "rect", "path", "text", "circle"
            ]
            .contains(&tag),
            "{tag}"
        );
        assert!(tag != "style" || alone);
        for attribute in node.attributes() {
            let known = [
                "class",
                "role",
                "width",
                "height",
                "viewBox",
                "x",
                "y",
                "rx",
                "r",
                "cx",
                "d",
                "transform",
                "cy",
            ];
            assert!(known.contains(&attribute.name()), "{}", attribute.name());
        }
        if tag == "rect" {
            let (x, y) = place(node);
            let number = |name| node.attribute(name).unwrap().parse::<f64>().unwrap();
            assert!(x >= 0.0 && x + number("width") <= width, "{name}: {x}");
            assert!(y >= 0.0 && y + number("height") <= height, "{name}: {y}");
        }
        if tag == "text" {
            in_its_box(name, node, width);
        }
    }
    if !alone {
        let said: BTreeSet<&str> = document
            .descendants()
            .filter(|node| node.tag_name().name() == "title")
            .filter_map(|node| node.text())
            .collect();
        all_said(&picture.list(), &said, &document);
    }
}

/// Absolute place of an element.
fn place(node: Node<'_, '_>) -> (f64, f64) {
    let number = |name| node.attribute(name).unwrap_or("0").parse::<f64>().unwrap();
    let (mut x, mut y) = (number("x"), number("y"));
    for outer in node.ancestors() {
        if let Some(moved) = outer.attribute("transform") {
            let inner = moved
                .strip_prefix("translate(")
                .unwrap()
                .strip_suffix(')')
                .unwrap();
            let (dx, dy) = inner.split_once(' ').unwrap();
            x += dx.parse::<f64>().unwrap();
            y += dy.parse::<f64>().unwrap();
        }
    }
    (x, y)
}

/// Inter's letters are never narrower on average than this, in the size of the text; a line that is
/// too long by this measure is too long in every font.
const NARROW: f64 = 0.45;

fn in_its_box(name: &str, node: Node<'_, '_>, width: f64) {
    let words = node.text().unwrap_or_default();
    let letters = words.chars().count() as f64;
    let class = node.attribute("class").unwrap_or_default();
    let (x, _) = place(node);
    let box_of = node
        .parent()
        .unwrap()
        .children()
        .find(|node| node.tag_name().name() == "rect");
    let (left, right) = match box_of.filter(|rect| rect.attribute("class") != Some("card")) {
        Some(rect) => {
            let (left, _) = place(rect);
            let wide: f64 = rect.attribute("width").unwrap().parse().unwrap();
            (left, left + wide)
        }
        None => (0.0, width),
    };
    let size = if class.starts_with('o') { 11.0 } else { 12.0 };
    let wide = letters * NARROW * size;
    let (from, to) = if class.contains("md") {
        (x - wide / 2.0, x + wide / 2.0)
    } else {
        (x, x + wide)
    };
    assert!(
        from >= left && to <= right,
        "{name}: `{words}` from {from} to {to} in {left} to {right}"
    );
}

/// Everything in the list is in the picture: as the full words of a box, or as words to read.
fn all_said(items: &[Item], said: &BTreeSet<&str>, document: &Document<'_>) {
    for item in items {
        let read = || {
            let lines: Vec<&str> = document
                .descendants()
                .filter(|node| node.tag_name().name() == "text")
                .filter_map(|node| node.text())
                .collect();
            let start: String = item.words.chars().take(8).collect();
            lines.iter().any(|line| line.starts_with(&start))
        };
        let several = item.words == "All of these" && item.items.len() > 1;
        // An inline picture of several figures has no headings: the page has them.
        assert!(
            said.contains(item.words.as_str()) || several || read() || !item.items.is_empty(),
            "`{}` is not in the picture",
            item.words
        );
        all_said(&item.items, said, document);
    }
}

/// Which paths of an action a picture shows as open: no box of theirs stops, and the effect is reached.
fn is_reached(picture: &Picture) -> bool {
    let list = picture.list();
    let effect = list
        .iter()
        .rfind(|item| !item.words.starts_with("Stops here"));
    effect.unwrap().standing == Some("the thief can do this")
}

#[test]
fn a_picture_of_a_thief_reaches_what_the_prover_says() {
    for (name, procedure) in shipped() {
        for set in few(&procedure) {
            let reached: BTreeSet<u32> = reach(&procedure, &set)
                .actions
                .iter()
                .map(|(action, _)| action.0)
                .collect();
            for id in (0..).take(procedure.actions.len()).map(ActionId) {
                let picture = draw::reached(&procedure, &set, Some(id));
                assert_eq!(
                    is_reached(&picture),
                    reached.contains(&id.0),
                    "{name}: {set:?} {}",
                    procedure.actions[id.index()].name
                );
                let paths = &procedure.actions[id.index()].paths;
                let parts = picture.split();
                assert_eq!(parts.len(), paths.len());
                let open = parts.iter().filter(|(_, part)| is_reached(part)).count();
                assert_eq!(open > 0, is_reached(&picture), "{name}: {set:?}");
                for (_, part) in &parts {
                    assert_eq!(stops(&part.list()), usize::from(!is_reached(part)));
                }
                if !is_reached(&picture) {
                    // Each path says where it stops, once.
                    assert_eq!(stops(&picture.list()), paths.len(), "{name}: {set:?}");
                }
            }
        }
    }
}

fn stops(items: &[Item]) -> usize {
    items
        .iter()
        .map(|item| usize::from(item.standing == Some("stops here")) + stops(&item.items))
        .sum()
}

#[test]
fn a_picture_of_a_lockout_says_what_the_prover_says() {
    for (name, procedure) in shipped() {
        for holding in (0..).take(procedure.holdings.len()).map(HoldingId) {
            let left = lockout(&procedure, &[holding]);
            for access in &left.actions {
                let picture = draw::locked_out(&procedure, &left, Some(access.action));
                let list = picture.list();
                let last = &list.last().unwrap().words;
                assert_eq!(
                    last.starts_with("Still possible"),
                    access.way.is_some(),
                    "{name}: {last}"
                );
                assert_eq!(last.starts_with("Locked out"), access.way.is_none());
            }
        }
    }
}

#[test]
fn an_attack_ends_in_its_target_and_nothing_in_it_stops() {
    for (_, procedure) in shipped() {
        let system = System::compile(&procedure);
        for target in losses(&procedure) {
            let found = attacks(&procedure, &[target], 3, Limits::default());
            for set in &found.sets {
                let attack = system.explain(&procedure, set, &[target]).unwrap();
                let list = draw::attack(&procedure, &attack).list();
                assert_eq!(stops(&list), 0);
                let last = list.last().unwrap();
                assert!(last.words.ends_with("is lost"), "{}", last.words);
                // What is needed first, each request, the loss.
                let requests = attack.steps.len() - set.len() - 1;
                assert_eq!(list.len(), requests + 2);
            }
        }
    }
}

#[test]
fn hostile_words_are_only_words() {
    let evil = "</text><script>x</script> ]]> & ' \u{202E}\u{200B} \u{FFFE}";
    let long = "Donaudampfschifffahrtsgesellschaft".repeat(40);
    let mut procedure = procedure(&format!(
        "organisation \"x\"\nsecret pin \"x\" using pin\nsecret word \"{long}\" using password\n\
         loss it \"x\"\nchannel mailbox \"x\"\nproof code \"x\" shows mailbox using mail\n\
         action a \"x\" {{ loses it runs x path p {{ \
         prove 2 of (pin and code, word or (code and (word or (pin and (word or code)))), code) \
         notify mailbox wait 24h }} }}\n"
    ));
    evil.clone_into(&mut procedure.organisation);
    evil.clone_into(&mut procedure.holdings[0].label);
    evil.clone_into(&mut procedure.losses[0].label);
    evil.clone_into(&mut procedure.actions[0].label);
    for proof in procedure
        .proofs
        .iter_mut()
        .filter(|proof| proof.label == "x")
    {
        evil.clone_into(&mut proof.label);
    }
    for picture in pictures(&procedure) {
        for room in [Room::Page, Room::Column] {
            for svg in [picture.svg(room), picture.inline(room)] {
                let document = Document::parse(&svg).unwrap();
                assert!(
                    !document
                        .descendants()
                        .any(|node| node.tag_name().name() == "script")
                );
                assert!(svg.contains("&lt;/text&gt;&lt;script&gt;"));
                assert!(!svg.contains('\u{202E}') && !svg.contains('\u{200B}'));
            }
        }
    }
}

#[test]
fn nothing_where_there_is_nothing() {
    let procedure = hosting();
    for picture in [
        draw::action(&procedure, ActionId(99)),
        draw::path(&procedure, ActionId(0), PathId(99)),
        draw::reached(&procedure, &[], Some(ActionId(99))),
    ] {
        assert!(picture.list().is_empty());
        Document::parse(&picture.svg(Room::Page)).unwrap();
    }
}

#[test]
fn a_picture_and_its_list() {
    let procedure = hosting();
    let reinstall = procedure.action_named("server.reinstall").unwrap();
    let picture = draw::action(&procedure, reinstall);
    for room in [Room::Page, Room::Column] {
        assert_eq!(
            picture.svg(room),
            draw::action(&procedure, reinstall).svg(room)
        );
        look("hosting", &picture, &picture.svg(room), true);
        look("hosting", &picture, &picture.inline(room), false);
    }
    insta::assert_snapshot!("action", picture.inline(Room::Page).replace("><", ">\n<"));
    insta::assert_snapshot!("action_list", picture.text());
    let system = System::compile(&procedure);
    let found = system.attacks(&procedure, &losses(&procedure), 3, Limits::default());
    let set = found
        .names
        .iter()
        .position(|names| names.contains(&"senior deceived".to_owned()))
        .unwrap();
    let attack = system
        .explain(&procedure, &found.sets[set], &losses(&procedure))
        .unwrap();
    let picture = draw::attack(&procedure, &attack);
    insta::assert_snapshot!("attack_list", picture.text());
    insta::assert_snapshot!("attack", picture.svg(Room::Column).replace("><", ">\n<"));
    let with = [
        Compromise::Holding(procedure.holding_named("mailbox").unwrap()),
        Compromise::Holding(procedure.holding_named("pin").unwrap()),
        Compromise::Deceived {
            role: procedure.role_named("agent").unwrap(),
            count: 1,
        },
    ];
    let picture = draw::reached(&procedure, &with, Some(reinstall));
    insta::assert_snapshot!("stopped_list", picture.text());
    let phone = procedure.holding_named("phone").unwrap();
    let pin = procedure.holding_named("pin").unwrap();
    let left = lockout(&procedure, &[phone, pin]);
    insta::assert_snapshot!(
        "lockout_list",
        draw::locked_out(&procedure, &left, None).text()
    );
}
