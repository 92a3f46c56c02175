//! Whoever tries what nobody should: out of order, too late, twice, with somebody else's proof, link, passkey or digest.

use std::sync::Arc;

use countersign_cases::{CustomerId, Digest};
use countersign_language::{Method, Requirement};
use countersign_service::{CaseError, CustomerSeat, OpenRequest};

use super::{
    company::{Company, Customer, a_pin, code_of},
    people::{BEGIN_WITHIN, Known},
    sim::{DAY, HOUR, MINUTE, SECOND, locked},
};
use crate::{auditor::Heard, naive::Dice, world};

impl Company {
    /// Tries one thing after another, at any time.
    pub(super) async fn attack(self: Arc<Self>, mut dice: Dice) {
        let last = self.sim.time.now() + BEGIN_WITHIN + 6 * DAY;
        while self.sim.time.now() < last {
            let pause = MINUTE * i64::try_from(1 + dice.below(400)).unwrap_or(1);
            self.sim.time.sleep(pause).await;
            // Several things at once, now and then: a race needs somebody to run it.
            for _ in 0..=dice.below(3) {
                self.try_something(&mut dice).await;
            }
        }
    }

    async fn try_something(&self, dice: &mut Dice) -> Option<()> {
        let known = one(&locked(&self.known.cases), dice)?;
        match dice.below(16) {
            0 => self.reopen(&known, dice).await,
            1 => self.anybody_signs(&known, dice).await,
            2 => self.signs_with_an_old_signature(&known, dice).await,
            3 => self.runs_whatever(&known, dice).await,
            4 => self.uses_an_old_link(dice).await,
            5 => self.guesses(dice).await,
            6 => self.types_somebody_elses_code(dice).await,
            7 => self.shows_an_old_passkey(dice).await,
            8 => self.confirms_another_digest(dice).await,
            9 => self.runs_from_a_seat(dice).await,
            10 => self.stops_late(&known, dice).await,
            11 => self.vouches_for_anything(&known, dice).await,
            12 => self.sends_codes(dice).await,
            13 => self.types_an_old_app_code(dice).await,
            14 => self.withdraws_whatever(&known, dice).await,
            _ => self.takes_a_second_link(&known, dice).await,
        }
    }

    fn a_seat(&self, dice: &mut Dice) -> Option<(CustomerSeat, Known)> {
        one(&locked(&self.known.seats), dice)
    }

    /// The same request again, whatever became of the first, by anybody.
    async fn reopen(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        let action = self.sim.procedure.actions.get(known.action.index())?;
        let path = action.paths.get(dice.below(action.paths.len()))?;
        let (mut parameters, _) = world::values_for(action, &path.lines)?;
        for (name, value) in &mut parameters {
            if value == "something" {
                *value = format!("{name} {}", dice.below(2));
            }
        }
        let by = self
            .session(self.staff.get(dice.below(self.staff.len()))?)
            .await?;
        let request = OpenRequest {
            customer: CustomerId(self.customers.get(known.customer)?.id.clone()),
            action: action.name.clone(),
            parameters,
            reason: Some("asking once more, very politely".to_owned()),
            reference: None,
            return_to: None,
            language: None,
            shows: Vec::new(),
        };
        let opened = self
            .sim
            .ask(|gate| async move { gate.open_case(&by, &request).await })
            .await
            .ok()?;
        match opened {
            Ok(opened) => {
                self.sim.acknowledged(&opened.case.0, 1, &["case.opened"]);
                locked(&self.known.cases).push(Known {
                    case: opened.case,
                    digest: opened.digest,
                    ..known.clone()
                });
            }
            Err(CaseError::Refused(refusal)) if refusal.code() == "request-closed" => {
                self.sim.count("closed request refused");
            }
            Err(_) => {}
        }
        Some(())
    }

    async fn anybody_signs(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        let colleague = self.staff.get(dice.below(self.staff.len()))?;
        if dice.chance(20) {
            self.refuse(colleague, known).await
        } else {
            self.sign(colleague, known).await
        }
    }

    /// A signature that was made for another case, or was used before.
    async fn signs_with_an_old_signature(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        let response = one(&locked(&self.known.signatures), dice)?;
        let colleague = self.staff.get(dice.below(self.staff.len()))?;
        let by = self.session(colleague).await?;
        self.sim.count("old signature tried");
        self.signature(colleague, &by, known, known.digest, &response)
            .await
    }

