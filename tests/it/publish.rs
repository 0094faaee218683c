//! The publisher as part of a server: a commit is answered by DNS, whatever fails on
//! the way changes nothing that is served, and what failed recovers by itself.

mod changes;
mod faults;
mod folds;
mod kills;
mod metrics;
mod orphans;
mod parking;
mod registry;
mod told;

use std::time::Instant;

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use crate::support::{PATIENCE, Running, ask, serial, zone_text};
use registry::Registry;

/// Waits until the server answers `new`; until then it answers `old`.
#[track_caller]
pub(crate) fn served(server: &Running, old: u32, new: u32) {
    let begin = Instant::now();
    loop {
        match serial(server.addresses[0]) {
            found if found == new => return,
            found => assert_eq!(found, old),
        }
        assert!(begin.elapsed() < PATIENCE, "{new} is never served");
    }
}

/// Waits for what a running server does by itself.
#[track_caller]
pub(crate) fn eventually(what: &str, mut done: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
    }
}

#[test]
fn a_commit_is_served_when_wait_returns() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    for new in 2..5 {
        let event = registry.change("example", &[]);
        let said = registry
            .folder
            .succeed(&["registry", "wait", &event.to_string()]);
        assert!(said.contains(&format!("event {event} is served")), "{said}");
        assert_eq!(serial(server.addresses[0]), new);
        assert_eq!(server.metric("meridian_publish_generation_event"), event);
        assert_eq!(server.metric("meridian_registry_event"), event);
    }
    assert_eq!(server.metric("meridian_publish_latency_seconds_count"), 3);
    assert_eq!(server.metric("meridian_compile_seconds_count"), 3);
    for step in ["read", "compile", "write", "verify", "canary", "gate"] {
        let name = format!("meridian_publish_failures_total{{step=\"{step}\"}}");
        assert_eq!(server.metric(&name), 0);
    }
    let status = registry.folder.status();
    assert_eq!(
        status["publish"]["served-event"],
        status["publish"]["registry-event"]
    );
}

#[test]
fn a_change_by_command_line_is_answered_by_dns() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    let address = server.addresses[0];
    let hosts = ["--host", "ns.elsewhere.test", "--host", "ns.inside.example"];
    let run = |words: &[&str]| {
        registry
            .folder
            .succeed(&[&["registry", "domain"], words].concat());
        registry.wait();
        ask(address, "new.example.", RecordType::A)
    };
    let create = ["create", "new.example", "--registrar", "imported"];
    let referral = run(&[&create[..], &hosts].concat());
    assert_eq!(referral.response_code, ResponseCode::NoError);
    assert_eq!(referral.authorities.len(), 2);
    assert_eq!(serial(address), 2);
    let held = run(&["update", "new.example", "--add-status", "serverHold"]);
    assert_eq!(held.response_code, ResponseCode::NXDomain);
    let back = run(&["update", "new.example", "--remove-status", "serverHold"]);
    assert_eq!(back.authorities.len(), 2);
    let gone = run(&["delete", "new.example"]);
    assert_eq!(gone.response_code, ResponseCode::NXDomain);
    assert_eq!(serial(address), 5);
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn what_is_due_by_time_is_done_by_the_server() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    let run = |words: &[&str]| registry.folder.succeed(&[&["registry"], words].concat());
    run(&[
        "zone",
        "policy",
        "example",
        "--set",
        "add-grace=0",
        "--set",
        "redemption=1",
    ]);
    let create = ["domain", "create", "new.example", "--registrar", "imported"];
    run(&create);
    let said = run(&["domain", "delete", "new.example"]);
    let event = said.trim_start_matches("event ").split(',').next().unwrap();
    let next = (event.parse::<u64>().unwrap() + 1).to_string();
    // Nobody else makes an event: it is the end of the redemption.
    eventually("the end of a redemption", || {
        let shown = run(&["domain", "info", "new.example"]);
        shown.contains("rgp-statuses       pendingDelete")
    });
    registry.folder.succeed(&["registry", "wait", &next]);
    assert_eq!(server.metric("meridian_timer_steps_total"), 1);
    assert_eq!(server.metric("meridian_timers_stopped"), 0);
}

#[test]
fn a_lost_wake_up_costs_a_poll_and_nothing_else() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    // SQL wakes nobody, and nobody waits.
    registry.change("example", &[]);
    served(&server, 1, 2);
    registry.change("example", &[]);
    served(&server, 2, 3);
}

