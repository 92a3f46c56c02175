//! A company as it is before anything goes wrong: its settings, staff, customers, and two gates on one store.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex, atomic::AtomicBool},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use countersign_cases::CustomerId;
use countersign_language::{GATE, HoldingKind, Method};
use countersign_service::{
    ContactPut, CustomerPut, CustomerSeat, FactorPut, Gate, HeldPut, Language, MachineCaller,
    Operator, Parts, Settings, SignedInStaff,
    adapters::{
        dice::{Dice as GateDice, random_bytes},
        mailer::{MailSecurity, MailServer},
        outside::Outside,
        secrets::{HashCost, HashLimits, Secret, SecretHasher},
        soft_passkey::SoftPasskey,
        tokens::{Token, TokenKind},
        totp::TotpSecret,
    },
    settings::{
        Connector, Endpoint, Keys, Limits, MachineToken, MailSettings, NewAccount, OtherKeys, Scope,
    },
};

use serde_json::Value;

use super::{
    outside::Everything,
    people::Known,
    sim::{DAY, GATES, MachineClock, Process, SECOND, Sim, locked},
    store::Seen,
    tasks::{Lost, within},
};
use crate::{
    auditor::{Account, Put},
    naive::Dice,
};

/// Where the gate is.
pub(super) const ORIGIN: &str = "https://support.acme.example";
const RP_ID: &str = "support.acme.example";
/// The gate's key for grants.
pub(super) const GRANT_SEED: [u8; 32] = [7; 32];
const WEBHOOK_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/// How long everybody was a customer before the story begins: longer than anything settles.
const BEFORE: i64 = 45 * DAY;

/// What kind of person somebody on the staff is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Character {
    /// Does what is right, and looks before signing.
    Careful,
    /// Signs whatever comes.
    Careless,
    /// Believes whoever tells a good story.
    Fooled,
    /// Works for the thief.
    Bribed,
}

/// Somebody on the staff.
pub(super) struct Colleague {
    pub(super) account: String,
    pub(super) person: String,
    pub(super) roles: Vec<String>,
    pub(super) character: Character,
    passkey: Mutex<Option<SoftPasskey>>,
    session: Mutex<String>,
}

/// A customer and all they know and have.
pub(super) struct Customer {
    pub(super) id: String,
    /// What they type: password, PIN and base 32 of authenticators, by holding.
    pub(super) knows: Mutex<BTreeMap<String, String>>,
    pub(super) passkeys: Mutex<BTreeMap<String, SoftPasskey>>,
    /// Channel and address of what they read now.
    pub(super) contacts: Mutex<Vec<(String, String)>>,
    attributes: Mutex<BTreeMap<String, String>>,
    moves: Mutex<usize>,
}

/// Everybody.
pub(super) struct Company {
    pub(super) sim: Arc<Sim>,
    pub(super) staff: Vec<Colleague>,
    pub(super) customers: Vec<Customer>,
    pub(super) panel: MachineCaller,
    pub(super) backups: MachineCaller,
    pub(super) robot: MachineCaller,
    pub(super) known: Loot,
    settings: Settings,
    outside: Arc<dyn Outside>,
}

/// What lies about for an attacker to pick up.
#[derive(Default)]
pub(super) struct Loot {
    pub(super) cases: Mutex<Vec<Known>>,
    pub(super) links: Mutex<Vec<String>>,
    pub(super) seats: Mutex<Vec<(CustomerSeat, Known)>>,
    /// Answers of customers' passkeys, with the proof they were for.
    pub(super) responses: Mutex<Vec<(String, Value)>>,
    /// Answers of colleagues' passkeys.
    pub(super) signatures: Mutex<Vec<Value>>,
}

/// What a machine is called, and what it may do.
const MACHINES: [(&str, &[Scope], bool); 3] = [
    ("panel", &[Scope::Panel, Scope::Customers], false),
    ("backups", &[Scope::Backups], false),
    ("robot", &[Scope::Robot], true),
];

