//! From arguments to commands.

use super::access;
use super::arguments::{
    ActingArgs, GlueArg, HostArgs, RegistrarArgs, RegistrarStatusArg, TimersArgs, ZoneArgs,
    ZoneUpdateArgs,
};
use super::domain::TokenArgs;
use crate::registry::Command;
use crate::registry::command::host::{HostCommand, HostCreate, HostParts, HostUpdate};
use crate::registry::command::registrar::{
    RegistrarCommand, RegistrarCreate, RegistrarStatus, RegistrarUpdate,
};
use crate::registry::command::timers::TimersCommand;
use crate::registry::command::zone::{
    GluePolicy, HeldLabel, LabelKind, ZoneCommand, ZoneCreate, ZoneIdn, ZoneLabels, ZonePolicy,
    ZoneTableText, ZoneUpdate,
};
use crate::registry::policy::{DataModel, RegistrationChange, RegistrationPolicy};
use crate::registry::types::{Ttl, ValueError};

/// A command with who does it.
pub(super) type Built<'a> = Result<(Command, &'a ActingArgs), ValueError>;

pub(super) fn all<T: std::str::FromStr<Err = ValueError>>(
    texts: &[String],
) -> Result<Vec<T>, ValueError> {
    texts.iter().map(|text| text.parse()).collect()
}

pub(super) fn one<T: std::str::FromStr<Err = ValueError>>(
    text: Option<&String>,
) -> Result<Option<T>, ValueError> {
    text.map(|text| text.parse()).transpose()
}

pub(super) fn timers(args: &TimersArgs) -> Built<'_> {
    let (command, acting) = match args {
        TimersArgs::Info { acting } => (TimersCommand::Info, acting),
        TimersArgs::Resume { purges_max, acting } => {
            let purges_max = *purges_max;
            (TimersCommand::Resume { purges_max }, acting)
        }
        TimersArgs::Stop { reason, acting } => {
            let reason = reason.clone();
            (TimersCommand::Stop { reason }, acting)
        }
    };
    Ok((Command::Timers(command), acting))
}

pub(super) fn host(args: &HostArgs) -> Built<'_> {
    let (command, acting) = match args {
        HostArgs::Create {
            name,
            registrar,
            address,
            acting,
        } => {
            let create = HostCreate {
                name: name.parse()?,
                registrar: one(registrar.as_ref())?,
                addresses: all(address)?,
            };
            (HostCommand::Create(create), acting)
        }
        HostArgs::Update {
            name,
            add_address,
            remove_address,
            add_status,
            remove_status,
            rename,
            acting,
        } => {
            let update = HostUpdate {
                name: name.parse()?,
                add: HostParts {
                    addresses: all(add_address)?,
                    statuses: all(add_status)?,
                },
                remove: HostParts {
                    addresses: all(remove_address)?,
                    statuses: all(remove_status)?,
                },
                new_name: one(rename.as_ref())?,
            };
            (HostCommand::Update(update), acting)
        }
        HostArgs::Delete { name, acting } => (HostCommand::Delete(name.parse()?), acting),
        HostArgs::Info { name, acting } => (HostCommand::Info(name.parse()?), acting),
    };
    Ok((Command::Host(command), acting))
}

