//! What the simulator once found, played again step by step.

use std::{
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use countersign_cases::CustomerId;
use countersign_language::read_procedure;
use countersign_service::{CustomerSeat, OpenRequest};

use super::{
    close_the_books,
    company::{Company, Customer},
    people::Known,
    sim::{SECOND, Sim, locked},
    tasks::Tasks,
};
use crate::{
    auditor::{Heard, audit},
    naive::Dice,
};

const PROCEDURE: &str = r#"
organisation "Acme Hosting"
staff agent "support agent"
secret  pin     "support PIN"            using pin
channel mailbox "e-mail address on file"
proof mail_code "code sent by e-mail" shows mailbox using mail
loss files "everything of the customer's"
action files.erase "Erase everything" {
  loses files
  runs  panel
  path usual { prove pin and mail_code }
}
"#;

/// A company where nothing goes wrong, one of its customers with an open case, and the page of it.
fn stage() -> (Tasks, Arc<Company>, CustomerSeat, Known) {
    let procedure = read_procedure(PROCEDURE).procedure.unwrap();
    let sim = Arc::new(Sim::new(1, procedure, PROCEDURE.to_owned()).unwrap());
    let tasks = Tasks::new(Arc::clone(&sim.time), Dice(1));
    let company = tasks
        .alone(Company::found(Arc::clone(&sim), &mut Dice(1)))
        .unwrap();
    let company = Arc::new(company);
    tasks.alone(company.stand_up(0));
    let customer = &company.customers[0];
    let request = OpenRequest {
        customer: CustomerId(customer.id.clone()),
        action: "files.erase".to_owned(),
        parameters: std::collections::BTreeMap::new(),
        reason: None,
        reference: None,
        return_to: None,
        language: None,
        shows: Vec::new(),
    };
    let by = company.panel.clone();
    let (opened, link) = tasks
        .alone(sim.ask(|gate| async move { gate.open_case_for_panel(&by, &request).await }))
        .unwrap()
        .unwrap();
    let seat = tasks.alone(company.sit(link.token.expose())).unwrap();
    let known = Known {
        case: opened.case,
        digest: opened.digest,
        customer: 0,
        action: countersign_language::ActionId(0),
    };
    (tasks, company, seat, known)
}

/// Has a code sent, lets the gate's workers work, and gives the code that came.
fn code(tasks: &Tasks, company: &Company, customer: &Customer, seat: &CustomerSeat) -> String {
    let from = seat.clone();
    tasks
        .alone(
            company
                .sim
                .ask(|gate| async move { gate.send_code(&from, "mail_code").await }),
        )
        .unwrap()
        .unwrap();
    tasks
        .alone(company.sim.ask(|gate| async move { gate.settle().await }))
        .unwrap()
        .unwrap();
    company.sim.time.pass(5 * SECOND);
    let address = locked(&customer.contacts)[0].1.clone();
    let (_, letter) = company.letters_to(&address).pop().unwrap();
    super::people::code_in(&letter).unwrap()
}

#[test]
fn a_code_sent_to_a_contact_that_was_removed_shows_nothing() {
    let (tasks, company, seat, known) = stage();
    let customer = &company.customers[0];
    let old = code(&tasks, &company, customer, &seat);
    customer.moves(&company.sim, &mut Dice(1)).unwrap();
    tasks.alone(company.put(customer));
    company.sim.time.pass(SECOND);
    let heard = tasks.alone(company.answer(&seat, &known, "mail_code", &old));
    assert_eq!(heard, Heard::NotRight);

    company.sim.time.pass(61 * SECOND);
    let new = code(&tasks, &company, customer, &seat);
    let heard = tasks.alone(company.answer(&seat, &known, "mail_code", &new));
    assert_eq!(heard, Heard::Right, "what goes to the new contact is right");
    let books = tasks.alone(close_the_books(&company)).unwrap();
    assert_eq!(audit(&books), []);
}

/// Polls this many times, unless it is over before.
fn turns<T>(future: &mut std::pin::Pin<&mut impl Future<Output = T>>, times: usize) -> Option<T> {
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..times {
        if let Poll::Ready(done) = future.as_mut().poll(&mut context) {
            return Some(done);
        }
    }
    None
}

#[test]
fn a_pin_that_is_replaced_while_it_is_looked_at_shows_nothing() {
    let mut raced = 0;
    // The replacement comes between any two steps of looking at the answer.
    for steps in (0..40).step_by(2) {
        let (tasks, company, seat, known) = stage();
        let customer = &company.customers[0];
        let old = locked(&customer.knows)["pin"].clone();
        let mut answer = pin!(company.answer(&seat, &known, "pin", &old));
        let first = turns(&mut answer, steps);
        let in_between = first.is_none();
        tasks.alone(company.put_factor(customer, "pin", "902785114"));
        let heard = first.unwrap_or_else(|| tasks.alone(answer));
        // Right may be heard where it was stored before the replacement; what counts is judged by the auditor.
        raced += usize::from(in_between && heard != Heard::Right);
        let books = tasks.alone(close_the_books(&company)).unwrap();
        assert_eq!(audit(&books), [], "replaced after {steps} turns");
    }
    assert!(raced > 5, "the answer was looked at in {raced} steps");
}