    async fn runs_whatever(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        let colleague = self.staff.get(dice.below(self.staff.len()))?;
        let by = self.session(colleague).await?;
        let case = known.case.clone();
        let answer = self
            .sim
            .ask(|gate| async move { gate.run(&by, &case).await })
            .await;
        self.applied("attacker runs", known, answer, &["case.granted"])
            .map(|_| ())
    }

    async fn uses_an_old_link(&self, dice: &mut Dice) -> Option<()> {
        let token = one(&locked(&self.known.links), dice)?;
        if dice.chance(10) {
            let answer = self
                .sim
                .ask(|gate| async move { gate.stop_with_any_link(&token, None).await })
                .await;
            if matches!(answer, Ok(Ok(_))) {
                self.sim.count("stopped with a used link");
            }
            return Some(());
        }
        let seat = self.sit(&token).await?;
        let of = locked(&self.known.cases)
            .iter()
            .find(|known| known.case == *seat.case())
            .cloned()?;
        locked(&self.known.seats).push((seat, of));
        Some(())
    }

    /// Wrong answers, until the way is closed.
    async fn guesses(&self, dice: &mut Dice) -> Option<()> {
        let (seat, known) = self.a_seat(dice)?;
        let proofs = self.proofs_of(&known, |method| {
            matches!(method, Method::Pin | Method::Password | Method::Totp)
        });
        let proof = one(&proofs, dice)?;
        for _ in 0..=dice.below(6) {
            let guess = a_pin(dice);
            self.answer(&seat, &known, &proof.0, &guess).await;
        }
        // And the right one, which must not count once it is closed.
        if dice.chance(60) {
            let customer = self.customers.get(known.customer)?;
            let text = match proof.2 {
                Method::Totp => customer.app_code(&self.sim, &proof.1)?,
                _ => locked(&customer.knows).get(&proof.1).cloned()?,
            };
            if self.answer(&seat, &known, &proof.0, &text).await == Heard::NotRight {
                self.sim.count("right answer, and the way was closed");
            }
        }
        Some(())
    }

    /// Names of the proofs a case's action asks for, with their holdings and methods.
    fn proofs_of(
        &self,
        known: &Known,
        wanted: impl Fn(Method) -> bool,
    ) -> Vec<(String, String, Method)> {
        let procedure = &self.sim.procedure;
        let Some(action) = procedure.actions.get(known.action.index()) else {
            return Vec::new();
        };
        let mut proofs = Vec::new();
        for line in action.paths.iter().flat_map(|path| &path.lines) {
            let Requirement::Prove(expr) = &line.requirement else {
                continue;
            };
            for (id, _) in world::atoms(expr) {
                let found = procedure.proofs.get(id.index()).and_then(|proof| {
                    let holding = procedure.holdings.get(proof.shows.index())?;
                    let method = proof.using.filter(|method| wanted(*method))?;
                    Some((proof.name.clone(), holding.name.clone(), method))
                });
                if let Some(found) = found
                    && !proofs.contains(&found)
                {
                    proofs.push(found);
                }
            }
        }
        proofs
    }

    /// A code that was sent to anybody, for anything.
    async fn types_somebody_elses_code(&self, dice: &mut Dice) -> Option<()> {
        let (seat, known) = self.a_seat(dice)?;
        let proofs = self.proofs_of(&known, |method| {
            matches!(method, Method::Mail | Method::Text)
        });
        let (proof, ..) = one(&proofs, dice)?;
        let codes: Vec<String> = locked(&self.sim.books)
            .letters
            .iter()
            .rev()
            .take(40)
            .filter_map(|letter| super::people::code_in(&letter.text))
            .collect();
        let code = one(&codes, dice)?;
        self.sim.count("somebody else's code tried");
        self.answer(&seat, &known, &proof, &code).await;
        Some(())
    }

    /// The same app code on two cases at nearly the same time.
    async fn types_an_old_app_code(&self, dice: &mut Dice) -> Option<()> {
        let (seat, known) = self.a_seat(dice)?;
        let (proof, holding, _) = one(
            &self.proofs_of(&known, |method| method == Method::Totp),
            dice,
        )?;
        let secret = locked(&self.customers.get(known.customer)?.knows)
            .get(&holding)
            .cloned()?;
        let back = 30 * SECOND * i64::try_from(dice.below(4)).unwrap_or(0);
        let code = code_of(&secret, self.sim.time.now() - back)?;
        for _ in 0..2 {
            self.answer(&seat, &known, &proof, &code).await;
        }
        Some(())
    }