impl Company {
    /// Founds it, without any fault. `Err` says what did not work.
    pub(super) async fn found(sim: Arc<Sim>, dice: &mut Dice) -> Result<Self, String> {
        let dead = Arc::new(AtomicBool::new(false));
        let tokens: Vec<Token> = MACHINES
            .iter()
            .map(|_| Token::generate(TokenKind::Machine, &*sim.gate_dice))
            .collect();
        let mut staff = staff(&sim, dice);
        let settings = settings(&sim, &staff, &tokens);
        let outside: Arc<dyn Outside> = Arc::new(Everything(Arc::clone(&sim)));
        let gate = start(&sim, &settings, &outside, 0, &dead).await?;
        let machine = |place: usize| {
            let token = tokens.get(place).map(Token::expose).unwrap_or_default();
            gate.machine(token)
                .ok_or_else(|| "no such machine".to_owned())
        };
        let (panel, backups, robot) = (machine(0)?, machine(1)?, machine(2)?);
        for colleague in &mut staff {
            colleague.join(&gate, &sim).await?;
        }
        let mut customers = Vec::new();
        for number in 0..2 + dice.below(2) {
            let customer = customer(&sim, number, dice);
            customer.register(&gate, &sim, &panel).await?;
            customers.push(customer);
        }
        sim.time.pass(BEFORE);
        Ok(Self {
            sim,
            staff,
            customers,
            panel,
            backups,
            robot,
            known: Loot::default(),
            settings,
            outside,
        })
    }

    /// Keeps one gate running, and starts it again a while after it died.
    pub(super) async fn keep(self: Arc<Self>, slot: usize) {
        let sim = &self.sim;
        let mut starts = 0_u64;
        loop {
            let dead = Arc::new(AtomicBool::new(false));
            let started = start(sim, &self.settings, &self.outside, slot, &dead);
            match within(Arc::clone(&dead), started).await {
                Ok(Ok(gate)) => {
                    sim.tell(format_args!("gate {slot} runs"));
                    starts += 1;
                    if starts > 1 {
                        sim.count("gate started again");
                    }
                    let process = Process {
                        gate,
                        dead: Arc::clone(&dead),
                    };
                    let process = Arc::new(process);
                    if let Some(place) = locked(&sim.gates).get_mut(slot) {
                        *place = Some(process);
                    }
                    sim.time.until(&dead).await;
                    sim.tell(format_args!("gate {slot} died"));
                    if let Some(place) = locked(&sim.gates).get_mut(slot) {
                        *place = None;
                    }
                }
                Ok(Err(_)) => sim.count("gate did not start"),
                Err(Lost) => sim.count("gate died while it started"),
            }
            let pause = SECOND * i64::try_from(1 + sim.draw(300)).unwrap_or(1);
            sim.time.sleep(pause).await;
        }
    }

    /// Starts one gate, once, for a scene where nothing goes wrong.
    #[cfg(test)]
    pub(super) async fn stand_up(&self, slot: usize) {
        let dead = Arc::new(AtomicBool::new(false));
        let gate = start(&self.sim, &self.settings, &self.outside, slot, &dead)
            .await
            .unwrap();
        locked(&self.sim.gates)[slot] = Some(Arc::new(Process { gate, dead }));
    }

    /// One worker of one gate.
    pub(super) async fn work(self: Arc<Self>, slot: usize) {
        let sim = &self.sim;
        loop {
            let process = locked(&sim.gates).get(slot).cloned().flatten();
            if let Some(process) = process {
                let worked = within(Arc::clone(&process.dead), process.gate.settle()).await;
                if !matches!(worked, Ok(Ok(()))) {
                    sim.count("worker could not do its work");
                    sim.due_at(sim.time.now() + 5 * SECOND);
                }
            } else {
                sim.due_at(sim.time.now() + 5 * SECOND);
            }
            sim.rest().await;
        }
    }

