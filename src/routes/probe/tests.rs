use std::net::TcpListener;

use super::*;

/// An answer with authority, or what `change` makes of it.
fn answer(query: &[u8], change: fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2] |= RESPONSE | AUTHORITATIVE;
    answer[7] = 1;
    change(&mut answer);
    answer
}

/// A port that is free for UDP and for TCP; what is free for one may be another test's.
fn both() -> (SocketAddr, UdpSocket, TcpListener) {
    let mut tries = (0..16).filter_map(|_| {
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = udp.local_addr().unwrap();
        Some((address, udp, TcpListener::bind(address).ok()?))
    });
    tries.next().expect("a free port")
}

/// A server of one look: every n-th query over UDP and all over TCP are answered.
fn server(every: usize, change: fn(&mut Vec<u8>)) -> SocketAddr {
    let (address, udp, tcp) = both();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        for number in 0.. {
            let Ok((length, peer)) = udp.recv_from(&mut buffer) else {
                return;
            };
            if number % every == every - 1 {
                let _ = udp.send_to(&answer(&buffer[..length], change), peer);
            }
        }
    });
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = tcp.accept() {
            let mut length = [0; 2];
            stream.read_exact(&mut length).unwrap();
            let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut query).unwrap();
            let answer = answer(&query, change);
            let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
            stream.write_all(&[&length[..], &answer].concat()).unwrap();
        }
    });
    address
}

fn probe() -> Probe {
    Probe {
        zone: Name::parse_absolute("example.").unwrap(),
        timeout: Duration::from_secs(5),
    }
}

#[test]
fn a_server_that_answers_is_good_and_under_a_flood_one_answer_is_enough() {
    probe().look(server(1, |_| {}), 7).unwrap();
    // Those that are lost are waited for.
    let impatient = Probe {
        timeout: Duration::from_secs(1),
        ..probe()
    };
    let few = server(usize::from(QUERIES), |_| {});
    impatient.look(few, 65_530).unwrap();
}

#[test]
fn wrong_answers_are_none() {
    type Change = fn(&mut Vec<u8>);
    let changes: [(Change, &str); 6] = [
        (|answer| answer[3] |= 2, "RCODE 2"),
        (|answer| answer[3] |= 5, "RCODE 5"),
        (|answer| answer[2] &= !AUTHORITATIVE, "with authority"),
        (|answer| answer[7] = 0, "with authority"),
        (|answer| answer[13] ^= 1, "with authority"),
        (|answer| answer.truncate(11), "without a header"),
    ];
    for (change, expected) in changes {
        let reason = probe().look(server(1, change), 7).unwrap_err().to_string();
        assert!(reason.contains(expected), "{reason}");
    }
}

#[test]
fn a_server_that_is_gone_is_bad() {
    let gone = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let reason = probe().look(gone, 7).unwrap_err();
    assert!(matches!(reason, Reason::Udp(_)), "{reason}");
    // Only UDP is answered.
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = udp.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, peer)) = udp.recv_from(&mut buffer) {
            let _ = udp.send_to(&answer(&buffer[..length], |_| {}), peer);
        }
    });
    let reason = probe().look(address, 7).unwrap_err();
    assert!(matches!(reason, Reason::Tcp(_)), "{reason}");
}

#[test]
fn a_truncated_answer_is_one_over_udp_and_none_over_tcp() {
    let truncated = server(1, |answer| {
        answer[2] = RESPONSE | TRUNCATED;
        answer[7] = 0;
    });
    // The server lives, and TCP, which nobody limits, says the rest.
    let reason = probe().look(truncated, 7).unwrap_err();
    assert!(matches!(reason, Reason::Tcp(_)), "{reason}");
    let strange = server(1, |answer| {
        answer[2] = RESPONSE | TRUNCATED;
        answer[13] ^= 1;
    });
    let reason = probe().look(strange, 7).unwrap_err();
    assert!(matches!(reason, Reason::Udp(_)), "{reason}");
}
