//! The thread that makes the messages of one transfer.
//!
//! It holds the generation, one message that it fills and few that wait; when the client
//! goes, the queue says so with the next message and the walk ends.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::mpsc;
use zone_compiler::Record;
use zone_image::{Generation, Name, Zone};

use super::changes::Changes;
use super::request::Form;
use crate::dns::net::tcp::Piece;
use crate::dns::net::{Clock, yield_to_workers};
use crate::transfer::counters::{Event, TransferCounters};
use crate::transfer::message::{Head, Writer, soa_expire};
use crate::transfer::records;
use crate::transfer::tsig::{self, Signed};

/// A transfer that is to be made.
pub(super) struct Job {
    pub(super) permit: Permit,
    pub(super) head: Head,
    pub(super) signed: Option<Signed>,
    /// Whether the client asks for EXPIRE (RFC 7314).
    pub(super) expire: bool,
    pub(super) peer: SocketAddr,
    pub(super) generation: Arc<Generation>,
    pub(super) apex: Name,
    pub(super) form: Form,
    pub(super) clock: Clock,
}

/// The right to be one of the transfers under way; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Permit(Arc<TransferCounters>);

impl Permit {
    pub(super) fn take(counters: &Arc<TransferCounters>, most: usize) -> Option<Self> {
        counters.begin(most).then(|| Self(Arc::clone(counters)))
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The client has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gone;

impl Job {
    /// Starts the thread. Where the system gives none, the queue ends and the connection
    /// with it.
    pub(super) fn spawn(self, pieces: mpsc::Sender<Piece>) {
        let thread = std::thread::Builder::new().name("transfer".into());
        let spawned = thread.spawn(move || {
            yield_to_workers();
            self.run(pieces);
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "no thread for a transfer");
        }
    }

    fn run(self, pieces: mpsc::Sender<Piece>) {
        let counters = Arc::clone(&self.permit.0);
        let (generation, apex, peer, form) = (self.generation, self.apex, self.peer, self.form);
        let Some(zone) = generation.zone(apex.as_wire()) else {
            return;
        };
        let mut head = self.head;
        let soa = records::soa(zone);
        head.expire = soa_expire(&soa.rdata).filter(|_| self.expire);
        let reserved_bytes = self
            .signed
            .as_ref()
            .map_or(0, |signed| tsig::reserved_bytes(&signed.key));
        let head = Arc::new(head);
        let key = self
            .signed
            .as_ref()
            .map(|signed| signed.key.name().to_string());
        let mut sender = Sender {
            pieces,
            writer: Writer::new(&head, reserved_bytes),
            head,
            reserved_bytes,
            signed: self.signed,
            clock: self.clock,
            counters: Arc::clone(&counters),
            records: 0,
            octets: 0,
        };
        // Changes that the journal has lost since are no reason for the client to wait.
        let changes = match &form {
            Form::Changes(files, bytes) => Changes::read(files.clone(), *bytes).ok(),
            Form::Whole | Form::Current => None,
        };
        let (sent, event) = match (form, changes) {
            (Form::Current, _) => (sender.push(&soa), Event::Current),
            (_, Some(changes)) => (changes.send(&soa, &mut sender), Event::Changes),
            (_, None) => (send_whole(zone, &soa, &mut sender), Event::Whole),
        };
        let sent = sent.and_then(|()| sender.finish());
        let (records, octets, serial) = (sender.records, sender.octets, zone.serial());
        counters.note(sent.map_or(Event::Broken, |()| event));
        let is_whole = sent.is_ok();
        tracing::info!(zone = %apex, %peer, key, serial, ?event, records, octets, is_whole, "zone sent");
        // Who has it all may ask at once what was counted.
        if is_whole {
            let _ = sender.end();
        }
    }
}

/// RFC 5936 section 2.2: everything between two copies of the SOA.
fn send_whole(zone: Zone<'_>, soa: &Record, sender: &mut Sender) -> Result<(), Gone> {
    sender.push(soa)?;
    records::each_record(zone, &mut |record| sender.push(&record))?;
    sender.push(soa)
}

/// Puts records into messages and messages into the queue.
pub(super) struct Sender {
    pieces: mpsc::Sender<Piece>,
    writer: Writer,
    head: Arc<Head>,
    reserved_bytes: usize,
    signed: Option<Signed>,
    clock: Clock,
    counters: Arc<TransferCounters>,
    records: u64,
    octets: u64,
}

impl Sender {
    pub(super) fn push(&mut self, record: &Record) -> Result<(), Gone> {
        if !self.writer.push(record) {
            self.flush()?;
            if !self.writer.push(record) {
                // Nobody could be told of it, and so not of the zone.
                let (owner, rtype) = (&record.owner, record.rtype);
                tracing::error!(%owner, %rtype, "a record is longer than any message");
                return Err(Gone);
            }
        }
        self.records += 1;
        Ok(())
    }

    /// Sends the message that is being filled and begins the next.
    fn flush(&mut self) -> Result<(), Gone> {
        if self.head.expire.is_some() {
            // RFC 7314 section 3 has it once.
            let mut head = Head::clone(&self.head);
            head.expire = None;
            self.head = Arc::new(head);
        }
        let next = Writer::new(&self.head, self.reserved_bytes);
        let mut message = std::mem::replace(&mut self.writer, next).finish();
        if let Some(signed) = &mut self.signed {
            signed.sign(&mut message, (self.clock)());
        }
        self.counters.sent(message.len());
        self.octets += message.len() as u64;
        self.pieces
            .blocking_send(Piece::Message(message))
            .map_err(|_| Gone)
    }

    /// Sends what is left.
    fn finish(&mut self) -> Result<(), Gone> {
        if self.writer.is_empty() {
            return Ok(());
        }
        self.flush()
    }

    /// Says that the reply is whole.
    fn end(&self) -> Result<(), Gone> {
        self.pieces.blocking_send(Piece::End).map_err(|_| Gone)
    }
}
