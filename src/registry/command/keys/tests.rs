//! Policies, keys and steps on both engines, and what the compiler sees of them.

use zone_compiler::database::Snapshot;
use zone_image::Name;

use super::*;
use crate::registry::command::{Actor, Command, Info, Outcome, Request};
use crate::registry::signing::{KeyState, SigningMode, State};
use crate::registry::testing::{NOW, TestDatabase, engines, test_database};
use crate::registry::{Engine, Role};

fn apex() -> AnyName {
    "tld".parse().unwrap()
}

fn request(command: KeysCommand) -> Request {
    Request {
        actor: Actor::operator("test"),
        at: NOW,
        lab: false,
        command: Command::Keys(command),
    }
}

async fn stage(engine: Engine) -> TestDatabase {
    let mut test = test_database(engine).await;
    let zone = "$ORIGIN tld.\n$TTL 3600\n@ SOA ns1.nic h.nic 1 2 3 4 5\n@ NS ns1.ext.example.\n";
    test.import(zone).await.unwrap();
    test
}

fn add(octet: u8) -> KeysAdd {
    let mut rdata = vec![1, 1, 3, 13];
    rdata.extend([octet; 64]);
    KeysAdd {
        apex: apex(),
        role: KeyRole::Csk,
        dnskey: DnskeyData::from_rdata(&rdata).unwrap(),
        retires: Vec::new(),
        in_use: false,
        store: "database".to_owned(),
        reserved: None,
        sealed: Some(Sealed(b"sealed octets".to_vec())),
    }
}

async fn run(test: &mut TestDatabase, command: KeysCommand) -> Result<i64, String> {
    let outcome = Box::pin(test.database.execute(&request(command))).await;
    outcome
        .map(|outcome| outcome.event().unwrap())
        .map_err(|error| error.to_string())
}

async fn keys(test: &mut TestDatabase) -> ZoneKeys {
    load(&mut test.database, &apex()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_step_is_stored_and_seen_by_the_compiler_at_its_event() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let tld = Name::parse_absolute("tld").unwrap();
        let signing = |test: &TestDatabase| {
            let snapshot = Snapshot::open(&test.location.as_source()).unwrap();
            let signing = snapshot.signing(&tld).unwrap();
            signing.map(|signing| signing.keys().to_vec())
        };
        assert!(signing(&test).is_none());
        run(&mut test, KeysCommand::Add(Box::new(add(1))))
            .await
            .unwrap();
        assert!(signing(&test).is_none(), "nothing is published yet");
        let before = keys(&mut test).await;
        assert_eq!(before.policy, SigningPolicy::default());
        let mut timeline = before.timeline.clone();
        let key = &mut timeline.keys[0];
        key.dnskey.state = State::Rumoured;
        key.key_signature.state = State::Rumoured;
        key.zone_signatures.state = State::Omnipresent;
        key.active_at = Some(NOW);
        timeline.unserved_since = Some(NOW);
        let step = KeysStep {
            apex: apex(),
            revision: before.revision,
            timeline: timeline.clone(),
            remove: Vec::new(),
            extent: Extent::Zone,
        };
        let serial = |test: &TestDatabase| {
            let snapshot = Snapshot::open(&test.location.as_source()).unwrap();
            snapshot.zones()[0].serial
        };
        let serial_before = serial(&test);
        run(&mut test, KeysCommand::Step(Box::new(step.clone())))
            .await
            .unwrap();
        assert_eq!(serial(&test), serial_before + 1);
        let after = keys(&mut test).await;
        assert_eq!(after.timeline, timeline);
        let seen = signing(&test).unwrap();
        let [stored] = seen.as_slice() else {
            panic!("{seen:?}")
        };
        assert_eq!(stored.id, timeline.keys[0].id.0);
        assert!(stored.key.published && !stored.key.cds);
        assert!(stored.key.signs.keys && stored.key.signs.zone);
        let error = run(&mut test, KeysCommand::Step(Box::new(step)))
            .await
            .unwrap_err();
        assert!(error.contains("changed meanwhile"), "{error}");
        let gone = KeysStep {
            apex: apex(),
            revision: after.revision,
            timeline: Default::default(),
            remove: vec![timeline.keys[0].id],
            extent: Extent::Zone,
        };
        run(&mut test, KeysCommand::Step(Box::new(gone)))
            .await
            .unwrap();
        assert!(
            sealed_keys(&mut test.database, &apex())
                .await
                .unwrap()
                .is_empty()
        );
        assert!(signing(&test).is_none());
    }
}

