//! The keeper one look at a time, on a clock that the test moves: what it does, what it
//! waits for, and the alarm when nothing of it gets served.

mod alarms;
mod stopped;

use std::net::UdpSocket;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use zone_compiler::sign::{DigestType, ds_rdata};

use self::alarms::Lines;
use super::*;
use crate::keys::seal::Secret;
use crate::registry::Engine;
use crate::registry::command::keys::KeysPolicy;
use crate::registry::signing::{PolicyChange, RecordKind, SigningMode, State};
use crate::registry::testing::{NOW, TestDatabase, engines, test_database};

/// Policy of the tests: waits of 3,600 + 60 s, of the DS record 7,200 + 60 s; signatures
/// live for 14 days and are made anew five days before their end.
fn times() -> PolicyChange {
    PolicyChange {
        dnskey_ttl: Some(3600),
        zone_ttl_max: Some(3600),
        ds_ttl: Some(7200),
        propagation: Some(60),
        parent_propagation: Some(60),
        safety: Some(0),
        signature_validity: Some(14 * 86_400),
        signature_refresh: Some(5 * 86_400),
        ..PolicyChange::default()
    }
}

struct Stage {
    test: TestDatabase,
    runtime: Runtime,
    work: Work,
    now: Arc<AtomicI64>,
    served: Arc<AtomicU64>,
    wakes: Arc<AtomicU64>,
    seen: Seen,
}

/// What the keeper sees of the world, and the world of it.
struct Seen {
    now: Arc<AtomicI64>,
    served: Arc<AtomicU64>,
    zone_served: Arc<Mutex<Option<(u64, u32)>>>,
    wakes: Arc<AtomicU64>,
}

impl Seen {
    fn settings(&self, location: Location, vault: Arc<Vault>) -> Settings {
        let (clock, event) = (Arc::clone(&self.now), Arc::clone(&self.served));
        let (zone, woken) = (Arc::clone(&self.zone_served), Arc::clone(&self.wakes));
        Settings {
            location,
            vault,
            interval: Duration::from_secs(1),
            parent_interval: Duration::from_secs(300),
            clock: Box::new(move || clock.load(Ordering::Relaxed)),
            served: Box::new(move |_| Served {
                everything: event.load(Ordering::Relaxed),
                zone: *zone.lock().unwrap(),
            }),
            wake: Box::new(move || {
                woken.fetch_add(1, Ordering::Relaxed);
            }),
        }
    }
}

impl Stage {
    fn new(engine: Engine, policy: PolicyChange) -> Self {
        Self::with_names(engine, policy, "")
    }

