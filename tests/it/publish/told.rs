//! What `--dry-run` and `meridian diff` tell before a change is served, against what is
//! served before and after it: every record of the installed image.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::BTreeSet;

use super::changes::registry;
use super::eventually;
use super::registry::Registry;
use crate::support::{Running, serial};

const FAILURES: &str = "meridian_publish_failures_total{step=\"write\"}";
const DIGEST: &str = "0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF";

/// Words of a command after `meridian registry`, separated by spaces.
const CHANGES: [&str; 13] = [
    "domain create new.example --registrar imported --host ns.d0.example --host ns.elsewhere.test",
    "host update ns.d0.example --add-address 2001:db8::7 --lab",
    "host update ns.d0.example --rename dns.d0.example",
    "domain update d1.example --add-ds DS",
    "domain update d2.example --add-ds DS --add-host ns.elsewhere.test",
    "domain update d1.example --add-status serverHold",
    "domain update d0.example --add-status serverHold",
    "domain update d1.example --remove-status serverHold",
    "domain update d0.example --remove-status serverHold",
    "domain update d2.example --remove-ds DS",
    "domain delete new.example",
    "zone update example --add-record TXT",
    "zone update example --remove-record TXT",
];

/// One argument per word; values with spaces stand for themselves.
fn words(change: &str) -> Vec<String> {
    let word = |word: &str| match word {
        "DS" => format!("4711 13 2 {DIGEST}"),
        "TXT" => "deep.own.example. 60 TXT \"x\"".to_owned(),
        other => other.to_owned(),
    };
    let words = change.split(' ').map(word);
    std::iter::once("registry".to_owned())
        .chain(words)
        .collect()
}

/// Lines with their signs, as both commands print them.
fn lines(told: &str) -> BTreeSet<String> {
    told.lines().map(str::to_owned).collect()
}

/// How two dumps differ, in the form of what is told.
fn difference(before: &[String], after: &[String]) -> BTreeSet<String> {
    let lower = |record: &String| record.to_lowercase();
    let before: BTreeSet<_> = before.iter().map(lower).collect();
    let after: BTreeSet<_> = after.iter().map(lower).collect();
    let came = after.difference(&before).map(|record| format!("+{record}"));
    let went = before.difference(&after).map(|record| format!("-{record}"));
    came.chain(went).collect()
}

fn is_soa(line: &str) -> bool {
    line.to_lowercase().contains("\tsoa\t")
}

/// Makes a change while nothing can be installed; gives what was told of it.
fn tell(registry: &Registry, server: &Running, change: &[&str]) -> [BTreeSet<String>; 2] {
    let folder = &registry.folder;
    let path = folder.path("image/lock");
    // Installs take this lock and try again when somebody else has it.
    let lock = std::fs::File::options().write(true).open(path).unwrap();
    eventually("the lock is free", || lock.try_lock().is_ok());
    let (first, failures) = (
        server.metric("meridian_generation_event"),
        server.metric(FAILURES),
    );
    let dry = folder.succeed(&[change, &["--dry-run"]].concat());
    assert_eq!(folder.succeed(&["diff"]), "", "a dry run changes nothing");
    folder.succeed(change);
    let status = folder.status();
    let last = status["publish"]["registry-event"].as_u64().unwrap();
    let last = last.max(first + 1);
    let told = folder.succeed(&["diff", &format!("{first}..{last}")]);
    assert_eq!(told, folder.succeed(&["diff"]));
    eventually("the publisher was kept from it", || {
        server.metric(FAILURES) > failures
    });
    [lines(&dry), lines(&told)]
}

#[test]
fn what_is_told_of_each_kind_of_change_is_what_gets_served() {
    let registry = registry(6);
    let server = registry.folder.serve();
    registry.wait();
    let mut before = registry.served();
    let mut some = 0;
    for change in CHANGES {
        let owned = words(change);
        let command: Vec<_> = owned.iter().map(String::as_str).collect();
        let [dry, told] = tell(&registry, &server, &command);
        registry.wait();
        let after = registry.served();
        let truth = difference(&before, &after);
        let told: BTreeSet<_> = told.iter().map(|line| line.to_lowercase()).collect();
        assert_eq!(told, truth, "{change}: meridian diff");
        let soa = truth
            .iter()
            .find(|line| line.starts_with('+') && is_soa(line));
        let number = format!(" {} ", serial(server.addresses[0]));
        assert!(soa.unwrap().contains(&number), "{change}: {soa:?}");
        let data: BTreeSet<_> = truth.into_iter().filter(|line| !is_soa(line)).collect();
        let dry: BTreeSet<_> = dry.iter().map(|line| line.to_lowercase()).collect();
        assert_eq!(dry, data, "{change}: --dry-run");
        some += usize::from(!data.is_empty());
        before = after;
    }
    assert_eq!(some, CHANGES.len(), "each of them changes records");
}
