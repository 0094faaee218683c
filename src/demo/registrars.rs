//! EPP for the demo: two registrars with a password and a certificate each, and frames
//! that register a name.
//!
//! Everything is made anew at each start and goes away with the demo's folder.

use std::net::SocketAddr;
use std::path::Path;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use super::{certificate, sample};
use crate::config::{Config, Epp};
use crate::registry::access::{PasswordHash, Pin};
use crate::registry::command::registrar::{RegistrarAccess, RegistrarCommand, RegistrarCreate};
use crate::registry::types::Handle;
use crate::registry::{Actor, Command, Database, Request, Timestamp};

pub(super) const REGISTRARS: [&str; 2] = ["demo-a", "demo-b"];
/// The frames, in the order in which they register a name.
const FRAMES: [&str; 3] = ["host-1.xml", "host-2.xml", "domain.xml"];

/// The settings of EPP, on a port that the system picks.
pub(super) fn settings(folder: &Path, listen: SocketAddr) -> anyhow::Result<Epp> {
    let spec = format!(
        "[registry]\ndatabase = \"sqlite:x\"\n[epp]\nlisten = [\"{}\"]\n\
         certificate-file = \"x\"\nkey-file = \"x\"\nserver-name = \"Meridian demo\"\n\
         lab = true\nthreads = 1\n",
        SocketAddr::new(listen.ip(), 0)
    );
    let config = Config::parse(&spec).ok().and_then(|config| config.epp);
    Ok(Epp {
        certificate_file: folder.join("certificate.pem"),
        key_file: folder.join("key.pem"),
        ..config.context("the demo's settings of EPP have a fault")?
    })
}

/// Makes the registrars, their certificates and the frames.
pub(super) async fn make(
    database: &mut Database,
    folder: &Path,
    now: Timestamp,
) -> anyhow::Result<()> {
    for name in REGISTRARS {
        let made = rcgen::generate_simple_self_signed(vec![name.to_owned()])
            .context("cannot make a certificate")?;
        let chain_file = folder.join(format!("{name}.pem"));
        certificate::write(&chain_file, &made.cert.pem())?;
        let key_file = folder.join(format!("{name}.key"));
        certificate::write(&key_file, &made.signing_key.serialize_pem())?;
        let mut random = [0; 8];
        let filled = aws_lc_rs::rand::fill(&mut random).ok();
        filled.context("the system gave no random numbers")?;
        let password = format!("{:016x}", u64::from_be_bytes(random));
        let password = password.as_str();
        certificate::write(&folder.join(format!("{name}.password")), password)?;
        let handle: Handle = name.parse()?;
        let mut access = RegistrarAccess::new(handle.clone());
        access.password_hash = Some(PasswordHash::of(&handle, password)?);
        let der = CertificateDer::from_pem_file(&chain_file)?;
        access.pin.push(Pin::of_certificate(&der));
        let create = RegistrarCreate {
            handle,
            name: format!("Registrar {name}"),
            iana_id: None,
        };
        for command in [
            RegistrarCommand::Create(create),
            RegistrarCommand::Access(Box::new(access)),
        ] {
            let request = Request {
                actor: Actor::operator("demo"),
                at: now,
                lab: true,
                command: Command::Registrar(command),
            };
            Box::pin(database.execute(&request)).await?;
        }
    }
    for (file, text) in FRAMES.iter().zip(frames()) {
        certificate::write(&folder.join(file), &text)?;
    }
    Ok(())
}

fn frames() -> [String; 3] {
    let frame = |body: &str| {
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command><create>{body}</create>\
             </command></epp>\n"
        )
    };
    let host = |name: &str| {
        frame(&format!(
            "<host:create xmlns:host=\"urn:ietf:params:xml:ns:host-1.0\">\
             <host:name>{name}</host:name></host:create>"
        ))
    };
    let hosts = ["ns1.epp-demo.example", "ns2.epp-demo.example"];
    let servers = hosts.map(|name| format!("<domain:hostObj>{name}</domain:hostObj>"));
    let domain = frame(&format!(
        "<domain:create xmlns:domain=\"urn:ietf:params:xml:ns:domain-1.0\">\
         <domain:name>{{NAME}}</domain:name><domain:ns>{}</domain:ns>\
         <domain:authInfo><domain:pw/></domain:authInfo></domain:create>",
        servers.concat()
    ));
    [host(hosts[0]), host(hosts[1]), domain]
}

/// A command that registers a name, and the name.
pub(super) fn example(folder: &Path, address: SocketAddr) -> (String, String) {
    let name = format!("by-epp.{}", sample::APEX);
    let path = |file: &str| folder.join(file).display().to_string();
    let frames = FRAMES.map(path).join(" ");
    let account = REGISTRARS[0];
    let said = name.trim_end_matches('.');
    let command = format!(
        "meridian epp-client --connect {address} --server-certificate {} --account {account} \
         --password-file {} --certificate {} --key {} --set NAME={said} {frames}",
        path("certificate.pem"),
        path(&format!("{account}.password")),
        path(&format!("{account}.pem")),
        path(&format!("{account}.key")),
    );
    (command, name)
}
