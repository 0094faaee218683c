//! Random histories of commands by several registrars, with the clock moving and the
//! timers running: after each step nothing is published that must not be, nobody lost a
//! name server, and what is stored about a domain's life follows from it.
//!
//! A history is lines of commands, so that one that fails is printed and can be played
//! again; its seed is in the message.

mod waiting;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::published::{owner, read_by_name};
use super::*;
use crate::registry::audit;
use crate::registry::calendar::{add_years, to_text};
use crate::registry::life::{Life, Phase, Step};
use crate::registry::policy::RegistrationPolicy;
use crate::registry::timers::Timers;
use crate::registry::types::{Status, Statuses};

/// SplitMix64: the same numbers on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn of<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).unwrap()]
    }

    fn domain(&mut self) -> String {
        format!("d{}.tld", self.below(5))
    }

    fn host(&mut self) -> String {
        match self.below(4) {
            0 => format!("ns{}.ext.example", self.below(2) + 1),
            _ => format!("ns{}.{}", self.below(2) + 1, self.domain()),
        }
    }

    fn registrar(&mut self) -> &'static str {
        self.of(&["reg-a", "reg-a", "reg-b", "reg-b", "op"])
    }
}

const AUTH: &str = "auth=k9$Tq2-vX7mB!zR4pL0w";

/// The next command; mostly by whoever may give it, so that histories get somewhere.
fn next(random: &mut Random, domains: &BTreeMap<String, (String, Option<Timestamp>)>) -> String {
    let (name, host, other) = (random.domain(), random.host(), random.host());
    let kind = random.below(30);
    let object = if !(19..24).contains(&kind) {
        &name
    } else {
        host.split_once('.').map_or(&*host, |(_, d)| d)
    };
    let who = match domains.get(object) {
        Some((sponsor, _)) if random.below(5) > 0 => sponsor.clone(),
        _ => random.registrar().to_owned(),
    };
    let sponsor = if who == "op" { " by=reg-a" } else { "" };
    match kind {
        0..4 => format!("{who} domain create {name}{sponsor} {AUTH}"),
        4 => format!("{who} domain create {name}{sponsor} ns={host} ns={other}"),
        5..8 => format!("{who} domain update {name} ns={host} ns={other}"),
        8 => format!("{who} domain update {name} -ns={host} -ns={other}"),
        9 => format!("{who} domain update {name} ns={host} -ns={other}"),
        10 => {
            let (sign, status) = (random.of(&["", "-"]), random.of(&STATUSES));
            format!("{who} domain update {name} {sign}status={status}")
        }
        11 | 12 => format!("{who} domain delete {name}"),
        13 => match domains.get(&name).and_then(|(_, expires_at)| *expires_at) {
            Some(at) => format!("{who} domain renew {name} from={}", &to_text(at)[..10]),
            None => format!("{who} domain info {name}"),
        },
        14 => format!("{who} domain restore {name}"),
        15 => format!("{who} domain restore {name} report=error"),
        16 => {
            let op = random.of(&["approve", "reject", "cancel"]);
            format!("{who} domain transfer {name} op={op}")
        }
        17 => match who.as_str() {
            "op" => format!("op domain transfer {name} op=request by=reg-b"),
            "reg-a" => format!("reg-b domain transfer {name} op=request {AUTH}"),
            _ => format!("reg-a domain transfer {name} op=request {AUTH}"),
        },
        18 => format!("op domain purge {name}"),
        19..22 => {
            let address = random.below(4) + 1;
            format!("{who} host create {host}{sponsor} ip=192.0.2.{address}")
        }
        22 => format!("{who} host update {host} to={other}"),
        24.. => waiting::decision(random, &who, [&name, &name, &host]),
        _ => match random.below(3) {
            0 => format!("{who} host delete {host}"),
            1 => format!("{who} host update {host} ip=192.0.2.7"),
            _ => format!(
                "{who} host update {host} -ip=192.0.2.{}",
                random.below(4) + 1
            ),
        },
    }
}

const STATUSES: [&str; 7] = [
    "clientHold",
    "clientDeleteProhibited",
    "clientTransferProhibited",
    "clientUpdateProhibited",
    "serverHold",
    "serverDeleteProhibited",
    "serverTransferProhibited",
];

/// A domain as it is stored.
struct Held {
    name: String,
    registrar: String,
    statuses: Statuses,
    life: Life,
    due: Option<(Step, i64)>,
    hosts: BTreeSet<i64>,
}

