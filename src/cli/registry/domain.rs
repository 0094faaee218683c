//! `meridian registry domain`: what can be said, and the command that it is.
//!
//! Values are texts here: a bad one is answered by the registry with its code, as
//! from every other front end.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use super::arguments::ActingArgs;
use super::build::{Built, all, one, syntax};
use crate::registry::Command;
use crate::registry::command::contact::{Change, DomainContact};
use crate::registry::command::domain::{
    DomainCommand, DomainCreate, DomainMove, DomainParts, DomainQuery, DomainRenew, DomainRestore,
    DomainTransfer, DomainUpdate, RestoreReport, TransferOp, TtlChange,
};
use crate::registry::command::lock::DomainLock;
use crate::registry::policy::Approvers;
use crate::registry::types::{AuthInfo, Handle, Ttl, ValueError, Years};

/// `meridian registry domain ..`
#[derive(Debug, Subcommand)]
pub(crate) enum DomainArgs {
    /// Register a domain
    Create(Box<CreateArgs>),
    /// Change a domain
    Update(Box<UpdateArgs>),
    /// Make a registration longer
    Renew(RenewArgs),
    /// End a registration, with the hosts below it that no other domain uses
    ///
    /// At once in its add period. Later it leaves DNS and can be restored for a while;
    /// `domain info` says when it is purged.
    Delete(NameArgs),
    /// Undo a delete
    Restore(RestoreArgs),
    /// Remove a domain at once, wherever it is in its life: the registry's own
    Purge(NameArgs),
    /// Let a domain change only if those agree whom the lock names; needs a --case
    Lock(LockArgs),
    /// Ask for the end of a lock: its approvers have to agree
    Unlock(NameArgs),
    /// Say whether a name can be registered
    Check(NameArgs),
    /// Bring a domain to another registrar: request, approve, reject, cancel, query
    Transfer(TransferArgs),
    /// Give a domain to another registrar by the registry's word; needs a --case
    Move(MoveArgs),
    /// Show a domain
    Info(InfoArgs),
}

/// A command that needs no more than a name.
#[derive(Debug, Args)]
pub(crate) struct NameArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain move`
#[derive(Debug, Args)]
pub(crate) struct MoveArgs {
    /// Its name
    name: String,
    /// Its sponsor
    #[arg(long, value_name = "HANDLE")]
    from: String,
    /// The sponsor that it gets
    #[arg(long, value_name = "HANDLE")]
    to: String,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain lock`
