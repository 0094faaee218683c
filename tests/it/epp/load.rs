//! Many sessions at once: what `loadtest epp` says of them, and that a server which is killed
//! under them has lost nothing that it acknowledged, and never uses a name twice.
//!
//! `soak::epp` has the long forms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use loadtest::epp::{Client, Frames, Plan, Setup, Stage, Verb, measure};
use sqlx::{AnyConnection, Connection as _};

use crate::registry::{Place, postgres};

const STATUS: &str = "clientTransferProhibited";
/// Longest wait for the right to write after the one who had it was killed.
const TAKEOVER: Duration = Duration::from_secs(30);

/// Nothing where there is no such engine.
pub(crate) fn setup(place: Place) -> Option<Setup> {
    let database = match place {
        Place::Sqlite => None,
        Place::Postgres => {
            postgres::server()?;
            Some(postgres::new_database())
        }
    };
    Some(Setup {
        meridian: crate::peers::meridian().to_owned(),
        database,
        domains: 1000,
        config: String::new(),
    })
}

fn measured(place: Place) {
    let Some(setup) = setup(place) else {
        return;
    };
    let report = measure(&Plan {
        setup,
        sessions: 6,
        seconds: 1,
        followed: 3,
    });
    let report = report.unwrap();
    let verbs: Vec<_> = report.phases.iter().map(|phase| phase.verb).collect();
    assert_eq!(verbs, [Verb::Check, Verb::Info, Verb::Create]);
    for phase in &report.phases {
        assert!(phase.done > 10 && phase.refused == 0, "{report}");
        let [user, system] = phase.server_cpu_microseconds;
        assert!(user + system > 0.0, "{report}");
    }
    assert_eq!(report.not_served, None);
    let alone = report.created_to_served.unwrap();
    assert!(alone.p50 > 0.0 && report.created_to_served_under_load.is_some());
}

#[test]
fn sessions_are_measured_to_dns_on_sqlite() {
    measured(Place::Sqlite);
}

