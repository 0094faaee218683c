//! A server with EPP that runs, and registrars that come over TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::desk::{Reply, plain};
use crate::support::{Folder, PATIENCE, Running};

const NAME: &str = "epp.example";
/// What both registrars say at first.
pub(crate) const PASSWORD: &str = "foo-BAR2-baz";
/// A registry's two TLDs need name servers of their own.
const SERVERS: [&str; 2] = ["ns1.registry.example", "ns2.registry.example"];

/// A folder with the zone `tld`, registrars `reg-a` and `reg-b` with a password and a
/// certificate each, and a configuration.
pub(crate) fn folder(lines: &str) -> Folder {
    let folder = Folder::new();
    configure(&folder, lines);
    folder.succeed(&["registry", "init"]);
    let records = SERVERS.map(|server| format!("tld. 86400 NS {server}."));
    let mut zone = vec!["registry", "zone", "create", "tld", "--mname", SERVERS[0]];
    zone.extend(["--rname", "dns.registry.example"]);
    zone.extend(
        records
            .iter()
            .flat_map(|record| ["--record", record.as_str()]),
    );
    folder.succeed(&zone);
    pair(&folder, "server");
    for registrar in ["reg-a", "reg-b"] {
        folder.succeed(&[
            "registry",
            "registrar",
            "create",
            registrar,
            "--name",
            registrar,
        ]);
        set_password(&folder, registrar, PASSWORD);
        pair(&folder, registrar);
        pin(&folder, "pin", registrar, registrar);
    }
    folder
}

/// Writes the configuration with these lines in `[epp]`.
pub(crate) fn configure(folder: &Folder, lines: &str) {
    folder.configure("listen = [\"127.0.0.1:0\"]\nworkers = 1");
    let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    let epp = format!(
        "[registry]\ndatabase = \"sqlite:registry.db\"\n[epp]\nlisten = [\"127.0.0.1:0\"]\n\
         certificate-file = \"server.pem\"\nkey-file = \"server.key\"\n{lines}\n"
    );
    folder.write("meridian.toml", &format!("{text}{epp}"));
}

/// A certificate that signs itself, and its key, as files of this name.
pub(crate) fn pair(folder: &Folder, name: &str) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    folder.write(&format!("{name}.key"), &key.serialize_pem());
    folder.write(&format!("{name}.pem"), &certificate.pem());
}

/// `registry registrar pin` or `unpin` with the certificate of this name.
pub(crate) fn pin(folder: &Folder, verb: &str, registrar: &str, name: &str) {
    folder.succeed(&[
        "registry",
        "registrar",
        verb,
        registrar,
        &format!("{name}.pem"),
    ]);
}

