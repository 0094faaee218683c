//! How many commands a second become durable in a registry of a million domains, on each
//! engine? How large is it, and how long does the longest command hold the write lock?
//!
//! Registrars create, update and delete domains through the one writer, each waiting for
//! its acknowledgement: one caller, and 32 at once. A commit is a sync of the disk whatever
//! is in it: what 32 callers get beyond one is group commit. `info` is read on a connection
//! of each caller. Then a host is renamed that 100,000 domains name, while somebody else
//! writes and somebody reads. PostgreSQL is a server of its own with its default
//! durability; where it is not installed, this is said.
//!
//! `cargo bench --bench commands`; `MERIDIAN_BENCH_DOMAINS` for another size. The files of
//! the databases, about 1 GB each, go where `TMPDIR` says.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use loadtest::generate::{self, NameServers, Parameters};
use meridian::registry::command::domain::{DomainCreate, DomainQuery, DomainUpdate};
use meridian::registry::types::{DomainName, HostName};
use meridian::registry::{
    Actor, Command, CsvOptions, Database, Location, Request, Standby, Timestamp, Writer, command,
    import_csv, status,
};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use zone_image::Name;

#[path = "../src/registry/testing/postgres.rs"]
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
mod postgres;
#[path = "support/rename.rs"]
mod rename;

const CALLERS: [u64; 2] = [1, 32];
const DOMAINS: u64 = 1_000_000;
/// Far apart from each other in every index, and each once in a round.
const STRIDE: u64 = 600_011;

/// The registry that is imported, and what commands are about.
struct Stage {
    registry: generate::Registry,
    /// Name servers outside the zone.
    hosts: Vec<HostName>,
    next: AtomicU64,
}

impl Stage {
    fn new(domains: u64) -> Self {
        let parameters = Parameters {
            apex: Name::parse_absolute("tld").expect("a name"),
            domains,
            seed: 1,
            queries: 0,
            exponent: 1.0,
            signed: false,
        };
        let registry = generate::Registry::new(parameters).expect("parameters within bounds");
        let outside = registry.domains().find(|domain| {
            matches!(domain.name_servers, NameServers::Operator { count, .. } if count >= 2)
        });
        let hosts = registry.hosts_of(&outside.expect("most domains have such"));
        let hosts = hosts.iter().map(|host| host.parse().expect("a name"));
        Self {
            hosts: hosts.collect(),
            registry,
            next: AtomicU64::new(0),
        }
    }

    fn next(&self) -> u64 {
        self.next.fetch_add(1, Ordering::Relaxed)
    }

    /// A registered domain and its sponsor, another one each time.
    fn registered(&self, number: u64) -> (DomainName, Actor) {
        let domains = self.registry.parameters().domains;
        let domain = self.registry.domain(number.wrapping_mul(STRIDE) % domains);
        let name = format!("{}{}", domain.label, self.registry.suffix());
        let name = name.trim_end_matches('.').parse().expect("a name");
        (name, registrar(domain.salt % 100))
    }
}

fn registrar(number: u64) -> Actor {
    let handle = format!("reg-{number:03}");
    Actor::registrar(handle.parse().expect("a handle"))
}

fn by(actor: Actor, command: command::DomainCommand) -> Request {
    Request {
        actor,
        at: Timestamp(0),
        lab: true,
        command: Command::Domain(command),
    }
}

fn create(stage: &Stage, number: u64) -> Request {
    let name = format!("bench{number}.tld").parse().expect("a name");
    let mut create = DomainCreate::new(name);
    create.hosts.clone_from(&stage.hosts);
    by(
        registrar(number % 100),
        command::DomainCommand::Create(Box::new(create)),
    )
}

/// Another DS in the place of those that are there.
fn update(stage: &Stage, number: u64) -> Request {
    let (name, sponsor) = stage.registered(number);
    let mut update = DomainUpdate::new(name);
    let ds = format!("{} 13 2 {number:064x}", number % 65_536);
    update.remove_all_ds = true;
    update.add.ds = vec![ds.parse().expect("a DS")];
    by(sponsor, command::DomainCommand::Update(Box::new(update)))
}

/// One that was registered just now, and goes at once.
fn delete(number: u64) -> Request {
    let name = format!("bench{number}.tld").parse().expect("a name");
    by(
        registrar(number % 100),
        command::DomainCommand::Delete(name),
    )
}

/// What the commands of a run are, by the number of each.
type Commands = fn(&Stage, u64) -> Request;

/// Submits commands of these numbers, spread over the callers.
async fn submit(
    writer: &Writer,
    stage: &Arc<Stage>,
    callers: u64,
    run: (u64, u64),
    make: Commands,
) {
    let (first, count) = run;
    let mut tasks = JoinSet::new();
    for caller in 0..callers {
        let (writer, stage) = (writer.clone(), Arc::clone(stage));
        tasks.spawn(async move {
            for number in (first + caller..first + count).step_by(usize_of(callers)) {
                let request = make(&stage, number);
                writer.submit(request).await.expect("nothing forbids it");
            }
        });
    }
    tasks.join_all().await;
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).expect("a small number")
}

