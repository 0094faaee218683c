//! `meridian epp-client`: says frames to an EPP server, one after the other, after a login.
//!
//! For operators and registrars who try things: a frame is a file or a template, in which
//! `{KEY}` stands for what `--set KEY=VALUE` says. The password comes from a file and is never
//! shown, also not with `--xml`.

mod templates;

use std::io::{Read as _, Write as _};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use zeroize::Zeroizing;

use super::output;
use crate::epp::Offer;
use crate::epp::frame::{self, Decoder};
use crate::epp::namespace::{EPP, LOGIN_SEC};
use crate::epp::xml::Writer;

/// Longest wait for a server.
const PATIENCE: Duration = Duration::from_secs(30);
/// Longest frame that is read.
const FRAME_BYTES_MAX: usize = 1 << 20;
/// Longest password that a login itself has room for (RFC 5730).
const SHORT_PASSWORD: usize = 16;
/// Says that the password is in the extension (RFC 8807).
const IN_EXTENSION: &str = "[LOGIN-SECURITY]";

#[derive(Debug, Args)]
pub(super) struct EppClientArgs {
    /// List the templates with their keys, or show those that are named, and say nothing
    #[arg(long)]
    templates: bool,
    /// Address and port of the server
    #[arg(long, value_name = "ADDRESS", required_unless_present = "templates")]
    connect: Option<String>,
    /// Name that the server's certificate must have
    #[arg(long, value_name = "NAME", default_value = "localhost")]
    server_name: String,
    /// PEM file of the certificate, or of its authority, that the server must show
    #[arg(long, value_name = "FILE", required_unless_present = "templates")]
    server_certificate: Option<PathBuf>,
    /// The registrar's handle
    #[arg(long, value_name = "HANDLE", required_unless_present = "templates")]
    account: Option<String>,
    /// File with its password
    #[arg(long, value_name = "FILE", required_unless_present = "templates")]
    password_file: Option<PathBuf>,
    /// PEM file of its certificate
    #[arg(long, value_name = "FILE", required_unless_present = "templates")]
    certificate: Option<PathBuf>,
    /// PEM file of its private key
    #[arg(long, value_name = "FILE", required_unless_present = "templates")]
    key: Option<PathBuf>,
    /// Put VALUE where a frame has {KEY}; can be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The same with the first line of FILE, for what others may not see
    #[arg(long, value_name = "KEY=FILE")]
    set_file: Vec<String>,
    /// Show whole frames
    #[arg(long)]
    xml: bool,
    /// Files with a frame each, or names of templates, said in this order
    #[arg(value_name = "FRAME")]
    frames: Vec<String>,
}

pub(super) fn run(args: &EppClientArgs) -> anyhow::Result<()> {
    if args.templates {
        return list(args);
    }
    let frames: anyhow::Result<Vec<_>> = args.frames.iter().map(|name| read(args, name)).collect();
    let frames = frames?;
    let mut session = connect(args)?;
    let greeting = session.read()?;
    if args.xml {
        output::line(&greeting);
    }
    let begun = session.say(&login(args)?)?;
    let mut failed = show(args, "login", &begun);
    anyhow::ensure!(failed == 0, "the login was refused");
    for (name, xml) in args.frames.iter().zip(frames) {
        if args.xml {
            output::line(&xml);
        }
        let reply = session.say(&xml)?;
        failed += show(args, name, &reply);
    }
    let mut out = Writer::document();
    out.open("epp", &[("xmlns", EPP)]);
    out.open("command", &[]);
    out.empty("logout", &[]);
    out.close();
    out.close();
    show(args, "logout", &session.say(&out.finish())?);
    anyhow::ensure!(failed == 0, "{failed} commands were refused");
    Ok(())
}

/// The templates with what each has to be given, or whole.
fn list(args: &EppClientArgs) -> anyhow::Result<()> {
    for name in &args.frames {
        let template = templates::find(name);
        let template = template.with_context(|| format!("no template {name}"))?;
        output::line(template.xml().trim_end());
    }
    if args.frames.is_empty() {
        for template in templates::TEMPLATES {
            let keys: Vec<_> = template.keys().into_iter().collect();
            output::line(format_args!("{:<26} {}", template.name, keys.join(" ")));
        }
    }
    Ok(())
}

/// A frame with its values in place.
fn read(args: &EppClientArgs, name: &str) -> anyhow::Result<String> {
    let mut text = match templates::find(name) {
        Some(template) => template.xml(),
        None => std::fs::read_to_string(name).with_context(|| {
            format!("cannot read {name}; it is no template either, --templates lists them")
        })?,
    };
    let mut missing = templates::keys_of(&text);
    for (key, value) in values(args)? {
        let value = value.replace('&', "&amp;").replace('<', "&lt;");
        let value = value.replace('"', "&quot;");
        text = text.replace(&format!("{{{key}}}"), &value);
        missing.remove(&key);
    }
    let missing: Vec<_> = missing.into_iter().collect();
    anyhow::ensure!(
        missing.is_empty(),
        "{name} needs {}: say --set {}=VALUE",
        missing.join(" and "),
        missing.first().map_or("KEY", String::as_str)
    );
    Ok(text)
}

