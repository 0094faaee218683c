//! Look-ups by the public: what RDAP, WHOIS and web pages have in common.
//!
//! A question is a [`Query`] made of a name that was read here (`names`); an answer is of
//! one snapshot, tells which event it was, and holds of contacts only what
//! [`crate::disclosure`] lets through. Reads go over connections of their own, few and each
//! for a bounded time: they wait, and nobody else does. One limit of rates for each client
//! network is for all services together; it is not that of DNS, whose UDP others can
//! forge. Nothing here tells whoever it is what was asked or by whom.

pub mod counters;
pub mod limit;
pub mod names;
mod plain;
pub mod search;
mod store;
#[cfg(test)]
pub(crate) mod testing;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use self::counters::Counters;
use self::limit::Limiter;
pub use self::names::{NameFault, QueryName};
pub(crate) use self::plain::is_plain;
use self::search::{Page, RegistrarPattern, Servers};
use self::store::Store;
use crate::disclosure::{self, PublicContact};
use crate::registry::lookup::{ContactRecord, Reader, Snapshot};
use crate::registry::types::DomainName;
use crate::registry::{Location, RegistryError};

pub use crate::registry::Timestamp;
pub use crate::registry::command::domain::Availability;
pub use crate::registry::command::registrar::PublicField;
pub use crate::registry::lookup::{
    DomainRecord, HostRecord, LastUpdate, Names, RegistrarRecord, ServerRecord,
};
pub use crate::registry::policy::disclosure::LinkRole;
pub(crate) use crate::registry::time_text;
pub use crate::registry::types::Address;

/// How look-ups are done.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The registry.
    pub location: Location,
    /// Connections to it, each for one read at a time.
    pub readers: usize,
    /// Longest time that an answer may take.
    pub time_limit: Duration,
    /// Questions of one client network in a second; 0 is no limit.
    pub queries_per_second: u32,
    /// Questions that it may ask at once after a pause.
    pub burst: u32,
    /// Microseconds since 1970.
    pub clock: fn() -> i64,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// Nothing: which event is the newest.
    Newest,
    /// A domain.
    Domain(QueryName),
    /// A host.
    Nameserver(QueryName),
    /// A registrar by its number at IANA, its handle or its name.
    Registrar(String),
    /// A registrar, or a contact by its identifier.
    Entity(String),
    /// Whether a name could be registered.
    Availability(QueryName),
    /// Domains by their names.
    Domains(Names, Page),
    /// Domains by their name servers.
    DomainsServedBy(Servers, Page),
    /// Hosts by their names.
    Nameservers(Names, Page),
    /// Hosts by an address.
    NameserversAt(IpAddr, Page),
    /// Registrars by name or handle.
    Registrars(RegistrarPattern, Page),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Nothing.
    Nothing,
    /// A domain, and its contacts as they are shown.
    Domain(Box<DomainRecord>, Vec<PublicContact>),
    /// A host.
    Nameserver(Box<HostRecord>),
    /// A registrar.
    Registrar(Box<RegistrarRecord>),
    /// A contact.
    Contact(Box<PublicContact>),
    /// Whether a name could be registered.
    Availability(Availability),
    /// What a search found.
    Page {
        /// The objects.
        objects: Vec<Self>,
        /// Where the next page begins, if there is one.
        next: Option<String>,
        /// How many objects all pages have, where that was asked for.
        total: Option<usize>,
    },
    /// A search found more than can be counted, sorted, or searched by.
    TooMany,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What was found.
    pub found: Found,
    /// The newest event that is in it.
    pub last_update: LastUpdate,
    /// When the snapshot was taken: all that was accepted until then is in it.
    pub read_at: Timestamp,
}

/// Why there is no answer; what it was is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LookupError {
    /// It took too long, or all connections were taken for too long.
    #[error("no answer within the time for one")]
    Time,
    /// The registry cannot be read.
    #[error("the registry cannot be read")]
    Store,
}

/// The service behind the services.
#[derive(Debug)]
pub struct Lookups {
    settings: Settings,
    store: Store,
    limiter: Limiter,
    counters: Arc<Counters>,
}

impl Lookups {
    /// Connects when it is asked first.
    pub fn new(settings: Settings) -> std::io::Result<Self> {
        Ok(Self {
            store: Store::new(settings.location.clone(), settings.readers),
            limiter: Limiter::new(settings.queries_per_second, settings.burst)?,
            counters: Arc::default(),
            settings,
        })
    }

    /// What is counted.
    pub fn counters(&self) -> &Arc<Counters> {
        &self.counters
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        Timestamp((self.settings.clock)())
    }

    /// Takes one question of a client into account; an error is the time after which it may
    /// ask again.
    pub fn admit(&self, client: IpAddr) -> Result<(), Duration> {
        self.limiter.admit(client, self.now())
    }

    /// Answers a question.
    pub async fn ask(&self, query: &Query) -> Result<Answer, LookupError> {
        let answered = tokio::time::timeout(self.settings.time_limit, self.read(query)).await;
        match answered {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => {
                tracing::error!(%error, "look-up failed");
                Err(LookupError::Store)
            }
            Err(_) => Err(LookupError::Time),
        }
    }

