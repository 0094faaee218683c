//! Answers in the form of ICANN's registry agreement, specification 4 section 1.

use super::form::{Form, seconds};
use super::question::{Fault, Question, read};
use crate::disclosure::{Part, Phone, PublicContact};
use crate::lookup::counters::Outcome;
use crate::lookup::names::unicode;
use crate::lookup::search::Page;
use crate::lookup::{
    Answer, Availability, DomainRecord, Found, HostRecord, LinkRole, LookupError, Lookups,
    PublicField, Query, RegistrarRecord,
};

/// Hosts that are shown of those with an address.
const HOSTS_MAX: usize = 50;

const HELP: [&str; 8] = [
    "example.tld             a domain, or else a name server",
    "domain NAME             a domain",
    "nameserver NAME         a name server",
    "nameserver ADDRESS      the name servers with an IPv4 or IPv6 address",
    "registrar NAME          a registrar by its name or its number at IANA",
    "contact ID              a contact, as far as it is shown",
    "-a NAME                 whether a domain could be registered",
    "help                    this",
];

/// What is sent for a line, what kind of question it was, and what came of it.
pub(super) async fn answer(
    lookups: &Lookups,
    line: &[u8],
    terms_url: &str,
) -> (String, &'static str, Outcome) {
    let question = match read(line) {
        Ok(question) => question,
        Err(fault) => return (malformed(&fault), "none", Outcome::Malformed),
    };
    let (text, outcome) = match ask(lookups, &question).await {
        Ok(answer) => show(&question, &answer, terms_url),
        Err(_) => (unable(), Outcome::Failed),
    };
    (text, question.kind(), outcome)
}

/// What is sent for a line, and what came of it, for another service that has taken the
/// question into account.
pub async fn tell(lookups: &Lookups, line: &str, terms_url: &str) -> (String, Outcome) {
    let (text, _, outcome) = answer(lookups, line.as_bytes(), terms_url).await;
    (text, outcome)
}

/// Told to whoever asks too often.
pub(super) fn limited(seconds: u64) -> String {
    let mut form = Form::default();
    form.line(&format!(
        "Too many questions from your network; ask again in {seconds} seconds."
    ));
    form.end()
}

fn malformed(fault: &Fault) -> String {
    let mut form = Form::default();
    form.line(&format!("Not a question: {fault}"));
    form.end()
}

fn unable() -> String {
    let mut form = Form::default();
    form.line("The registry cannot answer at the moment; ask again later.");
    form.end()
}

async fn ask(lookups: &Lookups, question: &Question) -> Result<Answer, LookupError> {
    let query = match question {
        Question::Help => Query::Newest,
        Question::Domain(name) => Query::Domain(name.clone()),
        Question::Nameserver(name) => Query::Nameserver(name.clone()),
        Question::Availability(name) => Query::Availability(name.clone()),
        Question::Registrar(text) => Query::Registrar(text.clone()),
        Question::Contact(text) => Query::Entity(text.clone()),
        Question::Address(address) => {
            let page = Page {
                most: HOSTS_MAX,
                ..Page::default()
            };
            Query::NameserversAt(*address, page)
        }
        Question::Name(name) => {
            let answer = lookups.ask(&Query::Domain(name.clone())).await?;
            if answer.found != Found::Nothing {
                return Ok(answer);
            }
            Query::Nameserver(name.clone())
        }
    };
    lookups.ask(&query).await
}

