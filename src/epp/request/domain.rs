//! Commands on domains (RFC 5731) with their extensions.

mod update;

use super::super::code::Code;
use super::super::extension::{ExtensionData, Restore, SecDns};
use super::super::fault::Fault;
use super::super::xml::{Element, Sequence};
use super::command::misplaced;
use super::host::check;
use super::values::{self, Authorization, authorization, domain_name, label, period};
use super::{Command, DomainInfo, Extensions, Hosts, Request};
use crate::registry;
use crate::registry::command::DomainCommand;
use crate::registry::command::contact::DomainContact;
use crate::registry::command::domain::{
    DomainCreate, DomainQuery, DomainRenew, DomainTransfer, TransferOp,
};
use crate::registry::command::host::HostAttribute;
use crate::registry::policy::ContactRole;
use crate::registry::types::{AuthInfo, CalendarDate, HostName};

/// Most name servers or contacts that are read; policy allows fewer.
const PARTS_MAX: usize = 256;

pub(super) fn read(
    verb: &Element,
    object: &Element,
    extensions: Extensions,
) -> Result<Request, Fault> {
    match &*object.name {
        "check" => read_check(verb, object, extensions),
        "info" => read_info(verb, object, extensions),
        "create" => read_create(verb, object, extensions),
        "update" => update::read(verb, object, extensions),
        "transfer" => read_transfer(verb, object, extensions),
        "renew" => only_token(verb, extensions, read_renew(object)?),
        _ => {
            let mut within = Sequence::of(object, &[])?;
            let name = domain_name(within.required("name")?, &[])?;
            within.end()?;
            only_token(verb, extensions, request(DomainCommand::Delete(name)))
        }
    }
}

fn request(command: DomainCommand) -> Request {
    let command = registry::Command::Domain(command);
    Request::new(Command::Registry(Box::new(command)))
}

/// A command that nothing but an allocation token extends. RFC 8495 has no token for
/// delete, renew and update.
fn only_token(
    verb: &Element,
    extensions: Extensions,
    mut request: Request,
) -> Result<Request, Fault> {
    let takes_token = ["check", "create", "transfer"].contains(&&*verb.name);
    for extension in extensions {
        match extension {
            ExtensionData::Token(token) if takes_token => request.token = Some(token),
            other => return Err(misplaced(verb, &other)),
        }
    }
    Ok(request)
}

fn read_check(verb: &Element, object: &Element, extensions: Extensions) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    let names = within.some("name", usize::MAX)?;
    within.end()?;
    let names: Result<_, _> = names.iter().map(|name| label(name, &[])).collect();
    only_token(
        verb,
        extensions,
        check(object, names?, Command::DomainCheck),
    )
}

fn read_info(verb: &Element, object: &Element, extensions: Extensions) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    let element = within.required("name")?;
    let name = domain_name(element, &["hosts"])?;
    let hosts = match element.attribute("hosts").as_deref() {
        None | Some("all") => Hosts::All,
        Some("del") => Hosts::Delegated,
        Some("sub") => Hosts::Subordinate,
        Some("none") => Hosts::None,
        Some(_) => {
            let reason = "hosts is all, del, sub or none";
            return Err(element.fault(Code::ParameterSyntax, reason));
        }
    };
    let auth = within.optional("authInfo");
    let auth = auth
        .map(|element| authorization(element, false))
        .transpose()?;
    within.end()?;
    let mut info = DomainInfo {
        query: DomainQuery::new(&name),
        hosts,
        asks_token: false,
    };
    for extension in extensions {
        match extension {
            ExtensionData::AsksToken => info.asks_token = true,
            other => return Err(misplaced(verb, &other)),
        }
    }
    let mut refusal = None;
    if let Some(Authorization {
        info: auth,
        refusal: later,
    }) = auth
    {
        info.query.auth_info = Some(auth);
        refusal = later;
    }
    let mut request = Request::new(Command::DomainInfo(info));
    request.refusal = refusal;
    Ok(request)
}

fn read_create(verb: &Element, object: &Element, extensions: Extensions) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    let mut create = DomainCreate::new(domain_name(within.required("name")?, &[])?);
    let mut refusals = Vec::new();
    if let Some(element) = within.optional("period") {
        match period(element)? {
            Ok(years) => create.period = years,
            Err(fault) => refusals.push(fault),
        }
    }
    if let Some(element) = within.optional("ns") {
        (create.hosts, create.attributes) = name_servers(element)?;
    }
    if let Some(element) = within.optional("registrant") {
        create.registrant = Some(values::handle(element, &[])?);
    }
    create.contacts = contacts(within.many("contact", PARTS_MAX))?;
    let auth = authorization(within.required("authInfo")?, false)?;
    within.end()?;
    create.auth_info = Some(auth.info);
    refusals.extend(auth.refusal);
    let mut token = None;
    for extension in extensions {
        match extension {
            ExtensionData::SecDnsCreate(SecDns { ds, keys, refusal }) => {
                (create.ds, create.keys) = (ds, keys);
                refusals.extend(refusal);
            }
            ExtensionData::Token(given) => match AuthInfo::parse(given.reveal()) {
                Ok(given) => create.token = Some(given),
                // It fits nothing.
                Err(_) => token = Some(given),
            },
            other => return Err(misplaced(verb, &other)),
        }
    }
    let mut request = request(DomainCommand::Create(Box::new(create)));
    request.token = token;
    request.refusal = refusals.into_iter().next();
    Ok(request)
}

