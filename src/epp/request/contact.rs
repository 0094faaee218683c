//! Commands on contacts (RFC 5733).

mod postal;

use super::super::code::Code;
use super::super::fault::Fault;
use super::super::xml::{Element, Sequence};
use super::host::check;
use super::values::{authorization, boolean, handle, status, value};
use super::{Command, Request, domain};
use crate::registry;
use crate::registry::command::ContactCommand;
use crate::registry::command::contact::{
    Change, ContactCreate, ContactKind, ContactTransfer, ContactUpdate, Disclose,
    Element as Disclosed, Phone,
};
use crate::registry::types::{Email, PhoneExtension, PhoneNumber, Status};

/// Most statuses in one `add` or `rem`.
const STATUSES_MAX: usize = 7;
const STATUSES: [&str; 12] = [
    "clientDeleteProhibited",
    "clientTransferProhibited",
    "clientUpdateProhibited",
    "linked",
    "ok",
    "pendingCreate",
    "pendingDelete",
    "pendingTransfer",
    "pendingUpdate",
    "serverDeleteProhibited",
    "serverTransferProhibited",
    "serverUpdateProhibited",
];

pub(super) fn read(verb: &Element, object: &Element) -> Result<Request, Fault> {
    let mut within = Sequence::of(object, &[])?;
    match &*object.name {
        "check" => {
            let ids = within.some("id", usize::MAX)?;
            within.end()?;
            // An id that is none is a fault: contacts are not guessed at as names are.
            let ids = ids.iter().map(|id| Ok(handle(id, &[])?.to_string()));
            let ids: Result<_, _> = ids.collect();
            Ok(check(object, ids?, Command::ContactCheck))
        }
        "info" => {
            let id = handle(within.required("id")?, &[])?;
            // Only the sponsor sees a contact, and it needs no authorization.
            let auth = within.optional("authInfo");
            auth.map(|element| authorization(element, false))
                .transpose()?;
            within.end()?;
            Ok(request(ContactCommand::Info(id)))
        }
        "delete" => {
            let id = handle(within.required("id")?, &[])?;
            within.end()?;
            Ok(request(ContactCommand::Delete(id)))
        }
        "create" => create(within),
        "update" => update(within),
        "transfer" => transfer(verb, within),
        _ => Err(object.fault(Code::UnimplementedCommand, "contacts cannot be renewed")),
    }
}

fn request(command: ContactCommand) -> Request {
    let command = registry::Command::Contact(command);
    Request::new(Command::Registry(Box::new(command)))
}

fn transfer(verb: &Element, mut within: Sequence<'_>) -> Result<Request, Fault> {
    let mut transfer = ContactTransfer {
        op: domain::operation(verb)?,
        handle: handle(within.required("id")?, &[])?,
        registrar: None,
        auth_info: None,
    };
    let auth = within.optional("authInfo");
    let auth = auth
        .map(|element| authorization(element, false))
        .transpose()?;
    within.end()?;
    let mut refusal = None;
    if let Some(auth) = auth {
        transfer.auth_info = Some(auth.info);
        refusal = auth.refusal;
    }
    let mut request = request(ContactCommand::Transfer(Box::new(transfer)));
    request.refusal = refusal;
    Ok(request)
}

fn create(mut within: Sequence<'_>) -> Result<Request, Fault> {
    let id = handle(within.required("id")?, &[])?;
    let postal = within.some("postalInfo", 2)?;
    let (voice, fax) = (within.optional("voice"), within.optional("fax"));
    let email = email(within.required("email")?)?;
    let auth = authorization(within.required("authInfo")?, false)?;
    let disclose = within.optional("disclose");
    within.end()?;
    let [int, loc] = postal::both(postal, postal::whole)?;
    let phone = |element: Option<&Element>| element.map(phone).transpose();
    let organized = [&int, &loc].into_iter().flatten();
    let is_organized = organized
        .into_iter()
        .any(|info| info.organization.is_some());
    let command = ContactCreate {
        handle: id,
        registrar: None,
        // EPP does not say what a contact is: with an organization it is taken for one.
        kind: match is_organized {
            true => ContactKind::Org,
            false => ContactKind::Person,
        },
        int,
        loc,
        voice: phone(voice)?,
        fax: phone(fax)?,
        email,
        disclose: disclose.map(read_disclose).transpose()?,
        auth_info: Some(auth.info),
    };
    let mut request = request(ContactCommand::Create(Box::new(command)));
    request.refusal = auth.refusal;
    Ok(request)
}

