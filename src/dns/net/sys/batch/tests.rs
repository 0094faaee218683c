use std::net::{Ipv4Addr, UdpSocket};
use std::os::fd::AsFd;
use std::time::Duration;

use super::*;
use crate::dns::net::sys::receive_address;

/// Enough for a datagram to cross loopback on a busy machine.
const PATIENCE: Duration = Duration::from_secs(10);

fn socket(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket
}

/// Waits until something can be read, then takes a batch.
fn receive(batch: &mut Batch, server: &UdpSocket, with_address: bool) -> usize {
    server.peek_from(&mut [0]).unwrap();
    batch.receive(server.as_fd(), with_address).unwrap()
}

#[test]
fn an_empty_socket_gives_an_empty_batch() {
    let server = socket("127.0.0.1:0");
    assert_eq!(Batch::new(16).receive(server.as_fd(), false).unwrap(), 0);
}

#[test]
fn a_slot_has_octets_and_peer_of_its_datagram() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let mut batch = Batch::new(16);
    client
        .send_to(b"first", server.local_addr().unwrap())
        .unwrap();
    assert_eq!(receive(&mut batch, &server, false), 1);
    let (received, wire, _) = batch.slot(0);
    assert_eq!(wire, b"first");
    assert_eq!(received.peer, Some(client.local_addr().unwrap()));
    assert!(!received.truncated);
}

#[test]
fn a_datagram_longer_than_a_slot_is_flagged() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let mut batch = Batch::new(16);
    client
        .send_to(&[7; WIRE_BYTES + 1], server.local_addr().unwrap())
        .unwrap();
    assert_eq!(receive(&mut batch, &server, false), 1);
    let (received, wire, _) = batch.slot(0);
    assert!(received.truncated);
    assert_eq!(wire.len(), WIRE_BYTES);
}

#[test]
fn a_reply_that_fails_is_skipped_and_not_those_behind_it() {
    let (server, client) = (socket("127.0.0.1:0"), socket("127.0.0.1:0"));
    let mut batch = Batch::new(16);
    for _ in 0..3 {
        client
            .send_to(b"query", server.local_addr().unwrap())
            .unwrap();
    }
    let mut count = 0;
    while count < 3 {
        // All three are taken into slots 0, 1, 2 once they have arrived.
        server.peek_from(&mut [0]).unwrap();
        count += batch.receive(server.as_fd(), false).unwrap();
        assert_eq!(
            count, 3,
            "loopback keeps order and delivers before send_to returns"
        );
    }
    for slot in 0..3 {
        batch.slot(slot).2[0] = u8::try_from(slot).unwrap();
    }
    // Port 0, as a forged source may have it, is EINVAL in Linux.
    batch.peers[0].0[2..4].fill(0);
    batch.peers[1].0[2..4].fill(0);
    let sent = batch.send(server.as_fd(), false, &[(0, 1), (1, 1), (2, 1)]);
    assert_eq!(
        sent,
        Sent {
            sent: 1,
            full: 0,
            failed: 2
        }
    );
    let mut reply = [0; 4];
    assert_eq!(client.recv(&mut reply).unwrap(), 1);
    assert_eq!(reply[0], 2);
}

#[test]
fn a_wildcard_socket_replies_from_the_address_that_was_asked() {
    let server = socket("0.0.0.0:0");
    receive_address(server.as_fd(), false).unwrap();
    let port = server.local_addr().unwrap().port();
    let mut batch = Batch::new(16);
    for last in [2, 3, 99] {
        let client = socket("127.0.0.1:0");
        // Only what comes from this very address is received.
        client
            .connect((Ipv4Addr::new(127, 0, 0, last), port))
            .unwrap();
        client.send(b"query").unwrap();
        assert_eq!(receive(&mut batch, &server, true), 1);
        batch.slot(0).2[0] = last;
        let sent = batch.send(server.as_fd(), true, &[(0, 1)]);
        assert_eq!(sent.sent, 1);
        let mut reply = [0; 4];
        assert_eq!(client.recv(&mut reply).unwrap(), 1);
        assert_eq!(reply[0], last);
    }
}

#[test]
fn an_ipv6_wildcard_socket_replies_too() {
    let server = socket("[::]:0");
    receive_address(server.as_fd(), true).unwrap();
    let port = server.local_addr().unwrap().port();
    let client = socket("[::1]:0");
    client.connect(("::1", port)).unwrap();
    client.send(b"query").unwrap();
    let mut batch = Batch::new(16);
    assert_eq!(receive(&mut batch, &server, true), 1);
    assert_eq!(batch.slot(0).0.peer, Some(client.local_addr().unwrap()));
    assert_eq!(batch.send(server.as_fd(), true, &[(0, 5)]).sent, 1);
    assert_eq!(client.recv(&mut [0; 16]).unwrap(), 5);
}

fn control(level: i32, kind: i32, data: &[u8]) -> [u8; CONTROL_BYTES] {
    let mut control = [0; CONTROL_BYTES];
    control[8..12].copy_from_slice(&level.to_ne_bytes());
    control[12..16].copy_from_slice(&kind.to_ne_bytes());
    control[16..16 + data.len()].copy_from_slice(data);
    control
}

#[test]
fn the_interface_is_left_to_routing() {
    let data = [9, 9, 9, 9, 127, 0, 0, 2, 127, 0, 0, 2];
    let mut v4 = control(libc::IPPROTO_IP, libc::IP_PKTINFO, &data);
    assert_eq!(address_back(&mut v4), 32);
    assert_eq!(v4[16..24], [0, 0, 0, 0, 127, 0, 0, 2]);
    let mut data = [1; 20];
    data[0] = 0x20;
    let mut v6 = control(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &data);
    assert_eq!(address_back(&mut v6), 40);
    assert_eq!(v6[32..36], [0; 4]);
}

#[test]
fn a_link_local_address_keeps_its_interface() {
    let mut data = [1; 20];
    data[..2].copy_from_slice(&[0xfe, 0x80]);
    let mut v6 = control(libc::IPPROTO_IPV6, libc::IPV6_PKTINFO, &data);
    assert_eq!(address_back(&mut v6), 40);
    assert_eq!(v6[32..36], [1; 4]);
}

#[test]
fn no_control_message_means_none_in_the_reply() {
    assert_eq!(address_back(&mut [0; CONTROL_BYTES]), 0);
}
