//! Every route there is. The router, the OpenAPI description and `who-may.txt` are made from this one table,
//! so a route that is not here does not exist.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{MethodRouter, delete, get, post, put};
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_http::compression::{CompressionLayer, CompressionLevel};

use crate::Web;
use crate::body::{MOST_BYTES, Path};
use crate::headers::protect;
use crate::limits::admit;
use crate::observe::observe;
use crate::openapi::Operation;
use crate::problem::Problem;
use crate::site::as_page;

/// One method of one path.
#[derive(Debug, Clone)]
pub struct Route {
    /// Method.
    pub verb: Verb,
    /// Path, as axum writes parameters.
    pub path: &'static str,
    /// Which credential opens it; the handler's extractor enforces it, and a test compares the two.
    pub door: Door,
    /// For the API: what the description says.
    pub operation: Option<Operation>,
    /// What answers.
    pub handler: MethodRouter<Web>,
}

/// Methods that are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verb {
    /// Reads, never decides.
    Get,
    /// Decides.
    Post,
    /// Puts a whole document.
    Put,
    /// Removes one.
    Delete,
}

impl Verb {
    /// As on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Which credential opens a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Door {
    /// None is looked at; a secret in the path may be.
    Anyone,
    /// A staff session.
    Staff,
    /// A session of the panel beside a ticket.
    Panel,
    /// The customer's seat in one case.
    Seat,
    /// A machine token; its scopes decide what.
    Machine,
    /// Either of the two.
    StaffOrMachine,
    /// A Standard Webhooks signature of a configured backend.
    Signed,
    /// The signature of one of the company's checkers, over this very message. No session and no token is looked at.
    Checker,
}

