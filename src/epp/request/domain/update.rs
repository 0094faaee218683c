//! `domain update`, which secDNS and rgp extend.

use super::super::super::code::Code;
use super::super::super::extension::{ExtensionData, SecDnsUpdate};
use super::super::super::fault::Fault;
use super::super::super::xml::{Element, Sequence};
use super::super::command::misplaced;
use super::super::values::{authorization, domain_name, status, value};
use super::super::{Extensions, Request};
use super::{PARTS_MAX, contacts, name_servers, request, restored};
use crate::registry::command::DomainCommand;
use crate::registry::command::contact::Change;
use crate::registry::command::domain::{DomainParts, DomainUpdate};
use crate::registry::types::Handle;

/// Most statuses in one `add` or `rem`.
const STATUSES_MAX: usize = 11;
const STATUSES: [&str; 17] = [
    "clientDeleteProhibited",
    "clientHold",
    "clientRenewProhibited",
    "clientTransferProhibited",
    "clientUpdateProhibited",
    "inactive",
    "ok",
    "pendingCreate",
    "pendingDelete",
    "pendingRenew",
    "pendingTransfer",
    "pendingUpdate",
    "serverDeleteProhibited",
    "serverHold",
    "serverRenewProhibited",
    "serverTransferProhibited",
    "serverUpdateProhibited",
];

pub(super) fn read(
    verb: &Element,
    object: &Element,
    extensions: Extensions,
) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    let mut update = DomainUpdate::new(domain_name(within.required("name")?, &[])?);
    let (add, remove) = (within.optional("add"), within.optional("rem"));
    let change = within.optional("chg");
    within.end()?;
    let mut refusals = Vec::new();
    if let Some(element) = add {
        update.add = parts(element, &mut refusals)?;
    }
    if let Some(element) = remove {
        update.remove = parts(element, &mut refusals)?;
    }
    if let Some(element) = change {
        read_change(element, &mut update, &mut refusals)?;
    }
    let mut restore = None;
    for extension in extensions {
        match extension {
            ExtensionData::SecDnsUpdate(data) => sign(&mut update, *data, &mut refusals),
            ExtensionData::Restore(data) => restore = Some(data),
            other => return Err(misplaced(verb, &other)),
        }
    }
    let Some(restore) = restore else {
        let mut request = request(DomainCommand::Update(Box::new(update)));
        request.refusal = refusals.into_iter().next();
        return Ok(request);
    };
    // RFC 3915 section 4.2.5: the update itself is empty, but for elements that say nothing.
    if !refusals.is_empty() || update != DomainUpdate::new(update.name.clone()) {
        let reason = "a restore changes nothing else";
        return Err(object.fault(Code::CommandUse, reason));
    }
    Ok(request(restored(update.name, *restore)))
}

fn parts(element: &Element, refusals: &mut Vec<Fault>) -> Result<DomainParts, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let mut parts = DomainParts::default();
    if let Some(element) = within.optional("ns") {
        (parts.hosts, parts.attributes) = name_servers(element)?;
    }
    parts.contacts = contacts(within.many("contact", PARTS_MAX))?;
    for element in within.many("status", STATUSES_MAX) {
        match status(element, &STATUSES)? {
            Ok(status) => parts.statuses.push(status),
            Err(fault) => refusals.push(fault),
        }
    }
    within.end()?;
    Ok(parts)
}

fn read_change(
    element: &Element,
    update: &mut DomainUpdate,
    refusals: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let mut within = Sequence::of(element, &[])?;
    if let Some(registrant) = within.optional("registrant") {
        let text = registrant.token(&[], 0..17)?;
        update.registrant = Some(match text.is_empty() {
            true => Change::Remove,
            false => Change::Set(value(registrant, &text, Handle::parse)?),
        });
    }
    if let Some(element) = within.optional("authInfo") {
        let auth = authorization(element, true)?;
        update.auth_info = Some(auth.info);
        refusals.extend(auth.refusal);
    }
    within.end()
}

fn sign(update: &mut DomainUpdate, data: SecDnsUpdate, refusals: &mut Vec<Fault>) {
    let (remove, add) = (data.remove, data.add);
    (update.remove.ds, update.remove.keys) = (remove.ds, remove.keys);
    update.remove_all_ds = data.removes_all;
    (update.add.ds, update.add.keys) = (add.ds, add.keys);
    refusals.extend(remove.refusal.into_iter().chain(add.refusal));
}
