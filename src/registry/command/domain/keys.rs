//! Keys of a domain, in a zone that takes keys in the place of DS (RFC 5910 section 4.2).
//!
//! The registry makes a DS of each key and publishes that; the key is kept to be shown and
//! taken back. A zone takes one or the other, never both. What a key is good for is the
//! child's; refused is what could be no key that a DS points to.

use zone_compiler::sign::{DigestType, FLAG_SEP, FLAG_ZONE, ds_rdata};
use zone_image::Name;

use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::checks::{ZoneRow, difference};
use crate::registry::command::tables::{Tables, rows};
use crate::registry::error::RegistryError;
use crate::registry::policy::DsInterface;
use crate::registry::types::{DnskeyData, DomainName, DsData};

/// Algorithms with keys of one length, and its octets (RFC 6605, RFC 8080).
const LENGTHS: [(u8, usize); 4] = [(13, 64), (14, 96), (15, 32), (16, 57)];

/// The DS of a command, given or made of its keys, as the zone takes them.
pub(super) fn signers(
    zone: &ZoneRow,
    name: &DomainName,
    ds: &[DsData],
    keys: &[DnskeyData],
) -> Result<Vec<DsData>, CommandError> {
    let interface = zone.policy.ds_interface;
    let odd = match interface {
        DsInterface::Ds => keys.first().map(ToString::to_string),
        DsInterface::Keys => ds.first().map(ToString::to_string),
    };
    if let Some(odd) = odd {
        let reason = match interface {
            DsInterface::Ds => "this zone takes DS, not keys",
            DsInterface::Keys => "this zone takes keys, of which it makes the DS",
        };
        return Err(rejected(ResultCode::ParameterPolicy, odd, reason));
    }
    match interface {
        DsInterface::Ds => Ok(ds.to_vec()),
        DsInterface::Keys => keys.iter().map(|key| signer(name, key)).collect(),
    }
}

/// The DS of a key, by SHA-256, which every validator knows (RFC 8624 section 3.3).
fn signer(name: &DomainName, key: &DnskeyData) -> Result<DsData, CommandError> {
    let refuse = |reason| Err(rejected(ResultCode::ParameterPolicy, key, reason));
    if key.flags() != FLAG_ZONE | FLAG_SEP {
        return refuse("flags of a key that a DS points to are 257");
    }
    let length = LENGTHS
        .iter()
        .find(|(algorithm, _)| *algorithm == key.algorithm());
    if length.is_some_and(|(_, length)| *length != key.public_key().len()) {
        return refuse("the public key's length is not that of its algorithm");
    }
    let owner = Name::parse_absolute(name.as_str()).expect("names of domains are names");
    let ds = DsData::from_rdata(&ds_rdata(&owner, key.rdata(), DigestType::Sha256));
    Ok(ds.expect("a DS that was made has a digest"))
}

/// Keeps and forgets keys; their DS were written. `forgets_all` is for those that are there.
pub(super) async fn store(
    tables: &mut Tables<'_>,
    domain_id: i64,
    add: &[DnskeyData],
    remove: &[DnskeyData],
    forgets_all: bool,
) -> Result<(), CommandError> {
    if add.is_empty() && remove.is_empty() && !forgets_all {
        return Ok(());
    }
    let mut keys = of_domain(tables, domain_id).await?.into_iter().collect();
    if forgets_all {
        let delete = sqlx::query("DELETE FROM domain_keys WHERE domain_id = $1");
        tables.run(delete.bind(domain_id)).await?;
        keys = std::collections::BTreeSet::new();
    }
    difference(&mut keys, add, remove)?;
    for key in remove {
        let delete = sqlx::query("DELETE FROM domain_keys WHERE domain_id = $1 AND rdata = $2");
        tables.run(delete.bind(domain_id).bind(key.rdata())).await?;
    }
    for key in add {
        let insert = sqlx::query("INSERT INTO domain_keys (domain_id, rdata) VALUES ($1, $2)");
        tables.run(insert.bind(domain_id).bind(key.rdata())).await?;
    }
    Ok(())
}

/// The keys of a domain.
pub(in crate::registry) async fn of_domain(
    tables: &mut Tables<'_>,
    domain_id: i64,
) -> Result<Vec<DnskeyData>, RegistryError> {
    let query =
        rows::<(Vec<u8>,)>("SELECT rdata FROM domain_keys WHERE domain_id = $1 ORDER BY rdata");
    let found = tables.all(query.bind(domain_id)).await?;
    let read = |(rdata,): (Vec<u8>,)| {
        DnskeyData::from_rdata(&rdata).ok_or_else(|| tables.inconsistent("a key without a key"))
    };
    found.into_iter().map(read).collect()
}
