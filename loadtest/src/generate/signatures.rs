//! DNSSEC records of a made-up zone: NSEC3 with opt-out, and RRSIGs of the right size.
//!
//! The NSEC3 chain is a true one (RFC 5155 section 7.1); keys and signatures are
//! random octets, as long as those of ECDSA P-256 (RFC 6605 section 4). A server
//! that answers from stored signatures does the same work for them; a validator
//! would refuse them. So a zone of ten million names takes seconds, not hours.

use std::io::{self, Write};

use zone_image::{Name, Nsec3Hasher};

use super::random::Random;

/// Octets of a public key and of a signature.
const KEY_BYTES: usize = 64;
/// The algorithm number of ECDSA P-256 with SHA-256.
const ALGORITHM: u8 = 13;
/// The zone-signing key that the RRSIGs name.
const KEY_TAG: u16 = 4711;
const KEY_SIGNING_TAG: u16 = 1147;
/// When all signatures were made and when they end.
const INCEPTION: &str = "20260101000000";
const EXPIRATION: &str = "20991231000000";

/// The records of DNSSEC for one zone, as they are written.
pub(super) struct Signatures {
    apex: Name,
    apex_text: String,
    random: Random,
    /// Hash and type bitmap of each NSEC3.
    chain: Vec<([u8; 20], &'static str)>,
}

impl Signatures {
    pub(super) fn new(apex: &Name, seed: u64) -> Self {
        Self {
            apex: apex.to_lowercase(),
            apex_text: apex.to_string(),
            random: Random::new(seed ^ 0x51_6e_a7),
            chain: Vec::new(),
        }
    }

    /// Notes a name below the apex for the chain, with the types it has.
    pub(super) fn note(&mut self, labels: &[&str], types: &'static str) {
        let mut name = self.apex.clone();
        for label in labels.iter().rev() {
            name = name
                .child(label.as_bytes())
                .expect("generated labels make names")
                .to_lowercase();
        }
        let hash = Nsec3Hasher::new(0, &[]).hash(name.as_wire());
        self.chain.push((hash, types));
    }

    /// Writes the RRSIG of an RRset whose owner has `labels` labels.
    pub(super) fn sign(
        &mut self,
        owner: &str,
        rtype: &str,
        ttl: u32,
        labels: usize,
        out: &mut impl Write,
    ) -> io::Result<()> {
        let tag = match rtype {
            "DNSKEY" => KEY_SIGNING_TAG,
            _ => KEY_TAG,
        };
        write!(
            out,
            "{owner} {ttl} IN RRSIG {rtype} {ALGORITHM} {labels} {ttl} {EXPIRATION} {INCEPTION} {tag} {} ",
            self.apex_text
        )?;
        self.write_key(out)?;
        writeln!(out)
    }

    /// Writes DNSKEY and NSEC3PARAM of the apex with their RRSIGs.
    pub(super) fn write_apex(&mut self, labels: usize, out: &mut impl Write) -> io::Result<()> {
        for flags in [257, 256] {
            write!(out, "@ 3600 IN DNSKEY {flags} 3 {ALGORITHM} ")?;
            self.write_key(out)?;
            writeln!(out)?;
        }
        self.sign("@", "DNSKEY", 3600, labels, out)?;
        writeln!(out, "@ 0 IN NSEC3PARAM 1 0 0 -")?;
        self.sign("@", "NSEC3PARAM", 0, labels, out)
    }

    /// Writes the chain of all names that were noted.
    pub(super) fn write_chain(mut self, ttl: u32, out: &mut impl Write) -> io::Result<()> {
        self.chain.sort_unstable();
        let labels = self.apex.label_count() + 1;
        for at in 0..self.chain.len() {
            let (hash, types) = self.chain[at];
            let (next, _) = self.chain[(at + 1) % self.chain.len()];
            let owner = base32hex(&hash);
            // Flag 1: names without DS between this hash and the next are not listed.
            writeln!(
                out,
                "{owner} {ttl} IN NSEC3 1 1 0 - {} {types}",
                base32hex(&next)
            )?;
            self.sign(&owner, "NSEC3", ttl, labels, out)?;
        }
        Ok(())
    }

    /// Random octets in base64: 64 of them end in two bits of a letter and `==`.
    fn write_key(&mut self, out: &mut impl Write) -> io::Result<()> {
        const LETTERS: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        const WHOLE: usize = KEY_BYTES * 8 / 6;
        let mut text = [b'='; WHOLE + 3];
        let mut bits = 0;
        for (at, letter) in text[..WHOLE].iter_mut().enumerate() {
            if at % 10 == 0 {
                bits = self.random.next();
            }
            *letter = LETTERS[usize::from((bits & 63).to_le_bytes()[0])];
            bits >>= 6;
        }
        text[WHOLE] = b"AQgw"[usize::from((bits & 3).to_le_bytes()[0])];
        out.write_all(&text)
    }
}

/// RFC 4648 section 7, which keeps the order of the octets.
fn base32hex(hash: &[u8; 20]) -> String {
    const DIGITS: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let mut text = String::with_capacity(32);
    for chunk in hash.chunks_exact(5) {
        let bits = chunk
            .iter()
            .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
        for digit in (0..8).rev() {
            let digit = (bits >> (5 * digit) & 31).to_le_bytes()[0];
            text.push(char::from(DIGITS[usize::from(digit)]));
        }
    }
    text
}