/// Host objects by their names, or hosts as attributes; which of them the zone has is the
/// registry's to say.
fn name_servers(element: &Element) -> Result<(Vec<HostName>, Vec<HostAttribute>), Fault> {
    let mut within = Sequence::of(element, &[])?;
    let objects = within.many("hostObj", PARTS_MAX);
    if !objects.is_empty() {
        within.end()?;
        let hosts: Result<_, _> = objects.into_iter().map(values::host_name).collect();
        return Ok((hosts?, Vec::new()));
    }
    let mut attributes = Vec::new();
    for attribute in within.some("hostAttr", PARTS_MAX)? {
        let mut inner = Sequence::of(attribute, &[])?;
        let name = values::host_name(inner.required("hostName")?)?;
        let addresses = inner.many("hostAddr", PARTS_MAX);
        let addresses: Result<_, _> = addresses.into_iter().map(values::address).collect();
        inner.end()?;
        attributes.push(HostAttribute {
            name,
            addresses: addresses?,
        });
    }
    within.end()?;
    Ok((Vec::new(), attributes))
}

fn contacts(elements: Vec<&Element>) -> Result<Vec<DomainContact>, Fault> {
    let read = |element: &Element| {
        let contact = values::handle(element, &["type"])?;
        let role = match element.attribute("type").as_deref() {
            Some("admin") => ContactRole::Admin,
            Some("billing") => ContactRole::Billing,
            Some("tech") => ContactRole::Tech,
            Some(_) => {
                let reason = "type is admin, billing or tech";
                return Err(element.fault(Code::ParameterSyntax, reason));
            }
            None => {
                let reason = "type says what the contact is for";
                return Err(element.fault(Code::ParameterMissing, reason));
            }
        };
        Ok(DomainContact { role, contact })
    };
    elements.into_iter().map(read).collect()
}

fn read_renew(object: &Element) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    let name = domain_name(within.required("name")?, &[])?;
    let expiry = within.required("curExpDate")?;
    let text = expiry.token(&[], 1..32)?;
    let current_expiry = values::value(expiry, &text, CalendarDate::parse)?;
    let (mut years, mut refusal) = (None, None);
    if let Some(element) = within.optional("period") {
        match period(element)? {
            Ok(read) => years = Some(read),
            Err(fault) => refusal = Some(fault),
        }
    }
    within.end()?;
    let mut request = request(DomainCommand::Renew(DomainRenew {
        name,
        current_expiry,
        period: years.unwrap_or_default(),
    }));
    request.refusal = refusal;
    Ok(request)
}

/// The operation of a `transfer`.
pub(super) fn operation(verb: &Element) -> Result<TransferOp, Fault> {
    match verb.attribute("op").as_deref() {
        Some("request") => Ok(TransferOp::Request),
        Some("approve") => Ok(TransferOp::Approve),
        Some("reject") => Ok(TransferOp::Reject),
        Some("cancel") => Ok(TransferOp::Cancel),
        Some("query") => Ok(TransferOp::Query),
        Some(_) => {
            let reason = "op is request, approve, reject, cancel or query";
            Err(verb.fault(Code::CommandSyntax, reason))
        }
        None => Err(verb.syntax("attribute op is missing")),
    }
}

fn read_transfer(
    verb: &Element,
    object: &Element,
    extensions: Extensions,
) -> Result<Request, Fault> {
    let op = operation(verb)?;
    let mut within = Sequence::of(object, &[])?;
    let name = domain_name(within.required("name")?, &[])?;
    let (mut years, mut refusal) = (None, None);
    if let Some(element) = within.optional("period") {
        match period(element)? {
            Ok(read) => years = Some(read),
            Err(fault) => refusal = Some(fault),
        }
    }
    let auth = within.optional("authInfo");
    let auth = auth
        .map(|element| authorization(element, false))
        .transpose()?;
    within.end()?;
    let mut transfer = DomainTransfer {
        name,
        op,
        period: years,
        registrar: None,
        auth_info: None,
    };
    if let Some(Authorization {
        info,
        refusal: later,
    }) = auth
    {
        transfer.auth_info = Some(info);
        refusal = refusal.or(later);
    }
    let request = request(DomainCommand::Transfer(Box::new(transfer)));
    let mut request = only_token(verb, extensions, request)?;
    request.refusal = refusal;
    Ok(request)
}

/// A restore takes the place of the update that it extends.
fn restored(name: registry::types::DomainName, restore: Restore) -> DomainCommand {
    let report = restore.report;
    DomainCommand::Restore(Box::new(registry::command::domain::DomainRestore {
        name,
        report,
    }))
}