fn show(question: &Question, answer: &Answer, terms_url: &str) -> (String, Outcome) {
    let mut form = Form::default();
    let mut outcome = Outcome::Found;
    match &answer.found {
        _ if *question == Question::Help => HELP.iter().for_each(|line| form.line(line)),
        Found::Domain(record, contacts) => domain(&mut form, record, contacts),
        Found::Nameserver(host) => nameserver(&mut form, host),
        Found::Registrar(record) => registrar(&mut form, record),
        Found::Contact(shown) if matches!(question, Question::Contact(_)) => {
            contact(&mut form, "Contact", shown);
        }
        Found::Availability(found) => availability(&mut form, found),
        Found::Page { objects, next, .. } if !objects.is_empty() => {
            for object in objects {
                if let Found::Nameserver(host) = object {
                    nameserver(&mut form, host);
                    form.line("");
                }
            }
            if next.is_some() {
                form.line(&format!("Only the first {HOSTS_MAX} are shown."));
            }
        }
        Found::Nothing | Found::Contact(_) | Found::Page { .. } | Found::TooMany => {
            outcome = Outcome::Missing;
            form.line(&format!("No match for {}.", what(question)));
        }
    }
    let at = seconds(answer.read_at);
    // All that was accepted until the read is in it: that is when it was up to date.
    form.line(&format!(">>> Last update of WHOIS database: {at} <<<"));
    if matches!(answer.found, Found::Domain(..)) {
        form.line("");
        form.line(
            "For more information on domain status codes, please visit https://icann.org/epp",
        );
    }
    if !terms_url.is_empty() {
        form.line(&format!("Terms of use: {terms_url}"));
    }
    (form.end(), outcome)
}

fn what(question: &Question) -> String {
    match question {
        Question::Help => "help".to_owned(),
        Question::Name(name) => format!("\"{}\"", name.ascii()),
        Question::Domain(name) | Question::Availability(name) => {
            format!("domain \"{}\"", name.ascii())
        }
        Question::Nameserver(name) => format!("nameserver \"{}\"", name.ascii()),
        Question::Address(address) => format!("nameserver {address}"),
        Question::Registrar(text) => format!("registrar \"{text}\""),
        Question::Contact(text) => format!("contact \"{text}\""),
    }
}

fn domain(form: &mut Form, domain: &DomainRecord, contacts: &[PublicContact]) {
    form.field("Domain Name", &domain.name);
    if let Some(unicode) = unicode(&domain.name) {
        form.field("Internationalized Domain Name", &unicode);
    }
    form.field("Registry Domain ID", &domain.roid);
    let registrar = &domain.registrar;
    form.field_or_empty(
        "Registrar WHOIS Server",
        registrar.public(PublicField::WhoisServer),
    );
    form.field_or_empty("Registrar URL", registrar.public(PublicField::Url));
    if let Some(at) = domain.updated_at {
        form.time("Updated Date", at);
    }
    form.time("Creation Date", domain.created_at);
    if let Some(at) = domain.expires_at {
        form.time("Registry Expiry Date", at);
    }
    form.field("Registrar", &registrar.name);
    let iana_id = registrar.iana_id.map(|id| id.to_string());
    form.field_or_empty("Registrar IANA ID", iana_id.as_deref());
    let email = registrar.public(PublicField::AbuseEmail);
    form.field_or_empty("Registrar Abuse Contact Email", email);
    let voice = registrar.public(PublicField::AbuseVoice);
    form.field_or_empty("Registrar Abuse Contact Phone", voice);
    let statuses = domain.statuses.iter().map(String::as_str);
    for status in statuses.chain(domain.rgp_statuses.iter().copied()) {
        form.field(
            "Domain Status",
            &format!("{status} https://icann.org/epp#{status}"),
        );
    }
    for shown in contacts {
        let prefix = match shown.role {
            Some(LinkRole::Registrant) | None => "Registrant",
            Some(LinkRole::Admin) => "Admin",
            Some(LinkRole::Tech) => "Tech",
            Some(LinkRole::Billing) => "Billing",
            Some(LinkRole::Abuse) => "Abuse",
        };
        contact(form, prefix, shown);
    }
    for server in &domain.servers {
        form.field("Name Server", &server.name);
    }
    let signed = match domain.is_signed() {
        true => "signedDelegation",
        false => "unsigned",
    };
    form.field("DNSSEC", signed);
    for ds in &domain.ds {
        form.field("DNSSEC DS Data", &ds.to_string());
    }
    let complaints = "URL of the ICANN Whois Inaccuracy Complaint Form";
    form.field(complaints, "https://icann.org/wicf/");
}

