//! Whole stories: somebody asks for something, and everybody does what they do. Honest customers and forgetful ones, agents
//! who are fooled or bribed, seniors who look and seniors who do not.

use std::sync::Arc;

use countersign_cases::{CaseId, CustomerId, Digest, State};
use countersign_language::{
    Action, ActionId, Expr, HoldingId, Method, Path, PathId, ProofId, Requirement,
};
use countersign_service::{
    Answered, Applied, BackupAttestation, CaseError, CustomerSeat, OpenRequest, OpenedCase,
    adapters::{secrets::Secret, soft_passkey::SoftPasskey},
};
use serde_json::Value;

use super::{
    company::{Character, Colleague, Company, Customer, ORIGIN, a_pin, code_of},
    sim::{DAY, HOUR, MINUTE, SECOND, locked},
    tasks::Lost,
};
use crate::{
    auditor::{Answer, Heard},
    naive::Dice,
    world,
};

/// What one story is about.
#[derive(Debug)]
struct Plot {
    action: ActionId,
    path: PathId,
    customer: usize,
    opener: Opener,
    /// Somebody asks who is not the customer.
    thief: bool,
    /// Of ten answers, how many the customer has forgotten.
    forgets: usize,
}

#[derive(Debug, Clone, Copy)]
enum Opener {
    Colleague(usize),
    Panel,
    Robot,
}

/// A case that somebody is after.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) case: CaseId,
    pub(super) digest: Digest,
    pub(super) customer: usize,
    pub(super) action: ActionId,
}

/// What a question came to.
pub(super) type Asked<T, E> = Result<Result<T, E>, Lost>;

/// Length of the time in which stories begin, and of the time they are given to end.
pub(super) const BEGIN_WITHIN: i64 = 8 * DAY;
pub(super) const END_AFTER: i64 = 22 * DAY;

impl Company {
    /// One story, from the first word to the end.
    pub(super) async fn story(self: Arc<Self>, mut dice: Dice) {
        let begin = i64::try_from(dice.roll() % BEGIN_WITHIN.unsigned_abs()).unwrap_or(0);
        self.sim.time.sleep(begin).await;
        // Several stories are about one request, so that refusals, stops and limits meet the next asker.
        let Some(plot) = self.plot(&mut dice) else {
            return;
        };
        for _ in 0..=dice.below(3) {
            self.play(&plot, &mut dice).await;
            let pause = HOUR * i64::try_from(dice.below(30)).unwrap_or(1);
            self.sim.time.sleep(pause).await;
        }
    }

    fn plot(&self, dice: &mut Dice) -> Option<Plot> {
        let procedure = &self.sim.procedure;
        let inside: Vec<_> = (0_u32..)
            .map(ActionId)
            .zip(&procedure.actions)
            .filter(|(_, action)| !action.outside && !action.paths.is_empty())
            .collect();
        if inside.is_empty() {
            return None;
        }
        let (id, action) = *dice.pick(&inside);
        let path = PathId(u32::try_from(dice.below(action.paths.len())).ok()?);
        let opener = match dice.below(10) {
            0..5 => Opener::Colleague(dice.below(self.staff.len())),
            5..9 => Opener::Panel,
            _ => Opener::Robot,
        };
        Some(Plot {
            action: id,
            path,
            customer: dice.below(self.customers.len()),
            opener,
            thief: dice.chance(20),
            forgets: if dice.chance(15) {
                1 + dice.below(7)
            } else {
                0
            },
        })
    }