    async fn shows_an_old_passkey(&self, dice: &mut Dice) -> Option<()> {
        let (proof, response) = one(&locked(&self.known.responses), dice)?;
        let (seat, known) = self.a_seat(dice)?;
        self.sim.count("old passkey answer tried");
        self.passkey_answer(&seat, &known, &proof, &response).await
    }

    async fn confirms_another_digest(&self, dice: &mut Dice) -> Option<()> {
        let (seat, known) = self.a_seat(dice)?;
        let other = one(&locked(&self.known.cases), dice)?;
        let digest = if dice.chance(50) {
            other.digest
        } else {
            Digest([0; 32])
        };
        let answer = self
            .sim
            .ask(|gate| async move { gate.confirm(&seat, digest, None).await })
            .await;
        self.applied("attacker confirms", &known, answer, &["case.confirmed"])
            .map(|_| ())
    }

    async fn runs_from_a_seat(&self, dice: &mut Dice) -> Option<()> {
        let (seat, known) = self.a_seat(dice)?;
        let answer = self
            .sim
            .ask(|gate| async move { gate.run_from_seat(&seat).await })
            .await;
        self.applied(
            "attacker runs from a seat",
            &known,
            answer,
            &["case.granted"],
        )
        .map(|_| ())
    }

    async fn stops_late(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        if dice.chance(70) {
            return None;
        }
        let (seat, of) = self.a_seat(dice)?;
        if dice.chance(30) {
            self.stop(&seat, &of).await;
        } else {
            self.stop_by_letter(self.customers.get(known.customer)?, known)
                .await;
        }
        Some(())
    }

