//! A made-up TLD, the same each time.
//!
//! Mixes what real zones mix: name servers inside the delegated domain with
//! glue, name servers that many domains share, secure and insecure delegations.

use std::fmt::Write;

/// The made-up TLD.
pub(super) const APEX: &str = "demo.";
/// Every so many domains one has its name servers below itself.
const IN_DOMAIN_EVERY: u32 = 4;
/// Every so many domains one is secure.
pub(super) const SECURE_EVERY: u32 = 12;
/// Name-server companies that the other domains share.
const OPERATORS: u32 = 20;

const FIRST: [&str; 16] = [
    "amber", "birch", "cobalt", "delta", "ember", "fern", "granite", "harbor", "iris", "juniper",
    "kelp", "lumen", "maple", "north", "opal", "pine",
];
const SECOND: [&str; 16] = [
    "bakery", "books", "cycles", "design", "energy", "films", "garden", "hotel", "labs", "market",
    "music", "press", "school", "studio", "travel", "works",
];

/// The name of a domain by its number.
pub(super) fn domain(number: u32) -> String {
    let pick = |words: &[&'static str; 16], shift: u32| {
        let at = number.wrapping_mul(2_654_435_761).rotate_left(shift) % 16;
        words[usize::try_from(at).expect("below 16")]
    };
    format!("{}-{}-{number}.{APEX}", pick(&FIRST, 7), pick(&SECOND, 19))
}

/// The zone file with `domains` domains.
pub(super) fn zone(domains: u32) -> String {
    let mut zone = format!(
        "$ORIGIN {APEX}\n$TTL 3600\n\
         @ SOA ns1.nic hostmaster.nic 1 7200 900 604800 600\n\
         @ NS ns1.nic\n@ NS ns2.nic\n@ TXT \"a made-up registry\"\n\
         nic NS ns1.nic\nnic NS ns2.nic\n\
         ns1.nic A 192.0.2.1\nns1.nic AAAA 2001:db8::1\nns2.nic A 192.0.2.2\n"
    );
    for number in 1..=domains {
        // Writing to a String cannot fail.
        let _ = delegation(&mut zone, number);
    }
    zone
}

fn delegation(zone: &mut String, number: u32) -> std::fmt::Result {
    let name = domain(number);
    if number.is_multiple_of(IN_DOMAIN_EVERY) {
        let [_, b, c, d] = number.to_be_bytes();
        writeln!(zone, "{name} NS ns1.{name}\n{name} NS ns2.{name}")?;
        writeln!(zone, "ns1.{name} A 10.{b}.{c}.{d}")?;
        writeln!(zone, "ns2.{name} AAAA 2001:db8:1::{number:x}")?;
    } else {
        let operator = number % OPERATORS;
        writeln!(
            zone,
            "{name} NS a.dns{operator}.example.\n{name} NS b.dns{operator}.example."
        )?;
    }
    if number.is_multiple_of(SECURE_EVERY) {
        let tag = number % 65_536;
        let digest = u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        writeln!(
            zone,
            "{name} DS {tag} 13 2 {}",
            format!("{digest:016x}").repeat(4)
        )?;
    }
    Ok(())
}
