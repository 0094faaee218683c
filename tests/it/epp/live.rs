//! A server with EPP that runs, and registrars that come over TLS.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::desk::{Reply, Talks, plain};
use super::recorder::Recorder;
use crate::support::{Folder, PATIENCE, Running};

/// The name in every certificate; the zone has its addresses.
pub(crate) const NAME: &str = "epp.tld";
/// What both registrars say at first.
pub(crate) const PASSWORD: &str = "foo-BAR2-baz";
/// A registry's two TLDs need name servers of their own.
const SERVERS: [&str; 2] = ["ns1.registry.example", "ns2.registry.example"];

/// A folder with the zone `tld`, registrars `reg-a` and `reg-b` with a password and a
/// certificate each, and a configuration.
pub(crate) fn folder(lines: &str) -> Folder {
    folder_at("sqlite:registry.db", lines)
}

/// The same with the registry in this database.
pub(crate) fn folder_at(database: &str, lines: &str) -> Folder {
    let folder = Folder::new();
    configure(&folder, database, lines);
    folder.succeed(&["registry", "init"]);
    let mut records: Vec<_> = SERVERS
        .iter()
        .map(|server| format!("tld. 86400 NS {server}."))
        .collect();
    records.push(format!("{NAME}. 3600 A 127.0.0.1"));
    records.push(format!("{NAME}. 3600 AAAA ::1"));
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
        add_registrar(&folder, registrar);
    }
    folder
}

/// A registrar that can log in.
pub(crate) fn add_registrar(folder: &Folder, registrar: &str) {
    let create = ["registry", "registrar", "create", registrar, "--name"];
    folder.succeed(&[&create[..], &[registrar]].concat());
    set_password(folder, registrar, PASSWORD);
    pair(folder, registrar);
    pin(folder, "pin", registrar, registrar);
}

/// Writes the configuration with these lines in `[epp]`.
fn configure(folder: &Folder, database: &str, lines: &str) {
    folder.configure("listen = [\"127.0.0.1:0\"]\nworkers = 1");
    let text = std::fs::read_to_string(folder.path("meridian.toml")).unwrap();
    let epp = format!(
        "[registry]\ndatabase = \"{database}\"\n[epp]\n\
         listen = [\"127.0.0.1:0\", \"[::1]:0\"]\n\
         certificate-file = \"server.pem\"\nkey-file = \"server.key\"\n{lines}\n"
    );
    folder.write("meridian.toml", &format!("{text}{epp}"));
}

/// A certificate that signs itself, and its key, as files of this name.
pub(crate) fn pair(folder: &Folder, name: &str) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["127.0.0.1", "::1", NAME].map(str::to_owned)).unwrap();
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
    /// All of them.
    pub(crate) addresses: Vec<SocketAddr>,
    /// The first.
    pub(crate) address: SocketAddr,
    keeps_contacts: bool,
}

impl Live {
    /// With these lines in `[epp]`.
    pub(crate) fn new(lines: &str) -> Self {
        Self::of(folder(lines))
    }

    /// The same where domains have contacts, with more registrars.
    pub(crate) fn with_contacts(lines: &str, others: &[&str]) -> Self {
        let folder = folder(lines);
        for registrar in others {
            add_registrar(&folder, registrar);
        }
        let policy = ["registry", "zone", "policy", "tld", "--set"];
        folder.succeed(&[&policy[..], &["data-model=maximum"]].concat());
        let mut live = Self::of(folder);
        live.keeps_contacts = true;
        live
    }

    pub(crate) fn of(folder: Folder) -> Self {
        let command = folder.command(&["serve"]);
        Self::of_command(folder, command)
    }

    /// By a command that becomes the server.
    pub(crate) fn of_command(folder: Folder, command: Command) -> Self {
        let server = folder.serve_by(command);
        let listen = folder.status()["epp"]["listen"].clone();
        let addresses: Vec<_> = serde_json::from_value(listen).unwrap();
        Self {
            folder,
            server,
            address: addresses[0],
            addresses,
            keeps_contacts: false,
        }
    }

    /// A connection with the certificate of this name, or none, past its greeting.
    pub(crate) fn connect(&self, certificate: Option<&str>) -> Client {
        self.connect_to(self.address, certificate).0
    }

    /// The same to one of the addresses, with its greeting.
    pub(crate) fn connect_to(
        &self,
        address: SocketAddr,
        certificate: Option<&str>,
    ) -> (Client, String) {
        let config = client_config(&self.folder, certificate);
        let mut client = Client::new(TcpStream::connect(address).unwrap(), config);
        let greeting = client.read().unwrap();
        assert!(greeting.contains("<greeting>"), "{greeting}");
        (client, greeting)
    }