    /// Somebody on the staff, signed in: with the session they have, or anew. `None` where the gate does not answer.
    pub(super) async fn session(&self, colleague: &Colleague) -> Option<SignedInStaff> {
        let token = locked(&colleague.session).clone();
        let live = self
            .sim
            .ask(|gate| async move { gate.staff_session(&token).await })
            .await
            .ok()?
            .ok()?;
        if live.is_some() {
            return live;
        }
        let begun = self
            .sim
            .ask(|gate| async move { gate.start_sign_in().await })
            .await
            .ok()?
            .ok()?;
        let response = colleague.touch(&begun.options)?;
        let token = self
            .sim
            .ask(|gate| async move { gate.finish_sign_in(&begun.ceremony, &response).await })
            .await
            .ok()?
            .ok()?;
        let text = token.expose().to_owned();
        locked(&colleague.session).clone_from(&text);
        self.sim
            .ask(|gate| async move { gate.staff_session(&text).await })
            .await
            .ok()?
            .ok()?
    }

    /// The company puts a customer as it knows them now, until the gate says that it has it.
    pub(super) async fn put(&self, customer: &Customer) {
        let (put, book) = self.as_put(customer);
        locked(&self.sim.expected)
            .puts
            .insert(customer.id.clone(), book);
        for _ in 0..20 {
            let answer = self
                .sim
                .ask(|gate| {
                    let (panel, put) = (self.panel.clone(), put.clone());
                    let id = CustomerId(customer.id.clone());
                    async move { gate.put_customer(&panel, &id, &put).await }
                })
                .await;
            if let Ok(Ok(_)) = answer {
                return;
            }
            self.sim.time.sleep(30 * SECOND).await;
        }
    }

    /// The company replaces what a customer knows, until the gate says that it has it.
    pub(super) async fn put_factor(&self, customer: &Customer, holding: &str, value: &str) {
        let place = (customer.id.clone(), holding.to_owned());
        {
            let mut expected = locked(&self.sim.expected);
            if expected.values.contains_key(&place) {
                return;
            }
            expected.values.insert(place.clone(), value.to_owned());
        }
        let factor = if value.len() < 16 {
            FactorPut::Pin(value.to_owned())
        } else {
            FactorPut::Totp(value.to_owned())
        };
        for _ in 0..20 {
            let answer = self
                .sim
                .ask(|gate| {
                    let (panel, factor) = (self.panel.clone(), factor.clone());
                    let (id, holding) = (CustomerId(customer.id.clone()), holding.to_owned());
                    async move { gate.put_factor(&panel, &id, &holding, &factor).await }
                })
                .await;
            if let Ok(Ok(())) = answer {
                locked(&customer.knows).insert(holding.to_owned(), value.to_owned());
                break;
            }
            self.sim.time.sleep(30 * SECOND).await;
        }
        // A write that is still under way may yet land, and is what it was expected to be.
        self.sim.time.sleep(300 * SECOND).await;
        locked(&self.sim.expected).values.remove(&place);
    }
}

async fn start(
    sim: &Arc<Sim>,
    settings: &Settings,
    outside: &Arc<dyn Outside>,
    slot: usize,
    dead: &Arc<AtomicBool>,
) -> Result<Gate, String> {
    let dice: Arc<dyn GateDice> = Arc::clone(&sim.gate_dice) as _;
    let hasher = SecretHasher::with_cost(
        HashCost::cheap_for_tests(),
        None,
        HashLimits::default(),
        Arc::clone(&dice),
    )
    .map_err(|error| error.to_string())?
    .in_place();
    let skew = sim
        .skews
        .get(slot)
        .cloned()
        .ok_or_else(|| format!("there are {GATES} gates"))?;
    let parts = Parts {
        journal: Arc::new(Seen {
            sim: Arc::clone(sim),
            dead: Arc::clone(dead),
        }),
        clock: Arc::new(MachineClock {
            time: Arc::clone(&sim.time),
            skew,
        }),
        dice,
        hasher,
        check: Box::new(|_| Ok(())),
    };
    Gate::start_within(settings.clone(), parts, outside)
        .await
        .map_err(|error| error.to_string())
}

