//! How the stories are told: a line an event, who on the left, what on the right.

use std::fmt::Write as _;

use crate::terminal;

/// Columns of the whole line.
const WIDTH: usize = 100;
/// Columns before what happened.
const INDENT: usize = 20;

/// Writes to standard output.
#[derive(Debug)]
pub(crate) struct Teller {
    colour: bool,
}

/// One story: told as it happens, and checked.
#[derive(Debug)]
pub(crate) struct Story<'a> {
    teller: &'a Teller,
    number: usize,
    wrong: Vec<String>,
}

impl Teller {
    /// In bold where that is wanted.
    pub(crate) fn new() -> Self {
        Self {
            colour: terminal::colour_wanted(),
        }
    }

    /// A paragraph.
    pub(crate) fn paragraph(text: &str) -> anyhow::Result<()> {
        terminal::print(&format!("{}\n", wrapped(text, 0)))
    }

    /// Lines as they are.
    pub(crate) fn lines(text: &str) -> anyhow::Result<()> {
        terminal::print(text)
    }

    /// A heading of its own.
    pub(crate) fn heading(&self, text: &str) -> anyhow::Result<()> {
        terminal::print(&format!("\n{}\n", self.bold(text)))
    }

    /// Begins a story.
    pub(crate) fn story(
        &self,
        number: usize,
        title: &str,
        about: &str,
    ) -> anyhow::Result<Story<'_>> {
        self.heading(&format!("{number}. {title}"))?;
        Self::lines(&format!("   {}\n\n", wrapped(about, 3)))?;
        Ok(Story {
            teller: self,
            number,
            wrong: Vec::new(),
        })
    }

    fn bold(&self, text: &str) -> String {
        if self.colour {
            format!("\u{1b}[1m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

impl Story<'_> {
    /// Somebody does something.
    pub(crate) fn tell(&self, who: &str, what: &str) -> anyhow::Result<()> {
        let gap = " ".repeat(INDENT.saturating_sub(3 + who.chars().count()).max(1));
        let who = self.teller.bold(who);
        Teller::lines(&format!("   {who}{gap}{}\n", wrapped(what, INDENT)))
    }

    /// A line of the procedure, as it stands there.
    pub(crate) fn excerpt(&self, text: &str) -> anyhow::Result<()> {
        let gap = " ".repeat(INDENT + 3);
        Teller::lines(&format!("{gap}{}\n", self.teller.bold(text)))
    }

    /// Something that must hold, or the story did not end as it must.
    pub(crate) fn must(&mut self, holds: bool, what: impl Into<String>) {
        if !holds {
            self.wrong.push(what.into());
        }
    }

    /// The last line; true if all is as it must be.
    pub(crate) fn end(self, how: &str) -> anyhow::Result<bool> {
        let number = self.number;
        if self.wrong.is_empty() {
            let line = format!("Story {number} ended as it must: {how}");
            let line = self.teller.bold(&wrapped(&line, 3));
            Teller::lines(&format!("\n   {line}\n"))?;
            return Ok(true);
        }
        let head = format!("Story {number} did not end as it must:");
        let mut text = format!("\n   {}\n", self.teller.bold(&head));
        for wrong in &self.wrong {
            // Writing into a string cannot fail.
            let _ = writeln!(text, "   - {}", wrapped(wrong, 5));
        }
        Teller::lines(&text)?;
        Ok(false)
    }
}

/// Breaks words over lines; the first line begins at column `indent` already.
fn wrapped(text: &str, indent: usize) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > WIDTH {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_broken_over_lines_and_none_is_lost() {
        let text = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen";
        let told = wrapped(text, INDENT);
        assert!(told.lines().count() == 2);
        assert!(
            told.lines()
                .skip(1)
                .all(|line| line.starts_with(&" ".repeat(INDENT)))
        );
        assert_eq!(told.split_whitespace().collect::<Vec<_>>().join(" "), text);
    }
}
