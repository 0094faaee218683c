//! How many commands a second become durable, on each engine? How long does the longest
//! one hold the write lock?
//!
//! A registrar's domains are registered through the one writer, by one caller that waits for each
//! acknowledgement, and by 32 callers at once. A commit is a sync of the disk whatever
//! is in it: what 32 callers get beyond one is group commit. Then a host is renamed that
//! 100,000 domains name: the write lock is held for that time. PostgreSQL is a server of
//! its own with its default durability; where it is not installed, this is said.
//!
//! `cargo bench --bench commands`.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use meridian::registry::command::domain::DomainCreate;
use meridian::registry::command::host::HostUpdate;
use meridian::registry::command::registrar::RegistrarCreate;
use meridian::registry::command::zone::{ZoneCommand, ZoneCreate};
use meridian::registry::{
    Actor, Command, CsvOptions, Database, Location, Request, Standby, Timestamp, Writer, command,
    import_csv,
};
use tokio::runtime::Runtime;

#[path = "../src/registry/testing/postgres.rs"]
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
mod postgres;

const CALLERS: [u64; 2] = [1, 32];
/// Domains that name one host.
const DEPENDANTS: u32 = 100_000;

fn request(command: Command) -> Request {
    Request {
        actor: Actor::operator("bench"),
        at: Timestamp(0),
        lab: true,
        command,
    }
}

/// An empty registry with a zone and a registrar.
async fn stage(location: &Location) {
    let mut database = Database::init(location, Timestamp(0))
        .await
        .expect("a new place");
    let record = "tld. 3600 NS ns.example.".parse().expect("a record");
    let zone = ZoneCreate {
        apex: "tld".parse().expect("a name"),
        mname: "ns.example".parse().expect("a name"),
        rname: "h.example".parse().expect("a name"),
        records: vec![record],
    };
    let registrar = RegistrarCreate {
        handle: "reg-a".parse().expect("a handle"),
        name: "A".to_owned(),
        iana_id: None,
    };
    for command in [
        Command::Zone(ZoneCommand::Create(zone)),
        Command::Registrar(command::RegistrarCommand::Create(registrar)),
    ] {
        database
            .execute(&request(command))
            .await
            .expect("it is empty");
    }
}

fn create(number: u64) -> Request {
    let create = DomainCreate::new(format!("d{number}.tld").parse().expect("a name"));
    let command = Command::Domain(command::DomainCommand::Create(create));
    // What the registry does itself is told to the sponsor, which is more work.
    Request {
        actor: Actor::registrar("reg-a".parse().expect("a handle")),
        ..request(command)
    }
}

/// Registers `count` domains, spread over the callers.
async fn register(writer: &Writer, callers: u64, count: u64, next: &'static AtomicU64) {
    let mut tasks = tokio::task::JoinSet::new();
    for caller in 0..callers {
        let writer = writer.clone();
        let own = count / callers + u64::from(caller < count % callers);
        tasks.spawn(async move {
            for _ in 0..own {
                let number = next.fetch_add(1, Ordering::Relaxed);
                writer.submit(create(number)).await.expect("a new domain");
            }
        });
    }
    tasks.join_all().await;
}

fn engine(criterion: &mut Criterion, runtime: &Runtime, name: &str, location: &Location) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let (writer, task) = runtime.block_on(async {
        stage(location).await;
        let started = Writer::start(location, "bench", Standby::Refuse).await;
        started.expect("nobody else writes")
    });
    let mut group = criterion.benchmark_group(format!("durable commands, {name}"));
    group
        .throughput(Throughput::Elements(1))
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .sample_size(10);
    for callers in CALLERS {
        group.bench_function(format!("{callers} callers"), |bencher| {
            bencher.iter_custom(|count| {
                let start = Instant::now();
                runtime.block_on(register(&writer, callers, count, &NEXT));
                start.elapsed()
            });
        });
    }
    group.finish();
    drop(writer);
    let ended = runtime.block_on(task).expect("the task has not panicked");
    ended.expect("it was not deposed");
}

/// Files of a registry in which all domains but one name a host of that one.
fn write_dependants(folder: &Path) {
    let mut domains = "name,registrar\nbig.tld,reg-a\n".to_owned();
    let mut delegations = "domain,host\n".to_owned();
    for number in 0..DEPENDANTS {
        writeln!(domains, "d{number}.tld,reg-a").expect("memory is there");
        writeln!(delegations, "d{number}.tld,ns1.big.tld").expect("memory is there");
    }
    for (file, text) in [
        (
            "zones.csv",
            "apex,soa_mname,soa_rname,serial\ntld,ns.example,h.example,1\n",
        ),
        (
            "records.csv",
            "zone,owner,type,ttl,data\ntld,tld,NS,3600,ns.example.\n",
        ),
        ("registrars.csv", "handle,name\nreg-a,A\n"),
        ("hosts.csv", "name,registrar\nns1.big.tld,reg-a\n"),
        ("addresses.csv", "host,address\nns1.big.tld,192.0.2.1\n"),
        ("domains.csv", domains.as_str()),
        ("delegations.csv", delegations.as_str()),
    ] {
        std::fs::write(folder.join(file), text).expect("the folder is ours");
    }
}

fn dependants(criterion: &mut Criterion, runtime: &Runtime, name: &str, location: &Location) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write_dependants(folder.path());
    let mut database = runtime.block_on(async {
        let database = Database::init(location, Timestamp(0)).await;
        let mut database = database.expect("a new place");
        let options = CsvOptions::new(folder.path(), Timestamp(0));
        let imported = import_csv(&mut database, &options, &mut |_| {}).await;
        imported.expect("the files are sound");
        database
    });
    let mut names = ["ns1.big.tld", "ns2.big.tld"];
    let title = format!("rename of a name server of {DEPENDANTS} domains, {name}");
    let mut group = criterion.benchmark_group("the longest command");
    group.sample_size(10).bench_function(title, |bencher| {
        bencher.iter(|| {
            let [old, new] = names.map(|name| name.parse().expect("a name"));
            let mut update = HostUpdate::new(old);
            update.new_name = Some(new);
            let command = Command::Host(command::HostCommand::Update(update));
            let done = runtime.block_on(Box::pin(database.execute(&request(command))));
            done.expect("nobody has that name");
            names.reverse();
        });
    });
    group.finish();
}

fn commands(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("threads can be started");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = Location::File(folder.path().join("registry.db"));
    engine(criterion, &runtime, "SQLite", &file);
    let file = Location::File(folder.path().join("dependants.db"));
    dependants(criterion, &runtime, "SQLite", &file);
    if postgres::server().is_some() {
        let location = Location::Url(postgres::new_database());
        engine(criterion, &runtime, "PostgreSQL", &location);
        let location = Location::Url(postgres::new_database());
        dependants(criterion, &runtime, "PostgreSQL", &location);
    }
}

criterion_group!(benches, commands);
criterion_main!(benches);
