//! From the fields of a row to values of the registry's columns.
//!
//! Everything that is wrong with a row is found here, in both passes alike. What an
//! empty field stands for is decided here too.

use std::borrow::Cow;
use std::str::FromStr;

use zone_compiler::{RecordType, rdata};
use zone_image::Name;

use super::super::calendar;
use super::super::command::contact::keys::from_hex;
use super::super::command::zone::create::{NS_COUNT, SOA, TTL};
use super::super::names::stored;
use super::super::policy::RegistrationPolicy;
use super::super::types::{Address, Handle, Statuses, Ttl, ZoneRecord};
use super::life::PhaseFields;
use super::model::{Domain, Model, RowIndex, ZoneIndex, above, at_or_above};
use super::policy;
use super::read::{Reason, Row};

/// Sessions of a registrar where a row says nothing.
const SESSIONS_MAX: i64 = 10;

/// When an object was made and last changed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) created_at: i64,
    pub(super) updated_at: Option<i64>,
}

/// Who made an object and who changed it last.
pub(super) type By<'r> = [Option<&'r str>; 2];

pub(super) struct ZoneFields<'r> {
    pub(super) apex: Cow<'r, str>,
    pub(super) soa_names: [Cow<'r, str>; 2],
    /// Serial, refresh, retry, expire, minimum, TTLs of SOA, NS, DS and glue, fewest and
    /// most NS, parking: in the order of the table's columns.
    pub(super) numbers: [i64; 12],
    /// Glue policy, host orphan, data model, change control, own hosts.
    pub(super) words: [&'r str; 5],
    pub(super) lame_domain: Option<Cow<'r, str>>,
    pub(super) policy: RegistrationPolicy,
    pub(super) times: Times,
}

pub(super) struct RegistrarFields<'r> {
    pub(super) handle: &'r str,
    pub(super) name: &'r str,
    pub(super) iana_id: Option<i64>,
    pub(super) status: &'r str,
    pub(super) times: Times,
    pub(super) data_model: Option<&'r str>,
    pub(super) sessions_max: i64,
    pub(super) stage: &'r str,
    pub(super) public_data: Option<&'r str>,
}

pub(super) struct ContactFields<'r> {
    pub(super) handle: &'r str,
    pub(super) registrar: RowIndex,
    pub(super) kind: &'r str,
    /// Name to e-mail.
    pub(super) texts: [&'r str; 10],
    /// The local form, extensions, disclosure.
    pub(super) more: [&'r str; 10],
    pub(super) auth: Option<Vec<u8>>,
    pub(super) by: By<'r>,
    pub(super) copy_of: Option<&'r str>,
    /// When it was transferred, and erased.
    pub(super) moments: [Option<i64>; 2],
    pub(super) statuses: Cow<'r, str>,
    pub(super) times: Times,
}

pub(super) struct DomainFields<'r> {
    pub(super) name: Cow<'r, str>,
    pub(super) zone: ZoneIndex,
    pub(super) registrar: RowIndex,
    pub(super) registrant: Option<RowIndex>,
    pub(super) statuses: Cow<'r, str>,
    pub(super) is_allowed: bool,
    pub(super) times: Times,
    pub(super) transferred_at: Option<i64>,
    pub(super) expires_at: Option<i64>,
    pub(super) ns_ttl: Option<i64>,
    pub(super) ds_ttl: Option<i64>,
    pub(super) phase: PhaseFields<'r>,
    pub(super) idn_tag: Option<&'r str>,
    pub(super) auth: Option<Vec<u8>>,
    pub(super) by: By<'r>,
}

pub(super) struct HostFields<'r> {
    pub(super) name: Cow<'r, str>,
    /// Its domain and that domain's zone, for an internal host.
    pub(super) home: Option<Domain>,
    pub(super) registrar: RowIndex,
    pub(super) statuses: Cow<'r, str>,
    pub(super) times: Times,
    pub(super) by: By<'r>,
    pub(super) transferred_at: Option<i64>,
    pub(super) lame_of: Option<Cow<'r, str>>,
    pub(super) lame_zone: Option<ZoneIndex>,
    /// Since when, and when sponsors were told.
    pub(super) lame_times: [Option<i64>; 2],
    pub(super) is_attribute: bool,
}