    /// Reads; a connection that was kept and has died since is no reason not to.
    async fn read(&self, query: &Query) -> Result<Answer, RegistryError> {
        let lease = self.store.lease().await;
        if let Some(mut reader) = lease.kept() {
            match self.read_by(&mut reader, query).await {
                Ok(answer) => {
                    lease.keep(reader);
                    return Ok(answer);
                }
                Err(error) => tracing::warn!(%error, "look-up tried again"),
            }
        }
        let mut reader = lease.connect().await?;
        let answer = self.read_by(&mut reader, query).await?;
        lease.keep(reader);
        Ok(answer)
    }

    async fn read_by(&self, reader: &mut Reader, query: &Query) -> Result<Answer, RegistryError> {
        let mut snapshot = reader.snapshot().await?;
        let read_at = self.now();
        let found = find(&mut snapshot, query, read_at).await?;
        let last_update = snapshot.last_update();
        snapshot.end().await?;
        Ok(Answer {
            found,
            last_update,
            read_at,
        })
    }
}

async fn find(
    snapshot: &mut Snapshot<'_>,
    query: &Query,
    now: Timestamp,
) -> Result<Found, RegistryError> {
    match query {
        Query::Newest => Ok(Found::Nothing),
        Query::Domain(name) => domain(snapshot, name.ascii(), now).await,
        Query::Nameserver(name) => nameserver(snapshot, name.ascii()).await,
        Query::Registrar(text) => registrar(snapshot, text).await,
        Query::Entity(text) => entity(snapshot, text).await,
        Query::Availability(name) => availability(snapshot, name).await,
        Query::Domains(names, page) => search::domains(snapshot, names, page, now).await,
        Query::DomainsServedBy(servers, page) => {
            search::domains_served_by(snapshot, servers, page, now).await
        }
        Query::Nameservers(names, page) => search::nameservers(snapshot, names, page).await,
        Query::NameserversAt(address, page) => {
            search::nameservers_at(snapshot, *address, page).await
        }
        Query::Registrars(pattern, page) => search::registrars(snapshot, pattern, page).await,
    }
}

async fn domain(
    snapshot: &mut Snapshot<'_>,
    name: &str,
    now: Timestamp,
) -> Result<Found, RegistryError> {
    let Some(mut record) = snapshot.domain(name, now).await? else {
        return Ok(Found::Nothing);
    };
    let links = std::mem::take(&mut record.contacts);
    let shown = links
        .iter()
        .filter_map(|link| disclosure::in_role(&link.contact, link.role, &record.disclosure));
    let contacts = shown.collect();
    Ok(Found::Domain(Box::new(record), contacts))
}

async fn nameserver(snapshot: &mut Snapshot<'_>, name: &str) -> Result<Found, RegistryError> {
    let found = snapshot.host(name).await?;
    Ok(found.map_or(Found::Nothing, |host| Found::Nameserver(Box::new(host))))
}

async fn registrar(snapshot: &mut Snapshot<'_>, text: &str) -> Result<Found, RegistryError> {
    let mut found = None;
    if let Ok(number) = text.parse::<i64>() {
        found = snapshot.registrar_by_iana_id(number).await?;
    }
    if found.is_none() {
        found = snapshot.registrar_by_handle(text).await?;
    }
    if found.is_none() {
        found = snapshot.registrar_by_name(text).await?;
    }
    Ok(found.map_or(Found::Nothing, |one| Found::Registrar(Box::new(one))))
}

async fn entity(snapshot: &mut Snapshot<'_>, text: &str) -> Result<Found, RegistryError> {
    match snapshot.contact_by_roid(text).await? {
        Some(contact) => contact_by_itself(snapshot, &contact).await,
        None => registrar(snapshot, text).await,
    }
}

async fn contact_by_itself(
    snapshot: &mut Snapshot<'_>,
    contact: &ContactRecord,
) -> Result<Found, RegistryError> {
    let Some(uses) = snapshot.uses_of_contact(contact.id).await? else {
        return Ok(Found::Contact(Box::new(disclosure::withheld(contact))));
    };
    let mut policies = Vec::new();
    for (role, zone) in uses {
        policies.push((role, snapshot.disclosure_of_zone(zone).await?));
    }
    let ruled: Vec<_> = policies
        .iter()
        .map(|(role, policy)| (*role, policy))
        .collect();
    let shown = disclosure::by_itself(contact, &ruled);
    // Whoever knows the identifier that is not shown learns nothing here.
    let shown = shown.filter(|shown| !shown.handle.is_hidden());
    Ok(shown.map_or(Found::Nothing, |shown| Found::Contact(Box::new(shown))))
}

async fn availability(
    snapshot: &mut Snapshot<'_>,
    name: &QueryName,
) -> Result<Found, RegistryError> {
    let reason = match DomainName::parse(name.ascii()) {
        Ok(parsed) => match snapshot.availability(&parsed).await? {
            Ok(availability) => return Ok(Found::Availability(availability)),
            Err(rejection) => rejection.reason,
        },
        Err(error) => error.reason,
    };
    Ok(Found::Availability(Availability {
        name: name.ascii().to_owned(),
        available: false,
        reason: Some(reason),
        terms: None,
    }))
}

#[cfg(test)]
mod tests;