#[test]
fn what_changed_while_the_server_was_down_is_served_after_its_start() {
    let registry = Registry::with_zone(1);
    drop(registry.folder.serve());
    registry.change("example", &[]);
    let server = registry.folder.serve();
    served(&server, 1, 2);
    registry.wait();
    assert_eq!(serial(server.addresses[0]), 2, "and it stays");
}

#[test]
fn an_event_that_changes_no_zone_is_served_without_a_new_image() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    let event = registry.event_without_change();
    assert_eq!(registry.wait(), event);
    assert_eq!(server.metric("meridian_publish_generation_event"), event);
    assert_eq!(registry.folder.status()["installs"], 0);
    assert_eq!(serial(server.addresses[0]), 1);
}

#[test]
fn an_import_is_published_and_leaves_the_other_zone_alone() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    let address = server.addresses[0];
    let refused = ask(address, "www.other.", RecordType::A);
    assert_eq!(refused.response_code, ResponseCode::Refused);
    registry.import("other.zone", &zone_text(9).replace("example.", "other."));
    registry.wait();
    assert_eq!(ask(address, "www.other.", RecordType::A).answers.len(), 1);
    assert_eq!(serial(address), 1);
    registry.change("other", &[]);
    registry.wait();
    let zones = registry.folder.status()["generation"]["zones"].clone();
    let serials: Vec<_> = (0..2).map(|at| zones[at]["serial"].as_u64()).collect();
    assert_eq!(serials, [Some(1), Some(10)]);
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn an_empty_registry_is_served_and_filled() {
    let registry = Registry::empty();
    let server = registry.folder.serve();
    let address = server.addresses[0];
    let refused = ask(address, "www.example.", RecordType::A);
    assert_eq!(refused.response_code, ResponseCode::Refused);
    registry.import("example.zone", &zone_text(5));
    registry.wait();
    assert_eq!(serial(address), 5);
}

#[test]
fn an_image_installed_by_hand_gives_way_to_the_registry() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    registry.wait();
    registry.folder.compile(77);
    // Whether 77 is seen for a moment is the watcher's matter; it is not what stays.
    eventually("the registry is served again", || {
        registry.folder.status()["generation"]["number"].as_u64() > Some(2)
            && serial(server.addresses[0]) == 1
    });
    assert_eq!(registry.served(), registry.compiled());
}

#[test]
fn a_broken_image_is_compiled_anew_at_the_start() {
    let registry = Registry::with_zone(1);
    drop(registry.folder.serve());
    registry.folder.write("image/generation", "broken");
    let server = registry.folder.serve();
    assert_eq!(serial(server.addresses[0]), 1);
}

#[test]
fn nothing_starts_without_image_and_database() {
    let registry = Registry::empty();
    std::fs::remove_file(registry.folder.path("registry.db")).unwrap();
    let parts = [
        "cannot compile the first image",
        "registry.db",
        "registry init",
    ];
    registry.folder.fail(&["serve"], &parts);
}

#[test]
fn wait_says_why_it_ends() {
    let registry = Registry::with_zone(1);
    registry
        .folder
        .fail(&["registry", "wait"], &["no server answers"]);
    let server = registry.folder.serve();
    let event = registry.wait();
    let said = registry
        .folder
        .succeed(&["--json", "registry", "wait", "1"]);
    let said: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(said["result"], "served");
    assert_eq!(said["event"], event);
    let after = (event + 1).to_string();
    let never = ["registry", "wait", &after, "--timeout-seconds", "0"];
    let parts = [
        &format!("event {after} is not served after 0 s"),
        &format!("event {event} is, the registry is at {event}"),
    ];
    registry.folder.fail(&never, &parts.map(String::as_str));
    drop(server);
    registry.without_registry();
    let _server = registry.folder.serve();
    registry.folder.fail(
        &["registry", "wait", "1"],
        &["publishes no registry", "registry.database"],
    );
}

#[test]
fn waiting_keeps_nobody_from_asking() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    let event = registry.wait() + 1;
    let waiting: Vec<_> = (0..20)
        .map(|_| {
            let arguments = ["registry", "wait", &event.to_string()];
            registry.folder.command(&arguments).spawn().unwrap()
        })
        .collect();
    for _ in 0..3 {
        assert_eq!(registry.folder.status()["pid"], server.pid());
    }
    assert_eq!(registry.change("example", &[]), event);
    for mut child in waiting {
        assert!(child.wait().unwrap().success());
    }
}