/// Every route.
#[expect(
    clippy::too_many_lines,
    reason = "the table is one thing, to be read as one"
)]
pub fn routes() -> Vec<Route> {
    use crate::api::{cases as ac, customers as cu, gate as ag, incidents as ai, staff as st};
    use crate::openapi::shape;
    use crate::site::{
        approvals, audit, cases, check, company, customer, customers, desk, drills, enrol,
        incidents, language, live, new_case, panel, procedures, proposal, reference, settings,
        sign_in, statistics, status, stop, talking, verify,
    };
    use Door::{Anyone, Checker, Machine, Panel, Seat, Signed, Staff, StaffOrMachine};

    let site = |verb, path, door, handler| Route {
        verb,
        path,
        door,
        operation: None,
        handler,
    };
    let api = |verb, path, door, operation, handler| Route {
        verb,
        path,
        door,
        operation: Some(operation),
        handler,
    };
    let show: &[(&str, &str)] = &[(
        "show",
        "`mine` (default), `team`, `waiting` for a signature, `done` today",
    )];
    let log_fields: &[(&str, &str)] = &[
        ("connector", "whose log it is; needed"),
        (
            "window",
            "how far clocks may differ, in seconds; 300 if left out",
        ),
        ("time", "field with the time; `at` if left out"),
        ("action", "field with the action; `action`"),
        (
            "customer",
            "field with the company's own customer id; `customer`",
        ),
        ("grant", "field with the grant's id; `grant`"),
        (
            "id",
            "field with the line's own id; without it a line is known by its bytes",
        ),
        ("parameter.NAME", "field with this parameter of actions"),
        (
            "rename.NAME",
            "the procedure's name of an action that the log calls so",
        ),
        ("ignore", "names of actions that need no case, with commas"),
        (
            "outcome",
            "field that says whether something was done; lines count only where it holds one of `done`",
        ),
        ("done", "what it says where something was done, with commas"),
    ];
    let event_days: &[(&str, &str)] = &[
        (
            "from",
            "first day of the events, `2026-11-23`, UTC; thirty days to the last one if left out",
        ),
        ("to", "last day; today if left out"),
    ];
    let figures: &[(&str, &str)] = &[
        (
            "from",
            "first day, `2026-11-23`, UTC; thirty days to the last one if left out",
        ),
        ("to", "last day; today if left out"),
        ("action", "only this action"),
        (
            "team",
            "only cases opened by this role, `customer` or `robot`",
        ),
        (
            "procedure",
            "only cases under this version, or the beginning of one",
        ),
    ];
    vec![
        // The API: cases.
        api(Verb::Post, "/v1/cases", StaffOrMachine, Operation::gives("Open a case", shape::<ac::CaseOpened>()).takes(shape::<ac::OpenCase>()).status(201).repeatable().about("A machine with `panel` opens it for its signed-in customer and gets the link to send them to; a `robot` opens it as a program with a staff role."), post(ac::open)),
        api(Verb::Get, "/v1/cases", Staff, Operation::gives("Cases on the desk", shape::<ac::CaseList>()).query(show), get(ac::list)),
        api(Verb::Get, "/v1/cases/{case}", StaffOrMachine, Operation::gives("A case, what is missing and who can supply it", shape::<ac::CaseDocument>()), get(ac::read)),
        api(Verb::Get, "/v1/cases/{case}/events", StaffOrMachine, Operation::does("Follow a case (server-sent events)").media("text/event-stream").query(&[("after", "the version already seen; `Last-Event-ID` does the same")]).about("An event `changed` with `{\"version\": n}` whenever the case changed; the first says the present one."), get(live::api)),
        api(Verb::Post, "/v1/cases/{case}/link", StaffOrMachine, Operation::gives("Make the customer's one-time link", shape::<ac::CaseLink>()).status(201).repeatable(), post(ac::link)),
        api(Verb::Post, "/v1/cases/{case}/run", StaffOrMachine, Operation::gives("Run it, now that nothing is missing", shape::<ac::CaseChanged>()).repeatable().about("Everything is evaluated again at this moment."), post(ac::run)),
        api(Verb::Post, "/v1/cases/{case}/withdraw", StaffOrMachine, Operation::gives("Take it back", shape::<ac::CaseChanged>()).repeatable(), post(ac::withdraw)),
        api(Verb::Post, "/v1/cases/{case}/vouch", Staff, Operation::gives("Give your word for a `confirms` line", shape::<ac::CaseChanged>()).takes(shape::<ac::Vouch>()).repeatable(), post(ac::vouch)),
        api(Verb::Post, "/v1/cases/{case}/refuse", Staff, Operation::gives("Refuse, with a reason", shape::<ac::CaseChanged>()).takes(shape::<ac::Refuse>()).repeatable().about("The same request then stays closed for its cooling time, whoever asks."), post(ac::refuse)),
        api(Verb::Post, "/v1/cases/{case}/sign-off/start", Staff, Operation::gives("Begin to sign", shape::<st::Prompt>()), post(st::start_sign_off)),
        api(Verb::Post, "/v1/cases/{case}/sign-off/finish", Staff, Operation::gives("Sign with a passkey, over the digest", shape::<ac::CaseChanged>()).takes(shape::<st::Answer>()), post(st::finish_sign_off)),
        api(Verb::Get, "/v1/cases/{case}/receipt", Staff, Operation::does("The receipt, for `countersign receipt verify`").media("application/json"), get(ac::receipt)),
        // The API: customers.
        api(Verb::Put, "/v1/customers/{customer}", Machine, Operation::gives("Put a customer, contacts included", shape::<cu::CustomerPutDone>()).takes(shape::<cu::PutCustomer>()), put(cu::put)),
        api(Verb::Get, "/v1/customers/{customer}", Machine, Operation::gives("A customer, history of contacts included", shape::<cu::CustomerDocument>()), get(cu::read)),
        api(Verb::Delete, "/v1/customers/{customer}", Machine, Operation::does("Erase a customer and all their cases").about("Needs the scope `erase`. Refused while a case is open or a refused request is still closed. The ledger stays whole."), delete(cu::erase)),
        api(Verb::Put, "/v1/customers/{customer}/holdings/{holding}", Machine, Operation::does("Put how a customer shows a holding").takes(shape::<cu::PutHolding>()), put(cu::put_holding)),
        api(Verb::Delete, "/v1/customers/{customer}/holdings/{holding}", Machine, Operation::does("Remove it"), delete(cu::remove_holding)),
        api(Verb::Post, "/v1/customers/{customer}/holdings/{holding}/passkey/start", Machine, Operation::gives("Begin to register a passkey for the customer signed in to your panel", shape::<st::Prompt>()), post(cu::start_passkey)),
        api(Verb::Post, "/v1/customers/{customer}/holdings/{holding}/passkey/finish", Machine, Operation::does("Register it").takes(shape::<st::Answer>()), post(cu::finish_passkey)),
        api(Verb::Post, "/v1/customers/{customer}/backups", Machine, Operation::does("Attest a backup").takes(shape::<cu::AttestBackup>()).about("Only a token with the scope `backups` and no other."), post(cu::attest)),
        // The API: staff.
        api(Verb::Post, "/v1/sign-in/start", Anyone, Operation::gives("Begin to sign in with a passkey", shape::<st::Prompt>()), post(st::start_sign_in)),
        api(Verb::Post, "/v1/sign-in/finish", Anyone, Operation::gives("Sign in", shape::<st::SessionOpened>()).takes(shape::<st::Answer>()), post(st::finish_sign_in)),
        api(Verb::Post, "/v1/invitations/{token}/start", Anyone, Operation::gives("Begin to register the first passkey", shape::<st::Prompt>()), post(st::start_registration)),
        api(Verb::Post, "/v1/invitations/{token}/finish", Anyone, Operation::gives("Register it, and sign in", shape::<st::SessionOpened>()).takes(shape::<st::Answer>()), post(st::finish_registration)),
        api(Verb::Post, "/v1/step-up/start", Staff, Operation::gives("Begin to show again that it is you", shape::<st::Prompt>()), post(st::start_step_up)),
        api(Verb::Post, "/v1/step-up/finish", Staff, Operation::does("Show it: a passkey of this account answers, and the session is fresh for five minutes").takes(shape::<st::Answer>()), post(st::finish_step_up)),
        api(Verb::Post, "/v1/passkeys/start", Staff, Operation::gives("Begin to register another passkey", shape::<st::Prompt>()).about("Needs a fresh session: signed in, or stepped up, within the last five minutes."), post(st::start_passkey)),
        api(Verb::Post, "/v1/passkeys/finish", Staff, Operation::gives("Register it", shape::<st::GoOn>()).takes(shape::<st::Answer>()), post(st::finish_passkey)),
        api(Verb::Post, "/v1/sign-out", Staff, Operation::does("End this session"), post(st::sign_out)),
        api(Verb::Get, "/v1/me", Staff, Operation::gives("Who is signed in", shape::<st::Me>()), get(st::me)),
        api(Verb::Post, "/v1/staff", Staff, Operation::gives("Make an account and its invitation", shape::<st::Invited>()).takes(shape::<st::NewStaff>()).status(201).repeatable().about("Needs the console role `admin`."), post(st::invite)),
        // The API: the gate.
        api(Verb::Get, "/v1/procedure", StaffOrMachine, Operation::gives("The procedure in force", shape::<ag::ProcedureDocument>()), get(ag::procedure)),
        api(Verb::Get, "/v1/procedure/proposed", Staff, Operation::gives("The version that waits for a signature", shape::<ag::ProposedDocument>()).about("404 where none does."), get(ag::proposed)),
        api(Verb::Post, "/v1/procedure/sign-off/start", Staff, Operation::gives("Begin to sign the proposed version", shape::<st::Prompt>()), post(ag::start_sign_off)),
        api(Verb::Post, "/v1/procedure/sign-off/finish", Staff, Operation::gives("Sign it with a passkey: it is in force for new cases from then on", shape::<ag::ProcedureDocument>()).takes(shape::<st::Answer>()), post(ag::finish_sign_off)),
        api(Verb::Post, "/v1/reconciliations", Machine, Operation::does("Match a backend's own log with cases").media("application/json").query(log_fields).about("Needs the scope `reconcile`. The body is JSON lines (`application/x-ndjson`) or CSV (`text/csv`), streamed, at most 4 GiB; one log is read at a time. Every line is covered by one grant, uncovered, or unknown; what cannot be read is counted and shown."), post(crate::api::reconcile::reconcile)),
        api(Verb::Get, "/v1/reconciliations", Machine, Operation::does("What reconciling came to: the newest log of each connector, and the events that connectors send").media("application/json").query(event_days).about("Needs the scope `reconcile`. Counts, and the unreadable deliveries by their `webhook-id`; nothing of a customer."), get(crate::api::reconcile::read)),
        api(Verb::Post, "/v1/reconciliations/webhooks/{connector}", Signed, Operation::gives("Take one event of a backend's own log, as it happens", shape::<crate::api::reconcile::EventTaken>()).about("A Standard Webhooks delivery (`webhook-id`, `webhook-timestamp`, `webhook-signature`), signed with the connector's `audit_secret`; its body is one JSON object of at most 64 KiB that the connector's `audit_map` reads. An event that a grant covers is settled at once; one that nothing covers is looked at again after `audit_window` seconds, and is an alarm then. A delivery, and an event, counts once, however often it comes. What cannot be read is counted and shown, and answered with 200: sending it again changes nothing."), post(crate::api::reconcile::event)),
        api(Verb::Post, "/v1/statements/check", Staff, Operation::does("Hold a public statement against what is known about apologies that help").media("application/json").takes(shape::<crate::api::statements::CheckStatement>()).about("Nothing is kept. Places are ranges of bytes of the text with its facts filled in."), post(crate::api::statements::check_statement).layer(DefaultBodyLimit::max(crate::api::statements::MOST_BYTES))),
        api(Verb::Get, "/v1/statistics", StaffOrMachine, Operation::does("How far procedure was followed: figures from events alone").media("application/json").query(figures).about("For staff with a role, auditors, and machines with the scope `read`. Every rate comes with its exact 95 % interval (Clopper and Pearson). Only auditors see colleagues by name."), get(crate::api::statistics::read)),
        api(Verb::Get, "/v1/drills", StaffOrMachine, Operation::does("Drills: vigilance by team and month, with its interval, and what the reader was told").media("application/json").about("For staff with a role, auditors and administrators, and machines with the scope `read`, which are told of no case. A drill that runs is in no answer but the count of those under way, for whoever plans them."), get(crate::api::drills::read)),
        api(Verb::Post, "/v1/drills", Staff, Operation::does("Plan a drill").takes(shape::<crate::api::drills::PlanDrill>()).about("For administrators who have none of the roles that are asked in it, from whichever account. The gate draws the moment. Neither answer nor event names the case."), post(crate::api::drills::plan)),
        api(Verb::Post, "/v1/questions/{question}", Checker, Operation::does("Answer a question that a checker said it would answer later").takes(shape::<crate::api::questions::QuestionAnswer>()).about("For the company's own checker of a proof `using webhook`. The message carries `webhook-id`, `webhook-timestamp` and `webhook-signature` (Standard Webhooks); neither a session nor a token opens this. The same message again is taken again and changes nothing. 409 where nothing waits for it: never asked, answered, run out, and these are not told apart."), post(crate::api::questions::answer)),
        // The API: incidents and alarms.
        api(Verb::Get, "/v1/incidents", Staff, Operation::does("Incidents, open ones first").media("application/json").about("For auditors, and for whoever may sign a new version of the procedure."), get(ai::list)),
        api(Verb::Post, "/v1/incidents", Staff, Operation::gives("Open an incident: from a case, from an alarm, or by hand", shape::<ai::IncidentOpened>()).takes(shape::<ai::OpenIncident>()).status(201).repeatable(), post(ai::open)),
        api(Verb::Get, "/v1/incidents/{incident}", Staff, Operation::does("An incident: timeline, who else was touched, tasks, updates, statement, facts").media("application/json"), get(ai::read)),
        api(Verb::Get, "/v1/incidents/{incident}/facts", Staff, Operation::does("Its facts, as `countersign statement check --incident` reads them").media("application/json"), get(ai::facts)),
        api(Verb::Post, "/v1/incidents/{incident}/scope", Staff, Operation::does("Say what it is about: the timeline and the customers touched follow from it").takes(shape::<ai::IncidentScope>()).repeatable().media("application/json"), post(ai::scope)),
        api(Verb::Post, "/v1/incidents/{incident}/lines", Staff, Operation::does("Add a line to the timeline").takes(shape::<ai::IncidentLine>()).repeatable().media("application/json"), post(ai::line)),
        api(Verb::Post, "/v1/incidents/{incident}/marks", Staff, Operation::does("Say how it stands with a customer").takes(shape::<ai::IncidentMark>()).repeatable().media("application/json"), post(ai::mark)),
        api(Verb::Post, "/v1/incidents/{incident}/tasks", Staff, Operation::does("Add a task").takes(shape::<ai::IncidentTask>()).repeatable().media("application/json"), post(ai::task)),
        api(Verb::Post, "/v1/incidents/{incident}/tasks/{task}", Staff, Operation::does("Move a task on").takes(shape::<ai::IncidentTaskState>()).repeatable().media("application/json"), post(ai::task_state)),
        api(Verb::Post, "/v1/incidents/{incident}/updates", Staff, Operation::does("Tell the public, and everybody who subscribed").takes(shape::<ai::IncidentUpdate>()).repeatable().media("application/json"), post(ai::update)),
        api(Verb::Put, "/v1/incidents/{incident}/statement", Staff, Operation::does("Save the statement, all versions").takes(shape::<ai::StatementDraft>()).about("Refused where somebody else saved it since it was read. What waited for a signature waits no more."), put(ai::draft)),
        api(Verb::Post, "/v1/incidents/{incident}/statement/check", Staff, Operation::does("Check a statement against the facts of the incident; nothing is kept").takes(shape::<ai::StatementDraft>()).media("application/json"), post(ai::check)),
        api(Verb::Post, "/v1/incidents/{incident}/statement/submit", Staff, Operation::does("Hand the draft to a second person").takes(shape::<ai::StatementRevision>()).about("Refused while it tells a number or time that is not the incident's."), post(ai::submit)),
        api(Verb::Post, "/v1/incidents/{incident}/statement/sign/start", Staff, Operation::gives("Begin to sign the statement that waits", shape::<st::Prompt>()), post(ai::start_sign)),
        api(Verb::Post, "/v1/incidents/{incident}/statement/sign/finish", Staff, Operation::does("Sign it with a passkey: it is public, and never changed again").takes(shape::<st::Answer>()).media("application/json").about("Nobody signs what they wrote, from whichever account."), post(ai::finish_sign)),
        api(Verb::Get, "/v1/incidents/{incident}/letters", Staff, Operation::does("The letters to the affected, as they would read").media("application/json"), get(ai::letters)),
        api(Verb::Post, "/v1/incidents/{incident}/letters", Staff, Operation::does("Send them, to everybody who has none yet").media("application/json"), post(ai::send_letters)),
        api(Verb::Get, "/v1/incidents/{incident}/promises", Staff, Operation::does("Promises of the procedure in force, and how that of the time stood to each").media("application/json"), get(ai::promises)),
        api(Verb::Post, "/v1/incidents/{incident}/close", Staff, Operation::does("Close it by a promise that is kept now and was not then").takes(shape::<ai::ClosePromise>()), post(ai::close)),
        api(Verb::Post, "/v1/incidents/{incident}/close/start", Staff, Operation::gives("Begin to sign why it needs no promise", shape::<st::Prompt>()).takes(shape::<ai::CloseReason>()), post(ai::start_close)),
        api(Verb::Post, "/v1/incidents/{incident}/close/finish", Staff, Operation::does("Sign it with a passkey, and close it").takes(shape::<ai::CloseAnswer>()).about("Not by whoever opened it."), post(ai::finish_close)),
        api(Verb::Get, "/v1/alarms", Staff, Operation::does("Alarms, those nobody has looked at first").media("application/json"), get(ai::alarms)),
        api(Verb::Post, "/v1/alarms/{alarm}/settle", Staff, Operation::does("Settle an alarm that is nothing").takes(shape::<ai::SettleAlarm>()), post(ai::settle)),
        api(Verb::Get, "/v1/status", Anyone, Operation::does("What anybody may read of incidents").media("application/json"), get(status::api)),
        api(Verb::Get, "/.well-known/countersign", Anyone, Operation::gives("Keys that a backend and a verifier need", shape::<ag::KeysDocument>()), get(ag::keys)),
        api(Verb::Get, "/ledger/checkpoint", Anyone, Operation::does("The newest checkpoint (C2SP tlog-tiles)").media("text/plain; charset=utf-8"), get(ag::checkpoint)),
        api(Verb::Get, "/ledger/tile/{*path}", Anyone, Operation::does("A hash tile or entry bundle (C2SP tlog-tiles)").media("application/octet-stream"), get(ag::tile)),
        // What describes itself.
        site(Verb::Get, "/openapi.json", Anyone, get(ag::openapi)),
        site(Verb::Get, "/docs/api", Anyone, get(reference::page)),
        site(Verb::Get, "/problems/{code}", Anyone, get(reference::problem)),
        site(Verb::Get, "/assets/{file}", Anyone, get(asset)),
        site(Verb::Get, "/healthz", Anyone, get(ag::health)),
        site(Verb::Get, "/readyz", Anyone, get(ag::ready)),
        // Pages for staff.
        site(Verb::Get, "/", Staff, get(desk::home)),
        site(Verb::Get, "/sign-in", Anyone, get(sign_in::page)),
        site(Verb::Post, "/sign-in/start", Anyone, post(sign_in::start)),
        site(Verb::Post, "/sign-in/finish", Anyone, post(sign_in::finish)),
        site(Verb::Get, "/sign-in/company", Anyone, get(company::sign_in)),
        site(Verb::Get, "/sign-in/company/back", Anyone, get(company::sign_in_back)),
        site(Verb::Post, "/sign-in/company/finish", Anyone, post(company::sign_in_finish)),
        site(Verb::Post, "/sign-out", Staff, post(sign_in::sign_out)),
        site(Verb::Post, "/session/extend", Staff, post(sign_in::extend)),
        site(Verb::Get, "/invitation/{token}", Anyone, get(sign_in::opened)),
        site(Verb::Get, "/invitation", Anyone, get(sign_in::invitation)),
        site(Verb::Post, "/invitation/start", Anyone, post(sign_in::start_invitation)),
        site(Verb::Post, "/invitation/finish", Anyone, post(sign_in::finish_invitation)),
        site(Verb::Get, "/desk", Staff, get(desk::desk)),
        site(Verb::Get, "/desk/events", Staff, get(live::desk_list)),
        site(Verb::Get, "/customers", Staff, get(customers::ask)),
        site(Verb::Post, "/customers", Staff, post(customers::search)),
        site(Verb::Get, "/customers/{id}", Staff, get(customers::page)),
        site(Verb::Get, "/cases/new/customer", Staff, get(new_case::ask_customer)),
        site(Verb::Post, "/cases/new/customer", Staff, post(new_case::customer)),
        site(Verb::Get, "/procedures", Staff, get(procedures::list)),
        site(Verb::Get, "/procedures/action/{action}", Staff, get(procedures::action)),
        site(Verb::Get, "/procedures/attacks", Staff, get(procedures::attacks)),
        site(Verb::Get, "/procedures/reach", Staff, get(procedures::reach)),
        site(Verb::Get, "/procedures/lockout", Staff, get(procedures::lockout)),
        site(Verb::Get, "/procedures/text", Staff, get(procedures::text)),
        site(Verb::Get, "/cases/new/action", Staff, get(new_case::action)),
        site(Verb::Get, "/cases/new/details", Staff, get(new_case::details)),
        site(Verb::Post, "/cases/new/details", Staff, post(new_case::details_again)),
        site(Verb::Post, "/cases/new/check", Staff, post(new_case::check)),
        site(Verb::Post, "/cases", Staff, post(new_case::open)),
        site(Verb::Get, "/cases/{id}", Staff, get(cases::page)),
        site(Verb::Get, "/cases/{id}/events", Staff, get(live::case)),
        site(Verb::Post, "/cases/{id}/link", Staff, post(cases::link)),
        site(Verb::Get, "/cases/{id}/withdraw", Staff, get(cases::withdraw_page)),
        site(Verb::Post, "/cases/{id}/withdraw", Staff, post(cases::withdraw)),
        site(Verb::Post, "/cases/{id}/vouch", Staff, post(cases::vouch)),
        site(Verb::Get, "/cases/{id}/run", Staff, get(cases::run_page)),
        site(Verb::Post, "/cases/{id}/run", Staff, post(cases::run)),
        site(Verb::Post, "/cases/{id}/incident", Staff, post(incidents::open_from_case)),
        site(Verb::Get, "/cases/{id}/receipt", Staff, get(cases::receipt)),
        site(Verb::Get, "/cases/{id}/receipt.json", Staff, get(cases::receipt_json)),
        site(Verb::Get, "/approvals", Staff, get(approvals::list)),
        site(Verb::Get, "/approvals/events", Staff, get(live::approvals_list)),
        site(Verb::Get, "/approvals/{id}", Staff, get(approvals::one)),
        site(Verb::Post, "/approvals/{id}/sign/start", Staff, post(approvals::start)),
        site(Verb::Post, "/approvals/{id}/sign/finish", Staff, post(approvals::finish)),
        site(Verb::Get, "/approvals/{id}/decline", Staff, get(approvals::decline_page)),
        site(Verb::Post, "/approvals/{id}/decline", Staff, post(approvals::decline)),
        site(Verb::Get, "/procedures/proposed", Staff, get(proposal::page)),
        site(Verb::Post, "/procedures/proposed/sign/start", Staff, post(proposal::start)),
        site(Verb::Post, "/procedures/proposed/sign/finish", Staff, post(proposal::finish)),
        site(Verb::Post, "/procedures/proposed/refuse", Staff, post(proposal::refuse)),
        site(Verb::Get, "/statistics", Staff, get(statistics::page)),
        site(Verb::Get, "/statistics.csv", Staff, get(statistics::as_csv)),
        site(Verb::Get, "/incidents", Staff, get(incidents::list)),
        site(Verb::Post, "/incidents", Staff, post(incidents::open)),
        site(Verb::Post, "/alarms/{alarm}/incident", Staff, post(incidents::open_from_alarm)),
        site(Verb::Post, "/alarms/{alarm}/settle", Staff, post(incidents::settle)),
        site(Verb::Get, "/incidents/{incident}", Staff, get(incidents::page)),
        site(Verb::Get, "/incidents/{incident}/statement", Staff, get(incidents::statement)),
        site(Verb::Post, "/incidents/{incident}/statement", Staff, post(incidents::write)),
        site(Verb::Post, "/incidents/{incident}/statement/check", Staff, post(incidents::check)),
        site(Verb::Post, "/incidents/{incident}/sign/start", Staff, post(incidents::start_sign)),
        site(Verb::Post, "/incidents/{incident}/sign/finish", Staff, post(incidents::finish_sign)),
        site(Verb::Get, "/incidents/{incident}/letters", Staff, get(incidents::letters)),
        site(Verb::Post, "/incidents/{incident}/letters", Staff, post(incidents::send_letters)),
        site(Verb::Get, "/incidents/{incident}/close", Staff, get(incidents::closing)),
        site(Verb::Post, "/incidents/{incident}/close", Staff, post(incidents::close)),
        site(Verb::Post, "/incidents/{incident}/close/start", Staff, post(incidents::start_close)),
        site(Verb::Post, "/incidents/{incident}/close/finish", Staff, post(incidents::finish_close)),
        site(Verb::Post, "/incidents/{incident}/change/{change}", Staff, post(incidents::change)),
        site(Verb::Get, "/drills", Staff, get(drills::page)),
        site(Verb::Post, "/drills", Staff, post(drills::plan)),
        site(Verb::Get, "/audit", Staff, get(audit::list)),
        site(Verb::Get, "/audit/verify", Staff, get(audit::verify)),
        site(Verb::Post, "/audit/verify", Staff, post(audit::check)),
        site(Verb::Post, "/audit/export.jsonl", Staff, post(audit::export)),
        site(Verb::Get, "/audit/{seq}", Staff, get(audit::entry)),
        site(Verb::Get, "/settings", Staff, get(settings::page)),
        site(Verb::Post, "/settings", Staff, post(settings::save)),
        site(Verb::Post, "/settings/theme", Anyone, post(settings::toggle)),
        site(Verb::Get, "/settings/keys", Staff, get(settings::keys)),
        site(Verb::Get, "/settings/passkeys", Staff, get(settings::passkeys)),
        site(Verb::Post, "/settings/passkeys/confirm/start", Staff, post(settings::start_confirm)),
        site(Verb::Post, "/settings/passkeys/confirm/finish", Staff, post(settings::finish_confirm)),
        site(Verb::Post, "/settings/passkeys/start", Staff, post(settings::start)),
        site(Verb::Post, "/settings/passkeys/finish", Staff, post(settings::finish)),
        site(Verb::Post, "/settings/passkeys/{id}/remove", Staff, post(settings::remove)),
        site(Verb::Post, "/settings/passkeys/{id}/name", Staff, post(settings::rename)),
        // The panel beside a ticket, in a frame; and the window in which one signs in to it.
        site(Verb::Get, "/panel", Anyone, get(panel::home)),
        site(Verb::Post, "/panel/enter", Anyone, post(panel::enter)),
        site(Verb::Get, "/panel/sign-in", Staff, get(panel::sign_in)),
        site(Verb::Post, "/panel/pass", Staff, post(panel::pass)),
        site(Verb::Post, "/panel", Panel, post(panel::search)),
        site(Verb::Get, "/panel/customers/{id}", Panel, get(panel::customer)),
        site(Verb::Get, "/panel/new", Panel, get(panel::new_case)),
        site(Verb::Post, "/panel/check", Panel, post(panel::check)),
        site(Verb::Post, "/panel/cases", Panel, post(panel::open)),
        site(Verb::Get, "/panel/cases/{id}", Panel, get(panel::case)),
        site(Verb::Get, "/panel/cases/{id}/events", Panel, get(live::panel_case)),
        site(Verb::Post, "/panel/cases/{id}/link", Panel, post(panel::link)),
        site(Verb::Post, "/panel/sign-out", Panel, post(panel::leave)),
        // Pages for the customer. The link's token is looked at by POST alone.
        site(Verb::Get, "/c/{token}", Anyone, get(customer::opened)),
        site(Verb::Get, "/c", Anyone, get(customer::start)),
        site(Verb::Post, "/c/language", Anyone, post(language::choose)),
        site(Verb::Post, "/c/yes", Anyone, post(customer::yes)),
        site(Verb::Post, "/c/no", Anyone, post(customer::no)),
        site(Verb::Get, "/c/prove", Seat, get(customer::prove)),
        site(Verb::Post, "/c/prove", Seat, post(customer::choose)),
        site(Verb::Get, "/c/prove/{way}", Seat, get(customer::way)),
        site(Verb::Post, "/c/prove/{way}", Seat, post(customer::answer)),
        site(Verb::Post, "/c/prove/{way}/send", Seat, post(customer::send)),
        site(Verb::Post, "/c/prove/{way}/start", Seat, post(customer::start_passkey)),
        site(Verb::Post, "/c/prove/{way}/finish", Seat, post(customer::finish_passkey)),
        site(Verb::Get, "/c/company", Seat, get(company::back)),
        site(Verb::Get, "/c/prove/{way}/sign-in", Seat, get(company::leave)),
        site(Verb::Post, "/c/prove/{way}/signed-in", Seat, post(company::signed_in)),
        site(Verb::Post, "/c/prove/{way}/ask", Seat, post(company::ask)),
        site(Verb::Get, "/c/prove/{way}/events", Seat, get(company::push_events)),
        site(Verb::Post, "/c/prove/{way}/check", Seat, post(check::ask)),
        site(Verb::Get, "/c/prove/{way}/check/events", Seat, get(check::events)),
        site(Verb::Get, "/c/confirm", Seat, get(customer::confirm_page)),
        site(Verb::Post, "/c/confirm", Seat, post(customer::confirm)),
        site(Verb::Post, "/c/run", Seat, post(customer::run)),
        site(Verb::Get, "/c/set", Seat, get(enrol::page)),
        site(Verb::Post, "/c/set", Seat, post(enrol::set)),
        site(Verb::Post, "/c/set/start", Seat, post(enrol::start)),
        site(Verb::Post, "/c/set/finish", Seat, post(enrol::finish)),
        site(Verb::Get, "/c/done", Seat, get(customer::done)),
        site(Verb::Get, "/c/events", Seat, get(live::seat)),
        site(Verb::Get, "/c/stop", Anyone, get(customer::stop_page)),
        site(Verb::Post, "/c/stop", Anyone, post(customer::stop)),
        site(Verb::Get, "/c/receipts", Seat, get(customer::receipts)),
        site(Verb::Get, "/c/receipts/{case}", Seat, get(customer::receipt)),
        site(Verb::Get, "/c/receipts/{case}/json", Seat, get(customer::receipt_json)),
        // Whoever holds a receipt.
        site(Verb::Get, "/receipts/verify", Anyone, get(verify::page)),
        site(Verb::Post, "/receipts/verify", Anyone, post(verify::check).layer(DefaultBodyLimit::max(verify::MOST_BYTES + MOST_BYTES))),
        // Whoever is called: "is someone from this company talking to me?"
        site(Verb::Get, talking::PATH, Anyone, get(talking::page)),
        site(Verb::Post, talking::PATH, Anyone, post(talking::look)),
        // Whoever wants to know how it stands.
        site(Verb::Get, "/status", Anyone, get(status::page)),
        site(Verb::Get, "/status/feed.atom", Anyone, get(status::feed)),
        site(Verb::Post, "/status/subscribe", Anyone, post(status::subscribe)),
        site(Verb::Get, "/status/confirm/{token}", Anyone, get(status::confirm_page)),
        site(Verb::Post, "/status/confirm/{token}", Anyone, post(status::confirm)),
        site(Verb::Get, "/status/leave/{token}", Anyone, get(status::leave_page)),
        site(Verb::Post, "/status/leave/{token}", Anyone, post(status::leave)),
        site(Verb::Get, "/status/{incident}", Anyone, get(status::incident)),
        // Whoever was told.
        site(Verb::Get, "/v/{token}", Anyone, get(stop::page)),
        site(Verb::Post, "/v/{token}", Anyone, post(stop::stop)),
    ]
}