    async fn play(&self, plot: &Plot, dice: &mut Dice) -> Option<()> {
        let procedure = Arc::clone(&self.sim.procedure);
        let action = procedure.actions.get(plot.action.index())?;
        let path = action.paths.get(plot.path.index())?;
        let customer = self.customers.get(plot.customer)?;
        self.prepare(customer, path, dice).await;
        let (opened, token) = self.open(plot, action, path, dice).await?;
        let known = Known {
            case: opened.case.clone(),
            digest: opened.digest,
            customer: plot.customer,
            action: plot.action,
        };
        locked(&self.known.cases).push(known.clone());
        self.vouch(plot, action, path, &known, dice).await;
        let token = match token {
            Some(token) => token,
            None => self.link(plot, &known).await?,
        };
        locked(&self.known.links).push(token.clone());
        self.sim
            .time
            .sleep(SECOND * i64::try_from(dice.below(200)).unwrap_or(0))
            .await;
        let seat = self.sit(&token).await?;
        locked(&self.known.seats).push((seat.clone(), known.clone()));
        for requirement in path.lines.iter().map(|line| &line.requirement) {
            if let Requirement::Prove(expr) = requirement {
                self.prove_all(plot, customer, &seat, &known, expr, dice)
                    .await;
            }
        }
        self.confirm(plot, &seat, &known, dice).await;
        self.sign_offs(action, path, plot, &known, dice).await;
        self.see_it_through(plot, customer, &seat, &known, dice)
            .await;
        Some(())
    }

    /// Backups are made, and attributes are as the path wants them, mostly.
    async fn prepare(&self, customer: &Customer, path: &Path, dice: &mut Dice) {
        for line in &path.lines {
            if let Requirement::Backup { grade, places, .. } = &line.requirement
                && dice.chance(85)
            {
                for place in 0..*places {
                    let attestation = BackupAttestation {
                        grade: *grade,
                        place: format!("place-{place}"),
                        at_ms: self.sim.time.now()
                            - HOUR
                            - i64::try_from(dice.below(200)).unwrap_or(0) * MINUTE,
                        compared: "every file read back".to_owned(),
                    };
                    let (id, by) = (CustomerId(customer.id.clone()), self.backups.clone());
                    let _ = self
                        .sim
                        .ask(|gate| async move { gate.attest_backup(&by, &id, &attestation).await })
                        .await;
                }
            }
        }
    }

    async fn open(
        &self,
        plot: &Plot,
        action: &Action,
        path: &Path,
        dice: &mut Dice,
    ) -> Option<(OpenedCase, Option<String>)> {
        let (mut parameters, _) = world::values_for(action, &path.lines)?;
        for parameter in &action.parameters {
            if parameters.get(&parameter.name).map(String::as_str) == Some("something") {
                let value = format!("{} {}", parameter.name, dice.below(2));
                parameters.insert(parameter.name.clone(), value);
            }
        }
        let shows = match plot.opener {
            Opener::Panel => self.panel_shows(action),
            _ => Vec::new(),
        };
        let customer = self.customers.get(plot.customer)?;
        let request = OpenRequest {
            customer: CustomerId(customer.id.clone()),
            action: action.name.clone(),
            parameters,
            reason: Some("the customer asked for it in the chat".to_owned()),
            reference: None,
            return_to: None,
            language: None,
            shows,
        };
        let answer: Asked<(OpenedCase, Option<String>), CaseError> = match plot.opener {
            Opener::Colleague(place) => {
                let by = self.session(self.staff.get(place)?).await?;
                self.sim
                    .ask(|gate| async move { gate.open_case(&by, &request).await })
                    .await
                    .map(|answer| answer.map(|opened| (opened, None)))
            }
            Opener::Robot => {
                let by = self.robot.clone();
                self.sim
                    .ask(|gate| async move { gate.open_case_as_robot(&by, &request).await })
                    .await
                    .map(|answer| answer.map(|opened| (opened, None)))
            }
            Opener::Panel => {
                let by = self.panel.clone();
                self.sim
                    .ask(|gate| async move { gate.open_case_for_panel(&by, &request).await })
                    .await
                    .map(|answer| {
                        answer.map(|(opened, link)| (opened, Some(link.token.expose().to_owned())))
                    })
            }
        };
        self.heard(
            &format!("open {} for {}", action.name, customer.id),
            &answer,
        );
        let (opened, token) = answer.ok()?.ok()?;
        self.sim.acknowledged(&opened.case.0, 1, &["case.opened"]);
        self.sim
            .tell(format_args!("{} is {}", opened.case.0, opened.sentence));
        Some((opened, token))
    }

