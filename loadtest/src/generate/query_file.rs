//! Query files in dnsperf's format: `NAME TYPE`, one a line.

use std::io::{self, Write};

use super::Registry;
use super::random::{Random, Zipf};

/// Of 100 queries of the mixed file, how many ask for names that do not exist.
/// Public figures of TLD operators lie between 10 and 60.
const MIXED_NXDOMAIN_PERCENT: u64 = 25;
/// Of 100 queries of the mixed file, how many ask for the apex.
const MIXED_APEX_PERCENT: u64 = 1;

/// What a query file asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QueryKind {
    /// Names at and below delegated domains.
    Referral,
    /// Names that do not exist.
    NxDomain,
    /// What a TLD sees.
    Mixed,
}

impl QueryKind {
    /// Each kind once.
    pub const ALL: [Self; 3] = [Self::Referral, Self::NxDomain, Self::Mixed];

    /// Its file in the output directory.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Referral => "queries-referral",
            Self::NxDomain => "queries-nxdomain",
            Self::Mixed => "queries-mixed",
        }
    }
}

/// Writes `queries` lines of one kind.
pub(super) fn write(registry: &Registry, kind: QueryKind, out: &mut impl Write) -> io::Result<()> {
    let parameters = registry.parameters();
    let suffix = registry.suffix();
    let popularity = Zipf::new(parameters.domains, parameters.exponent);
    let mut random = Random::new(parameters.seed ^ 0x9e37_79b9 ^ kind as u64);
    for _ in 0..parameters.queries {
        match draw_kind(kind, &mut random) {
            Line::Referral => {
                let rank = popularity.draw(&mut random);
                let label = registry.labels.text(scatter(rank, parameters.domains));
                writeln!(
                    out,
                    "{}{label}{suffix} {}",
                    below(&mut random),
                    rtype(&mut random)
                )?;
            }
            // No label of the registry starts so.
            Line::NxDomain => {
                let name = random.next() >> (8 + 8 * random.below(4));
                writeln!(
                    out,
                    "{}nx-{name:x}{suffix} {}",
                    below(&mut random),
                    rtype(&mut random)
                )?;
            }
            Line::Apex => {
                let rtype = match random.below(4) {
                    0 => "SOA",
                    1 => "NS",
                    2 => "DNSKEY",
                    _ => "A",
                };
                writeln!(out, "{} {rtype}", parameters.apex)?;
            }
        }
    }
    Ok(())
}

enum Line {
    Referral,
    NxDomain,
    Apex,
}

fn draw_kind(kind: QueryKind, random: &mut Random) -> Line {
    match kind {
        QueryKind::Referral => Line::Referral,
        QueryKind::NxDomain => Line::NxDomain,
        QueryKind::Mixed => match random.below(100) {
            draw if draw < MIXED_APEX_PERCENT => Line::Apex,
            draw if draw < MIXED_APEX_PERCENT + MIXED_NXDOMAIN_PERCENT => Line::NxDomain,
            _ => Line::Referral,
        },
    }
}

/// Spreads popular ranks over the registry, one to one.
fn scatter(rank: u64, domains: u64) -> u64 {
    // A prime above DOMAINS_MAX has no factor in common with any count.
    const STRIDE: u64 = 2_654_435_761;
    let place = u128::from(rank) * u128::from(STRIDE) % u128::from(domains);
    u64::try_from(place).expect("a remainder of a 64-bit number")
}

/// Labels in front of the registered name: most resolvers still send the whole
/// QNAME, those that minimise it (RFC 9156) send none.
fn below(random: &mut Random) -> &'static str {
    match random.below(100) {
        0..45 => "",
        45..80 => "www.",
        80..90 => "mail.",
        90..96 => "api.",
        _ => "a.b.cdn.",
    }
}

fn rtype(random: &mut Random) -> &'static str {
    match random.below(100) {
        0..55 => "A",
        55..77 => "AAAA",
        77..85 => "NS",
        85..91 => "DS",
        91..96 => "MX",
        96..99 => "HTTPS",
        _ => "TXT",
    }
}
