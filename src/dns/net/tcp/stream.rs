//! One connection: frames in, frames out (RFC 1035 section 4.2.2, RFC 7766
//! section 8), whether in the clear or within TLS.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout, timeout_at};

use super::arrived::Stream;
use super::connections::Place;
use super::{Piece, Service, stopped};
use crate::dns::counters::Loss;
use crate::dns::engine::{Action, Request};
use crate::dns::net::Answer;
use crate::dns::net::failure::answer_guarded;
use crate::net::ending;

/// Octets of the length before each message.
const PREFIX_BYTES: usize = 2;
/// Longest message.
const MESSAGE_BYTES_MAX: usize = 65_535;
/// Octets read at once.
const READ_BYTES: usize = 4096;
/// Replies are written once they are this long, or nothing more is to be answered.
const WRITE_BYTES: usize = 16 * 1024;

thread_local! {
    /// Where the engine writes. One a thread is enough, since nothing waits
    /// between an answer and its copy into the connection's own buffer.
    static OUT: RefCell<Box<[u8]>> = RefCell::new(vec![0; MESSAGE_BYTES_MAX].into());
}

/// Serves one connection to its end. It is idle since it has its place, whenever this
/// starts: the order in which tasks get a thread makes nobody younger.
pub(super) async fn run<A: Answer, S: Stream>(
    service: &Service<A>,
    stream: S,
    peer: SocketAddr,
    place: &Place,
    stop: watch::Receiver<bool>,
) {
    let mut connection = Connection {
        service,
        stream,
        peer,
        input: Vec::new(),
        output: Vec::new(),
        queries: 0,
    };
    // An error is the client's business: it has gone, one way or another.
    let _ = connection.serve(place, stop).await;
}

struct Connection<'s, A, S> {
    service: &'s Service<A>,
    stream: S,
    peer: SocketAddr,
    /// What was received and not answered: less than a message and a read.
    input: Vec<u8>,
    /// Replies that are not written: at most `WRITE_BYTES` and one message.
    output: Vec<u8>,
    queries: u64,
}

/// Whether a connection goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Read,
    Close,
}

