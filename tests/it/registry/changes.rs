//! Changes that wait, from outside: what is shown of them, and who decides.

use super::Registry;

fn verified() -> Registry {
    let registry = Registry::on_sqlite();
    let mut policy = vec!["zone", "policy", "tld"];
    for value in ["change-control=verify", "approvals=2", "approvers=ada,bob"] {
        policy.extend(["--set", value]);
    }
    registry.succeed(&policy);
    registry
}

#[test]
fn a_change_is_shown_with_its_effect_and_made_by_its_last_approval() {
    let registry = verified();
    let create = [
        "domain",
        "create",
        "a.tld",
        "--as",
        "reg-a",
        "--host",
        "ns1.ext.example",
        "--host",
        "ns2.ext.example",
    ];
    let dry = registry.succeed(&[&create[..], &["--dry-run"]].concat());
    assert_eq!(dry.lines().filter(|line| line.starts_with('+')).count(), 2);
    assert_eq!(registry.succeed(&create), "event 7, pending\n");
    let listed = registry.succeed(&["changes", "list"]);
    assert!(
        listed.contains("domain-create a.tld by registrar:reg-a"),
        "{listed}"
    );
    assert!(listed.ends_with("1 waiting\n"), "{listed}");
    let id = listed.split_whitespace().next().unwrap();
    let shown = registry.succeed(&["changes", "show", id]);
    assert!(
        shown.contains("needs              0 of 2 approvals of ada bob"),
        "{shown}"
    );
    assert_eq!(
        shown
            .lines()
            .filter(|line| line.starts_with("+a.tld."))
            .count(),
        2
    );
    let decide = |verb: &str, who: &str| {
        let words = [
            "changes",
            verb,
            id,
            "--operator",
            who,
            "--reason",
            "seen",
            "--case",
            "C-1",
        ];
        registry.command(&words).output().unwrap()
    };
    assert!(!decide("approve", "eve").status.success());
    let first = decide("approve", "ada");
    assert_eq!(String::from_utf8_lossy(&first.stdout), "event 8, pending\n");
    assert!(!decide("approve", "ada").status.success());
    let shown = registry.succeed(&["changes", "show", id]);
    assert!(
        shown.contains("consent            approver ada at "),
        "{shown}"
    );
    assert!(decide("approve", "bob").status.success());
    let shown = registry.succeed(&["domain", "info", "a.tld"]);
    assert!(shown.contains("statuses           ok"), "{shown}");
    assert_eq!(registry.succeed(&["changes", "list"]), "0 waiting\n");
    registry.audit(&[]);
}

#[test]
fn a_lock_is_put_and_taken_by_case() {
    let registry = Registry::on_sqlite();
    registry.succeed(&["domain", "create", "a.tld", "--registrar", "reg-a"]);
    let lock = [
        "domain",
        "lock",
        "a.tld",
        "--approvals",
        "1",
        "--approver",
        "ada",
    ];
    let without = registry.command(&lock).output().unwrap();
    assert!(String::from_utf8_lossy(&without.stderr).contains("number of its case"));
    registry.succeed(&[&lock[..], &["--case", "L-1"]].concat());
    let shown = registry.succeed(&["domain", "info", "a.tld"]);
    assert!(shown.contains("serverUpdateProhibited"), "{shown}");
    let printed = registry.succeed(&["domain", "unlock", "a.tld", "--case", "L-2"]);
    assert!(printed.ends_with(", pending\n"), "{printed}");
    let listed = registry.succeed(&["changes", "list"]);
    let id = listed.split_whitespace().next().unwrap();
    registry.succeed(&["changes", "approve", id, "--operator", "ada"]);
    let shown = registry.succeed(&["domain", "info", "a.tld"]);
    assert!(!shown.contains("serverUpdateProhibited"), "{shown}");
}