async fn held(test: &mut TestDatabase) -> Vec<Held> {
    let rows = sqlx::query(
        "SELECT d.id, d.name, r.handle, d.statuses, d.phase, d.phase_ends_at, \
         d.redemption_ends_at, d.expires_at, d.transfer_ends_at, d.due_step, d.due_at \
         FROM domains d JOIN registrars r ON r.id = d.registrar_id ORDER BY d.name",
    )
    .fetch_all(test.database.connection())
    .await
    .unwrap();
    let mut all = Vec::new();
    for row in rows {
        use sqlx::Row as _;
        let get = |index: usize| row.get::<Option<i64>, _>(index).map(Timestamp);
        let (id, statuses): (i64, String) = (row.get(0), row.get(3));
        let statuses = Statuses::from_column(&statuses).unwrap();
        let step: Option<String> = row.get(9);
        let hosts: Vec<(i64,)> =
            sqlx::query_as("SELECT host_id FROM delegations WHERE domain_id = $1")
                .bind(id)
                .fetch_all(test.database.connection())
                .await
                .unwrap();
        all.push(Held {
            name: row.get(1),
            registrar: row.get(2),
            life: Life {
                id,
                phase: Phase::parse(&row.get::<String, _>(4)).unwrap(),
                phase_ends_at: get(5),
                redemption_ends_at: get(6),
                expires_at: get(7),
                transfer_ends_at: get(8),
                is_kept: statuses.has(Status::ServerDeleteProhibited),
            },
            statuses,
            due: step.map(|step| (Step::parse(&step).unwrap(), get(10).unwrap().0)),
            hosts: hosts.into_iter().map(|(host,)| host).collect(),
        });
    }
    all
}

struct History {
    test: TestDatabase,
    policy: RegistrationPolicy,
    random: Random,
    now: i64,
    timers: Timers,
    /// What was done, to be shown where it fails.
    lines: Vec<String>,
    accepted: usize,
}

impl History {
    async fn begin(engine: crate::registry::Engine, seed: u64) -> Self {
        let mut test = stage(engine).await;
        let mut random = Random(seed);
        let expiry = random.of(&["auto-renew", "delete", "keep"]);
        let report = random.of(&["required", "unneeded"]);
        let control = random.of(&["auto", "verify"]);
        let policy = RegistrationPolicy {
            expiry: expiry.parse().unwrap(),
            ..RegistrationPolicy::default()
        };
        let line = format!(
            "op zone policy tld expiry={expiry} restore-report={report} approvers=ada,bob \
             change-control={control}"
        );
        let mut lines = vec![line];
        if seed.is_multiple_of(2) {
            lines
                .push("op zone parking tld server=p1.ext.example server=p2.ext.example".to_owned());
        }
        for line in &lines {
            run(&mut test, &parse(line)).await.unwrap();
        }
        Self {
            test,
            policy,
            random,
            now: 0,
            timers: Timers::default(),
            lines,
            accepted: 0,
        }
    }

    /// One command, or some time that passes with the timers running.
    async fn step(&mut self) {
        let before = held(&mut self.test).await;
        let records = self.test.published();
        let first = crate::registry::last_event(&mut self.test.database)
            .await
            .unwrap();
        let line = if self.random.below(6) == 0 {
            self.pass().await;
            "time".to_owned()
        } else {
            self.command(&before, first).await
        };
        let after = held(&mut self.test).await;
        let last = crate::registry::last_event(&mut self.test.database)
            .await
            .unwrap();
        let now_published = self.test.published();
        if last > first {
            let owners = records
                .symmetric_difference(&now_published)
                .filter(|record| !record.contains("\tSOA\t"))
                .map(|record| owner(record));
            let owners: BTreeSet<_> = owners.collect();
            noted_since(&mut self.test, first, &owners, &line).await;
            read_by_name(&self.test, first + 1, &now_published, &line);
        } else {
            assert_eq!(records, now_published, "{line}: without an event");
        }
        kept(&before, &after, &line);
        let waiting = self.waiting(&line).await;
        self.lives(&after, &waiting);
        glue(&now_published, &line);
        self.sponsors(&line).await;
        self.parkable(&line).await;
    }