impl<A: Answer, S: Stream> Connection<'_, A, S> {
    async fn serve(&mut self, place: &Place, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        let mut deadline = self.idle_deadline();
        loop {
            if !self.input.is_empty() {
                let answered = self.queries;
                let idle_since = place.busy();
                let next = self.answer_input(place).await?;
                // Only a whole message gains time or shelter from eviction.
                if self.queries > answered {
                    deadline = self.idle_deadline();
                    place.idle();
                } else {
                    place.idle_still(idle_since);
                }
                if next == Next::Close {
                    return self.linger(place, stop).await;
                }
            }
            self.input.reserve(READ_BYTES);
            let read = tokio::select! {
                biased;
                // Its place is another's already. Its replies are with the kernel, so
                // that the end is too unless the client has stopped reading.
                () = place.sent_away() => return ending::end(&mut self.stream, Duration::ZERO).await,
                () = stopped(&mut stop) => {
                    self.finish(place).await?;
                    break;
                }
                read = timeout_at(deadline, self.stream.read_buf(&mut self.input)) => read,
            };
            match read {
                // The client has said all; what it asked is answered already.
                Ok(Ok(0)) => break,
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Err(error),
                Err(_) => {
                    self.service.counters.timed_out.add(1);
                    break;
                }
            }
        }
        ending::end(&mut self.stream, self.service.limits.write_timeout).await
    }

    /// Ends a connection whose client may be sending still.
    async fn linger(&mut self, place: &Place, mut stop: watch::Receiver<bool>) -> io::Result<()> {
        ending::end(&mut self.stream, self.service.limits.write_timeout).await?;
        let leave = async {
            tokio::select! {
                () = place.sent_away() => {}
                () = stopped(&mut stop) => {}
            }
        };
        ending::linger(&mut self.stream, leave).await;
        Ok(())
    }

    fn idle_deadline(&self) -> Instant {
        Instant::now() + self.service.limits.idle_timeout
    }

    /// Answers what has arrived when the server stops, and nothing later.
    async fn finish(&mut self, place: &Place) -> io::Result<()> {
        let most = self.input.len() + PREFIX_BYTES + MESSAGE_BYTES_MAX;
        self.stream.read_arrived(most, &mut self.input);
        self.answer_input(place).await.map(|_| ())
    }

    /// Answers every whole message of the input, in order.
    async fn answer_input(&mut self, place: &Place) -> io::Result<Next> {
        let mut at = 0;
        let mut next = Next::Read;
        while let Some((length, rest)) = split_frame(&self.input[at..]) {
            // RFC 7766 section 8 has no message of length 0; there is no next one to find.
            if length == 0 {
                next = Next::Close;
                break;
            }
            if self.queries >= self.service.limits.queries_per_connection_max {
                self.service.counters.exhausted.add(1);
                next = Next::Close;
                break;
            }
            let Some(wire) = rest.get(..length) else {
                break;
            };
            self.queries += 1;
            let request = Request {
                peer: self.peer,
                transport: S::TRANSPORT,
                wire,
                now: (self.service.clock)(),
            };
            let transfers = self.service.transfers.as_deref();
            let certificate = self.stream.certificate();
            let reply = transfers.and_then(|transfers| transfers.open(&request, certificate));
            match reply {
                None => answer(self.service, &request, &mut self.output),
                Some(pieces) => self.transfer(pieces, place).await?,
            }
            at += PREFIX_BYTES + length;
            if self.output.len() >= WRITE_BYTES {
                self.flush(place).await?;
            }
        }
        self.input.drain(..at);
        if self.input.is_empty() && self.input.capacity() > 2 * READ_BYTES {
            // One long message must not cost its memory for the whole session.
            self.input = Vec::new();
        }
        self.flush(place).await?;
        Ok(next)
    }

    /// Writes a reply of many messages, each when the client has taken the one before.
    async fn transfer(
        &mut self,
        mut pieces: mpsc::Receiver<Piece>,
        place: &Place,
    ) -> io::Result<()> {
        self.service.counters.query();
        loop {
            match pieces.recv().await {
                Some(Piece::Message(message)) => {
                    append_frame(&message, &mut self.output);
                    self.flush(place).await?;
                }
                Some(Piece::End) => return Ok(()),
                None => return Err(io::ErrorKind::ConnectionAborted.into()),
            }
        }
    }

    /// Writes the replies. Meanwhile the connection may be sent away like a silent
    /// one, or clients that ask and do not read could hold every place there is.
    async fn flush(&mut self, place: &Place) -> io::Result<()> {
        if self.output.is_empty() {
            return Ok(());
        }
        let (stream, output) = (&mut self.stream, &self.output);
        // TLS may hold back what the kernel did not take at once.
        let write = async {
            stream.write_all(output).await?;
            stream.flush().await
        };
        place.idle();
        let written = tokio::select! {
            biased;
            () = place.sent_away() => return Err(io::ErrorKind::ConnectionAborted.into()),
            written = timeout(self.service.limits.write_timeout, write) => written,
        };
        place.busy();
        match written {
            Ok(written) => written?,
            Err(_) => {
                self.service.counters.write_timed_out.add(1);
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
        self.output.clear();
        if self.output.capacity() > 2 * WRITE_BYTES {
            self.output = Vec::new();
        }
        Ok(())
    }
}

/// The length of the first message and all that follows the length.
fn split_frame(input: &[u8]) -> Option<(usize, &[u8])> {
    let (prefix, rest) = input.split_first_chunk::<PREFIX_BYTES>()?;
    Some((usize::from(u16::from_be_bytes(*prefix)), rest))
}

/// Appends a message and its length.
fn append_frame(message: &[u8], output: &mut Vec<u8>) {
    let prefix = u16::try_from(message.len()).expect("a message has at most 65,535 octets");
    output.extend_from_slice(&prefix.to_be_bytes());
    output.extend_from_slice(message);
}

/// Answers one message from one generation and appends the framed reply.
fn answer<A: Answer>(service: &Service<A>, request: &Request<'_>, output: &mut Vec<u8>) {
    let counters = &service.counters;
    counters.query();
    OUT.with_borrow_mut(|out| {
        let generation = service.generations.load();
        let (action, panicked) = answer_guarded(
            &service.engine,
            &generation,
            request,
            out,
            &service.offences,
        );
        if panicked {
            counters.lose(Loss::Panic);
        }
        match action {
            Action::Reply { length, outcome } => {
                counters.reply(outcome);
                append_frame(&out[..length], output);
            }
            Action::Drop(reason) => counters.ignore(reason),
        }
    });
}
