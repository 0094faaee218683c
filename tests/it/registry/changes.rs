//! Changes that wait, from outside: what is shown of them, and who decides.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;

use super::{Place, Registry};

fn verified(registry: Registry) -> Registry {
    let mut policy = vec!["zone", "policy", "tld"];
    for value in ["change-control=verify", "approvals=2", "approvers=ada,bob"] {
        policy.extend(["--set", value]);
    }
    registry.succeed(&policy);
    registry
}

#[test]
fn a_change_is_shown_with_its_effect_and_made_by_its_last_approval() {
    let registry = verified(Registry::on_sqlite());
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

/// Gives lines to `meridian registry apply`, and kills it after so many answers, or waits
/// for its end. How many it gave.
fn apply(registry: &Registry, who: [&str; 2], lines: &str, answers: Option<usize>) -> usize {
    let words = ["apply", "--standby", "--parallel", "4", who[0], who[1]];
    let mut command = registry.command(&words);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let fed = lines.to_owned();
    // Ends when nobody reads any more.
    let feeder = std::thread::spawn(move || drop(input.write_all(fed.as_bytes())));
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let given = output.by_ref().take(answers.unwrap_or(usize::MAX)).count();
    if answers.is_some() {
        child.kill().unwrap();
    }
    child.wait().unwrap();
    feeder.join().unwrap();
    given
}

#[test]
fn a_kill_leaves_a_change_waiting_or_made_on_sqlite() {
    approvals_and_kills(Place::Sqlite);
}

#[test]
fn a_kill_leaves_a_change_waiting_or_made_on_postgresql() {
    approvals_and_kills(Place::Postgres);
}

fn approvals_and_kills(place: Place) {
    const CHANGES: usize = 60;
    let Some(registry) = Registry::at(place) else {
        return;
    };
    let registry = verified(registry);
    registry.succeed(&["zone", "policy", "tld", "--set", "approvals=1"]);
    let create = |number| {
        format!(
            "{{\"domain\":{{\"create\":{{\"name\":\"d{number}.tld\",\"hosts\":\
             [\"ns1.ext.example\",\"ns2.ext.example\"]}}}}}}\n"
        )
    };
    let creates: String = (0..CHANGES).map(create).collect();
    apply(&registry, ["--as", "reg-a"], &creates, None);
    let one = |text| {
        let found: Vec<i64> = registry.query(text);
        usize::try_from(found[0]).unwrap()
    };
    let waiting = || one("SELECT COUNT(*) FROM changes");
    assert_eq!(waiting(), CHANGES);
    let mut acknowledged = 0;
    for answers in [1, 7, 13, 0] {
        let ids: Vec<i64> = registry.query("SELECT id FROM changes ORDER BY id");
        let approve = |id: &i64| format!("{{\"changes\":{{\"approve\":{id}}}}}\n");
        let lines: String = ids.iter().map(approve).collect();
        acknowledged += apply(&registry, ["--operator", "ada"], &lines, Some(answers));
        let made = CHANGES - waiting();
        assert!(made >= acknowledged, "{made} made of {acknowledged}");
        let held =
            "SELECT COUNT(*) FROM domains WHERE statuses = 'pendingCreate' AND published = 0";
        assert_eq!(one(held), waiting());
        assert_eq!(
            one("SELECT COUNT(*) FROM domains WHERE published = 1"),
            made
        );
        assert_eq!(
            one("SELECT COUNT(*) FROM events WHERE kind = 'domain-create'"),
            made
        );
        assert_eq!(
            one("SELECT COUNT(*) FROM events WHERE kind = 'change-approve'"),
            made
        );
        let told = "SELECT COUNT(*) FROM poll_messages WHERE kind = 'domain-change-approved'";
        assert_eq!(one(told), made);
    }
    registry.audit(&[]);
}
