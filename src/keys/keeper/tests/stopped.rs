//! The compiler stands still until signatures near their end: what the keeper says of it
//! meanwhile, against the signatures themselves, and what a restart makes of it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use zone_compiler::compile::{Options, compile_with};
use zone_compiler::database::Snapshot;
use zone_compiler::sign::RrsigFields;
use zone_compiler::{RecordType, wire};
use zone_image::writer::Installer;
use zone_image::{Generation, Memory};

use super::*;
use crate::keys::signers::Signers;
use crate::registry::signing::Denial;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Between two looks; the policy of five days of refresh signs anew every five hours.
const ROUND: i64 = 5 * HOUR;
const JITTER: i64 = DAY;
/// Each has an NSEC3 to sign.
const DELEGATIONS: u64 = 240;

/// Seconds since 1970 for the signers; only this file's one test moves it.
static CLOCK: AtomicU64 = AtomicU64::new(0);

/// Compiles into an image of its own what the registry has.
struct Compiler {
    signers: Signers,
    folder: tempfile::TempDir,
}

impl Compiler {
    fn new(stage: &Stage) -> Self {
        let (vault, location) = (&stage.work.settings.vault, stage.test.location.clone());
        let clock = || CLOCK.load(Ordering::Relaxed);
        Self {
            signers: Signers::new(Arc::clone(vault), location, clock),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn image(&self) -> PathBuf {
        self.folder.path().join("image")
    }

    /// Compiles and serves; gives how many signatures were made and kept.
    fn publish(&self, stage: &mut Stage) -> (u64, u64) {
        CLOCK.store(now(stage), Ordering::Relaxed);
        let snapshot = Snapshot::open(&stage.test.location.as_source()).unwrap();
        let apex = apex().to_name();
        let signing = self.signers.signing(&snapshot, &apex).unwrap().unwrap();
        let previous = Generation::open(&self.image(), Memory::Mapped).ok();
        let options = Options {
            signing: Some(Arc::new(signing)),
            previous: previous.map(Arc::new),
            ..Options::default()
        };
        let mut source = snapshot.source(&apex).unwrap();
        let mut installer = Installer::replace(&self.image(), None).unwrap();
        let report = compile_with(&mut source, &mut installer, &options, &|_| {}).unwrap();
        installer.stage().unwrap().install().unwrap();
        stage.serve();
        (report.signed.made, report.signed.kept)
    }

    /// Seconds that are left of each signature that is served, each of them good.
    fn lives(&self, stage: &Stage) -> Vec<i64> {
        let (image, now) = (self.image(), now(stage));
        let image = Generation::open(&image, Memory::Mapped).unwrap();
        let zone = image.zone(apex().to_name().as_wire()).unwrap();
        let mut lives = Vec::new();
        let read: Result<(), ()> = wire::each_record(zone, &mut |_, record| {
            if record.rtype == RecordType::RRSIG {
                let fields = RrsigFields::parse(&record.rdata).unwrap();
                assert!(fields.is_valid_at(now), "{record}");
                lives.push(fields.seconds_left(now));
            }
            Ok(())
        });
        read.unwrap();
        lives
    }

    fn shortest(&self, stage: &Stage) -> i64 {
        self.lives(stage).into_iter().min().unwrap()
    }
}

fn now(stage: &Stage) -> u64 {
    u64::try_from(stage.now.load(Ordering::Relaxed) / SECOND).unwrap()
}

/// A round in which everything works; gives how many signatures were made.
fn healthy(stage: &mut Stage, compiler: &Compiler) -> u64 {
    stage.pass(ROUND);
    stage.look();
    let (made, _) = compiler.publish(stage);
    stage.look();
    let (said, truth) = (stage.seconds_left(), compiler.shortest(stage));
    assert!(said <= truth, "{said} is more than {truth}");
    assert!(said > 5 * DAY - 2 * ROUND, "{said}");
    made
}

#[test]
fn signatures_near_their_end_are_told_of_and_all_are_replaced_after_a_restart() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let policy = PolicyChange {
        denial: Some(Denial::Nsec3),
        signature_jitter: Some(u32::try_from(JITTER).unwrap()),
        ..times()
    };
    let names = (0..DELEGATIONS).map(|number| format!("d{number} NS ns1.ext.example.\n"));
    let mut stage = Stage::with_names(Engine::Sqlite, policy, &names.collect::<String>());
    stage.look();
    let compiler = Compiler::new(&stage);
    let (made, kept) = compiler.publish(&mut stage);
    assert!(made > DELEGATIONS && kept == 0, "{made} {kept}");
    stage.look();
    // Lives are of 13 to 14 days, so after eight days the first are replaced.
    for _ in 0..37 {
        let made = healthy(&mut stage, &compiler);
        assert!(made < 20, "{made}");
    }
    assert_eq!(lines.alarms(), 0);

    // Nothing is compiled any more. What was signed on the first day goes on to its end.
    let mut told = Vec::new();
    while stage.seconds_left() > ROUND {
        stage.pass(ROUND);
        stage.look();
        let truth = compiler.shortest(&stage);
        assert!(stage.seconds_left() <= truth, "{truth}");
        if lines.alarms() > told.len() {
            told.push(truth);
        }
    }
    let [first, second] = told.as_slice() else {
        panic!("{told:?}")
    };
    assert!((2 * DAY..4 * DAY).contains(first), "{told:?}");
    assert!((DAY..2 * DAY).contains(second), "{told:?}");
    let before = compiler.lives(&stage);
    let refresh = 5 * DAY;
    let old = before.iter().filter(|left| **left < refresh).count();
    // The SOA was signed with each serial.
    assert!(before.len() - old <= 2, "{before:?}");

    // It starts again, and so does the keeper.
    stage.restart();
    stage.look();
    assert!(stage.work.zones[&apex()].alarm > 0);
    assert_eq!(lines.alarms(), 3, "the new keeper tells of it too");
    let (made, kept) = compiler.publish(&mut stage);
    assert!(made > DELEGATIONS && kept <= 2, "{made} {kept}");
    stage.pass(1);
    stage.look();
    assert_eq!(stage.work.zones[&apex()].alarm, 0);
    let lives = compiler.lives(&stage);
    assert!(lives.iter().all(|left| *left > refresh));
    check_spread(&lives);
    // And so is the work when these come to their refresh, nine days later.
    let rounds: Vec<_> = (0..45).map(|_| healthy(&mut stage, &compiler)).collect();
    let all = rounds.iter().sum::<u64>();
    assert!(all > DELEGATIONS, "{rounds:?}");
    // A round is a fifth of the jitter.
    assert!(
        rounds.iter().all(|made| *made < DELEGATIONS / 2),
        "{rounds:?}"
    );
    assert_eq!(lines.alarms(), 3, "none since the restart");
}

/// A quarter of the ends lies in each quarter of the jitter.
fn check_spread(lives: &[i64]) {
    let longest = lives.iter().copied().max().unwrap();
    let mut quarters = BTreeMap::new();
    for left in lives {
        let quarter = (longest - left) * 4 / JITTER;
        *quarters.entry(quarter.min(3)).or_insert(0_u64) += 1;
    }
    // 60 each, give or take six standard deviations of 6.7.
    assert_eq!(quarters.len(), 4, "{quarters:?}");
    assert!(
        quarters.values().all(|count| (20..=100).contains(count)),
        "{quarters:?}"
    );
}