fn settings(sim: &Sim, staff: &[Colleague], tokens: &[Token]) -> Settings {
    let secret = || vec![Secret::new(WEBHOOK_SECRET)];
    let mut connectors: Vec<String> = sim
        .procedure
        .actions
        .iter()
        .filter_map(|action| action.runs.clone())
        .filter(|name| name != GATE)
        .collect();
    connectors.sort();
    connectors.dedup();
    let roles: Vec<String> = sim
        .procedure
        .roles
        .iter()
        .map(|role| role.name.clone())
        .collect();
    Settings {
        procedure: sim.procedure_text.clone(),
        procedure_role: roles.last().cloned().unwrap_or_default(),
        origin: ORIGIN.to_owned(),
        rp_id: RP_ID.to_owned(),
        keys: Keys {
            grant_seed: GRANT_SEED,
            codes: [8; 32],
            seal: [9; 32],
            others: OtherKeys::default(),
        },
        log_verifier: sim.signer.verifier().to_string(),
        connectors: connectors
            .into_iter()
            .map(|name| Connector {
                url: format!("http://127.0.0.1:9/run/{name}"),
                status_url: Some(format!("http://127.0.0.1:9/status/{name}")),
                secrets: secret(),
                audit: None,
                name,
            })
            .collect(),
        mail: Some(MailSettings {
            server: MailServer {
                host: "127.0.0.1".to_owned(),
                port: 9,
                security: MailSecurity::Plain,
                login: None,
            },
            from: "Acme <support@acme.example>".to_owned(),
        }),
        text: Some(Endpoint {
            url: "http://127.0.0.1:9/text".to_owned(),
            secrets: secret(),
        }),
        password: Some(Endpoint {
            url: "http://127.0.0.1:9/password".to_owned(),
            secrets: secret(),
        }),
        company_login: None,
        checkers: Vec::new(),
        staff_login: None,
        staff: staff
            .iter()
            .map(|colleague| {
                let books = locked(&sim.books);
                let account = books
                    .staff
                    .iter()
                    .find(|account| account.account == colleague.account);
                NewAccount {
                    account: colleague.account.clone(),
                    person: colleague.person.clone(),
                    name: colleague.account.clone(),
                    email: format!("{}@acme.example", colleague.account),
                    roles: colleague.roles.clone(),
                    console: Vec::new(),
                    concerned: account
                        .map(|account| account.concerned.clone())
                        .unwrap_or_default(),
                    subject: None,
                }
            })
            .collect(),
        machines: MACHINES
            .iter()
            .zip(tokens)
            .map(|((name, scopes, robot), token)| MachineToken {
                name: (*name).to_owned(),
                token: token.hash(),
                scopes: scopes.to_vec(),
                robot_roles: if *robot {
                    roles.first().cloned().into_iter().collect()
                } else {
                    Vec::new()
                },
            })
            .collect(),
        return_to: Vec::new(),
        language: Language::English,
        limits: Limits::default(),
    }
}

