//! A history as it is played: each line is done, and then everything is looked at.
//!
//! A line is a command as other tests write it, or one of these: `time DAYS` with the
//! timers running, `bulk KIND REGISTRAR ..`, `poll REGISTRAR`, `fault STATEMENT`, which does
//! what no command may. What differs from run to run is not in a line: `from=now` stands for
//! a domain's expiry, `signature=made` for a signature over the change, `key=own` for the
//! key that goes with a contact's name.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use sqlx::Row as _;

use super::super::*;
use super::image::Image;
use super::rules::Step;
use super::state::{State, all};
use crate::registry::audit;
use crate::registry::bulk::{Bulk, BulkChange, Turn};
use crate::registry::calendar::to_text;
use crate::registry::command::dependencies::HostOrphan;
use crate::registry::command::zone::ZoneOrphans;
use crate::registry::policy::RegistrationPolicy;
use crate::registry::timers::Timers;

/// Seconds of a day.
const DAY: i64 = 86_400;
/// Events between two looks at their chain.
const EVENTS: i64 = 500;
/// Messages that a registrar takes at once.
const POLLS: usize = 50;

/// A registry, and where its history is.
pub(super) struct History {
    pub(super) test: TestDatabase,
    pub(super) state: State,
    records: BTreeSet<String>,
    policy: RegistrationPolicy,
    /// Seconds since it began.
    now: i64,
    timers: Timers,
    pub(super) image: Image,
    /// Steps of timers that were refused.
    pub(super) put_off: u32,
    /// Commands that were obeyed, and those that were not.
    pub(super) outcomes: [usize; 2],
    verified: i64,
}

/// What a line did.
#[derive(Default)]
struct Done {
    touched: BTreeSet<String>,
    is_time: bool,
}

impl Done {
    fn about(name: &str) -> Self {
        Self {
            touched: BTreeSet::from([name.to_owned()]),
            is_time: false,
        }
    }
}

impl History {
    pub(super) async fn begin(engine: crate::registry::Engine) -> Self {
        let mut test = stage(engine).await;
        let state = State::read(&mut test).await;
        let mut image = Image::new();
        image.follow(&test, "the beginning");
        Self {
            records: test.published(),
            policy: policy(&mut test).await,
            test,
            state,
            now: 0,
            timers: Timers::default(),
            image,
            put_off: 0,
            outcomes: [0; 2],
            verified: 0,
        }
    }

    /// One line, and what holds after it.
    pub(super) async fn step(&mut self, line: &str) {
        let done = Box::pin(self.obey(line)).await;
        let after = State::read(&mut self.test).await;
        let records = self.test.published();
        let before = std::mem::replace(&mut self.state, after);
        let step = Step {
            line,
            before: &before,
            after: &self.state,
            records: [&self.records, &records],
            touched: &done.touched,
            is_time: done.is_time,
            policy: &self.policy,
            now: Timestamp(NOW.0 + self.now * 1_000_000),
            has_put_off: self.put_off > 0,
        };
        step.check(&mut self.test).await;
        self.records = records;
    }

    /// What costs more: the image by its changes against one that is compiled whole, and
    /// now and then the chain of the events.
    pub(super) async fn look(&mut self, line: &str, is_last: bool) {
        self.image.follow(&self.test, line);
        // That takes longer with every event.
        if !is_last && self.state.last_event < self.verified + EVENTS {
            return;
        }
        let checked = audit::verify(&mut self.test.database, &[], &mut |_, _| {}).await;
        assert_eq!(checked.unwrap().told, [], "{line}");
        self.verified = self.state.last_event;
    }

    async fn obey(&mut self, line: &str) -> Done {
        let words: Vec<_> = line.split_whitespace().collect();
        match words[0] {
            "time" => {
                self.pass(words[1].parse().unwrap()).await;
                return Done {
                    is_time: true,
                    ..Done::default()
                };
            }
            "fault" => {
                let statement = line.strip_prefix("fault ").unwrap().to_owned();
                let statement = sqlx::query(sqlx::AssertSqlSafe(statement));
                statement
                    .execute(self.test.database.connection())
                    .await
                    .unwrap();
                return Done::default();
            }
            "bulk" => return self.bulk(&words[1..]).await,
            "poll" => {
                self.poll(words[1]).await;
                return Done::default();
            }
            _ => {}
        }
        let request = self.request(line).await;
        self.run(request, line).await;
        if line.starts_with("op zone policy") {
            self.policy = policy(&mut self.test).await;
        }
        Done::about(words[3])
    }

