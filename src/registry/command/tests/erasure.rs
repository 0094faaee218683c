//! Personal data is erased for good, and the chain of events is as it was.

use super::life::shown;
use super::*;
use crate::registry::Engine;
use crate::registry::audit;
use crate::registry::command::past::show;

const PERSONAL: [&str; 6] = [
    "Jo Doe",
    "Elm-Street-9",
    "+49.77001",
    "jo@mail.example",
    "other@b.example",
    "Nowhereville",
];

async fn staged(engine: Engine) -> TestDatabase {
    let mut test = stage(engine).await;
    play(
        &mut test,
        "op zone policy tld data-model=maximum = 1000
         reg-a contact create c-1 voice=+49.77001 street=Elm-Street-9 city=Nowhereville = 1000
         reg-a contact create c-2 = 1000
         reg-a domain create a.tld registrant=c-1 contact=admin:c-1 = 1000
         reg-a contact update c-1 email=other@b.example disclose=email = 1000
         reg-a contact update c-1 status=clientDeleteProhibited = 1000",
    )
    .await;
    test
}

async fn info(test: &mut TestDatabase, line: &str) -> contact::ContactInfo {
    match run(test, &parse(line)).await.unwrap() {
        Outcome::Read(info) => match *info {
            Info::Contact(info) => *info,
            info => panic!("{line}: {info:?}"),
        },
        outcome => panic!("{line}: {outcome:?}"),
    }
}

/// The octets of an SQLite database and its log, or all text that PostgreSQL has.
async fn contents(test: &mut TestDatabase) -> Vec<u8> {
    if test.database.engine() == Engine::Sqlite {
        let mut all = Vec::new();
        for name in ["registry.db", "registry.db-wal"] {
            let read = std::fs::read(test.folder.path().join(name));
            all.extend(read.unwrap_or_default());
        }
        return all;
    }
    let mut all = String::new();
    for table in [
        "events",
        "object_states",
        "contacts",
        "data_keys",
        "poll_messages",
        "changes",
    ] {
        let text = format!("SELECT CAST(t AS TEXT) FROM {table} t");
        let rows: Vec<(String,)> = sqlx::query_as(sqlx::AssertSqlSafe(text))
            .fetch_all(test.database.connection())
            .await
            .unwrap();
        all.extend(rows.into_iter().map(|(row,)| row + "\n"));
    }
    all.into_bytes()
}

fn holds(contents: &[u8], wanted: &[u8]) -> bool {
    contents
        .windows(wanted.len())
        .any(|window| window == wanted)
}

async fn chain(test: &mut TestDatabase) -> audit::Verification {
    let verified = audit::verify(&mut test.database, &[], &mut |_, _| {}).await;
    let verified = verified.unwrap();
    assert_eq!(verified.told, []);
    verified
}

#[tokio::test]
async fn nothing_that_was_erased_is_in_the_database_any_more() {
    for engine in engines() {
        let mut test = staged(engine).await;
        let before = chain(&mut test).await;
        let key: Vec<u8> = sqlx::query_scalar("SELECT key FROM data_keys WHERE handle = 'c-1'")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
        let all = contents(&mut test).await;
        assert!(
            holds(&all, b"+49.77001") && holds(&all, b"Nowhereville"),
            "{engine:?}"
        );
        let hexadecimal: String = key.iter().map(|octet| format!("{octet:02x}")).collect();
        let written = [&key[..], hexadecimal.as_bytes()];
        assert!(
            written.iter().any(|key| holds(&all, key)),
            "{engine:?}: no key is found"
        );

        play(&mut test, "op contact delete c-2 = 1000").await;
        play(&mut test, "op contact erase c-1 case=7 = 1000").await;
        play(&mut test, "op contact erase c-2 former=yes case=7 = 1000").await;
        let all = contents(&mut test).await;
        for words in PERSONAL {
            assert!(
                !holds(&all, words.as_bytes()),
                "{engine:?}: {words} is still there"
            );
        }
        for key in written {
            assert!(!holds(&all, key), "{engine:?}: the key is still there");
        }
        // What was written before is as it was.
        let anchor = audit::Anchor {
            event: before.last_event,
            digest: before.digest,
        };
        let after = audit::verify(&mut test.database, &[anchor], &mut |_, _| {}).await;
        assert_eq!(after.unwrap().told, []);
    }
}

