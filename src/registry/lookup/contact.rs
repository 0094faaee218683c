//! Contacts with all that is known of them.

use std::collections::BTreeSet;

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row as _};

use super::Snapshot;
use crate::registry::command::contact::{ContactKind, Element, PostalText};
use crate::registry::command::domain::roid;
use crate::registry::command::tables::{Rows, Tables, rows};
use crate::registry::database::Timestamp;
use crate::registry::error::RegistryError;
use crate::registry::policy::disclosure::LinkRole;

const COLUMNS: &str = "c.id, c.kind, c.name, c.organization, c.street, c.city, \
    c.province, c.postal_code, c.country, c.loc_name, c.loc_organization, c.loc_street, \
    c.loc_city, c.loc_province, c.loc_postal_code, c.loc_country, c.voice, c.voice_extension, \
    c.fax, c.fax_extension, c.email, c.disclose, c.statuses, c.created_at, c.updated_at";

/// Links that are looked at to learn by which rules a contact is shown.
const LINKS_MAX: i64 = 1_000;

/// A contact.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct ContactRecord {
    pub id: i64,
    pub roid: String,
    pub kind: ContactKind,
    /// The internationalized form, or the local one where there is no other.
    pub postal: PostalText,
    /// Which of both it is.
    pub is_int: bool,
    pub voice: Option<String>,
    pub voice_extension: Option<String>,
    pub fax: Option<String>,
    pub fax_extension: Option<String>,
    pub email: Option<String>,
    /// Elements that it wishes to be shown, or hidden.
    pub wishes: (bool, BTreeSet<Element>),
    pub statuses: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Option<Timestamp>,
}

/// A contact and what it is for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactLink {
    /// What for.
    pub role: LinkRole,
    /// The contact.
    pub contact: ContactRecord,
}

impl<'r> sqlx::FromRow<'r, AnyRow> for ContactRecord {
    fn from_row(row: &'r AnyRow) -> sqlx::Result<Self> {
        let int = postal(row, "")?;
        let is_int = int.name.is_some();
        let kind: String = row.try_get("kind")?;
        let statuses: String = row.try_get("statuses")?;
        let disclose: Option<String> = row.try_get("disclose")?;
        let id = row.try_get("id")?;
        Ok(Self {
            id,
            roid: roid(id),
            // What is not known to be an organization is taken for a person.
            kind: ContactKind::parse(&kind).unwrap_or(ContactKind::Person),
            postal: if is_int { int } else { postal(row, "loc_")? },
            is_int,
            voice: row.try_get("voice")?,
            voice_extension: row.try_get("voice_extension")?,
            fax: row.try_get("fax")?,
            fax_extension: row.try_get("fax_extension")?,
            email: row.try_get("email")?,
            wishes: wishes(disclose.as_deref().unwrap_or_default()),
            statuses: statuses
                .split_ascii_whitespace()
                .map(str::to_owned)
                .collect(),
            created_at: Timestamp(row.try_get("created_at")?),
            updated_at: row.try_get::<Option<i64>, _>("updated_at")?.map(Timestamp),
        })
    }
}

fn postal(row: &AnyRow, form: &str) -> sqlx::Result<PostalText> {
    let text = |column: &str| -> sqlx::Result<Option<String>> {
        row.try_get(format!("{form}{column}").as_str())
    };
    let street = text("street")?.unwrap_or_default();
    Ok(PostalText {
        name: text("name")?,
        organization: text("organization")?,
        street: street.lines().map(str::to_owned).collect(),
        city: text("city")?,
        province: text("province")?,
        postal_code: text("postal_code")?,
        country: text("country")?,
    })
}

/// `show` or `hide`, and elements; anything else is no wish.
fn wishes(column: &str) -> (bool, BTreeSet<Element>) {
    let mut words = column.split_ascii_whitespace();
    match words.next() {
        Some(word @ ("show" | "hide")) => {
            (word == "show", words.filter_map(Element::parse).collect())
        }
        _ => (false, BTreeSet::new()),
    }
}