    fn panel_shows(&self, action: &Action) -> Vec<String> {
        let procedure = &self.sim.procedure;
        let mut shows = Vec::new();
        for line in action.paths.iter().flat_map(|path| &path.lines) {
            if let Requirement::Prove(expr) = &line.requirement {
                for (proof, _) in world::atoms(expr) {
                    if let Some(proof) = procedure.proofs.get(proof.index())
                        && proof.using == Some(Method::Panel)
                        && !shows.contains(&proof.name)
                    {
                        shows.push(proof.name.clone());
                    }
                }
            }
        }
        shows
    }

    async fn vouch(
        &self,
        plot: &Plot,
        action: &Action,
        path: &Path,
        known: &Known,
        dice: &mut Dice,
    ) {
        let Opener::Colleague(opener) = plot.opener else {
            return;
        };
        let lines: Vec<_> = action
            .paths
            .iter()
            .flat_map(|path| &path.lines)
            .filter_map(|line| match &line.requirement {
                Requirement::Confirms { text, .. } => Some(text.clone()),
                _ => None,
            })
            .collect();
        let mine = path
            .lines
            .iter()
            .any(|line| matches!(line.requirement, Requirement::Confirms { .. }));
        if !mine && dice.chance(60) {
            return;
        }
        for text in lines {
            for place in [opener, dice.below(self.staff.len())] {
                if let Some(colleague) = self.staff.get(place) {
                    self.say_so(colleague, known, &text).await;
                }
            }
        }
    }

    pub(super) async fn say_so(
        &self,
        colleague: &Colleague,
        known: &Known,
        text: &str,
    ) -> Option<()> {
        let by = self.session(colleague).await?;
        let (case, text) = (known.case.clone(), text.to_owned());
        let answer = self
            .sim
            .ask(|gate| async move { gate.vouch(&by, &case, &text).await })
            .await;
        self.applied(
            &format!("{} vouches", colleague.account),
            known,
            answer,
            &["case.vouched"],
        );
        Some(())
    }

    async fn link(&self, plot: &Plot, known: &Known) -> Option<String> {
        let case = known.case.clone();
        let issued = match plot.opener {
            Opener::Colleague(place) => {
                let by = self.session(self.staff.get(place)?).await?;
                self.sim
                    .ask(|gate| async move { gate.issue_link(&by, &case).await })
                    .await
            }
            Opener::Robot | Opener::Panel => {
                let by = self.robot.clone();
                self.sim
                    .ask(|gate| async move { gate.issue_link_as_robot(&by, &case).await })
                    .await
            }
        };
        Some(issued.ok()?.ok()?.token.expose().to_owned())
    }

    /// The customer opens the link. Whoever heard nothing tries again, and perhaps the link was used up.
    pub(super) async fn sit(&self, token: &str) -> Option<CustomerSeat> {
        for _ in 0..3 {
            let text = token.to_owned();
            let answer = self
                .sim
                .ask(|gate| async move { gate.use_link(&text).await })
                .await;
            match answer {
                Ok(Ok((_, seat))) => return Some(seat),
                Ok(Err(CaseError::Trouble(_))) | Err(Lost) => {
                    self.sim.time.sleep(20 * SECOND).await;
                }
                Ok(Err(_)) => {
                    self.sim.count("link could not be used");
                    return None;
                }
            }
        }
        None
    }

    async fn prove_all(
        &self,
        plot: &Plot,
        customer: &Customer,
        seat: &CustomerSeat,
        known: &Known,
        expr: &Expr,
        dice: &mut Dice,
    ) {
        for proof in chosen(expr, dice) {
            for _ in 0..=dice.below(3) {
                if self
                    .prove_one(plot, customer, seat, known, proof, dice)
                    .await
                    .is_some()
                {
                    break;
                }
                self.sim.time.sleep(15 * SECOND).await;
            }
        }
    }