/// Two people of every role, one person with two accounts, and a robot in the books.
fn staff(sim: &Sim, dice: &mut Dice) -> Vec<Colleague> {
    let mut staff = Vec::new();
    let roles: Vec<String> = sim
        .procedure
        .roles
        .iter()
        .map(|role| role.name.clone())
        .collect();
    let mut hire = |account: String, person: String, roles: Vec<String>, concerned: Vec<String>| {
        let character = *dice.pick(&[
            Character::Careful,
            Character::Careful,
            Character::Careless,
            Character::Fooled,
            Character::Bribed,
        ]);
        locked(&sim.books).staff.push(Account {
            account: account.clone(),
            person: person.clone(),
            roles: roles.clone(),
            concerned,
            robot: false,
        });
        staff.push(Colleague {
            account,
            person,
            roles,
            character,
            passkey: Mutex::default(),
            session: Mutex::default(),
        });
    };
    for role in &roles {
        for number in 0..2 {
            let name = format!("{role}-{number}");
            // One of them is a customer as well.
            let concerned = if number == 1 && roles.first() == Some(role) {
                vec!["c-0".to_owned()]
            } else {
                Vec::new()
            };
            hire(name.clone(), name, vec![role.clone()], concerned);
        }
    }
    if let (Some(first), Some(last)) = (roles.first(), roles.last()) {
        let person = || "twin".to_owned();
        hire(
            "twin-a".to_owned(),
            person(),
            vec![first.clone()],
            Vec::new(),
        );
        hire(
            "twin-b".to_owned(),
            person(),
            vec![last.clone()],
            Vec::new(),
        );
        locked(&sim.books).staff.push(Account {
            account: "robot".to_owned(),
            person: "robot:robot".to_owned(),
            roles: vec![first.clone()],
            concerned: Vec::new(),
            robot: true,
        });
    }
    staff
}

impl Colleague {
    async fn join(&mut self, gate: &Gate, sim: &Sim) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", self.account);
        let invitation = gate
            .invite_from_console(&Operator::at_the_console(), &self.account)
            .await
            .map_err(|error| told(&error))?;
        let prompt = gate
            .start_registration(invitation.token.expose())
            .await
            .map_err(|error| told(&error))?;
        let (passkey, response) = SoftPasskey::create_by(&*sim.gate_dice, &prompt.options, ORIGIN)
            .map_err(|error| told(&error))?;
        let session = gate
            .finish_registration(
                invitation.token.expose(),
                &prompt.ceremony,
                &response,
                "laptop",
            )
            .await
            .map_err(|error| told(&error))?;
        locked(&sim.books).credentials.insert(
            URL_SAFE_NO_PAD.encode(passkey.credential()),
            format!("s.{}", self.account),
        );
        self.passkey = Mutex::new(Some(passkey));
        self.session = Mutex::new(session.expose().to_owned());
        Ok(())
    }

    /// Their passkey answers a prompt.
    pub(super) fn touch(&self, options: &Value) -> Option<Value> {
        locked(&self.passkey)
            .as_mut()
            .and_then(|passkey| passkey.get(options, ORIGIN).ok())
    }
}

fn customer(sim: &Sim, number: usize, dice: &mut Dice) -> Customer {
    let mut knows = BTreeMap::new();
    let mut contacts = Vec::new();
    for holding in &sim.procedure.holdings {
        match holding.using {
            Some(Method::Pin) => {
                knows.insert(holding.name.clone(), a_pin(dice));
            }
            Some(Method::Password) => {
                let password = format!("correct horse {number} {}", dice.below(1_000));
                knows.insert(holding.name.clone(), password);
            }
            _ => {}
        }
        if holding.kind == HoldingKind::Channel {
            contacts.push((holding.name.clone(), address(sim, &holding.name, number, 0)));
        }
    }
    let shown_by = |method| {
        sim.procedure
            .proofs
            .iter()
            .filter(move |proof| proof.using == Some(method))
            .filter_map(|proof| sim.procedure.holdings.get(proof.shows.index()))
    };
    for holding in shown_by(Method::Totp) {
        knows.insert(
            holding.name.clone(),
            base32(&random_bytes::<20>(&*sim.gate_dice)),
        );
    }
    let attributes = BTreeMap::from([("number_lock".to_owned(), "off".to_owned())]);
    Customer {
        id: format!("c-{number}"),
        knows: Mutex::new(knows),
        passkeys: Mutex::default(),
        contacts: Mutex::new(contacts),
        attributes: Mutex::new(attributes),
        moves: Mutex::new(0),
    }
}

