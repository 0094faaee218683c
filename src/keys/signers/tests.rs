//! A compiler that stands still for weeks and starts again: nothing that it publishes then
//! is near its end, and the work of the next refresh is spread.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use zone_compiler::RecordType;
use zone_compiler::compile::{Options, compile_with};
use zone_compiler::sign::RrsigFields;
use zone_compiler::wire;
use zone_image::writer::Installer;
use zone_image::{Generation, Memory};

use super::*;
use crate::keys::machine::advance;
use crate::keys::seal::Secret;
use crate::registry::command::keys::{Extent, KeysPolicy, KeysStep, load};
use crate::registry::command::{Actor, Command, KeysCommand, Request};
use crate::registry::signing::{Denial, PolicyChange};
use crate::registry::testing::{NOW, TestDatabase, test_database};
use crate::registry::{Engine, Timestamp};

const DELEGATIONS: u64 = 600;
const DAY: u64 = 86_400;

/// Seconds since 1970; only this file's one test moves it.
static CLOCK: AtomicU64 = AtomicU64::new(0);

fn clock() -> u64 {
    CLOCK.load(Ordering::Relaxed)
}

fn apex() -> AnyName {
    "tld".parse().unwrap()
}

/// A zone of insecure delegations, each of which has an NSEC3 to sign, and its keys.
async fn signed_zone(vault: &Vault) -> TestDatabase {
    let mut test = test_database(Engine::Sqlite).await;
    let mut zone =
        "$ORIGIN tld.\n$TTL 3600\n@ SOA ns1.nic h.nic 1 2 3 4 5\n@ NS ns1.ext.example.\n"
            .to_owned();
    for number in 0..DELEGATIONS {
        zone.push_str(&format!("d{number} NS ns1.ext.example.\n"));
    }
    test.import(&zone).await.unwrap();
    let change = PolicyChange {
        denial: Some(Denial::Nsec3),
        ..PolicyChange::default()
    };
    let policy = KeysPolicy {
        apex: apex(),
        change,
    };
    submit(&mut test, KeysCommand::Policy(Box::new(policy))).await;
    let keys = load(&mut test.database, &apex()).await.unwrap().unwrap();
    for new in advance(&keys.timeline, &keys.policy, NOW).wants {
        let add = vault.make(&apex(), &new, "database").unwrap();
        submit(&mut test, KeysCommand::Add(Box::new(add))).await;
    }
    let keys = load(&mut test.database, &apex()).await.unwrap().unwrap();
    let step = advance(&keys.timeline, &keys.policy, NOW);
    let step = KeysStep {
        apex: apex(),
        revision: keys.revision,
        timeline: step.timeline,
        remove: Vec::new(),
        extent: Extent::Zone,
    };
    submit(&mut test, KeysCommand::Step(Box::new(step))).await;
    test
}

async fn submit(test: &mut TestDatabase, command: KeysCommand) {
    let request = Request {
        actor: Actor::operator("test"),
        at: Timestamp(NOW.0),
        lab: false,
        command: Command::Keys(command),
    };
    Box::pin(test.database.execute(&request)).await.unwrap();
}

/// Compiles the zone as it is at `now`, keeping what is good of the image before.
fn compile(signers: &Signers, location: &Location, image: &Path, now: u64) -> (u64, u64) {
    CLOCK.store(now, Ordering::Relaxed);
    let snapshot = Snapshot::open(&location.as_source()).unwrap();
    let apex = apex().to_name();
    let signing = signers.signing(&snapshot, &apex).unwrap().unwrap();
    let previous = Generation::open(image, Memory::Mapped).ok();
    let options = Options {
        signing: Some(Arc::new(signing)),
        previous: previous.map(Arc::new),
        ..Options::default()
    };
    let mut source = snapshot.source(&apex).unwrap();
    let mut installer = Installer::replace(image, None).unwrap();
    let report = compile_with(&mut source, &mut installer, &options, &|_| {}).unwrap();
    installer.stage().unwrap().install().unwrap();
    (report.signed.made, report.signed.kept)
}

/// Seconds that are left of each signature of the image.
fn lives(image: &Path, now: u64) -> Vec<i64> {
    let image = Generation::open(image, Memory::Mapped).unwrap();
    let zone = image.zone(apex().to_name().as_wire()).unwrap();
    let mut lives = Vec::new();
    let read: Result<(), ()> = wire::each_record(zone, &mut |_, record| {
        if record.rtype == RecordType::RRSIG {
            let fields = RrsigFields::parse(&record.rdata).unwrap();
            assert!(fields.is_valid_at(now));
            lives.push(fields.seconds_left(now));
        }
        Ok(())
    });
    read.unwrap();
    lives
}

#[test]
fn after_weeks_without_a_compile_all_is_refreshed_and_spread_out() {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    let vault = Vault::new(Some(Secret::create(&secret).unwrap()), None);
    let vault = Arc::new(vault);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let test = runtime.block_on(signed_zone(&vault));
    let signers = Signers::new(Arc::clone(&vault), test.location.clone(), clock);
    let image = folder.path().join("image");
    let begin = u64::try_from(NOW.0 / 1_000_000).unwrap();
    let (made, kept) = compile(&signers, &test.location, &image, begin);
    assert!(made > DELEGATIONS && kept == 0, "{made} {kept}");
    let keys = runtime.block_on(async {
        let mut database = Database::open(&test.location).await.unwrap();
        load(&mut database, &apex()).await.unwrap().unwrap()
    });
    let refresh = i64::from(keys.policy.signature_refresh);
    // Soon after, what is good is kept.
    let (made, kept) = compile(&signers, &test.location, &image, begin + DAY);
    assert!(made < 10 && kept > DELEGATIONS, "{made} {kept}");
    // Nobody compiles for so long that the first signatures have an hour left.
    let shortest = lives(&image, begin + DAY).into_iter().min().unwrap();
    let stopped = begin + DAY + u64::try_from(shortest).unwrap() - 3600;
    assert!(
        lives(&image, stopped)
            .into_iter()
            .all(|left| left < refresh)
    );
    let (made, kept) = compile(&signers, &test.location, &image, stopped);
    assert!(made > DELEGATIONS && kept == 0, "{made} {kept}");
    let lives = lives(&image, stopped);
    assert!(lives.iter().all(|left| *left > refresh));
    // The policy's jitter is a day: a quarter of the work for each quarter of it.
    let mut quarters = BTreeMap::new();
    let longest = lives.iter().copied().max().unwrap();
    for left in &lives {
        let quarter = (longest - left) * 4 / i64::from(keys.policy.signature_jitter);
        *quarters.entry(quarter.min(3)).or_insert(0_usize) += 1;
    }
    // 150 each, give or take six standard deviations.
    assert_eq!(quarters.len(), 4, "{quarters:?}");
    assert!(
        quarters.values().all(|count| (85..220).contains(count)),
        "{quarters:?}"
    );
}