/// As many numbers that were not taken yet.
fn numbers(stage: &Stage, count: u64) -> (u64, u64) {
    (stage.next.fetch_add(count, Ordering::Relaxed), count)
}

fn changes(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    writer: &Writer,
    stage: &Arc<Stage>,
) {
    let kinds: [(&str, Option<Commands>, Commands); 3] = [
        ("create", None, create),
        ("update", None, update),
        ("delete", Some(create), |_, number| delete(number)),
    ];
    for (kind, before, make) in kinds {
        for callers in CALLERS {
            group.bench_function(format!("{kind}, {callers} callers"), |bencher| {
                bencher.iter_custom(|count| {
                    let run = numbers(stage, count);
                    if let Some(before) = before {
                        runtime.block_on(submit(writer, stage, CALLERS[1], run, before));
                    }
                    let start = Instant::now();
                    runtime.block_on(submit(writer, stage, callers, run, make));
                    start.elapsed()
                });
            });
        }
    }
}

/// Reads need no writer: each caller has a connection.
fn reads(
    group: &mut BenchmarkGroup<'_, WallTime>,
    runtime: &Runtime,
    location: &Location,
    stage: &Arc<Stage>,
) {
    for callers in [1, 4] {
        let mut connections = runtime.block_on(async {
            let mut connections = Vec::new();
            for _ in 0..callers {
                let database = Database::open(location).await;
                connections.push(database.expect("it is there"));
            }
            connections
        });
        group.bench_function(format!("info, {callers} callers"), |bencher| {
            bencher.iter_custom(|count| {
                let start = Instant::now();
                connections = runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for mut database in connections.drain(..) {
                        let stage = Arc::clone(stage);
                        tasks.spawn(async move {
                            for _ in 0..count.div_ceil(callers) {
                                let (name, sponsor) = stage.registered(stage.next());
                                let query = DomainQuery::new(&name);
                                let info = by(sponsor, command::DomainCommand::Info(query));
                                let read = Box::pin(database.execute(&info)).await;
                                read.expect("it is registered");
                            }
                            database
                        });
                    }
                    tasks.join_all().await
                });
                start.elapsed()
            });
        });
    }
}

/// Makes the registry and says how large it is.
async fn fill(location: &Location, files: &Path, name: &str, domains: u64) {
    let database = Database::init(location, Timestamp(0)).await;
    let mut database = database.expect("a new place");
    let options = CsvOptions::new(files, Timestamp(0));
    let imported = Box::pin(import_csv(&mut database, &options, &mut |_| {})).await;
    imported.expect("the files are sound");
    let bytes = status(&mut database).await.expect("it is there").bytes;
    let each = bytes as f64 / domains as f64;
    eprintln!("{name}: {domains} domains take {bytes} octets, {each:.0} a domain");
}

fn engine(criterion: &mut Criterion, name: &str, location: &Location, stage: &Arc<Stage>) {
    let runtime = Runtime::new().expect("threads can be started");
    let domains = stage.registry.parameters().domains;
    let files = tempfile::tempdir().expect("a temporary folder can be made");
    generate::write_csv(&stage.registry, files.path()).expect("the disk has room");
    runtime.block_on(fill(location, files.path(), name, domains));
    drop(files);
    let (writer, task) = runtime.block_on(async {
        let started = Writer::start(location, "bench", Standby::Refuse).await;
        started.expect("nobody else writes")
    });
    let mut group = criterion.benchmark_group(format!("{domains} domains, {name}"));
    group
        .throughput(Throughput::Elements(1))
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(10);
    changes(&mut group, &runtime, &writer, stage);
    reads(&mut group, &runtime, location, stage);
    group.finish();
    drop(writer);
    let ended = runtime.block_on(task).expect("the task has not panicked");
    ended.expect("it was not deposed");
}

fn commands(criterion: &mut Criterion) {
    let domains = std::env::var("MERIDIAN_BENCH_DOMAINS").ok();
    let domains = domains.map_or(DOMAINS, |text| text.parse().expect("a number"));
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = |name: &str| Location::File(folder.path().join(name));
    rename::measure("SQLite", &file("dependants.db"));
    let stage = Arc::new(Stage::new(domains));
    engine(criterion, "SQLite", &file("registry.db"), &stage);
    drop(folder);
    if postgres::server().is_some() {
        let database = || Location::Url(postgres::new_database());
        rename::measure("PostgreSQL", &database());
        engine(criterion, "PostgreSQL", &database(), &stage);
    }
}

criterion_group!(benches, commands);
criterion_main!(benches);
