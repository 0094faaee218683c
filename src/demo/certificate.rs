//! DNS over TLS for the demo: a certificate that signs itself.
//!
//! Its key is made anew at each start, can be read by its owner only, and goes away
//! with the demo's folder. Nobody has reason to trust it, and nobody is asked to.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::Context;

use crate::config::Tls;

/// Connections are one person's.
const CONNECTIONS_MAX: usize = 64;

/// Makes certificate and key in `folder`; gives the settings of a service with them,
/// on a port that the system picks.
pub(super) fn tls(folder: &Path, listen: SocketAddr) -> anyhow::Result<Tls> {
    let names = vec!["localhost".to_owned(), listen.ip().to_string()];
    let made = rcgen::generate_simple_self_signed(names).context("cannot make a certificate")?;
    let (certificate_file, key_file) = (folder.join("certificate.pem"), folder.join("key.pem"));
    write(&certificate_file, &made.cert.pem())?;
    write(&key_file, &made.signing_key.serialize_pem())?;
    Ok(Tls {
        listen: vec![SocketAddr::new(listen.ip(), 0)],
        certificate_file,
        key_file,
        threads: 1,
        connections_max: CONNECTIONS_MAX,
        connections_per_prefix_max: CONNECTIONS_MAX,
        handshake_timeout: std::time::Duration::from_secs(5),
    })
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("cannot write {}", path.display()))
}
