//! What the public is shown of a registrar: it says so itself to the registry, which
//! writes it down (ICANN's RDAP response profile, section 3, and its WHOIS form).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::super::code::ResultCode;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::context::{Context, Touched};
use super::existing;
use crate::registry::signing::named;
use crate::registry::types::{
    AnyName, CountryCode, Email, Handle, Line, PhoneNumber, PostalCode, ValueError,
};

named! {
    /// A part of it.
    PublicField:
        /// Street of its address.
        Street = "street",
        /// City.
        City = "city",
        /// Province or state.
        Province = "province",
        /// Postal code.
        PostalCode = "postal-code",
        /// Country, as ISO 3166-1 has it.
        Country = "country",
        /// Telephone.
        Voice = "voice",
        /// Fax.
        Fax = "fax",
        /// E-mail.
        Email = "email",
        /// Its web pages.
        Url = "url",
        /// Base of its own RDAP service, as IANA has it.
        RdapUrl = "rdap-url",
        /// Its WHOIS server.
        WhoisServer = "whois-server",
        /// Where abuse is told by e-mail.
        AbuseEmail = "abuse-email",
        /// Where abuse is told by telephone.
        AbuseVoice = "abuse-voice",
        /// Name of its administrative contact.
        AdminName = "admin-name",
        /// Telephone of that.
        AdminVoice = "admin-voice",
        /// E-mail of that.
        AdminEmail = "admin-email",
        /// Name of its technical contact.
        TechName = "tech-name",
        /// Telephone of that.
        TechVoice = "tech-voice",
        /// E-mail of that.
        TechEmail = "tech-email",
}

/// What a registrar shows, by field.
pub type PublicData = BTreeMap<PublicField, String>;

/// A change of what is shown; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegistrarPublic {
    /// Its handle.
    pub handle: Handle,
    /// New values; an empty one takes the field away.
    pub set: PublicData,
}

/// Longest address of a page.
const URL_OCTETS_MAX: usize = 255;

fn check(field: PublicField, text: &str) -> Result<(), ValueError> {
    match field {
        PublicField::PostalCode => PostalCode::parse(text).map(drop),
        PublicField::Country => CountryCode::parse(text).map(drop),
        PublicField::Voice
        | PublicField::Fax
        | PublicField::AbuseVoice
        | PublicField::AdminVoice
        | PublicField::TechVoice => PhoneNumber::parse(text).map(drop),
        PublicField::Email
        | PublicField::AbuseEmail
        | PublicField::AdminEmail
        | PublicField::TechEmail => Email::parse(text).map(drop),
        PublicField::WhoisServer => AnyName::parse(text).map(drop),
        PublicField::Url => url(text, &["https://", "http://"]),
        // ICANN's technical guide, section 1.4.
        PublicField::RdapUrl => url(text, &["https://"]),
        PublicField::Street
        | PublicField::City
        | PublicField::Province
        | PublicField::AdminName
        | PublicField::TechName => Line::parse(text).map(drop),
    }
}

/// An address of a page in the letters that RFC 3986 has for it.
fn url(text: &str, schemes: &[&str]) -> Result<(), ValueError> {
    let rest = schemes.iter().find_map(|scheme| text.strip_prefix(scheme));
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    let is_url = text.len() <= URL_OCTETS_MAX
        && rest
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '['))
        && text.bytes().all(is_plain);
    is_url.then_some(()).ok_or_else(|| {
        let reason = format!("an address that begins with {}", schemes.join(" or "));
        ValueError::syntax(text, reason)
    })
}

/// Reads the column.
pub(in crate::registry) fn read(column: Option<&str>) -> PublicData {
    // Our own writing; a later version's fields are not for this one to show.
    column
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &RegistrarPublic,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    if command.set.is_empty() {
        let reason = "a change of nothing";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    for (field, text) in command.set.iter().filter(|(_, text)| !text.is_empty()) {
        check(*field, text)?;
    }
    let row = existing(&mut context.tables(), handle).await?;
    let mut public = read(row.public_data.as_deref());
    public.extend(command.set.clone());
    public.retain(|_, text| !text.is_empty());
    let column = serde_json::to_string(&public).expect("texts under names are JSON");
    let update = sqlx::query("UPDATE registrars SET public_data = $1 WHERE id = $2");
    let update = update.bind(column).bind(row.id);
    context.tables().run(update).await?;
    Ok(context.touch(Touched::Registrar, row.id).await?)
}
