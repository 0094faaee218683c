//! A registry as a zone file (RFC 1035 section 5).

use std::io::{self, Write};

use super::random::Random;
use super::{Domain, NameServers, Registry};

/// Name servers of the zone itself, below `nic` in it.
const APEX_NAME_SERVERS: u8 = 4;

/// Writes the zone: SOA, apex, then each domain's delegation, DS and glue.
pub(super) fn write(registry: &Registry, out: &mut impl Write) -> io::Result<()> {
    let suffix = registry.suffix();
    let apex = registry.parameters().apex.to_string();
    writeln!(out, "$ORIGIN {apex}\n$TTL 172800")?;
    writeln!(
        out,
        "@ 900 IN SOA a.nic{suffix} hostmaster.nic{suffix} 1 1800 900 604800 900"
    )?;
    for index in 0..APEX_NAME_SERVERS {
        let letter = char::from(b'a' + index);
        writeln!(out, "@ IN NS {letter}.nic{suffix}")?;
        writeln!(out, "{letter}.nic{suffix} IN A 198.18.{index}.53")?;
        writeln!(out, "{letter}.nic{suffix} IN AAAA 2001:db8:{index}::53")?;
    }
    for domain in registry.domains() {
        write_domain(registry, &domain, &suffix, out)?;
    }
    Ok(())
}

fn write_domain(
    registry: &Registry,
    domain: &Domain<'_>,
    suffix: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let label = domain.label;
    match domain.name_servers {
        NameServers::InDomain { count, ipv6 } => {
            for number in 1..=count {
                writeln!(out, "{label}{suffix} IN NS ns{number}.{label}{suffix}")?;
            }
            write_glue(domain, count, ipv6, suffix, out)?;
        }
        NameServers::Sibling(host) => {
            let host = registry.domain(host);
            let NameServers::InDomain { count, .. } = host.name_servers else {
                unreachable!("siblings are chosen among domains with name servers of their own")
            };
            for number in 1..=count {
                writeln!(
                    out,
                    "{label}{suffix} IN NS ns{number}.{}{suffix}",
                    host.label
                )?;
            }
        }
        NameServers::Operator { operator, count } => {
            for number in 1..=count {
                writeln!(
                    out,
                    "{label}{suffix} IN NS {}",
                    operator_host(operator, number)
                )?;
            }
        }
    }
    let mut random = Random::new(domain.salt);
    for _ in 0..domain.ds_count {
        write!(
            out,
            "{label}{suffix} 86400 IN DS {} 13 2 ",
            random.below(65_536)
        )?;
        for _ in 0..4 {
            write!(out, "{:016x}", random.next())?;
        }
        writeln!(out)?;
    }
    Ok(())
}

fn write_glue(
    domain: &Domain<'_>,
    count: u8,
    ipv6: bool,
    suffix: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let label = domain.label;
    for number in 1..=count {
        let [a, .., b, c, d] = (domain.salt ^ u64::from(number)).to_be_bytes();
        // 10.0.0.0/8 and 2001:db8::/32 are never anybody's name servers.
        writeln!(out, "ns{number}.{label}{suffix} IN A 10.{b}.{c}.{d}")?;
        if ipv6 {
            writeln!(
                out,
                "ns{number}.{label}{suffix} IN AAAA 2001:db8:{a:x}{b:02x}:{c:x}{d:02x}::{number}"
            )?;
        }
    }
    Ok(())
}

/// A name server of an operator outside the zone. Tops differ, as they do in life.
fn operator_host(operator: u64, number: u8) -> String {
    const TOPS: [&str; 4] = ["test.", "operators.test.", "dns.test.", "hosting.invalid."];
    let top = TOPS[usize::try_from(operator % 4).expect("below four")];
    format!("ns{number}.operator{operator}.{top}")
}
