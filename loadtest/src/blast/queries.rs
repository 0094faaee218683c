//! Queries built once, before the clock starts.

use std::path::Path;

use anyhow::{Context, bail};
use zone_image::Name;

/// Most queries of one file; a longer file is cut.
const QUERIES_MAX: usize = 20_000_000;
/// Octets of a header.
const HEADER_BYTES: usize = 12;
/// An OPT record without options for EDNS with 1232 octets (RFC 6891 section 6.1.2).
const OPT: [u8; 11] = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];
/// The octet of the OPT that holds DO, and DO (RFC 3225 section 3).
const DO_AT: usize = 7;
const DO: u8 = 0x80;

/// Ready-made query messages with id 0, one behind the other.
#[derive(Debug, Default, Clone)]
pub struct Queries {
    wire: Vec<u8>,
    ends: Vec<u32>,
    edns: bool,
    dnssec_ok_percent: usize,
}

impl Queries {
    /// No queries yet; with `edns` each will say that 1232 octets are welcome.
    pub fn new(edns: bool) -> Self {
        Self {
            edns,
            ..Self::default()
        }
    }

    /// Of a hundred queries that are added from here on so many set DO, spread evenly.
    #[must_use]
    pub fn with_dnssec_ok(mut self, percent: u8) -> Self {
        self.dnssec_ok_percent = usize::from(percent);
        self
    }

    /// Reads a file in dnsperf's format: `NAME TYPE` lines, `;` starts a comment.
    pub fn read(path: &Path, edns: bool) -> anyhow::Result<Self> {
        Self::new(edns).read_more(path)
    }

    /// Adds the queries of a file in dnsperf's format.
    pub fn read_more(self, path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("reading queries from {}", path.display()))?;
        let mut queries = self;
        for (number, line) in text.lines().enumerate() {
            let line = line.split(';').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            queries
                .push_text(line)
                .with_context(|| format!("{}:{}", path.display(), number + 1))?;
            if queries.len() == QUERIES_MAX {
                break;
            }
        }
        anyhow::ensure!(!queries.is_empty(), "{} has no queries", path.display());
        Ok(queries)
    }

    /// Adds a query written as `NAME TYPE`.
    pub fn push_text(&mut self, line: &str) -> anyhow::Result<()> {
        let mut words = line.split_whitespace();
        let (Some(name), Some(rtype), None) = (words.next(), words.next(), words.next()) else {
            bail!("`{line}` is not NAME TYPE");
        };
        let qname = Name::parse_absolute(name).with_context(|| format!("name `{name}`"))?;
        self.push(&qname, type_number(rtype)?);
        Ok(())
    }

    /// Adds a query.
    pub fn push(&mut self, qname: &Name, qtype: u16) {
        let arcount = u8::from(self.edns);
        self.wire
            .extend_from_slice(&[0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, arcount]);
        self.wire.extend_from_slice(qname.as_wire());
        self.wire.extend_from_slice(&qtype.to_be_bytes());
        self.wire.extend_from_slice(&[0, 1]);
        if self.edns {
            let mut opt = OPT;
            // A step of 37 visits every hundredth once before it comes back.
            if self.ends.len() * 37 % 100 < self.dnssec_ok_percent {
                opt[DO_AT] = DO;
            }
            self.wire.extend_from_slice(&opt);
        }
        let end = u32::try_from(self.wire.len()).expect("QUERIES_MAX queries of 300 octets");
        self.ends.push(end);
    }

    /// Adds a message as it is, well-formed or not, of at least a header. Its id is
    /// replaced when it is sent.
    ///
    /// # Panics
    /// When these queries have EDNS, which would be looked for behind the question.
    pub fn push_message(&mut self, message: &[u8]) {
        assert!(!self.edns, "messages are sent as they are");
        assert!(message.len() >= HEADER_BYTES, "a message without an id");
        self.wire.extend_from_slice(message);
        let end = u32::try_from(self.wire.len()).expect("less than 4 GiB of messages");
        self.ends.push(end);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The message at `index`.
    pub fn message(&self, index: usize) -> &[u8] {
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.wire[start as usize..self.ends[index] as usize]
    }

    /// The question section of the message at `index`: a reply repeats it octet by octet.
    pub fn question(&self, index: usize) -> &[u8] {
        let message = self.message(index);
        let tail = if self.edns { OPT.len() } else { 0 };
        &message[HEADER_BYTES..message.len() - tail]
    }
}

/// The number of a type by its mnemonic or as `TYPE65` (RFC 3597 section 5).
fn type_number(text: &str) -> anyhow::Result<u16> {
    let upper = text.to_ascii_uppercase();
    if let Some(number) = upper.strip_prefix("TYPE") {
        return number.parse().with_context(|| format!("type `{text}`"));
    }
    Ok(match upper.as_str() {
        "A" => 1,
        "NS" => 2,
        "CNAME" => 5,
        "SOA" => 6,
        "PTR" => 12,
        "MX" => 15,
        "TXT" => 16,
        "AAAA" => 28,
        "SRV" => 33,
        "DS" => 43,
        "RRSIG" => 46,
        "NSEC" => 47,
        "DNSKEY" => 48,
        "NSEC3PARAM" => 51,
        "SVCB" => 64,
        "HTTPS" => 65,
        "ANY" => 255,
        "CAA" => 257,
        _ => bail!("type `{text}` has no short form here, write it as TYPEnnn"),
    })
}