    async fn prove_one(
        &self,
        plot: &Plot,
        customer: &Customer,
        seat: &CustomerSeat,
        known: &Known,
        proof: ProofId,
        dice: &mut Dice,
    ) -> Option<()> {
        let procedure = Arc::clone(&self.sim.procedure);
        let proof = procedure.proofs.get(proof.index())?;
        let holding = procedure.holdings.get(proof.shows.index())?;
        let forgotten = dice.below(10) < plot.forgets || (plot.thief && dice.chance(50));
        let text = match proof.using? {
            Method::Passkey => {
                return self
                    .touch_as(customer, &holding.name, seat, known, &proof.name)
                    .await;
            }
            Method::Mail | Method::Text => {
                self.code_for(customer, seat, known, &proof.name, proof.shows)
                    .await?
            }
            Method::Totp => customer.app_code(&self.sim, &holding.name)?,
            Method::Pin | Method::Password => {
                locked(&customer.knows).get(&holding.name).cloned()?
            }
            _ => return None,
        };
        let text = if forgotten { a_pin(dice) } else { text };
        match self.answer(seat, known, &proof.name, &text).await {
            Heard::Right => Some(()),
            _ => None,
        }
    }

    /// Asks for a code and waits for the letter.
    pub(super) async fn code_for(
        &self,
        customer: &Customer,
        seat: &CustomerSeat,
        known: &Known,
        proof: &str,
        shows: HoldingId,
    ) -> Option<String> {
        let (asked_from, name) = (seat.clone(), proof.to_owned());
        let since = self.sim.time.now();
        let sent = self
            .sim
            .ask(|gate| async move { gate.send_code(&asked_from, &name).await })
            .await;
        if !matches!(sent, Ok(Ok(_))) {
            return None;
        }
        let channel = self.sim.procedure.holdings.get(shows.index())?.name.clone();
        for _ in 0..12 {
            self.sim.time.sleep(10 * SECOND).await;
            let reads = locked(&customer.contacts).clone();
            let addresses = reads
                .iter()
                .filter(|(of, _)| *of == channel)
                .map(|(_, address)| address.clone());
            for address in addresses {
                let found = self
                    .letters_to(&address)
                    .into_iter()
                    .rev()
                    .find(|(at, text)| *at >= since && is_code_for(text, &known.case.0));
                if let Some((_, text)) = found {
                    return code_in(&text);
                }
            }
        }
        None
    }

    /// What has arrived at an address by now.
    pub(super) fn letters_to(&self, address: &str) -> Vec<(i64, String)> {
        let now = self.sim.time.now();
        locked(&self.sim.post)
            .arriving
            .iter()
            .filter(|letter| letter.to == address && letter.at <= now)
            .map(|letter| (letter.at, letter.text.clone()))
            .collect()
    }

    /// Types an answer on the customer's page, and writes down what was heard.
    pub(super) async fn answer(
        &self,
        seat: &CustomerSeat,
        known: &Known,
        proof: &str,
        text: &str,
    ) -> Heard {
        let (sent, sent_at) = (self.sim.position(), self.sim.time.now());
        let (from, name, secret, digest) = (
            seat.clone(),
            proof.to_owned(),
            Secret::new(text),
            known.digest,
        );
        let answer = self
            .sim
            .ask(|gate| async move { gate.prove(&from, &name, digest, &secret).await })
            .await;
        let heard = match &answer {
            Ok(Ok(Answered::Right(applied))) => {
                self.sim
                    .acknowledged(&seat.case().0, applied.version, &["case.proved"]);
                self.sim.count("proof made");
                Heard::Right
            }
            Ok(Ok(Answered::NotRight { .. })) => {
                self.sim.count("answer not right");
                Heard::NotRight
            }
            Ok(Err(error)) if is_trouble(error.code()) => Heard::Nothing,
            Ok(Err(error)) => Heard::Refused(error.code().to_owned()),
            Err(Lost) => Heard::Nothing,
        };
        self.sim
            .tell(format_args!("{}: {proof} … {heard:?}", seat.case().0));
        locked(&self.sim.books).answers.push(Answer {
            sent,
            heard_by: self.sim.position(),
            at: (sent_at, self.sim.time.now()),
            case: seat.case().0.clone(),
            proof: proof.to_owned(),
            text: text.to_owned(),
            heard: heard.clone(),
        });
        heard
    }

