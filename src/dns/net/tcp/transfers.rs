//! Replies of many messages: what a stream asks for them.
//!
//! Who makes them knows rules, keys and zones; here is only the hand-over, a queue of few
//! messages, so that whoever reads slowly has them made slowly.

use std::fmt;

use tokio::sync::mpsc;

use crate::dns::engine::Request;

/// A part of a reply.
#[derive(Debug)]
pub enum Piece {
    /// A message, without its length.
    Message(Vec<u8>),
    /// The reply is whole. Where the queue ends without it, so does the connection: half a
    /// zone must not look like a zone.
    End,
}

/// Makes replies of many messages.
pub trait Transfers: fmt::Debug + Send + Sync {
    /// The reply to a request that asks for a transfer, whatever it is; `None` leaves the
    /// request to the engine. `certificate` is what the client showed, in DER, with proof
    /// that it has the key.
    fn open(
        &self,
        request: &Request<'_>,
        certificate: Option<&[u8]>,
    ) -> Option<mpsc::Receiver<Piece>>;
}