/// Registrant and contacts of a domain, the registrant first.
pub(super) async fn of_domain(
    tables: &mut Tables<'_>,
    domain_id: i64,
    registrant_id: Option<i64>,
) -> Result<Vec<ContactLink>, RegistryError> {
    let mut links = Vec::new();
    if let Some(id) = registrant_id {
        let contact = by_id(tables, id).await?;
        let missing = || tables.inconsistent(format!("contact {id} is not there"));
        links.push(ContactLink {
            role: LinkRole::Registrant,
            contact: contact.ok_or_else(missing)?,
        });
    }
    let roles = rows::<(String, i64)>(
        "SELECT role, contact_id FROM domain_contacts WHERE domain_id = $1 \
         ORDER BY role, contact_id",
    );
    let roles = tables.all(roles.bind(domain_id)).await?;
    if roles.is_empty() {
        return Ok(links);
    }
    let text = format!(
        "SELECT {COLUMNS} FROM contacts c WHERE c.id IN \
         (SELECT contact_id FROM domain_contacts WHERE domain_id = $1)"
    );
    let query: Rows<'_, ContactRecord> = sqlx::query_as(AssertSqlSafe(text));
    let contacts = tables.all(query.bind(domain_id)).await?;
    for (role, id) in roles {
        let bad = || tables.inconsistent(format!("contact {id} for {role:?}"));
        let contact = contacts.iter().find(|contact| contact.id == id);
        links.push(ContactLink {
            role: LinkRole::parse(&role).ok_or_else(bad)?,
            contact: contact.ok_or_else(bad)?.clone(),
        });
    }
    Ok(links)
}

async fn by_id(tables: &mut Tables<'_>, id: i64) -> Result<Option<ContactRecord>, RegistryError> {
    let text = format!("SELECT {COLUMNS} FROM contacts c WHERE c.id = $1");
    let query: Rows<'_, ContactRecord> = sqlx::query_as(AssertSqlSafe(text));
    tables.optional(query.bind(id)).await
}

impl Snapshot<'_> {
    /// The contact of this repository object identifier.
    pub async fn contact_by_roid(
        &mut self,
        wanted: &str,
    ) -> Result<Option<ContactRecord>, RegistryError> {
        let number = wanted.split('-').next().unwrap_or_default();
        match number.parse::<i64>() {
            Ok(id) if roid(id) == wanted => by_id(&mut self.tables(), id).await,
            _ => Ok(None),
        }
    }

    /// What a contact is in which zones, those for tests apart; `None` where that is too much to look at.
    pub async fn uses_of_contact(
        &mut self,
        contact_id: i64,
    ) -> Result<Option<BTreeSet<(LinkRole, i64)>>, RegistryError> {
        let mut tables = self.tables();
        let registrant = rows::<(String, i64)>(
            "SELECT 'registrant', d.zone_id FROM domains d JOIN zones z ON z.id = d.zone_id \
             WHERE d.registrant_id = $1 AND z.stage = 'production' LIMIT $2",
        );
        let mut links = tables
            .all(registrant.bind(contact_id).bind(LINKS_MAX))
            .await?;
        let others = rows::<(String, i64)>(
            "SELECT n.role, d.zone_id FROM domain_contacts n JOIN domains d ON d.id = n.domain_id \
             JOIN zones z ON z.id = d.zone_id \
             WHERE n.contact_id = $1 AND z.stage = 'production' LIMIT $2",
        );
        links.extend(tables.all(others.bind(contact_id).bind(LINKS_MAX)).await?);
        if i64::try_from(links.len()).is_ok_and(|found| found >= LINKS_MAX) {
            return Ok(None);
        }
        let known = links.into_iter();
        let known = known.filter_map(|(role, zone)| Some((LinkRole::parse(&role)?, zone)));
        Ok(Some(known.collect()))
    }
}
