use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream as Client};
use std::time::Instant;

use super::testing::{LIMITS, PATIENCE, framed, is_closed, read_frame, server};
use super::*;
use crate::dns::counters::Loss;
use crate::dns::engine::{DropReason, Outcome};
use crate::dns::testing::{Echo, LONG, POISON, SILENT, eventually, generations, message};

/// An idle or write limit that a test waits for.
const SHORT: Duration = Duration::from_millis(100);

/// Sends the pieces as segments of their own and expects replies `ids`.
#[track_caller]
fn check_pieces(pieces: &[&[u8]], ids: &[u16]) {
    let server = server(LIMITS);
    let mut client = server.connect();
    for piece in pieces {
        client.write_all(piece).unwrap();
    }
    for &id in ids {
        assert_eq!(read_frame(&mut client), message(id, 0));
    }
    client.shutdown(Shutdown::Write).unwrap();
    assert!(is_closed(&mut client));
}

#[test]
fn one_message() {
    check_pieces(&[&framed(&message(1, 0))], &[1]);
}

#[test]
fn row_63_one_octet_a_segment() {
    let octets = framed(&message(1, 0));
    let pieces: Vec<_> = octets.chunks(1).collect();
    check_pieces(&pieces, &[1]);
}

#[test]
fn row_63_two_messages_in_a_segment() {
    let octets = [framed(&message(1, 0)), framed(&message(2, 0))].concat();
    check_pieces(&[&octets], &[1, 2]);
}

#[test]
fn row_63_split_at_every_place() {
    let octets = [framed(&message(1, 0)), framed(&message(2, 0))].concat();
    for at in 1..octets.len() {
        check_pieces(&[&octets[..at], &octets[at..]], &[1, 2]);
    }
}

#[test]
fn the_longest_message_is_answered() {
    let server = server(LIMITS);
    let mut client = server.connect();
    let wire = vec![b'x'; 65_535];
    client.write_all(&framed(&wire)).unwrap();
    assert!(read_frame(&mut client) == wire);
    client.write_all(&framed(&message(2, 0))).unwrap();
    assert_eq!(read_frame(&mut client), message(2, 0));
}

#[test]
fn many_pipelined_messages_are_answered_in_order() {
    let server = server(LIMITS);
    let mut client = server.connect();
    let octets: Vec<u8> = (0..500).flat_map(|id| framed(&message(id, 0))).collect();
    client.write_all(&octets).unwrap();
    for id in 0..500 {
        assert_eq!(read_frame(&mut client), message(id, 0));
    }
    assert_eq!(server.counters.snapshot().outcome(Outcome::Answer), 500);
}

#[test]
fn row_63_half_close_answers_first() {
    let server = server(LIMITS);
    let mut client = server.connect();
    client.write_all(&framed(&message(1, 0))).unwrap();
    client.write_all(&framed(&message(2, 0))).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read_frame(&mut client), message(1, 0));
    assert_eq!(read_frame(&mut client), message(2, 0));
    assert!(is_closed(&mut client));
    eventually("closed", || server.counters.open() == 0);
}

#[test]
fn row_63_length_zero_closes_after_what_came_before() {
    let server = server(LIMITS);
    let mut client = server.connect();
    client
        .write_all(&[framed(&message(1, 0)), vec![0, 0]].concat())
        .unwrap();
    assert_eq!(read_frame(&mut client), message(1, 0));
    assert!(is_closed(&mut client));
}

#[test]
fn row_63_length_zero_alone_closes() {
    let server = server(LIMITS);
    let mut client = server.connect();
    client.write_all(&[0, 0]).unwrap();
    assert!(is_closed(&mut client));
    assert_eq!(server.counters.timed_out.value(), 0);
}

#[test]
fn row_63_part_of_a_message_waits_for_the_rest() {
    let server = server(LIMITS);
    let (mut slow, mut other) = (server.connect(), server.connect());
    let octets = framed(&message(1, 0));
    for at in 0..octets.len() {
        slow.write_all(&octets[at..=at]).unwrap();
        // An answer elsewhere shows that the server has had its turn; the slow
        // connection has neither an answer nor an end.
        other.write_all(&framed(&message(2, 0))).unwrap();
        assert_eq!(read_frame(&mut other), message(2, 0));
        assert_eq!(server.counters.open(), 2);
    }
    assert_eq!(read_frame(&mut slow), message(1, 0));
}

