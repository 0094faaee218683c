//! A small resolver's side of DNS: one question over UDP or TCP, the reply decoded by
//! hickory-proto.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use hickory_proto::op::{Edns, Message, MessageType, OpCode, Query};
use hickory_proto::rr::{Name, Record, RecordType};
use loadtest::target::Target;

/// How long a reply may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Questions on one connection before the next is opened: below the limits of all servers.
const QUESTIONS_PER_CONNECTION: usize = 100;

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) rtype: RecordType,
    /// Payload size of an OPT record, if one is sent.
    pub(super) payload: Option<u16>,
}

impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.rtype)?;
        match self.payload {
            Some(payload) => write!(f, " +bufsize={payload}"),
            None => write!(f, " +noedns"),
        }
    }
}

/// What counts of a reply. Order within a section does not: RFC 1034 section 3.6.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) rcode: u16,
    pub(super) authoritative: bool,
    pub(super) truncated: bool,
    pub(super) edns: bool,
    pub(super) answers: BTreeSet<String>,
    pub(super) authorities: BTreeSet<String>,
    pub(super) additionals: BTreeSet<String>,
    /// The message as it came.
    pub(super) message: Message,
}

impl Reply {
    fn decode(wire: &[u8], id: u16, question: &Question) -> anyhow::Result<Self> {
        let message = Message::from_vec(wire).context("decoding the reply")?;
        ensure!(message.metadata.id == id, "another message's id");
        ensure!(
            message.metadata.message_type == MessageType::Response,
            "QR is not set"
        );
        let [echoed] = message.queries.as_slice() else {
            bail!("{} questions in the reply", message.queries.len());
        };
        ensure!(
            echoed.name.to_ascii() == question.name && echoed.query_type == question.rtype,
            "the reply repeats {echoed}"
        );
        let set = |records: &[Record]| {
            records
                .iter()
                .map(|record| record.to_string().to_lowercase())
                .collect::<BTreeSet<_>>()
        };
        Ok(Self {
            rcode: message.metadata.response_code.into(),
            authoritative: message.metadata.authoritative,
            truncated: message.metadata.truncation,
            edns: message.edns.is_some(),
            answers: set(&message.answers),
            authorities: set(&message.authorities),
            additionals: set(&message.additionals),
            message,
        })
    }
}

/// A client of one server.
#[derive(Debug)]
pub(super) struct Client {
    target: Target,
    udp: UdpSocket,
    tcp: Option<(TcpStream, usize)>,
    id: u16,
}

impl Client {
    pub(super) fn new(target: Target) -> anyhow::Result<Self> {
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        udp.connect(target.address())?;
        udp.set_read_timeout(Some(TIMEOUT))?;
        Ok(Self {
            target,
            udp,
            tcp: None,
            id: 0,
        })
    }

    /// Asks over UDP.
    pub(super) fn udp(&mut self, question: &Question) -> anyhow::Result<Reply> {
        let (id, query) = self.encode(question)?;
        self.udp.send(&query)?;
        let mut reply = [0; 4096];
        let length = self.udp.recv(&mut reply).context("no reply over UDP")?;
        let limit = question.payload.map_or(512, |payload| payload.max(512));
        ensure!(
            length <= usize::from(limit),
            "reply of {length} octets, {limit} were allowed"
        );
        Reply::decode(&reply[..length], id, question)
    }

    /// Asks over TCP, again on the same connection while it lasts.
    pub(super) fn tcp(&mut self, question: &Question) -> anyhow::Result<Reply> {
        let (id, query) = self.encode(question)?;
        let (mut stream, questions) = match self.tcp.take() {
            Some(open) => open,
            None => (TcpStream::connect(self.target.address())?, 0),
        };
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let length = u16::try_from(query.len()).context("a query is short")?;
        stream.write_all(&[&length.to_be_bytes(), query.as_slice()].concat())?;
        let mut length = [0; 2];
        stream
            .read_exact(&mut length)
            .context("no reply over TCP")?;
        let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
        stream
            .read_exact(&mut reply)
            .context("half a reply over TCP")?;
        if questions + 1 < QUESTIONS_PER_CONNECTION {
            self.tcp = Some((stream, questions + 1));
        }
        Reply::decode(&reply, id, question)
    }

    fn encode(&mut self, question: &Question) -> anyhow::Result<(u16, Vec<u8>)> {
        self.id = self.id.wrapping_add(1);
        let name = Name::from_ascii(&question.name).context("a name")?;
        let mut message = Message::new(self.id, MessageType::Query, OpCode::Query);
        message.add_query(Query::query(name, question.rtype));
        if let Some(payload) = question.payload {
            let mut edns = Edns::new();
            edns.set_max_payload(payload);
            message.edns = Some(edns);
        }
        Ok((self.id, message.to_vec()?))
    }
}
