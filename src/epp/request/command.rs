//! `command`: a verb, extensions, and the client's own name for it.

use super::super::code::Code;
use super::super::extension::{self, ExtensionData};
use super::super::fault::Fault;
use super::super::namespace::{self, CONTACT, DOMAIN, HOST, LOGIN_SEC};
use super::super::xml::{Element, Sequence};
use super::{
    Command, Extensions, Places, Request, contact, domain, host, login, poll, transaction,
};

/// Verbs that have an object in them.
const OBJECT_VERBS: [&str; 7] = [
    "check", "create", "delete", "info", "renew", "transfer", "update",
];
/// Most extensions of one command.
const EXTENSIONS_MAX: usize = 16;

pub(super) fn read(element: &Element, octets: &[u8]) -> Result<Request, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let verb = verb(element, &mut within)?;
    let extensions = match within.optional("extension") {
        Some(element) => read_extensions(element, octets)?,
        None => Extensions::new(),
    };
    let client_transaction = within.optional("clTRID").map(transaction::read);
    within.end()?;
    let mut request = match &*verb.name {
        "login" => read_login(verb, extensions)?,
        "logout" => {
            verb.empty()?;
            without(verb, extensions, Request::new(Command::Logout))?
        }
        "poll" => {
            let command = Command::Poll(poll::read(verb)?);
            without(verb, extensions, Request::new(command))?
        }
        _ => read_object(verb, extensions)?,
    };
    request.client_transaction = client_transaction.transpose()?;
    request.places = Places::of(verb);
    Ok(request)
}

/// The verb: one of EPP's, or 2000.
fn verb<'e>(command: &Element, within: &mut Sequence<'e>) -> Result<&'e Element, Fault> {
    let known = OBJECT_VERBS.iter().chain(&["login", "logout", "poll"]);
    for name in known {
        if let Some(verb) = within.optional(name) {
            return Ok(verb);
        }
    }
    match command.children.first() {
        Some(odd) if ["extension", "clTRID"].iter().any(|name| odd.is_epp(name)) => {
            Err(within.missing("a verb"))
        }
        Some(odd) => Err(odd.fault(Code::UnknownCommand, "no command of EPP")),
        None => Err(within.missing("a verb")),
    }
}

fn read_extensions(element: &Element, octets: &[u8]) -> Result<Extensions, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let mut extensions = Extensions::new();
    while let Some(element) = within.any() {
        let read = extension::read(element, octets)?;
        let is_twice = |other: &ExtensionData| other.namespace() == read.namespace();
        if extensions.iter().any(is_twice) || extensions.len() == EXTENSIONS_MAX {
            return Err(element.fault(Code::CommandUse, "an extension twice"));
        }
        extensions.push(read);
    }
    if extensions.is_empty() {
        return Err(within.missing("an extension"));
    }
    within.end()?;
    Ok(extensions)
}

/// A request without extensions.
fn without(verb: &Element, extensions: Extensions, request: Request) -> Result<Request, Fault> {
    match extensions.first() {
        None => Ok(request),
        Some(odd) => Err(misplaced(verb, odd)),
    }
}

/// An extension that says nothing about this command.
pub(super) fn misplaced(verb: &Element, extension: &ExtensionData) -> Fault {
    let prefix = namespace::prefix(extension.namespace());
    let (element, verb) = (extension.element(), &verb.name);
    let place = (extension.namespace(), element);
    let reason = format!("{prefix}:{element} does not extend {verb} of this object");
    Fault::new(Code::CommandUse, place, "", reason)
}

fn read_login(verb: &Element, extensions: Extensions) -> Result<Request, Fault> {
    let mut security = None;
    let mut uses = std::collections::BTreeSet::new();
    for extension in extensions {
        match extension {
            ExtensionData::LoginSecurity(data) => {
                security = Some(data);
                uses.insert(LOGIN_SEC);
            }
            other => return Err(misplaced(verb, &other)),
        }
    }
    let login = login::read(verb, security)?;
    let mut request = Request::new(Command::Login(Box::new(login)));
    request.uses = uses;
    Ok(request)
}

/// A verb with an object in it.
fn read_object(verb: &Element, extensions: Extensions) -> Result<Request, Fault> {
    let attributes: &[&str] = match &*verb.name {
        "transfer" => &["op"],
        _ => &[],
    };
    let mut within = Sequence::of(verb, attributes)?;
    let object = within.any();
    let object = object.ok_or_else(|| within.missing("an object"))?;
    within.end()?;
    let Some(namespace) = namespace::OBJECTS
        .iter()
        .copied()
        .find(|ns| **ns == *object.namespace)
    else {
        let reason = "no object of this server; the greeting lists them";
        return Err(object.fault(Code::UnimplementedService, reason));
    };
    if object.name != verb.name {
        let reason = format!("{} within {}", object.name, verb.name);
        return Err(object.syntax(reason));
    }
    let used: Vec<_> = extensions.iter().map(ExtensionData::namespace).collect();
    let mut request = match namespace {
        DOMAIN => domain::read(verb, object, extensions)?,
        HOST => without(verb, extensions, host::read(object)?)?,
        CONTACT => without(verb, extensions, contact::read(verb, object)?)?,
        _ => unreachable!("one of the objects"),
    };
    request.uses.insert(namespace);
    request.uses.extend(used);
    Ok(request)
}