    /// With more in its zone than the apex.
    fn with_names(engine: Engine, policy: PolicyChange, more: &str) -> Self {
        let runtime = || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            builder.enable_all().build().unwrap()
        };
        let own = runtime();
        let test = own.block_on(async {
            let mut test = test_database(engine).await;
            let zone =
                "$ORIGIN tld.\n$TTL 3600\n@ SOA ns1.nic h.nic 1 2 3 4 5\n@ NS ns1.ext.example.\n";
            test.import(&(zone.to_owned() + more)).await.unwrap();
            test
        });
        let secret = test.folder.path().join("secret");
        Secret::create(&secret).unwrap();
        let vault = Arc::new(Vault::new(Some(Secret::load(&secret).unwrap()), None));
        let seen = Seen {
            now: Arc::new(AtomicI64::new(NOW.0)),
            served: Arc::default(),
            zone_served: Arc::default(),
            wakes: Arc::default(),
        };
        let work = Work::new(
            seen.settings(test.location.clone(), vault),
            runtime(),
            Arc::default(),
        );
        let mut stage = Self {
            test,
            runtime: own,
            work,
            now: Arc::clone(&seen.now),
            served: Arc::clone(&seen.served),
            wakes: Arc::clone(&seen.wakes),
            seen,
        };
        stage.change(policy);
        stage
    }

    /// The process ends and starts again: what is not in the registry is forgotten.
    fn restart(&mut self) {
        let vault = Arc::clone(&self.work.settings.vault);
        let settings = self.seen.settings(self.test.location.clone(), vault);
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.enable_all().build().unwrap();
        self.work = Work::new(settings, runtime, Arc::default());
    }

    /// The zone alone is served as it is now; what else there is stays behind.
    fn serve_zone(&mut self) {
        let apex = apex();
        let version = registry::zone_version(&mut self.test.database, &apex);
        let version = self.runtime.block_on(version).unwrap();
        *self.seen.zone_served.lock().unwrap() = version;
    }

    fn submit(&mut self, command: KeysCommand) {
        let request = Request {
            actor: Actor::operator("test"),
            at: Timestamp(self.now.load(Ordering::Relaxed)),
            lab: false,
            command: Command::Keys(command),
        };
        let execute = Box::pin(self.test.database.execute(&request));
        self.runtime.block_on(execute).unwrap();
    }

    fn change(&mut self, change: PolicyChange) {
        let apex = apex();
        self.submit(KeysCommand::Policy(Box::new(KeysPolicy { apex, change })));
    }

    fn last_event(&mut self) -> u64 {
        let event = registry::last_event(&mut self.test.database);
        self.runtime.block_on(event).unwrap()
    }

    /// A look; gives how many events it made.
    fn look(&mut self) -> u64 {
        let before = self.last_event();
        self.work.look().unwrap();
        self.last_event() - before
    }

    fn serve(&mut self) {
        let event = self.last_event();
        self.served.store(event, Ordering::Relaxed);
    }

    fn pass(&mut self, seconds: i64) {
        self.now.fetch_add(seconds * SECOND, Ordering::Relaxed);
    }

    fn keys(&mut self) -> ZoneKeys {
        let keys = self
            .runtime
            .block_on(load(&mut self.test.database, &apex()));
        keys.unwrap().unwrap()
    }

    /// The state of a record of the only key.
    #[track_caller]
    fn state(&mut self, kind: RecordKind) -> State {
        let keys = self.keys();
        let [key] = keys.timeline.keys.as_slice() else {
            panic!("{:?}", keys.timeline)
        };
        key.record(kind).state
    }

    /// Everything is served at once, until the DS record is asked for.
    fn run_until_ds(&mut self) {
        for _ in 0..8 {
            self.look();
            self.serve();
            self.look();
            if self.state(RecordKind::Ds) == State::Rumoured {
                return;
            }
            self.pass(3660);
        }
        panic!("no DS record: {:?}", self.keys().timeline);
    }

    fn seconds_left(&self) -> i64 {
        let zones = self.work.state.zones();
        zones[&apex()].signatures_expire_seconds.unwrap()
    }
}

fn apex() -> AnyName {
    "tld".parse().unwrap()
}

#[test]
fn nothing_moves_before_it_is_served_and_every_wait_is_kept() {
    for engine in engines() {
        let mut stage = Stage::new(engine, times());
        assert_eq!(stage.look(), 2, "a key, and the step that publishes it");
        assert!(stage.wakes.load(Ordering::Relaxed) >= 2, "the publisher");
        let first = stage.keys();
        assert_eq!(stage.state(RecordKind::Dnskey), State::Rumoured);
        assert_eq!(stage.state(RecordKind::ZoneSignatures), State::Rumoured);
        assert_eq!(stage.state(RecordKind::Ds), State::Hidden);
        assert!(first.timeline.unserved_since.is_some());
        // Less than a re-sign is away: whatever happens now were a step.
        stage.pass(4000);
        assert_eq!(stage.look(), 0);
        assert_eq!(stage.keys(), first, "not served, however long it takes");
        stage.serve();
        assert_eq!(stage.look(), 1, "its times are moved to now");
        let served = stage.keys().timeline;
        assert_eq!(served.unserved_since, None);
        assert_eq!(
            served.keys[0].dnskey.since,
            Timestamp(NOW.0 + 4000 * SECOND)
        );
        stage.pass(3659);
        assert_eq!(stage.look(), 0, "a second too early");
        stage.pass(1);
        assert_eq!(stage.look(), 1);
        assert_eq!(stage.state(RecordKind::Dnskey), State::Omnipresent);
        assert_eq!(
            stage.state(RecordKind::Ds),
            State::Rumoured,
            "CDS asks for it"
        );
    }
}