    async fn touch_as(
        &self,
        customer: &Customer,
        holding: &str,
        seat: &CustomerSeat,
        known: &Known,
        proof: &str,
    ) -> Option<()> {
        let (from, name) = (seat.clone(), proof.to_owned());
        let prompt = self
            .sim
            .ask(|gate| async move { gate.start_passkey_proof(&from, &name).await })
            .await
            .ok()?
            .ok()?;
        let response = locked(&customer.passkeys)
            .get_mut(holding)?
            .get(&prompt.options, ORIGIN)
            .ok()?;
        locked(&self.known.responses).push((proof.to_owned(), response.clone()));
        self.passkey_answer(seat, known, proof, &response).await
    }

    pub(super) async fn passkey_answer(
        &self,
        seat: &CustomerSeat,
        known: &Known,
        proof: &str,
        response: &Value,
    ) -> Option<()> {
        let (from, name, digest, response) = (
            seat.clone(),
            proof.to_owned(),
            known.digest,
            response.clone(),
        );
        let answer = self
            .sim
            .ask(|gate| async move {
                gate.finish_passkey_proof(&from, &name, digest, &response)
                    .await
                    .map_err(|error| error.code())
            })
            .await;
        let of = Known {
            case: seat.case().clone(),
            ..known.clone()
        };
        self.applied("passkey", &of, answer, &["case.proved"])
            .map(|_| ())
    }

    async fn confirm(&self, plot: &Plot, seat: &CustomerSeat, known: &Known, dice: &mut Dice) {
        for _ in 0..3 {
            let digits = match plot.opener {
                Opener::Colleague(place) => self.digits(place, known).await,
                _ => None,
            };
            let digits = if dice.chance(10) {
                Some("10".to_owned())
            } else {
                digits
            };
            let (from, digest) = (seat.clone(), known.digest);
            let answer = self
                .sim
                .ask(|gate| async move { gate.confirm(&from, digest, digits.as_deref()).await })
                .await;
            let lost = matches!(answer, Err(Lost) | Ok(Err(CaseError::Trouble(_))));
            if self
                .applied("confirm", known, answer, &["case.confirmed"])
                .is_some()
                || !lost
            {
                return;
            }
            self.sim.time.sleep(20 * SECOND).await;
        }
    }

    async fn digits(&self, place: usize, known: &Known) -> Option<String> {
        let by = self.session(self.staff.get(place)?).await?;
        let case = known.case.clone();
        let view = self
            .sim
            .ask(|gate| async move { gate.case_view(&by, &case).await })
            .await
            .ok()?
            .ok()?;
        view.number.map(|number| number.digits)
    }

    async fn sign_offs(
        &self,
        action: &Action,
        path: &Path,
        plot: &Plot,
        known: &Known,
        dice: &mut Dice,
    ) {
        let slots: usize = path
            .lines
            .iter()
            .filter_map(|line| match line.requirement {
                Requirement::SignOff { count, .. } => usize::try_from(count).ok(),
                _ => None,
            })
            .sum();
        if slots == 0 {
            return;
        }
        self.sim.tell(format_args!(
            "{} waits for colleagues ({})",
            known.case.0, action.name
        ));
        for _ in 0..slots * 4 {
            self.sim
                .time
                .sleep(SECOND * i64::try_from(dice.below(900)).unwrap_or(0))
                .await;
            let Some(colleague) = self.staff.get(dice.below(self.staff.len())) else {
                continue;
            };
            let refuses = match colleague.character {
                Character::Careful => plot.thief || dice.chance(5),
                Character::Careless => false,
                Character::Fooled | Character::Bribed => !plot.thief && dice.chance(10),
            };
            if refuses {
                self.refuse(colleague, known).await;
            } else {
                self.sign(colleague, known).await;
            }
        }
    }

    pub(super) async fn refuse(&self, colleague: &Colleague, known: &Known) -> Option<()> {
        let by = self.session(colleague).await?;
        let case = known.case.clone();
        let answer = self
            .sim
            .ask(|gate| async move { gate.refuse(&by, &case, "this does not look right").await })
            .await;
        let what = format!("{} refuses", colleague.account);
        self.applied(&what, known, answer, &["case.refused"])?;
        self.sim.count("refused by a colleague");
        Some(())
    }

