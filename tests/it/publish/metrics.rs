//! The metrics of what is served and how late, each against what the test knows of it by
//! other ways: the clock around a commit, the event log, the signatures in the image.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::time::Instant;

use meridian::clock::unix_seconds;

use super::eventually;
use super::registry::Registry;
use crate::support::{Running, serial};

const EVENT: &str = "meridian_generation_event";
const AGE: &str = "meridian_serial_age_seconds{zone=\"example.\"}";
const EXPIRE: &str = "meridian_signatures_expire_seconds{zone=\"example\"}";
const LATENCY: &str = "meridian_publish_latency_seconds";
const FAILURES: &str = "meridian_publish_failures_total{step=\"write\"}";

/// A value that has to be on the page.
#[track_caller]
fn value(server: &Running, name: &str) -> f64 {
    find(server, name).unwrap_or_else(|| panic!("no {name}"))
}

fn find(server: &Running, name: &str) -> Option<f64> {
    let (_, page) = server.page("/metrics");
    let mut lines = page.lines().filter_map(|line| line.rsplit_once(' '));
    lines.find_map(|(found, value)| (found == name).then(|| value.parse().unwrap()))
}

#[test]
fn latency_event_and_age_say_what_happened() {
    let registry = Registry::with_zone(1);
    let server = registry.folder.serve();
    let first = registry.wait();
    assert_eq!(value(&server, EVENT), first as f64);
    assert_eq!(value(&server, &format!("{LATENCY}_count")), 0.0);
    // The serial gets older: from when it came into service, not from its commit.
    eventually("a second passes", || value(&server, AGE) >= 1.0);
    let path = registry.folder.path("image/lock");
    let lock = std::fs::File::options().write(true).open(path).unwrap();
    eventually("the lock is free", || lock.try_lock().is_ok());
    let begin = Instant::now();
    let event = registry.change("example", &[]);
    let committed = Instant::now();
    // Kept from its install, the event is not the generation's, and the age goes on.
    eventually("an install was tried", || value(&server, FAILURES) > 0.0);
    assert_eq!(value(&server, EVENT), first as f64);
    assert!(value(&server, AGE) >= 1.0);
    let held = committed.elapsed();
    drop(lock);
    registry.wait();
    let longest = begin.elapsed();
    assert_eq!(serial(server.addresses[0]), 2);
    assert_eq!(value(&server, EVENT), event as f64);
    assert_eq!(value(&server, &format!("{LATENCY}_count")), 1.0);
    let latency = value(&server, &format!("{LATENCY}_sum"));
    let possible = held.as_secs_f64()..=longest.as_secs_f64();
    assert!(possible.contains(&latency), "{latency} {possible:?}");
    let age = value(&server, AGE);
    assert!(age <= committed.elapsed().as_secs_f64(), "{age}");
    // What changes no zone is served by the same generation.
    registry.event_without_change();
    registry.wait();
    assert_eq!(value(&server, EVENT), event as f64);
}

/// Seconds since 1970 at which the first signature of the image ends.
fn first_end(registry: &Registry) -> u64 {
    let served = registry.served();
    let of_rrsig = served.iter().filter_map(|record| {
        let fields: Vec<_> = record.split_whitespace().collect();
        (fields[3] == "RRSIG").then(|| seconds_of(fields[8]))
    });
    of_rrsig.min().unwrap()
}

/// YYYYMMDDHHmmSS (RFC 4034 section 3.2), or seconds.
fn seconds_of(text: &str) -> u64 {
    if text.len() != 14 {
        return text.parse().unwrap();
    }
    let number = |range: std::ops::Range<usize>| text[range].parse::<u64>().unwrap();
    let (year, month, day) = (number(0..4), number(4..6), number(6..8));
    // Days since 1970 of the Gregorian calendar, with years that begin in March.
    let (year, month) = if month < 3 {
        (year - 1, month + 9)
    } else {
        (year, month - 3)
    };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day;
    let days = days - 719_469;
    days * 86_400 + number(8..10) * 3600 + number(10..12) * 60 + number(12..14)
}

#[test]
fn signatures_are_good_for_as_long_as_it_says() {
    let registry = Registry::with_zone(1);
    let folder = &registry.folder;
    let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    let secret = folder.path("secret").display().to_string();
    let keys = format!("[keys]\nsecret-file = \"{secret}\"\nlook-interval-milliseconds = 50\n");
    folder.write("meridian.toml", &(text + &keys));
    folder.succeed(&["keys", "init"]);
    let begin = unix_seconds();
    folder.succeed(&["keys", "policy", "--zone", "example"]);
    let status = folder.succeed(&["--json", "keys", "status", "--zone", "example"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let refresh = status["policy"]["signature-refresh"].as_u64().unwrap();
    let server = folder.serve();
    assert_eq!(find(&server, "meridian_signatures_expire_seconds"), None);
    eventually("the zone is signed", || {
        registry.wait();
        find(&server, EXPIRE).is_some() && registry.served().iter().any(|r| r.contains("RRSIG"))
    });
    let said = server.metric(EXPIRE);
    let now = unix_seconds();
    // What has less than the refresh left is replaced at each look, so that much is sure.
    let least = refresh - (now - begin) - 1;
    assert!((least..=refresh).contains(&said), "{said} {refresh}");
    let truth = first_end(&registry) - now;
    assert!(said <= truth, "{said} is more than {truth}");
}
