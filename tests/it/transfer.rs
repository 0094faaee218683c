//! Zones that the binary sends to others: over TCP, by rules, with notices and changes.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};

use hickory_proto::op::{Message, OpCode};
use hickory_proto::rr::{RData, Record, RecordType};

use crate::support::{Folder, PATIENCE, query};

/// The records of a transfer's first message.
fn transfer(server: SocketAddr, message: &[u8]) -> Vec<Record> {
    let mut stream = TcpStream::connect(server).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let length = u16::try_from(message.len()).unwrap().to_be_bytes();
    stream.write_all(&[&length[..], message].concat()).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut reply).unwrap();
    Message::from_vec(&reply).unwrap().answers
}

/// A request for what changed since a serial.
fn changes_since(serial: u32) -> Vec<u8> {
    let mut message = query(7, "example.", RecordType::IXFR);
    message[9] = 1;
    message.extend([0xc0, 12, 0, 6, 0, 1, 0, 0, 0, 0, 0, 22, 0, 0]);
    message.extend(serial.to_be_bytes());
    message.extend([0; 16]);
    message
}

/// A folder whose server lets loopback have its zones and tells a secondary.
fn folder(secondary: SocketAddr) -> Folder {
    let folder = Folder::with_image(1);
    let path = folder.path("meridian.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = format!(
        "[transfer]\nallow = [{{ networks = [\"127.0.0.0/8\"] }}]\n\
         journal-directory = \"journal\"\nnotify = [{{ address = \"{secondary}\" }}]\n"
    );
    std::fs::write(&path, text + &more).unwrap();
    folder
}

/// Takes a notice and answers it; gives the serial that it tells of.
fn take_notice(socket: &UdpSocket) -> u32 {
    let mut buffer = [0; 1024];
    let (length, peer) = socket.recv_from(&mut buffer).unwrap();
    let notice = Message::from_vec(&buffer[..length]).unwrap();
    assert_eq!(notice.metadata.op_code, OpCode::Notify);
    buffer[2] |= 0x80;
    socket.send_to(&buffer[..length], peer).unwrap();
    match &notice.answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("{other:?}"),
    }
}

#[test]
fn whole_zones_and_changes_are_sent_and_told_of() {
    let secondary = UdpSocket::bind("127.0.0.1:0").unwrap();
    secondary.set_read_timeout(Some(PATIENCE)).unwrap();
    let folder = folder(secondary.local_addr().unwrap());
    let server = folder.serve();
    let (allowed, refused) = (server.addresses[0], server.addresses[1]);
    assert_eq!(take_notice(&secondary), 1, "what is there at the start");
    let whole = transfer(allowed, &query(7, "example.", RecordType::AXFR));
    let dump = folder.succeed(&["image", "dump"]);
    assert_eq!(whole.len(), dump.lines().count() + 1, "{whole:#?}");
    assert!(transfer(refused, &query(7, "example.", RecordType::AXFR)).is_empty());
    folder.compile(2);
    folder.succeed(&["reload"]);
    assert_eq!(take_notice(&secondary), 2);
    // The stamp: gone, come, and the four SOAs around.
    assert_eq!(transfer(allowed, &changes_since(1)).len(), 6);
    assert_eq!(transfer(allowed, &changes_since(2)).len(), 1);
    assert_eq!(transfer(allowed, &changes_since(0)).len(), whole.len());
    let status = folder.succeed(&["zone", "status", "example"]);
    assert_eq!(status, "example. serial 2, sent 2, 1 changes from 1\n");
    folder.succeed(&["zone", "notify", "example."]);
    assert_eq!(take_notice(&secondary), 2);
    folder.fail(
        &["zone", "notify", "other"],
        &["no zone other", "zone status"],
    );
    assert_eq!(
        server.metric("meridian_transfers_total{result=\"refused\"}"),
        1
    );
    assert_eq!(
        server.metric("meridian_transfers_total{result=\"changes\"}"),
        1
    );
}

#[test]
fn the_journal_outlives_a_kill() {
    let secondary = UdpSocket::bind("127.0.0.1:0").unwrap();
    secondary.set_read_timeout(Some(PATIENCE)).unwrap();
    let folder = folder(secondary.local_addr().unwrap());
    let server = folder.serve();
    for serial in 2..4 {
        folder.compile(serial);
        folder.succeed(&["reload"]);
        while take_notice(&secondary) != serial {}
    }
    // Dropping it kills it.
    drop(server);
    let server = folder.serve();
    let changes = transfer(server.addresses[0], &changes_since(1));
    assert_eq!(changes.len(), 6, "{changes:#?}");
}

#[test]
fn without_rules_nobody_gets_anything() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    let request = query(7, "example.", RecordType::AXFR);
    assert!(transfer(server.addresses[0], &request).is_empty());
    folder.fail(&["zone", "status"], &["sends no zones", "[transfer]"]);
}
