//! Asks the server as clients do: over UDP and TCP, at the address that is announced.
//!
//! Each look sends some queries from ports of their own, so that over time they come to
//! every worker. Under a flood some are lost with those of everybody else; one answer is
//! enough, since a route that is withdrawn under a flood moves the flood to the next node.
//! Who floods in the name of our network has our own replies limited with those: then the
//! server answers that it is to be asked over TCP, which is an answer, and TCP is asked.
//! Every wait has an end, and what is read is bounded.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use zone_image::Name;

use super::health::Reason;

/// Queries over UDP at each look.
pub const QUERIES: u16 = 8;
/// Longest wait for one of them before the next is looked at.
const TURN: Duration = Duration::from_millis(5);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 4096;
const TYPE_SOA: u16 = 6;
const CLASS_IN: u16 = 1;
/// QR and the opcode, AA, TC, and RCODE in the third and fourth octet (RFC 1035 section 4.1.1).
const RESPONSE: u8 = 0x80;
const AUTHORITATIVE: u8 = 0x04;
const TRUNCATED: u8 = 0x02;
const RCODE: u8 = 0x0f;

/// What is asked, and for how long it is waited.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The zone whose SOA is asked for.
    pub zone: Name,
    /// For all answers of a look.
    pub timeout: Duration,
}

impl Probe {
    /// Looks at one address over UDP, then TCP.
    pub fn look(&self, address: SocketAddr, first_id: u16) -> Result<(), Reason> {
        self.udp(address, first_id).map_err(Reason::Udp)?;
        self.tcp(address, first_id).map_err(Reason::Tcp)
    }

    fn query(&self, id: u16) -> Vec<u8> {
        let mut wire = id.to_be_bytes().to_vec();
        // One question, no flags.
        wire.extend([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        wire.extend_from_slice(self.zone.as_wire());
        wire.extend(TYPE_SOA.to_be_bytes());
        wire.extend(CLASS_IN.to_be_bytes());
        wire
    }

    fn udp(&self, address: SocketAddr, first_id: u16) -> Result<(), String> {
        let text = |error: io::Error| error.to_string();
        let any = match address {
            SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let deadline = Instant::now() + self.timeout;
        let mut waiting = Vec::new();
        for number in 0..QUERIES {
            let id = first_id.wrapping_add(number);
            let socket = UdpSocket::bind((any, 0)).map_err(text)?;
            // From then on only answers of this address are read.
            socket.connect(address).map_err(text)?;
            socket.send(&self.query(id)).map_err(text)?;
            waiting.push((id, socket));
        }
        let mut fault = format!("{address}: no answer in time");
        let mut buffer = [0; ANSWER_BYTES_MAX];
        // Some are lost: none is waited for while another has its answer.
        while !waiting.is_empty() {
            let left = deadline.saturating_duration_since(Instant::now());
            let wait = left.clamp(Duration::from_millis(1), TURN);
            let mut silent = Vec::new();
            for (id, socket) in waiting {
                socket.set_read_timeout(Some(wait)).map_err(text)?;
                match socket.recv(&mut buffer) {
                    Ok(length) => match self.check(id, &buffer[..length]) {
                        // What TCP has to say comes next.
                        Ok(_) => return Ok(()),
                        Err(wrong) => fault = format!("{address}: {wrong}"),
                    },
                    Err(error) if is_late(&error) => silent.push((id, socket)),
                    Err(error) => fault = format!("{address}: {error}"),
                }
            }
            if left.is_zero() {
                break;
            }
            waiting = silent;
        }
        Err(fault)
    }

    fn tcp(&self, address: SocketAddr, id: u16) -> Result<(), String> {
        let asked = || -> io::Result<Vec<u8>> {
            let mut stream = TcpStream::connect_timeout(&address, self.timeout)?;
            stream.set_read_timeout(Some(self.timeout))?;
            stream.set_write_timeout(Some(self.timeout))?;
            let query = self.query(id);
            let length = u16::try_from(query.len()).expect("a name and some numbers");
            // RFC 7766 section 8: the length goes with the message.
            stream.write_all(&[&length.to_be_bytes()[..], &query].concat())?;
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut answer = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut answer)?;
            Ok(answer)
        };
        let answer = asked().map_err(|error| format!("{address}: {error}"))?;
        match self.check(id, &answer) {
            Ok(Answer::Whole) => Ok(()),
            Ok(Answer::Truncated) => Err(format!("{address}: truncated")),
            Err(wrong) => Err(format!("{address}: {wrong}")),
        }
    }

    /// Whether it answers the question: with authority, without an error, and with records;
    /// or says that it is to be asked over TCP.
    fn check(&self, id: u16, answer: &[u8]) -> Result<Answer, String> {
        let question = &self.query(id)[12..];
        let Some((header, rest)) = answer.split_first_chunk::<12>() else {
            return Err("answer without a header".to_owned());
        };
        if header[..2] != id.to_be_bytes() || header[2] & RESPONSE == 0 {
            return Err("answer to another question".to_owned());
        }
        let rcode = header[3] & RCODE;
        if rcode != 0 {
            return Err(format!("{} SOA is answered with RCODE {rcode}", self.zone));
        }
        let is_same = rest
            .get(..question.len())
            .is_some_and(|asked| asked == question);
        let has_answer = u16::from_be_bytes([header[6], header[7]]) > 0;
        if is_same && header[2] & TRUNCATED != 0 {
            return Ok(Answer::Truncated);
        }
        if header[2] & AUTHORITATIVE == 0 || !is_same || !has_answer {
            return Err(format!("{} SOA is not answered with authority", self.zone));
        }
        Ok(Answer::Whole)
    }
}

/// What the server says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    /// All of it.
    Whole,
    /// That it says it over TCP.
    Truncated,
}

fn is_late(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

#[cfg(test)]
mod tests;