pub(super) fn registrar(args: &RegistrarArgs) -> Built<'_> {
    let (command, acting) = match args {
        RegistrarArgs::Create {
            handle,
            name,
            iana_id,
            acting,
        } => {
            let create = RegistrarCreate {
                handle: handle.parse()?,
                name: name.clone(),
                iana_id: *iana_id,
            };
            (RegistrarCommand::Create(create), acting)
        }
        RegistrarArgs::Update {
            handle,
            name,
            iana_id,
            status,
            data_model,
            acting,
        } => {
            let update = RegistrarUpdate {
                handle: handle.parse()?,
                data_model: data_model.as_deref().map(data_model_of).transpose()?,
                name: name.clone(),
                iana_id: *iana_id,
                status: status.map(|status| match status {
                    RegistrarStatusArg::Active => RegistrarStatus::Active,
                    RegistrarStatusArg::Suspended => RegistrarStatus::Suspended,
                    RegistrarStatusArg::Terminated => RegistrarStatus::Terminated,
                }),
            };
            (RegistrarCommand::Update(update), acting)
        }
        RegistrarArgs::Access(args) => {
            let (command, acting) = access::build(args)?;
            (RegistrarCommand::Access(Box::new(command)), acting)
        }
        RegistrarArgs::Public(args) => (RegistrarCommand::Public(args.command()?), &args.acting),
        RegistrarArgs::Delete { handle, acting } => {
            (RegistrarCommand::Delete(handle.parse()?), acting)
        }
        RegistrarArgs::Info { handle, acting } => (RegistrarCommand::Info(handle.parse()?), acting),
    };
    Ok((Command::Registrar(command), acting))
}

pub(super) fn zone(args: &ZoneArgs) -> Built<'_> {
    let (command, acting) = match args {
        ZoneArgs::Create {
            apex,
            mname,
            rname,
            record,
            acting,
        } => {
            let create = ZoneCreate {
                apex: apex.parse()?,
                mname: mname.parse()?,
                rname: rname.parse()?,
                records: all(record)?,
            };
            (ZoneCommand::Create(create), acting)
        }
        ZoneArgs::Update(args) => {
            let update = Box::new(zone_update(args)?);
            (ZoneCommand::Update(update), &args.acting)
        }
        ZoneArgs::Policy { apex, set, acting } => {
            let (apex, change) = (apex.parse()?, policy_change(set)?);
            let policy = Box::new(ZonePolicy { apex, change });
            (ZoneCommand::Policy(policy), acting)
        }
        ZoneArgs::Labels {
            apex,
            reserve,
            block,
            premium,
            release,
            token,
            acting,
        } => {
            let reason = acting.reason.clone().unwrap_or_default();
            let mut hold = held(reserve, LabelKind::Reserved, &reason, token)?;
            hold.extend(held(block, LabelKind::Blocked, &reason, token)?);
            hold.extend(held(premium, LabelKind::Premium, &reason, token)?);
            let labels = ZoneLabels {
                apex: apex.parse()?,
                hold,
                release: all(release)?,
            };
            (ZoneCommand::Labels(Box::new(labels)), acting)
        }
        ZoneArgs::Idn {
            apex,
            set,
            remove,
            acting,
        } => {
            let idn = ZoneIdn {
                apex: apex.parse()?,
                set: set
                    .iter()
                    .map(|text| idn_table(text))
                    .collect::<Result<_, _>>()?,
                remove: remove.clone(),
            };
            (ZoneCommand::Idn(Box::new(idn)), acting)
        }
        ZoneArgs::Lame { apex, acting } => (ZoneCommand::Lame(apex.parse()?), acting),
        ZoneArgs::Remind { apex, acting } => (ZoneCommand::Remind(apex.parse()?), acting),
        ZoneArgs::Parking(args) => (ZoneCommand::Parking(args.command()?), &args.acting),
        ZoneArgs::Disclosure(args) => (ZoneCommand::Disclosure(args.command()?), &args.acting),
        ZoneArgs::Orphans(args) => (ZoneCommand::Orphans(args.command()?), &args.acting),
        ZoneArgs::Delete { apex, acting } => (ZoneCommand::Delete(apex.parse()?), acting),
        ZoneArgs::Info { apex, acting } => (ZoneCommand::Info(apex.parse()?), acting),
    };
    Ok((Command::Zone(command), acting))
}

/// Reads `TAG=FILE`.
fn idn_table(text: &str) -> Result<ZoneTableText, ValueError> {
    let pair = text.split_once('=');
    let (tag, file) = pair.ok_or_else(|| syntax(text, "write TAG=FILE"))?;
    let xml = std::fs::read_to_string(file);
    let xml = xml.map_err(|error| syntax(file, format!("cannot be read: {error}")))?;
    Ok(ZoneTableText::new(tag, xml))
}

