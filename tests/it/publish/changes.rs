//! Publishing by changes: what is served is a full compile of the last event, and costs
//! what changed; a restart goes on where it stopped; what takes too much away is held.

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::registry::Registry;
use super::{eventually, served};
use crate::support::{Running, ask, serial, zone_text};

const BY_CHANGES: &str = "meridian_zone_compiles_total{kind=\"changes\"}";
const WHOLE: &str = "meridian_zone_compiles_total{kind=\"whole\"}";

/// Delegations `d0` up, half of them to hosts of their own and half to two shared ones.
pub(super) fn registry(delegations: u32) -> Registry {
    let mut zone = zone_text(1);
    for number in 0..delegations {
        zone += &if number % 2 == 0 {
            format!("d{number} NS ns.d{number}\nns.d{number} A 192.0.2.1\n")
        } else {
            format!("d{number} NS ns.d0\nd{number} NS ns.elsewhere.test.\n")
        };
    }
    let registry = Registry::empty();
    registry.import("example.zone", &zone);
    registry
}

pub(super) fn run(registry: &Registry, words: &[&str]) {
    let said = registry.folder.succeed(&[&["registry"], words].concat());
    assert!(said.starts_with("event "), "{said}");
    registry.wait();
}

/// Compiles of a running server: by changes, whole.
fn compiles(server: &Running) -> (u64, u64) {
    (server.metric(BY_CHANGES), server.metric(WHOLE))
}

/// Each is one event.
const CHANGES: [&[&str]; 9] = [
    &[
        "host",
        "update",
        "ns.d0.example",
        "--add-address",
        "2001:db8::7",
        "--lab",
    ],
    &[
        "host",
        "update",
        "ns.d0.example",
        "--rename",
        "dns.d0.example",
    ],
    &[
        "domain",
        "create",
        "new.example",
        "--registrar",
        "imported",
        "--host",
        "dns.d0.example",
        "--host",
        "ns.elsewhere.test",
    ],
    &[
        "domain",
        "update",
        "d1.example",
        "--add-status",
        "serverHold",
    ],
    &[
        "domain",
        "update",
        "d0.example",
        "--add-status",
        "serverHold",
    ],
    &[
        "domain",
        "update",
        "d0.example",
        "--remove-status",
        "serverHold",
    ],
    &["domain", "delete", "new.example"],
    &[
        "zone",
        "update",
        "example",
        "--add-record",
        "deep.own.example. 60 TXT \"x\"",
    ],
    &[
        "zone",
        "update",
        "example",
        "--remove-record",
        "deep.own.example. 60 TXT \"x\"",
    ],
];

#[test]
fn every_kind_of_change_is_served_as_a_full_compile_would() {
    let registry = registry(300);
    let server = registry.folder.serve();
    registry.wait();
    let address = server.addresses[0];
    for (done, words) in (1..).zip(CHANGES) {
        run(&registry, words);
        assert_eq!(serial(address), 1 + done);
        assert_eq!(compiles(&server), (u64::from(done), 0), "{words:?}");
        assert_eq!(registry.served(), registry.compiled(), "{words:?}");
    }
    let size = |name: &str| server.metric(name);
    let (written, image) = (
        size("meridian_publish_written_bytes_total"),
        size("meridian_image_bytes"),
    );
    assert!(
        written < 3 * image,
        "{written} octets for 9 changes of {image}"
    );
    assert!(size("meridian_serial_age_seconds{zone=\"example.\"}") < 60);
}

