//! What every code of a problem document means: the one source of the pages under `/problems/` and of `docs/generated/problems.md`.

use std::fmt::Write as _;

/// A code, explained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Explained {
    /// The stable word, the last part of the problem's `type`.
    pub code: &'static str,
    /// In a few words.
    pub title: &'static str,
    /// What it means.
    pub means: &'static str,
    /// What to do about it.
    pub help: &'static str,
}

/// Every code there is, in order.
pub const PROBLEMS: &[Explained] = &[
    explained(
        "account-exists",
        "There is an account of this id already",
        "Every staff account has an id of its own.",
        "Choose another id, or change the account that is there.",
    ),
    explained(
        "already-confirmed",
        "The customer confirmed this already",
        "A case is confirmed once; nothing changed.",
        "Nothing. Read the case to see what is missing.",
    ),
    explained(
        "already-done",
        "The case is done",
        "It ran. A case runs once.",
        "Nothing. Open another case if it is needed again.",
    ),
    explained(
        "already-expired",
        "The case ran out",
        "A case stays open for a limited time, and nothing about it can be done afterwards.",
        "Open another case.",
    ),
    explained(
        "already-failed",
        "The case failed",
        "The backend said that it did not do it. A case runs once.",
        "Read the reason in the case, and open another one.",
    ),
    explained(
        "already-granted",
        "The grant was made already",
        "The backend is being asked to run it. Nothing can change that any more but the backend's own answer.",
        "Wait for the outcome.",
    ),
    explained(
        "already-held",
        "The customer has one already",
        "This action gives a customer their first one, and takes nothing away.",
        "Open a case for the action that changes it.",
    ),
    explained(
        "already-notified",
        "This contact was told already",
        "A notice is sent once.",
        "Nothing.",
    ),
    explained(
        "already-opened",
        "The case is open already",
        "A case is opened once.",
        "Nothing.",
    ),
    explained(
        "already-proved",
        "This was proved already",
        "A proof counts once in a case.",
        "Go on with what is missing.",
    ),
    explained(
        "already-refused",
        "The case was refused",
        "A colleague refused it, and it stays refused.",
        "Read the reason. The same request stays closed for its cooling time.",
    ),
    explained(
        "already-running",
        "The backend has it already",
        "A stop or withdrawal came after the grant was handed over.",
        "Wait for the outcome, and call the backend's people if it must not happen.",
    ),
    explained(
        "already-signed",
        "You signed this already",
        "A person signs a case once; another account of theirs counts as the same person.",
        "Nothing. Somebody else may still have to sign.",
    ),
    explained(
        "already-stopped",
        "The case was stopped",
        "The customer, or somebody who was told, stopped it.",
        "Talk to the customer. The same request stays closed for its cooling time.",
    ),
    explained(
        "already-vouched",
        "You gave your word already",
        "A `confirms` line is confirmed once.",
        "Go on with what is missing.",
    ),
    explained(
        "already-withdrawn",
        "The case was withdrawn",
        "Its opener took it back.",
        "Open another case if it is still needed.",
    ),
    explained(
        "assertion-missing",
        "The passkey's answer is missing",
        "Signing off needs an answer of the passkey itself.",
        "Start the prompt again and send what the passkey answered.",
    ),
    explained(
        "body-cut-off",
        "The body ended early",
        "Fewer bytes came than the request announced.",
        "Send the request again.",
    ),
    explained(
        "body-too-large",
        "The body is too large",
        "A request has 64 KiB at the most.",
        "Send less. Nothing this API takes is as large as that.",
    ),
    explained(
        "body-too-slow",
        "The body came too slowly",
        "A body has ten seconds to arrive.",
        "Send the request again over a better line.",
    ),
    explained(
        "ceremony-gone",
        "This passkey prompt is over",
        "A prompt counts once, for five minutes.",
        "Start again and answer the new prompt.",
    ),
    explained(
        "changed",
        "This changed since it was read",
        "What you agreed to is not what the case says now.",
        "Read it again, and decide again.",
    ),
    explained(
        "code-too-soon",
        "A code was sent a moment ago",
        "Codes are not sent faster than once a minute.",
        "Wait as long as `Retry-After` says, or use the code that was sent.",
    ),
    explained(
        "company-unavailable",
        "The company sign-in does not answer",
        "The OpenID provider of the staff gave no usable answer.",
        "Try again in a minute. An operator finds out why with `countersign doctor`.",
    ),
    explained(
        "concerned",
        "The case is about your own account",
        "Nobody works on a case that concerns themselves.",
        "Ask a colleague.",
    ),
    explained(
        "cross-site",
        "This form came from somewhere else",
        "The browser said that another site sent it.",
        "Go back to the page and press the button there.",
    ),
    explained(
        "customer-may-not-open",
        "A customer cannot open this",
        "The procedure lets only staff open a case for this action.",
        "Ask the support desk.",
    ),
    explained(
        "customer-part-missing",
        "The customer has something left to do",
        "Confirming is the customer's last step.",
        "Do what the case lists as missing for the customer.",
    ),
    explained(
        "customer-runs",
        "The customer says when it runs",
        "This case waits for the customer's own word.",
        "Ask the customer to press the button on their page.",
    ),
    explained(
        "damaged-record",
        "This did not work",
        "Something stored could not be read. Nothing was changed.",
        "Tell whoever runs the gate: the log names what it is.",
    ),
    explained(
        "ending",
        "This gate is about to end",
        "It was asked to stop. It answers what it is asked until then, and another gate, or its successor, goes on.",
        "Nothing; a load balancer asks another gate.",
    ),
    explained(
        "holding-just-changed",
        "This was changed too recently",
        "The procedure lets it prove only once it has been settled for some time.",
        "Use another way to prove, or wait.",
    ),
    explained(
        "idempotency-key-reused",
        "This Idempotency-Key was used with another body",
        "A key stands for one request. The first one's answer is kept for a day.",
        "Use a fresh key for a new request; repeat the same body to hear the first answer.",
    ),
    explained(
        "idempotency-key-too-long",
        "The Idempotency-Key is too long",
        "A key has a limited length.",
        "Use a shorter one, such as a UUID.",
    ),
    explained(
        "invalid-field",
        "A field of the request is not right",
        "`errors` names the field and what is wrong with it.",
        "Correct the field.",
    ),
    explained(
        "invitation-gone",
        "This invitation cannot be used",
        "It was used, ran out, or never was.",
        "Ask an administrator for another one.",
    ),
    explained(
        "last-passkey",
        "The last passkey cannot be removed",
        "Nobody could sign in any more.",
        "Add another passkey first.",
    ),
    explained(
        "link-already-used",
        "The link was used already",
        "A link opens the customer's page once.",
        "Make another link.",
    ),
    explained(
        "link-gone",
        "This link cannot be used",
        "It was used, ran out, or never was; or the case is over.",
        "Make another link if the case is still open.",
    ),
    explained(
        "link-not-used",
        "The customer has not opened the link yet",
        "Nothing can be proved before that.",
        "Send the customer their link.",
    ),
    explained(
        "link-over",
        "This link is used up",
        "The customer's page is closed: the link was used, has run out, or never was.",
        "Ask the support desk for another link.",
    ),
    explained(
        "login-cancelled",
        "The sign-in was cancelled",
        "Somebody turned back at the company's sign-in. Nothing was counted.",
        "Begin again, or choose another way.",
    ),
    explained(
        "login-not-accepted",
        "The answer of the sign-in was not accepted",
        "What the company's sign-in answered is not of the provider that was asked, or not for this sign-in. Nothing was counted.",
        "Begin again. If it stays so, an operator finds the reason in the log.",
    ),
    explained(
        "login-over",
        "The sign-in is over",
        "It took longer than ten minutes, was used already, or began in another browser.",
        "Begin again.",
    ),
    explained(
        "login-too-weak",
        "The sign-in was not fresh or not strong enough",
        "The proof asks for a sign-in made for it, in a way that the procedure's company names. Nothing was counted.",
        "Begin again, and sign in with the second step that the company offers.",
    ),
    explained(
        "no-account-here",
        "You have no account here",
        "Whoever signed in at the company has no account here, or no group of theirs gives a role.",
        "Ask an administrator.",
    ),
    explained(
        "no-case",
        "There is no such case",
        "Nothing was opened under this id.",
        "Check the id.",
    ),
    explained(
        "no-company-sign-in",
        "There is no company sign-in",
        "Staff of this gate sign in with a passkey alone.",
        "Sign in with a passkey.",
    ),
    explained(
        "no-more-codes",
        "No more codes are sent for this case",
        "The number of codes for one case is limited.",
        "Use another way to prove, or open another case.",
    ),
    explained(
        "no-notice-due",
        "No notice is due",
        "Nobody is waiting to be told.",
        "Nothing.",
    ),
    explained(
        "no-passkey",
        "There is no passkey to sign with",
        "Signing takes a passkey of this account.",
        "Register one first.",
    ),
    explained(
        "no-sign-off-asked",
        "No signature is asked for",
        "No path of this case that can still be taken asks for one.",
        "Nothing.",
    ),
    explained(
        "not-a-signer",
        "Somebody else must sign this version",
        "A new version of the procedure is signed by people with the role that the operator named, by the version in force.",
        "Ask one of them.",
    ),
    explained(
        "not-allowed",
        "This credential does not open this",
        "`detail` says what it would need.",
        "Use a credential with that scope or role.",
    ),
    explained(
        "not-by-itself",
        "This case does not run by itself",
        "Somebody has to say so.",
        "The opener or the customer runs it.",
    ),
    explained(
        "not-confirmed",
        "The customer has not confirmed yet",
        "A signature comes after the customer agreed to the exact words.",
        "Wait for the customer.",
    ),
    explained(
        "not-for-programs",
        "A program cannot do this",
        "Proofs, signatures and words given are a person's.",
        "Ask a person.",
    ),
    explained(
        "not-for-the-gate",
        "The gate does not do this",
        "This is not something the gate decides by itself.",
        "Nothing.",
    ),
    explained(
        "not-held",
        "The customer has nothing registered for this",
        "There is nothing to compare with.",
        "Use another way to prove.",
    ),
    explained(
        "not-json",
        "The body is not JSON",
        "It could not be read as JSON.",
        "Correct it; `detail` says where.",
    ),
    explained(
        "not-over",
        "The case is not over yet",
        "There is a receipt once it is.",
        "Wait for its end.",
    ),
    explained(
        "not-ready",
        "Something is still missing",
        "Everything is looked at again at the moment of running.",
        "`detail` says what is missing and who can supply it.",
    ),
    explained(
        "nothing-granted",
        "There is no grant",
        "Nothing is under way for this case.",
        "Nothing.",
    ),
    explained(
        "nothing-here",
        "There is nothing here",
        "Nothing, or nothing that you may know of: the two are not told apart.",
        "Check the address and the credential.",
    ),
    explained(
        "nothing-proposed",
        "No new version waits for a signature",
        "The version in force is the newest, or somebody else has just signed.",
        "Read the procedure again.",
    ),
    explained(
        "nothing-running",
        "Nothing is running",
        "The backend was not handed a grant for this case.",
        "Nothing.",
    ),
    explained(
        "nothing-runs-it",
        "Nothing runs this action",
        "The procedure names no system that does it.",
        "Tell whoever keeps the procedure.",
    ),
    explained(
        "nothing-to-set",
        "There is nothing to set here",
        "The procedure granted no PIN, app or passkey on this page: not yet, not any more, or to another page of the same case.",
        "Set it on the page where the proofs were made, within a day of the grant; or open a new case.",
    ),
    explained(
        "nothing-to-vouch",
        "There is nothing to give your word for",
        "No path of this case has such a line for you.",
        "Read the case again.",
    ),
    explained(
        "number-closed",
        "Too many wrong numbers were typed",
        "The two digits that the agent tells were wrong three times; they are counted per customer, whoever opens the case.",
        "Wait until it opens again; the agent's page says when. Starting another case does not help.",
    ),
    explained(
        "number-missing",
        "The two digits that the agent tells are missing",
        "Confirming this action asks for them: they show that whoever confirms is in the conversation the agent is in.",
        "Type the two digits the agent tells you in the chat or on the telephone.",
    ),
    explained(
        "only-opener-vouches",
        "Only the opener gives their word",
        "A `confirms` line is about the conversation that the opener had.",
        "Ask the opener.",
    ),
    explained(
        "only-opener-withdraws",
        "Only the opener can take it back",
        "A case is withdrawn by whoever opened it.",
        "Ask the opener; anybody who may sign can refuse it.",
    ),
    explained(
        "open-cases",
        "A case of this customer is open",
        "A customer is erased when nothing is under way.",
        "Withdraw the case or wait for its end, then try again.",
    ),
    explained(
        "opener-vouches-first",
        "The opener gives their word first",
        "The path has `confirms` lines of two roles: the person who opened the case speaks for one, a colleague for the other, in this order.",
        "Ask the person who opened the case to confirm their line.",
    ),
    explained(
        "other-case-open",
        "There is an open case for this already",
        "One customer has one open case for each action.",
        "Go on with that case.",
    ),
    explained(
        "other-digest",
        "This is for other words",
        "The answer belongs to another case, or the words are not those of this one.",
        "Read the case again and answer for what it says now.",
    ),
    explained(
        "other-person-vouches",
        "Another person gives this word",
        "`confirms` lines of two roles are the words of two people, and yours stands for one of them.",
        "Ask a colleague of the role the line names.",
    ),
    explained(
        "other-procedure",
        "This case is under another version",
        "A case keeps the version it was opened under.",
        "Nothing: the gate uses the right one.",
    ),
    explained(
        "outcome-uncertain",
        "It is not certain whether it happened",
        "The store did not say whether it took the change.",
        "Read it again before trying again.",
    ),
    explained(
        "outcome-unknown",
        "The outcome is unknown",
        "The backend was asked and did not answer. It is never asked to run it again.",
        "Wait: the gate asks what became of it. Never do it by hand before that.",
    ),
    explained(
        "outside-action",
        "This happens outside the gate",
        "The procedure describes it for the proofs only.",
        "Nothing to open here.",
    ),
    explained(
        "overloaded",
        "Back in a moment",
        "More was asked than can be done at once. Nothing was changed.",
        "Try again after `Retry-After` seconds.",
    ),
    explained(
        "own-case",
        "Nobody signs off their own case",
        "The signature is a second person's word.",
        "Ask a colleague.",
    ),
    explained(
        "own-word",
        "Nobody signs what they gave their word for",
        "Whoever confirms a line of a path and whoever signs it are different people.",
        "Ask another colleague to sign.",
    ),
    explained(
        "page-not-rendered",
        "This page could not be made",
        "A mistake of the program.",
        "Tell whoever runs the gate.",
    ),
    explained(
        "parameter-missing",
        "A parameter is missing",
        "The action has parameters that all must be given.",
        "Give the one that `detail` names.",
    ),
    explained(
        "parameter-too-long",
        "A parameter is too long",
        "Every value has a limit, so that the words can be read.",
        "Shorten it.",
    ),
    explained(
        "parameter-unknown",
        "There is no such parameter",
        "The action has no parameter of this name.",
        "Use the action's own names.",
    ),
    explained(
        "parameter-unreadable",
        "A parameter cannot be read by people",
        "It has characters that do not show, or that make the words look like others.",
        "Use ordinary letters, digits and signs.",
    ),
    explained(
        "pass-gone",
        "This code for the panel cannot be used",
        "It counts once and for two minutes; a wrong one, a used one and one that ran out are not told apart.",
        "Take another at `/panel/sign-in`.",
    ),
    explained(
        "passkey-not-accepted",
        "The passkey was not accepted",
        "Deliberately says nothing more: not which account, not why.",
        "Start again, with a passkey that is registered here.",
    ),
    explained(
        "pin-hash-without-pepper",
        "This gate takes PINs, not hashes of them",
        "It hashes PINs with a key of its own (`keys.pepper`), so a hash made elsewhere could never match.",
        "Send the PIN as `pin`; it is hashed at once and not kept.",
    ),
    explained(
        "proof-locked",
        "This way is closed for a while",
        "Too many wrong answers were given, in whatever case.",
        "Use another way to prove, or wait.",
    ),
    explained(
        "proof-not-asked",
        "The case does not ask for that",
        "No path that can still be taken has this proof, or it is not made this way.",
        "Prove what the page offers.",
    ),
    explained(
        "proof-not-checkable",
        "This cannot be checked here",
        "The gate has no means for this kind of proof.",
        "Use another way; tell whoever runs the gate.",
    ),
    explained(
        "proof-unavailable",
        "This cannot be checked right now",
        "A system that must be asked did not answer. Nothing was counted.",
        "Try again in a moment, or use another way.",
    ),
    explained(
        "reason-too-long",
        "The reason is too long",
        "A reason has 10 to 500 characters.",
        "Shorten it.",
    ),
    explained(
        "reason-too-short",
        "The reason is too short",
        "A reason has 10 to 500 characters; the next person reads it.",
        "Say a little more.",
    ),
    explained(
        "reason-unreadable",
        "The reason cannot be read",
        "It has characters that do not show.",
        "Write it again in ordinary letters.",
    ),
    explained(
        "reference-unreadable",
        "The reference cannot be read",
        "It is too long, or has characters that do not show.",
        "Use the number of the ticket or chat.",
    ),
    explained(
        "request-closed",
        "This request is closed for now",
        "It was refused or stopped, and the same request stays closed for a cooling time, whoever asks.",
        "Read the earlier case. Wait, or ask for something else.",
    ),
    explained(
        "request-still-closed",
        "A refused or stopped request is still closed",
        "Erasing the customer would forget that, and open the request again.",
        "Try again when the cooling time is over; `detail` says when.",
    ),
    explained(
        "request-under-way",
        "The first request with this key is not finished",
        "Its answer will be this one's answer too.",
        "Try again in a moment with the same key.",
    ),
    explained(
        "return-to-not-allowed",
        "The customer may not be sent there",
        "The origin is not in the gate's configuration.",
        "Add it to `gate.return_to`, or leave `return_to` out.",
    ),
    explained(
        "role-may-not-open",
        "Your role cannot open this",
        "The procedure says which roles may.",
        "Ask a colleague with that role.",
    ),
    explained(
        "role-may-not-sign",
        "Your role cannot sign this",
        "The procedure says which role must.",
        "Ask a colleague with that role.",
    ),
    explained(
        "role-may-not-vouch",
        "Your role cannot give this word",
        "The procedure says which role must.",
        "Ask a colleague with that role.",
    ),
    explained(
        "sign-in",
        "Sign in to go on",
        "No credential came, or none that counts.",
        "Sign in, or send `Authorization: Bearer`.",
    ),
    explained(
        "sign-in-at-company",
        "This account signs in at the company",
        "Its passkey signs cases; who still works there is for the company to say.",
        "Sign in at the company.",
    ),
    explained(
        "signer-vouches",
        "You signed the case already",
        "Whoever signs a case does not also give their word for it.",
        "Ask another colleague to confirm the line.",
    ),
    explained(
        "step-up",
        "Show first that it is you",
        "A passkey is added or removed only within five minutes of an answer by another that is there: a stolen session is not enough, nor a stolen passkey.",
        "Answer the step-up prompt with a passkey of the account, then try again.",
    ),
    explained(
        "still-unknown",
        "It is still not known",
        "The backend does not know the outcome either.",
        "The gate asks again by itself.",
    ),
    explained(
        "stopping",
        "The gate is about to stop",
        "It was asked to end, and takes no more long questions.",
        "Ask again in a minute: it may be starting anew.",
    ),
    explained(
        "store-unavailable",
        "Back in a moment",
        "The store does not answer. Nothing was changed.",
        "Try again after `Retry-After` seconds.",
    ),
    explained(
        "subject-taken",
        "Another account is this person already",
        "A subject of the company's identity provider is one account.",
        "Use that account, or take its subject away first.",
    ),
    explained(
        "superseded",
        "Another version was proposed since",
        "What you read is not what waits for a signature now.",
        "Read the new proposal.",
    ),
    explained(
        "too-many-changes",
        "Back in a moment",
        "Too many others changed the same thing at once. Nothing was changed.",
        "Try again.",
    ),
    explained(
        "too-many-look-ups",
        "Too many look-ups",
        "The number of customers one account may look up in an hour is limited.",
        "Go on in the next hour.",
    ),
    explained(
        "too-many-passkeys",
        "No more passkeys fit",
        "An account has 20 at the most.",
        "Remove one that is not used.",
    ),
    explained(
        "too-many-signers",
        "Enough people signed",
        "No further signature is asked for.",
        "Nothing.",
    ),
    explained(
        "too-many-tries",
        "Too many tries from your network",
        "What can be guessed is limited for each network.",
        "Wait as long as `Retry-After` says.",
    ),
    explained(
        "unknown-action",
        "There is no such action",
        "The procedure in force does not know it.",
        "Use a name that `GET /v1/procedure` shows.",
    ),
    explained(
        "unknown-field",
        "The request has a field that is not known",
        "Nothing is passed over silently.",
        "Leave out the field that `errors` names, or spell it as the description does.",
    ),
    explained(
        "weak-pin",
        "This PIN is one that others would try",
        "A PIN has 6 to 12 digits that are not in a row, not repeated, and that nobody can look up.",
        "Choose another.",
    ),
    explained(
        "wrong-code",
        "The code is not the one the app shows",
        "An authenticator app counts only once a code of it came back.",
        "Scan the code again, wait for the next six numbers, and enter those.",
    ),
    explained(
        "wrong-content-type",
        "The content type is not the one asked for",
        "The API takes `application/json`.",
        "Set `Content-Type` and send the body in that form.",
    ),
    explained(
        "wrong-method",
        "This address is not asked that way",
        "There is something here, for another method.",
        "See the description of the API.",
    ),
    explained(
        "wrong-number",
        "That is not the number the agent sees",
        "Two digits are typed to confirm what loses or changes something; three wrong ones close it for a day.",
        "Ask the agent again, in the chat you are already in.",
    ),
];

/// What this code means.
pub fn explanation(code: &str) -> Option<&'static Explained> {
    PROBLEMS.iter().find(|known| known.code == code)
}

/// All of them as a page of the documentation.
pub fn as_markdown() -> String {
    let mut page = String::from(
        "<!-- Made from `crates/countersign_web/src/problems.rs`; a test keeps it fresh. -->\n\n# Problems\n\nEvery refusal of the API is a problem document (RFC 9457). Its `type` is `/problems/<code>`, an address of the gate that explains the code as below.\n\n| code | means | what to do |\n|---|---|---|\n",
    );
    for Explained {
        code,
        title,
        means,
        help,
    } in PROBLEMS
    {
        let _ = writeln!(page, "| `{code}` | **{title}.** {means} | {help} |");
    }
    page
}

const fn explained(
    code: &'static str,
    title: &'static str,
    means: &'static str,
    help: &'static str,
) -> Explained {
    Explained {
        code,
        title,
        means,
        help,
    }
}