pub(super) struct DelegationFields<'r> {
    pub(super) domain: (Cow<'r, str>, Domain),
    pub(super) host: (Cow<'r, str>, RowIndex),
}

pub(super) struct AddressFields {
    pub(super) host: RowIndex,
    pub(super) address: Address,
    pub(super) ttl: Option<i64>,
}

/// What rows are judged by.
#[derive(Clone, Copy)]
pub(super) struct Judge<'m> {
    pub(super) model: &'m Model,
    /// Stands for an empty `created_at`.
    pub(super) now: i64,
}

impl<'m> Judge<'m> {
    pub(super) fn zone<'r>(self, row: &Row<'r>) -> Result<ZoneFields<'r>, Reason> {
        let texts = row.texts::<24>()?;
        let mut numbers = [0; 12];
        let serial: u32 = parsed(texts[3]).ok_or("serial is not a number below 2^32")?;
        numbers[0] = serial.into();
        let defaults = [SOA[0], SOA[1], SOA[2], SOA[3], SOA[4], TTL, TTL, TTL];
        for (place, default) in defaults.into_iter().enumerate() {
            numbers[1 + place] = ttl(texts[4 + place])?.unwrap_or(default);
        }
        for (place, default) in [(0, NS_COUNT.0), (1, NS_COUNT.1)] {
            numbers[9 + place] = count(texts[12 + place], default)?;
        }
        if numbers[9] > numbers[10] {
            return Err("ns_count_min is above ns_count_max".into());
        }
        numbers[11] = i64::from(word(texts[15], &["0", "1"])? == "1");
        let data_model = word(texts[17], &["minimum", "maximum", "per-registrar"])?;
        let change_control = word(texts[18], &["auto", "verify", "signed"])?;
        Ok(ZoneFields {
            policy: policy::parse(texts[23], data_model, change_control)?,
            apex: name(texts[0])?,
            soa_names: [name(texts[1])?, name(texts[2])?],
            numbers,
            words: [
                word(texts[14], &["narrow", "wide"])?,
                word(texts[16], &["refuse", "lame", "invalid", "restore"])?,
                data_model,
                change_control,
                word(texts[21], &["delete", "refuse"])?,
            ],
            lame_domain: match texts[22] {
                "" => None,
                text => Some(name(text)?),
            },
            times: self.times(texts[19], texts[20])?,
        })
    }

    pub(super) fn registrar<'r>(self, row: &Row<'r>) -> Result<RegistrarFields<'r>, Reason> {
        let texts = row.texts::<10>()?;
        let iana_id: Option<u32> = optional(texts[2], "iana_id is not a number")?;
        let sessions_max: Option<u32> = optional(texts[7], "no number of sessions")?;
        Ok(RegistrarFields {
            handle: checked_handle(texts[0])?,
            name: texts[1],
            iana_id: iana_id.map(Into::into),
            status: word(texts[3], &["active", "suspended", "terminated"])?,
            times: self.times(texts[4], texts[5])?,
            data_model: match texts[6] {
                "" => None,
                model => Some(word(model, &["minimum", "maximum"])?),
            },
            sessions_max: sessions_max.map_or(SESSIONS_MAX, Into::into),
            stage: word(texts[8], &["production", "sandbox"])?,
            public_data: policy::public_data(texts[9])?,
        })
    }

    pub(super) fn contact<'r>(self, row: &Row<'r>) -> Result<ContactFields<'r>, Reason> {
        let texts = row.texts::<32>()?;
        let (mut own, mut more) = ([""; 10], [""; 10]);
        own.copy_from_slice(&texts[3..13]);
        more.copy_from_slice(&texts[16..26]);
        Ok(ContactFields {
            handle: checked_handle(texts[0])?,
            registrar: self.sponsor(texts[1])?,
            kind: word(texts[2], &["person", "org", "role"])?,
            texts: own,
            more,
            auth: octets(texts[26])?,
            by: [some(texts[27]), some(texts[28])],
            copy_of: some(texts[30]).map(checked_handle).transpose()?,
            moments: [time(texts[29])?, time(texts[31])?],
            statuses: statuses(texts[13])?.0,
            times: self.times(texts[14], texts[15])?,
        })
    }

    pub(super) fn domain<'r>(self, row: &Row<'r>) -> Result<DomainFields<'r>, Reason> {
        let texts = row.texts::<19>()?;
        let name = name(texts[0])?;
        let zone = self.zone_above(&name, texts[1])?;
        let registrant = some(texts[3]);
        let (statuses, is_allowed) = statuses(texts[4])?;
        Ok(DomainFields {
            name,
            zone,
            registrar: self.sponsor(texts[2])?,
            registrant: registrant
                .map(|handle| self.known_contact(handle))
                .transpose()?,
            statuses,
            is_allowed,
            times: self.times(texts[5], texts[6])?,
            transferred_at: time(texts[7])?,
            expires_at: time(texts[8])?,
            ns_ttl: ttl(texts[9])?,
            ds_ttl: ttl(texts[10])?,
            phase: PhaseFields::parse([texts[11], texts[12], texts[13], texts[14]])?,
            idn_tag: some(texts[15]),
            auth: octets(texts[16])?,
            by: [some(texts[17]), some(texts[18])],
        })
    }

    pub(super) fn host<'r>(self, row: &Row<'r>) -> Result<HostFields<'r>, Reason> {
        let texts = row.texts::<15>()?;
        let own = name(texts[0])?;
        Ok(HostFields {
            home: self.home(&own, texts[1], texts[2])?,
            name: own,
            registrar: self.sponsor(texts[3])?,
            statuses: statuses(texts[4])?.0,
            times: self.times(texts[5], texts[6])?,
            by: [some(texts[7]), some(texts[8])],
            transferred_at: time(texts[9])?,
            lame_of: some(texts[10]).map(name).transpose()?,
            lame_zone: some(texts[11])
                .map(|apex| self.known_zone(apex))
                .transpose()?,
            lame_times: [time(texts[12])?, time(texts[13])?],
            is_attribute: word(texts[14], &["0", "1"])? == "1",
        })
    }

    pub(super) fn delegation<'r>(self, row: &Row<'r>) -> Result<DelegationFields<'r>, Reason> {
        let [domain, zone, host] = row.texts()?;
        let domain = self.known_domain(domain, zone)?;
        let host = name(host)?;
        let known = self.model.host(&host).ok_or("no such host in hosts.csv")?;
        Ok(DelegationFields {
            domain,
            host: (host, known.row),
        })
    }

    /// The domain's row and the RDATA.
    pub(super) fn ds(self, row: &Row<'_>) -> Result<(RowIndex, Box<[u8]>), Reason> {
        let [domain, zone, key_tag, algorithm, digest_type, digest] = row.texts()?;
        let (_, domain) = self.known_domain(domain, zone)?;
        let text = format!("{key_tag} {algorithm} {digest_type} {digest}");
        let rdata = rdata::parse(RecordType::DS, &text, None);
        Ok((domain.row, rdata.map_err(|error| error.to_string())?))
    }

    pub(super) fn address(self, row: &Row<'_>) -> Result<AddressFields, Reason> {
        let [host, address, own_ttl] = row.texts()?;
        let host = self.model.host(&name(host)?);
        let host = host.ok_or("no such host in hosts.csv")?;
        if !host.is_internal {
            return Err("the host is below no registered domain, so it has no addresses".into());
        }
        Ok(AddressFields {
            host: host.row,
            address: Address::parse(address).map_err(|error| error.reason)?,
            ttl: ttl(own_ttl)?,
        })
    }

    /// Rows of domain and contact, and the role.
    pub(super) fn domain_contact<'r>(
        self,
        row: &Row<'r>,
    ) -> Result<(RowIndex, &'r str, RowIndex), Reason> {
        let [domain, zone, role, contact] = row.texts()?;
        let (_, domain) = self.known_domain(domain, zone)?;
        let role = word(role, &["admin", "tech", "billing", "abuse"])?;
        Ok((domain.row, role, self.known_contact(contact)?))
    }

    pub(super) fn record(self, row: &Row<'_>) -> Result<(ZoneIndex, ZoneRecord), Reason> {
        let [zone, owner, rtype, ttl, data] = row.texts()?;
        let zone = self.known_zone(zone)?;
        let record = ZoneRecord::parse(&format!("{owner} {ttl} {rtype} {data}"));
        let record = record.map_err(|error| error.reason)?;
        let owner = record.owner();
        let apex = self.model.zones[zone as usize].apex.as_str();
        if !at_or_above(&owner).any(|name| name == apex) {
            return Err("owner is outside the zone".into());
        }
        // As in a zone file: glue that another zone keeps is this zone's record.
        let is_address = [RecordType::A, RecordType::AAAA].contains(&record.record().rtype);
        let mut inside = at_or_above(&owner).take_while(|name| *name != apex);
        let is_cut = |name| {
            self.model
                .domain(zone, name)
                .is_some_and(Domain::is_published)
        };
        if !is_address && inside.any(is_cut) {
            return Err("at or below a delegated domain; only addresses may stand there".into());
        }
        Ok((zone, record))
    }

    fn times(self, created_at: &str, updated_at: &str) -> Result<Times, Reason> {
        Ok(Times {
            created_at: time(created_at)?.unwrap_or(self.now),
            updated_at: time(updated_at)?,
        })
    }

    fn sponsor(self, handle: &str) -> Result<RowIndex, Reason> {
        let found = self.model.registrars.get(handle).copied();
        found.ok_or_else(|| "no such registrar in registrars.csv".into())
    }

    pub(super) fn known_contact(self, handle: &str) -> Result<RowIndex, Reason> {
        let found = self.model.contacts.get(handle).copied();
        found.ok_or_else(|| "no such contact in contacts.csv".into())
    }

    pub(super) fn known_zone(self, apex: &str) -> Result<ZoneIndex, Reason> {
        let found = self.model.zone(&name(apex)?);
        found.ok_or_else(|| "no such zone in zones.csv".into())
    }

    /// The zone of a domain: the one that is named, or the closest above it.
    fn zone_above(self, domain: &str, zone: &str) -> Result<ZoneIndex, Reason> {
        if zone.is_empty() {
            let found = self.model.closest_zone(above(domain));
            return found.ok_or_else(|| "no zone of zones.csv is above it".into());
        }
        let zone = self.known_zone(zone)?;
        let apex = self.model.zones[zone as usize].apex.as_str();
        match above(domain).any(|name| name == apex) {
            true => Ok(zone),
            false => Err("not below its zone".into()),
        }
    }

    pub(super) fn known_domain<'r>(
        self,
        domain: &'r str,
        zone: &str,
    ) -> Result<(Cow<'r, str>, Domain), Reason> {
        let domain = name(domain)?;
        let zone = self.zone_above(&domain, zone)?;
        let found = self.model.domain(zone, &domain);
        let found = found.ok_or("no such domain in domains.csv")?;
        Ok((domain, found))
    }

    /// The domain that a host is in: the one that is named, or the nearest at or above
    /// it in the closest zone.
    fn home(self, host: &str, domain: &str, zone: &str) -> Result<Option<Domain>, Reason> {
        if !domain.is_empty() {
            let (domain, found) = self.known_domain(domain, zone)?;
            return match at_or_above(host).any(|name| name == domain) {
                true => Ok(Some(found)),
                false => Err("the host is not at or below its domain".into()),
            };
        }
        let Some(zone) = self.model.closest_zone(at_or_above(host)) else {
            return Ok(None);
        };
        let apex = self.model.zones[zone as usize].apex.as_str();
        let mut inside = at_or_above(host).take_while(|name| *name != apex);
        Ok(inside.find_map(|name| self.model.domain(zone, name)))
    }
}

