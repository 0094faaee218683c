//! Requests that are no plain questions: signed ones, transfers, notices.
//!
//! Whoever has keys and rules answers them, outside the data plane. The engine only
//! recognises them while it reads a message, so that plain questions pay nothing for it.

use std::fmt;

use zone_image::{Generation, LookupName};

use super::{Action, Engine, Request, Source};
use crate::dns::ahead::{self, Ahead};
use crate::dns::denial::ApexProofs;
use crate::dns::query::{OPCODE_NOTIFY, Parsed, rtype};

/// Answers a request as if it were a plain one: no signature of it is looked at, and what
/// is no question gets the error that it has without anybody who knows better.
pub type Plain<'p> = &'p mut dyn FnMut(&Request<'_>, &mut [u8]) -> Action;

/// Answers a request with TSIG, for a transfer, or with a notice, by one message.
pub trait Aside: fmt::Debug + Send + Sync {
    /// As [`Engine::answer`]; unlike it, this may allocate and take locks.
    fn answer(
        &self,
        generation: &Generation,
        request: &Request<'_>,
        out: &mut [u8],
        plain: Plain<'_>,
    ) -> Action;
}

impl Engine {
    /// Hands a request on where it is no plain question and somebody answers such.
    #[inline]
    pub(super) fn hand_aside(
        &self,
        generation: &Generation,
        request: &Request<'_>,
        parsed: &Parsed<'_>,
        out: &mut [u8],
    ) -> Option<Action> {
        let is_aside = match parsed {
            Parsed::Query(query) => {
                query.is_signed || matches!(query.qtype, rtype::AXFR | rtype::IXFR)
            }
            // Only whole headers are errors.
            Parsed::Error { .. } => request.wire[2] >> 3 & 0x0f == OPCODE_NOTIFY,
            Parsed::Drop(_) | Parsed::Cookie(_) => false,
        };
        // What comes from port 0 cannot be answered, and `conclude` says so.
        if !is_aside || request.peer.port() == 0 {
            return None;
        }
        let aside = self.shared.config.aside.as_deref()?;
        let mut plain =
            |request: &Request<'_>, out: &mut [u8]| self.answer_plain(generation, request, out);
        Some(aside.answer(generation, request, out, &mut plain))
    }

    fn answer_plain(
        &self,
        generation: &Generation,
        request: &Request<'_>,
        out: &mut [u8],
    ) -> Action {
        let mut name = LookupName::ROOT;
        let (parsed, source) = self.begin(generation, request, &mut name, &mut None);
        let mut question = [None];
        if let (Parsed::Query(query), Source::Zone(zone)) = (&parsed, &source) {
            question[0] = Some(Ahead::new(*zone, query));
            ahead::bring_near(&mut question);
        }
        let [question] = &mut question;
        let of_apex = &mut ApexProofs::default();
        self.conclude(request, &parsed, &source, question.as_ref(), of_apex, out)
    }
}