    async fn request(&mut self, line: &str) -> Request {
        let words: Vec<_> = line.split_whitespace().collect();
        if let ["op", "zone", "orphans", apex, word] = &words[..] {
            let word = word.strip_prefix("policy=").unwrap();
            let word: HostOrphan = serde_json::from_value(word.into()).unwrap();
            return self.at(operator(Command::Zone(ZoneCommand::Orphans(ZoneOrphans {
                apex: apex.parse().unwrap(),
                policy: Some(word),
                own_hosts: None,
                label: None,
                registrar: None,
            }))));
        }
        let mut line = line.to_owned();
        if line.contains(" from=now") {
            let held = self.state.domain(words[3]);
            let at = held.and_then(|held| held.life.expires_at).unwrap_or(NOW);
            line = line.replace("from=now", &format!("from={}", &to_text(at)[..10]));
        }
        if line.contains("key=own") {
            let key = hex(pair(words[3]).public_key().as_ref());
            line = line.replace("key=own", &format!("key={key}"));
        }
        let mut line = changes::numbered(&mut self.test, &line).await;
        if line.contains("signature=made") {
            let signature = self.signature(&line).await;
            line = line.replace("signature=made", &format!("signature={signature}"));
        }
        self.at(parse(&line))
    }

    fn at(&self, request: Request) -> Request {
        let at = Timestamp(NOW.0 + self.now * 1_000_000);
        Request { at, ..request }
    }

    /// A contact's signature over the text of a change, if it waits.
    async fn signature(&mut self, line: &str) -> String {
        let words: Vec<_> = line.split_whitespace().collect();
        let contact = words.iter().find_map(|word| word.strip_prefix("contact="));
        let text = parse(&format!("op change text {}", words[3]));
        let Ok(Outcome::Read(info)) = run(&mut self.test, &text).await else {
            return "00".to_owned();
        };
        let Info::ChangeText(text) = *info else {
            panic!("{info:?}")
        };
        hex(pair(contact.unwrap()).sign(text.text.as_bytes()).as_ref())
    }

    /// Runs a command; what it says, the event log says too.
    async fn run(&mut self, request: Request, line: &str) -> bool {
        let first = last_event(&mut self.test).await;
        let outcome = run(&mut self.test, &request).await;
        let query = "SELECT number, kind, actor, object FROM events WHERE number > $1 \
                     ORDER BY number";
        let events = sqlx::query(query).bind(first);
        let events = events.fetch_all(self.test.database.connection()).await;
        let events = events.unwrap();
        let (command, actor) = (&request.command, request.actor.logged());
        match &outcome {
            Err(CommandError::Rejected(_)) => assert!(events.is_empty(), "{line}: {outcome:?}"),
            Err(error) => panic!("{line}: {error}"),
            Ok(Outcome::Read(_)) => assert!(events.is_empty(), "{line}"),
            Ok(done) => {
                // The last consent makes the command that waited, which has its event too.
                let decides = matches!(
                    command,
                    Command::Changes(ChangesCommand::Approve(_) | ChangesCommand::Sign(_))
                );
                let makes = decides && matches!(done, Outcome::Changed { .. });
                assert_eq!(events.len(), 1 + usize::from(makes), "{line}: {outcome:?}");
                let own = events.last().unwrap();
                assert_eq!(done.event(), Some(own.get(0)), "{line}");
                let (kind, logged): (String, String) = (own.get(1), own.get(2));
                let is_asked = kind == "change-ask" && matches!(done, Outcome::Pending { .. });
                assert!(kind == command.kind() || is_asked, "{line}: {kind}");
                assert_eq!(logged, actor, "{line}");
                if let Some(object) = command.object() {
                    assert_eq!(own.get::<String, _>(3), object, "{line}");
                }
            }
        }
        self.outcomes[usize::from(outcome.is_err())] += 1;
        outcome.is_ok()
    }

