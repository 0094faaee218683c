//! Commands on registrars: the registry's own, apart from `info` of oneself.

mod access;
mod public;

use serde::{Deserialize, Serialize};

use super::super::access::{PasswordHash, Pin, Prefix, pins, prefixes};
use super::super::code::ResultCode;
use super::super::database::Timestamp;
use super::super::error::RegistryError;
use super::super::policy::{DataModel, Stage};
use super::super::types::Handle;
use super::CommandError;
use super::answer::{Info, rejected};
use super::checks::{Acting, registry_only};
use super::context::{Context, Touched};
use super::tables::{Tables, from_row, rows};

pub(in crate::registry) use public::read as read_public;
pub use public::{PublicData, PublicField, RegistrarPublic};

/// A command on one registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrarCommand {
    /// Accredit it.
    Create(RegistrarCreate),
    /// Change it.
    Update(RegistrarUpdate),
    /// Remove it, once it sponsors nothing.
    Delete(Handle),
    /// Change what it shows to get in.
    Access(Box<RegistrarAccess>),
    /// Change what the public is shown of it.
    Public(Box<RegistrarPublic>),
    /// Show it.
    Info(Handle),
}

impl RegistrarCommand {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Create(_) => "registrar-create",
            Self::Update(_) => "registrar-update",
            Self::Delete(_) => "registrar-delete",
            Self::Access(_) => "registrar-access",
            Self::Public(_) => "registrar-public",
            Self::Info(_) => "registrar-info",
        }
    }

    pub(super) fn handle(&self) -> &Handle {
        match self {
            Self::Create(create) => &create.handle,
            Self::Update(update) => &update.handle,
            Self::Access(access) => &access.handle,
            Self::Public(public) => &public.handle,
            Self::Delete(handle) | Self::Info(handle) => handle,
        }
    }
}

/// What a new registrar is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegistrarCreate {
    /// Its handle.
    pub handle: Handle,
    /// Its name.
    pub name: String,
    /// Its number at IANA, if it is accredited by ICANN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iana_id: Option<u32>,
}

/// A change to a registrar.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegistrarUpdate {
    /// Its handle.
    pub handle: Handle,
    /// Its new name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Its number at IANA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iana_id: Option<u32>,
    /// Whether it may act.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RegistrarStatus>,
    /// Whether its domains have contacts here, in zones where each registrar decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_model: Option<DataModel>,
}

/// A change to what a registrar shows to get in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RegistrarAccess {
    /// Its handle.
    pub handle: Handle,
    /// Its password from now on; it may set that itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_hash: Option<PasswordHash>,
    /// Certificates that show it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pin: Vec<Pin>,
    /// Certificates that do so no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpin: Vec<Pin>,
    /// Networks that it comes from; where it has some, it comes from no other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<Prefix>,
    /// Networks that it comes from no more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disallow: Vec<Prefix>,
    /// Sessions that it may have at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions_max: Option<u32>,
    /// Whether it is an account for tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Stage>,
}

impl RegistrarAccess {
    /// A change of nothing yet.
    pub fn new(handle: Handle) -> Self {
        Self {
            handle,
            password_hash: None,
            pin: Vec::new(),
            unpin: Vec::new(),
            allow: Vec::new(),
            disallow: Vec::new(),
            sessions_max: None,
            stage: None,
        }
    }
}

/// Whether a registrar may act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RegistrarStatus {
    /// It may.
    Active,
    /// Not now.
    Suspended,
    /// Never again.
    Terminated,
}

impl RegistrarStatus {
    fn column(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Terminated => "terminated",
        }
    }
}