    /// A session of a registrar.
    pub(crate) fn session(&self, registrar: &str) -> Client {
        let mut client = self.connect(Some(registrar));
        let reply = client.say(&login(registrar, PASSWORD));
        assert_eq!(reply.code, 1000, "{}", reply.xml);
        client
    }

    /// One that declares all that the greeting offers.
    pub(crate) fn whole_session(&self, address: SocketAddr, registrar: &str) -> Client {
        let (mut client, greeting) = self.connect_to(address, Some(registrar));
        let reply = client.say(&login_as_greeted(registrar, PASSWORD, &greeting));
        assert_eq!(reply.code, 1000, "{}", reply.xml);
        client
    }
}

/// A client that trusts the server of a folder, with the certificate of this name or none.
pub(crate) fn client_config(folder: &Folder, certificate: Option<&str>) -> Arc<ClientConfig> {
    let path = |name: &str, kind: &str| -> PathBuf { folder.path(&format!("{name}.{kind}")) };
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
    Arc::new(config)
}

/// A registrar's end of a connection.
pub(crate) struct Client {
    pub(crate) stream: StreamOwned<ClientConnection, TcpStream>,
    recorder: Recorder,
}

impl Client {
    /// On a stream; the greeting comes next.
    pub(crate) fn new(stream: TcpStream, config: Arc<ClientConfig>) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let name = ServerName::try_from(NAME).unwrap();
        let connection = ClientConnection::new(config, name).unwrap();
        Self {
            stream: StreamOwned::new(connection, stream),
            recorder: Recorder::new(),
        }
    }

    /// The XML of a frame.
    pub(crate) fn read(&mut self) -> std::io::Result<String> {
        let mut header = [0; 4];
        self.stream.read_exact(&mut header)?;
        let length = usize::try_from(u32::from_be_bytes(header)).unwrap();
        let mut octets = vec![0; length - 4];
        self.stream.read_exact(&mut octets)?;
        self.recorder.heard(&header);
        self.recorder.heard(&octets);
        Ok(String::from_utf8(octets).unwrap())
    }

    pub(crate) fn write(&mut self, octets: &[u8]) {
        self.recorder.said(octets);
        self.stream.write_all(octets).unwrap();
        self.stream.flush().unwrap();
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

    /// Whether the server ends it by an alert of TLS.
    pub(crate) fn is_told_by_alert(&mut self) -> bool {
        let ended = self.stream.read(&mut [0; 16]);
        ended.is_err_and(|error| error.to_string().contains("alert"))
    }

    /// Whether the server has closed, with nothing more to read.
    pub(crate) fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0; 16]), Ok(0))
    }
}

/// Registrars with a session each.
pub(crate) struct Sessions {
    pub(crate) live: Live,
    open: BTreeMap<String, Client>,
}

impl Sessions {
    /// With nobody logged in yet.
    pub(crate) fn new(live: Live) -> Self {
        let open = BTreeMap::new();
        Self { live, open }
    }
}

impl Talks for Sessions {
    fn say(&mut self, who: &str, xml: &str) -> Reply {
        let open = self.open.entry(who.to_owned());
        let client = open.or_insert_with(|| self.live.whole_session(self.live.address, who));
        client.say(xml)
    }

    fn keeps_contacts(&self) -> bool {
        self.live.keeps_contacts
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

/// A login with the password in its extension (RFC 8807), which declares all objects and
/// extensions of a greeting.
pub(crate) fn login_as_greeted(account: &str, password: &str, greeting: &str) -> String {
    let greeting = Reply {
        code: 0,
        xml: greeting.to_owned(),
    };
    let uris = |element: &str| {
        let uris = greeting.texts(element);
        let uris = uris
            .iter()
            .map(|uri| format!("<{element}>{uri}</{element}>"));
        uris.collect::<String>()
    };
    let (objects, extensions) = (uris("objURI"), uris("extURI"));
    format!(
        "<epp xmlns=\"urn:ietf:params:xml:ns:epp-1.0\"><command><login><clID>{account}</clID>\
         <pw>[LOGIN-SECURITY]</pw><options><version>1.0</version><lang>en</lang></options>\
         <svcs>{objects}<svcExtension>{extensions}</svcExtension></svcs></login><extension>\
         <loginSec:loginSec xmlns:loginSec=\"{LOGIN_SEC}\"><loginSec:userAgent><loginSec:app>\
         tests</loginSec:app></loginSec:userAgent><loginSec:pw>{password}</loginSec:pw>\
         </loginSec:loginSec></extension><clTRID>ABC-12345</clTRID></command></epp>"
    )
}

/// The account of a login and what it is answered.
pub(crate) fn logout() -> String {
    plain("<logout/>")
}
