//! Commands on contacts (RFC 5733): who is behind a domain, where the registry keeps it.
//!
//! A contact has a postal address in an internationalized form, a local one, or both.
//! Its data is personal: another registrar is told nothing (2201), and a registrar in
//! whose zones no contacts are kept is not offered these commands (2307).

mod change;
mod erase;
mod info;
pub(in crate::registry) mod keys;
mod links;
mod past;
mod row;
mod transfer;

use serde::{Deserialize, Serialize};

use super::super::database::Timestamp;
use super::super::policy::ContactRole;
use super::super::signing::named;
use super::super::types::{
    AuthInfo, CountryCode, Email, Handle, Line, PhoneExtension, PhoneNumber, PostalCode, Status,
};
use super::CommandError;
use super::context::Context;
use super::domain::TransferOp;

pub use erase::ContactErase;
pub(super) use info::info;
pub use keys::{ContactKey, ContactKeys, KeyName};
pub(super) use links::{Links, contacts_of, find_contacts, write_links};
pub(super) use past::{before_of, shown_of};
pub use transfer::{ContactStep, ContactTransfer};
pub(super) use transfer::{copy_contacts, query};

/// A command on one contact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ContactCommand {
    /// Make it.
    Create(Box<ContactCreate>),
    /// Change it.
    Update(Box<ContactUpdate>),
    /// Change the keys that it has on file: the registry's own.
    Keys(ContactKeys),
    /// Remove it, where no domain names it.
    Delete(Handle),
    /// Erase what is said of a person, for good: the registry's own.
    Erase(ContactErase),
    /// Bring it to another registrar.
    Transfer(Box<ContactTransfer>),
    /// Approve its transfer that nobody answered: the timers' own.
    Step(ContactStep),
    /// Show it.
    Info(Handle),
}

impl ContactCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "contact-create",
            Self::Update(_) => "contact-update",
            Self::Keys(_) => "contact-keys",
            Self::Delete(_) => "contact-delete",
            Self::Erase(_) => "contact-erase",
            Self::Transfer(transfer) => match transfer.op {
                TransferOp::Request => "contact-transfer-request",
                TransferOp::Approve => "contact-transfer-approve",
                TransferOp::Reject => "contact-transfer-reject",
                TransferOp::Cancel => "contact-transfer-cancel",
                TransferOp::Query => "contact-transfer-query",
            },
            Self::Step(_) => "contact-transfer-auto",
            Self::Info(_) => "contact-info",
        }
    }

    pub(super) fn handle(&self) -> &Handle {
        match self {
            Self::Create(create) => &create.handle,
            Self::Update(update) => &update.handle,
            Self::Keys(keys) => &keys.handle,
            Self::Erase(erase) => &erase.handle,
            Self::Transfer(transfer) => &transfer.handle,
            Self::Step(step) => &step.handle,
            Self::Delete(handle) | Self::Info(handle) => handle,
        }
    }
}

named! {
    /// What a contact is.
    ContactKind:
        /// A human being.
        Person = "person",
        /// An organization.
        Org = "org",
        /// A role that several may have.
        Role = "role",
}

named! {
    /// What a wish about disclosure is about (RFC 5733 section 2.9).
    Element:
        /// Name, internationalized.
        NameInt = "name-int",
        /// Name, local.
        NameLoc = "name-loc",
        /// Organization, internationalized.
        OrgInt = "org-int",
        /// Organization, local.
        OrgLoc = "org-loc",
        /// Address, internationalized.
        AddrInt = "addr-int",
        /// Address, local.
        AddrLoc = "addr-loc",
        /// Telephone.
        Voice = "voice",
        /// Fax.
        Fax = "fax",
        /// E-mail.
        Email = "email",
}

/// A wish about disclosure that differs from what the registry does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Disclose {
    /// Show these, or hide them.
    pub show: bool,
    /// Which.
    pub elements: Vec<Element>,
}

/// A postal address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct Address {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub street: Vec<Line>,
    pub city: Line,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub province: Option<Line>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<PostalCode>,
    pub country: CountryCode,
}

/// Name and address, in one of the two forms.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct PostalInfo {
    pub name: Line,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub organization: Option<Line>,
    pub address: Address,
}

/// What changes of a [`PostalInfo`]; what is not named stays (RFC 5733 section 3.2.5).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct PostalParts {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<Line>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<Change<Line>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
}

