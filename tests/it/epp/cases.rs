//! The cases epp-01 to epp-27 of ICANN RST v2.0 (`epp-cases.yaml`; it has no epp-22), over
//! TLS against a server that runs: each does what the text of its case asks for.
//!
//! By RST's input parameters the server is one with host objects (`epp.hostModel`), DS data
//! (`epp.secDNSInterfaces`) and contacts (`general.registryDataModel` maximum), without
//! required types of contacts. `reg-a` and `reg-b` are `epp.clid01` and `epp.clid02`; what
//! RST finds registered before is `reg-c`'s. The rows of `epp-*-data.csv` are said by
//! [`super::rst`].

mod checks;
mod contacts;
mod domains;
mod hosts;
mod service;
mod transfers;

use super::desk::{Reply, Talks, command, contact_create, host_create, name};
use super::live::{Live, Sessions};
use super::rst;

/// A server with two registrars.
fn begin() -> Sessions {
    Sessions::new(Live::with_contacts("", &[]))
}

/// Names that are registered before a test (`epp.registeredNames`,
/// `epp.registeredNameservers`, `epp.registeredContacts`).
const REGISTERED: &str = "registered.tld";
const REGISTERED_HOST: &str = "ns1.registered.tld";
const REGISTERED_CONTACTS: [&str; 2] = ["abc123", "def321"];

/// A server where some objects are a third registrar's.
fn begin_with_others() -> Sessions {
    let mut sessions = Sessions::new(Live::with_contacts("", &["reg-c"]));
    sessions.register("reg-c", REGISTERED);
    let address = [("v4", "208.77.190.193")];
    sessions.expect(1000, "reg-c", &host_create(REGISTERED_HOST, &address));
    for id in REGISTERED_CONTACTS {
        sessions.expect(1000, "reg-c", &contact_create(id));
    }
    sessions
}

/// The rows of a case have the outcomes that they are to have.
#[track_caller]
fn check_rows(sessions: &mut Sessions, case: &str, rows: usize) {
    if let Some(outcomes) = rst::say(sessions, case) {
        outcomes.check(rows);
    }
}

/// The command `info` of an object with a name.
fn info(object: &str, named: &str) -> String {
    command("info", object, &name(object, named), "")
}

/// An object as a registrar sees it.
#[track_caller]
fn shown(sessions: &mut Sessions, who: &str, object: &str, named: &str) -> Reply {
    sessions.expect(1000, who, &info(object, named))
}

fn delete(object: &str, named: &str) -> String {
    command("delete", object, &name(object, named), "")
}

fn contact(verb: &str, id: &str, rest: &str) -> String {
    command(
        verb,
        "contact",
        &format!("<contact:id>{id}</contact:id>{rest}"),
        "",
    )
}

fn update(object: &str, named: &str, change: &str) -> String {
    command("update", object, &(name(object, named) + change), "")
}

/// The statuses of an object.
fn statuses(shown: &Reply) -> Vec<String> {
    shown.attributes("status", "s")
}

/// The grace periods that a domain is in (RFC 3915).
fn graces(shown: &Reply) -> Vec<String> {
    shown.attributes("rgpStatus", "s")
}

/// Whether a time is so many years after another; both are as `2018-03-12T10:20:00.0Z`,
/// and the 29th of February is the 28th where there is none.
fn is_years_after(later: &str, earlier: &str, years: i32) -> bool {
    let (year, rest) = earlier.split_at(4);
    let year = year.parse::<i32>().unwrap() + years;
    let expected = format!("{year}{rest}");
    later == expected || later == expected.replace("-02-29T", "-02-28T")
}

/// A label that nobody has: letters and digits by a count and the time.
fn random_label() -> String {
    let now = meridian::clock::unix_microseconds();
    let label = format!("r{now:x}");
    eprintln!("random label {label}");
    label
}
