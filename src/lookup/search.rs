//! Searches: what is found of a pattern, in pages, and where that is asked for counted and
//! sorted (RFC 8977).
//!
//! Without an order or a count a page goes on in an index where the one before ended, and
//! any number of objects can be gone through. With one of them all that is found is read
//! for each page, so that there must not be too much of it: then there is no answer.

use std::cmp::Ordering;
use std::net::IpAddr;

use super::names::unicode;
use super::{Found, QueryName, domain, nameserver};
use crate::registry::lookup::{Candidate, NamePage, Names, Snapshot};
use crate::registry::types::Address;
use crate::registry::{RegistryError, Timestamp};

/// What registrars without a number at IANA have in the place of one.
pub const NO_HANDLE: &str = "not applicable";

/// Part of what a search finds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// Where it begins: what the page before said, or nothing.
    pub after: String,
    /// Pages before it.
    pub before: usize,
    /// Most objects.
    pub most: usize,
    /// What is found is sorted by the first of these, then by the next.
    pub order: Vec<Sort>,
    /// Whether it is told how much is found.
    pub counts: bool,
}

/// By what objects are sorted, those that do not have it at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort {
    /// What of them.
    pub property: Property,
    /// From the last to the first.
    pub descends: bool,
}

/// What objects can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Property {
    /// The name, with U-labels where it has any.
    Name,
    /// The handle of a registrar.
    Handle,
    /// The first IPv4 address.
    V4,
    /// The first IPv6 address.
    V6,
    /// When it was made.
    Created,
    /// When it was changed last.
    Updated,
    /// When it got another sponsor last.
    Transferred,
    /// When it ends.
    Expires,
}

/// Which name servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Servers {
    /// The one of this name.
    Named(QueryName),
    /// Those whose names are so.
    Like(Names),
    /// Those at this address.
    At(IpAddr),
}

/// Which registrars: those with this text, or, where there is a second one, those whose
/// text begins with the first and ends with the second.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistrarPattern {
    /// By name, in lower case.
    Name(String, Option<String>),
    /// By handle: the number at IANA.
    Handle(String, Option<String>),
}

impl Page {
    fn needs_all(&self) -> bool {
        self.counts || !self.order.is_empty()
    }

    /// This page of all that was found.
    fn of(&self, all: Vec<Candidate>) -> Part {
        let total = all.len();
        let mut keyed: Vec<_> = all.into_iter().map(|one| (self.keys(&one), one)).collect();
        keyed.sort_by(|(one, _), (other, _)| self.compare(one, other));
        let mut all: Vec<_> = keyed.into_iter().map(|(_, one)| one).collect();
        let start = match self.after.parse::<i64>() {
            Err(_) => 0,
            // What the last page ended with may be gone since.
            Ok(id) => match all.iter().position(|one| one.id == id) {
                Some(last) => last + 1,
                None => self.before.saturating_mul(self.most),
            },
        };
        let mut shown = all.split_off(start.min(total));
        let is_cut = shown.len() > self.most;
        shown.truncate(self.most);
        Part {
            next: shown
                .last()
                .map(|one| one.id.to_string())
                .filter(|_| is_cut),
            shown,
            total: self.counts.then_some(total),
        }
    }

    fn keys(&self, one: &Candidate) -> Vec<Option<Key>> {
        let key = |sort: &Sort| match sort.property {
            Property::Name => {
                let name = unicode(&one.name).unwrap_or_else(|| one.name.clone());
                Some(Key::Text(name))
            }
            Property::Handle => {
                let handle = one.iana_id.map(|id| id.to_string());
                Some(Key::Text(handle.unwrap_or_else(|| NO_HANDLE.to_owned())))
            }
            Property::V4 => one.v4.clone().map(Key::Octets),
            Property::V6 => one.v6.clone().map(Key::Octets),
            Property::Created => Some(Key::Moment(one.created_at)),
            Property::Updated => one.updated_at.map(Key::Moment),
            Property::Transferred => one.transferred_at.map(Key::Moment),
            Property::Expires => one.expires_at.map(Key::Moment),
        };
        self.order.iter().map(key).collect()
    }

    fn compare(&self, one: &[Option<Key>], other: &[Option<Key>]) -> Ordering {
        let pairs = one.iter().zip(other).zip(&self.order);
        let ordered = pairs.map(|((one, other), sort)| match (one, other) {
            (Some(one), Some(other)) if sort.descends => other.cmp(one),
            (Some(one), Some(other)) => one.cmp(other),
            (one, other) => other.is_some().cmp(&one.is_some()),
        });
        ordered.fold(Ordering::Equal, Ordering::then)
    }
}

/// What is compared; of one property all are alike.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Text(String),
    Moment(i64),
    Octets(Vec<u8>),
}

/// A page of all that was found.
struct Part {
    shown: Vec<Candidate>,
    next: Option<String>,
    total: Option<usize>,
}

