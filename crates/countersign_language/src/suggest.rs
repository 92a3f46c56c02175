//! Did you mean …? The nearest of many names, quickly.

/// The nearest of `candidates` to `word`, if one is near enough to be a slip
/// of the keyboard: a third of the letters, at most three, compared without
/// regard to case. Of equally near ones the first.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let word: Vec<char> = word
        .chars()
        .take(LONGEST + 1)
        .flat_map(char::to_lowercase)
        .collect();
    if word.is_empty() || word.len() > LONGEST {
        return None;
    }
    let letters = letters_of(word.iter().copied());
    let mut limit = (word.len() / 3).clamp(1, 3);
    let mut best = None;
    let mut rows = Rows::default();
    let mut other = Vec::new();
    for candidate in candidates {
        // Every edit changes at most two kinds of letters, and the length by at most one.
        if candidate.len().abs_diff(word.len()) > limit * 4
            || (letters ^ letters_of(candidate.chars())).count_ones() as usize > limit * 2
        {
            continue;
        }
        other.clear();
        other.extend(candidate.chars().flat_map(char::to_lowercase));
        if other.len().abs_diff(word.len()) > limit {
            continue;
        }
        if let Some(distance) = rows.distance(&word, &other, limit) {
            best = Some(candidate);
            if distance == 0 {
                break;
            }
            limit = distance - 1;
        }
    }
    best
}

/// Longer words are not looked up: a name of that length is no slip of the keyboard.
const LONGEST: usize = 64;

/// Which letters occur, one bit for each of 64 classes.
fn letters_of(word: impl Iterator<Item = char>) -> u64 {
    word.take(LONGEST + 1).fold(0, |set, letter| {
        set | 1 << (u32::from(letter.to_ascii_lowercase()) & 63)
    })
}

/// Three rows of the Damerau-Levenshtein table (optimal string alignment).
#[derive(Default)]
struct Rows {
    before: Vec<usize>,
    last: Vec<usize>,
    this: Vec<usize>,
}

impl Rows {
    /// The distance if it is at most `limit`.
    fn distance(&mut self, a: &[char], b: &[char], limit: usize) -> Option<usize> {
        self.last.clear();
        self.last.extend(0..=b.len());
        self.before.clear();
        self.before.resize(b.len() + 1, 0);
        let mut earlier_a = None;
        for (i, &from) in a.iter().enumerate() {
            self.this.clear();
            self.this.push(i + 1);
            let mut least = i + 1;
            let mut earlier_b = None;
            for (j, &to) in b.iter().enumerate() {
                let at =
                    |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX / 2);
                let mut cost = (at(&self.last, j) + usize::from(from != to))
                    .min(at(&self.last, j + 1) + 1)
                    .min(at(&self.this, j) + 1);
                if from != to && earlier_a == Some(to) && earlier_b == Some(from) && j > 0 {
                    cost = cost.min(at(&self.before, j - 1) + 1);
                }
                self.this.push(cost);
                least = least.min(cost);
                earlier_b = Some(to);
            }
            if least > limit {
                return None;
            }
            earlier_a = Some(from);
            std::mem::swap(&mut self.before, &mut self.last);
            std::mem::swap(&mut self.last, &mut self.this);
        }
        self.last
            .last()
            .copied()
            .filter(|distance| *distance <= limit)
    }
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn slips_are_recognised() {
        let names = ["mailbox", "mobile", "password", "passkey"];
        assert_eq!(nearest("mailbx", names), Some("mailbox"));
        assert_eq!(nearest("mialbox", names), Some("mailbox"));
        assert_eq!(nearest("Password", names), Some("password"));
        assert_eq!(nearest("passkye", names), Some("passkey"));
        assert_eq!(nearest("mobil", names), Some("mobile"));
    }

    #[test]
    fn strangers_are_not() {
        assert_eq!(nearest("server", ["mailbox", "password"]), None);
        assert_eq!(nearest("", ["a"]), None);
        assert_eq!(nearest("b", ["a", "c"]), Some("a"));
    }

    #[test]
    fn the_nearest_wins_over_the_first() {
        assert_eq!(
            nearest("staffs", ["stafff_x", "stuff", "staff"]),
            Some("staff")
        );
    }
}
