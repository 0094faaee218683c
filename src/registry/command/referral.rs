//! Delegations whose referral could not fit a datagram are refused.
//!
//! A referral that is cut off (TC) costs every resolver a second question, over TCP. So no
//! command makes one that could pass 1232 octets (RFC 9715 section 3.1), whatever is asked
//! below it: that is 2306, with the figure. It is asked where a domain gets name servers or
//! DS, and where a host gets an address or another name, of the domains that name it. What
//! is too long already, by an import or since its zone was signed, may change as long as it
//! does not grow. Deviation: hosts that a removal renames are not asked about.

use zone_compiler::compile::{Absence, Proof, Referral, Server};
use zone_image::Name;

use super::super::code::ResultCode;
use super::super::error::RegistryError;
use super::super::types::{DsData, HostName};
use super::CommandError;
use super::answer::rejected;
use super::checks::{ZoneRow, zone_of};
use super::tables::{Tables, rows, rows_in};

/// Most octets of a referral.
const REFERRAL_BYTES_MAX: usize = 1232;
/// Most domains near the limit that are measured for a change of one host.
const MEASURED_MAX: i64 = 10_000;
/// What a signature of the usual algorithms has, where a zone has no keys yet.
const SIGNATURE_BYTES: i64 = 64;

/// Columns of `zones` that say what signing adds to a referral. Of RSA the key is a little
/// longer than the signature.
pub(super) const COLUMNS: &str = "\
    (SELECT p.denial FROM signing_policies p WHERE p.zone_id = zones.id) AS denial, \
    (SELECT COUNT(DISTINCT k.algorithm) FROM zone_keys k WHERE k.zone_id = zones.id \
    AND k.role <> 'ksk') AS signatures, \
    (SELECT CAST(COALESCE(SUM(s.octets), 0) AS BIGINT) FROM (SELECT MAX(CASE k.algorithm \
    WHEN 13 THEN 64 WHEN 14 THEN 96 WHEN 15 THEN 64 ELSE LENGTH(k.public_key) END) AS octets \
    FROM zone_keys k WHERE k.zone_id = zones.id AND k.role <> 'ksk' GROUP BY k.algorithm) s) \
    AS signature_bytes";

/// The delegation of a domain.
#[derive(Debug, Clone)]
struct Delegation {
    owner: Name,
    servers: Vec<Server>,
    ds: Vec<usize>,
}

impl Delegation {
    fn octets(&self, apex: &Name, proof: Option<Proof>) -> usize {
        if self.servers.is_empty() {
            return 0;
        }
        let referral = Referral {
            owner: &self.owner,
            apex,
            servers: &self.servers,
            ds: &self.ds,
            proof,
        };
        referral.octets()
    }
}

/// What signing adds in this zone.
fn proof(zone: &ZoneRow) -> Option<Proof> {
    let absence = match zone.denial.as_deref()? {
        "nsec" => Absence::Nsec,
        "nsec3" => Absence::Nsec3,
        _ => Absence::OptOut,
    };
    let [signatures, octets] = match zone.signatures {
        [0, _] => [1, SIGNATURE_BYTES],
        known => known,
    };
    let size = |number| usize::try_from(number).unwrap_or_default();
    Some(Proof {
        absence,
        signatures: size(signatures),
        signature_bytes: size(octets),
    })
}

fn name(text: &str) -> Name {
    Name::parse_absolute(text).expect("stored names are names")
}