    async fn command(&mut self, before: &[Held], first: u64) -> String {
        let domains = before.iter().map(|held| {
            let known = (held.registrar.clone(), held.life.expires_at);
            (held.name.clone(), known)
        });
        let line = next(&mut self.random, &domains.collect());
        let line = format!("{line} at={}s", self.now);
        self.lines.push(line.clone());
        let request = parse(&changes::numbered(&mut self.test, &line).await);
        let is_read = request.command.is_read();
        let outcome = run(&mut self.test, &request).await;
        let last = crate::registry::last_event(&mut self.test.database)
            .await
            .unwrap();
        let is_decided = line.contains(" change approve ") && waiting::is_made(&outcome);
        let events = u64::from(outcome.is_ok() && !is_read) + u64::from(is_decided);
        assert_eq!(last, first + events, "{line}: {outcome:?}");
        if let Err(error) = &outcome {
            assert!(
                matches!(error, CommandError::Rejected(_)),
                "{line}: {error}"
            );
        }
        self.accepted += usize::from(outcome.is_ok());
        line
    }

    /// Hours or weeks, in parts that the timers believe.
    async fn pass(&mut self) {
        let days = match self.random.below(4) {
            0 => 40,
            1 => 7,
            _ => 1,
        };
        for _ in 0..days {
            self.now += 86_400;
            let now = later(&format!("{}s", self.now));
            let steady = Duration::from_secs(self.now.unsigned_abs());
            let look = Box::pin(self.timers.look(&mut self.test.database, now, steady));
            let looked = look.await.unwrap();
            assert_eq!(
                (looked.refused, looked.stopped),
                (0, None),
                "at {}s",
                self.now
            );
        }
        self.lines.push(format!("time to {}s", self.now));
    }

    /// What is stored of a domain's life follows from it.
    fn lives(&self, all: &[Held], waiting: &BTreeSet<i64>) {
        for held in all {
            let Held {
                name,
                statuses,
                life,
                ..
            } = held;
            assert_eq!(statuses.conflict(), None, "{name}");
            if !waiting.contains(&life.id) {
                let waits = statuses.has(Status::PendingTransfer);
                assert_eq!(waits, life.transfer_ends_at.is_some(), "{name}");
                let goes = statuses.has(Status::PendingDelete);
                assert_eq!(goes, life.phase != Phase::Registered, "{name}");
                let pending = statuses.iter().filter(|status| status.is_pending()).count();
                assert_eq!(pending, usize::from(waits || goes), "{name}: {statuses:?}");
            }
            let due = life.next(&self.policy).map(|due| (due.step, due.at.0));
            assert_eq!(held.due, due, "{name}");
            let limit = add_years(later(&format!("{}s", self.now)), 10);
            assert!(life.expires_at.is_none_or(|at| at <= limit), "{name}");
        }
    }

    /// Hosts below a domain have its sponsor.
    async fn sponsors(&mut self, line: &str) {
        let odd: Vec<(String,)> = sqlx::query_as(
            "SELECT h.name FROM hosts h JOIN domains d ON d.id = h.domain_id \
             WHERE h.registrar_id <> d.registrar_id",
        )
        .fetch_all(self.test.database.connection())
        .await
        .unwrap();
        assert!(odd.is_empty(), "{line}: {odd:?}");
    }

    /// What is stored of whether a domain can be parked follows from it, its name servers
    /// and the hosts below it.
    async fn parkable(&mut self, line: &str) {
        let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
            "SELECT d.name, d.statuses, d.parkable, \
             (SELECT COUNT(*) FROM delegations n WHERE n.domain_id = d.id) + \
             (SELECT COUNT(*) FROM hosts h WHERE h.domain_id = d.id \
             AND h.statuses NOT LIKE '%pendingCreate%') FROM domains d",
        )
        .fetch_all(self.test.database.connection())
        .await
        .unwrap();
        for (name, statuses, parkable, hosts) in rows {
            let statuses = Statuses::from_column(&statuses).unwrap();
            let expected = statuses.allow_publication() && hosts == 0;
            assert_eq!(parkable, i64::from(expected), "{line}: {name} {statuses:?}");
        }
    }
}

/// Every owner whose records differ is noted by one of the events.
async fn noted_since(test: &mut TestDatabase, first: u64, owners: &BTreeSet<String>, line: &str) {
    let rows: Vec<(String,)> = sqlx::query_as("SELECT owner FROM changed_names WHERE event > $1")
        .bind(i64::try_from(first).unwrap())
        .fetch_all(test.database.connection())
        .await
        .unwrap();
    let noted: BTreeSet<_> = rows.into_iter().map(|(owner,)| owner).collect();
    let missing: Vec<_> = owners.difference(&noted).collect();
    assert!(
        noted.contains("") || missing.is_empty(),
        "{line}: {missing:?}"
    );
}