pub(super) fn syntax(value: &str, reason: impl Into<String>) -> ValueError {
    ValueError {
        code: crate::registry::ResultCode::ParameterSyntax,
        value: value.to_owned(),
        reason: reason.into(),
    }
}

fn data_model_of(text: &str) -> Result<DataModel, ValueError> {
    text.parse().map_err(|reason: String| syntax(text, reason))
}

fn held(
    labels: &[String],
    kind: LabelKind,
    reason: &str,
    token: &TokenArgs,
) -> Result<Vec<HeldLabel>, ValueError> {
    let token = token.read()?;
    let held = |label: &String| {
        let (label, reason) = (label.parse()?, reason.to_owned());
        Ok(HeldLabel {
            label,
            kind,
            reason,
            token: token.clone(),
        })
    };
    labels.iter().map(held).collect()
}

/// The keys of `zone policy --set` with their usual values.
pub(super) fn policy_help() -> String {
    let values = serde_json::to_value(RegistrationPolicy::default());
    let values = values.unwrap_or_default();
    let lines = values
        .as_object()
        .into_iter()
        .flatten()
        .map(|(key, value)| {
            let value = match value {
                serde_json::Value::String(word) => word.clone(),
                serde_json::Value::Array(words) if words.is_empty() => "none".to_owned(),
                value => value.to_string(),
            };
            format!("  {key:<20} {value}")
        });
    let lines: Vec<_> = lines.collect();
    format!(
        "Keys and their values in a new zone; periods are seconds, lists are parted by commas:\n{}",
        lines.join("\n")
    )
}

/// Reads `KEY=VALUE` as the policy's own names and words.
fn policy_change(set: &[String]) -> Result<RegistrationChange, ValueError> {
    let mut fields = serde_json::Map::new();
    for text in set {
        let pair = text.split_once('=');
        let (key, value) = pair.ok_or_else(|| syntax(text, "write KEY=VALUE"))?;
        let value = match value.parse::<u32>() {
            Ok(number) => number.into(),
            Err(_) if matches!(key, "contacts-required" | "approvers") => {
                let words = value
                    .split(',')
                    .filter(|word| !word.is_empty() && *word != "none");
                words.collect::<Vec<_>>().into()
            }
            Err(_) => value.into(),
        };
        if fields.insert(key.to_owned(), value).is_some() {
            return Err(syntax(text, "set twice"));
        }
    }
    let change = serde_json::from_value(serde_json::Value::Object(fields));
    change.map_err(|error| syntax(&set.join(" "), error.to_string()))
}

fn zone_update(args: &ZoneUpdateArgs) -> Result<ZoneUpdate, ValueError> {
    let ttl = |seconds: Option<u32>| seconds.map(Ttl::new).transpose();
    Ok(ZoneUpdate {
        mname: one(args.mname.as_ref())?,
        rname: one(args.rname.as_ref())?,
        refresh: ttl(args.refresh)?,
        retry: ttl(args.retry)?,
        expire: ttl(args.expire)?,
        minimum: ttl(args.minimum)?,
        soa_ttl: ttl(args.soa_ttl)?,
        ns_ttl: ttl(args.ns_ttl)?,
        ds_ttl: ttl(args.ds_ttl)?,
        glue_ttl: ttl(args.glue_ttl)?,
        ns_count_min: args.ns_min,
        ns_count_max: args.ns_max,
        glue_policy: args.glue.map(|glue| match glue {
            GlueArg::Narrow => GluePolicy::Narrow,
            GlueArg::Wide => GluePolicy::Wide,
        }),
        add: all(&args.add_record)?,
        remove: all(&args.remove_record)?,
        ..ZoneUpdate::new(args.apex.parse()?)
    })
}