#[test]
fn row_65_a_network_at_its_limit_loses_its_own_connections() {
    let server = server(Limits {
        connections_per_prefix_max: 1,
        prefix_length_v4: 32,
        ..LIMITS
    });
    let mut other = server.connect_from("127.0.0.2");
    let mut first = server.connect();
    eventually("taken", || server.counters.open() == 2);
    let mut second = server.connect();
    assert!(is_closed(&mut first));
    for client in [&mut other, &mut second] {
        client.write_all(&framed(&message(1, 0))).unwrap();
        assert_eq!(read_frame(client), message(1, 0));
    }
    assert_eq!(server.counters.evicted.value(), 1);
}

#[test]
fn replies_arrive_though_the_client_has_sent_more_than_it_may() {
    let server = server(Limits {
        queries_per_connection_max: 3,
        ..LIMITS
    });
    for _ in 0..20 {
        let mut client = server.connect();
        // Far more than one read, so that some of it stays with the kernel.
        let octets: Vec<u8> = (0..5000).flat_map(|id| framed(&message(id, 0))).collect();
        let mut writer = client.try_clone().unwrap();
        let writing = std::thread::spawn(move || writer.write_all(&octets).is_ok());
        for id in 0..3 {
            assert_eq!(read_frame(&mut client), message(id, 0));
        }
        assert!(is_closed(&mut client));
        drop(client);
        writing.join().unwrap();
    }
    assert_eq!(server.counters.exhausted.value(), 20);
}

#[test]
fn a_message_without_reply_leaves_the_connection_open() {
    let server = server(LIMITS);
    let mut client = server.connect();
    client.write_all(&framed(&message(1, SILENT))).unwrap();
    client.write_all(&framed(&message(2, 0))).unwrap();
    assert_eq!(read_frame(&mut client), message(2, 0));
    assert_eq!(server.counters.snapshot().dropped(DropReason::Response), 1);
}

#[test]
fn a_query_of_death_gets_servfail_and_the_next_its_answer() {
    let server = server(LIMITS);
    let mut client = server.connect();
    client.write_all(&framed(&message(1, POISON))).unwrap();
    client.write_all(&framed(&message(2, 0))).unwrap();
    assert_eq!(read_frame(&mut client)[..4], [0, 1, 0x80, 2]);
    assert_eq!(read_frame(&mut client), message(2, 0));
    assert_eq!(server.counters.snapshot().loss(Loss::Panic), 1);
}

#[test]
fn row_65_a_silent_connection_is_closed_at_the_idle_limit() {
    let server = server(Limits {
        idle_timeout: SHORT,
        ..LIMITS
    });
    let mut client = server.connect();
    assert!(is_closed(&mut client));
    assert_eq!(server.counters.timed_out.value(), 1);
}

#[test]
fn row_65_single_octets_gain_no_time() {
    let limits = Limits {
        idle_timeout: SHORT * 3,
        ..LIMITS
    };
    let server = server(limits);
    let mut client = server.connect();
    client
        .set_read_timeout(Some(Duration::from_millis(20)))
        .unwrap();
    let begin = Instant::now();
    // A message that would take 200 rounds of 20 ms.
    client.write_all(&200u16.to_be_bytes()).unwrap();
    loop {
        assert!(begin.elapsed() < PATIENCE, "the connection stays open");
        if client.write_all(&[0]).is_err() {
            break;
        }
        match client.read(&mut [0]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            _ => break,
        }
    }
    assert!(begin.elapsed() >= limits.idle_timeout);
    eventually("timed out", || server.counters.timed_out.value() == 1);
}

#[test]
fn a_client_that_does_not_read_is_closed_at_the_write_limit() {
    let server = server(Limits {
        write_timeout: SHORT,
        ..LIMITS
    });
    let mut client = server.connect();
    // 65,535 octets of reply each: more than the kernel's buffers hold.
    let octets: Vec<u8> = (0..800).flat_map(|id| framed(&message(id, LONG))).collect();
    client.write_all(&octets).unwrap();
    eventually("write limit", || {
        server.counters.write_timed_out.value() == 1
    });
    eventually("closed", || server.counters.open() == 0);
}