#[test]
fn sessions_are_measured_to_dns_on_postgresql() {
    measured(Place::Postgres);
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_on_sqlite() {
    kill_rounds(Place::Sqlite, 3, 8);
}

#[test]
fn nothing_acknowledged_is_lost_by_kills_on_postgresql() {
    kill_rounds(Place::Postgres, 2, 8);
}

/// xorshift64: any numbers do, as long as they are the same every time.
struct Seed(u64);

impl Seed {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

/// What is known of a domain from outside: 1 is that it was created, 2 that it has its status.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    acknowledged: u8,
    asked: u8,
}

/// What a session was told.
#[derive(Debug, Default)]
struct Told {
    domains: BTreeMap<String, Known>,
    /// Names of the server for commands, with the domain of those that changed it.
    transactions: Vec<(String, Option<String>)>,
}

impl Told {
    fn add(&mut self, other: Self) {
        self.domains.extend(other.domains);
        self.transactions.extend(other.transactions);
    }
}

/// Creates domains and sets a status on each, until the server is gone.
fn work(client: &mut Client, prefix: &str, acknowledged: &Sender<()>) -> Told {
    let mut told = Told::default();
    for number in 0.. {
        let name = format!("{prefix}-{number}.example");
        let steps = [
            Frames::create_of(&name),
            Frames::set_status(&name, STATUS),
            Frames::info_of(&name),
        ];
        for (step, frame) in (1..).zip(steps) {
            let known = told.domains.entry(name.clone()).or_default();
            if step <= 2 {
                known.asked = step;
            }
            let Ok(answer) = client.say(&frame) else {
                return told;
            };
            let changed = (answer.code == 1000 && step <= 2).then(|| name.clone());
            if changed.is_some() {
                known.acknowledged = step;
                // Nobody listens any more once the kill is decided.
                let _ = acknowledged.send(());
            }
            told.transactions.push((answer.transaction, changed));
            if answer.code != 1000 {
                // Nobody has the right to write yet; the next name asks again.
                assert_eq!(answer.code, 2400, "{}", answer.xml);
                known.asked = known.acknowledged;
                break;
            }
        }
    }
    told
}

/// Kills the server again and again under sessions at work.
pub(crate) fn kill_rounds(place: Place, rounds: u64, sessions: usize) {
    let Some(setup) = setup(place) else {
        return;
    };
    let mut stage = Stage::new(&setup).unwrap();
    let mut seed = Seed(0x9e37_79b9_7f4a_7c15);
    let (mut all, mut fresh) = (Told::default(), Told::default());
    let (mut names, mut doubtful) = (BTreeSet::new(), 0);
    for round in 1..=rounds {
        let mut clients = stage.log_in(sessions).unwrap();
        let wanted = 1 + seed.below(40 * sessions as u64);
        let (sender, receiver) = channel();
        let told: Vec<Told> = std::thread::scope(|scope| {
            let mut threads = Vec::new();
            for (number, client) in clients.iter_mut().enumerate() {
                let (sender, prefix) = (sender.clone(), format!("k{round}-{number}"));
                threads.push(scope.spawn(move || work(client, &prefix, &sender)));
            }
            for _ in 0..wanted {
                receiver.recv_timeout(TAKEOVER).unwrap();
            }
            stage.kill().unwrap();
            let threads = threads.into_iter();
            threads.map(|thread| thread.join().unwrap()).collect()
        });
        stage.start().unwrap();
        for session in told {
            for (transaction, _) in &session.transactions {
                assert!(names.insert(transaction.clone()), "{transaction} twice");
            }
            fresh.add(session);
        }
        // Now and then what is new, in the end all of it.
        if round % 10 == 0 || round == rounds {
            check(&stage, &fresh, &mut names);
            all.add(std::mem::take(&mut fresh));
        }
        if round == rounds {
            doubtful = check(&stage, &all, &mut names);
        }
    }
    let acknowledged: u64 = all
        .domains
        .values()
        .map(|one| u64::from(one.acknowledged))
        .sum();
    stage.run(&["audit", "verify"]).unwrap();
    eprintln!(
        "{}: {rounds} kills under {sessions} sessions, {acknowledged} changes acknowledged and \
         there, {doubtful} domains with a change that was cut off and is whole or absent, {} \
         names of transactions and none twice",
        stage.engine(),
        names.len()
    );
}

/// Every domain is as it was acknowledged, or as it was asked to become and not answered;
/// how many were left in doubt.
fn check(stage: &Stage, told: &Told, names: &mut BTreeSet<String>) -> u64 {
    let (mut client, mut doubtful) = (stage.client().unwrap(), 0);
    for (name, known) in &told.domains {
        let answer = client.say(&Frames::info_of(name)).unwrap();
        assert!(names.insert(answer.transaction), "a name twice");
        let found = match answer.code {
            2303 => 0,
            1000 => {
                assert_eq!(
                    answer.xml.matches("<domain:hostObj>").count(),
                    2,
                    "{}",
                    answer.xml
                );
                1 + u8::from(answer.xml.contains(STATUS))
            }
            _ => panic!("{}", answer.xml),
        };
        let range = known.acknowledged..=known.asked;
        assert!(range.contains(&found), "{name}: {known:?}, found {found}");
        doubtful += u64::from(known.asked > known.acknowledged);
    }
    // The number in a name is that of its event, which is about the domain.
    let events = events(&stage.database());
    let changes = told.transactions.iter();
    for (transaction, name) in changes.filter_map(|(at, name)| Some((at, name.as_ref()?))) {
        let number: i64 = transaction.strip_prefix("M-").unwrap().parse().unwrap();
        assert_eq!(events.get(&number), Some(name), "{transaction}");
    }
    doubtful
}

/// The domains of events.
fn events(database: &str) -> BTreeMap<i64, String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let url = database.replace("sqlite:", "sqlite://");
    runtime.unwrap().block_on(async {
        sqlx::any::install_default_drivers();
        let mut connection = AnyConnection::connect(&url).await.unwrap();
        let rows = sqlx::query_as::<_, (i64, String)>(
            "SELECT number, object FROM events WHERE kind LIKE 'domain-%'",
        );
        let rows = rows.fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        rows.into_iter().collect()
    })
}

/// How long the server takes for some answers, in all.
pub(crate) fn look(client: &mut Client, count: u64) -> Duration {
    let start = Instant::now();
    for number in 0..count {
        let name = format!("look-{number}.example");
        assert_eq!(client.say(&Frames::info_of(&name)).unwrap().code, 2303);
    }
    start.elapsed()
}