fn update(mut within: Sequence<'_>) -> Result<Request, Fault> {
    let mut update = ContactUpdate::new(handle(within.required("id")?, &[])?);
    let (add, remove) = (within.optional("add"), within.optional("rem"));
    let change = within.optional("chg");
    within.end()?;
    let mut refusals = Vec::new();
    if let Some(element) = add {
        update.add = statuses(element, &mut refusals)?;
    }
    if let Some(element) = remove {
        update.remove = statuses(element, &mut refusals)?;
    }
    if let Some(element) = change {
        read_change(element, &mut update, &mut refusals)?;
    }
    let mut request = request(ContactCommand::Update(Box::new(update)));
    request.refusal = refusals.into_iter().next();
    Ok(request)
}

fn statuses(element: &Element, refusals: &mut Vec<Fault>) -> Result<Vec<Status>, Fault> {
    let mut within = Sequence::of(element, &[])?;
    let mut statuses = Vec::new();
    for element in within.some("status", STATUSES_MAX)? {
        match status(element, &STATUSES)? {
            Ok(status) => statuses.push(status),
            Err(fault) => refusals.push(fault),
        }
    }
    within.end()?;
    Ok(statuses)
}

fn read_change(
    element: &Element,
    update: &mut ContactUpdate,
    refusals: &mut Vec<Fault>,
) -> Result<(), Fault> {
    let mut within = Sequence::of(element, &[])?;
    let postal = within.many("postalInfo", 2);
    let (voice, fax) = (within.optional("voice"), within.optional("fax"));
    let address = within.optional("email");
    let auth = within.optional("authInfo");
    let disclose = within.optional("disclose");
    within.end()?;
    [update.int_parts, update.loc_parts] = postal::both(postal, postal::parts)?;
    // RFC 5733 section 3.2.5: what is empty is removed.
    let phone = |element: &Element| match super::xml::collapsed(&element.text).is_empty() {
        true => element.token(&["x"], 0..1).map(|_| Change::Remove),
        false => phone(element).map(Change::Set),
    };
    update.voice = voice.map(phone).transpose()?;
    update.fax = fax.map(phone).transpose()?;
    update.email = address.map(email).transpose()?;
    if let Some(element) = auth {
        let auth = authorization(element, false)?;
        update.auth_info = Some(auth.info);
        refusals.extend(auth.refusal);
    }
    update.disclose = disclose.map(read_disclose).transpose()?.map(Change::Set);
    Ok(())
}

fn email(element: &Element) -> Result<Email, Fault> {
    let text = element.token(&[], 1..256)?;
    value(element, &text, Email::parse)
}

fn phone(element: &Element) -> Result<Phone, Fault> {
    let text = element.token(&["x"], 1..18)?;
    let extension = element.attribute("x").filter(|text| !text.is_empty());
    let extension = extension.map(|text| value(element, &text, PhoneExtension::parse));
    Ok(Phone {
        number: value(element, &text, PhoneNumber::parse)?,
        extension: extension.transpose()?,
    })
}

fn read_disclose(element: &Element) -> Result<Disclose, Fault> {
    let mut within = Sequence::of(element, &["flag"])?;
    let Some(flag) = element.attribute("flag") else {
        return Err(element.syntax("attribute flag is missing"));
    };
    let show = boolean(element, &flag)?;
    let mut elements = Vec::new();
    let forms = [
        ("name", [Disclosed::NameInt, Disclosed::NameLoc]),
        ("org", [Disclosed::OrgInt, Disclosed::OrgLoc]),
        ("addr", [Disclosed::AddrInt, Disclosed::AddrLoc]),
    ];
    for (name, [int, loc]) in forms {
        for form in within.many(name, 2) {
            let disclosed = match postal::form(form)? {
                postal::Form::Int => int,
                postal::Form::Loc => loc,
            };
            if !super::xml::collapsed(form.simple(&["type"])?).is_empty() {
                return Err(form.syntax("nothing may be in it"));
            }
            if elements.contains(&disclosed) {
                return Err(form.fault(Code::ParameterSyntax, "the same type twice"));
            }
            elements.push(disclosed);
        }
    }
    let others = [
        ("voice", Disclosed::Voice),
        ("fax", Disclosed::Fax),
        ("email", Disclosed::Email),
    ];
    for (name, disclosed) in others {
        if let Some(element) = within.optional(name) {
            element.empty()?;
            elements.push(disclosed);
        }
    }
    within.end()?;
    Ok(Disclose { show, elements })
}