    pub(super) async fn sign(&self, colleague: &Colleague, known: &Known) -> Option<()> {
        let by = self.session(colleague).await?;
        let case = known.case.clone();
        let prompt = {
            let by = by.clone();
            self.sim
                .ask(|gate| async move { gate.start_sign_off(&by, &case).await })
                .await
        };
        let prompt = match prompt {
            Ok(Ok(prompt)) => prompt,
            Ok(Err(error)) => {
                if error.code() == "own-case" {
                    self.sim.count("own sign-off refused");
                }
                return None;
            }
            Err(Lost) => return None,
        };
        let response = colleague.touch(&prompt.options)?;
        locked(&self.known.signatures).push(response.clone());
        self.signature(colleague, &by, known, prompt.digest, &response)
            .await
    }

    pub(super) async fn signature(
        &self,
        colleague: &Colleague,
        by: &countersign_service::SignedInStaff,
        known: &Known,
        digest: Digest,
        response: &Value,
    ) -> Option<()> {
        let (by, case, response) = (by.clone(), known.case.clone(), response.clone());
        let answer = self
            .sim
            .ask(|gate| async move {
                gate.finish_sign_off(&by, &case, digest, &response)
                    .await
                    .map_err(|error| error.code())
            })
            .await;
        let what = format!("{} signs", colleague.account);
        self.applied(&what, known, answer, &["case.signed_off"])?;
        self.sim.count("signed by a colleague");
        Some(())
    }

    /// Until it is over: runs it, stops it, sets what is to be set, or waits.
    async fn see_it_through(
        &self,
        plot: &Plot,
        customer: &Customer,
        seat: &CustomerSeat,
        known: &Known,
        dice: &mut Dice,
    ) {
        let mut watchful = plot.thief && dice.chance(60);
        for round in 0..40 {
            let pause = if round < 4 {
                i64::try_from(dice.below(5)).unwrap_or(1) * MINUTE + SECOND
            } else {
                i64::try_from(dice.below(9)).unwrap_or(1) * HOUR + MINUTE
            };
            self.sim.time.sleep(pause).await;
            let state = self.state_of(seat).await;
            match state {
                Some(state) if state.is_final() => return,
                Some(State::Ready { runs_by_itself, .. }) if !runs_by_itself || dice.chance(20) => {
                    self.say_run(plot, seat, known, dice).await;
                }
                Some(State::Granted) => {
                    self.enrol(customer, seat, known, dice).await;
                }
                Some(State::Waiting { .. }) if watchful => {
                    watchful = !self.stop_by_letter(customer, known).await;
                }
                Some(state) if state.is_live() && round > 30 => {
                    self.withdraw(plot, seat, known).await;
                }
                _ => {}
            }
            if dice.chance(2) {
                self.stop(seat, known).await;
            }
        }
    }

    async fn state_of(&self, seat: &CustomerSeat) -> Option<State> {
        let from = seat.clone();
        let view = self
            .sim
            .ask(|gate| async move { gate.seat_view(&from).await })
            .await
            .ok()?
            .ok()?;
        Some(view.state)
    }

    async fn say_run(&self, plot: &Plot, seat: &CustomerSeat, known: &Known, dice: &mut Dice) {
        let case = known.case.clone();
        let answer = match plot.opener {
            Opener::Colleague(place) if dice.chance(60) => {
                let Some(colleague) = self.staff.get(place) else {
                    return;
                };
                let Some(by) = self.session(colleague).await else {
                    return;
                };
                self.sim
                    .ask(|gate| async move { gate.run(&by, &case).await })
                    .await
            }
            Opener::Robot if dice.chance(60) => {
                let by = self.robot.clone();
                self.sim
                    .ask(|gate| async move { gate.run_as_robot(&by, &case).await })
                    .await
            }
            _ => {
                let from = seat.clone();
                self.sim
                    .ask(|gate| async move { gate.run_from_seat(&from).await })
                    .await
            }
        };
        self.applied("run", known, answer, &["case.granted"]);
    }

