//! The server over TCP, as a client of today and of 1987 would talk to it.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use hickory_proto::op::Message;
use hickory_proto::rr::RecordType;

use crate::support::{Folder, PATIENCE, Running, query};

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