fn contact(form: &mut Form, prefix: &str, contact: &PublicContact) {
    // What the policy has for registrants only is not missing elsewhere.
    let is_whole = matches!(contact.role, Some(LinkRole::Registrant) | None);
    let mut part = |key: &str, part: &Part<String>, is_for_all: bool| {
        let key = match key {
            "ID" => format!("Registry {prefix} ID"),
            key => format!("{prefix} {key}"),
        };
        match part {
            Part::Shown(value) => form.field(&key, value),
            Part::Empty if is_whole => form.field(&key, ""),
            Part::Hidden if is_whole || is_for_all => form.redacted(&key),
            Part::Empty | Part::Hidden => {}
        }
    };
    part("ID", &contact.handle, true);
    part("Name", &contact.name, true);
    part("Organization", &contact.organization, false);
    match &contact.street {
        Part::Shown(lines) => {
            for line in lines {
                part("Street", &Part::Shown(line.clone()), false);
            }
        }
        Part::Empty => part("Street", &Part::Empty, false),
        Part::Hidden => part("Street", &Part::Hidden, false),
    }
    part("City", &contact.city, false);
    part("State/Province", &contact.province, false);
    part("Postal Code", &contact.postal_code, false);
    part("Country", &contact.country, false);
    for (key, phone, is_for_all) in [
        ("Phone", &contact.voice, true),
        ("Fax", &contact.fax, false),
    ] {
        part(key, &number(phone), is_for_all);
        if let Part::Shown(Phone {
            extension: Some(extension),
            ..
        }) = phone
        {
            part(
                &format!("{key} Ext"),
                &Part::Shown(extension.clone()),
                false,
            );
        }
    }
    part("Email", &contact.email, true);
}

fn number(phone: &Part<Phone>) -> Part<String> {
    match phone {
        Part::Shown(phone) => Part::Shown(phone.number.clone()),
        Part::Empty => Part::Empty,
        Part::Hidden => Part::Hidden,
    }
}

fn nameserver(form: &mut Form, host: &HostRecord) {
    form.field("Server Name", &host.name);
    if let Some(unicode) = unicode(&host.name) {
        form.field("Internationalized Server Name", &unicode);
    }
    for address in &host.addresses {
        form.field("IP Address", &address.to_string());
    }
    let registrar = &host.registrar;
    form.field("Registrar", &registrar.name);
    form.field_or_empty(
        "Registrar WHOIS Server",
        registrar.public(PublicField::WhoisServer),
    );
    form.field_or_empty("Registrar URL", registrar.public(PublicField::Url));
}

fn registrar(form: &mut Form, record: &RegistrarRecord) {
    form.field("Registrar", &record.name);
    let iana_id = record.iana_id.map(|id| id.to_string());
    form.field_or_empty("Registrar IANA ID", iana_id.as_deref());
    for (key, field) in [
        ("Street", PublicField::Street),
        ("City", PublicField::City),
        ("State/Province", PublicField::Province),
        ("Postal Code", PublicField::PostalCode),
        ("Country", PublicField::Country),
        ("Phone Number", PublicField::Voice),
        ("Fax Number", PublicField::Fax),
        ("Email", PublicField::Email),
        ("Registrar WHOIS Server", PublicField::WhoisServer),
        ("Registrar URL", PublicField::Url),
        ("Admin Contact", PublicField::AdminName),
        ("Admin Phone Number", PublicField::AdminVoice),
        ("Admin Email", PublicField::AdminEmail),
        ("Technical Contact", PublicField::TechName),
        ("Technical Phone Number", PublicField::TechVoice),
        ("Technical Email", PublicField::TechEmail),
    ] {
        form.field_or_empty(key, record.public(field));
    }
}

fn availability(form: &mut Form, found: &Availability) {
    form.field("Domain Name", &found.name);
    let word = if found.available {
        "available"
    } else {
        "not available"
    };
    form.field("Availability", word);
    if let Some(reason) = &found.reason {
        form.field("Reason", reason);
    }
}