/// A telephone number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct Phone {
    pub number: PhoneNumber,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extension: Option<PhoneExtension>,
}

/// What a new contact is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContactCreate {
    /// What it is called.
    pub handle: Handle,
    /// Its sponsor; a registrar's own account if it is not named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registrar: Option<Handle>,
    /// What it is.
    pub kind: ContactKind,
    /// Name and address in letters of ASCII.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int: Option<PostalInfo>,
    /// Name and address as they are written where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loc: Option<PostalInfo>,
    /// Telephone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Phone>,
    /// Fax.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fax: Option<Phone>,
    /// E-mail.
    pub email: Email,
    /// What is to be shown or hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclose: Option<Disclose>,
    /// What authorizes others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
}

/// A value that comes in the place of another, or of none.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change<T> {
    /// This one from now on.
    Set(T),
    /// None from now on.
    Remove,
}

/// A change to a contact; what is not named stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "as in `ContactCreate`")]
pub struct ContactUpdate {
    pub handle: Handle,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add: Vec<Status>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove: Vec<Status>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<ContactKind>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int: Option<Change<PostalInfo>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loc: Option<Change<PostalInfo>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub int_parts: Option<PostalParts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loc_parts: Option<PostalParts>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voice: Option<Change<Phone>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fax: Option<Change<Phone>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disclose: Option<Change<Disclose>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_info: Option<AuthInfo>,
}

impl ContactUpdate {
    /// Whether it says that the contact is somebody else: its name, what it is, or where it
    /// gets its mail.
    pub(super) fn is_of_identity(&self) -> bool {
        let Self {
            kind,
            int,
            loc,
            email,
            ..
        } = self;
        kind.is_some() || int.is_some() || loc.is_some() || email.is_some()
    }

    /// A change of nothing, to be filled in.
    pub fn new(handle: Handle) -> Self {
        Self {
            handle,
            add: Vec::new(),
            remove: Vec::new(),
            kind: None,
            int: None,
            loc: None,
            int_parts: None,
            loc_parts: None,
            voice: None,
            fax: None,
            email: None,
            disclose: None,
            auth_info: None,
        }
    }
}

/// A contact of a domain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DomainContact {
    /// What for.
    pub role: ContactRole,
    /// Which one.
    pub contact: Handle,
}

impl std::fmt::Display for DomainContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.role, self.contact)
    }
}

/// A contact as it is; texts as they are stored, since imported ones were not checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct ContactInfo {
    pub handle: Handle,
    pub roid: String,
    pub registrar: String,
    pub kind: String,
    /// As EPP shows them: those that were set or `ok`, and `linked`.
    pub statuses: Vec<String>,
    pub int: PostalText,
    pub loc: PostalText,
    pub voice: Option<String>,
    pub voice_extension: Option<String>,
    pub fax: Option<String>,
    pub fax_extension: Option<String>,
    pub email: Option<String>,
    pub disclose: Option<String>,
    /// Public keys whose signatures agree to changes.
    pub keys: Vec<String>,
    pub created_at: Timestamp,
    pub created_by: Option<String>,
    pub updated_at: Option<Timestamp>,
    pub updated_by: Option<String>,
    /// When it came to its sponsor.
    pub transferred_at: Option<Timestamp>,
    /// The contact that it was copied from, when a domain went over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copy_of: Option<String>,
    /// When what it said of a person was erased.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<Timestamp>,
}

/// Name and address as they are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the elements of RFC 5733")]
pub struct PostalText {
    pub name: Option<String>,
    pub organization: Option<String>,
    pub street: Vec<String>,
    pub city: Option<String>,
    pub province: Option<String>,
    pub postal_code: Option<String>,
    pub country: Option<String>,
}

/// Runs a change; contacts are in no zone.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &ContactCommand,
) -> Result<Option<i64>, CommandError> {
    match command {
        ContactCommand::Create(command) => change::create(context, command).await?,
        ContactCommand::Update(command) => change::update(context, command).await?,
        ContactCommand::Keys(command) => keys::change(context, command).await?,
        ContactCommand::Delete(handle) => change::delete(context, handle).await?,
        ContactCommand::Erase(command) => erase::erase(context, command).await?,
        ContactCommand::Transfer(command) => transfer::transfer(context, command).await?,
        ContactCommand::Step(command) => transfer::step(context, command).await?,
        ContactCommand::Info(_) => unreachable!("reads change nothing"),
    }
    Ok(None)
}
