//! Just enough of a browser's eyes to read our own pages: words, links, and forms with what they carry.

use std::collections::BTreeMap;

/// A piece of a document.
#[derive(Debug)]
enum Token {
    Open(String, BTreeMap<String, String>),
    Close(String),
    Text(String),
}

/// A form as a person finds it on the page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) method: String,
    pub(crate) action: String,
    /// What it carries by itself: hidden fields, filled-in fields, chosen buttons.
    pub(crate) fields: Vec<(String, String)>,
    /// Names of everything that can be filled in.
    pub(crate) names: Vec<String>,
    /// What its buttons say.
    pub(crate) buttons: Vec<String>,
    /// `data-…` attributes, without `data-`.
    pub(crate) data: BTreeMap<String, String>,
}

/// Every form.
pub(crate) fn forms(html: &str) -> Vec<Form> {
    let tokens = tokens(html);
    let mut forms: Vec<Form> = Vec::new();
    let mut inside = false;
    for (at, token) in tokens.iter().enumerate() {
        match token {
            Token::Open(name, attributes) if name == "form" => {
                inside = true;
                let of = |name: &str| attributes.get(name).cloned().unwrap_or_default();
                forms.push(Form {
                    method: of("method"),
                    action: of("action"),
                    data: attributes
                        .iter()
                        .filter_map(|(name, value)| {
                            Some((name.strip_prefix("data-")?.to_owned(), value.clone()))
                        })
                        .collect(),
                    ..Form::default()
                });
            }
            Token::Close(name) if name == "form" => inside = false,
            Token::Open(name, attributes) if inside => {
                let form = forms.last_mut().unwrap();
                let field = attributes.get("name").cloned();
                match name.as_str() {
                    "input" => {
                        let kind = attributes.get("type").map_or("text", String::as_str);
                        let value = attributes.get("value").cloned();
                        let Some(field) = field else { continue };
                        form.names.push(field.clone());
                        match kind {
                            "radio" | "checkbox" => {
                                if attributes.contains_key("checked") {
                                    form.fields.push((field, value.unwrap_or("on".to_owned())));
                                }
                            }
                            _ => form.fields.push((field, value.unwrap_or_default())),
                        }
                    }
                    "textarea" => {
                        let Some(field) = field else { continue };
                        form.names.push(field.clone());
                        form.fields
                            .push((field, text_of(&tokens[at..], "textarea")));
                    }
                    "button" => form
                        .buttons
                        .push(squeeze(&text_of(&tokens[at..], "button"))),
                    _ => {}
                }
            }
            _ => {}
        }
    }
    forms
}

/// Every link: what it says, and where it goes.
pub(crate) fn links(html: &str) -> Vec<(String, String)> {
    let tokens = tokens(html);
    tokens
        .iter()
        .enumerate()
        .filter_map(|(at, token)| match token {
            Token::Open(name, attributes) if name == "a" => Some((
                squeeze(&text_of(&tokens[at..], "a")),
                attributes.get("href")?.clone(),
            )),
            _ => None,
        })
        .collect()
}

/// What each element of this name says.
pub(crate) fn elements(html: &str, wanted: &str) -> Vec<String> {
    let tokens = tokens(html);
    tokens
        .iter()
        .enumerate()
        .filter(|(_, token)| matches!(token, Token::Open(name, _) if name == wanted))
        .map(|(at, _)| squeeze(&text_of(&tokens[at..], wanted)))
        .collect()
}

/// What each element of this class says, character for character.
pub(crate) fn of_class(html: &str, class: &str) -> Vec<String> {
    let tokens = tokens(html);
    tokens
        .iter()
        .enumerate()
        .filter_map(|(at, token)| match token {
            Token::Open(name, attributes)
                if attributes
                    .get("class")
                    .is_some_and(|all| all.split(' ').any(|one| one == class)) =>
            {
                Some(text_of(&tokens[at..], name))
            }
            _ => None,
        })
        .collect()
}

/// The value of the input with this id.
pub(crate) fn value_of(html: &str, id: &str) -> Option<String> {
    tokens(html).into_iter().find_map(|token| match token {
        Token::Open(name, mut attributes)
            if name == "input" && attributes.get("id").is_some_and(|own| own == id) =>
        {
            attributes.remove("value")
        }
        _ => None,
    })
}

/// What the page says, in one line.
pub(crate) fn text(html: &str) -> String {
    let mut text = String::new();
    for token in tokens(html) {
        match token {
            Token::Text(part) => text.push_str(&part),
            Token::Open(..) | Token::Close(_) => text.push(' '),
        }
    }
    squeeze(&text)
}

/// The text up to the end of the element that the first token opens.
fn text_of(tokens: &[Token], name: &str) -> String {
    let mut depth = 0;
    let mut text = String::new();
    for token in tokens {
        match token {
            Token::Open(other, _) if other == name => depth += 1,
            Token::Close(other) if other == name => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Token::Text(part) => text.push_str(part),
            _ => {}
        }
    }
    text
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn tokens(html: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        if at > 0 {
            tokens.push(Token::Text(decode(&rest[..at])));
        }
        let end = end_of_tag(&rest[at..]) + at;
        let tag = &rest[at + 1..end - 1];
        if let Some(name) = tag.strip_prefix('/') {
            tokens.push(Token::Close(name.trim().to_owned()));
        } else if !tag.starts_with('!') {
            let tag = tag.trim_end_matches('/');
            let name_end = tag.find(char::is_whitespace).unwrap_or(tag.len());
            tokens.push(Token::Open(
                tag[..name_end].to_owned(),
                attributes(&tag[name_end..]),
            ));
        }
        rest = &rest[end..];
    }
    if !rest.is_empty() {
        tokens.push(Token::Text(decode(rest)));
    }
    tokens
}

/// Just after the `>` that ends the tag; one within quotes does not.
fn end_of_tag(html: &str) -> usize {
    let mut quoted = false;
    for (at, c) in html.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return at + 1,
            _ => {}
        }
    }
    panic!("a tag without an end: {html:.60}");
}

fn attributes(mut text: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    loop {
        text = text.trim_start();
        if text.is_empty() {
            return all;
        }
        let end = text
            .find(|c: char| c == '=' || c.is_whitespace())
            .unwrap_or(text.len());
        let name = text[..end].to_owned();
        text = &text[end..];
        let value = match text.strip_prefix("=\"") {
            Some(rest) => {
                let close = rest.find('"').expect("the end of an attribute");
                text = &rest[close + 1..];
                decode(&rest[..close])
            }
            None => String::new(),
        };
        all.insert(name, value);
    }
}

fn decode(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let end = rest[at..].find(';').expect("the end of a reference") + at;
        let name = &rest[at + 1..end];
        out.push(match name {
            "amp" => '&',
            "lt" => '<',
            "gt" => '>',
            "quot" => '"',
            "nbsp" => '\u{a0}',
            _ => {
                let number = name.strip_prefix('#').expect("a known reference");
                let code = match number.strip_prefix('x') {
                    Some(hex) => u32::from_str_radix(hex, 16).unwrap(),
                    None => number.parse().unwrap(),
                };
                char::from_u32(code).unwrap()
            }
        });
        rest = &rest[end + 1..];
    }
    out + rest
}
