//! The chain on both engines: what is written verifies, and what is done behind the
//! registry's back is found where it was done.

use sqlx::AssertSqlSafe;

use super::super::command::registrar::RegistrarCreate;
use super::super::command::{Cause, RegistrarCommand};
use super::super::testing::{NOW, TestDatabase, engines, test_database};
use super::super::{Actor, Command, Database, Request};
use super::chain::page;
use super::*;

fn create(number: usize) -> Request {
    let handle = format!("reg-{number}");
    let mut actor = Actor::operator("test");
    actor.cause = number.is_multiple_of(2).then(|| Cause {
        reason: Some(format!("because of {number}")),
        case: None,
    });
    Request {
        actor,
        at: NOW,
        lab: true,
        command: Command::Registrar(RegistrarCommand::Create(RegistrarCreate {
            handle: handle.parse().unwrap(),
            name: handle,
            iana_id: None,
        })),
    }
}

/// Ten events: the first, an import's two, and seven registrars.
async fn stage(engine: super::super::Engine) -> TestDatabase {
    let mut test = test_database(engine).await;
    let zone = "$ORIGIN tld.\n@ 60 SOA ns1.nic h.nic 1 2 3 4 5\n@ 60 NS ns1.ext.example.\n";
    test.import(zone).await.unwrap();
    for number in 0..7 {
        test.database.execute(&create(number)).await.unwrap();
    }
    test
}

async fn run(database: &mut Database, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    let done = sqlx::query(statement).execute(database.connection()).await;
    assert!(done.unwrap().rows_affected() > 0, "changed nothing");
}

async fn verified(database: &mut Database, anchors: &[Anchor]) -> Verification {
    let mut told = Vec::new();
    let mut progress = |done, total| told.push((done, total));
    let found = verify(database, anchors, &mut progress).await.unwrap();
    assert!(told.iter().all(|(done, total)| done <= total), "{told:?}");
    found
}

fn breaks(found: &Verification) -> Vec<(i64, BreakKind)> {
    assert_eq!(found.breaks, found.told.len() as u64);
    found
        .told
        .iter()
        .map(|told| (told.event, told.kind))
        .collect()
}

#[tokio::test]
async fn what_was_written_verifies() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let found = verified(&mut test.database, &[]).await;
        assert_eq!((found.events, found.last_event), (10, 10));
        assert_eq!(breaks(&found), []);
        let anchor = Anchor {
            event: 10,
            digest: found.digest,
        };
        test.database.execute(&create(8)).await.unwrap();
        let found = verified(&mut test.database, &[anchor]).await;
        assert_eq!((found.last_event, found.breaks), (11, 0));
        let again = format!("{}:{}", anchor.event, anchor.digest);
        assert_eq!(again.parse(), Ok(anchor));
    }
}

#[tokio::test]
async fn tampering_is_found_where_it_was_done() {
    use BreakKind::{Beyond, Changed, Head, Missing, Unchained};
    const CASES: [(&str, &[(i64, BreakKind)]); 12] = [
        (
            "UPDATE events SET detail = '{}' WHERE number = 5",
            &[(5, Changed)],
        ),
        (
            "UPDATE events SET actor = 'operator:eve' WHERE number = 10",
            &[(10, Changed)],
        ),
        (
            "UPDATE events SET time = time + 1 WHERE number = 1",
            &[(1, Changed)],
        ),
        (
            "UPDATE events SET kind = kind || 'd' WHERE number = 4",
            &[(4, Changed)],
        ),
        (
            "UPDATE events SET object = NULL WHERE number = 4",
            &[(4, Changed)],
        ),
        (
            "UPDATE events SET zone_id = NULL WHERE number = 2",
            &[(2, Changed)],
        ),
        (
            "UPDATE events SET cause = NULL WHERE number = 6",
            &[(6, Changed)],
        ),
        (
            "UPDATE events SET digest = NULL WHERE number = 6",
            &[(6, Unchained)],
        ),
        ("DELETE FROM events WHERE number = 5", &[(5, Missing)]),
        (
            "DELETE FROM events WHERE number = 10",
            &[(10, Missing), (10, Head)],
        ),
        (
            "INSERT INTO events SELECT 11, time, kind, actor, zone_id, object, detail, cause, \
             digest, states FROM events WHERE number = 10",
            &[(11, Beyond)],
        ),
        // The last was never there, for who believes the row.
        (
            "UPDATE registry SET last_event = 9",
            &[(9, Head), (10, Beyond)],
        ),
    ];
    for engine in engines() {
        for (statement, expected) in CASES {
            let mut test = stage(engine).await;
            run(&mut test.database, statement).await;
            let found = verified(&mut test.database, &[]).await;
            assert_eq!(breaks(&found), expected, "{engine:?}: {statement}");
        }
    }
}

