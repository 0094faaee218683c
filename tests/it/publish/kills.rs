//! kill -9 of a server that publishes: what is served after a restart is a full compile
//! of the last event, whenever it was killed.

use std::fmt::Write;

use super::registry::Registry;
use crate::support::{Running, serial, zone_text};

/// Delegations: enough for a compile to take a moment.
const DELEGATIONS: u32 = 2000;

/// What is waited for before the kill; each is a step of an install.
#[derive(Debug, Clone, Copy)]
enum Moment {
    Commit,
    Segment,
    Generation,
    Swap,
    /// Not of an install: a fold goes on beside it.
    Fold,
}

#[test]
fn a_killed_publisher_leaves_nothing_that_a_restart_does_not_mend() {
    let mut zone = zone_text(1);
    for number in 0..DELEGATIONS {
        writeln!(zone, "d{number} NS ns.d{number}\nns.d{number} A 192.0.2.1").unwrap();
    }
    let registry = Registry::empty();
    registry.import("example.zone", &zone);
    let mut serial_now = 1;
    let moments = [
        Moment::Commit,
        Moment::Segment,
        Moment::Generation,
        Moment::Swap,
        Moment::Fold,
    ];
    for (round, moment) in (0..).zip(moments.iter().cycle().take(15)) {
        let server = registry.folder.serve();
        registry.wait();
        assert_eq!(serial(server.addresses[0]), serial_now, "round {round}");
        assert_eq!(registry.served(), registry.compiled(), "round {round}");
        let delete = format!(
            "DELETE FROM delegations WHERE domain_id IN (SELECT id FROM \
            domains WHERE name = 'd{round}.example')"
        );
        let publish = format!("UPDATE domains SET published = 0 WHERE name = 'd{round}.example'");
        registry.change("example", &[&delete, &publish]);
        serial_now += 1;
        reach(*moment, &registry, &server, serial_now);
        server.signal("-KILL");
        server.wait();
        // Whatever the moment was, the image on disk is a whole one.
        registry.folder.succeed(&["image", "verify"]);
    }
}

/// Waits for the moment; one that was too short to be seen ends with the swap.
fn reach(moment: Moment, registry: &Registry, server: &Running, new: u32) {
    let file = match moment {
        Moment::Commit => return,
        Moment::Segment => Some(registry.folder.path("image/segment.tmp")),
        Moment::Generation => Some(registry.folder.path("image/generation.tmp")),
        Moment::Fold => Some(registry.folder.path("image/segment.folding")),
        Moment::Swap => None,
    };
    let mut looks = 0u32;
    loop {
        if file.as_ref().is_some_and(|file| file.exists()) {
            return;
        }
        looks += 1;
        if looks.is_multiple_of(64) && serial(server.addresses[0]) == new {
            return;
        }
    }
}
