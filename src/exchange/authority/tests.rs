//! Servers on loopback that answer as they should, and others.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, UdpSocket};

use super::*;

/// What a server says: flags, and whether an SOA of the name that was asked for.
type Says = ([u8; 2], bool);

const GOOD: Says = ([0x84, 0], true);

fn answer(query: &[u8], (flags, has_soa): Says) -> Vec<u8> {
    let mut answer = query.to_vec();
    answer[2..4].copy_from_slice(&flags);
    if has_soa {
        answer[7] = 1;
        answer.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 22, 0, 0]);
        answer.extend([0; 20]);
    }
    answer
}

/// A server of so many questions over UDP and one over TCP, which may say other things.
fn server(udp: Says, tcp: Option<Says>) -> SocketAddr {
    // The same number has to be free for both.
    let (socket, listener) = std::iter::repeat_with(|| {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let listener = TcpListener::bind(socket.local_addr().unwrap()).ok()?;
        Some((socket, listener))
    })
    .take(100)
    .flatten()
    .next()
    .unwrap();
    let address = socket.local_addr().unwrap();
    std::thread::spawn(move || {
        let mut buffer = [0; 512];
        let (length, peer) = socket.recv_from(&mut buffer).unwrap();
        socket
            .send_to(&answer(&buffer[..length], udp), peer)
            .unwrap();
        let Some(tcp) = tcp else { return };
        let (mut stream, _) = listener.accept().unwrap();
        let mut length = [0; 2];
        stream.read_exact(&mut length).unwrap();
        let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
        stream.read_exact(&mut query).unwrap();
        let answer = answer(&query, tcp);
        let length = u16::try_from(answer.len()).unwrap().to_be_bytes();
        stream.write_all(&[&length, &answer[..]].concat()).unwrap();
    });
    address
}

async fn check(address: SocketAddr, expected: Option<&str>) {
    let domain = Name::parse_absolute("a.tld").unwrap();
    let server = Server {
        name: "ns1.a.tld".to_owned(),
        addresses: vec![address],
    };
    let found = faults(&domain, &[server]).await;
    assert_eq!(
        found,
        [expected.map(|fault| format!("127.0.0.1 over {fault}"))]
    );
}

#[tokio::test]
async fn a_server_answers_with_authority_over_udp_and_tcp() {
    check(server(GOOD, Some(GOOD)), None).await;
    check(
        server(([0x80, 0], true), None),
        Some("UDP: is not authoritative for the domain"),
    )
    .await;
    check(
        server(([0x80, 5], false), None),
        Some("UDP: answers with code 5"),
    )
    .await;
    check(
        server(([0x84, 0], false), None),
        Some("UDP: has no SOA of the domain"),
    )
    .await;
    let lame = Some(([0x80, 0], true));
    check(
        server(GOOD, lame),
        Some("TCP: is not authoritative for the domain"),
    )
    .await;
}

#[tokio::test]
async fn a_server_without_an_address_or_a_listener_is_at_fault() {
    let domain = Name::parse_absolute("a.tld").unwrap();
    let free = UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let servers = [vec![], vec![free]].map(|addresses| Server {
        name: "ns1.a.tld".to_owned(),
        addresses,
    });
    let found = faults(&domain, &servers).await;
    assert_eq!(found[0].as_deref(), Some("has no address"));
    assert!(
        found[1]
            .as_deref()
            .is_some_and(|fault| fault.contains("127.0.0.1 over UDP"))
    );
}
