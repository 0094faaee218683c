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
fn a_zone_has_a_policy_and_its_domains_a_life() {
    let registry = Registry::on_sqlite();
    registry.succeed(&[
        "zone",
        "policy",
        "tld",
        "--set",
        "add-grace=0",
        "--set",
        "contacts-required=admin,tech",
    ]);
    let shown = registry.succeed(&["zone", "info", "tld"]);
    assert!(shown.contains("add-grace          0\n"), "{shown}");
    let (_, fault) = registry.fail(&["zone", "policy", "tld", "--set", "grace=0"]);
    assert!(fault.contains("unknown field `grace`"), "{fault}");
    let help = registry.succeed(&["zone", "policy", "--help"]);
    assert!(help.contains("redemption           2592000"), "{help}");
    registry.succeed(&[
        "zone",
        "labels",
        "tld",
        "--reserve",
        "gov",
        "--reason",
        "for the state",
    ]);
    let shown = registry.succeed(&["domain", "check", "gov.tld", "--as", "reg-a"]);
    assert!(shown.contains("reserved: for the state"), "{shown}");
    registry.succeed(&["domain", "create", "a.tld", "--registrar", "reg-a"]);
    let (_, fault) = registry.fail(&["domain", "renew", "a.tld", "--expires", "2001-01-01"]);
    assert!(fault.contains("a.tld: it expires on 2"), "{fault}");
    let said = registry.succeed(&["domain", "delete", "a.tld"]);
    assert!(said.contains(", pending"), "{said}");
    let shown = registry.succeed(&["domain", "info", "a.tld"]);
    assert!(
        shown.contains("rgp-statuses       redemptionPeriod"),
        "{shown}"
    );
    registry.succeed(&["domain", "restore", "a.tld"]);
    let report = registry.folder.path().join("report.json");
    let text = r#"{"pre-data":"a","post-data":"a","deleted-at":1,"restored-at":1,
        "reason":"an error","statements":["for nobody else","all true"]}"#;
    std::fs::write(&report, text).unwrap();
    let report = report.display().to_string();
    registry.succeed(&["domain", "restore", "a.tld", "--report", &report]);
    registry.succeed(&["domain", "purge", "a.tld"]);
    registry.fail(&["domain", "info", "a.tld"]);
    let shown = registry.succeed(&["timers", "info"]);
    assert!(shown.contains("purges-max         1000"), "{shown}");
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

#[test]
fn the_event_log_is_verified_and_tampering_is_told() {
    let registry = Registry::on_sqlite();
    let said = registry.audit(&[]);
    let head = said.trim().rsplit_once(' ').unwrap().1.to_owned();
    assert!(said.starts_with("5 events, the newest is 5:"), "{said}");
    registry.succeed(&["registrar", "create", "reg-b", "--name", "B"]);
    registry.audit(&["--anchor", &head]);
    let forge = "UPDATE events SET actor = 'operator:eve' WHERE number = 3 RETURNING number";
    assert_eq!(registry.query::<i64>(forge), [3]);
    let output = registry.audit_command(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(
        said.starts_with("event 3 or the digest before it was changed\n"),
        "{said}"
    );
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("breaks in 1 places"), "{error}");
}

#[test]
fn a_registrar_reads_what_the_registry_did_and_acknowledges_it() {
    let registry = Registry::on_sqlite();
    registry.succeed(&[
        "domain",
        "create",
        "a.tld",
        "--registrar",
        "reg-a",
        "--reason",
        "court order",
        "--case",
        "2026-17",
    ]);
    // The hosts of the stage were told before it.
    let mut last = String::new();
    for left in (1..=3).rev() {
        last = registry.succeed(&["poll", "next", "--as", "reg-a", "--json"]);
        let said: serde_json::Value = serde_json::from_str(&last).unwrap();
        assert_eq!(said["code"], 1301);
        let poll = &said["info"]["poll"];
        assert_eq!(poll["count"], left);
        let id = poll["message"]["id"].to_string();
        registry.succeed(&["poll", "ack", &id, "--as", "reg-a"]);
    }
    let told: serde_json::Value = serde_json::from_str(&last).unwrap();
    let message = &told["info"]["poll"]["message"];
    assert_eq!(message["kind"], "domain-created");
    assert_eq!(message["content"]["cause"]["reason"], "court order");
    assert_eq!(message["content"]["cause"]["case"], "2026-17");
    let none = registry.succeed(&["poll", "next", "--as", "reg-a"]);
    assert_eq!(none.trim(), "count              0");
    let cause = registry.query::<String>("SELECT cause FROM events WHERE kind = 'domain-create'");
    assert_eq!(cause, ["{\"case\":\"2026-17\",\"reason\":\"court order\"}"]);
}
