//! Zones whose every record names the generation it belongs to, and the check that
//! one reply holds records of one generation only.
//!
//! The generation stands in the SOA serial, in the first label of each name server
//! (`g17.ns3.example.`), in the last 16 bits of each glue address and in the key tag
//! of each DS. A server that mixes two images in one reply is found by one look.

mod reply;

use std::io::{self, Write};

use zone_image::Name;

pub use reply::{Malformed, Stamps};
pub(crate) use reply::{answered_serial, first_ttl};

/// Distinct name server pairs of a stamped zone; domains share them in turn.
const NAME_SERVER_SETS: u64 = 16;
/// Of so many domains one has a DS.
const DS_STRIDE: u64 = 4;

/// Writes a zone of `domains` delegations `d0`, `d1`, .. that carry `generation`.
pub fn write_zone(
    apex: &Name,
    domains: u64,
    generation: u16,
    out: &mut impl Write,
) -> io::Result<()> {
    let [high, low] = generation.to_be_bytes();
    let own = format!("g{generation}.ns");
    writeln!(out, "$ORIGIN {apex}\n$TTL 3600")?;
    writeln!(
        out,
        "@ IN SOA {own} hostmaster {generation} 1800 900 604800 900\n@ IN NS {own}"
    )?;
    writeln!(
        out,
        "{own} IN A 10.0.{high}.{low}\n{own} IN AAAA 2001:db8::{generation:x}"
    )?;
    for set in 0..NAME_SERVER_SETS.min(domains) {
        for name in ["ns", "nt"] {
            writeln!(out, "g{generation}.{name}{set} IN A 10.1.{high}.{low}")?;
            writeln!(
                out,
                "g{generation}.{name}{set} IN AAAA 2001:db8:1::{generation:x}"
            )?;
        }
    }
    for domain in 0..domains {
        let set = domain % NAME_SERVER_SETS;
        writeln!(
            out,
            "d{domain} IN NS g{generation}.ns{set}\nd{domain} IN NS g{generation}.nt{set}"
        )?;
        if domain % DS_STRIDE == 0 {
            writeln!(
                out,
                "d{domain} IN DS {generation} 13 2 {:064x}",
                u128::from(domain) + 1
            )?;
        }
    }
    Ok(())
}

/// Writes queries, in dnsperf's format, whose replies from a stamped zone carry
/// stamps: referrals, DS, NODATA, NXDOMAIN and the apex.
pub fn write_queries(apex: &Name, domains: u64, out: &mut impl Write) -> io::Result<()> {
    let suffix = if apex.is_root() {
        ".".to_owned()
    } else {
        format!(".{apex}")
    };
    writeln!(out, "{apex} SOA\n{apex} NS\n{apex} TXT")?;
    for domain in 0..domains {
        match domain % 4 {
            0 => writeln!(out, "d{domain}{suffix} DS")?,
            1 => writeln!(out, "nx-{domain}{suffix} A")?,
            _ => writeln!(out, "www.d{domain}{suffix} A")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
