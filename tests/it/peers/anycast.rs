//! One anycast address, a router, three edges: what clients see when one of them fails,
//! stops, or is taken away.
//!
//! Each node is a network namespace with a cable to the router's, which splits its traffic
//! by ECMP. Two edges are announced by BIRD and one by ExaBGP. A client in the router's
//! namespace asks all the time, from another port each time. Needs root.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod client;
mod lab;

use std::time::{Duration, Instant};

use self::client::Client;
use self::lab::{Lab, Node};
use super::wanted;
use crate::support::{PATIENCE, zone_text};

const PROGRAMS: [&str; 5] = ["bird", "birdc", "exabgp", "ip", "sysctl"];

/// Longest time from a fault to the route's end in these tests: bad looks, each with its
/// timeout, and what BIRD and the kernel take, on a machine that others use.
const WITHDRAW_MAX: Duration = Duration::from_secs(10);

#[track_caller]
fn eventually(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "never: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
    begin.elapsed()
}

/// Waits until the router sends to these edges and no others; gives how long it took.
#[track_caller]
fn routes(lab: &Lab, wanted: &[usize]) -> Duration {
    eventually(&format!("routes to {wanted:?}"), || lab.routes() == wanted)
}

#[test]
fn clients_are_answered_while_one_edge_lacks_disk_or_is_upgraded() {
    story(&[1], &[]);
}

/// From the primary's fault to those of edges, of which some stop as planned and some not.
pub(crate) fn story(stopping: &[usize], failing: &[usize]) {
    if !wanted(&PROGRAMS) {
        return;
    }
    let mut lab = Lab::new();
    routes(&lab, &[1, 2, 3]);
    let mut client = Client::start(&lab);
    let report = client.mark();
    assert!(report.sent > 0, "{report:?}");

    // Whatever happens on the way from the primary, nothing is lost.
    lab.publish(2);
    lab.each(|node| node.answers(2));
    lab.hide_store();
    lab.nodes[0].fill_disk();
    if !failing.is_empty() {
        // Time enough for anything that would withdraw a route for this.
        std::thread::sleep(Duration::from_secs(2));
    }
    assert_eq!(lab.routes(), [1, 2, 3], "a dead primary withdraws nothing");
    lab.show_store();
    lab.publish(3);
    lab.each_but(1, |node| node.answers(3));
    lab.nodes[0].lacks_disk(2);
    assert_eq!(lab.routes(), [1, 2, 3]);
    lab.nodes[0].free_disk();
    lab.nodes[0].answers(3);
    client.lost_none("without primary and with a full disk");

    for number in stopping {
        planned(&mut lab, &mut client, *number);
    }
    for number in failing {
        unplanned(&mut lab, &mut client, *number);
    }
}

/// A stop, a start and an upgrade that are meant.
fn planned(lab: &mut Lab, client: &mut Client, number: usize) {
    let others: Vec<_> = (1..4).filter(|one| *one != number).collect();
    let node = &mut lab.nodes[number - 1];
    node.server().signal("-TERM");
    routes(lab, &others);
    let node = &mut lab.nodes[number - 1];
    node.wait();
    node.start();
    routes(lab, &[1, 2, 3]);
    client.lost_none(&format!("a planned stop and start of edge {number}"));
}

/// A server that dies, one that hangs, and what is damaged on its disk meanwhile.
fn unplanned(lab: &mut Lab, client: &mut Client, number: usize) {
    let others: Vec<_> = (1..4).filter(|one| *one != number).collect();
    lab.nodes[number - 1].server().signal("-STOP");
    let withdrawn = routes(lab, &others);
    assert!(withdrawn < WITHDRAW_MAX, "{withdrawn:?}");
    lab.nodes[number - 1].server().signal("-CONT");
    let back = routes(lab, &[1, 2, 3]);
    let report = client.mark();
    eprintln!(
        "edge {number} stopped: withdrawn after {withdrawn:?}, back after {back:?}: {report:?}"
    );
    assert!(report.lost < report.sent, "{report:?}");

    let node: &mut Node = &mut lab.nodes[number - 1];
    node.server().signal("-KILL");
    node.wait();
    node.damage_segment();
    let withdrawn = routes(lab, &others);
    let quiet = client.mark();
    eprintln!("edge {number} killed: withdrawn after {withdrawn:?}: {quiet:?}");
    let node = &mut lab.nodes[number - 1];
    node.start();
    let back = routes(lab, &[1, 2, 3]);
    eprintln!("edge {number} started on a damaged image: back after {back:?}");
    client.lost_none(&format!("edge {number} mends its image and comes back"));
}

#[test]
fn client() {
    // Started by the tests above in the router's namespace.
    client::run();
}

fn zone(serial: u32) -> String {
    zone_text(serial)
}
