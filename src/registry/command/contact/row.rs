//! A contact's row, in and out.

use sqlx::AssertSqlSafe;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::{Address, Disclose, Phone, PostalInfo, PostalText};
use crate::registry::code::ResultCode;
use crate::registry::command::CommandError;
use crate::registry::command::answer::rejected;
use crate::registry::command::tables::{Rows, Tables, rows};
use crate::registry::error::RegistryError;
use crate::registry::types::{CountryCode, Handle, Line, PostalCode, Statuses};

/// Columns of what can be said about a contact, in the order of [`Texts`].
pub(super) const COLUMNS: [&str; 21] = [
    "kind",
    "name",
    "organization",
    "street",
    "city",
    "province",
    "postal_code",
    "country",
    "loc_name",
    "loc_organization",
    "loc_street",
    "loc_city",
    "loc_province",
    "loc_postal_code",
    "loc_country",
    "voice",
    "voice_extension",
    "fax",
    "fax_extension",
    "email",
    "disclose",
];
/// Where the two forms, the numbers and the rest begin.
const INT: usize = 1;
const LOC: usize = 8;
const VOICE: usize = 15;
const FAX: usize = 17;
const EMAIL: usize = 19;
const DISCLOSE: usize = 20;

/// What can be said about a contact, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts(pub(super) [Option<String>; 21]);

impl Default for Texts {
    fn default() -> Self {
        Self(std::array::from_fn(|_| None))
    }
}

impl Texts {
    pub(super) fn set_kind(&mut self, kind: super::ContactKind) {
        self.0[0] = Some(kind.name().to_owned());
    }

    pub(super) fn set_int(&mut self, info: Option<&PostalInfo>) {
        self.set_postal(INT, info);
    }

    pub(super) fn set_loc(&mut self, info: Option<&PostalInfo>) {
        self.set_postal(LOC, info);
    }

    fn set_postal(&mut self, first: usize, info: Option<&PostalInfo>) {
        let street = |info: &PostalInfo| {
            let lines: Vec<_> = info
                .address
                .street
                .iter()
                .map(ToString::to_string)
                .collect();
            (!lines.is_empty()).then(|| lines.join("\n"))
        };
        let values = match info {
            None => std::array::from_fn(|_| None),
            Some(info) => [
                Some(info.name.to_string()),
                info.organization.as_ref().map(ToString::to_string),
                street(info),
                Some(info.address.city.to_string()),
                info.address.province.as_ref().map(ToString::to_string),
                info.address.postal_code.as_ref().map(ToString::to_string),
                Some(info.address.country.to_string()),
            ],
        };
        let columns = &mut self.0[first..first + values.len()];
        for (column, value) in columns.iter_mut().zip(values) {
            *column = value;
        }
    }

    pub(super) fn set_voice(&mut self, phone: Option<&Phone>) {
        self.set_phone(VOICE, phone);
    }

    pub(super) fn set_fax(&mut self, phone: Option<&Phone>) {
        self.set_phone(FAX, phone);
    }

    fn set_phone(&mut self, first: usize, phone: Option<&Phone>) {
        let extension = phone.and_then(|phone| phone.extension.as_ref());
        self.0[first] = phone.map(|phone| phone.number.to_string());
        self.0[first + 1] = extension.map(ToString::to_string);
    }

    pub(super) fn set_email(&mut self, email: &crate::registry::types::Email) {
        self.0[EMAIL] = Some(email.to_string());
    }

    pub(super) fn set_disclose(&mut self, disclose: Option<&Disclose>) {
        self.0[DISCLOSE] = disclose.map(|disclose| {
            let mut words = vec![if disclose.show { "show" } else { "hide" }];
            words.extend(disclose.elements.iter().map(|element| element.name()));
            words.join(" ")
        });
    }

    /// Whether there is a name in one of the forms.
    pub(super) fn has_postal(&self) -> bool {
        self.0[INT].is_some() || self.0[LOC].is_some()
    }

    pub(super) fn int(&self) -> PostalText {
        self.postal(INT)
    }

    pub(super) fn loc(&self) -> PostalText {
        self.postal(LOC)
    }

    fn postal(&self, first: usize) -> PostalText {
        let text = |offset: usize| self.0[first + offset].clone();
        let street = text(2).unwrap_or_default();
        PostalText {
            name: text(0),
            organization: text(1),
            street: street.lines().map(str::to_owned).collect(),
            city: text(3),
            province: text(4),
            postal_code: text(5),
            country: text(6),
        }
    }

