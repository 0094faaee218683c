//! The process that is killed: a writer with registrars' commands, and timers beside it on
//! a connection of their own, all by a clock that it is told. What is acknowledged, and
//! each moment before its look, is a line of its output.

use std::io::Write as _;
use std::process::Command as Process;
use std::time::Duration;

use meridian::registry::command::domain::{DomainQuery, DomainRenew, DomainRestore};
use meridian::registry::command::{Command, DomainCommand, Info, Outcome};
use meridian::registry::timers::Timers;
use meridian::registry::types::{CalendarDate, DomainName, Years};
use sqlx::{AnyConnection, Connection as _};
use tokio::task::JoinSet;

use super::*;

/// Microseconds between two looks.
const STEP: i64 = DAY / 4;
/// Domains that a look's load is about.
const CREATES: u64 = 2;
const OTHERS: u64 = 3;

/// What a worker is told.
pub(super) struct Order {
    pub(super) database: String,
    /// Microseconds since 1970 at its first look.
    pub(super) clock: i64,
    pub(super) round: u64,
    /// Looks, after which it ends; the last ones are without load.
    pub(super) looks: u64,
}

const ORDER: &str = "MERIDIAN_TIMED_WORKER";

impl Order {
    /// That of this process, if it is a worker.
    pub(super) fn given() -> Option<Self> {
        let text = std::env::var(ORDER).ok()?;
        let words: Vec<_> = text.splitn(4, ' ').collect();
        Some(Self {
            clock: words[0].parse().unwrap(),
            round: words[1].parse().unwrap(),
            looks: words[2].parse().unwrap(),
            database: words[3].to_owned(),
        })
    }

    pub(super) fn give(&self, process: &mut Process) {
        let (clock, round, looks) = (self.clock, self.round, self.looks);
        let text = format!("{clock} {round} {looks} {}", self.database);
        process.env(ORDER, text);
    }
}

fn say(line: &str) {
    // One write: a line that is there is whole.
    let written = std::io::stdout().write_all(format!("{line}\n").as_bytes());
    written.expect("somebody listens");
}

pub(super) fn create(name: &str) -> Command {
    let mut create = DomainCreate::new(name.parse().unwrap());
    create.hosts = ["ns1.ext.example", "ns2.ext.example"]
        .map(|host| host.parse().unwrap())
        .into();
    Command::Domain(DomainCommand::Create(Box::new(create)))
}

pub(super) fn at(command: Command, at: i64) -> Request {
    Request {
        actor: Actor::registrar("reg-a".parse().unwrap()),
        at: Timestamp(at),
        lab: true,
        command,
    }
}

pub(super) fn work(order: &Order) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime.unwrap().block_on(run(order));
}

async fn run(order: &Order) {
    // Whatever the test runner has begun a line with ends here.
    say("");
    let location = Location::parse(&order.database);
    let started = Writer::start(&location, "worker", Standby::Wait).await;
    let (writer, _task) = started.unwrap();
    let mut database = Database::open(&location).await.unwrap();
    let names = names(&order.database).await;
    let mut seed = super::super::kills::Seed(order.round.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut timers = Timers::default();
    for look in 0..order.looks {
        let now = order.clock + i64::try_from(look).unwrap() * STEP;
        say(&format!("clock {now}"));
        let mut load = JoinSet::new();
        if order.looks == u64::MAX {
            for command in commands(&mut database, order, look, &names, &mut seed, now).await {
                load.spawn(done(writer.clone(), at(command, now)));
            }
        }
        let steady = Duration::from_micros((now - order.clock).unsigned_abs());
        // While the registrars' commands are on their way.
        loop {
            let looked = Box::pin(timers.look(&mut database, Timestamp(now), steady)).await;
            let looked = looked.unwrap();
            assert_eq!((looked.refused, looked.stopped), (0, None));
            if !looked.has_more {
                break;
            }
        }
        load.join_all().await;
    }
}

/// Says what was acknowledged; a refusal, as where time was faster, is none.
async fn done(writer: Writer, request: Request) {
    let kind = request.command.kind();
    let Command::Domain(command) = &request.command else {
        return;
    };
    let object = match command {
        DomainCommand::Create(create) => create.name.to_string(),
        DomainCommand::Renew(renew) => renew.name.to_string(),
        DomainCommand::Restore(restore) => restore.name.to_string(),
        DomainCommand::Delete(name) => name.to_string(),
        _ => return,
    };
    if let Ok(done) = writer.submit(request).await {
        say(&format!("done {} {kind} {object} .", done.event().unwrap()));
    }
}

/// Domains that were there when the worker began.
async fn names(database: &str) -> Vec<String> {
    let url = match database.starts_with("postgres") {
        true => database.to_owned(),
        false => format!("sqlite://{database}"),
    };
    sqlx::any::install_default_drivers();
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    let names = sqlx::query_scalar("SELECT name FROM domains ORDER BY id");
    let names = names.fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    names
}

/// New domains, and for some of the others what registrars do.
async fn commands(
    database: &mut Database,
    order: &Order,
    look: u64,
    names: &[String],
    seed: &mut super::super::kills::Seed,
    now: i64,
) -> Vec<Command> {
    let mut commands = Vec::new();
    for number in 0..CREATES {
        for zone in ZONES {
            let name = format!("r{}-{look}-{number}.{zone}", order.round);
            commands.push(create(&name));
        }
    }
    for _ in 0..OTHERS {
        let index = seed.below(names.len() as u64);
        let name: DomainName = names[usize::try_from(index).unwrap()].parse().unwrap();
        let query = Command::Domain(DomainCommand::Info(DomainQuery::new(&name)));
        // One that was purged is gone.
        let Ok(Outcome::Read(info)) = Box::pin(database.execute(&at(query, now))).await else {
            continue;
        };
        let Info::Domain(info) = *info else {
            continue;
        };
        let is_deleted = info.statuses.iter().any(|status| status == "pendingDelete");
        commands.push(Command::Domain(match seed.below(4) {
            _ if is_deleted => {
                DomainCommand::Restore(Box::new(DomainRestore { name, report: None }))
            }
            0 => DomainCommand::Delete(name),
            _ => DomainCommand::Renew(DomainRenew {
                current_expiry: CalendarDate::of(info.expires_at.unwrap()),
                period: Years::default(),
                name,
            }),
        }));
    }
    commands
}