fn set_password(folder: &Folder, registrar: &str, password: &str) {
    let mut command = folder.command(&["registry", "registrar", "set-password", registrar]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(format!("{password}\n").as_bytes()).unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

/// A server that runs.
pub(crate) struct Live {
    pub(crate) folder: Folder,
    pub(crate) server: Running,
    pub(crate) address: SocketAddr,
}

impl Live {
    /// With these lines in `[epp]`.
    pub(crate) fn new(lines: &str) -> Self {
        Self::of(folder(lines))
    }

    pub(crate) fn of(folder: Folder) -> Self {
        let server = folder.serve();
        let listen = folder.status()["epp"]["listen"][0].clone();
        let address = serde_json::from_value(listen).unwrap();
        Self {
            folder,
            server,
            address,
        }
    }

    /// A connection with the certificate of this name, or none, past its greeting.
    pub(crate) fn connect(&self, certificate: Option<&str>) -> Client {
        let mut client = self.connect_quietly(certificate);
        let greeting = client.read().unwrap();
        assert!(greeting.contains("<greeting>"), "{greeting}");
        client
    }

    fn connect_quietly(&self, certificate: Option<&str>) -> Client {
        let path =
            |name: &str, kind: &str| -> PathBuf { self.folder.path(&format!("{name}.{kind}")) };
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(path("server", "pem")).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match certificate {
            None => builder.with_no_client_auth(),
            Some(name) => {
                let chain = vec![CertificateDer::from_pem_file(path(name, "pem")).unwrap()];
                let key = PrivateKeyDer::from_pem_file(path(name, "key")).unwrap();
                builder.with_client_auth_cert(chain, key).unwrap()
            }
        };
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let connection = ClientConnection::new(Arc::new(config), name).unwrap();
        Client(StreamOwned::new(connection, stream))
    }

    /// A session of a registrar.
    pub(crate) fn session(&self, registrar: &str) -> Client {
        let mut client = self.connect(Some(registrar));
        let reply = client.say(&login(registrar, PASSWORD));
        assert_eq!(reply.code, 1000, "{}", reply.xml);
        client
    }
}

/// A registrar's end of a connection.
pub(crate) struct Client(pub(crate) StreamOwned<ClientConnection, TcpStream>);

impl Client {
    /// The XML of a frame.
    pub(crate) fn read(&mut self) -> std::io::Result<String> {
        let mut length = [0; 4];
        self.0.read_exact(&mut length)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap();
        let mut octets = vec![0; length - 4];
        self.0.read_exact(&mut octets)?;
        Ok(String::from_utf8(octets).unwrap())
    }

    pub(crate) fn write(&mut self, octets: &[u8]) {
        self.0.write_all(octets).unwrap();
        self.0.flush().unwrap();
    }

    /// A response to what was said.
    pub(crate) fn reply(&mut self) -> Reply {
        let xml = self.read().unwrap();
        let (_, code) = xml.split_once("<result code=\"").unwrap();
        let code = code[..4].parse().unwrap();
        Reply { code, xml }
    }

    pub(crate) fn say(&mut self, xml: &str) -> Reply {
        self.write(&framed(xml.as_bytes()));
        self.reply()
    }

    /// Whether the server has closed, with nothing more to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.0.read(&mut [0; 16]), Ok(0))
    }
}

pub(crate) fn framed(xml: &[u8]) -> Vec<u8> {
    let length = u32::try_from(xml.len() + 4).unwrap();
    [&length.to_be_bytes(), xml].concat()
}

const DOMAIN: &str = "urn:ietf:params:xml:ns:domain-1.0";
pub(crate) const LOGIN_SEC: &str = "urn:ietf:params:xml:ns:epp:loginSec-1.0";

/// A login that declares domains, hosts and contacts.
pub(crate) fn login(account: &str, password: &str) -> String {
    login_with(account, password, "", [])
}

/// The same with a new password, and with texts put in the place of others.
pub(crate) fn login_with<const N: usize>(
    account: &str,
    password: &str,
    new_password: &str,
    instead: [(&str, &str); N],
) -> String {
    let new_password = match new_password {
        "" => String::new(),
        text => format!("<newPW>{text}</newPW>"),
    };
    let objects = [
        DOMAIN,
        "urn:ietf:params:xml:ns:host-1.0",
        "urn:ietf:params:xml:ns:contact-1.0",
    ];
    let objects = objects
        .map(|uri| format!("<objURI>{uri}</objURI>"))
        .concat();
    let mut xml = plain(&format!(
        "<login><clID>{account}</clID><pw>{password}</pw>{new_password}<options>\
         <version>1.0</version><lang>en</lang></options><svcs>{objects}<svcExtension>\
         <extURI>urn:ietf:params:xml:ns:secDNS-1.1</extURI><extURI>{LOGIN_SEC}</extURI>\
         </svcExtension></svcs></login>"
    ));
    for (from, to) in instead {
        assert!(xml.contains(from), "{from}");
        xml = xml.replace(from, to);
    }
    xml
}

/// The account of a login and what it is answered.
pub(crate) fn logout() -> String {
    plain("<logout/>")
}