    pub(super) async fn stop(&self, seat: &CustomerSeat, known: &Known) -> bool {
        let from = seat.clone();
        let answer = self
            .sim
            .ask(|gate| async move { gate.stop(&from, Some("I did not ask for this")).await })
            .await;
        self.stopped("the customer stops", known, answer)
    }

    fn stopped(&self, what: &str, known: &Known, answer: Asked<Applied, CaseError>) -> bool {
        let Some(applied) = self.applied(
            what,
            known,
            answer,
            &["case.stopped", "case.stop_came_too_late"],
        ) else {
            return false;
        };
        self.sim.count(if applied.state == State::Stopped {
            "stopped"
        } else {
            "stop came too late"
        });
        true
    }

    /// Whoever reads the notice follows its link.
    pub(super) async fn stop_by_letter(&self, customer: &Customer, known: &Known) -> bool {
        let contacts = locked(&customer.contacts).clone();
        let mut letters = contacts
            .iter()
            .flat_map(|(_, address)| self.letters_to(address));
        let token = letters.find_map(|(_, text)| {
            text.contains(&known.case.0)
                .then(|| stop_token(&text))
                .flatten()
        });
        let Some(token) = token else {
            return false;
        };
        let answer = self
            .sim
            .ask(|gate| async move {
                match gate.stop_link(&token).await {
                    Ok(Some(link)) => gate.stop_by_link(&link, None).await,
                    Ok(None) => Err(CaseError::LinkGone),
                    Err(trouble) => Err(trouble.into()),
                }
            })
            .await;
        let stopped = self.stopped("a notified contact stops", known, answer);
        if stopped {
            self.sim.count("stopped from a letter");
        }
        stopped
    }

    async fn withdraw(&self, plot: &Plot, seat: &CustomerSeat, known: &Known) -> Option<()> {
        let case = known.case.clone();
        let answer = match plot.opener {
            Opener::Colleague(place) => {
                let by = self.session(self.staff.get(place)?).await?;
                self.sim
                    .ask(|gate| async move { gate.withdraw(&by, &case).await })
                    .await
            }
            Opener::Robot => {
                let by = self.robot.clone();
                self.sim
                    .ask(|gate| async move { gate.withdraw_as_robot(&by, &case).await })
                    .await
            }
            Opener::Panel => {
                let from = seat.clone();
                self.sim
                    .ask(|gate| async move { gate.withdraw_from_seat(&from).await })
                    .await
            }
        };
        self.applied("withdraw", known, answer, &["case.withdrawn"])?;
        self.sim.count("withdrawn");
        Some(())
    }

    /// The customer sets what the gate waits for.
    async fn enrol(
        &self,
        customer: &Customer,
        seat: &CustomerSeat,
        known: &Known,
        dice: &mut Dice,
    ) -> Option<()> {
        let procedure = Arc::clone(&self.sim.procedure);
        let action = procedure.actions.get(known.action.index())?;
        let set = procedure.set_at_gate(action)?;
        let holding = procedure.holdings.get(set.holding.index())?.name.clone();
        let place = (customer.id.clone(), holding.clone());
        if locked(&self.sim.expected).values.contains_key(&place) {
            return None;
        }
        let from = seat.clone();
        let kinds: &[&str] = &["case.concluded"];
        let new = match set.method {
            Method::Pin => {
                let pin = a_pin(dice);
                locked(&self.sim.expected)
                    .values
                    .insert(place.clone(), pin.clone());
                let secret = Secret::new(&*pin);
                let answer = self
                    .sim
                    .ask(|gate| async move {
                        gate.enrol_pin(&from, &secret)
                            .await
                            .map_err(|error| error.code())
                    })
                    .await;
                self.applied("new PIN", known, answer, kinds).map(|_| pin)
            }
            Method::Totp => {
                let asked = from.clone();
                let view = self
                    .sim
                    .ask(|gate| async move { gate.enrolment(&asked).await })
                    .await
                    .ok()?
                    .ok()??;
                let secret = view.app?.base32;
                let code = code_of(&secret, self.sim.time.now())?;
                locked(&self.sim.expected)
                    .values
                    .insert(place.clone(), secret.clone());
                let answer = self
                    .sim
                    .ask(|gate| async move {
                        gate.enrol_app(&from, &code)
                            .await
                            .map_err(|error| error.code())
                    })
                    .await;
                self.applied("new app", known, answer, kinds)
                    .map(|_| secret)
            }
            Method::Passkey => {
                let begun = from.clone();
                let prompt = self
                    .sim
                    .ask(|gate| async move { gate.start_enrol_passkey(&begun).await })
                    .await
                    .ok()?
                    .ok()?;
                let (passkey, response) =
                    SoftPasskey::create_by(&*self.sim.gate_dice, &prompt.options, ORIGIN).ok()?;
                customer.expects(&self.sim, &holding, &passkey);
                let answer = self
                    .sim
                    .ask(|gate| async move {
                        gate.finish_enrol_passkey(&from, &prompt.ceremony, &response, "new", &[])
                            .await
                            .map_err(|error| error.code())
                    })
                    .await;
                if self.applied("new passkey", known, answer, kinds).is_some() {
                    locked(&customer.passkeys).insert(holding.clone(), passkey);
                }
                None
            }
            _ => return None,
        };
        if let Some(new) = new {
            locked(&customer.knows).insert(holding, new);
            self.sim.count("set at the gate");
        }
        // A write that is still under way may yet land.
        self.sim.time.sleep(300 * SECOND).await;
        locked(&self.sim.expected).values.remove(&place);
        Some(())
    }

