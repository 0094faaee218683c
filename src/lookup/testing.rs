//! A registry for the tests of what the public sees.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::{Lookups, Settings};
pub(crate) use crate::registry::Engine;
pub(crate) use crate::registry::testing::TestDatabase;
use crate::registry::testing::{NOW, test_database};
use crate::registry::{Actor, Command, Outcome, Request, Timestamp};

/// What is in every registry here.
pub(crate) const DS: &str =
    "12345 13 2 49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC49FD46E6C4B45C55D4AC1234";

/// Does a command of the registry, a second after the one before.
pub(crate) async fn execute(test: &mut TestDatabase, command: Value) -> i64 {
    let command: Command = serde_json::from_value(command).unwrap();
    let newest = crate::registry::last_event(&mut test.database)
        .await
        .unwrap();
    let request = Request {
        actor: Actor::operator("test"),
        at: Timestamp(NOW.0 + i64::try_from(newest).unwrap() * 1_000_000),
        lab: true,
        command,
    };
    let done: Outcome = Box::pin(test.database.execute(&request)).await.unwrap();
    done.event().unwrap()
}

/// Zone `tld`; registrar `reg-a` with number 9995 and all fields, `reg-b` with none; person
/// `c-person`, organization `c-org`, a person `c-open` who wishes everything shown, and a
/// technical contact `c-tech`. Domains: `person.tld` and `org.tld` with hosts, and DS of the
/// first; `thin.tld` of `reg-b` without anything; `xn--bcher-kva.tld` is not registered.
/// Contacts are kept for domains of `reg-a`, and for those of `reg-b` they are not. The tests of
/// the whole program have the same one.
pub(crate) async fn stage(engine: Engine) -> TestDatabase {
    let mut test = test_database(engine).await;
    for command in include_str!("stage.jsonl").lines() {
        execute(&mut test, serde_json::from_str(command).unwrap()).await;
    }
    test
}

/// Parks the domains of `tld` that have no name server, and signs what they answer.
pub(crate) async fn park_signed(test: &mut TestDatabase) {
    for command in [
        serde_json::json!({ "zone": { "parking": { "apex": "tld", "ttl": 60,
            "servers": ["p1.park.example", "p2.park.example"] } } }),
        serde_json::json!({ "zone": { "policy": { "apex": "tld",
            "change": { "parked-answers": "signed" } } } }),
    ] {
        execute(test, command).await;
    }
}

/// Look-ups without a limit of rates, a minute after all that was done.
pub(crate) fn lookups(test: &TestDatabase) -> Arc<Lookups> {
    lookups_with(test, |_| {})
}

/// The same with settings of the test's own.
pub(crate) fn lookups_with(test: &TestDatabase, set: impl FnOnce(&mut Settings)) -> Arc<Lookups> {
    let mut settings = Settings {
        location: test.location.clone(),
        readers: 2,
        time_limit: Duration::from_secs(20),
        queries_per_second: 0,
        burst: 1,
        clock: || NOW.0 + 60_000_000,
    };
    set(&mut settings);
    Arc::new(Lookups::new(settings).unwrap())
}
