//! `meridian registry changes`: what waits for somebody's consent, and decisions about it.
//!
//! A change is shown with the records that it would add and remove now.

use std::path::PathBuf;

use clap::Subcommand;

use super::super::{Global, diff, output};
use super::arguments::ActingArgs;
use super::build::{Built, syntax};
use super::contact::{hex, read_octets};
use super::objects::{actor, as_json, request, run};
use super::{location, show_time};
use crate::registry::command::changes::{ChangeInfo, ChangeList, ChangeSignature, ChangesCommand};
use crate::registry::openpgp::{SIGNATURE_BYTES_MAX, without_armor};
use crate::registry::types::Handle;
use crate::registry::{Command, CommandError, Database, Info, Outcome};

/// `meridian registry changes ..`
#[derive(Debug, Subcommand)]
pub(crate) enum ChangesArgs {
    /// Show the changes that wait
    List {
        /// Of this registrar [default: the one of --as, or all]
        #[arg(long, value_name = "HANDLE")]
        registrar: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Show a change, who has to agree, and the DNS records that it adds (+) and removes (-)
    Show {
        /// Its number
        id: i64,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Agree to a change; the last consent that it needs makes it
    ///
    /// All checks are made again. Where one fails now, nothing is done and the change goes
    /// on waiting: reject it, or approve it when what is in its way is gone.
    Approve {
        /// Its number
        id: i64,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// End a change that you are asked about, for a --reason
    Reject {
        /// Its number
        id: i64,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Print what of a change is signed, octet by octet
    Text {
        /// Its number
        id: i64,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Agree to a change by the signature of a contact over its text
    ///
    /// Signed by `openssl pkeyutl -sign -rawin -inkey KEY -in TEXT -out FILE`, or by
    /// `gpg --detach-sign --output FILE TEXT`, where TEXT is what `changes text` prints.
    Sign {
        /// Its number
        id: i64,
        /// Whose key it is by
        #[arg(long, value_name = "CONTACT")]
        contact: String,
        /// The signature: 64 octets, or one of OpenPGP
        #[arg(long, value_name = "FILE")]
        signature_file: PathBuf,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Give up a change that you asked for
    Withdraw {
        /// Its number
        id: i64,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

/// Obeys one of them.
pub(super) async fn obey(args: &ChangesArgs, global: &Global) -> anyhow::Result<()> {
    match args {
        ChangesArgs::List { .. } | ChangesArgs::Show { .. } | ChangesArgs::Text { .. } => {
            show(args, global).await
        }
        _ => run(build(args), global).await,
    }
}

fn build(args: &ChangesArgs) -> Built<'_> {
    let (command, acting) = match args {
        ChangesArgs::List { registrar, acting } => {
            let registrar = super::build::one(registrar.as_ref())?;
            (ChangesCommand::List { registrar }, acting)
        }
        ChangesArgs::Show { id, acting } => (ChangesCommand::Info(*id), acting),
        ChangesArgs::Approve { id, acting } => (ChangesCommand::Approve(*id), acting),
        ChangesArgs::Reject { id, acting } => (ChangesCommand::Reject(*id), acting),
        ChangesArgs::Text { id, acting } => (ChangesCommand::Text(*id), acting),
        ChangesArgs::Sign {
            id,
            contact,
            signature_file,
            acting,
        } => {
            let mut octets = read_octets(signature_file, SIGNATURE_BYTES_MAX)?;
            if octets.starts_with(b"-") {
                let place = signature_file.display().to_string();
                octets = without_armor(&octets).map_err(|error| syntax(&place, error))?;
            }
            let sign = ChangeSignature {
                id: *id,
                contact: contact.parse()?,
                signature: hex(&octets),
            };
            (ChangesCommand::Sign(Box::new(sign)), acting)
        }
        ChangesArgs::Withdraw { id, acting } => (ChangesCommand::Withdraw(*id), acting),
    };
    Ok((Command::Changes(command), acting))
}

async fn show(args: &ChangesArgs, global: &Global) -> anyhow::Result<()> {
    let (command, acting) = build(args)?;
    let mut database = Database::open(&location(&acting.database, global)?).await?;
    let asked = request(actor(acting)?, acting, command);
    let outcome = Box::pin(database.execute(&asked)).await;
    if global.json {
        output::json(&as_json(&outcome))?;
        return outcome.map(drop).map_err(Into::into);
    }
    let Outcome::Read(info) = outcome? else {
        return Ok(());
    };
    match &*info {
        Info::Changes(list) => show_list(list),
        Info::ChangeText(text) => output::exact(&text.text),
        Info::Change(change) => {
            show_change(change)?;
            let approve = Command::Changes(ChangesCommand::Approve(change.id));
            let approve = request(actor(acting)?, acting, approve);
            match Box::pin(database.rehearse(&approve)).await {
                Ok(found) => diff::show(&found.added, &found.removed, global)?,
                Err(CommandError::Rejected(rejection)) => {
                    output::line(format_args!("refused now        {rejection}"));
                }
                Err(error) => return Err(error.into()),
            }
        }
        _ => {}
    }
    Ok(())
}

fn show_list(list: &ChangeList) {
    for change in &list.changes {
        output::line(format_args!(
            "{:<8} {} {} by {} at {}, until {}: {}",
            change.id,
            change.kind,
            change.object,
            change.asked_by,
            show_time(change.asked_at),
            show_time(change.expires_at),
            missing(change)
        ));
    }
    output::line(format_args!("{} waiting", list.count));
}

fn missing(change: &ChangeInfo) -> String {
    let panels = change.needs.panels.iter().map(|panel| {
        let given = change.consents.iter();
        let given = given.filter(|consent| panel.approvers.has(&consent.who));
        let (given, needed) = (given.count(), panel.approvals);
        format!("{given} of {needed} approvals of {}", panel.approvers)
    });
    let is_signed = |handle: &&Handle| {
        let mut consents = change.consents.iter();
        consents.any(|consent| consent.kind == "signature" && consent.who == handle.as_str())
    };
    let signers: Vec<_> = change.needs.signers.iter().map(Handle::as_str).collect();
    let is_unsigned = change.needs.signature && !change.needs.signers.iter().any(|h| is_signed(&h));
    let signature = is_unsigned.then(|| format!("a signature of {}", signers.join(" or ")));
    let registrant = change.needs.registrant.iter().map(|registrant| {
        let silence = change
            .needs
            .silence
            .map_or("reject", |silence| silence.name());
        format!("consent of registrant {registrant}, whose silence is to {silence}")
    });
    let all = panels.chain(signature).chain(registrant);
    all.collect::<Vec<_>>().join("; ")
}

fn show_change(change: &ChangeInfo) -> anyhow::Result<()> {
    let mut fields = vec![
        ("id", change.id.to_string()),
        ("kind", change.kind.clone()),
        (change.object_type.as_str(), change.object.clone()),
        ("asked-by", change.asked_by.clone()),
        ("asked-at", show_time(change.asked_at)),
        ("event", change.event.to_string()),
        ("expires-at", show_time(change.expires_at)),
        ("needs", missing(change)),
    ];
    for consent in &change.consents {
        let at = show_time(consent.at);
        fields.push((
            "consent",
            format!("{} {} at {at}", consent.kind, consent.who),
        ));
    }
    fields.push(("command", serde_json::to_string(&change.command)?));
    for (field, value) in fields {
        output::line(format_args!("{field:<18} {value}"));
    }
    Ok(())
}