    async fn vouches_for_anything(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        let action = self.sim.procedure.actions.get(known.action.index())?;
        let texts: Vec<String> = action
            .paths
            .iter()
            .flat_map(|path| &path.lines)
            .filter_map(|line| match &line.requirement {
                Requirement::Confirms { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect();
        let text = one(&texts, dice)?;
        let colleague = self.staff.get(dice.below(self.staff.len()))?;
        self.say_so(colleague, known, &text).await
    }

    async fn sends_codes(&self, dice: &mut Dice) -> Option<()> {
        let (seat, known) = self.a_seat(dice)?;
        let (proof, ..) = one(
            &self.proofs_of(&known, |method| {
                matches!(method, Method::Mail | Method::Text)
            }),
            dice,
        )?;
        let _ = self
            .sim
            .ask(|gate| async move { gate.send_code(&seat, &proof).await })
            .await;
        Some(())
    }

    async fn withdraws_whatever(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        if dice.chance(80) {
            return None;
        }
        let colleague = self.staff.get(dice.below(self.staff.len()))?;
        let by = self.session(colleague).await?;
        let case = known.case.clone();
        let answer = self
            .sim
            .ask(|gate| async move { gate.withdraw(&by, &case).await })
            .await;
        self.applied("attacker withdraws", known, answer, &["case.withdrawn"])
            .map(|_| ())
    }

    /// A bribed colleague makes a second link of somebody's case, and sits there beside the customer.
    async fn takes_a_second_link(&self, known: &Known, dice: &mut Dice) -> Option<()> {
        let colleague = self.staff.get(dice.below(self.staff.len()))?;
        let by = self.session(colleague).await?;
        let case = known.case.clone();
        let issued = self
            .sim
            .ask(|gate| async move { gate.issue_link(&by, &case).await })
            .await
            .ok()?
            .ok()?;
        let token = issued.token.expose().to_owned();
        locked(&self.known.links).push(token.clone());
        let seat = self.sit(&token).await?;
        self.sim.count("second seat taken");
        locked(&self.known.seats).push((seat, known.clone()));
        Some(())
    }

    /// The company changes what it knows of its customers; thieves are among those who ask it to.
    pub(super) async fn changes(self: Arc<Self>, mut dice: Dice) {
        for _ in 0..3 + dice.below(8) {
            let pause = HOUR * i64::try_from(dice.below(40)).unwrap_or(1);
            self.sim
                .time
                .sleep(pause + SECOND * i64::try_from(dice.below(3_600)).unwrap_or(0))
                .await;
            // Mostly while somebody is at it.
            let latest = locked(&self.known.seats)
                .last()
                .map(|(_, known)| known.customer)
                .filter(|_| dice.chance(60));
            let customer = latest.unwrap_or_else(|| dice.below(self.customers.len()));
            let Some(customer) = self.customers.get(customer) else {
                return;
            };
            match dice.below(5) {
                0 | 1 => {
                    let was = locked(&customer.contacts).clone();
                    let letters = self.asks_for_codes(customer).await;
                    if let Some(channel) = customer.moves(&self.sim, &mut dice) {
                        self.sim
                            .tell(format_args!("{} has another {channel}", customer.id));
                        self.sim.count("contact changed");
                        // Whoever reads the old one hurries, and goes on after it is no longer the customer's.
                        let racer = Arc::clone(&self);
                        let ((), ()) = futures_util::future::join(
                            self.put(customer),
                            racer.types_what_came(customer, &was, letters),
                        )
                        .await;
                    }
                }
                2 => {
                    let lock = *dice.pick(&["on", "off", "off"]);
                    Company::attribute(customer, "number_lock", lock);
                    self.put(customer).await;
                }
                _ => {
                    let knows: Vec<(String, String)> = locked(&customer.knows)
                        .iter()
                        .map(|(holding, value)| (holding.clone(), value.clone()))
                        .collect();
                    let Some((holding, old)) = one(&knows, &mut dice) else {
                        continue;
                    };
                    if super::company::method_of(&self.sim, &holding) != Some(Method::Pin) {
                        continue;
                    }
                    let new = a_pin(&mut dice);
                    self.sim
                        .tell(format_args!("{} has another {holding}", customer.id));
                    self.sim.count("PIN replaced");
                    // Somebody who knows the old one hurries.
                    let racer = Arc::clone(&self);
                    let ((), ()) = futures_util::future::join(
                        self.put_factor(customer, &holding, &new),
                        racer.hurries(customer, &holding, &old),
                    )
                    .await;
                }
            }
        }
    }

    /// Newest pages of a customer's cases.
    fn pages_of(&self, customer: &Customer) -> Vec<(CustomerSeat, Known)> {
        locked(&self.known.seats)
            .iter()
            .rev()
            .filter(|(seat, _)| seat.customer().0 == customer.id)
            .take(8)
            .cloned()
            .collect()
    }

    /// Types what was right until now on every page there is.
    async fn hurries(&self, customer: &Customer, holding: &str, old: &str) {
        for (seat, known) in self.pages_of(customer) {
            for (proof, of, _) in self.proofs_of(&known, |method| method == Method::Pin) {
                if of == holding {
                    self.answer(&seat, &known, &proof, old).await;
                }
            }
        }
    }

    /// Has codes sent for every page of a customer, and waits until they are there. Gives where the letters begin.
    async fn asks_for_codes(&self, customer: &Customer) -> usize {
        let begin = locked(&self.sim.books).letters.len();
        for (seat, known) in self.pages_of(customer) {
            for (proof, ..) in self.proofs_of(&known, |method| {
                matches!(method, Method::Mail | Method::Text)
            }) {
                let from = seat.clone();
                let _ = self
                    .sim
                    .ask(|gate| async move { gate.send_code(&from, &proof).await })
                    .await;
            }
        }
        self.sim.time.sleep(20 * SECOND).await;
        begin
    }

    /// Types every code that came to these addresses since, on the page it is for.
    async fn types_what_came(
        &self,
        customer: &Customer,
        addresses: &[(String, String)],
        since: usize,
    ) {
        let letters: Vec<(String, String)> = locked(&self.sim.books)
            .letters
            .iter()
            .skip(since)
            .filter(|letter| addresses.iter().any(|(_, address)| *address == letter.to))
            .map(|letter| (letter.to.clone(), letter.text.clone()))
            .collect();
        for _ in 0..2 {
            for (seat, known) in self.pages_of(customer) {
                for (proof, channel, _) in self.proofs_of(&known, |method| {
                    matches!(method, Method::Mail | Method::Text)
                }) {
                    let code = letters
                        .iter()
                        .filter(|(to, text)| {
                            text.contains(&known.case.0)
                                && addresses.contains(&(channel.clone(), to.clone()))
                        })
                        .find_map(|(_, text)| super::people::code_in(text));
                    if let Some(code) = code {
                        self.sim
                            .count("code of a contact that is being changed tried");
                        self.answer(&seat, &known, &proof, &code).await;
                    }
                }
            }
            self.sim.time.sleep(40 * SECOND).await;
        }
    }
}

fn one<T: Clone>(of: &[T], dice: &mut Dice) -> Option<T> {
    let place = dice.below(of.len().max(1));
    of.get(place).cloned()
}
