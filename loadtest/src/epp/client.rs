//! A registrar's end of a session: TLS with a client certificate, frames of RFC 5734.
//!
//! Blocking, one thread a session, every wait bounded. Reads of an answer no more than its
//! code, the server's name for it and, where somebody looks, its text.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::frames::Frames;
use super::stage::SERVER_NAME;

/// Longest wait for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Longest frame that is read.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Its result code.
    pub code: u16,
    /// The server's name for the command.
    pub transaction: String,
    /// All of it.
    pub xml: String,
}

/// A session, or a connection that is to be one.
#[derive(Debug)]
pub struct Client {
    stream: StreamOwned<ClientConnection, TcpStream>,
}

/// How clients with this certificate come: `NAME.pem` and `NAME.key` in a folder, where
/// `server.pem` is what they trust.
pub(super) fn config(folder: &Path, name: &str) -> anyhow::Result<Arc<ClientConfig>> {
    let pem = |name: &str| {
        let file = folder.join(format!("{name}.pem"));
        CertificateDer::from_pem_file(&file).with_context(|| format!("reading {}", file.display()))
    };
    let mut roots = RootCertStore::empty();
    roots.add(pem("server")?).context("trusting the server")?;
    let key = folder.join(format!("{name}.key"));
    let key =
        PrivateKeyDer::from_pem_file(&key).with_context(|| format!("reading {}", key.display()))?;
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![pem(name)?], key)?;
    Ok(Arc::new(config))
}

impl Client {
    /// A connection past its greeting.
    pub fn connect(config: Arc<ClientConfig>, address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)
            .with_context(|| format!("connecting to {address}"))?;
        Self::over(config, stream)
    }

    /// The same over a connection that is there.
    pub fn over(config: Arc<ClientConfig>, stream: TcpStream) -> anyhow::Result<Self> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from(SERVER_NAME).expect("a name");
        let connection = ClientConnection::new(config, name)?;
        let mut client = Self {
            stream: StreamOwned::new(connection, stream),
        };
        let greeting = client.read().context("reading the greeting")?;
        anyhow::ensure!(greeting.contains("<greeting>"), "no greeting: {greeting}");
        Ok(client)
    }

    /// Begins a session.
    pub fn log_in(&mut self, account: &str, password: &str) -> anyhow::Result<()> {
        let answer = self.say(&Frames::login(account, password))?;
        anyhow::ensure!(answer.code == 1000, "login refused: {}", answer.xml);
        Ok(())
    }

    /// Says a frame and waits for its answer.
    pub fn say(&mut self, xml: &str) -> anyhow::Result<Answer> {
        let length = u32::try_from(xml.len() + 4).context("a frame that is too long")?;
        let frame = [&length.to_be_bytes(), xml.as_bytes()].concat();
        self.stream.write_all(&frame).context("saying a command")?;
        self.stream.flush().context("saying a command")?;
        let xml = self.read().context("reading an answer")?;
        let between = |from: &str, to: char| {
            let (_, rest) = xml.split_once(from)?;
            rest.split_once(to).map(|(text, _)| text)
        };
        let code = between("<result code=\"", '"').and_then(|code| code.parse().ok());
        let (Some(code), Some(transaction)) = (code, between("<svTRID>", '<')) else {
            bail!("no response: {xml}");
        };
        Ok(Answer {
            code,
            transaction: transaction.to_owned(),
            xml,
        })
    }

    fn read(&mut self) -> anyhow::Result<String> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length))?;
        anyhow::ensure!(
            (5..=FRAME_BYTES_MAX).contains(&length),
            "a frame of {length} octets"
        );
        let mut octets = vec![0; length - 4];
        self.stream.read_exact(&mut octets)?;
        String::from_utf8(octets).context("an answer that is not UTF-8")
    }
}
