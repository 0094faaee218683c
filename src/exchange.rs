//! One question to one name server, over UDP or TCP, and its answer.
//!
//! For the control plane, which asks few servers and seldom: of a parent's DS records, and
//! whether the name servers of a delegation know of it. An answer has the id and question
//! that were sent (RFC 5452 section 9.1); others are passed over. Time is the caller's to
//! bound.

pub mod authority;

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};
use zone_compiler::RecordType;
use zone_image::Name;

/// Octets of a header.
const HEADER_BYTES: usize = 12;
/// Longest answer over UDP: more than is asked for.
const ANSWER_BYTES_MAX: usize = 4096;

/// A question about a name, with an id of its own; `number` stands for it where the system
/// has no random octets.
pub(crate) fn question(name: &Name, rtype: RecordType, number: u16) -> Vec<u8> {
    let mut id = [0; 2];
    if aws_lc_rs::rand::fill(&mut id).is_err() {
        id = number.to_be_bytes();
    }
    let mut query = id.to_vec();
    query.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    query.extend(name.as_wire());
    query.extend(rtype.0.to_be_bytes());
    query.extend([0, 1]);
    query
}

/// Whether a message answers a query: same id and question.
fn answers(message: &[u8], query: &[u8]) -> bool {
    let question = message.get(HEADER_BYTES..query.len());
    message.len() >= query.len()
        && message[..2] == query[..2]
        && message[2] & 0x80 != 0
        && question.is_some_and(|found| found.eq_ignore_ascii_case(&query[HEADER_BYTES..]))
}

/// Asks over UDP.
pub(crate) async fn over_udp(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let local = if server.is_ipv4() {
        "0.0.0.0:0"
    } else {
        "[::]:0"
    };
    let socket = UdpSocket::bind(local).await?;
    socket.connect(server).await?;
    socket.send(query).await?;
    let mut buffer = vec![0; ANSWER_BYTES_MAX];
    loop {
        let length = socket.recv(&mut buffer).await?;
        // Others' messages are passed over until the time is up.
        if answers(&buffer[..length], query) {
            buffer.truncate(length);
            return Ok(buffer);
        }
    }
}

/// Asks over TCP.
pub(crate) async fn over_tcp(server: SocketAddr, query: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let length = u16::try_from(query.len()).unwrap_or_default();
    let mut message = length.to_be_bytes().to_vec();
    message.extend(query);
    stream.write_all(&message).await?;
    let length = stream.read_u16().await?;
    let mut answer = vec![0; usize::from(length)];
    stream.read_exact(&mut answer).await?;
    if answers(&answer, query) {
        return Ok(answer);
    }
    Err(std::io::Error::other("an answer to something else"))
}
