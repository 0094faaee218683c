//! A registry as the CSV files that `meridian registry import --csv` takes.
//!
//! The same delegations, DS and addresses as in the zone file; beside them what only
//! a registry knows: registrars, and when a domain was registered and until when.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::zone_file::{apex_name_servers, ds, glue, operator_host};
use super::{NameServers, Registry, write_file};

/// Registrars; domains are spread over them.
const REGISTRARS: u64 = 100;

/// A file and who writes its rows.
type Rows = fn(&Registry, &mut dyn Write) -> io::Result<()>;

const FILES: [(&str, Rows); 8] = [
    ("zones.csv", zones),
    ("registrars.csv", registrars),
    ("domains.csv", domains),
    ("hosts.csv", hosts),
    ("delegations.csv", delegations),
    ("ds.csv", ds_records),
    ("addresses.csv", addresses),
    ("records.csv", records),
];

/// Writes the files into `directory`, which is made.
pub(super) fn write(registry: &Registry, directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    use anyhow::Context as _;
    std::fs::create_dir_all(directory)
        .with_context(|| format!("making directory {}", directory.display()))?;
    let mut paths = Vec::new();
    for (name, rows) in FILES {
        let path = directory.join(name);
        write_file(&path, |out| rows(registry, out))?;
        paths.push(path);
    }
    Ok(paths)
}

fn zones(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let (apex, suffix) = (&registry.parameters().apex, registry.suffix());
    writeln!(
        out,
        "apex,soa_mname,soa_rname,serial,soa_refresh,soa_retry,soa_expire,soa_minimum,soa_ttl,\
         ns_ttl,ds_ttl,glue_ttl"
    )?;
    writeln!(
        out,
        "{apex},a.nic{suffix},hostmaster.nic{suffix},1,1800,900,604800,900,900,172800,86400,172800"
    )
}

fn registrars(_: &Registry, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "handle,name,iana_id")?;
    for number in 0..REGISTRARS {
        writeln!(
            out,
            "{},\"Registrar {number}, Inc.\",{}",
            sponsor(number),
            9000 + number
        )?;
    }
    Ok(())
}

fn sponsor(draw: u64) -> String {
    format!("reg-{:03}", draw % REGISTRARS)
}

fn domains(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let suffix = registry.suffix();
    writeln!(out, "name,registrar,created_at,expires_at")?;
    for domain in registry.domains() {
        let (salt, label) = (domain.salt, domain.label);
        let (year, month, day) = (2005 + salt % 20, 1 + salt / 32 % 12, 1 + salt / 512 % 28);
        let time = salt % 86_400;
        let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
        let moment = format!("{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z");
        let (sponsor, end) = (sponsor(salt), 2027 + salt % 9);
        writeln!(
            out,
            "{label}{suffix},{sponsor},{year}-{moment},{end}-{moment}"
        )?;
    }
    Ok(())
}

fn hosts(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let suffix = registry.suffix();
    writeln!(out, "name,registrar")?;
    let mut operators = Vec::new();
    for domain in registry.domains() {
        let sponsor = sponsor(domain.salt);
        match domain.name_servers {
            NameServers::InDomain { count, .. } => {
                for number in 1..=count {
                    writeln!(out, "ns{number}.{}{suffix},{sponsor}", domain.label)?;
                }
            }
            NameServers::Sibling(_) => {}
            NameServers::Operator { operator, count } => {
                let place = usize::try_from(operator).expect("fewer operators than domains");
                if operators.len() <= place {
                    operators.resize(place + 1, false);
                }
                if !std::mem::replace(&mut operators[place], true) {
                    for number in 1..=count {
                        writeln!(out, "{},{sponsor}", operator_host(operator, number))?;
                    }
                }
            }
        }
    }
    Ok(())
}

fn delegations(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let suffix = registry.suffix();
    writeln!(out, "domain,host")?;
    for domain in registry.domains() {
        for host in registry.hosts_of(&domain) {
            writeln!(out, "{}{suffix},{host}", domain.label)?;
        }
    }
    Ok(())
}

fn ds_records(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let suffix = registry.suffix();
    writeln!(out, "domain,key_tag,algorithm,digest_type,digest")?;
    for domain in registry.domains() {
        for (key_tag, digest) in ds(&domain) {
            writeln!(out, "{}{suffix},{key_tag},13,2,{digest}", domain.label)?;
        }
    }
    Ok(())
}

fn addresses(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let suffix = registry.suffix();
    writeln!(out, "host,address")?;
    for domain in registry.domains() {
        if let NameServers::InDomain { count, ipv6 } = domain.name_servers {
            for number in 1..=count {
                let (v4, v6) = glue(&domain, number);
                let host = format!("ns{number}.{}{suffix}", domain.label);
                writeln!(out, "{host},{v4}")?;
                if ipv6 {
                    writeln!(out, "{host},{v6}")?;
                }
            }
        }
    }
    Ok(())
}

fn records(registry: &Registry, out: &mut dyn Write) -> io::Result<()> {
    let apex = &registry.parameters().apex;
    writeln!(out, "zone,owner,type,ttl,data")?;
    for (name, v4, v6) in apex_name_servers(registry) {
        writeln!(out, "{apex},{apex},NS,172800,{name}")?;
        writeln!(out, "{apex},{name},A,172800,{v4}")?;
        writeln!(out, "{apex},{name},AAAA,172800,{v6}")?;
    }
    Ok(())
}