#[test]
fn a_ds_record_is_waited_for_however_long_the_parent_takes() {
    let mut stage = Stage::new(Engine::Sqlite, times());
    stage.run_until_ds();
    stage.serve();
    stage.look();
    assert_eq!(stage.work.state.zones()[&apex()].awaits_parent, 1);
    for _ in 0..30 {
        stage.pass(86_400);
        stage.look();
        stage.serve();
    }
    assert_eq!(stage.state(RecordKind::Ds), State::Rumoured);
    let mut keys = stage.keys();
    let id = keys.timeline.keys[0].id;
    let now = Timestamp(stage.now.load(Ordering::Relaxed));
    assert!(keys.timeline.confirm_ds(&[id], now));
    stage.submit(KeysCommand::Step(Box::new(KeysStep {
        apex: apex(),
        revision: keys.revision,
        timeline: keys.timeline,
        remove: Vec::new(),
        extent: Extent::Nothing,
    })));
    stage.look();
    stage.pass(7259);
    stage.look();
    assert_eq!(stage.state(RecordKind::Ds), State::Rumoured);
    stage.pass(1);
    stage.look();
    assert_eq!(stage.state(RecordKind::Ds), State::Omnipresent);
    assert_eq!(stage.work.state.zones()[&apex()].awaits_parent, 0);
}

#[test]
fn the_parent_is_asked_once_an_interval_and_believed() {
    let parent = UdpSocket::bind("127.0.0.1:0").unwrap();
    let patience = Duration::from_secs(10);
    parent.set_read_timeout(Some(patience)).unwrap();
    let mut stage = Stage::new(Engine::Sqlite, times());
    // Answers one query, with or without the DS record.
    let answer = |parent: &UdpSocket, ds: Option<Vec<u8>>, ttl: u32| {
        let parent = parent.try_clone().unwrap();
        std::thread::spawn(move || {
            let mut buffer = [0; 512];
            let (length, peer) = parent.recv_from(&mut buffer).unwrap();
            let mut answer = buffer[..length].to_vec();
            answer[2..4].copy_from_slice(&[0x84, 0]);
            answer[7] = u8::from(ds.is_some());
            if let Some(rdata) = ds {
                answer.extend([0xc0, 12, 0, 43, 0, 1]);
                answer.extend(ttl.to_be_bytes());
                answer.extend(u16::try_from(rdata.len()).unwrap().to_be_bytes());
                answer.extend(rdata);
            }
            parent.send_to(&answer, peer).unwrap();
        })
    };
    stage.run_until_ds();
    stage.change(PolicyChange {
        parent_servers: Some(parent.local_addr().unwrap().to_string()),
        ..PolicyChange::default()
    });
    let without = answer(&parent, None, 0);
    stage.look();
    without.join().unwrap();
    let confirmed = |stage: &mut Stage| stage.keys().timeline.keys[0].ds_confirmed_at;
    assert_eq!(confirmed(&mut stage), None);
    // Nobody answers now: a query would make the look slow and stay in the socket.
    stage.pass(299);
    stage.look();
    parent.set_nonblocking(true).unwrap();
    assert!(parent.recv(&mut [0; 512]).is_err(), "asked too early");
    parent.set_nonblocking(false).unwrap();
    stage.pass(1);
    let dnskey = stage.keys().keys[0].dnskey.rdata().to_vec();
    let ds = ds_rdata(&apex().to_name(), &dnskey, DigestType::Sha256);
    // Caches would keep the old set for longer than the policy waits.
    let longer = answer(&parent, Some(ds.clone()), 7201);
    stage.look();
    longer.join().unwrap();
    assert_eq!(confirmed(&mut stage), None);
    stage.pass(300);
    let with = answer(&parent, Some(ds), 7200);
    stage.look();
    with.join().unwrap();
    let now = Timestamp(stage.now.load(Ordering::Relaxed));
    assert_eq!(confirmed(&mut stage), Some(now));
}

#[test]
fn a_look_that_failed_is_told_and_tried_again() {
    let mut stage = Stage::new(Engine::Sqlite, times());
    stage.work.settings.vault = Arc::new(Vault::new(None, None));
    let error = stage.work.look().unwrap_err().to_string();
    assert!(error.contains("keys.secret-file"), "{error}");
    let secret = stage.test.folder.path().join("secret");
    stage.work.settings.vault = Arc::new(Vault::new(Some(Secret::load(&secret).unwrap()), None));
    assert_eq!(stage.look(), 2);
}

#[test]
fn a_zone_that_is_to_be_unsigned_loses_its_keys_at_the_end() {
    let mut stage = Stage::new(Engine::Sqlite, times());
    stage.look();
    stage.serve();
    stage.look();
    stage.change(PolicyChange {
        mode: Some(SigningMode::Unsigned),
        ..PolicyChange::default()
    });
    for _ in 0..8 {
        stage.look();
        stage.serve();
        stage.look();
        stage.pass(3660);
    }
    assert_eq!(stage.keys().timeline.keys, []);
    assert_eq!(stage.keys().keys, [], "the private key went with its row");
}

