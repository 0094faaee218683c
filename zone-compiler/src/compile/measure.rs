//! How many octets the referral of a delegation takes, at worst.
//!
//! For whoever decides whether a delegation may be made: the bodies are those that a
//! compile would make, by the same encoder, and what is asked about is the longest name
//! below the delegation, with DO (RFC 3225) and a cookie (RFC 7873). Sibling glue is not
//! counted, since it is left out where it does not fit (RFC 9471 section 3.2). What a proof
//! says of other names is taken at its longest.

use zone_image::Name;

use super::encode::{Encoder, Scope};
use super::shared::at_or_below;
use crate::record::RecordType;

/// Header (RFC 1035 section 4.1.1).
const HEADER_BYTES: usize = 12;
/// A name of the longest kind, type and class.
const QUESTION_BYTES: usize = 255 + 4;
/// OPT (RFC 6891 section 6.1.2) with a cookie of both sides (RFC 7873 section 4).
const OPT_BYTES: usize = 11 + 4 + 24;
/// A record but for its owner and RDATA.
const FIXED_BYTES: usize = 10;
/// A pointer to a name.
const POINTER_BYTES: usize = 2;
/// RRSIG RDATA before the signer's name (RFC 4034 section 3.1).
const RRSIG_FIXED_BYTES: usize = 18;
/// The longest label with its length.
const LABEL_BYTES_MAX: usize = 64;
/// Types NS, RRSIG and NSEC of an insecure delegation (RFC 4034 section 4.1.2).
const NSEC_BITMAP_BYTES: usize = 8;
/// An NSEC3's owner label and its RDATA but for the types: SHA-1, no salt.
const NSEC3_BYTES: usize = 33 + 26;
/// All types below 256, and CAA.
const NSEC3_BITMAP_BYTES: usize = 34 + 3;

/// How a zone proves that a delegation has no DS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// By the NSEC of the delegation.
    Nsec,
    /// By its NSEC3.
    Nsec3,
    /// By the NSEC3 of the apex and one that covers the delegation.
    OptOut,
}

/// What signing adds to a referral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proof {
    /// How the zone proves absence.
    pub absence: Absence,
    /// Signatures of an RRset.
    pub signatures: usize,
    /// Octets of these signatures together.
    pub signature_bytes: usize,
}

/// A name server of a delegation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Its name, in lower case.
    pub name: Name,
    /// Its addresses of IPv4.
    pub v4: usize,
    /// And of IPv6.
    pub v6: usize,
}

/// A delegation as its referral shows it.
#[derive(Debug, Clone, Copy)]
pub struct Referral<'r> {
    /// Its name, in lower case.
    pub owner: &'r Name,
    /// The zone's, in lower case.
    pub apex: &'r Name,
    /// Its name servers; addresses count of those that lie in it.
    pub servers: &'r [Server],
    /// Octets of the RDATA of each DS.
    pub ds: &'r [usize],
    /// Of a signed zone.
    pub proof: Option<Proof>,
}

impl Referral<'_> {
    /// The octets of its referral at worst: with a DS and, since a DS may go at any time, without.
    pub fn octets(&self) -> usize {
        let scope = Scope {
            owner: self.owner.as_wire(),
            apex: self.apex.as_wire(),
            point_to_owner: true,
        };
        let mut names = Encoder::new(scope);
        for server in self.servers {
            names.record(RecordType::NS, 0, server.name.as_wire());
        }
        let targets = std::mem::take(&mut names.targets);
        let mut glue = Encoder::new(scope);
        for (server, target) in self.servers.iter().zip(targets) {
            let host = server.name.as_wire();
            if !at_or_below(host, scope.owner) {
                continue;
            }
            for _ in 0..server.v4 {
                glue.glue(target, host, RecordType::A, 0, &[0; 4]);
            }
            for _ in 0..server.v6 {
                glue.glue(target, host, RecordType::AAAA, 0, &[0; 16]);
            }
        }
        let octets = |encoder: Encoder<'_>| {
            // What passes a message fits no datagram.
            let body = encoder.finish();
            body.map_or_else(|| usize::from(u16::MAX), |body| body.wire.len())
        };
        HEADER_BYTES + QUESTION_BYTES + OPT_BYTES + octets(names) + octets(glue) + self.security()
    }

    fn security(&self) -> usize {
        let records = self.ds.iter();
        let ds: usize = records.map(|ds| POINTER_BYTES + FIXED_BYTES + ds).sum();
        let Some(proof) = self.proof else {
            return ds;
        };
        let signatures = |owner: usize| {
            let signer = self.apex.as_wire().len();
            let each = owner + FIXED_BYTES + RRSIG_FIXED_BYTES + signer;
            proof.signatures * each + proof.signature_bytes
        };
        let secure = match self.ds {
            [] => 0,
            _ => ds + signatures(POINTER_BYTES),
        };
        let apex = self.apex.as_wire().len();
        let nsec3 = |bitmap: usize| {
            let record = NSEC3_BYTES + POINTER_BYTES + FIXED_BYTES + bitmap;
            record + signatures(POINTER_BYTES)
        };
        let insecure = match proof.absence {
            Absence::Nsec => {
                let owner = self.owner.as_wire().len() - apex + POINTER_BYTES;
                let next = LABEL_BYTES_MAX + apex;
                owner + FIXED_BYTES + next + NSEC_BITMAP_BYTES + signatures(owner)
            }
            // Of a delegation: NS alone.
            Absence::Nsec3 => nsec3(3),
            Absence::OptOut => 2 * nsec3(NSEC3_BITMAP_BYTES),
        };
        secure.max(insecure)
    }
}
