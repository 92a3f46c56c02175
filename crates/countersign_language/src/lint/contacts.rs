//! Changes of a contact that its old owner hears of too late or not at all.

use crate::codes;
use crate::findings::Findings;
use crate::model::{
    Action, EffectKind, HoldingId, HoldingKind, Line, Path, Procedure, Requirement,
};

/// A wait shorter than this may pass while the owner sleeps: one day, in seconds.
const A_DAY: u64 = 86_400;

/// Looks at the paths of one action that changes a channel. A path without a
/// wait is reported by `change-without-wait`, one that tells nobody by `unnoticed-wait`.
pub(super) fn look(procedure: &Procedure, action: &Action, findings: &mut Findings) {
    let changed: Vec<HoldingId> = action
        .effects
        .iter()
        .filter_map(|effect| match effect.kind {
            EffectKind::Changes(holding) => Some(holding),
            _ => None,
        })
        .filter(|holding| {
            procedure
                .holdings
                .get(holding.index())
                .is_some_and(|holding| holding.kind == HoldingKind::Channel)
        })
        .collect();
    for channel in changed {
        for path in &action.paths {
            silent(procedure, action, path, channel, findings);
            hasty(procedure, path, channel, findings);
        }
    }
}

fn silent(
    procedure: &Procedure,
    action: &Action,
    path: &Path,
    channel: HoldingId,
    findings: &mut Findings,
) {
    // A notice that the path does not write stands where the change is said.
    let written = |line: &&Line| action.effects.iter().all(|effect| effect.span != line.span);
    let mut notices =
        path.lines
            .iter()
            .filter(written)
            .filter_map(|line| match &line.requirement {
                Requirement::Notify { channels, .. } => Some((line, channels)),
                _ => None,
            });
    let Some((first, channels)) = notices.next() else {
        return;
    };
    let named = |channels: &[HoldingId]| channels.binary_search(&channel).is_ok();
    if named(channels) || notices.any(|(_, more)| named(more)) {
        return;
    }
    if let Some(finding) = findings.add(codes::CHANGE_IN_SILENCE, first.span, || {
        format!(
            "`{}` changes, and this does not say that whoever has the old one is told",
            name(procedure, channel)
        )
    }) {
        finding.help(
            "write `notify every channel`: the owner of the old contact is the one who would object",
        );
    }
}

fn hasty(procedure: &Procedure, path: &Path, channel: HoldingId, findings: &mut Findings) {
    // Several waits of one path pass together, so the longest counts.
    let longest = path
        .lines
        .iter()
        .filter_map(|line: &Line| match line.requirement {
            Requirement::Wait(duration) => Some((duration, line.span)),
            _ => None,
        })
        .max_by_key(|(duration, _)| duration.seconds());
    if let Some((duration, place)) = longest
        && duration.seconds() < A_DAY
        && let Some(finding) = findings.add(codes::HASTY_CHANGE, place, || {
            format!(
                "`{}` changes within {}, while its owner may be asleep",
                name(procedure, channel),
                duration.in_words()
            )
        })
    {
        finding.help("wait at least a day, better three: `wait 72h`");
    }
}

fn name(procedure: &Procedure, holding: HoldingId) -> &str {
    procedure
        .holdings
        .get(holding.index())
        .map_or("", |holding| holding.name.as_str())
}
