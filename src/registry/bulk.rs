//! One change to many domains: name servers, renewals, deletions, another registrar.
//!
//! What is to be done is said as a condition ("domains that name this host") that a domain
//! no longer meets when it is done. So a run that is killed is gone on with by the same
//! command: what was acknowledged is on disk, no domain is done twice, none is forgotten.
//! Each domain is one command of its own with its rules, its event and its notice; one that
//! is refused is told and passed over. Never holds more than a page of domains in memory,
//! nor the write lock for longer than one of them.

use super::calendar::{add_years, from_text};
use super::code::ResultCode;
use super::command::domain::{
    DomainCommand, DomainMove, DomainParts, DomainRenew, DomainUpdate, taker,
};
use super::command::tables::{Rows, rows};
use super::command::{Command, CommandError, Rejection, rejected};
use super::database::{Database, Timestamp};
use super::error::RegistryError;
use super::types::{AnyName, CalendarDate, DomainName, Handle, HostName, Years};

/// Domains that are in memory at once.
const PAGE: i64 = 200;
/// Refusals that are told one by one.
pub const REFUSALS_MAX: usize = 20;

/// What is done to each domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BulkChange {
    /// A name server in the place of another.
    Hosts {
        /// The one that goes.
        old: HostName,
        /// The one that comes.
        new: HostName,
    },
    /// A longer registration, where it ends before a day.
    Renew {
        /// The day.
        before: CalendarDate,
        /// How much longer.
        period: Years,
    },
    /// The end of the registration, as its sponsor would end it.
    Delete,
    /// Another registrar for all that one has, deleted domains too.
    Transfer {
        /// Who gets them.
        to: Handle,
    },
}

/// A change of many domains: of a registrar, of a zone, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bulk {
    /// What.
    pub change: BulkChange,
    /// Sponsor of the domains.
    pub registrar: Option<Handle>,
    /// Their zone.
    pub zone: Option<AnyName>,
}

/// A bulk change whose names were found.
#[derive(Debug, Clone)]
pub struct Prepared {
    change: BulkChange,
    sponsor: Option<Handle>,
    /// Ids; 0 is any.
    registrar: i64,
    zone: i64,
    /// The host that goes, and the one that comes.
    hosts: [i64; 2],
    /// Between these moments a registration ends.
    ends: [i64; 2],
    /// The last domain that was given out.
    after: i64,
}

/// What a bulk change came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct BulkReport {
    /// Domains that were changed, or whose change waits for somebody.
    pub done: u64,
    /// Domains that were not.
    pub refused: u64,
    /// Why not, of the first [`REFUSALS_MAX`].
    pub refusals: Vec<Refusal>,
}

/// A domain that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Refusal {
    /// Its name.
    pub domain: DomainName,
    /// Why; the value at fault may be another's name, such as the host's.
    #[serde(flatten)]
    pub rejection: Rejection,
}

/// One domain of a bulk change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// Its name.
    pub domain: DomainName,
    /// What is done to it.
    pub command: Command,
}

