//! What commands made comes out, goes in elsewhere, and is the same to whoever asks.

use serde_json::{Value, json};

use super::super::super::{Actor, Command, Info, Outcome, Request};
use super::*;

const KEY: &str = "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=";
const TOKEN: &str = "kQ7-vT2rW9zM4xL8aB3c";

fn commands() -> Vec<Value> {
    let zone = |apex: &str| {
        json!({ "zone": { "create": { "apex": apex, "mname": "ns1.nic.example",
            "rname": "hostmaster.nic.example",
            "records": [format!("{apex}. 3600 NS ns1.nic.example.")] } } })
    };
    let policy = |apex: &str, change: Value| json!({ "zone": { "policy": { "apex": apex, "change": change } } });
    vec![
        zone("tld"),
        zone("test"),
        policy(
            "tld",
            json!({ "ds-interface": "keys", "host-model": "attributes" }),
        ),
        policy("test", json!({ "stage": "sandbox" })),
        json!({ "registrar": { "create": { "handle": "reg-a", "name": "A", "iana-id": 7 } } }),
        json!({ "registrar": { "create": { "handle": "reg-t", "name": "T" } } }),
        json!({ "registrar": { "access": { "handle": "reg-t", "stage": "sandbox" } } }),
        json!({ "registrar": { "public": { "handle": "reg-a", "set": {
            "city": "Port \"of\", comma", "url": "https://reg-a.example/" } } } }),
        json!({ "zone": { "disclosure": { "apex": "tld", "set": [
            { "role": "registrant", "field": "name", "rule": "always" },
            { "role": "tech", "field": "email", "rule": "never" }] } } }),
        json!({ "zone": { "labels": { "apex": "tld", "hold": [{ "label": "gold",
            "kind": "premium", "reason": "100 a year", "token": TOKEN }] } } }),
        json!({ "domain": { "create": { "name": "a.tld", "registrar": "reg-a", "keys": [KEY],
            "attributes": [{ "name": "ns1.a.tld", "addresses": ["192.0.2.1"] },
                { "name": "ns.outside.example" }] } } }),
        json!({ "domain": { "create": { "name": "x.test", "registrar": "reg-t" } } }),
    ]
}

async fn execute(test: &mut TestDatabase, command: Value) -> Result<Outcome, u16> {
    let command: Command = serde_json::from_value(command.clone())
        .unwrap_or_else(|error| panic!("{command}: {error}"));
    let newest = crate::registry::last_event(&mut test.database)
        .await
        .unwrap();
    let request = Request {
        actor: Actor::operator("test"),
        at: Timestamp(NOW.0 + i64::try_from(newest).unwrap() * 1_000_000),
        lab: true,
        command,
    };
    let done = Box::pin(test.database.execute(&request)).await;
    done.map_err(|error| error.code().number())
}

async fn info(test: &mut TestDatabase, query: Value) -> Info {
    match execute(test, query).await.unwrap() {
        Outcome::Read(info) => *info,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn keys_attributes_rules_tokens_and_public_data_are_the_same_elsewhere() {
    for engine in engines() {
        let mut first = test_database(engine).await;
        for command in commands() {
            execute(&mut first, command.clone())
                .await
                .unwrap_or_else(|code| panic!("{command}: {code}"));
        }
        let files = export(&mut first, "exported").await;
        for other in engines() {
            let mut second = test_database(other).await;
            let options = CsvOptions::new(first.folder.path().join("exported"), NOW);
            assert_eq!(run(&mut second, &options).await.unwrap().rejected, 0);
            assert_eq!(export(&mut second, "again").await, files);
            assert_eq!(second.published(), first.published());
            for query in [
                json!({ "domain": { "info": { "name": "a.tld" } } }),
                json!({ "registrar": { "info": "reg-a" } }),
                json!({ "registrar": { "info": "reg-t" } }),
            ] {
                let (before, after) = (
                    info(&mut first, query.clone()).await,
                    info(&mut second, query.clone()).await,
                );
                // Numbers of objects are given anew.
                let shown = |info: &Info| {
                    let mut shown = serde_json::to_value(info).unwrap();
                    for info in shown.as_object_mut().unwrap().values_mut() {
                        info.as_object_mut().unwrap().remove("roid");
                    }
                    shown
                };
                assert_eq!(shown(&before), shown(&after), "{query}");
            }
            // An attribute is no object there either, and the token fits still.
            let host = json!({ "host": { "info": "ns.outside.example" } });
            assert_eq!(execute(&mut second, host).await.unwrap_err(), 2303);
            let create = |token: &str| {
                json!({ "domain": { "create": { "name": "gold.tld", "registrar": "reg-a",
                    "token": token } } })
            };
            let wrong = create("kQ7-vT2rW9zM4xL8aB3d");
            assert_eq!(execute(&mut second, wrong).await.unwrap_err(), 2201);
            execute(&mut second, create(TOKEN)).await.unwrap();
        }
    }
}
