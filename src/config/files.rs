//! The files that a configuration names, as the server will find them.
//!
//! Looked at by `meridian check-config` only: other commands read the same
//! configuration for users who may not read the server's secrets.

use std::path::Path;

use super::check::Checker;
use super::read::Document;
use super::{Fault, Spec};
use crate::distribution::server::EDGES;
use crate::dns::cookie::CookieSecrets;
use crate::dns::net::tls::DOT;
use crate::epp::server::certificate::EPP;
use crate::net::credentials::{Credentials, Part};
use crate::rdap::RDAP;
use crate::transfer::key::Keys;
use crate::web::WEB;

/// Notes what is wrong with each file.
pub(super) fn check(spec: &Spec, document: &Document<'_>, faults: &mut Vec<Fault>) {
    let mut checker = Checker { document, faults };
    let secrets = &spec.dns.cookie_secrets_file;
    if !secrets.as_os_str().is_empty() {
        check_cookie_secrets(secrets, &mut checker);
    }
    check_transfer_keys(spec, &mut checker);
    let (tls, epp, rdap, web) = (&spec.dns.tls, &spec.epp, &spec.rdap, &spec.web);
    let own = &spec.distribution;
    for (table, purpose, certificate_file, key_file) in [
        ("dns.tls", DOT, &tls.certificate_file, &tls.key_file),
        ("epp", EPP, &epp.certificate_file, &epp.key_file),
        ("rdap", RDAP, &rdap.certificate_file, &rdap.key_file),
        ("web", WEB, &web.certificate_file, &web.key_file),
        ("distribution", EDGES, &own.certificate_file, &own.key_file),
    ] {
        let named = [certificate_file, key_file]
            .iter()
            .all(|path| !path.as_os_str().is_empty());
        if named && let Err(error) = Credentials::load(purpose, certificate_file, key_file) {
            for fault in error.0 {
                let file = match fault.part() {
                    Part::Certificate => "certificate-file",
                    Part::Key => "key-file",
                };
                checker.fault(&format!("{table}.{file}"), fault);
            }
        }
    }
}

fn check_transfer_keys(spec: &Spec, checker: &mut Checker<'_>) {
    let path = &spec.transfer.keys_file;
    if path.as_os_str().is_empty() {
        return;
    }
    let shown = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let message = format!("cannot read {shown}: {error}");
            return checker.fault("transfer.keys-file", message);
        }
    };
    match Keys::parse(&text) {
        Err(error) => checker.fault("transfer.keys-file", format_args!("{shown}: {error}")),
        Ok(keys) => {
            let (document, mut none) = (checker.document, Vec::new());
            let faults = &mut none;
            let transfer = super::transfer::check(spec, &mut Checker { document, faults });
            if let Some(fault) = transfer.key_fault(&keys) {
                checker.fault("transfer.allow", fault);
            }
        }
    }
}

fn check_cookie_secrets(path: &Path, checker: &mut Checker<'_>) {
    let shown = path.display();
    match std::fs::read_to_string(path) {
        Err(error) => checker.fault(
            "dns.cookie-secrets-file",
            format_args!("cannot read {shown}: {error}"),
        ),
        Ok(text) => {
            if let Err(error) = CookieSecrets::parse(&text) {
                checker.fault("dns.cookie-secrets-file", format_args!("{shown}: {error}"));
            }
        }
    }
}
