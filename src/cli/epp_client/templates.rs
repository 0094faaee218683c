//! Frames by name, for who does not want to write XML: `{KEY}` stands for what `--set` or
//! `--set-file` say, and nothing is sent while one is missing.

use std::collections::BTreeSet;

use crate::epp::namespace::{self, CONTACT, DOMAIN, EPP, HOST, RGP, SEC_DNS};

/// A frame with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Template {
    pub(super) name: &'static str,
    /// Verb, and the operation of a transfer.
    verb: &'static str,
    /// Namespace of the object; none for what has no object.
    object: &'static str,
    body: &'static str,
    /// Namespace and body of an extension.
    extension: Option<(&'static str, &'static str)>,
}

const fn new(
    name: &'static str,
    verb: &'static str,
    object: &'static str,
    body: &'static str,
) -> Template {
    Template {
        name,
        verb,
        object,
        body,
        extension: None,
    }
}

const fn extended(template: Template, namespace: &'static str, body: &'static str) -> Template {
    Template {
        extension: Some((namespace, body)),
        ..template
    }
}

const NAME: &str = "<o:name>{NAME}</o:name>";
const ID: &str = "<o:id>{ID}</o:id>";
const NAME_AUTH: &str = "<o:name>{NAME}</o:name><o:authInfo><o:pw>{AUTH}</o:pw></o:authInfo>";
const ID_AUTH: &str = "<o:id>{ID}</o:id><o:authInfo><o:pw>{AUTH}</o:pw></o:authInfo>";
const CREATE: &str = "<o:name>{NAME}</o:name><o:period unit=\"y\">{YEARS}</o:period><o:ns>\
    <o:hostObj>{HOST1}</o:hostObj><o:hostObj>{HOST2}</o:hostObj></o:ns>\
    <o:authInfo><o:pw/></o:authInfo>";
const DS: &str = "<e:dsData><e:keyTag>{TAG}</e:keyTag><e:alg>{ALGORITHM}</e:alg>\
    <e:digestType>{TYPE}</e:digestType><e:digest>{DIGEST}</e:digest></e:dsData>";