    /// Writes down what became of a command, for the story and for the auditor.
    pub(super) fn applied<E: std::fmt::Debug>(
        &self,
        what: &str,
        known: &Known,
        answer: Asked<Applied, E>,
        kinds: &'static [&'static str],
    ) -> Option<Applied> {
        self.heard(&format!("{}: {what}", known.case.0), &answer);
        let applied = answer.ok()?.ok()?;
        self.sim.acknowledged(&known.case.0, applied.version, kinds);
        Some(applied)
    }

    fn heard<T, E: std::fmt::Debug>(&self, what: &str, answer: &Asked<T, E>) {
        match answer {
            Ok(Ok(_)) => self.sim.tell(format_args!("{what} … yes")),
            Ok(Err(error)) => {
                let said = format!("{error:?}");
                let short: String = said.chars().take(60).collect();
                self.sim.tell(format_args!("{what} … {short}"));
            }
            Err(Lost) => {
                self.sim.count("request lost with its gate");
                self.sim.tell(format_args!("{what} … no answer"));
            }
        }
    }
}

fn is_trouble(code: &str) -> bool {
    matches!(
        code,
        "store-unavailable"
            | "outcome-uncertain"
            | "too-many-changes"
            | "overloaded"
            | "damaged-record"
    )
}

/// One way to make an expression true.
fn chosen(expr: &Expr, dice: &mut Dice) -> Vec<ProofId> {
    match expr {
        Expr::Atom { proof, .. } => vec![*proof],
        Expr::And(all) => all.iter().flat_map(|one| chosen(one, dice)).collect(),
        Expr::Or(any) => {
            let one = dice.below(any.len());
            any.get(one)
                .map(|one| chosen(one, dice))
                .unwrap_or_default()
        }
        Expr::NOf { n, of } => {
            let skip = dice.below(of.len().max(1));
            of.iter()
                .cycle()
                .skip(skip)
                .take(usize::try_from(*n).unwrap_or(0))
                .flat_map(|one| chosen(one, dice))
                .collect()
        }
    }
}

fn is_code_for(text: &str, case: &str) -> bool {
    code_in(text).is_some() && text.contains(case)
}

/// The code in a letter: a line of eight digits in two groups.
pub(crate) fn code_in(text: &str) -> Option<String> {
    text.lines()
        .find(|line| {
            line.len() == 9
                && line.chars().enumerate().all(|(at, one)| {
                    if at == 4 {
                        one == ' '
                    } else {
                        one.is_ascii_digit()
                    }
                })
        })
        .map(|line| line.replace(' ', ""))
}

/// The stop link in a letter.
pub(super) fn stop_token(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("/v/")?;
    Some(
        rest.chars()
            .take_while(|one| !one.is_whitespace())
            .collect(),
    )
}
