//! kill -9 of a process that writes and runs the timers, under load, while registrations
//! end, renew themselves, can be restored no more and are purged. The clock is passed in.
//!
//! What is killed is this binary again, told to be a worker ([`worker`]). Afterwards
//! every domain is compared with what the event log says of it, step by step ([`model`]):
//! so nothing acknowledged is lost, nothing is half done, and no step of time was forgotten
//! or taken twice.

mod model;
mod worker;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use meridian::registry::command::domain::DomainCreate;
use meridian::registry::{Actor, Database, Location, Request, Standby, Timestamp, Writer};

use self::worker::Order;
use super::{Place, Registry};

/// The 1st of March 2027: no leap day is near.
const BEGIN: i64 = 1_803_859_200_000_000;
const DAY: i64 = 86_400_000_000;
/// Longest wait for anything that works.
const PATIENCE: Duration = Duration::from_secs(60);
/// Most lines of a worker before it is killed.
const LINES: u64 = 120;
/// Domains of each zone that end on each day.
const ENDING: i64 = 4;
/// Zones: one whose registrations renew themselves, and one where they end.
const ZONES: [&str; 2] = ["auto", "tld"];

#[test]
fn kills_while_time_passes_lose_no_step_on_sqlite() {
    rounds(Place::Sqlite, 3);
}

#[test]
fn kills_while_time_passes_lose_no_step_on_postgresql() {
    rounds(Place::Postgres, 2);
}

/// Not a test by itself: what the tests above start, and kill.
#[test]
fn worker() {
    if let Some(order) = Order::given() {
        worker::work(&order);
    }
}

/// Kills a worker so often.
pub(crate) fn rounds(place: Place, rounds: u64) {
    let Some(registry) = Registry::at(place) else {
        return;
    };
    // A round passes two days or three, and the last of all so many more.
    let days = i64::try_from(rounds * 4 + 10).unwrap();
    fill(&registry, days);
    let (mut clock, mut acknowledged, mut killed) = (BEGIN, Vec::new(), 0);
    let mut seed = super::kills::Seed(0x6a09_e667_f3bc_c909);
    for round in 1..=rounds {
        let order = Order {
            database: registry.database.clone(),
            clock,
            round,
            looks: u64::MAX,
        };
        let mut work = Work::start(&order);
        for _ in 0..=seed.below(LINES) {
            let line = work.lines.recv_timeout(PATIENCE).expect("a worker works");
            take(&line, &mut clock, &mut acknowledged);
        }
        // Sends SIGKILL.
        work.child.kill().unwrap();
        killed += i64::from(!work.child.wait().unwrap().success());
        for line in work.rest() {
            take(&line, &mut clock, &mut acknowledged);
        }
        if round % 10 == 0 {
            model::check(&registry, &acknowledged, None);
        }
    }
    assert_eq!(
        killed,
        i64::try_from(rounds).unwrap(),
        "some ended by themselves"
    );
    // Nobody is killed any more, and what is due is done.
    let order = Order {
        database: registry.database.clone(),
        clock,
        round: rounds + 1,
        looks: 8,
    };
    let mut work = Work::start(&order);
    for line in work.rest() {
        take(&line, &mut clock, &mut acknowledged);
    }
    assert!(work.child.wait().unwrap().success());
    let steps = model::check(&registry, &acknowledged, Some(clock));
    registry.audit(&[]);
    let days = (clock - BEGIN) as f64 / DAY as f64;
    eprintln!(
        "{place:?}: {rounds} kills in {days} days of the clock, {} commands acknowledged and \
         there, steps of time taken once each: {steps:?}",
        acknowledged.len()
    );
    for step in ["domain-expire", "domain-redemption-end", "domain-purge-due"] {
        assert!(steps.contains_key(step), "no {step} in {steps:?}");
    }
}

/// A command that was acknowledged.
#[derive(Debug, PartialEq, Eq)]
struct Acknowledged {
    event: i64,
    kind: String,
    object: String,
}

/// A line of a worker; one that a kill cut off says nothing.
fn take(line: &str, clock: &mut i64, acknowledged: &mut Vec<Acknowledged>) {
    let words: Vec<_> = line.split_whitespace().collect();
    match words[..] {
        ["clock", at] => *clock = at.parse().unwrap_or(*clock),
        ["done", event, kind, object, "."] => acknowledged.push(Acknowledged {
            event: event.parse().unwrap(),
            kind: kind.to_owned(),
            object: object.to_owned(),
        }),
        _ => {}
    }
}

/// A worker that runs.
struct Work {
    child: Child,
    lines: Receiver<String>,
}

impl Work {
    fn start(order: &Order) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["registry::timed::worker", "--exact", "--nocapture"]);
        order.give(&mut command);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = command.spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }

    /// What it says until its end.
    fn rest(&self) -> Vec<String> {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => rest.push(line),
                Err(RecvTimeoutError::Disconnected) => return rest,
                Err(RecvTimeoutError::Timeout) => panic!("a worker hangs"),
            }
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Domains that end on each of these days, in both zones.
fn fill(registry: &Registry, days: i64) {
    registry.succeed(&[
        "zone",
        "create",
        "auto",
        "--mname",
        "ns1.ext.example",
        "--rname",
        "h.ext.example",
        "--record",
        "auto. 3600 NS ns1.ext.example.",
    ]);
    for (zone, expiry) in ZONES.into_iter().zip(["auto-renew", "delete"]) {
        let expiry = format!("expiry={expiry}");
        let mut words = vec!["zone", "policy", zone, "--set", &expiry];
        for set in [
            "add-grace=0",
            "redemption=172800",
            "pending-delete=86400",
            "restore-report=unneeded",
        ] {
            words.extend(["--set", set]);
        }
        registry.succeed(&words);
    }
    let location = Location::parse(&registry.database);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let started = Writer::start(&location, "fill", Standby::Wait).await;
        let (writer, task) = started.unwrap();
        let mut jobs = tokio::task::JoinSet::new();
        for day in 0..days {
            for number in 0..ENDING {
                for zone in ZONES {
                    let name = format!("d{day}-{number}.{zone}");
                    let at = BEGIN + (day - 365) * DAY + number * DAY / ENDING;
                    let (writer, create) = (writer.clone(), worker::create(&name));
                    jobs.spawn(async move { writer.submit(worker::at(create, at)).await });
                }
            }
        }
        for done in jobs.join_all().await {
            done.unwrap();
        }
        drop(writer);
        task.await.unwrap().unwrap();
    });
}