#[derive(Debug, Args)]
pub(crate) struct LockArgs {
    /// Its name
    name: String,
    /// How many have to agree to a change
    #[arg(long, value_name = "COUNT", default_value_t = 2)]
    approvals: u32,
    /// An operator that may; repeat for each
    #[arg(long, value_name = "NAME", required = true)]
    approver: Vec<String>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain create`
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Its name
    name: String,
    /// Sponsoring registrar [default: the one of --as]
    #[arg(long, value_name = "HANDLE")]
    registrar: Option<String>,
    /// Years until it expires, 1 to 10
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    years: u8,
    /// A name server, which is a host object; repeat for each
    #[arg(long, value_name = "HOST")]
    host: Vec<String>,
    /// A name server of a zone with `host-model=attributes`: "HOST ADDRESS..", with
    /// addresses where it is in this registry; repeat for each
    #[arg(long, value_name = "SERVER")]
    host_attribute: Vec<String>,
    /// A delegation signer: "KEYTAG ALGORITHM DIGESTTYPE DIGEST"; repeat for each
    #[arg(long, value_name = "DS")]
    ds: Vec<String>,
    /// A key, in a zone with `ds-interface=keys`: "257 3 ALGORITHM KEY"; repeat for each
    #[arg(long, value_name = "DNSKEY")]
    key: Vec<String>,
    /// A status to begin with; repeat for each
    #[arg(long, value_name = "STATUS")]
    status: Vec<String>,
    /// IDN table of the zone that is to let the label in [default: the first that does]
    #[arg(long, value_name = "TAG")]
    idn_tag: Option<String>,
    /// Terms of a premium label, word for word as `domain check` says them
    #[arg(long, value_name = "TERMS")]
    consent: Option<String>,
    #[command(flatten)]
    token: TokenArgs,
    /// The contact that holds it
    #[arg(long, value_name = "CONTACT")]
    registrant: Option<String>,
    /// A contact as ROLE:CONTACT, of role admin, tech, billing or abuse; repeat for each
    #[arg(long, value_name = "ROLE:CONTACT")]
    contact: Vec<String>,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// What lets another registrar have a domain. Command lines are seen by others.
#[derive(Debug, Args)]
pub(crate) struct AuthArgs {
    /// File whose first line is the authorization information of the domain; an empty
    /// line unsets it
    #[arg(long, value_name = "FILE")]
    auth_info_file: Option<PathBuf>,
}

/// What gives a label out that is held (RFC 8495).
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// File whose first line is the token with which a label that is held is registered
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// `meridian registry domain info`
#[derive(Debug, Args)]
pub(crate) struct InfoArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain transfer`
#[derive(Debug, Args)]
pub(crate) struct TransferArgs {
    /// Its name
    name: String,
    /// What is done: request, approve, reject, cancel or query
    #[arg(value_name = "STEP")]
    op: String,
    /// To whom, where the registry asks for it
    #[arg(long, value_name = "HANDLE")]
    registrar: Option<String>,
    /// Years that a request adds
    #[arg(long, value_name = "COUNT")]
    years: Option<u8>,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain update`
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Its name
    name: String,
    /// A name server to add
    #[arg(long, value_name = "HOST")]
    add_host: Vec<String>,
    /// A name server to remove
    #[arg(long, value_name = "HOST")]
    remove_host: Vec<String>,
    /// A name server to add, where they are attributes: "HOST ADDRESS..". With its name in
    /// --remove-host-attribute too, it gets other addresses
    #[arg(long, value_name = "SERVER")]
    add_host_attribute: Vec<String>,
    /// A name server to remove, where they are attributes
    #[arg(long, value_name = "SERVER")]
    remove_host_attribute: Vec<String>,
    /// A delegation signer to add
    #[arg(long, value_name = "DS")]
    add_ds: Vec<String>,
    /// A delegation signer to remove
    #[arg(long, value_name = "DS")]
    remove_ds: Vec<String>,
    /// A key to add, where the zone takes keys
    #[arg(long, value_name = "DNSKEY")]
    add_key: Vec<String>,
    /// A key to remove, where the zone takes keys
    #[arg(long, value_name = "DNSKEY")]
    remove_key: Vec<String>,
    /// A status to set, such as clientHold
    #[arg(long, value_name = "STATUS")]
    add_status: Vec<String>,
    /// A status to lift
    #[arg(long, value_name = "STATUS")]
    remove_status: Vec<String>,
    /// A contact to add
    #[arg(long, value_name = "ROLE:CONTACT")]
    add_contact: Vec<String>,
    /// A contact to remove
    #[arg(long, value_name = "ROLE:CONTACT")]
    remove_contact: Vec<String>,
    /// The contact that holds it from now on, or `none`
    #[arg(long, value_name = "CONTACT")]
    registrant: Option<String>,
    /// TTL of its NS records in seconds, or `zone` for the zone's
    #[arg(long, value_name = "TTL")]
    ns_ttl: Option<String>,
    /// TTL of its DS records in seconds, or `zone` for the zone's
    #[arg(long, value_name = "TTL")]
    ds_ttl: Option<String>,
    #[command(flatten)]
    auth: AuthArgs,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain renew`
#[derive(Debug, Args)]
pub(crate) struct RenewArgs {
    /// Its name
    name: String,
    /// The day on which it expires now, as YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    expires: String,
    /// How many years longer
    #[arg(long, value_name = "COUNT", default_value_t = 1)]
    years: u8,
    #[command(flatten)]
    acting: ActingArgs,
}

/// `meridian registry domain restore`
#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// Its name
    name: String,
    /// The report that follows a request: a file of JSON
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    acting: ActingArgs,
}

/// The command, and who gives it.
pub(super) fn build(args: &DomainArgs) -> Built<'_> {
    let (command, acting) = match args {
        DomainArgs::Create(args) => {
            let create = Box::new(create(args)?);
            (DomainCommand::Create(create), &args.acting)
        }
        DomainArgs::Update(args) => {
            let update = Box::new(update(args)?);
            (DomainCommand::Update(update), &args.acting)
        }
        DomainArgs::Renew(args) => (DomainCommand::Renew(renew(args)?), &args.acting),
        DomainArgs::Restore(args) => {
            let restore = Box::new(restore(args)?);
            (DomainCommand::Restore(restore), &args.acting)
        }
        DomainArgs::Delete(args) => (DomainCommand::Delete(args.name.parse()?), &args.acting),
        DomainArgs::Purge(args) => (DomainCommand::Purge(args.name.parse()?), &args.acting),
        DomainArgs::Lock(args) => (DomainCommand::Lock(Box::new(lock(args)?)), &args.acting),
        DomainArgs::Unlock(args) => (DomainCommand::Unlock(args.name.parse()?), &args.acting),
        DomainArgs::Check(args) => (DomainCommand::Check(args.name.parse()?), &args.acting),
        DomainArgs::Transfer(args) => {
            let transfer = Box::new(transfer(args)?);
            (DomainCommand::Transfer(transfer), &args.acting)
        }
        DomainArgs::Move(args) => {
            let moved = DomainMove {
                name: args.name.parse()?,
                from: args.from.parse()?,
                to: args.to.parse()?,
            };
            (DomainCommand::Move(Box::new(moved)), &args.acting)
        }
        DomainArgs::Info(args) => {
            let query = DomainQuery {
                name: args.name.parse()?,
                auth_info: args.auth.read()?,
            };
            (DomainCommand::Info(query), &args.acting)
        }
    };
    Ok((Command::Domain(command), acting))
}

