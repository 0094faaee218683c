//! The files that a configuration names, as the server will find them.
//!
//! Looked at by `meridian check-config` only: other commands read the same
//! configuration for users who may not read the server's secrets.

use std::path::Path;

use super::check::Checker;
use super::read::Document;
use super::{Fault, Spec};
use crate::dns::cookie::CookieSecrets;
use crate::dns::net::tls::{Credentials, Part};
use crate::epp::server::certificate::{Certificate, CertificateError};

/// Notes what is wrong with each file.
pub(super) fn check(spec: &Spec, document: &Document<'_>, faults: &mut Vec<Fault>) {
    let mut checker = Checker { document, faults };
    let secrets = &spec.dns.cookie_secrets_file;
    if !secrets.as_os_str().is_empty() {
        check_cookie_secrets(secrets, &mut checker);
    }
    check_epp(spec, &mut checker);
    let tls = &spec.dns.tls;
    let named = [&tls.certificate_file, &tls.key_file]
        .iter()
        .all(|path| !path.as_os_str().is_empty());
    if named && let Err(error) = Credentials::load(&tls.certificate_file, &tls.key_file) {
        for fault in error.0 {
            let key = match fault.part() {
                Part::Certificate => "dns.tls.certificate-file",
                Part::Key => "dns.tls.key-file",
            };
            checker.fault(key, fault);
        }
    }
}

fn check_epp(spec: &Spec, checker: &mut Checker<'_>) {
    let epp = &spec.epp;
    let named = [&epp.certificate_file, &epp.key_file];
    if named.iter().any(|path| path.as_os_str().is_empty()) {
        return;
    }
    match Certificate::load(&epp.certificate_file, &epp.key_file) {
        Ok(_) => {}
        Err(error @ CertificateError::Key(_)) => checker.fault("epp.key-file", error),
        Err(error) => checker.fault("epp.certificate-file", error),
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
