//! How far a long question has come, for whoever waits for the answer.
//!
//! The answer does not depend on it: this crate has no clock and prints nothing, so it only says now and then
//! where it is, to a function that the caller gave.

use std::cell::RefCell;

/// Where a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Progress {
    /// Which promise, or which single change, is looked at, from 1; zero where there is only one question.
    pub part: usize,
    /// Of how many.
    pub parts: usize,
    /// The size of the sets that are looked at; zero while a budget is searched.
    pub size: usize,
    /// Minimal sets found so far.
    pub sets: usize,
    /// Sets tried, or nodes of the search tree visited, so far.
    pub tried: u64,
}

type Watch = Box<dyn FnMut(Progress)>;

thread_local! {
    static WATCH: RefCell<Option<(Watch, Progress)>> = const { RefCell::new(None) };
}

/// After so many sets or nodes the watch is told.
const OFTEN: u64 = 1 << 10;

/// Answers a question and tells `watch` how far it has come: often, but never more than once in a thousand steps.
///
/// Only questions asked on this thread, and not from within `watch`.
pub fn watched<T>(watch: impl FnMut(Progress) + 'static, question: impl FnOnce() -> T) -> T {
    struct Restore(Option<(Watch, Progress)>);
    impl Drop for Restore {
        fn drop(&mut self) {
            let before = self.0.take();
            WATCH.with_borrow_mut(|watch| *watch = before);
        }
    }
    let ours: (Watch, Progress) = (Box::new(watch), Progress::default());
    let _restore = Restore(WATCH.with_borrow_mut(|watch| watch.replace(ours)));
    question()
}

/// Another promise or change is looked at.
pub(crate) fn part(part: usize, parts: usize) {
    tell(|progress| {
        *progress = Progress {
            part,
            parts,
            ..Progress::default()
        };
    });
}

/// So many sets were tried.
#[inline]
pub(crate) fn sets(size: usize, sets: usize, tried: u64) {
    if tried.is_multiple_of(OFTEN) {
        tell(|progress| {
            (progress.size, progress.sets, progress.tried) = (size, sets, tried);
        });
    }
}

/// One more node of a search tree was visited, of which so many are left.
#[inline]
pub(crate) fn node(left: u64) {
    if left.is_multiple_of(OFTEN) {
        tell(|progress| progress.tried += OFTEN);
    }
}

fn tell(change: impl FnOnce(&mut Progress)) {
    // A watch that asks questions itself is not told about them.
    WATCH.with(|watch| {
        if let Ok(mut watch) = watch.try_borrow_mut()
            && let Some((watch, progress)) = watch.as_mut()
        {
            change(progress);
            watch(*progress);
        }
    });
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, rc::Rc};

    use super::*;
    use crate::{Limits, attacks, check};
    use countersign_language::{LossId, Target};

    fn seen<T>(question: impl FnOnce() -> T) -> (Vec<Progress>, T) {
        let seen = Rc::new(RefCell::new(Vec::new()));
        let watch = Rc::clone(&seen);
        let answer = watched(move |progress| watch.borrow_mut().push(progress), question);
        (seen.take(), answer)
    }

    #[test]
    fn a_long_question_says_where_it_is_and_answers_the_same() {
        let secrets: Vec<String> = (0..24).map(|at| format!("s{at}")).collect();
        let declared: String = secrets
            .iter()
            .map(|name| ["secret ", name, " \"some words\" using pin\n"].concat())
            .collect();
        let text = format!(
            "organisation \"A\"\n{declared}loss all \"everything\"\naction give \"Give\" {{ loses all runs panel path usual {{ prove 4 of ({}) }} }}\n\
             promise \"one\" {{ even if 1 secrets stolen never all }}\npromise \"two\" {{ even if 2 secrets stolen never all }}\n",
            secrets.join(", ")
        );
        let procedure = countersign_language::read(&text).procedure.expect("valid");
        let all = [Target::Loss(LossId(0))];
        let ask = || attacks(&procedure, &all, 4, Limits::default());
        let (told, answer) = seen(ask);
        assert_eq!(answer, ask());
        assert!(told.len() > 5, "{}", told.len());
        assert!(told.is_sorted_by_key(|progress| (progress.size, progress.sets, progress.tried)));
        assert!(
            told.last()
                .is_some_and(|last| last.size == 4 && last.sets > 0)
        );
        let (told, verdicts) = seen(|| check(&procedure));
        assert_eq!(verdicts, check(&procedure));
        let parts: Vec<(usize, usize)> = told.iter().map(|one| (one.part, one.parts)).collect();
        assert!(
            parts.starts_with(&[(1, 2)]) && parts.ends_with(&[(2, 2)]),
            "{parts:?}"
        );
        // Whoever watched does so no longer.
        let (told, _) = seen(|| seen(ask).1);
        assert_eq!(told, []);
    }
}