#[test]
fn a_restart_goes_on_with_the_changes_since() {
    let registry = registry(50);
    let server = registry.folder.serve();
    registry.wait();
    let create = |name: &str| {
        let words = [
            "registry",
            "domain",
            "create",
            name,
            "--registrar",
            "imported",
        ];
        let hosts = ["--host", "ns.d0.example", "--host", "ns.elsewhere.test"];
        registry.folder.succeed(&[&words[..], &hosts].concat());
    };
    create("one.example");
    registry.wait();
    server.signal("-KILL");
    server.wait();
    create("two.example");
    let server = registry.folder.serve();
    registry.wait();
    assert_eq!(serial(server.addresses[0]), 3);
    assert_eq!(compiles(&server), (1, 0));
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn an_image_without_its_history_is_compiled_whole() {
    let registry = registry(50);
    drop(registry.folder.serve());
    let server = registry.folder.serve();
    registry.wait();
    drop(server);
    let _ = std::fs::remove_file(registry.folder.path("image/history"));
    let delete = ["registry", "domain", "delete", "d1.example"];
    registry.folder.succeed(&delete);
    let server = registry.folder.serve();
    registry.wait();
    assert_eq!(compiles(&server), (0, 1));
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn many_changes_leave_few_segments() {
    const CHANGES: u32 = 24;
    let registry = registry(1500);
    let server = registry.folder.serve();
    registry.wait();
    for round in 0..CHANGES {
        let name = format!("d{}.example", 2 * round + 1);
        run(
            &registry,
            &["domain", "update", &name, "--add-status", "serverHold"],
        );
    }
    eventually("segments are folded", || {
        server.metric("meridian_image_folds_total") > 0
            && server.metric("meridian_image_segments") < 20
    });
    assert_eq!(compiles(&server), (u64::from(CHANGES), 0));
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn a_change_that_takes_much_away_is_held_until_it_is_accepted() {
    let registry = registry(300);
    let server = registry.folder.serve();
    registry.wait();
    // A first change, so that image and registry have one history.
    run(&registry, &["domain", "delete", "d1.example"]);
    let lost = [
        "INSERT INTO changed_names SELECT r.last_event, d.zone_id, d.name FROM registry r, \
         domains d WHERE d.name LIKE 'd1_.example' OR d.name LIKE 'd2_.example' \
         OR d.name LIKE 'd3_.example' OR d.name LIKE 'd4_.example'",
        "DELETE FROM changed_names WHERE owner = '' AND event = (SELECT last_event FROM registry)",
        "UPDATE domains SET published = 0 WHERE name LIKE 'd1_.example' \
         OR name LIKE 'd2_.example' OR name LIKE 'd3_.example' OR name LIKE 'd4_.example'",
    ];
    let event = registry.change("example", &lost).to_string();
    eventually("it is held", || {
        server.metric("meridian_publish_failures_total{step=\"gate\"}") > 0
    });
    let failure = registry.folder.status()["publish"]["failure"].to_string();
    let expected = format!("meridian registry accept {event}");
    assert!(failure.contains("40 of 301 delegations"), "{failure}");
    assert!(failure.contains(&expected), "{failure}");
    assert_eq!(serial(server.addresses[0]), 2);
    registry.folder.succeed(&["registry", "accept", &event]);
    served(&server, 2, 3);
    let gone = ask(server.addresses[0], "d11.example.", RecordType::A);
    assert_eq!(gone.response_code, ResponseCode::NXDomain);
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn what_a_change_does_is_told_before_it_is_served() {
    let registry = registry(4);
    drop(registry.folder.serve());
    let delete = [
        "registry",
        "domain",
        "update",
        "d1.example",
        "--add-status",
        "serverHold",
    ];
    let expected = "-d1.example.\t3600\tIN\tNS\tns.d0.example.\n\
                    -d1.example.\t3600\tIN\tNS\tns.elsewhere.test.\n";
    let told = registry
        .folder
        .succeed(&[&delete[..], &["--dry-run"]].concat());
    assert_eq!(told, expected);
    assert_eq!(registry.folder.succeed(&["diff"]), "", "nothing was done");
    registry.folder.succeed(&delete);
    let told = registry.folder.succeed(&["diff"]);
    let lines: Vec<_> = told.lines().filter(|line| !line.contains("SOA")).collect();
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());
    assert!(
        told.contains("+example.\t") && told.contains(" 2 7200 "),
        "{told}"
    );
    registry
        .folder
        .fail(&["diff", "0..1"], &["older states are not kept"]);
}