/// Name servers and DS of a domain before and after a command.
pub(super) struct Change<'c> {
    pub(super) hosts: [Vec<&'c HostName>; 2],
    pub(super) ds: [Vec<&'c DsData>; 2],
}

/// Whether a domain's referral fits after a command, or does not grow.
pub(super) async fn check(
    tables: &mut Tables<'_>,
    zone: &ZoneRow,
    domain: &str,
    change: &Change<'_>,
) -> Result<(), CommandError> {
    let (owner, apex, proof) = (name(domain), name(&zone.apex), proof(zone));
    let below = |host: &&&HostName| name(host.as_str()).is_at_or_below(&owner);
    let mut own: Vec<_> = change.hosts.iter().flatten().filter(below).collect();
    own.dedup();
    let own: Vec<_> = own.iter().map(|host| host.as_str().to_owned()).collect();
    let glue = addresses(tables, &own).await?;
    let [before, after] = [0, 1].map(|side| {
        let server = |host: &&HostName| {
            let found = glue.iter().find(|(name, ..)| name == host.as_str());
            let (v4, v6) = found.map_or((0, 0), |(_, v4, v6)| (*v4, *v6));
            server(host.as_str(), v4, v6)
        };
        let delegation = Delegation {
            owner: owner.clone(),
            servers: change.hosts[side].iter().map(server).collect(),
            ds: change.ds[side].iter().map(|ds| ds.rdata().len()).collect(),
        };
        delegation.octets(&apex, proof)
    });
    fits(domain, before, after)
}

fn fits(domain: &str, before: usize, after: usize) -> Result<(), CommandError> {
    if after <= REFERRAL_BYTES_MAX || after <= before {
        return Ok(());
    }
    let reason = format!(
        "its referral could have {after} octets, {REFERRAL_BYTES_MAX} at most; \
         fewer or shorter name servers, addresses or DS"
    );
    Err(rejected(ResultCode::ParameterPolicy, domain, reason))
}

fn server(text: &str, v4: i64, v6: i64) -> Server {
    let count = |number| usize::try_from(number).unwrap_or_default();
    Server {
        name: name(text),
        v4: count(v4),
        v6: count(v6),
    }
}

/// How many addresses of each family these hosts have.
async fn addresses(
    tables: &mut Tables<'_>,
    hosts: &[String],
) -> Result<Vec<(String, i64, i64)>, RegistryError> {
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let query = rows_in::<(String, i64, i64)>(
        "SELECT h.name, COUNT(CASE WHEN a.rtype = 1 THEN 1 END), \
         COUNT(CASE WHEN a.rtype = 28 THEN 1 END) FROM hosts h \
         JOIN host_addresses a ON a.host_id = h.id WHERE h.name IN ({list}) GROUP BY h.name",
        hosts,
    );
    tables.all(query).await
}

/// A host whose change is written, and what it was before.
pub(super) struct Former<'f> {
    pub(super) id: i64,
    /// Its name now.
    pub(super) now: &'f str,
    pub(super) name: &'f str,
    pub(super) v4: usize,
    pub(super) v6: usize,
    /// Only this domain can be concerned: an address is in the referrals of no other.
    pub(super) domain: Option<i64>,
}

/// Whether the referrals of the domains that name a host still fit.
pub(super) async fn check_users(
    tables: &mut Tables<'_>,
    host: &Former<'_>,
) -> Result<(), CommandError> {
    let (any, domain) = (i64::from(host.domain.is_none()), host.domain.unwrap_or(0));
    let zones = rows::<(i64,)>(
        "SELECT DISTINCT d.zone_id FROM delegations n JOIN domains d ON d.id = n.domain_id \
         WHERE n.host_id = $1 AND ($2 = 1 OR d.id = $3)",
    );
    let zones = tables
        .all(zones.bind(host.id).bind(any).bind(domain))
        .await?;
    for (zone_id,) in zones {
        let zone = zone_of(tables, zone_id).await?;
        let (apex, proof) = (name(&zone.apex), proof(&zone));
        for (id, domain) in near(tables, host, &zone).await? {
            let after = delegation(tables, id, &domain).await?;
            let mut before = after.clone();
            let now = name(host.now);
            for server in before.servers.iter_mut().filter(|s| s.name == now) {
                server.name = name(host.name);
                (server.v4, server.v6) = (host.v4, host.v6);
            }
            let octets = [before, after].map(|delegation| delegation.octets(&apex, proof));
            fits(&domain, octets[0], octets[1])?;
        }
    }
    Ok(())
}

