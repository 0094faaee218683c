//! Domains.

use super::Snapshot;
use super::contact::{ContactLink, of_domain};
use super::host::{ServerRecord, servers_of};
use super::registrar::{RegistrarRecord, by_id};
use crate::registry::command::domain::{graces, keys_of, roid};
use crate::registry::command::tables::{from_row, rows};
use crate::registry::command::zone::policy_of;
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::life::{Life, Phase};
use crate::registry::policy::disclosure::DisclosurePolicy;
use crate::registry::types::{DnskeyData, DsData};

/// A domain with all that hangs on it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the elements of RFC 5731")]
pub struct DomainRecord {
    pub name: String,
    pub roid: String,
    /// Apex of its zone.
    pub zone: String,
    /// EPP's words, `ok` and `inactive` among them.
    pub statuses: Vec<String>,
    /// Those of RFC 3915 that hold at the time of the read.
    pub rgp_statuses: Vec<&'static str>,
    pub registrar: RegistrarRecord,
    pub contacts: Vec<ContactLink>,
    /// By which contacts are shown.
    pub disclosure: DisclosurePolicy,
    pub servers: Vec<ServerRecord>,
    pub ds: Vec<DsData>,
    /// Whether the zone has DS for it of its own keys: it is parked, and that is signed.
    pub is_parked_signed: bool,
    /// Of which the DS were made, in a zone that takes keys.
    pub keys: Vec<DnskeyData>,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
    pub transferred_at: Option<Timestamp>,
    pub expires_at: Option<Timestamp>,
}

struct Row {
    id: i64,
    zone_id: i64,
    apex: String,
    registrar_id: i64,
    registrant_id: Option<i64>,
    statuses: String,
    created_at: i64,
    updated_at: Option<i64>,
    transferred_at: Option<i64>,
    expires_at: Option<i64>,
    phase: String,
    parked_signed: i64,
}

from_row!(Row: id, zone_id, apex, registrar_id, registrant_id, statuses, created_at, updated_at, transferred_at, expires_at, phase, parked_signed);

impl DomainRecord {
    /// Whether its zone has DS for it, of its own or as a parked domain.
    pub fn is_signed(&self) -> bool {
        self.is_parked_signed || !self.ds.is_empty()
    }
}

impl Row {
    /// As far as statuses follow from it.
    fn life(&self) -> Option<Life> {
        Some(Life {
            id: self.id,
            phase: Phase::parse(&self.phase)?,
            phase_ends_at: None,
            redemption_ends_at: None,
            expires_at: self.expires_at.map(Timestamp),
            transfer_ends_at: None,
            is_kept: false,
        })
    }

    /// RFC 5731 section 2.3: `inactive` without delegation information, else `ok` where
    /// nothing was set.
    fn words(&self, has_servers: bool) -> Vec<String> {
        let words = self.statuses.split_ascii_whitespace();
        let mut statuses: Vec<_> = words.map(str::to_owned).collect();
        if !has_servers {
            statuses.push("inactive".to_owned());
        } else if statuses.is_empty() {
            statuses.push("ok".to_owned());
        }
        statuses
    }
}

impl Snapshot<'_> {
    /// The domain of this name, as it is at `now`.
    pub async fn domain(
        &mut self,
        name: &str,
        now: Timestamp,
    ) -> Result<Option<DomainRecord>, RegistryError> {
        let query = rows::<Row>(
            "SELECT d.id, d.zone_id, z.apex, d.registrar_id, d.registrant_id, d.statuses, \
             d.created_at, d.updated_at, d.transferred_at, d.expires_at, d.phase, \
             CASE WHEN d.parkable = 1 AND z.parking = 1 AND z.parked_answers = 'signed' \
             AND EXISTS (SELECT 1 FROM dns_key k WHERE k.zone_id = d.zone_id AND k.signs_zone = 1) \
             THEN CAST(1 AS BIGINT) ELSE CAST(0 AS BIGINT) END AS parked_signed \
             FROM domains d JOIN zones z ON z.id = d.zone_id \
             WHERE d.name = $1 AND z.state = 'active' AND z.stage = 'production'",
        );
        let mut tables = self.tables();
        let Some(row) = tables.optional(query.bind(name)).await? else {
            return Ok(None);
        };
        let servers = servers_of(&mut tables, row.id).await?;
        let ds = rows::<(Vec<u8>,)>("SELECT rdata FROM ds WHERE domain_id = $1 ORDER BY rdata");
        let ds = tables.all(ds.bind(row.id)).await?;
        let keys = keys_of(&mut tables, row.id).await?;
        let graces = graces(&mut tables, row.id).await?;
        let bad = || tables.inconsistent(format!("phase {:?} of a domain", row.phase));
        let life = row.life().ok_or_else(bad)?;
        let contacts = of_domain(&mut tables, row.id, row.registrant_id).await?;
        // Nobody's rules where nobody is shown: most domains of a thin registry.
        let disclosure = match contacts.is_empty() {
            true => DisclosurePolicy::default(),
            false => policy_of(&mut tables, row.zone_id).await?,
        };
        Ok(Some(DomainRecord {
            name: name.to_owned(),
            roid: roid(row.id),
            statuses: row.words(!servers.is_empty()),
            rgp_statuses: life.rgp_statuses(&graces, now),
            registrar: by_id(&mut tables, row.registrar_id).await?,
            contacts,
            disclosure,
            servers,
            ds: ds
                .iter()
                .filter_map(|(rdata,)| DsData::from_rdata(rdata))
                .collect(),
            is_parked_signed: row.parked_signed == 1,
            keys,
            created_at: Timestamp(row.created_at),
            updated_at: row.updated_at.map(Timestamp),
            transferred_at: row.transferred_at.map(Timestamp),
            expires_at: row.expires_at.map(Timestamp),
            zone: row.apex,
        }))
    }

    /// By which contacts of a zone's domains are shown.
    pub async fn disclosure_of_zone(
        &mut self,
        zone_id: i64,
    ) -> Result<DisclosurePolicy, RegistryError> {
        policy_of(&mut self.tables(), zone_id).await
    }
}
