use std::time::Duration;

use super::*;

fn connections(connections_max: usize, connections_per_prefix_max: usize) -> Arc<Connections> {
    Arc::new(Connections::new(Limits {
        connections_max,
        connections_per_prefix_max,
        prefix_length_v4: 24,
        prefix_length_v6: 48,
        idle_timeout: Duration::from_secs(1),
        write_timeout: Duration::from_secs(1),
        queries_per_connection_max: 1,
    }))
}

#[track_caller]
fn place(connections: &Arc<Connections>, peer: &str) -> Place {
    match Connections::admit(connections, peer.parse().unwrap()) {
        Admission::Place(place) => place,
        Admission::Evicted(_) => panic!("{peer} took another's place"),
        Admission::Refused => panic!("{peer} was refused"),
    }
}

#[track_caller]
fn evicts(connections: &Arc<Connections>, peer: &str) -> Place {
    match Connections::admit(connections, peer.parse().unwrap()) {
        Admission::Evicted(place) => place,
        Admission::Place(_) => panic!("{peer} had a place of its own"),
        Admission::Refused => panic!("{peer} was refused"),
    }
}

#[track_caller]
fn refused(connections: &Arc<Connections>, peer: &str) {
    let admission = Connections::admit(connections, peer.parse().unwrap());
    assert!(
        matches!(admission, Admission::Refused),
        "{peer} was not refused"
    );
}

/// Whether it was told to leave; asks only once.
async fn is_sent_away(place: &Place) -> bool {
    tokio::select! {
        biased;
        () = place.sent_away() => true,
        () = std::future::ready(()) => false,
    }
}

#[tokio::test]
async fn at_the_limit_the_oldest_idle_one_goes() {
    let connections = connections(3, 3);
    let (a, b, c) = (
        place(&connections, "192.0.2.1"),
        place(&connections, "198.51.100.1"),
        place(&connections, "203.0.113.1"),
    );
    a.busy();
    let begin = connections.now();
    while connections.now() == begin {}
    c.idle();
    let _d = evicts(&connections, "2001:db8::1");
    assert_eq!(
        (
            is_sent_away(&a).await,
            is_sent_away(&b).await,
            is_sent_away(&c).await
        ),
        (false, true, false)
    );
}

#[test]
fn where_none_is_idle_the_new_one_is_refused() {
    let connections = connections(2, 2);
    let (a, b) = (
        place(&connections, "192.0.2.1"),
        place(&connections, "198.51.100.1"),
    );
    a.busy();
    b.busy();
    refused(&connections, "203.0.113.1");
    drop(a);
    place(&connections, "203.0.113.1");
}

#[tokio::test]
async fn a_network_at_its_limit_loses_its_own_connections_only() {
    let connections = connections(10, 2);
    let other = place(&connections, "198.51.100.1");
    let (a, b) = (
        place(&connections, "192.0.2.1"),
        place(&connections, "192.0.2.200"),
    );
    a.busy();
    let c = evicts(&connections, "192.0.2.7");
    assert!(is_sent_away(&b).await && !is_sent_away(&a).await && !is_sent_away(&other).await);
    c.busy();
    refused(&connections, "192.0.2.8");
    place(&connections, "192.0.3.8");
}

#[test]
fn an_ipv6_network_is_48_bits() {
    let connections = connections(10, 1);
    place(&connections, "2001:db8:1::1").busy();
    let one = place(&connections, "2001:db8:1:ffff::1");
    one.busy();
    refused(&connections, "2001:db8:1:1::2");
    place(&connections, "2001:db8:2::1");
}

#[test]
fn prefix_lengths_at_their_ends() {
    let mut connections = Arc::into_inner(connections(9, 9)).unwrap();
    let any = |text: &str| text.parse::<IpAddr>().unwrap();
    connections.limits.prefix_length_v4 = 32;
    connections.limits.prefix_length_v6 = 128;
    assert_eq!(connections.prefix_of(any("192.0.2.1")), any("192.0.2.1"));
    assert_eq!(
        connections.prefix_of(any("2001:db8::1")),
        any("2001:db8::1")
    );
    // The same client, whichever family its socket has.
    assert_eq!(
        connections.prefix_of(any("::ffff:192.0.2.1")),
        any("192.0.2.1")
    );
    connections.limits.prefix_length_v4 = 0;
    connections.limits.prefix_length_v6 = 0;
    assert_eq!(connections.prefix_of(any("192.0.2.1")), any("0.0.0.0"));
    assert_eq!(connections.prefix_of(any("2001:db8::1")), any("::"));
}

#[test]
fn places_are_given_back() {
    let connections = connections(1, 1);
    for _ in 0..100 {
        place(&connections, "192.0.2.1").busy();
    }
    assert!(connections.lock().by_prefix.is_empty());
}

#[test]
fn a_place_that_was_taken_is_not_given_back_twice() {
    let connections = connections(1, 1);
    let first = place(&connections, "192.0.2.1");
    let second = evicts(&connections, "192.0.2.1");
    second.busy();
    drop(first);
    refused(&connections, "192.0.2.1");
}
