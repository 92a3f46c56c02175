//! Actions that the gate runs itself.

use crate::codes;
use crate::findings::Findings;
use crate::gate::GATE;
use crate::model::{Action, EffectKind, Procedure};

/// An action with `runs gate` sets one holding that the gate keeps, and does nothing else.
pub(super) fn check(procedure: &Procedure, action: &Action, findings: &mut Findings) {
    if action.outside || action.runs.as_deref() != Some(GATE) {
        return;
    }
    for effect in &action.effects {
        if matches!(effect.kind, EffectKind::Sends { .. })
            && let Some(finding) = findings.add(codes::GATE_CANNOT_RUN, effect.span, || {
                "the gate itself sends nothing to anybody".to_owned()
            })
        {
            finding.help("let the connector of your own system run this: `runs panel`");
        }
    }
    if let Some(first) = action.parameters.first()
        && let Some(finding) = findings.add(codes::GATE_CANNOT_RUN, first.span, || {
            format!(
                "the gate has no use for `{}`: it asks the customer itself, on their own page",
                first.name
            )
        })
    {
        finding.help("an action with `runs gate` has no parameters; take `with` out");
    }
    if procedure.set_at_gate(action).is_none()
        && let Some(finding) = findings.add(codes::GATE_CANNOT_RUN, action.span, || {
            format!(
                "`{}` does not say which PIN, authenticator app or passkey the gate sets",
                action.name
            )
        })
    {
        finding.help(
            "say `changes` or `gives` once, with a holding that a proof shows `using pin`, `totp` or `passkey`; or name the connector of your own system",
        );
    }
}
