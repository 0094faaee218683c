//! A registry as a zone file (RFC 1035 section 5).

use std::io::{self, Write};

use super::random::Random;
use super::signatures::Signatures;
use super::{Domain, NameServers, Registry};

/// Name servers of the zone itself, below `nic` in it.
const APEX_NAME_SERVERS: u8 = 4;
const TTL: u32 = 172_800;
const SOA_TTL: u32 = 900;
const DS_TTL: u32 = 86_400;

/// Writes the zone: SOA, apex, then each domain's delegation, DS and glue; in a
/// signed one RRSIGs follow their RRsets and the NSEC3 chain comes last.
pub(super) fn write(registry: &Registry, out: &mut impl Write) -> io::Result<()> {
    let parameters = registry.parameters();
    let suffix = registry.suffix();
    let mut signatures = parameters
        .signed
        .then(|| Signatures::new(&parameters.apex, parameters.seed));
    writeln!(out, "$ORIGIN {}\n$TTL {TTL}", parameters.apex)?;
    writeln!(
        out,
        "@ {SOA_TTL} IN SOA a.nic{suffix} hostmaster.nic{suffix} 1 1800 900 604800 900"
    )?;
    for (name, v4, v6) in apex_name_servers(registry) {
        writeln!(out, "@ IN NS {name}")?;
        writeln!(out, "{name} IN A {v4}")?;
        writeln!(out, "{name} IN AAAA {v6}")?;
    }
    if let Some(signatures) = &mut signatures {
        sign_apex(registry, &suffix, signatures, out)?;
    }
    for domain in registry.domains() {
        write_domain(registry, &domain, &suffix, &mut signatures, out)?;
    }
    match signatures {
        Some(signatures) => signatures.write_chain(SOA_TTL, out),
        None => Ok(()),
    }
}

/// Signs the apex and the name servers below `nic`.
fn sign_apex(
    registry: &Registry,
    suffix: &str,
    signatures: &mut Signatures,
    out: &mut impl Write,
) -> io::Result<()> {
    let labels = registry.parameters().apex.label_count();
    signatures.sign("@", "SOA", SOA_TTL, labels, out)?;
    signatures.sign("@", "NS", TTL, labels, out)?;
    signatures.write_apex(labels, out)?;
    signatures.note(&[], "NS SOA RRSIG DNSKEY NSEC3PARAM");
    // An empty non-terminal has no types (RFC 5155 section 7.1).
    signatures.note(&["nic"], "");
    for index in 0..APEX_NAME_SERVERS {
        let letter = char::from(b'a' + index).to_string();
        let owner = format!("{letter}.nic{suffix}");
        signatures.sign(&owner, "A", TTL, labels + 2, out)?;
        signatures.sign(&owner, "AAAA", TTL, labels + 2, out)?;
        signatures.note(&[&letter, "nic"], "A AAAA RRSIG");
    }
    Ok(())
}

/// Names and addresses of the zone's own name servers.
pub(super) fn apex_name_servers(
    registry: &Registry,
) -> impl Iterator<Item = (String, String, String)> {
    let suffix = registry.suffix();
    (0..APEX_NAME_SERVERS).map(move |index| {
        let letter = char::from(b'a' + index);
        let name = format!("{letter}.nic{suffix}");
        let (v4, v6) = (
            format!("198.18.{index}.53"),
            format!("2001:db8:{index}::53"),
        );
        (name, v4, v6)
    })
}

fn write_domain(
    registry: &Registry,
    domain: &Domain<'_>,
    suffix: &str,
    signatures: &mut Option<Signatures>,
    out: &mut impl Write,
) -> io::Result<()> {
    let label = domain.label;
    write_name_servers(registry, domain, suffix, out)?;
    for (key_tag, digest) in ds(domain) {
        writeln!(
            out,
            "{label}{suffix} {DS_TTL} IN DS {key_tag} 13 2 {digest}"
        )?;
    }
    if let Some(signatures) = signatures
        && domain.ds_count > 0
    {
        let labels = registry.parameters().apex.label_count() + 1;
        signatures.sign(&format!("{label}{suffix}"), "DS", DS_TTL, labels, out)?;
        signatures.note(&[label], "NS DS RRSIG");
    }
    Ok(())
}

fn write_name_servers(
    registry: &Registry,
    domain: &Domain<'_>,
    suffix: &str,
    out: &mut impl Write,
) -> io::Result<()> {
    let label = domain.label;
    for host in registry.hosts_of(domain) {
        writeln!(out, "{label}{suffix} IN NS {host}")?;
    }
    if let NameServers::InDomain { count, ipv6 } = domain.name_servers {
        for number in 1..=count {
            let (v4, v6) = glue(domain, number);
            writeln!(out, "ns{number}.{label}{suffix} IN A {v4}")?;
            if ipv6 {
                writeln!(out, "ns{number}.{label}{suffix} IN AAAA {v6}")?;
            }
        }
    }
    Ok(())
}

/// Key tags and digests of a domain.
pub(super) fn ds(domain: &Domain<'_>) -> impl Iterator<Item = (u64, String)> + use<> {
    let mut random = Random::new(domain.salt);
    (0..domain.ds_count).map(move |_| {
        let key_tag = random.below(65_536);
        let digest = (0..4).map(|_| format!("{:016x}", random.next())).collect();
        (key_tag, digest)
    })
}

/// Addresses of a name server below a domain.
pub(super) fn glue(domain: &Domain<'_>, number: u8) -> (String, String) {
    let [a, .., b, c, d] = (domain.salt ^ u64::from(number)).to_be_bytes();
    // 10.0.0.0/8 and 2001:db8::/32 are never anybody's name servers.
    (
        format!("10.{b}.{c}.{d}"),
        format!("2001:db8:{a:x}{b:02x}:{c:x}{d:02x}::{number}"),
    )
}

/// A name server of an operator outside the zone. Tops differ, as they do in life.
pub(super) fn operator_host(operator: u64, number: u8) -> String {
    const TOPS: [&str; 4] = ["test.", "operators.test.", "dns.test.", "hosting.invalid."];
    let top = TOPS[usize::try_from(operator % 4).expect("below four")];
    format!("ns{number}.operator{operator}.{top}")
}
