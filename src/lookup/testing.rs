//! A registry for the tests of what the public sees.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

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

fn contact(handle: &str, kind: &str, name: &str, disclose: Value) -> Value {
    json!({ "contact": { "create": {
        "handle": handle, "registrar": "reg-a", "kind": kind,
        "int": { "name": name, "organization": format!("{name} Ltd"), "address": {
            "street": ["Main Street 1", "Back door"], "city": "Town", "province": "Land",
            "postal-code": "12345", "country": "DE" } },
        "voice": { "number": "+49.1234567", "extension": "89" },
        "fax": { "number": "+49.7654321" },
        "email": format!("{handle}@mail.example"),
        "disclose": disclose,
    } } })
}

/// Zone `tld`; registrar `reg-a` with number 9995 and all fields, `reg-b` with none; person
/// `c-person`, organization `c-org`, a person `c-open` who wishes everything shown, and a
/// technical contact `c-tech`. Domains: `person.tld` and `org.tld` with hosts, and DS of the
/// first; `thin.tld` of `reg-b` without anything; `xn--bcher-kva.tld` is not registered.
pub(crate) async fn stage(engine: Engine) -> TestDatabase {
    let mut test = test_database(engine).await;
    let everything = json!({ "show": true, "elements":
        ["name-int", "org-int", "addr-int", "voice", "fax", "email"] });
    let public = json!({
        "street": "Registrar Road 5", "city": "Port", "province": "Coast", "postal-code": "99",
        "country": "NL", "voice": "+31.201234567", "fax": "+31.207654321",
        "email": "office@reg-a.example", "url": "https://www.reg-a.example/",
        "rdap-url": "https://rdap.reg-a.example/", "whois-server": "whois.reg-a.example",
        "abuse-email": "abuse@reg-a.example", "abuse-voice": "+31.200000000",
        "admin-name": "Ada Min", "admin-voice": "+31.200000001", "admin-email": "ada@reg-a.example",
        "tech-name": "Tom Tech", "tech-voice": "+31.200000002", "tech-email": "tom@reg-a.example",
    });
    let hosts = ["ns1.org.tld", "ns2.outside.example"];
    for command in [
        json!({ "zone": { "create": { "apex": "tld", "mname": "ns1.nic.example",
            "rname": "hostmaster.nic.example", "records": ["tld. 3600 NS ns1.nic.example."] } } }),
        json!({ "zone": { "policy": { "apex": "tld", "change": { "data-model": "per-registrar" } } } }),
        json!({ "registrar": { "create": { "handle": "reg-a", "name": "Registrar A", "iana-id": 9995 } } }),
        json!({ "registrar": { "update": { "handle": "reg-a", "data-model": "maximum" } } }),
        json!({ "registrar": { "public": { "handle": "reg-a", "set": public } } }),
        json!({ "registrar": { "create": { "handle": "reg-b", "name": "Registrar B" } } }),
        contact("c-person", "person", "Jo Doe", Value::Null),
        contact("c-org", "org", "Big Org", Value::Null),
        contact("c-open", "person", "Olga Open", everything),
        contact("c-tech", "role", "Hostmaster", Value::Null),
        json!({ "domain": { "create": { "name": "org.tld", "registrar": "reg-a",
            "registrant": "c-org", "contacts": [{ "role": "tech", "contact": "c-tech" },
            { "role": "admin", "contact": "c-person" }] } } }),
        json!({ "host": { "create": { "name": hosts[0], "registrar": "reg-a",
            "addresses": ["192.0.2.1", "2001:db8::1"] } } }),
        json!({ "host": { "create": { "name": hosts[1], "registrar": "reg-a" } } }),
        json!({ "domain": { "create": { "name": "person.tld", "registrar": "reg-a",
            "registrant": "c-person", "hosts": hosts, "ds": [DS],
            "contacts": [{ "role": "tech", "contact": "c-tech" },
            { "role": "tech", "contact": "c-open" }] } } }),
        json!({ "domain": { "create": { "name": "open.tld", "registrar": "reg-a",
            "registrant": "c-open", "hosts": hosts } } }),
        json!({ "domain": { "create": { "name": "thin.tld", "registrar": "reg-b" } } }),
    ] {
        execute(&mut test, command).await;
    }
    test
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