fn create(args: &CreateArgs) -> Result<DomainCreate, ValueError> {
    Ok(DomainCreate {
        name: args.name.parse()?,
        registrar: one(args.registrar.as_ref())?,
        period: Years::new(args.years)?,
        hosts: all(&args.host)?,
        attributes: all(&args.host_attribute)?,
        ds: all(&args.ds)?,
        keys: all(&args.key)?,
        statuses: all(&args.status)?,
        registrant: one(args.registrant.as_ref())?,
        contacts: contacts(&args.contact)?,
        auth_info: args.auth.read()?,
        idn_tag: args.idn_tag.clone(),
        consent: args.consent.clone(),
        token: args.token.read()?,
    })
}

fn update(args: &UpdateArgs) -> Result<DomainUpdate, ValueError> {
    Ok(DomainUpdate {
        add: DomainParts {
            hosts: all(&args.add_host)?,
            attributes: all(&args.add_host_attribute)?,
            ds: all(&args.add_ds)?,
            keys: all(&args.add_key)?,
            statuses: all(&args.add_status)?,
            contacts: contacts(&args.add_contact)?,
        },
        remove: DomainParts {
            hosts: all(&args.remove_host)?,
            attributes: all(&args.remove_host_attribute)?,
            ds: all(&args.remove_ds)?,
            keys: all(&args.remove_key)?,
            statuses: all(&args.remove_status)?,
            contacts: contacts(&args.remove_contact)?,
        },
        ns_ttl: ttl_change(args.ns_ttl.as_deref())?,
        ds_ttl: ttl_change(args.ds_ttl.as_deref())?,
        registrant: args.registrant.as_deref().map(registrant).transpose()?,
        auth_info: args.auth.read()?,
        ..DomainUpdate::new(args.name.parse()?)
    })
}

fn lock(args: &LockArgs) -> Result<DomainLock, ValueError> {
    let approvers = Approvers::try_from(args.approver.clone());
    Ok(DomainLock {
        name: args.name.parse()?,
        approvals: args.approvals,
        approvers: approvers.map_err(|reason| syntax(&args.approver.join(" "), reason))?,
    })
}

fn contacts(words: &[String]) -> Result<Vec<DomainContact>, ValueError> {
    let contact = |word: &String| {
        let parts = word.split_once(':');
        let (role, contact) = parts.ok_or_else(|| syntax(word, "write ROLE:CONTACT"))?;
        Ok(DomainContact {
            role: role
                .parse()
                .map_err(|reason: String| syntax(word, reason))?,
            contact: contact.parse()?,
        })
    };
    words.iter().map(contact).collect()
}

fn registrant(word: &str) -> Result<Change<Handle>, ValueError> {
    match word {
        "none" => Ok(Change::Remove),
        handle => handle.parse().map(Change::Set),
    }
}

fn ttl_change(text: Option<&str>) -> Result<Option<TtlChange>, ValueError> {
    let change = |text: &str| {
        if text == "zone" {
            return Ok(TtlChange::Zone);
        }
        let seconds = text.parse();
        let seconds = seconds.map_err(|_| syntax(text, "write seconds, or `zone`"))?;
        Ttl::new(seconds).map(TtlChange::Own)
    };
    text.map(change).transpose()
}

fn renew(args: &RenewArgs) -> Result<DomainRenew, ValueError> {
    Ok(DomainRenew {
        name: args.name.parse()?,
        current_expiry: args.expires.parse()?,
        period: Years::new(args.years)?,
    })
}

impl AuthArgs {
    pub(super) fn read(&self) -> Result<Option<AuthInfo>, ValueError> {
        self.auth_info_file.as_deref().map(first_line).transpose()
    }
}

impl TokenArgs {
    pub(super) fn read(&self) -> Result<Option<AuthInfo>, ValueError> {
        self.token_file.as_deref().map(first_line).transpose()
    }
}

fn first_line(path: &Path) -> Result<AuthInfo, ValueError> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|error| syntax(&path.display().to_string(), error.to_string()))?;
    AuthInfo::parse(text.lines().next().unwrap_or_default())
}

fn transfer(args: &TransferArgs) -> Result<DomainTransfer, ValueError> {
    let op = args.op.parse::<TransferOp>();
    Ok(DomainTransfer {
        name: args.name.parse()?,
        op: op.map_err(|reason| syntax(&args.op, reason))?,
        period: args.years.map(Years::new).transpose()?,
        registrar: one(args.registrar.as_ref())?,
        auth_info: args.auth.read()?,
    })
}

fn restore(args: &RestoreArgs) -> Result<DomainRestore, ValueError> {
    Ok(DomainRestore {
        name: args.name.parse()?,
        report: args.report.as_deref().map(report_of).transpose()?,
    })
}

fn report_of(path: &Path) -> Result<RestoreReport, ValueError> {
    let bad = |reason: String| syntax(&path.display().to_string(), reason);
    let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
    serde_json::from_str(&text).map_err(|error| bad(error.to_string()))
}