/// A registrar as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub struct RegistrarInfo {
    /// Its handle.
    pub handle: Handle,
    /// Its name.
    pub name: String,
    /// Its number at IANA.
    pub iana_id: Option<i64>,
    /// Whether it may act.
    pub status: String,
    /// Whether its domains have contacts here, in zones where each registrar decides.
    pub data_model: DataModel,
    /// What the public is shown of it.
    pub public: PublicData,
    /// When its password was set, if it has one.
    pub password_set_at: Option<Timestamp>,
    /// Its certificates.
    pub pins: Vec<Pin>,
    /// Networks that it comes from; none is any.
    pub prefixes: Vec<Prefix>,
    /// Sessions that it may have at once.
    pub sessions_max: i64,
    /// Whether it is an account for tests.
    pub stage: Stage,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

struct Row {
    id: i64,
    name: String,
    iana_id: Option<i64>,
    status: String,
    data_model: Option<String>,
    public_data: Option<String>,
    password_set_at: Option<i64>,
    sessions_max: i64,
    stage: String,
    created_at: i64,
    updated_at: Option<i64>,
}

from_row!(Row: id, name, iana_id, status, data_model, public_data, password_set_at, sessions_max, stage, created_at, updated_at);

impl Row {
    /// A registrar that said nothing is a thin one.
    fn data_model(&self) -> DataModel {
        let said = self.data_model.as_deref().and_then(DataModel::parse);
        said.unwrap_or(DataModel::Minimum)
    }
}

async fn find(tables: &mut Tables<'_>, handle: &Handle) -> Result<Option<Row>, RegistryError> {
    let query = rows::<Row>(
        "SELECT id, name, iana_id, status, data_model, public_data, password_set_at, sessions_max, \
         stage, created_at, updated_at FROM registrars WHERE handle = $1",
    );
    tables.optional(query.bind(handle.as_str())).await
}

async fn existing(tables: &mut Tables<'_>, handle: &Handle) -> Result<Row, CommandError> {
    let missing = || rejected(ResultCode::ObjectDoesNotExist, handle, "no such registrar");
    find(tables, handle).await?.ok_or_else(missing)
}

pub(super) async fn info(
    tables: &mut Tables<'_>,
    reader: &Acting,
    handle: &Handle,
) -> Result<Info, CommandError> {
    let row = existing(tables, handle).await?;
    if reader.registrar.is_some_and(|own| own != row.id) {
        let reason = "another registrar";
        return Err(rejected(ResultCode::AuthorizationError, handle, reason));
    }
    Ok(Info::Registrar(RegistrarInfo {
        handle: handle.clone(),
        data_model: row.data_model(),
        public: public::read(row.public_data.as_deref()),
        name: row.name,
        iana_id: row.iana_id,
        status: row.status,
        password_set_at: row.password_set_at.map(Timestamp),
        pins: pins(tables, row.id).await?,
        prefixes: prefixes(tables, row.id).await?,
        sessions_max: row.sessions_max,
        stage: Stage::parse(&row.stage).unwrap_or(Stage::Production),
        created_at: Timestamp(row.created_at),
        updated_at: row.updated_at.map(Timestamp),
    }))
}

/// Runs a change; registrars are in no zone.
pub(super) async fn change(
    context: &mut Context<'_, '_>,
    command: &RegistrarCommand,
) -> Result<Option<i64>, CommandError> {
    if let RegistrarCommand::Access(command) = command {
        access::change(context, command).await?;
        return Ok(None);
    }
    registry_only(&context.acting, command.handle().as_str())?;
    match command {
        RegistrarCommand::Create(command) => create(context, command).await?,
        RegistrarCommand::Update(command) => update(context, command).await?,
        RegistrarCommand::Public(command) => public::change(context, command).await?,
        RegistrarCommand::Delete(handle) => delete(context, handle).await?,
        RegistrarCommand::Access(_) | RegistrarCommand::Info(_) => {
            unreachable!("taken before; reads change nothing")
        }
    }
    Ok(None)
}

