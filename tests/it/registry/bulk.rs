//! Bulk changes from outside: what they print, and that a run which was killed is gone on with
//! by the same command, no domain twice and none forgotten.

use std::process::Stdio;
use std::time::{Duration, Instant};

use super::{Place, Registry};

/// Longest wait for anything that works.
const PATIENCE: Duration = Duration::from_secs(60);
/// Kills of one run.
const KILLS: u64 = 4;
/// Domains; more than a run reads at once.
const DOMAINS: u64 = 260;

fn filled(registry: &Registry, domains: u64) {
    registry.succeed(&["registrar", "create", "reg-b", "--name", "Registrar B"]);
    let create = |number| {
        format!(
            "{{\"domain\":{{\"create\":{{\"name\":\"d{number}.tld\",\"registrar\":\"reg-a\",\
             \"hosts\":[\"ns1.ext.example\",\"ns2.ext.example\"]}}}}}}\n"
        )
    };
    let lines: String = (0..domains).map(create).collect();
    let path = registry.folder.path().join("commands");
    std::fs::write(&path, lines).unwrap();
    let mut apply = registry.command(&["apply"]);
    apply.stdin(std::fs::File::open(&path).unwrap());
    let output = apply.output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_bulk_change_is_rehearsed_and_told() {
    let registry = Registry::on_sqlite();
    filled(&registry, 3);
    registry.succeed(&["host", "create", "ns3.ext.example", "--registrar", "reg-a"]);
    registry.succeed(&[
        "domain",
        "update",
        "d1.tld",
        "--add-status",
        "serverUpdateProhibited",
    ]);
    let hosts = |more: &[&'static str]| {
        let words = [
            "bulk",
            "hosts",
            "--from",
            "ns1.ext.example",
            "--to",
            "ns3.ext.example",
        ];
        [&words[..], &["--zone", "tld"], more].concat()
    };
    let (events, last) = (registry.succeed(&["status"]), "1 domains were refused");
    let (printed, fault) = registry.fail(&hosts(&["--dry-run"]));
    assert!(fault.contains(last), "{fault}");
    for line in [
        "-d0.tld.\t3600\tIN\tNS\tns1.ext.example.",
        "+d2.tld.\t3600\tIN\tNS\tns3.ext.example.",
        "records: 2 would come, 2 would go; each domain by itself",
        "domains: 2 would be changed, 1 refused",
    ] {
        assert!(
            printed.lines().any(|found| found == line),
            "{line} is not in:\n{printed}"
        );
    }
    assert_eq!(
        registry.succeed(&["status"]),
        events,
        "a dry run changes nothing"
    );
    let (printed, _) = registry.fail(&hosts(&[]));
    let [refused, counted] = printed.lines().collect::<Vec<_>>()[..] else {
        panic!("{printed}")
    };
    assert!(refused.starts_with("refused: d1.tld: "), "{refused}");
    assert!(refused.ends_with("(2304)"), "{refused}");
    assert_eq!(counted, "domains: 2 changed, 1 refused");
    let (printed, _) = registry.fail(&hosts(&["--json"]));
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    let report = &printed["report"];
    assert_eq!(
        (&report["done"], &report["refused"]),
        (&0.into(), &1.into())
    );
    assert_eq!(report["refusals"][0]["domain"], "d1.tld");

    let transfer = ["bulk", "transfer", "--registrar", "reg-a", "--to", "reg-b"];
    let (_, fault) = registry.fail(&transfer);
    assert!(fault.contains("--case"), "{fault}");
    let printed = registry.succeed(&[&transfer[..], &["--case", "C-1"]].concat());
    assert_eq!(printed, "domains: 3 changed, 0 refused\n");
    let delete = ["bulk", "delete", "--registrar", "reg-b"];
    assert_eq!(registry.succeed(&delete), "domains: 3 changed, 0 refused\n");
    assert_eq!(registry.succeed(&delete), "domains: 0 changed, 0 refused\n");
}

#[test]
fn a_transfer_in_bulk_that_is_killed_is_gone_on_with_on_sqlite() {
    killed(Place::Sqlite);
}

#[test]
fn a_transfer_in_bulk_that_is_killed_is_gone_on_with_on_postgresql() {
    killed(Place::Postgres);
}

fn killed(place: Place) {
    let Some(registry) = Registry::at(place) else {
        return;
    };
    filled(&registry, DOMAINS);
    let words = [
        "bulk",
        "transfer",
        "--registrar",
        "reg-a",
        "--to",
        "reg-b",
        "--case",
        "C-1",
    ];
    let moved =
        || -> Vec<i64> { registry.query("SELECT COUNT(*) FROM events WHERE kind = 'domain-move'") };
    let mut kills = 0;
    for round in 1..=KILLS {
        let mut command = registry.command(&words);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let mut run = command.spawn().unwrap();
        // In the middle of some domain beyond this one.
        let until = i64::try_from(round * DOMAINS / (KILLS + 2)).unwrap();
        let start = Instant::now();
        while moved()[0] < until && run.try_wait().unwrap().is_none() {
            assert!(start.elapsed() < PATIENCE, "no progress");
        }
        // Sends SIGKILL.
        run.kill().unwrap();
        kills += u64::from(!run.wait().unwrap().success());
    }
    let before = moved()[0];
    registry.succeed(&words);
    let all = i64::try_from(DOMAINS).unwrap();
    eprintln!("{place:?}: {kills} kills, {before} of {all} domains moved before the last run");
    assert!(kills > 0, "no run was killed before its end");
    // Each domain once, told once to each side, in a log that holds.
    let once = "SELECT COUNT(DISTINCT object) FROM events WHERE kind = 'domain-move'";
    assert_eq!((moved(), registry.query(once)), (vec![all], vec![all]));
    let there = "SELECT COUNT(*) FROM domains d JOIN registrars r ON r.id = d.registrar_id \
                 WHERE r.handle = 'reg-b'";
    assert_eq!(registry.query::<i64>(there), [all]);
    let told = "SELECT changes FROM poll_messages WHERE kind = 'domains-moved'";
    assert_eq!(registry.query::<i64>(told), [all, all]);
    registry.audit(&[]);
    assert_eq!(registry.succeed(&words), "domains: 0 changed, 0 refused\n");
}