impl BulkReport {
    /// Counts what came of one domain; a fault of the store is the caller's to tell.
    pub fn count<T>(
        &mut self,
        domain: DomainName,
        outcome: Result<T, CommandError>,
    ) -> Result<Option<T>, CommandError> {
        match outcome {
            Ok(done) => {
                self.done += 1;
                Ok(Some(done))
            }
            Err(CommandError::Rejected(rejection)) => {
                self.refused += 1;
                if self.refusals.len() < REFUSALS_MAX {
                    self.refusals.push(Refusal { domain, rejection });
                }
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Domains that meet the condition, as [`Prepared::bind`] fills it in.
const MATCHING: &str = "FROM domains d WHERE d.id > $1 AND ($7 = 1 OR d.phase = 'registered') \
    AND ($2 = 0 OR d.registrar_id = $2) AND ($3 = 0 OR d.zone_id = $3) \
    AND ($4 = 0 OR EXISTS (SELECT 1 FROM delegations n WHERE n.domain_id = d.id \
    AND n.host_id = $4)) AND ($5 = 0 OR (d.expires_at >= $6 AND d.expires_at < $5))";

impl Bulk {
    /// Finds what it names; changes nothing.
    pub async fn prepare(
        &self,
        database: &mut Database,
        at: Timestamp,
    ) -> Result<Prepared, CommandError> {
        if self.registrar.is_none() && self.zone.is_none() {
            let reason = "name a registrar, a zone or both";
            return Err(rejected(ResultCode::ParameterMissing, "bulk", reason));
        }
        let registrar = match &self.registrar {
            Some(handle) => find(database, Named::Registrar, handle.as_str()).await?,
            None => 0,
        };
        let zone = match &self.zone {
            Some(apex) => find(database, Named::Zone, apex.as_str()).await?,
            None => 0,
        };
        let (mut hosts, mut ends) = ([0; 2], [0; 2]);
        match &self.change {
            BulkChange::Hosts { old, new } if old == new => {
                let reason = "the same host";
                return Err(rejected(ResultCode::ParameterPolicy, new, reason));
            }
            BulkChange::Hosts { old, new } => {
                for (id, host) in hosts.iter_mut().zip([old, new]) {
                    *id = find(database, Named::Host, host.as_str()).await?;
                }
            }
            BulkChange::Renew { before, period } => {
                let day = from_text(&format!("{before}T00:00:00Z"));
                let day = day.expect("a day of the calendar begins");
                // Else a domain still met the condition when it was renewed.
                if day > add_years(at, period.count()) {
                    let reason = format!("not later than {} years from now", period.count());
                    return Err(rejected(ResultCode::ParameterRange, before, reason));
                }
                ends = [at.0, day.0];
            }
            BulkChange::Transfer { to } => self.may_go_to(database, to).await?,
            BulkChange::Delete => {}
        }
        Ok(Prepared {
            change: self.change.clone(),
            sponsor: self.registrar.clone(),
            registrar,
            zone,
            hosts,
            ends,
            after: 0,
        })
    }

    async fn may_go_to(&self, database: &mut Database, to: &Handle) -> Result<(), CommandError> {
        let Some(from) = &self.registrar else {
            let reason = "name the registrar whose domains go";
            return Err(rejected(ResultCode::ParameterMissing, "registrar", reason));
        };
        if from == to {
            let reason = "the same registrar";
            return Err(rejected(ResultCode::ParameterPolicy, to, reason));
        }
        taker(&mut database.tables(), to).await.map(drop)
    }
}

#[derive(Debug, Clone, Copy)]
enum Named {
    Registrar,
    Zone,
    Host,
}

async fn find(database: &mut Database, kind: Named, name: &str) -> Result<i64, CommandError> {
    let text = match kind {
        Named::Registrar => "SELECT id FROM registrars WHERE handle = $1",
        Named::Zone => "SELECT id FROM zones WHERE apex = $1",
        Named::Host => "SELECT id FROM hosts WHERE name = $1",
    };
    let found = rows::<(i64,)>(text).bind(name);
    let found = database.tables().optional(found).await?;
    let missing = || rejected(ResultCode::ObjectDoesNotExist, name, "it does not exist");
    found.map(|(id,)| id).ok_or_else(missing)
}

impl Prepared {
    /// How many domains are left.
    pub async fn left(&self, database: &mut Database) -> Result<u64, RegistryError> {
        let query: Rows<'_, (i64,)> =
            sqlx::query_as(sqlx::AssertSqlSafe(format!("SELECT COUNT(*) {MATCHING}")));
        let found = database.tables().optional(self.bind(query)).await?;
        Ok(found.map_or(0, |(count,)| u64::try_from(count).unwrap_or_default()))
    }

    fn bind<'q, T>(&self, query: Rows<'q, T>) -> Rows<'q, T> {
        query
            .bind(self.after)
            .bind(self.registrar)
            .bind(self.zone)
            .bind(self.hosts[0])
            .bind(self.ends[1])
            .bind(self.ends[0])
            .bind(i64::from(self.has_deleted()))
    }

    /// Whether domains that were deleted and are not purged yet are meant too.
    fn has_deleted(&self) -> bool {
        matches!(self.change, BulkChange::Transfer { .. })
    }

    /// The next domains; none is the end.
    pub async fn next(&mut self, database: &mut Database) -> Result<Vec<Turn>, RegistryError> {
        let text = format!(
            "SELECT d.id, d.name, d.expires_at, (SELECT COUNT(*) FROM delegations m \
             WHERE m.domain_id = d.id AND m.host_id = $8) {MATCHING} ORDER BY d.id LIMIT $9"
        );
        let query: Rows<'_, (i64, String, Option<i64>, i64)> =
            sqlx::query_as(sqlx::AssertSqlSafe(text));
        let query = self.bind(query).bind(self.hosts[1]).bind(PAGE);
        let mut tables = database.tables();
        let mut turns = Vec::new();
        for (id, name, expires_at, has_new) in tables.all(query).await? {
            self.after = id;
            let domain = DomainName::held(&name);
            let expires_at = Timestamp(expires_at.unwrap_or_default());
            let command = self.command(domain.clone(), expires_at, has_new > 0);
            turns.push(Turn {
                domain,
                command: Command::Domain(command),
            });
        }
        Ok(turns)
    }

    fn command(&self, name: DomainName, expires_at: Timestamp, has_new: bool) -> DomainCommand {
        match &self.change {
            BulkChange::Hosts { old, new } => {
                let hosts = |host: &HostName| DomainParts {
                    hosts: vec![host.clone()],
                    ..DomainParts::default()
                };
                let mut update = DomainUpdate::new(name);
                update.remove = hosts(old);
                if !has_new {
                    update.add = hosts(new);
                }
                DomainCommand::Update(Box::new(update))
            }
            BulkChange::Renew { period, .. } => DomainCommand::Renew(DomainRenew {
                name,
                current_expiry: CalendarDate::of(expires_at),
                period: *period,
            }),
            BulkChange::Delete => DomainCommand::Delete(name),
            BulkChange::Transfer { to } => {
                let from = self.sponsor.clone().expect("`prepare` asks for it");
                let to = to.clone();
                DomainCommand::Move(Box::new(DomainMove { name, from, to }))
            }
        }
    }
}

#[cfg(test)]
mod tests;