async fn create(
    context: &mut Context<'_, '_>,
    command: &RegistrarCreate,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    if command.name.trim().is_empty() {
        let reason = "a registrar needs a name";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    if find(&mut context.tables(), handle).await?.is_some() {
        return Err(rejected(ResultCode::ObjectExists, handle, "there already"));
    }
    let id = context.new_object();
    let insert = sqlx::query(
        "INSERT INTO registrars (id, handle, name, iana_id, status, created_at) \
         VALUES ($1, $2, $3, $4, 'active', $5)",
    )
    .bind(id)
    .bind(handle.as_str())
    .bind(command.name.trim())
    .bind(command.iana_id.map(i64::from))
    .bind(context.at.0);
    context.tables().run(insert).await?;
    Ok(())
}

async fn update(
    context: &mut Context<'_, '_>,
    command: &RegistrarUpdate,
) -> Result<(), CommandError> {
    let handle = &command.handle;
    let is_empty = command.name.is_none()
        && command.iana_id.is_none()
        && command.status.is_none()
        && command.data_model.is_none();
    if is_empty {
        let reason = "an update of nothing";
        return Err(rejected(ResultCode::ParameterMissing, handle, reason));
    }
    if command.data_model == Some(DataModel::PerRegistrar) {
        let reason = "a registrar is minimum or maximum";
        return Err(rejected(ResultCode::ParameterPolicy, handle, reason));
    }
    let row = existing(&mut context.tables(), handle).await?;
    let model = command.data_model.unwrap_or_else(|| row.data_model());
    let status = command.status.map(|status| status.column().to_owned());
    let update = sqlx::query(
        "UPDATE registrars SET name = $1, iana_id = $2, status = $3, data_model = $4 \
         WHERE id = $5",
    )
    .bind(command.name.clone().unwrap_or(row.name))
    .bind(command.iana_id.map(i64::from).or(row.iana_id))
    .bind(status.unwrap_or(row.status))
    .bind(model.name())
    .bind(row.id);
    context.tables().run(update).await?;
    Ok(context.touch(Touched::Registrar, row.id).await?)
}

async fn delete(context: &mut Context<'_, '_>, handle: &Handle) -> Result<(), CommandError> {
    let mut tables = context.tables();
    let row = existing(&mut tables, handle).await?;
    // Attributes of domains have no sponsor of their own: another one's domain keeps them.
    let pass_on = sqlx::query(
        "UPDATE hosts SET registrar_id = (SELECT MIN(d.registrar_id) FROM delegations n \
         JOIN domains d ON d.id = n.domain_id WHERE n.host_id = hosts.id) WHERE attribute = 1 \
         AND registrar_id = $1 AND EXISTS (SELECT n.host_id FROM delegations n \
         WHERE n.host_id = hosts.id)",
    );
    tables.run(pass_on.bind(row.id)).await?;
    for used in [
        "SELECT id FROM domains WHERE registrar_id = $1 LIMIT 1",
        "SELECT id FROM hosts WHERE registrar_id = $1 LIMIT 1",
        "SELECT id FROM contacts WHERE registrar_id = $1 LIMIT 1",
        "SELECT id FROM changes WHERE registrar_id = $1 LIMIT 1",
        "SELECT t.domain_id FROM transfers t JOIN registrars r ON r.handle = t.gaining \
         WHERE r.id = $1 AND t.state = 'pending' LIMIT 1",
        "SELECT t.contact_id FROM contact_transfers t JOIN registrars r ON r.handle = t.gaining \
         WHERE r.id = $1 AND t.state = 'pending' LIMIT 1",
    ] {
        if tables.any(rows::<(i64,)>(used).bind(row.id)).await? {
            let reason = "sponsors domains, hosts or contacts, or is to";
            return Err(rejected(ResultCode::AssociationProhibits, handle, reason));
        }
    }
    for statement in [
        "DELETE FROM poll_messages WHERE registrar_id = $1",
        "DELETE FROM poll_queues WHERE registrar_id = $1",
        "DELETE FROM registrars WHERE id = $1",
    ] {
        tables.run(sqlx::query(statement).bind(row.id)).await?;
    }
    Ok(())
}