#[tokio::test]
async fn an_earlier_state_is_shown_without_what_was_erased() {
    for engine in engines() {
        let mut test = staged(engine).await;
        let last = crate::registry::last_event(&mut test.database)
            .await
            .unwrap();
        let moment = (last - 1).to_string().parse().unwrap();
        let past = show(&mut test.database, "c-1", moment).await.unwrap();
        assert_eq!(past.objects[0].info["email"], "other@b.example");
        play(&mut test, "op contact erase c-1 case=7 at=1d = 1000").await;
        let past = show(&mut test.database, "c-1", moment).await.unwrap();
        let info = &past.objects[0].info;
        assert_eq!(
            (&info["erased"], &info["disclose"]),
            (&true.into(), &"hide email".into())
        );
        for field in ["email", "voice"] {
            assert_eq!(info[field], serde_json::Value::Null, "{field}");
        }
        assert_eq!(info["int"]["name"], serde_json::Value::Null);
        // The event says who, when and why, and of whom.
        let row: (String, String, String) =
            sqlx::query_as("SELECT kind, object, cause FROM events ORDER BY number DESC LIMIT 1")
                .fetch_one(test.database.connection())
                .await
                .unwrap();
        assert_eq!((row.0.as_str(), row.1.as_str()), ("contact-erase", "c-1"));
        assert!(row.2.contains("\"7\""), "{}", row.2);
        let line = "reg-a contact info c-1";
        let info = info_fields(&mut test, line).await;
        assert_eq!(info, (None, None, Vec::new(), Some(later("1d"))));
        let kept = shown(&mut test, "reg-a domain info a.tld").await;
        assert_eq!(kept.registrant.as_deref(), Some("c-1"));
    }
}

async fn info_fields(
    test: &mut TestDatabase,
    line: &str,
) -> (
    Option<String>,
    Option<String>,
    Vec<String>,
    Option<Timestamp>,
) {
    let info = info(test, line).await;
    (info.int.name, info.email, info.keys, info.erased_at)
}

#[tokio::test]
async fn an_erased_contact_says_nothing_and_takes_nothing() {
    const KEY: &str = "key=0000000000000000000000000000000000000000000000000000000000000000";
    for engine in engines() {
        let mut test = staged(engine).await;
        let script = "
            op contact keys c-1 KEY case=6 = 1000
            reg-a contact erase c-1 case=7 = 2201
            contact:c-1 contact erase c-1 case=7 = 2201
            op contact erase c-9 case=7 = 2303
            op contact erase c-1 = 2003
            op contact erase c-1 former=yes case=7 = 2303
            op contact erase c-1 case=7 = 1000
            op contact erase c-1 case=7 = 2304
            reg-a contact update c-1 email=new@mail.example = 2304
            op contact keys c-1 KEY case=7 = 2304
            contact:c-1 domain info a.tld = 2201
            reg-a domain create b.tld registrant=c-1 = 2304
            reg-a domain update a.tld contact=tech:c-1 = 2304
            reg-a domain update a.tld registrant=c-2 -contact=admin:c-1 = 1000
            reg-a contact delete c-1 = 2304
            op contact delete c-1 = 2304
            op contact create c-1 by=reg-a = 2302";
        play(&mut test, &script.replace("KEY", KEY)).await;
    }
}

#[tokio::test]
async fn who_had_a_handle_before_is_erased_alone() {
    for engine in engines() {
        let mut test = stage(engine).await;
        play(
            &mut test,
            "op zone policy tld data-model=maximum = 1000
             reg-a contact create c-1 street=Elm-Street-9 = 1000
             reg-a contact delete c-1 = 1000
             reg-b contact create c-1 street=Oak-Street-1 = 1000
             reg-b contact update c-1 voice=+49.1 = 1000
             op contact erase c-1 former=yes = 2003
             op contact erase c-1 former=yes case=7 = 1000
             op contact erase c-1 former=yes case=7 = 2303",
        )
        .await;
        let last = crate::registry::last_event(&mut test.database)
            .await
            .unwrap();
        let mut streets = Vec::new();
        for back in [4, 2] {
            let moment = (last - back).to_string().parse().unwrap();
            let past = show(&mut test.database, "c-1", moment).await.unwrap();
            streets.push(past.objects[0].info["int"]["street"].clone());
        }
        let streets: Vec<_> = streets.iter().map(|street| street[0].as_str()).collect();
        assert_eq!(streets, [None, Some("Oak-Street-1")], "{engine:?}");
    }
}

#[tokio::test]
async fn a_rehearsal_says_what_is_left_and_erases_nothing() {
    let mut test = staged(Engine::Sqlite).await;
    let erase = parse("op contact erase c-1 case=7");
    let found = test.database.rehearse(&erase).await.unwrap();
    assert!(found.added.is_empty() && found.removed.is_empty());
    let note = "c-1 is left without name, addresses, numbers and keys; it is registrant of 1 \
                domains and their contact 1 times, which should get another";
    assert_eq!(found.notes, [note]);
    let info = info(&mut test, "reg-a contact info c-1").await;
    assert_eq!(info.email.as_deref(), Some("other@b.example"));
    let kept: Option<i64> =
        sqlx::query_scalar("SELECT shredded_at FROM data_keys WHERE handle = 'c-1'")
            .fetch_one(test.database.connection())
            .await
            .unwrap();
    assert_eq!(kept, None);
}