#[test]
fn a_client_that_does_not_read_makes_room_for_another() {
    let server = server(Limits {
        connections_max: 1,
        ..LIMITS
    });
    let mut greedy = server.connect();
    let octets: Vec<u8> = (0..800).flat_map(|id| framed(&message(id, LONG))).collect();
    greedy.write_all(&octets).unwrap();
    eventually("at work", || server.counters.snapshot().queries > 0);
    // It may be at work still, and not waiting to write: then the other is refused.
    eventually("room is made", || {
        let mut other = server.connect();
        let asked = other.write_all(&framed(&message(1, 0)));
        asked.is_ok() && other.read_exact(&mut [0; 15]).is_ok()
    });
    assert!(server.counters.evicted.value() >= 1);
    assert_eq!(server.counters.write_timed_out.value(), 0);
}

#[test]
fn a_connection_ends_at_its_number_of_queries() {
    let server = server(Limits {
        queries_per_connection_max: 3,
        ..LIMITS
    });
    let mut client = server.connect();
    for id in 0..3 {
        client.write_all(&framed(&message(id, 0))).unwrap();
        assert_eq!(read_frame(&mut client), message(id, 0));
    }
    client.write_all(&framed(&message(3, 0))).unwrap();
    assert!(is_closed(&mut client));
}

#[test]
fn row_65_the_oldest_idle_connection_makes_room() {
    let server = server(Limits {
        connections_max: 2,
        ..LIMITS
    });
    let mut first = server.connect();
    eventually("taken", || server.counters.open() == 1);
    let mut second = server.connect();
    eventually("taken", || server.counters.open() == 2);
    let mut third = server.connect();
    assert!(is_closed(&mut first));
    for client in [&mut second, &mut third] {
        client.write_all(&framed(&message(1, 0))).unwrap();
        assert_eq!(read_frame(client), message(1, 0));
    }
    assert_eq!(server.counters.evicted.value(), 1);
}

/// A connection is idle from the moment it has its place, not from when its task is
/// first given a thread: the order of the tasks is nobody's merit.
#[test]
fn a_task_that_starts_late_does_not_make_its_connection_younger() {
    let (generations, _directory) = generations();
    let service = Service {
        engine: Echo,
        generations: Arc::new(generations),
        counters: Arc::default(),
        offences: Arc::default(),
        limits: Limits {
            connections_max: 2,
            ..LIMITS
        },
        tls: None,
        transfers: None,
        clock: || 5,
    };
    let connections = Arc::new(Connections::new(service.limits));
    let peer: SocketAddr = "192.0.2.1:5353".parse().unwrap();
    let admit = || match Connections::admit(&connections, peer.ip()) {
        Admission::Place(place) | Admission::Evicted(place) => place,
        Admission::Refused => panic!("refused"),
    };
    let (first, second) = (admit(), admit());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (_client, accepted) = tokio::join!(client, listener.accept());
        let (_stop, stopped) = watch::channel(false);
        let run = stream::run(&service, accepted.unwrap().0, peer, &first, stopped);
        tokio::pin!(run);
        // The task starts when the second connection has its place already.
        let start = std::future::poll_fn(|context| {
            let _ = run.as_mut().poll(context);
            std::task::Poll::Ready(())
        });
        start.await;
        let _third = admit();
        let second_left = tokio::time::timeout(Duration::ZERO, second.sent_away()).await;
        assert!(second_left.is_err(), "the younger one was sent away");
        run.await;
    });
}

#[test]
fn stopping_answers_what_has_arrived_and_closes() {
    let server = server(LIMITS);
    let mut idle = server.connect();
    let mut busy = server.connect();
    // A first answer, so that the connections are known to be taken.
    busy.write_all(&framed(&message(1, 0))).unwrap();
    assert_eq!(read_frame(&mut busy), message(1, 0));
    busy.write_all(&[framed(&message(2, 0)), vec![0, 13, 0]].concat())
        .unwrap();
    server.stop.send_replace(true);
    assert_eq!(read_frame(&mut busy), message(2, 0));
    assert!(is_closed(&mut busy) && is_closed(&mut idle));
    server.runtime.block_on(server.task).unwrap().unwrap();
    assert!(Client::connect(server.address).is_err(), "still listening");
}