/// A name in its stored form.
pub(super) fn name(text: &str) -> Result<Cow<'_, str>, Reason> {
    let plain = text.strip_suffix('.').unwrap_or(text);
    if is_stored(plain) {
        return Ok(Cow::Borrowed(plain));
    }
    let name = Name::parse_absolute(text).map_err(|error| format!("{text:?}: {error}"))?;
    Ok(Cow::Owned(stored(&name)))
}

/// Whether a text is surely a stored name: the usual case, told without a copy.
fn is_stored(text: &str) -> bool {
    const NAME_OCTETS_MAX: usize = 253;
    const LABEL_OCTETS_MAX: usize = 63;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_*".contains(&b);
    let mut label = 0;
    for byte in text.bytes() {
        match byte {
            b'.' if label == 0 => return false,
            b'.' => label = 0,
            _ if !plain(byte) || label == LABEL_OCTETS_MAX => return false,
            _ => label += 1,
        }
    }
    label > 0 && text.len() <= NAME_OCTETS_MAX
}

pub(super) fn checked_handle(text: &str) -> Result<&str, Reason> {
    match Handle::parse(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(error.reason.into()),
    }
}

/// One of these words; the first if the field is empty.
pub(super) fn word<'r>(text: &'r str, words: &[&'static str]) -> Result<&'r str, Reason> {
    match words {
        [first, ..] if text.is_empty() => Ok(first),
        words if words.contains(&text) => Ok(text),
        words => Err(format!("{text:?} is none of {}", words.join(", ")).into()),
    }
}

/// Statuses as they are stored, and whether they let DNS know a domain.
fn statuses(text: &str) -> Result<(Cow<'_, str>, bool), Reason> {
    if text.is_empty() {
        return Ok((Cow::Borrowed(text), true));
    }
    let statuses = Statuses::from_column(text);
    let statuses = statuses.map_err(|error| format!("{:?}: {}", error.value, error.reason))?;
    Ok((Cow::Owned(statuses.column()), statuses.allow_publication()))
}

pub(super) fn time(text: &str) -> Result<Option<i64>, Reason> {
    if text.is_empty() {
        return Ok(None);
    }
    match calendar::from_text(text) {
        Some(time) => Ok(Some(time.0)),
        None => Err(format!("{text:?} is no time such as 2026-01-31T12:00:00Z").into()),
    }
}

/// A text that is there.
pub(super) fn some(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

/// Octets of hexadecimal digits.
pub(super) fn octets(text: &str) -> Result<Option<Vec<u8>>, Reason> {
    let Some(text) = some(text) else {
        return Ok(None);
    };
    let octets = from_hex(text).ok_or_else(|| format!("{text:?} is not hexadecimal"))?;
    Ok(Some(octets))
}

fn ttl(text: &str) -> Result<Option<i64>, Reason> {
    let seconds: Option<u32> = optional(text, "not a number of seconds")?;
    let ttl = seconds.map(Ttl::new).transpose();
    Ok(ttl.map_err(|error| error.reason)?.map(Ttl::column))
}

fn count(text: &str, default: i64) -> Result<i64, Reason> {
    let count: Option<u8> = optional(text, "not a number of name servers")?;
    Ok(count.map_or(default, Into::into))
}

pub(super) fn optional<T: FromStr>(text: &str, reason: &str) -> Result<Option<T>, Reason> {
    if text.is_empty() {
        return Ok(None);
    }
    parsed(text)
        .map(Some)
        .ok_or_else(|| format!("{text:?}: {reason}").into())
}

fn parsed<T: FromStr>(text: &str) -> Option<T> {
    text.parse().ok()
}