/// A PIN that the gate takes from a customer who chooses one.
pub(super) fn a_pin(dice: &mut Dice) -> String {
    format!(
        "{}{:02}85{}",
        7 + dice.below(3),
        13 + dice.below(60),
        10 + dice.below(80)
    )
}

/// The address that a channel of this customer has after so many moves.
fn address(sim: &Sim, channel: &str, number: usize, moves: usize) -> String {
    let by_text = sim.procedure.proofs.iter().any(|proof| {
        proof.using == Some(Method::Text)
            && sim
                .procedure
                .holdings
                .get(proof.shows.index())
                .is_some_and(|holding| holding.name == channel)
    });
    if by_text {
        format!("+46{number:02}{moves:02}55{:03}", channel.len())
    } else {
        format!("{channel}.{number}.{moves}@customers.example")
    }
}

impl Customer {
    async fn register(&self, gate: &Gate, sim: &Sim, panel: &MachineCaller) -> Result<(), String> {
        let told = |error: &dyn std::fmt::Display| format!("{}: {error}", self.id);
        let id = CustomerId(self.id.clone());
        let (put, book) = self.as_put_of(sim);
        locked(&sim.expected).puts.insert(self.id.clone(), book);
        gate.put_customer(panel, &id, &put)
            .await
            .map_err(|error| told(&error))?;
        let knows = locked(&self.knows).clone();
        for (holding, value) in knows {
            let factor = match method_of(sim, &holding) {
                Some(Method::Pin) => FactorPut::Pin(value.clone()),
                Some(Method::Totp) => FactorPut::Totp(value.clone()),
                _ => continue,
            };
            // Nobody has a PIN or an app before the action that gives the first one.
            if given_at_the_gate(sim, &holding) && sim.draw(2) == 0 {
                locked(&self.knows).remove(&holding);
                continue;
            }
            let place = (self.id.clone(), holding.clone());
            locked(&sim.expected).values.insert(place.clone(), value);
            gate.put_factor(panel, &id, &holding, &factor)
                .await
                .map_err(|error| told(&error))?;
            locked(&sim.expected).values.remove(&place);
        }
        let devices: Vec<String> = sim
            .procedure
            .proofs
            .iter()
            .filter(|proof| proof.using == Some(Method::Passkey))
            .filter_map(|proof| sim.procedure.holdings.get(proof.shows.index()))
            .map(|holding| holding.name.clone())
            .collect();
        for holding in devices {
            if sim.draw(4) == 0 {
                continue;
            }
            let prompt = gate
                .start_customer_passkey(panel, &id, &holding)
                .await
                .map_err(|error| told(&error))?;
            let (passkey, response) =
                SoftPasskey::create_by(&*sim.gate_dice, &prompt.options, ORIGIN)
                    .map_err(|error| told(&error))?;
            self.expects(sim, &holding, &passkey);
            gate.finish_customer_passkey(
                panel,
                &id,
                &holding,
                &prompt.ceremony,
                &response,
                "phone",
            )
            .await
            .map_err(|error| told(&error))?;
            locked(&sim.expected)
                .values
                .remove(&(self.id.clone(), holding.clone()));
            locked(&self.passkeys).insert(holding, passkey);
        }
        Ok(())
    }

    /// From the moment the store has it, this passkey is one of theirs.
    pub(super) fn expects(&self, sim: &Sim, holding: &str, passkey: &SoftPasskey) {
        let credential = URL_SAFE_NO_PAD.encode(passkey.credential());
        locked(&sim.books)
            .credentials
            .insert(credential.clone(), format!("c.{}/{holding}", self.id));
        locked(&sim.expected)
            .values
            .insert((self.id.clone(), holding.to_owned()), credential);
    }