/// No domain lost a name server by a command on something else.
fn kept(before: &[Held], after: &[Held], line: &str) {
    let after: BTreeMap<_, _> = after.iter().map(|held| (held.life.id, held)).collect();
    for held in before {
        let is_object = line.split_whitespace().nth(3) == Some(held.name.as_str());
        match after.get(&held.life.id) {
            Some(_) if is_object => {}
            Some(now) => assert_eq!(now.hosts, held.hosts, "{line}: {}", held.name),
            None => assert!(is_object || line == "time", "{line}: {} is gone", held.name),
        }
        if let Some(now) = after
            .get(&held.life.id)
            .filter(|_| !is_object && line != "time")
        {
            assert_eq!(now.registrar, held.registrar, "{line}: {}", held.name);
        }
    }
}

/// Every name server below the apex has an address, and every address below a
/// registered domain is a name server's.
fn glue(records: &BTreeSet<String>, line: &str) {
    let words = records
        .iter()
        .map(|record| record.split_whitespace().collect::<Vec<_>>());
    let words: Vec<_> = words.collect();
    let of = |kind: &[&str]| {
        words
            .iter()
            .filter(|w| kind.contains(&w[3]))
            .cloned()
            .collect::<Vec<_>>()
    };
    let targets: BTreeSet<_> = of(&["NS"]).iter().map(|w| w[4]).collect();
    let addresses: BTreeSet<_> = of(&["A", "AAAA"]).iter().map(|w| w[0]).collect();
    for target in targets.iter().filter(|target| target.ends_with(".tld.")) {
        assert!(
            addresses.contains(target),
            "{line}: {target} has no address"
        );
    }
    for address in addresses.iter().filter(|address| **address != "www.tld.") {
        assert!(targets.contains(address), "{line}: {address} is nobody's");
    }
    for domain in of(&["NS"]).iter().filter(|w| w[0] != "tld.") {
        let count = of(&["NS"]).iter().filter(|w| w[0] == domain[0]).count();
        assert!(count >= 2, "{line}: {} has {count}", domain[0]);
    }
}

/// Plays a history; a failure shows its lines.
fn play_history(engine: crate::registry::Engine, seed: u64, steps: usize) -> usize {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    let lines = std::sync::Mutex::new(Vec::new());
    let body = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let mut history = runtime.block_on(Box::pin(History::begin(engine, seed)));
        for _ in 0..steps {
            let step = AssertUnwindSafe(|| runtime.block_on(Box::pin(history.step())));
            let done = catch_unwind(step);
            lines.lock().unwrap().clone_from(&history.lines);
            if let Err(panic) = done {
                resume_unwind(panic);
            }
        }
        let database = &mut history.test.database;
        let checked = runtime.block_on(audit::verify(database, &[], &mut |_, _| {}));
        assert_eq!(checked.unwrap().told, []);
        history.accepted
    };
    match catch_unwind(AssertUnwindSafe(body)) {
        Ok(accepted) => accepted,
        Err(panic) => {
            let lines = lines.into_inner().unwrap_or_default();
            eprintln!("{engine:?}, seed {seed}:\n{}", lines.join("\n"));
            resume_unwind(panic)
        }
    }
}

#[test]
fn random_histories_leave_the_registry_whole() {
    for engine in engines() {
        // A step on PostgreSQL takes five times as long.
        let (seeds, steps) = match engine {
            crate::registry::Engine::Sqlite => (3, 100),
            crate::registry::Engine::Postgres => (1, 80),
        };
        let accepted: usize = (0..seeds)
            .map(|seed| play_history(engine, seed, steps))
            .sum();
        assert!(accepted > 10, "{accepted}: the histories do nothing");
    }
}

mod soak {
    use super::*;

    #[test]
    fn ten_thousand_random_commands_leave_the_registry_whole() {
        if std::env::var_os("MERIDIAN_SOAK").is_none() {
            eprintln!("SKIPPED: run it by tests/run --soak");
            return;
        }
        for engine in engines() {
            let seeds = match engine {
                crate::registry::Engine::Sqlite => 25,
                crate::registry::Engine::Postgres => 5,
            };
            for seed in 100..100 + seeds {
                play_history(engine, seed, 400);
            }
        }
    }
}
