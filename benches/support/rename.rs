//! The longest command: a rename of a host that very many domains name. How long it takes,
//! and how long others wait for it, who write and who read.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use meridian::registry::command::host::HostUpdate;
use meridian::registry::command::registrar::RegistrarUpdate;
use meridian::registry::command::{HostCommand, RegistrarCommand};
use meridian::registry::{
    Actor, Command, CsvOptions, Database, Location, Request, Timestamp, import_csv, last_event,
};
use tokio::runtime::Runtime;

/// Domains that name one host.
const DEPENDANTS: u32 = 100_000;
/// Renames, there and back.
const ROUNDS: usize = 6;

fn request(command: Command) -> Request {
    Request {
        actor: Actor::operator("bench"),
        at: Timestamp(0),
        lab: true,
        command,
    }
}

/// Files of a registry in which all domains but one name a host of that one.
fn write_dependants(folder: &Path) {
    let mut domains = "name,registrar\nbig.tld,reg-a\n".to_owned();
    let mut delegations = "domain,host\n".to_owned();
    for number in 0..DEPENDANTS {
        writeln!(domains, "d{number}.tld,reg-a").expect("memory is there");
        writeln!(delegations, "d{number}.tld,ns1.big.tld").expect("memory is there");
    }
    let zones = "apex,soa_mname,soa_rname,serial\ntld,ns.example,h.example,1\n";
    let records = "zone,owner,type,ttl,data\ntld,tld,NS,3600,ns.example.\n";
    for (file, text) in [
        ("zones.csv", zones),
        ("records.csv", records),
        ("registrars.csv", "handle,name\nreg-a,A\n"),
        ("hosts.csv", "name,registrar\nns1.big.tld,reg-a\n"),
        ("addresses.csv", "host,address\nns1.big.tld,192.0.2.1\n"),
        ("domains.csv", domains.as_str()),
        ("delegations.csv", delegations.as_str()),
    ] {
        std::fs::write(folder.join(file), text).expect("the folder is ours");
    }
}

/// Does something again and again until it is told to end; the longest and how often.
fn repeated(
    location: &Location,
    is_over: &AtomicBool,
    mut what: impl FnMut(&Runtime, &mut Database),
) -> (Duration, u32) {
    let runtime = Runtime::new().expect("threads can be started");
    let database = runtime.block_on(Database::open(location));
    let mut database = database.expect("it is there");
    let (mut longest, mut count) = (Duration::ZERO, 0);
    while !is_over.load(Ordering::Relaxed) {
        let start = Instant::now();
        what(&runtime, &mut database);
        longest = longest.max(start.elapsed());
        count += 1;
    }
    (longest, count)
}

fn rename(runtime: &Runtime, database: &mut Database, names: [&str; 2]) -> Duration {
    let [old, new] = names.map(|name| name.parse().expect("a name"));
    let mut update = HostUpdate::new(old);
    update.new_name = Some(new);
    let command = Command::Host(HostCommand::Update(update));
    let start = Instant::now();
    let done = runtime.block_on(Box::pin(database.execute(&request(command))));
    done.expect("nobody has that name");
    start.elapsed()
}

/// A command of another's that touches one row.
fn write(runtime: &Runtime, database: &mut Database) {
    let update = RegistrarUpdate {
        handle: "reg-a".parse().expect("a handle"),
        name: Some("A".to_owned()),
        iana_id: None,
        data_model: None,
        status: None,
    };
    let command = Command::Registrar(RegistrarCommand::Update(update));
    let done = runtime.block_on(Box::pin(database.execute(&request(command))));
    done.expect("it is there");
}

/// Measures on one engine and says what came of it.
pub(crate) fn measure(name: &str, location: &Location) {
    let runtime = Runtime::new().expect("threads can be started");
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    write_dependants(folder.path());
    let mut database = runtime.block_on(async {
        let database = Database::init(location, Timestamp(0)).await;
        let mut database = database.expect("a new place");
        let options = CsvOptions::new(folder.path(), Timestamp(0));
        let imported = Box::pin(import_csv(&mut database, &options, &mut |_| {})).await;
        imported.expect("the files are sound");
        database
    });
    let mut names = ["ns1.big.tld", "ns2.big.tld"];
    let mut alone = Vec::new();
    for _ in 0..ROUNDS {
        alone.push(rename(&runtime, &mut database, names));
        names.reverse();
    }
    let is_over = AtomicBool::new(false);
    let (mut beside, writer, reader) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| repeated(location, &is_over, write));
        let reader = scope.spawn(|| {
            repeated(location, &is_over, |runtime, database| {
                let read = runtime.block_on(last_event(database));
                read.expect("it is there");
            })
        });
        let mut beside = Vec::new();
        for _ in 0..ROUNDS {
            beside.push(rename(&runtime, &mut database, names));
            names.reverse();
        }
        is_over.store(true, Ordering::Relaxed);
        let writer = writer.join().expect("it has not panicked");
        (beside, writer, reader.join().expect("it has not panicked"))
    });
    alone.sort();
    beside.sort();
    eprintln!(
        "{name}: rename of a host that {DEPENDANTS} domains name, {ROUNDS} times: {:?} to \
         {:?}; beside a writer and a reader {:?} to {:?}, the longest of {} commands of the \
         writer {:?}, of {} reads {:?}",
        alone[0],
        alone[ROUNDS - 1],
        beside[0],
        beside[ROUNDS - 1],
        writer.1,
        writer.0,
        reader.1,
        reader.0
    );
}
