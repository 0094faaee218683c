//! What a zone lets be registered, and what it answers for domains without servers: its
//! policy as one column, held labels, parking, IDN tables and the variants that they say.
//!
//! A policy is written as `zone policy --set` takes it, so that its keys and words are read
//! in one place. What is not named is what an imported zone has.

use serde_json::{Map, Value};
use zone_compiler::{RecordType, rdata};

use super::super::command::registrar::PublicData;
use super::super::command::zone::ZoneTableText;
use super::super::idn;
use super::super::policy::disclosure::{Field, LinkRole, Rule};
use super::super::policy::{
    ChangeControl, DataModel, Expiry, RegistrationChange, RegistrationPolicy,
};
use super::fields::{Judge, name, octets, optional, some, word};
use super::model::ZoneIndex;
use super::read::{Reason, Row};

/// IDN tables of a folder: they are in memory until the zones are written.
const IDN_TABLES_MAX: usize = 1_000;
/// What has columns of its own.
const ELSEWHERE: [&str; 2] = ["data-model", "change-control"];
/// Keys whose values are lists.
const LISTS: [&str; 2] = ["approvers", "contacts-required"];

/// The policy of a zone that came without one: what is registered there stays.
fn imported() -> RegistrationPolicy {
    RegistrationPolicy {
        expiry: Expiry::Keep,
        ..RegistrationPolicy::default()
    }
}

/// Reads the column.
pub(super) fn parse(
    text: &str,
    data_model: &str,
    change_control: &str,
) -> Result<RegistrationPolicy, Reason> {
    let mut fields = Map::new();
    for setting in text.split_ascii_whitespace() {
        let (key, value) = setting
            .split_once('=')
            .ok_or_else(|| format!("policy {setting:?} is not KEY=VALUE"))?;
        if ELSEWHERE.contains(&key) {
            return Err(format!("policy {key} has a column of its own").into());
        }
        let value = match value.parse::<u32>() {
            _ if LISTS.contains(&key) => {
                let words = value.split(',').filter(|word| !word.is_empty());
                words.map(Value::from).collect()
            }
            Ok(number) => Value::from(number),
            Err(_) => Value::from(value),
        };
        if fields.insert(key.to_owned(), value).is_some() {
            return Err(format!("policy {key} stands twice").into());
        }
    }
    let change: RegistrationChange = serde_json::from_value(Value::Object(fields))
        .map_err(|error| format!("policy: {error}"))?;
    let policy = RegistrationPolicy {
        data_model: DataModel::parse(data_model).expect("one of its words"),
        change_control: ChangeControl::parse(change_control).expect("one of its words"),
        ..change.apply(&imported())
    };
    match policy.fault() {
        // Without the column the zone is as it always was imported.
        Some(fault) if !text.is_empty() => Err(format!("policy: {fault}").into()),
        _ => Ok(policy),
    }
}

/// Writes the column: every setting that has none of its own, in the order of their keys.
pub(super) fn text(policy: &RegistrationPolicy) -> String {
    let Ok(Value::Object(fields)) = serde_json::to_value(policy) else {
        unreachable!("a policy is named fields");
    };
    let settings = fields.iter().filter_map(|(key, value)| {
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Array(words) => {
                let words: Vec<_> = words.iter().filter_map(Value::as_str).collect();
                words.join(",")
            }
            other => other.to_string(),
        };
        let is_said = !ELSEWHERE.contains(&key.as_str()) && !value.is_empty();
        is_said.then(|| format!("{key}={value}"))
    });
    let mut settings: Vec<_> = settings.collect();
    settings.sort();
    settings.join(" ")
}

/// What a registrar shows of itself, in fields that are known.
pub(super) fn public_data(text: &str) -> Result<Option<&str>, Reason> {
    let read = some(text).map(serde_json::from_str::<PublicData>);
    let read = read.transpose();
    read.map_err(|error| format!("public_data: {error}"))?;
    Ok(some(text))
}

pub(super) struct RecordFields<'r> {
    pub(super) zone: ZoneIndex,
    pub(super) owner: &'r str,
    pub(super) rtype: RecordType,
    pub(super) ttl: i64,
    pub(super) rdata: Box<[u8]>,
}

type HeldFields<'r> = (ZoneIndex, [&'r str; 3], Option<Vec<u8>>);

impl Judge<'_> {
    /// Zone; label, kind and reason; token as it is kept.
    pub(super) fn held_label<'r>(self, row: &Row<'r>) -> Result<HeldFields<'r>, Reason> {
        let [zone, label, kind, reason, token] = row.texts()?;
        let kind = word(kind, &["reserved", "blocked", "premium"])?;
        let parsed = super::super::types::Label::parse(label);
        parsed.map_err(|error| error.reason)?;
        let texts = [label, kind, reason];
        Ok((self.known_zone(zone)?, texts, octets(token)?))
    }

    /// Zone; role, field and rule.
    pub(super) fn disclosure_rule<'r>(
        self,
        row: &Row<'r>,
    ) -> Result<(ZoneIndex, [&'r str; 3]), Reason> {
        let [zone, role, field, rule] = row.texts()?;
        let unknown = |what: &str, word: &str| format!("{word:?} is no {what}");
        LinkRole::parse(role).ok_or_else(|| unknown("role", role))?;
        Field::parse(field).ok_or_else(|| unknown("field", field))?;
        Rule::parse(rule).ok_or_else(|| unknown("rule", rule))?;
        Ok((self.known_zone(zone)?, [role, field, rule]))
    }

    pub(super) fn parking_record<'r>(self, row: &Row<'r>) -> Result<RecordFields<'r>, Reason> {
        let [zone, owner, rtype, ttl, data] = row.texts()?;
        let rtype: RecordType = rtype
            .parse()
            .map_err(|_| format!("{rtype:?} is no record type"))?;
        let rdata = rdata::parse(rtype, data, None).map_err(|error| error.to_string())?;
        let ttl: Option<u32> = optional(ttl, "not a number of seconds")?;
        Ok(RecordFields {
            zone: self.known_zone(zone)?,
            owner: word(owner, &["@", "*"])?,
            rtype,
            ttl: i64::from(ttl.unwrap_or_default()),
            rdata,
        })
    }

    pub(super) fn idn_table(self, row: &Row<'_>) -> Result<(ZoneIndex, ZoneTableText), Reason> {
        let [zone, tag, text] = row.texts()?;
        if self.model.idn.len() == IDN_TABLES_MAX {
            return Err(format!("more than {IDN_TABLES_MAX} tables").into());
        }
        idn::Table::parse(text).map_err(|fault| format!("the table: {fault}"))?;
        let table = ZoneTableText::new(tag, text.to_owned());
        Ok((self.known_zone(zone)?, table))
    }

    /// Zone, index label, row of the domain and tag.
    pub(super) fn variant_label<'r>(
        self,
        row: &Row<'r>,
    ) -> Result<(ZoneIndex, &'r str, u32, &'r str), Reason> {
        let [zone, index_label, domain, tag] = row.texts()?;
        let known = self.known_zone(zone)?;
        let (_, domain) = self.known_domain(domain, zone)?;
        Ok((known, index_label, domain.row, tag))
    }

    /// Zone and host.
    pub(super) fn parking_server<'r>(
        self,
        row: &Row<'r>,
    ) -> Result<(ZoneIndex, std::borrow::Cow<'r, str>), Reason> {
        let [zone, host] = row.texts()?;
        let host = some(host).ok_or("host is empty")?;
        Ok((self.known_zone(zone)?, name(host)?))
    }
}