/// All of them.
pub(super) const TEMPLATES: &[Template] = &[
    new("poll", "poll op=\"req\"", "", ""),
    new("poll-ack", "poll op=\"ack\" msgID=\"{MESSAGE}\"", "", ""),
    new("domain-check", "check", DOMAIN, NAME),
    new("domain-info", "info", DOMAIN, NAME),
    new("domain-info-auth", "info", DOMAIN, NAME_AUTH),
    new("domain-create", "create", DOMAIN, CREATE),
    new(
        "domain-create-parked",
        "create",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:authInfo><o:pw/></o:authInfo>",
    ),
    new(
        "domain-create-contacts",
        "create",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:period unit=\"y\">{YEARS}</o:period><o:ns>\
         <o:hostObj>{HOST1}</o:hostObj><o:hostObj>{HOST2}</o:hostObj></o:ns>\
         <o:registrant>{REGISTRANT}</o:registrant><o:contact type=\"admin\">{ADMIN}</o:contact>\
         <o:contact type=\"tech\">{TECH}</o:contact><o:authInfo><o:pw/></o:authInfo>",
    ),
    extended(
        new("domain-create-ds", "create", DOMAIN, CREATE),
        SEC_DNS,
        "<e:create>{DS}</e:create>",
    ),
    new(
        "domain-renew",
        "renew",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:curExpDate>{EXPIRES}</o:curExpDate>\
         <o:period unit=\"y\">{YEARS}</o:period>",
    ),
    new("domain-delete", "delete", DOMAIN, NAME),
    extended(
        new("domain-restore", "update", DOMAIN, NAME),
        RGP,
        "<e:update><e:restore op=\"request\"/></e:update>",
    ),
    new(
        "domain-transfer-request",
        "transfer op=\"request\"",
        DOMAIN,
        NAME_AUTH,
    ),
    new(
        "domain-transfer-query",
        "transfer op=\"query\"",
        DOMAIN,
        NAME,
    ),
    new(
        "domain-transfer-approve",
        "transfer op=\"approve\"",
        DOMAIN,
        NAME,
    ),
    new(
        "domain-transfer-reject",
        "transfer op=\"reject\"",
        DOMAIN,
        NAME,
    ),
    new(
        "domain-transfer-cancel",
        "transfer op=\"cancel\"",
        DOMAIN,
        NAME,
    ),
    new(
        "domain-add-host",
        "update",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:add><o:ns><o:hostObj>{HOST}</o:hostObj></o:ns></o:add>",
    ),
    new(
        "domain-remove-host",
        "update",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:rem><o:ns><o:hostObj>{HOST}</o:hostObj></o:ns></o:rem>",
    ),
    new(
        "domain-add-status",
        "update",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:add><o:status s=\"{STATUS}\"/></o:add>",
    ),
    new(
        "domain-remove-status",
        "update",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:rem><o:status s=\"{STATUS}\"/></o:rem>",
    ),
    extended(
        new("domain-add-ds", "update", DOMAIN, NAME),
        SEC_DNS,
        "<e:update><e:add>{DS}</e:add></e:update>",
    ),
    extended(
        new("domain-remove-ds", "update", DOMAIN, NAME),
        SEC_DNS,
        "<e:update><e:rem>{DS}</e:rem></e:update>",
    ),
    new(
        "domain-set-auth",
        "update",
        DOMAIN,
        "<o:name>{NAME}</o:name><o:chg><o:authInfo><o:pw>{AUTH}</o:pw></o:authInfo></o:chg>",
    ),
    new("host-check", "check", HOST, NAME),
    new("host-info", "info", HOST, NAME),
    new("host-create", "create", HOST, NAME),
    new(
        "host-create-address",
        "create",
        HOST,
        "<o:name>{NAME}</o:name><o:addr ip=\"{FAMILY}\">{ADDRESS}</o:addr>",
    ),
    new(
        "host-add-address",
        "update",
        HOST,
        "<o:name>{NAME}</o:name><o:add><o:addr ip=\"{FAMILY}\">{ADDRESS}</o:addr></o:add>",
    ),
    new(
        "host-remove-address",
        "update",
        HOST,
        "<o:name>{NAME}</o:name><o:rem><o:addr ip=\"{FAMILY}\">{ADDRESS}</o:addr></o:rem>",
    ),
    new(
        "host-rename",
        "update",
        HOST,
        "<o:name>{NAME}</o:name><o:chg><o:name>{TO}</o:name></o:chg>",
    ),
    new("host-delete", "delete", HOST, NAME),
    new("contact-check", "check", CONTACT, ID),
    new("contact-info", "info", CONTACT, ID),
    new(
        "contact-create",
        "create",
        CONTACT,
        "<o:id>{ID}</o:id><o:postalInfo type=\"int\"><o:name>{PERSON}</o:name><o:addr>\
         <o:street>{STREET}</o:street><o:city>{CITY}</o:city><o:pc>{CODE}</o:pc>\
         <o:cc>{COUNTRY}</o:cc></o:addr></o:postalInfo><o:voice>{VOICE}</o:voice>\
         <o:email>{EMAIL}</o:email><o:authInfo><o:pw/></o:authInfo>",
    ),
    new(
        "contact-set-email",
        "update",
        CONTACT,
        "<o:id>{ID}</o:id><o:chg><o:email>{EMAIL}</o:email></o:chg>",
    ),
    new("contact-delete", "delete", CONTACT, ID),
    new(
        "contact-transfer-request",
        "transfer op=\"request\"",
        CONTACT,
        ID_AUTH,
    ),
    new(
        "contact-transfer-query",
        "transfer op=\"query\"",
        CONTACT,
        ID,
    ),
    new(
        "contact-transfer-approve",
        "transfer op=\"approve\"",
        CONTACT,
        ID,
    ),
    new(
        "contact-transfer-reject",
        "transfer op=\"reject\"",
        CONTACT,
        ID,
    ),
    new(
        "contact-transfer-cancel",
        "transfer op=\"cancel\"",
        CONTACT,
        ID,
    ),
];

/// The template of this name.
pub(super) fn find(name: &str) -> Option<Template> {
    TEMPLATES
        .iter()
        .copied()
        .find(|template| template.name == name)
}

impl Template {
    /// As XML, with its keys.
    pub(super) fn xml(&self) -> String {
        let verb = self.verb.split(' ').next().unwrap_or_default();
        let object = match self.object {
            "" => String::new(),
            namespace => {
                let prefix = namespace::prefix(namespace);
                let body = self.body.replace("o:", &format!("{prefix}:"));
                format!("<{prefix}:{verb} xmlns:{prefix}=\"{namespace}\">{body}</{prefix}:{verb}>")
            }
        };
        let extension = self.extension.map(|(namespace, body)| {
            let (prefix, body) = (namespace::prefix(namespace), body.replace("{DS}", DS));
            let body = body.replace("e:", &format!("{prefix}:"));
            // Its root alone declares the prefix.
            let declared = format!(" xmlns:{prefix}=\"{namespace}\">");
            format!(
                "<extension>{}</extension>",
                body.replacen('>', &declared, 1)
            )
        });
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<epp xmlns=\"{EPP}\"><command>\
             <{}>{object}</{verb}>{}</command></epp>\n",
            self.verb,
            extension.unwrap_or_default()
        )
    }

    /// What it has to be given.
    pub(super) fn keys(&self) -> BTreeSet<String> {
        keys_of(&self.xml())
    }
}

/// What stands in braces: capital letters and digits.
pub(super) fn keys_of(text: &str) -> BTreeSet<String> {
    let is_key = |key: &&str| {
        let is_part = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        !key.is_empty() && key.bytes().all(is_part)
    };
    let pieces = text.split('{').skip(1);
    let keys = pieces.filter_map(|piece| piece.split_once('}').map(|(key, _)| key));
    keys.filter(is_key).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests;