#[tokio::test]
async fn keys_that_cannot_be_are_refused() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut bad = add(1);
        bad.role = KeyRole::Zsk;
        let error = run(&mut test, KeysCommand::Add(Box::new(bad)))
            .await
            .unwrap_err();
        assert!(error.contains("256"), "{error}");
        run(&mut test, KeysCommand::Add(Box::new(add(1))))
            .await
            .unwrap();
        let error = run(&mut test, KeysCommand::Add(Box::new(add(1))))
            .await
            .unwrap_err();
        assert!(error.contains("algorithm and tag"), "{error}");
        let mut bad = add(2);
        bad.retires = vec![KeyId(9999)];
        let error = run(&mut test, KeysCommand::Add(Box::new(bad)))
            .await
            .unwrap_err();
        assert!(error.contains("no such key"), "{error}");
        let change = PolicyChange {
            algorithm: Some(5),
            ..PolicyChange::default()
        };
        let policy = KeysPolicy {
            apex: apex(),
            change,
        };
        let error = run(&mut test, KeysCommand::Policy(Box::new(policy)))
            .await
            .unwrap_err();
        assert!(error.contains("algorithm 5"), "{error}");
        let change = PolicyChange {
            zone_ttl_max: Some(3599),
            ..PolicyChange::default()
        };
        let policy = KeysPolicy {
            apex: apex(),
            change,
        };
        let error = run(&mut test, KeysCommand::Policy(Box::new(policy)))
            .await
            .unwrap_err();
        assert!(error.contains("3600, the longest TTL"), "{error}");
        let mut as_registrar = request(resign());
        as_registrar.actor.role = Role::Registrar("reg-a".parse().unwrap());
        let refused = Box::pin(test.database.execute(&as_registrar)).await;
        assert!(refused.is_err());
    }
}

#[tokio::test]
async fn a_zone_that_is_to_be_unsigned_lets_all_keys_go() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let mut key = add(1);
        key.in_use = true;
        run(&mut test, KeysCommand::Add(Box::new(key)))
            .await
            .unwrap();
        assert!(
            keys(&mut test)
                .await
                .timeline
                .keys
                .iter()
                .all(KeyState::is_settled)
        );
        let change = PolicyChange {
            mode: Some(SigningMode::Unsigned),
            ..PolicyChange::default()
        };
        let policy = KeysPolicy {
            apex: apex(),
            change,
        };
        run(&mut test, KeysCommand::Policy(Box::new(policy)))
            .await
            .unwrap();
        let keys = keys(&mut test).await;
        assert_eq!(keys.policy.mode, SigningMode::Unsigned);
        assert!(!keys.timeline.keys[0].is_settled());
    }
}

#[tokio::test]
async fn no_sealed_key_is_in_the_event_log_or_in_what_is_shown() {
    for engine in engines() {
        let mut test = stage(engine).await;
        run(&mut test, KeysCommand::Add(Box::new(add(1))))
            .await
            .unwrap();
        let query = sqlx::query_scalar("SELECT detail FROM events WHERE kind = 'keys-add'");
        let detail: String = query.fetch_one(test.database.connection()).await.unwrap();
        assert!(detail.contains("\"role\":\"csk\""), "{detail}");
        let info = request(KeysCommand::Info(apex()));
        let Outcome::Read(info) = Box::pin(test.database.execute(&info)).await.unwrap() else {
            panic!("no info")
        };
        let Info::Keys(_) = &*info else {
            panic!("{info:?}")
        };
        let shown = serde_json::to_string(&info).unwrap();
        for text in [detail, shown, format!("{:?}", add(1))] {
            assert!(
                !text.contains("sealed octets") && !text.contains("115,101"),
                "{text}"
            );
        }
        let sealed = sealed_keys(&mut test.database, &apex()).await.unwrap();
        assert_eq!(sealed[0].1, Sealed(b"sealed octets".to_vec()));
    }
}

fn resign() -> KeysCommand {
    KeysCommand::Resign(KeysResign {
        apex: apex(),
        refreshed_at: None,
    })
}

#[test]
fn the_word_for_signatures_is_the_compilers() {
    assert_eq!(SIGNATURES, zone_compiler::database::SIGNATURES);
    assert!(AnyName::parse(SIGNATURES).is_err(), "no name is written so");
}
