//! The server over TCP, as a client of today and of 1987 would talk to it.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;
use hickory_proto::rr::rdata::opt::EdnsCode;

use crate::support::{Folder, PATIENCE, Running, query, zone_text};

fn connect(server: &Running) -> TcpStream {
    let stream = TcpStream::connect(server.addresses[0]).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn frame(wire: &[u8]) -> Vec<u8> {
    [&u16::try_from(wire.len()).unwrap().to_be_bytes(), wire].concat()
}

fn read(stream: &mut TcpStream) -> Message {
    let mut prefix = [0; 2];
    stream.read_exact(&mut prefix).unwrap();
    let mut wire = vec![0; u16::from_be_bytes(prefix).into()];
    stream.read_exact(&mut wire).unwrap();
    Message::from_vec(&wire).unwrap()
}

#[test]
fn row_63_length_zero_closes_after_the_answers_before_it() {
    let folder = Folder::with_image(5);
    let server = folder.serve();
    let mut stream = connect(&server);
    let question = query(9, "example.", RecordType::SOA);
    stream
        .write_all(&[frame(&question), vec![0, 0], frame(&question)].concat())
        .unwrap();
    assert_eq!(read(&mut stream).id, 9);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn row_63_two_messages_in_a_segment_and_part_of_a_third() {
    let folder = Folder::with_image(5);
    let server = folder.serve();
    let mut stream = connect(&server);
    let framed = |id| frame(&query(id, "example.", RecordType::SOA));
    let third = framed(3);
    let (head, tail) = third.split_at(7);
    stream
        .write_all(&[framed(1), framed(2), head.to_vec()].concat())
        .unwrap();
    assert_eq!((read(&mut stream).id, read(&mut stream).id), (1, 2));
    // The rest comes after the first answers: the part has waited.
    stream.write_all(tail).unwrap();
    assert_eq!(read(&mut stream).id, 3);
}

/// A query with an OPT that has a size and EDNS TCP KEEPALIVE (RFC 7828).
fn with_keepalive(name: &str, rtype: RecordType, payload: u16) -> Vec<u8> {
    let mut wire = query(1, name, rtype);
    wire[11] = 1;
    wire.extend([0, 0, 41]);
    wire.extend(payload.to_be_bytes());
    wire.extend([0, 0, 0, 0, 0, 4, 0, 11, 0, 0]);
    wire
}

#[test]
fn row_64_the_size_of_edns_is_about_udp_only() {
    let folder = Folder::with_image(5);
    folder.write("example.zone", &{
        let mut zone = zone_text(6);
        for number in 0..40 {
            zone += &format!("many A 192.0.2.{number}\n");
        }
        zone
    });
    folder.succeed(&["compile", "--zone-file", "example.zone"]);
    let server = folder.serve();
    let question = with_keepalive("many.example.", RecordType::A, 512);
    let mut stream = connect(&server);
    stream.write_all(&frame(&question)).unwrap();
    let reply = read(&mut stream);
    assert_eq!((reply.truncation, reply.answers.len()), (false, 40));
    let reply = ask_udp(&server, &question);
    assert_eq!((reply.truncation, reply.answers.len()), (true, 0));
}

#[test]
fn row_65_keepalive_is_answered_over_tcp_and_ignored_over_udp() {
    let folder = Folder::with_image(5);
    let server = folder.serve();
    let question = with_keepalive("example.", RecordType::SOA, 1232);
    let mut stream = connect(&server);
    stream.write_all(&frame(&question)).unwrap();
    let option = |reply: Message| reply.edns.unwrap().option(EdnsCode::Keepalive).cloned();
    // Ten seconds, in tenths.
    let said = option(read(&mut stream)).unwrap();
    assert_eq!(Vec::try_from(&said).unwrap(), [0, 100]);
    let reply = ask_udp(&server, &question);
    assert_eq!(reply.answers.len(), 1);
    assert_eq!(option(reply), None);
}

fn ask_udp(server: &Running, wire: &[u8]) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(wire, server.addresses[0]).unwrap();
    let mut buffer = [0; 4096];
    let length = socket.recv(&mut buffer).unwrap();
    Message::from_vec(&buffer[..length]).unwrap()
}

#[test]
fn row_63_pipelined_queries_have_their_own_answers() {
    let folder = Folder::with_image(5);
    let server = folder.serve();
    let mut stream = connect(&server);
    let names = [
        "www.example.",
        "a.inside.example.",
        "nothing.example.",
        "test.",
    ];
    let octets: Vec<u8> = (0..)
        .zip(names)
        .flat_map(|(id, name)| frame(&query(id, name, RecordType::A)))
        .collect();
    for octet in octets.chunks(1) {
        stream.write_all(octet).unwrap();
    }
    for (id, name) in (0..).zip(names) {
        let reply = read(&mut stream);
        assert_eq!(
            (reply.id, reply.queries[0].name().to_ascii().as_str()),
            (id, name)
        );
        assert!(!reply.truncation);
    }
}

#[test]
fn row_63_half_close_gets_its_answers_and_an_end() {
    let folder = Folder::with_image(5);
    let server = folder.serve();
    let mut stream = connect(&server);
    stream
        .write_all(&frame(&query(9, "example.", RecordType::SOA)))
        .unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(read(&mut stream).id, 9);
    assert_eq!(stream.read(&mut [0]).unwrap(), 0);
}

#[test]
fn row_73_a_connection_lives_through_a_swap() {
    let folder = Folder::with_image(1);
    let server = folder.serve();
    let mut stream = connect(&server);
    for serial in 2..5 {
        folder.compile(serial);
        folder.succeed(&["reload"]);
        stream
            .write_all(&frame(&query(1, "example.", RecordType::TXT)))
            .unwrap();
        let reply = read(&mut stream);
        assert!(
            reply.answers[0]
                .data
                .to_string()
                .contains(&format!("stamp {serial}"))
        );
    }
}