#[test]
fn a_zone_that_is_served_does_not_wait_for_one_that_is_refused() {
    let mut stage = Stage::new(Engine::Sqlite, times());
    stage.look();
    stage.pass(60);
    assert_eq!(stage.look(), 0, "not served");
    // The event up to which everything is served stays where it is.
    stage.serve_zone();
    assert_eq!(stage.look(), 1);
    assert_eq!(stage.keys().timeline.unserved_since, None);
    let is_first_step = |served: Served| {
        let newest = (100, 7);
        served.has(90, newest)
    };
    let zone = |event, serial| Served {
        everything: 0,
        zone: Some((event, serial)),
    };
    assert!(is_first_step(zone(50, 7)), "its serial is the newest");
    assert!(is_first_step(zone(95, 6)), "later than what is waited for");
    assert!(!is_first_step(zone(50, 6)), "before it");
    assert!(!is_first_step(zone(101, 7)), "of another registry");
    assert!(!is_first_step(zone(95, 8)), "of another history");
}

/// One step after the other, each only with signatures of the other machine.
#[test]
fn a_step_waits_for_the_signatures_of_an_offline_key() {
    use zone_compiler::sign::{Algorithm, SigningKey, SoftwareKey};

    use crate::keys::offline::{plan, request::Request as KeyRequest};
    use crate::keys::vault::{dnskey_of, offline};
    use crate::registry::signing::{KeyRole, Layout};

    let mut stage = Stage::new(
        Engine::Sqlite,
        PolicyChange {
            layout: Some(Layout::Split),
            ksk_store: Some("offline".to_owned()),
            ..times()
        },
    );
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone());
    let _guard = tracing::subscriber::set_default(subscriber.finish());
    let ksk = SoftwareKey::generate(Algorithm::EcdsaP256Sha256).unwrap().0;
    let add = offline(&apex(), KeyRole::Ksk, dnskey_of(KeyRole::Ksk, &ksk));
    assert_eq!(stage.look(), 1, "the ZSK");
    assert_eq!(stage.look(), 0, "and nothing that nobody could sign");
    let ahead = |stage: &Stage| stage.work.state.zones()[&apex()].ahead.unwrap();
    assert!(ahead(&stage).is_held);
    stage.submit(KeysCommand::Add(Box::new(add)));
    assert_eq!(stage.look(), 0, "nothing that is not signed");
    assert!(ahead(&stage).is_held);
    let respond = |stage: &mut Stage| {
        let keys = stage.keys();
        let now = Timestamp(stage.now.load(Ordering::Relaxed));
        let end = Timestamp(now.0 + 30 * 86_400 * SECOND);
        let planned = plan(&keys, now, end, |_| Err("a key is wanted")).unwrap();
        let request = KeyRequest::new(&apex(), &keys.policy, planned.clone(), now, end);
        let response = request.sign(&[&ksk as &dyn SigningKey]).unwrap();
        let checked = response.check(&keys, &planned, now).unwrap();
        stage.submit(KeysCommand::Signatures(Box::new(checked)));
    };
    respond(&mut stage);
    assert_eq!(stage.look(), 1);
    let is_published = |stage: &mut Stage| {
        let keys = stage.keys().timeline.keys;
        keys.iter().all(|key| key.dnskey.state.is_published())
    };
    assert!(is_published(&mut stage));
    assert!(!ahead(&stage).is_held);
    let left = |stage: &Stage| ahead(stage).expire_seconds.unwrap();
    assert!(left(&stage) >= 30 * 86_400, "{}", left(&stage));
    // Nobody answers any more.
    let alarms = |lines: &Lines| {
        let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        text.matches("offline key has signed comes to its end")
            .count()
    };
    let mut seen = Vec::new();
    for day in 1..=45 {
        stage.pass(86_400);
        stage.look();
        stage.serve();
        stage.look();
        if seen.last() != Some(&alarms(&lines)) {
            seen.push(alarms(&lines));
        }
        assert!(day > 10 || alarms(&lines) == 0, "day {day}");
    }
    assert_eq!(seen, [0, 1, 2]);
    assert_eq!(left(&stage), 0);
    respond(&mut stage);
    stage.look();
    assert!(left(&stage) >= 30 * 86_400);
}
