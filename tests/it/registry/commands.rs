//! What the commands print, and how they end.

use super::Registry;

#[test]
fn objects_are_made_shown_changed_and_removed() {
    let registry = Registry::on_sqlite();
    let printed = registry.succeed(&[
        "domain",
        "create",
        "a.tld",
        "--registrar",
        "reg-a",
        "--host",
        "ns1.ext.example",
        "--host",
        "ns2.ext.example",
        "--years",
        "2",
    ]);
    // init, zone, registrar and two hosts came before.
    assert_eq!(printed, "event 6\n");
    let shown = registry.succeed(&["domain", "info", "a.tld"]);
    for line in [
        "name               a.tld",
        "registrar          reg-a",
        "statuses           ok",
        "hosts              ns2.ext.example",
        "published          true",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} is not in:\n{shown}"
        );
    }
    let printed = registry.succeed(&[
        "domain",
        "update",
        "a.tld",
        "--add-status",
        "clientHold",
        "--as",
        "reg-a",
        "--json",
    ]);
    assert_eq!(printed, "{\"code\":1000,\"event\":7}\n");
    let shown = registry.succeed(&["domain", "info", "a.tld", "--json"]);
    let shown: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["info"]["domain"]["statuses"][0], "clientHold");
    assert_eq!(shown["info"]["domain"]["published"], false);
    registry.succeed(&["domain", "delete", "a.tld"]);
    registry.succeed(&[
        "zone",
        "update",
        "tld",
        "--ns-ttl",
        "60",
        "--add-record",
        "tld. 60 TXT x",
    ]);
    let shown = registry.succeed(&["zone", "info", "tld"]);
    assert!(shown.contains("tld. 60 TXT \"x\""), "{shown}");
    let status = registry.succeed(&["status"]);
    assert!(status.contains("zone-update by operator:"), "{status}");
}

#[test]
fn refusals_have_their_code_and_reason() {
    #[track_caller]
    fn check(registry: &Registry, arguments: &[&str], expected: &str) {
        let (_, fault) = registry.fail(arguments);
        assert_eq!(fault, format!("meridian: {expected}"), "{arguments:?}");
    }
    let registry = Registry::on_sqlite();
    check(
        &registry,
        &["domain", "info", "x.tld"],
        "x.tld: no such domain (2303)",
    );
    check(
        &registry,
        &["domain", "create", "x-.tld", "--as", "reg-a"],
        "x-.tld: a label begins and ends with a letter or digit (2005)",
    );
    check(
        &registry,
        &[
            "domain", "create", "x.tld", "--years", "11", "--as", "reg-a",
        ],
        "11: a period is 1 to 10 years (2004)",
    );
    check(
        &registry,
        &[
            "registrar",
            "create",
            "reg-b",
            "--name",
            "B",
            "--as",
            "reg-a",
        ],
        "reg-b: only the registry may do this (2201)",
    );
    let (printed, _) = registry.fail(&[
        "host",
        "create",
        "ns1.ext.example",
        "--as",
        "reg-a",
        "--json",
    ]);
    let said: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(said["code"], 2302);
    assert_eq!(said["value"], "ns1.ext.example");
}

#[test]
fn a_second_apply_is_refused() {
    let registry = Registry::on_sqlite();
    let first = super::apply::Apply::start(&registry, "a");
    first.next();
    let (_, fault) = registry.fail(&["apply"]);
    assert!(
        fault.contains("writes it; stop that, or start with --standby"),
        "{fault}"
    );
}