impl Part {
    fn names(self) -> (NamePage, Option<usize>) {
        let names = self.shown.into_iter().map(|one| one.name).collect();
        let next = self.next;
        (NamePage { names, next }, self.total)
    }
}

/// Domains of these names.
pub(super) async fn domains(
    snapshot: &mut Snapshot<'_>,
    names: &Names,
    page: &Page,
    now: Timestamp,
) -> Result<Found, RegistryError> {
    let (found, total) = if page.needs_all() {
        match snapshot.all_domains_by_name(names).await? {
            Some(all) => page.of(all).names(),
            None => return Ok(Found::TooMany),
        }
    } else {
        let found = snapshot.domains_by_name(names, &page.after, page.most);
        (found.await?, None)
    };
    show_domains(snapshot, found, total, now).await
}

/// Domains that name one of these servers.
pub(super) async fn domains_served_by(
    snapshot: &mut Snapshot<'_>,
    servers: &Servers,
    page: &Page,
    now: Timestamp,
) -> Result<Found, RegistryError> {
    let servers = match servers {
        Servers::Named(name) => Some(snapshot.server_named(name.ascii()).await?),
        Servers::Like(names) => snapshot.servers_named(names).await?,
        Servers::At(address) => snapshot.servers_at(Address::from(*address)).await?,
    };
    let Some(servers) = servers else {
        return Ok(Found::TooMany);
    };
    let (found, total) = if page.needs_all() {
        match snapshot.all_domains_by_servers(&servers).await? {
            Some(all) => page.of(all).names(),
            None => return Ok(Found::TooMany),
        }
    } else {
        let found = snapshot.domains_by_servers(&servers, &page.after, page.most);
        (found.await?, None)
    };
    show_domains(snapshot, found, total, now).await
}

async fn show_domains(
    snapshot: &mut Snapshot<'_>,
    NamePage { names, next }: NamePage,
    total: Option<usize>,
    now: Timestamp,
) -> Result<Found, RegistryError> {
    let mut objects = Vec::new();
    for name in &names {
        objects.push(domain(snapshot, name, now).await?);
    }
    Ok(Found::Page {
        objects,
        next,
        total,
    })
}

/// Hosts of these names.
pub(super) async fn nameservers(
    snapshot: &mut Snapshot<'_>,
    names: &Names,
    page: &Page,
) -> Result<Found, RegistryError> {
    let (found, total) = if page.needs_all() {
        match snapshot.all_hosts_by_name(names).await? {
            Some(all) => page.of(all).names(),
            None => return Ok(Found::TooMany),
        }
    } else {
        let found = snapshot.hosts_by_name(names, &page.after, page.most);
        (found.await?, None)
    };
    show_nameservers(snapshot, found, total).await
}

/// Hosts at an address.
pub(super) async fn nameservers_at(
    snapshot: &mut Snapshot<'_>,
    address: IpAddr,
    page: &Page,
) -> Result<Found, RegistryError> {
    let address = Address::from(address);
    let (found, total) = if page.needs_all() {
        match snapshot.all_hosts_by_address(address).await? {
            Some(all) => page.of(all).names(),
            None => return Ok(Found::TooMany),
        }
    } else {
        let found = snapshot.hosts_by_address(address, &page.after, page.most);
        (found.await?, None)
    };
    show_nameservers(snapshot, found, total).await
}

async fn show_nameservers(
    snapshot: &mut Snapshot<'_>,
    NamePage { names, next }: NamePage,
    total: Option<usize>,
) -> Result<Found, RegistryError> {
    let mut objects = Vec::new();
    for name in &names {
        objects.push(nameserver(snapshot, name).await?);
    }
    Ok(Found::Page {
        objects,
        next,
        total,
    })
}

/// Registrars, which are few: all of them are looked at.
pub(super) async fn registrars(
    snapshot: &mut Snapshot<'_>,
    pattern: &RegistrarPattern,
    page: &Page,
) -> Result<Found, RegistryError> {
    let matches = |one: &Candidate| match pattern {
        RegistrarPattern::Name(start, end) => {
            within(&one.name.to_lowercase(), start, end.as_deref())
        }
        RegistrarPattern::Handle(start, end) => {
            let handle = one.iana_id.map(|id| id.to_string());
            handle.is_some_and(|handle| within(&handle, start, end.as_deref()))
        }
    };
    let mut all = snapshot.registrars().await?;
    all.retain(matches);
    let Part { shown, next, total } = page.of(all);
    let mut objects = Vec::new();
    for one in shown {
        let registrar = snapshot.registrar_by_id(one.id).await?;
        objects.push(Found::Registrar(Box::new(registrar)));
    }
    Ok(Found::Page {
        objects,
        next,
        total,
    })
}

fn within(text: &str, start: &str, end: Option<&str>) -> bool {
    let Some(end) = end else { return text == start };
    text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
}