/// What `--set` and `--set-file` say.
fn values(args: &EppClientArgs) -> anyhow::Result<Vec<(String, Zeroizing<String>)>> {
    let mut values = Vec::new();
    for pair in &args.set {
        let (key, value) = pair.split_once('=').context("write --set KEY=VALUE")?;
        values.push((key.to_owned(), Zeroizing::new(value.to_owned())));
    }
    for pair in &args.set_file {
        let (key, file) = pair.split_once('=').context("write --set-file KEY=FILE")?;
        let text = std::fs::read_to_string(file).map(Zeroizing::new);
        let text = text.with_context(|| format!("cannot read {file}"))?;
        let line = text.lines().next().unwrap_or_default().to_owned();
        values.push((key.to_owned(), Zeroizing::new(line)));
    }
    Ok(values)
}

/// An argument that clap has asked for.
fn given<T>(argument: Option<&T>) -> &T {
    argument.expect("required without --templates")
}

fn login(args: &EppClientArgs) -> anyhow::Result<Zeroizing<String>> {
    let file = given(args.password_file.as_ref());
    let text = std::fs::read_to_string(file).map(Zeroizing::new);
    let text = text.with_context(|| format!("cannot read {}", file.display()))?;
    let password = text.trim_end_matches(['\n', '\r']);
    let is_long = password.chars().count() > SHORT_PASSWORD;
    let offer = Offer::default();
    let mut out = Writer::document();
    out.open("epp", &[("xmlns", EPP)]);
    out.open("command", &[]);
    out.open("login", &[]);
    let account: &String = given(args.account.as_ref());
    out.leaf("clID", &[], account);
    out.leaf("pw", &[], if is_long { IN_EXTENSION } else { password });
    out.open("options", &[]);
    out.leaf("version", &[], "1.0");
    out.leaf("lang", &[], "en");
    out.close();
    out.open("svcs", &[]);
    for uri in &offer.objects {
        out.leaf("objURI", &[], uri);
    }
    out.open("svcExtension", &[]);
    for uri in &offer.extensions {
        out.leaf("extURI", &[], uri);
    }
    out.close();
    out.close();
    out.close();
    if is_long {
        out.open("extension", &[]);
        out.open("loginSec:loginSec", &[("xmlns:loginSec", LOGIN_SEC)]);
        out.leaf("loginSec:pw", &[], password);
        out.close();
        out.close();
    }
    out.close();
    out.close();
    Ok(Zeroizing::new(out.finish()))
}

/// Says how a command went; gives 1 where it was refused.
fn show(args: &EppClientArgs, what: &str, reply: &str) -> usize {
    let between = |from: &str, to: &str| {
        let (_, rest) = reply.split_once(from)?;
        rest.split_once(to).map(|(text, _)| text)
    };
    let code = between("<result code=\"", "\"").unwrap_or("?");
    if args.xml {
        output::line(reply);
    } else {
        let text = between("<msg lang=\"en\">", "</msg>").unwrap_or_default();
        let transaction = between("<svTRID>", "</svTRID>").unwrap_or_default();
        output::line(format_args!("{what}: {code} {text} ({transaction})"));
        if let Some(reason) = between("<reason lang=\"en\">", "</reason>") {
            output::line(format_args!("  {reason}"));
        }
    }
    usize::from(!code.starts_with('1'))
}

struct Session {
    stream: StreamOwned<ClientConnection, TcpStream>,
    decoder: Decoder,
}

fn connect(args: &EppClientArgs) -> anyhow::Result<Session> {
    let pem = |file: &PathBuf| {
        let certificate = CertificateDer::from_pem_file(file);
        certificate.with_context(|| format!("no certificate in {}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    roots.add(pem(given(args.server_certificate.as_ref()))?)?;
    let file = given(args.key.as_ref());
    let key = PrivateKeyDer::from_pem_file(file)
        .ok()
        .with_context(|| format!("no private key in {}", file.display()))?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![pem(given(args.certificate.as_ref()))?], key)?;
    let name = ServerName::try_from(args.server_name.clone())?;
    let address = given(args.connect.as_ref()).to_socket_addrs()?.next();
    let address = address.context("--connect names no address")?;
    let stream = TcpStream::connect_timeout(&address, PATIENCE)
        .with_context(|| format!("no server answers: {address}"))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let connection = ClientConnection::new(Arc::new(config), name)?;
    Ok(Session {
        stream: StreamOwned::new(connection, stream),
        decoder: Decoder::new(FRAME_BYTES_MAX),
    })
}

impl Session {
    fn say(&mut self, xml: &str) -> anyhow::Result<String> {
        self.stream.write_all(&frame::encode(xml))?;
        self.stream.flush()?;
        self.read()
    }

    fn read(&mut self) -> anyhow::Result<String> {
        let mut octets = [0; 4096];
        loop {
            // A server says nothing unasked, so nothing of a next frame is lost here.
            let count = self.stream.read(&mut octets)?;
            anyhow::ensure!(count > 0, "the server closed the connection");
            if let Some(frame) = self.decoder.read(&mut &octets[..count])? {
                return Ok(String::from_utf8(frame)?);
            }
        }
    }
}