/// Who computes digests too moves the break to the next event, and a chain that is new
/// from there on is known by an anchor alone.
#[tokio::test]
async fn a_forger_must_forge_all_that_came_after() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let noted = verified(&mut test.database, &[]).await;
        let events = page(test.database.connection(), 0, 100).await.unwrap();
        let mut forged = events[4].entry.clone();
        forged.detail = Some("{}".to_owned());
        let digest = forged.digest(events[3].digest.unwrap());
        let forge = "UPDATE events SET detail = '{}', digest = $1 WHERE number = 5";
        let forge = sqlx::query(forge).bind(digest.column());
        forge.execute(test.database.connection()).await.unwrap();
        let found = verified(&mut test.database, &[]).await;
        assert_eq!(breaks(&found), [(6, BreakKind::Changed)]);

        run(&mut test.database, "UPDATE registry SET last_digest = NULL").await;
        complete(engine, test.database.connection()).await.unwrap();
        let anchor = Anchor {
            event: noted.last_event,
            digest: noted.digest,
        };
        assert_eq!(breaks(&verified(&mut test.database, &[]).await), []);
        let found = verified(&mut test.database, &[anchor]).await;
        assert_eq!(breaks(&found), [(10, BreakKind::Anchor)]);
    }
}

/// A database of before the chain gets it when it is opened.
#[tokio::test]
async fn an_older_log_is_chained_by_the_upgrade() {
    for engine in engines() {
        let mut test = stage(engine).await;
        let expected = verified(&mut test.database, &[]).await.digest;
        run(&mut test.database, "UPDATE events SET digest = NULL").await;
        run(&mut test.database, "UPDATE registry SET last_digest = NULL").await;
        let error = test.database.execute(&create(9)).await.unwrap_err();
        assert!(error.to_string().contains("no digest"), "{error}");
        complete(engine, test.database.connection()).await.unwrap();
        let found = verified(&mut test.database, &[]).await;
        assert_eq!((found.digest, found.breaks), (expected, 0));
        test.database.execute(&create(9)).await.unwrap();
        assert_eq!(verified(&mut test.database, &[]).await.breaks, 0);
    }
}

#[test]
fn no_two_contents_are_the_same_octets() {
    let entry = Entry {
        number: 1,
        time: 0,
        kind: "ab".into(),
        actor: "c".into(),
        zone_id: None,
        object: Some(String::new()),
        cause: None,
        detail: None,
        states: None,
    };
    let same = |other: &Entry| entry.digest(Digest::default()) == other.digest(Digest::default());
    assert!(same(&entry.clone()));
    let (kind, actor) = ("a".to_owned(), "bc".to_owned());
    assert!(!same(&Entry {
        kind,
        actor,
        ..entry.clone()
    }));
    assert!(!same(&Entry {
        object: None,
        ..entry.clone()
    }));
    assert!(!same(&Entry {
        zone_id: Some(0),
        ..entry.clone()
    }));
    assert!(!same(&Entry {
        states: Some(Digest::default()),
        ..entry.clone()
    }));
    let (object, cause) = (None, entry.object.clone());
    assert!(!same(&Entry {
        object,
        cause,
        ..entry.clone()
    }));
}

#[test]
fn secrets_are_masked_wherever_they_stand() {
    let value = serde_json::json!({
        "domain": { "create": { "name": "a.tld", "auth-info": "2fooBAR", "pin": null,
            "parts": [ { "password": { "new": "s3cret" } } ] } }
    });
    let expected = serde_json::json!({
        "domain": { "create": { "name": "a.tld", "auth-info": "(masked)", "pin": null,
            "parts": [ { "password": "(masked)" } ] } }
    });
    assert_eq!(masked(value), expected);
}