    /// Days, each with a look of the timers, whose steps are all in the event log.
    async fn pass(&mut self, days: i64) {
        for _ in 0..days {
            self.now += DAY;
            let now = Timestamp(NOW.0 + self.now * 1_000_000);
            let steady = Duration::from_secs(self.now.unsigned_abs());
            let first = last_event(&mut self.test).await;
            let look = Box::pin(self.timers.look(&mut self.test.database, now, steady));
            let looked = look.await.unwrap();
            assert_eq!((looked.stopped, looked.purges_held), (None, false));
            self.put_off += looked.refused;
            let logged = sqlx::query_scalar(
                "SELECT COUNT(*) FROM events WHERE number > $1 AND actor = 'system:timers'",
            );
            let logged = logged
                .bind(first)
                .fetch_one(self.test.database.connection());
            let logged: i64 = logged.await.unwrap();
            assert_eq!(logged, i64::from(looked.taken), "steps in the event log");
        }
    }

    /// A bulk change: domain by domain, each of them a command.
    async fn bulk(&mut self, words: &[&str]) -> Done {
        let name = |word: &str| word.parse().unwrap();
        let now = Timestamp(NOW.0 + self.now * 1_000_000);
        let change = match words[0] {
            "hosts" => BulkChange::Hosts {
                old: words[2].parse().unwrap(),
                new: words[3].parse().unwrap(),
            },
            "renew" => BulkChange::Renew {
                before: to_text(Timestamp(now.0 + 300 * DAY * 1_000_000))[..10]
                    .parse()
                    .unwrap(),
                period: Years::default(),
            },
            "delete" => BulkChange::Delete,
            _ => BulkChange::Transfer { to: name(words[2]) },
        };
        let bulk = Bulk {
            change,
            registrar: Some(name(words[1])),
            zone: Some("tld".parse().unwrap()),
        };
        let mut done = Done::default();
        let Ok(mut prepared) = bulk.prepare(&mut self.test.database, now).await else {
            return done;
        };
        loop {
            let turns = prepared.next(&mut self.test.database).await.unwrap();
            if turns.is_empty() {
                return done;
            }
            for Turn { domain, command } in turns {
                let mut request = self.at(operator(command));
                request.actor.cause = Some(Cause {
                    reason: None,
                    case: Some("7".to_owned()),
                });
                done.touched.insert(domain.to_string());
                Box::pin(self.run(request, &words.join(" "))).await;
            }
        }
    }

    /// A registrar reads its messages.
    async fn poll(&mut self, registrar: &str) {
        let by = Actor::registrar(registrar.parse().unwrap());
        for _ in 0..POLLS {
            let next = Command::Poll(PollCommand::Next { registrar: None });
            let next = self.at(request(by.clone(), next));
            let Ok(Outcome::Read(info)) = run(&mut self.test, &next).await else {
                return;
            };
            let Info::Poll(poll) = *info else {
                panic!("{info:?}")
            };
            let Some(message) = poll.message else {
                return;
            };
            let registrar = None;
            let ack = Command::Poll(PollCommand::Ack {
                id: message.id,
                registrar,
            });
            let ack = self.at(request(by.clone(), ack));
            assert!(self.run(ack, "poll").await, "{message:?}");
        }
    }
}

async fn last_event(test: &mut TestDatabase) -> i64 {
    all(test, "SELECT last_event FROM registry").await[0].get(0)
}

async fn policy(test: &mut TestDatabase) -> RegistrationPolicy {
    let zones = all(test, "SELECT * FROM zones").await;
    RegistrationPolicy::from_row(&zones[0]).unwrap()
}

/// The key that goes with a contact's name.
fn pair(contact: &str) -> Ed25519KeyPair {
    let mut seed = [7; 32];
    for (octet, byte) in seed.iter_mut().zip(contact.bytes()) {
        *octet = byte;
    }
    Ed25519KeyPair::from_seed_unchecked(&seed).unwrap()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