    fn as_put_of(&self, sim: &Sim) -> (CustomerPut, Put) {
        let elsewhere: Vec<(String, String, Option<i64>)> = locked(&self.knows)
            .iter()
            .filter(|(holding, _)| method_of(sim, holding) == Some(Method::Password))
            .map(|(holding, value)| (holding.clone(), value.clone(), None))
            .collect();
        let contacts = locked(&self.contacts).clone();
        let attributes = locked(&self.attributes).clone();
        let put = CustomerPut {
            name: format!("Customer {}", self.id),
            number: self.id.clone(),
            attributes: attributes.clone(),
            contacts: contacts
                .iter()
                .map(|(channel, address)| ContactPut {
                    channel: channel.clone(),
                    address: address.clone(),
                    since_ms: Some(sim.time.now() - 365 * DAY),
                })
                .collect(),
            held: elsewhere
                .iter()
                .map(|(holding, _, changed_at_ms)| HeldPut {
                    holding: holding.clone(),
                    changed_at_ms: *changed_at_ms,
                })
                .collect(),
            ..CustomerPut::default()
        };
        let book = Put {
            customer: self.id.clone(),
            contacts,
            attributes,
            elsewhere,
        };
        (put, book)
    }

    /// From now on one of their channels has another address. `None` if they have no channel.
    pub(super) fn moves(&self, sim: &Sim, dice: &mut Dice) -> Option<String> {
        let number = self.id.trim_start_matches("c-").parse().unwrap_or(0);
        let mut contacts = locked(&self.contacts);
        let place = dice.below(contacts.len().max(1));
        let (channel, at) = contacts.get_mut(place)?;
        let mut moves = locked(&self.moves);
        *moves += 1;
        *at = address(sim, channel, number, *moves);
        Some(channel.clone())
    }

    /// What their authenticator shows.
    pub(super) fn app_code(&self, sim: &Sim, holding: &str) -> Option<String> {
        let secret = locked(&self.knows).get(holding).cloned()?;
        code_of(&secret, sim.time.now())
    }
}

/// The code that an authenticator with this secret shows.
pub(super) fn code_of(base32: &str, now: i64) -> Option<String> {
    let secret = TotpSecret::from_bytes(&from_base32(base32)?).ok()?;
    Some(secret.code_now(countersign_cases::Timestamp(now)))
}

/// How a holding is shown, by its own word or by the proof that shows it.
pub(super) fn method_of(sim: &Sim, holding: &str) -> Option<Method> {
    let id = sim.procedure.holding_named(holding)?;
    let own = sim.procedure.holdings.get(id.index())?.using;
    own.or_else(|| {
        sim.procedure
            .proofs
            .iter()
            .find(|proof| proof.shows == id)
            .and_then(|proof| proof.using)
    })
}

fn given_at_the_gate(sim: &Sim, holding: &str) -> bool {
    sim.procedure.actions.iter().any(|action| {
        sim.procedure
            .set_at_gate(action)
            .and_then(|set| sim.procedure.holdings.get(set.holding.index()))
            .is_some_and(|set| set.name == holding)
    })
}

const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// RFC 4648 base 32 of whole groups of five bytes.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    for group in bytes.chunks(5) {
        let bits = group
            .iter()
            .fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        for place in (0..8).rev() {
            let five = usize::try_from(bits >> (5 * place) & 31).unwrap_or(0);
            let letter = ALPHABET.get(five).copied().unwrap_or(b'A');
            let _ = write!(text, "{}", char::from(letter));
        }
    }
    text
}

pub(crate) fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(8) {
        let mut bits = 0_u64;
        for letter in group {
            let five = ALPHABET.iter().position(|known| known == letter)?;
            bits = bits << 5 | u64::try_from(five).ok()?;
        }
        bytes.extend(bits.to_be_bytes().iter().skip(3));
    }
    Some(bytes)
}

impl Company {
    /// A customer's put as they are now.
    pub(super) fn as_put(&self, customer: &Customer) -> (CustomerPut, Put) {
        customer.as_put_of(&self.sim)
    }

    /// A customer's attribute becomes something else.
    pub(super) fn attribute(customer: &Customer, name: &str, value: &str) {
        locked(&customer.attributes).insert(name.to_owned(), value.to_owned());
    }
}
