use std::net::{Ipv4Addr, UdpSocket};
use std::sync::atomic::Ordering;

use super::*;

/// A server that answers with what `reply` makes of each query; `None` stays silent.
fn with_server(
    mut reply: impl FnMut(u64, &[u8]) -> Option<Vec<u8>> + Send,
    test: impl FnOnce(Target),
) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let target = Target::new(socket.local_addr().unwrap()).unwrap();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut query = [0; 512];
            let mut number = 0;
            while !done.load(Ordering::Relaxed) {
                let Ok((length, peer)) = socket.recv_from(&mut query) else {
                    continue;
                };
                if let Some(reply) = reply(number, &query[..length]) {
                    socket.send_to(&reply, peer).unwrap();
                }
                number += 1;
            }
        });
        test(target);
        done.store(true, Ordering::Relaxed);
    });
}

fn echo(query: &[u8]) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2] |= 0x80;
    reply
}

fn queries() -> Queries {
    let mut queries = Queries::new(true);
    for line in ["example. SOA", "www.example. A", "x.example. TYPE65"] {
        queries.push_text(line).unwrap();
    }
    queries
}

fn plan(target: Target, pace: Pace) -> Plan {
    Plan {
        timeout: Duration::from_millis(200),
        sockets: 3,
        ..Plan::new(target, pace, Duration::from_millis(300))
    }
}

#[test]
fn the_open_loop_sends_as_many_as_the_rate_says_and_loses_none() {
    with_server(
        |_, query| Some(echo(query)),
        |target| {
            let report = blast(&plan(target, Pace::Open { rate: 2000 }), &queries()).unwrap();
            assert_eq!((report.sent, report.received, report.lost), (600, 600, 0));
            assert_eq!(report.stray, 0);
            assert!(report.latency.p50 > 0.0 && report.latency.p50 <= report.latency.max);
        },
    );
}

#[test]
fn a_run_ends_when_it_is_told_to() {
    with_server(
        |_, query| Some(echo(query)),
        |target| {
            for pace in [Pace::Open { rate: 1000 }, Pace::Closed { outstanding: 3 }] {
                let plan = Plan {
                    duration: Duration::from_secs(3600),
                    ..plan(target, pace)
                };
                let stop = std::sync::Arc::clone(&plan.stop);
                std::thread::scope(|scope| {
                    let run = scope.spawn(|| blast(&plan, &queries()).unwrap());
                    stop.store(true, Ordering::Relaxed);
                    assert!(run.join().unwrap().seconds < 60.0);
                });
            }
        },
    );
}

#[test]
fn a_query_without_a_reply_is_lost_and_counted() {
    with_server(
        |number, query| (number % 10 != 3).then(|| echo(query)),
        |target| {
            let report = blast(&plan(target, Pace::Open { rate: 1000 }), &queries()).unwrap();
            assert_eq!((report.sent, report.received, report.lost), (300, 270, 30));
        },
    );
}

#[test]
fn the_closed_loop_goes_on_past_lost_queries() {
    with_server(
        |number, query| (number != 3).then(|| echo(query)),
        |target| {
            let report = blast(&plan(target, Pace::Closed { outstanding: 3 }), &queries()).unwrap();
            assert_eq!(report.lost, 1);
            assert_eq!(report.sent, report.received + 1);
            assert!(report.received > 20, "{report}");
        },
    );
}

#[test]
fn a_pause_of_the_server_shows_in_gap_and_latency() {
    let pause = Duration::from_millis(60);
    with_server(
        |number, query| {
            if number == 150 {
                std::thread::sleep(pause);
            }
            Some(echo(query))
        },
        |target| {
            let report = blast(&plan(target, Pace::Open { rate: 1000 }), &queries()).unwrap();
            assert_eq!(report.lost, 0);
            assert!(report.gap_microseconds_max >= 59_000.0, "{report}");
            // Queries that fell due in the pause count from their due time: one in five
            // of all waited, far more than the one that a closed loop would have seen.
            assert!(report.latency.p99 > 30_000.0, "{report}");
        },
    );
}

#[test]
fn replies_to_other_questions_are_stray() {
    let reply = |number: u64, query: &[u8]| {
        let mut reply = echo(query);
        match number % 3 {
            0 => reply[0] ^= 0x80,
            1 => reply[13] ^= 1,
            _ => reply[2] &= 0x7f,
        }
        Some(reply)
    };
    with_server(reply, |target| {
        let report = blast(&plan(target, Pace::Open { rate: 100 }), &queries()).unwrap();
        assert_eq!((report.received, report.lost, report.stray), (0, 30, 30));
    });
}

#[test]
fn stamps_are_counted_by_generation() {
    // The owner of an A record in a reply is the question's name, stamped like a host.
    let mut queries = Queries::new(false);
    queries.push_text("g17.example. A").unwrap();
    let reply = |number: u64, query: &[u8]| {
        let mut reply = echo(query);
        let last = if number % 30 == 7 { 18 } else { 17 };
        reply[7] = 1;
        reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 10, 0, 0, last]);
        Some(reply)
    };
    with_server(reply, |target| {
        let plan = Plan {
            stamps: true,
            ..plan(target, Pace::Open { rate: 1000 })
        };
        let stamps = blast(&plan, &queries).unwrap().stamps.unwrap();
        assert_eq!(stamps.mixed, 10);
        assert_eq!(stamps.generations, [(17, 290)].into());
        assert_eq!(
            (stamps.unstamped, stamps.malformed, stamps.backwards),
            (0, 0, 0)
        );
    });
}

#[test]
fn a_server_that_is_not_there_loses_everything_without_an_error() {
    let address = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .unwrap()
        .local_addr()
        .unwrap();
    let target = Target::new(address).unwrap();
    let report = blast(&plan(target, Pace::Open { rate: 500 }), &queries()).unwrap();
    assert_eq!(report.received, 0);
    assert_eq!(report.sent, report.lost);
}

#[test]
fn plans_and_queries_out_of_bounds_are_refused() {
    let target = Target::new((Ipv4Addr::LOCALHOST, 9).into()).unwrap();
    assert!(blast(&plan(target, Pace::Open { rate: 0 }), &queries()).is_err());
    assert!(blast(&plan(target, Pace::Open { rate: 1 }), &Queries::new(true)).is_err());
    let many = Plan {
        sockets: 65,
        ..plan(target, Pace::Open { rate: 1 })
    };
    assert!(blast(&many, &queries()).is_err());
    for line in [
        "example.",
        "example. NOTYPE",
        "a..b A",
        "example. A IN",
        "example. TYPE65536",
    ] {
        assert!(Queries::new(true).push_text(line).is_err(), "{line}");
    }
}

#[test]
fn built_queries_are_what_they_say() {
    use hickory_proto::op::Message;
    let queries = queries();
    let message = Message::from_vec(queries.message(1)).unwrap();
    assert_eq!(message.queries[0].to_string(), "www.example. IN A");
    assert_eq!(message.edns.unwrap().max_payload(), 1232);
    let question = queries.question(1);
    assert_eq!(question, b"\x03www\x07example\x00\x00\x01\x00\x01");
}