/// The gate's router: every route, and what lies round all of them.
pub fn router(web: Web) -> Router {
    let mut router = Router::new();
    for route in routes() {
        router = router.route(route.path, route.handler);
    }
    let csrf = tower_http::csrf::CsrfLayer::new().with_rejection_response(
        |_: tower_http::csrf::ProtectionError| Problem::cross_site().into_response(),
    );
    router
        .fallback(async || Problem::nothing_here())
        .method_not_allowed_fallback(async || {
            Problem::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "wrong-method",
                "This address is not asked that way",
            )
        })
        // The last one added is the outermost.
        .layer(csrf)
        .layer(from_fn_with_state(web.clone(), admit))
        .layer(from_fn_with_state(web.clone(), as_page))
        .layer(compression())
        .layer(from_fn_with_state(web.clone(), protect))
        .layer(DefaultBodyLimit::max(MOST_BYTES))
        .layer(from_fn_with_state(web.clone(), observe))
        .with_state(web)
}

/// Everything but event streams, which must leave at once. Brotli at 2: a full desk in a quarter of what the fastest
/// makes of it, and higher levels save little more.
fn compression() -> CompressionLayer<impl Predicate> {
    CompressionLayer::new()
        .quality(CompressionLevel::Precise(2))
        .compress_when(SizeAbove::new(512).and(NotForContentType::SSE))
}

/// `GET /assets/{file}`: named by their content, so everybody may keep them for ever.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Result<Response, Problem> {
    let asset = crate::assets::asset(&file).ok_or_else(Problem::nothing_here)?;
    let brotli = headers
        .get(header::ACCEPT_ENCODING)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|accepted| accepted.contains("br"));
    let (body, encoding) = if brotli {
        (asset.brotli, Some("br"))
    } else {
        (asset.body, None)
    };
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static(asset.content_type),
    );
    headers.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static(crate::assets::CACHE_CONTROL),
    );
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Some(encoding) = encoding {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
    }
    Ok(response)
}
