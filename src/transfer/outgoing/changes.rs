//! What changed since the client's version (RFC 1995 section 4).
//!
//! Several changes are made one where that takes little memory: a record that came and went
//! again is then not sent. Else they are sent one after the other.

use std::io;
use std::path::PathBuf;

use zone_compiler::Record;

use super::send::{Gone, Sender};
use crate::transfer::difference::Difference;
use crate::transfer::journal;

/// Octets of changes up to which they are made one.
const CONDENSE_BYTES_MAX: u64 = 16 << 20;

/// Changes that are ready to be sent.
pub(super) enum Changes {
    One(Difference),
    Many(Vec<PathBuf>),
}

impl Changes {
    /// Reads what is to be made one.
    pub(super) fn read(files: Vec<PathBuf>, bytes: u64) -> io::Result<Self> {
        if bytes > CONDENSE_BYTES_MAX {
            return Ok(Self::Many(files));
        }
        let mut one: Option<Difference> = None;
        for file in &files {
            let next = journal::read(file)?;
            match &mut one {
                None => one = Some(next),
                Some(one) => one.follow(next),
            }
        }
        one.map(Self::One)
            .ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    pub(super) fn send(&self, soa: &Record, sender: &mut Sender) -> Result<(), Gone> {
        sender.push(soa)?;
        match self {
            Self::One(difference) => send_one(difference, sender)?,
            Self::Many(files) => {
                for file in files {
                    // What went from the journal meanwhile cannot be sent any more.
                    let difference = journal::read(file).map_err(|_| Gone)?;
                    send_one(&difference, sender)?;
                }
            }
        }
        sender.push(soa)
    }
}

fn send_one(difference: &Difference, sender: &mut Sender) -> Result<(), Gone> {
    let halves = [
        (&difference.from, &difference.removed),
        (&difference.to, &difference.added),
    ];
    for (soa, records) in halves {
        sender.push(&soa.record())?;
        records
            .iter()
            .try_for_each(|record| sender.push(&record.record()))?;
    }
    Ok(())
}
