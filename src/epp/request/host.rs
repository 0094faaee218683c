//! Commands on hosts (RFC 5732).

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::xml::{Element, Sequence};
use super::values::{CHECK_MAX, address, host_name, label, status};
use super::{Command, Request};
use crate::registry;
use crate::registry::command::HostCommand;
use crate::registry::command::host::{HostCreate, HostParts, HostUpdate};

/// Most addresses that are read; the registry keeps fewer.
const ADDRESSES_MAX: usize = 64;
/// Most statuses in one `add` or `rem`.
const STATUSES_MAX: usize = 7;
const STATUSES: [&str; 10] = [
    "clientDeleteProhibited",
    "clientUpdateProhibited",
    "linked",
    "ok",
    "pendingCreate",
    "pendingDelete",
    "pendingTransfer",
    "pendingUpdate",
    "serverDeleteProhibited",
    "serverUpdateProhibited",
];

pub(super) fn read(object: &Element) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    let command = match &*object.name {
        "check" => {
            let names = within.some("name", usize::MAX)?;
            let names: Result<_, _> = names.iter().map(|name| label(name, &[])).collect();
            let request = check(object, names?, Command::HostCheck);
            within.end()?;
            return Ok(request);
        }
        "info" => HostCommand::Info(host_name(within.required("name")?)?),
        "delete" => HostCommand::Delete(host_name(within.required("name")?)?),
        "create" => {
            let name = host_name(within.required("name")?)?;
            let addresses = within.many("addr", ADDRESSES_MAX);
            let addresses: Result<_, _> = addresses.into_iter().map(address).collect();
            HostCommand::Create(HostCreate {
                name,
                registrar: None,
                addresses: addresses?,
            })
        }
        "update" => return update(within),
        _ => {
            let reason = "hosts cannot be renewed, and are transferred with their domain";
            return Err(object.fault(Code::UnimplementedCommand, reason));
        }
    };
    within.end()?;
    Ok(request(command))
}

fn request(command: HostCommand) -> Request {
    let command = registry::Command::Host(command);
    Request::new(Command::Registry(Box::new(command)))
}

/// A check of names; too many are against policy.
pub(super) fn check(
    object: &Element,
    names: Vec<String>,
    command: fn(Vec<String>) -> Command,
) -> Request {
    let count = names.len();
    let mut request = Request::new(command(names));
    if count > CHECK_MAX {
        let reason = format!("{count} objects in a check; {CHECK_MAX} at most");
        request.refuse(object.fault(Code::ParameterPolicy, reason));
    }
    request
}

fn update(mut within: Sequence<'_>) -> Result<Request, Fault> {
    let mut update = HostUpdate::new(host_name(within.required("name")?)?);
    let (add, remove) = (within.optional("add"), within.optional("rem"));
    let change = within.optional("chg");
    within.end()?;
    let mut refusal = None;
    if let Some(element) = add {
        update.add = parts(element, &mut refusal)?;
    }
    if let Some(element) = remove {
        update.remove = parts(element, &mut refusal)?;
    }
    if let Some(element) = change {
        let mut within = Sequence::of(element, &[])?;
        update.new_name = Some(host_name(within.required("name")?)?);
        within.end()?;
    }
    let mut request = request(HostCommand::Update(update));
    request.refusal = refusal;
    Ok(request)
}

fn parts(element: &Element, refusal: &mut Option<Fault>) -> Result<HostParts, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let addresses = within.many("addr", ADDRESSES_MAX);
    let addresses: Result<_, _> = addresses.into_iter().map(address).collect();
    let mut parts = HostParts {
        addresses: addresses?,
        statuses: Vec::new(),
    };
    for element in within.many("status", STATUSES_MAX) {
        match status(element, &STATUSES)? {
            Ok(status) => parts.statuses.push(status),
            Err(fault) => drop(refusal.get_or_insert(fault)),
        }
    }
    within.end()?;
    Ok(parts)
}