    /// A form as values, as far as it has them: an import may have left others.
    pub(super) fn postal_info(&self, is_int: bool) -> Held {
        let text = if is_int { self.int() } else { self.loc() };
        let line = |text: Option<String>| text.and_then(|text| Line::parse(&text).ok());
        let city = line(text.city);
        let country = text.country.and_then(|code| CountryCode::parse(&code).ok());
        let address = city.zip(country).map(|(city, country)| Address {
            street: text
                .street
                .iter()
                .filter_map(|line| Line::parse(line).ok())
                .collect(),
            city,
            province: line(text.province),
            postal_code: text
                .postal_code
                .and_then(|code| PostalCode::parse(&code).ok()),
            country,
        });
        Held {
            name: line(text.name),
            organization: line(text.organization),
            address,
        }
    }

    pub(super) fn kind(&self) -> String {
        self.0[0].clone().unwrap_or_default()
    }

    /// Voice, fax, e-mail and disclosure, with extensions.
    pub(super) fn others(&self) -> [Option<String>; 6] {
        std::array::from_fn(|offset| self.0[VOICE + offset].clone())
    }
}

/// What there is of a form.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) name: Option<Line>,
    pub(super) organization: Option<Line>,
    pub(super) address: Option<Address>,
}

/// A row of `contacts`.
#[derive(Debug, Clone)]
pub(super) struct ContactRow {
    pub(super) id: i64,
    pub(super) registrar_id: i64,
    pub(super) statuses: String,
    pub(super) first_event: i64,
    pub(super) created_at: i64,
    pub(super) created_by: Option<String>,
    pub(super) updated_at: Option<i64>,
    pub(super) updated_by: Option<String>,
    pub(super) transferred_at: Option<i64>,
    pub(super) auth: Option<Vec<u8>>,
    pub(super) copy_of: Option<String>,
    pub(super) erased_at: Option<i64>,
    pub(super) texts: Texts,
}

impl<'r> sqlx::FromRow<'r, AnyRow> for ContactRow {
    fn from_row(row: &'r AnyRow) -> sqlx::Result<Self> {
        let mut texts = Texts::default();
        for (text, column) in texts.0.iter_mut().zip(COLUMNS) {
            *text = row.try_get(column)?;
        }
        Ok(Self {
            id: row.try_get("id")?,
            registrar_id: row.try_get("registrar_id")?,
            statuses: row.try_get("statuses")?,
            first_event: row.try_get("first_event")?,
            created_at: row.try_get("created_at")?,
            created_by: row.try_get("created_by")?,
            updated_at: row.try_get("updated_at")?,
            updated_by: row.try_get("updated_by")?,
            transferred_at: row.try_get("transferred_at")?,
            auth: row.try_get("auth")?,
            copy_of: row.try_get("copy_of")?,
            erased_at: row.try_get("erased_at")?,
            texts,
        })
    }
}

impl ContactRow {
    /// Whoever was erased is nobody: another contact is made for what is to be said.
    pub(super) fn not_erased(&self, handle: &Handle) -> Result<(), CommandError> {
        match self.erased_at {
            Some(_) => {
                let reason = "its personal data was erased; make another contact";
                Err(rejected(ResultCode::StatusProhibits, handle, reason))
            }
            None => Ok(()),
        }
    }

    pub(super) fn statuses(&self, tables: &Tables<'_>) -> Result<Statuses, RegistryError> {
        Statuses::from_column(&self.statuses)
            .map_err(|error| tables.inconsistent(format!("statuses of a contact: {error}")))
    }
}

/// The contact, if there is one.
pub(super) async fn find(
    tables: &mut Tables<'_>,
    handle: &Handle,
) -> Result<Option<ContactRow>, RegistryError> {
    let query: Rows<'_, ContactRow> = sqlx::query_as(AssertSqlSafe(select("handle = $1")));
    tables.optional(query.bind(handle.as_str())).await
}

fn select(condition: &'static str) -> String {
    let columns = COLUMNS.join(", ");
    format!(
        "SELECT id, registrar_id, statuses, first_event, created_at, created_by, updated_at, \
         updated_by, transferred_at, auth, copy_of, erased_at, {columns} FROM contacts WHERE {condition}"
    )
}

/// The contact of this number, with its handle.
pub(super) async fn find_by_id(
    tables: &mut Tables<'_>,
    id: i64,
) -> Result<Option<(String, ContactRow)>, RegistryError> {
    let query: Rows<'_, ContactRow> = sqlx::query_as(AssertSqlSafe(select("id = $1")));
    let Some(row) = tables.optional(query.bind(id)).await? else {
        return Ok(None);
    };
    let handle = rows::<(String,)>("SELECT handle FROM contacts WHERE id = $1");
    let found = tables.optional(handle.bind(id)).await?;
    Ok(found.map(|(handle,)| (handle, row)))
}

/// The contact, or 2303.
pub(super) async fn existing(
    tables: &mut Tables<'_>,
    handle: &Handle,
) -> Result<ContactRow, CommandError> {
    let missing = || rejected(ResultCode::ObjectDoesNotExist, handle, "no such contact");
    find(tables, handle).await?.ok_or_else(missing)
}