/// By the domains that name the host: SQLite takes a CROSS JOIN in the order in which it is
/// written, and would else go through the whole zone to have them in order.
const NEAR: &str = "\
    SELECT d.id, d.name FROM delegations n CROSS JOIN domains d \
    WHERE d.id = n.domain_id AND n.host_id = $1 AND d.zone_id = $2 \
    AND ($3 = 1 OR d.id = $4) AND (SELECT SUM(LENGTH(h.name) + 14 + CASE WHEN h.domain_id = d.id THEN 28 * (SELECT COUNT(*) \
    FROM host_addresses a WHERE a.host_id = h.id) ELSE 0 END) FROM delegations m \
    JOIN hosts h ON h.id = m.host_id WHERE m.domain_id = d.id) \
    + COALESCE((SELECT SUM(LENGTH(s.rdata) + 12) FROM ds s WHERE s.domain_id = d.id), 0) \
    > $5 ORDER BY d.id LIMIT $6";

/// Domains of a zone that name a host and whose referral may be too long, if nothing of it
/// were compressed.
async fn near(
    tables: &mut Tables<'_>,
    host: &Former<'_>,
    zone: &ZoneRow,
) -> Result<Vec<(i64, String)>, CommandError> {
    let empty = Delegation {
        owner: name(&zone.apex),
        servers: vec![server(".", 0, 0)],
        // Signatures come with a DS.
        ds: vec![0],
    };
    let fixed = empty.octets(&empty.owner, proof(zone));
    // The proof of a name has at most the whole name, twice.
    let rest = REFERRAL_BYTES_MAX.saturating_sub(fixed + 2 * usize::from(u8::MAX));
    let query = rows::<(i64, String)>(NEAR);
    let query = query
        .bind(host.id)
        .bind(zone.id)
        .bind(i64::from(host.domain.is_none()))
        .bind(host.domain.unwrap_or(0))
        .bind(i64::try_from(rest).unwrap_or(i64::MAX))
        .bind(MEASURED_MAX + 1);
    let found = tables.all(query).await?;
    if i64::try_from(found.len()).unwrap_or(i64::MAX) > MEASURED_MAX {
        let reason = format!(
            "more than {MEASURED_MAX} domains of {} that name it have referrals near \
             {REFERRAL_BYTES_MAX} octets; give them another host",
            zone.apex
        );
        return Err(rejected(ResultCode::ParameterPolicy, host.name, reason));
    }
    Ok(found)
}

async fn delegation(
    tables: &mut Tables<'_>,
    id: i64,
    domain: &str,
) -> Result<Delegation, RegistryError> {
    let servers = rows::<(String, i64, i64)>(
        "SELECT h.name, (SELECT COUNT(*) FROM host_addresses a WHERE a.host_id = h.id \
         AND a.rtype = 1), (SELECT COUNT(*) FROM host_addresses a WHERE a.host_id = h.id \
         AND a.rtype = 28) FROM delegations n JOIN hosts h ON h.id = n.host_id \
         WHERE n.domain_id = $1",
    );
    let servers = tables.all(servers.bind(id)).await?;
    let ds = rows::<(i64,)>("SELECT CAST(LENGTH(rdata) AS BIGINT) FROM ds WHERE domain_id = $1");
    let ds = tables.all(ds.bind(id)).await?;
    let servers = servers.iter().map(|(text, v4, v6)| server(text, *v4, *v6));
    Ok(Delegation {
        owner: name(domain),
        servers: servers.collect(),
        ds: ds
            .into_iter()
            .map(|(octets,)| usize::try_from(octets).unwrap_or_default())
            .collect(),
    })
}

#[cfg(test)]
mod tests;
