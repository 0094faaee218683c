//! epp-01 to epp-03 and epp-17: the service, its greeting, who gets in, and that all of its
//! addresses are one.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::process::Command;
use std::sync::Arc;

use hickory_proto::rr::{RData, RecordType};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, ProtocolVersion, RootCertStore, StreamOwned,
    SupportedProtocolVersion,
};

use super::super::desk::{Reply, Talks, command, contact_create, host_create, name};
use super::super::live::{self, Client, Live, NAME, PASSWORD, login_as_greeted};
use super::{begin, contact, info, random_label};
use crate::peers::reference;
use crate::support::{Folder, PATIENCE, ask};

/// The chain of a certificate that an authority's authority stands for, as the server has
/// to present it: its own first. The client has the root only.
fn chain(folder: &Folder) -> CertificateDer<'static> {
    let authority = |name: &str| {
        let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        (params, KeyPair::generate().unwrap())
    };
    let (params, key) = authority("root");
    let root = CertifiedIssuer::self_signed(params, key).unwrap();
    let (params, key) = authority("between");
    let between = CertifiedIssuer::signed_by(params, key, &root).unwrap();
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    let own = params.signed_by(&key, &between).unwrap();
    folder.write("server.key", &key.serialize_pem());
    folder.write("server.pem", &(own.pem() + &between.pem()));
    CertificateDer::from_pem_slice(root.pem().as_bytes()).unwrap()
}

fn trusting(
    root: &CertificateDer<'static>,
    version: &'static SupportedProtocolVersion,
) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let builder = builder.with_protocol_versions(&[version]).unwrap();
    let builder = builder.with_root_certificates(roots);
    Arc::new(builder.with_no_client_auth())
}

/// Suites that RFC 9325 section 4.2 recommends, and those of TLS 1.3.
fn is_recommended(suite: u16) -> bool {
    [0xc02b, 0xc02c, 0xc02f, 0xc030, 0x1301, 0x1302, 0x1303].contains(&suite)
}

/// What the server says to a ClientHello of a version with some suites: an alert's
/// description, or none where it goes on.
fn hello(address: SocketAddr, version: [u8; 2], suites: &[u16]) -> Option<u8> {
    let suites: Vec<u8> = suites
        .iter()
        .flat_map(|suite| suite.to_be_bytes())
        .collect();
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len()).unwrap().to_be_bytes());
    body.extend(&suites);
    // No compression; groups and signatures that all servers have.
    body.extend([1, 0, 0, 18]);
    body.extend([0, 10, 0, 4, 0, 2, 0, 23]);
    body.extend([0, 13, 0, 6, 0, 4, 4, 1, 4, 3]);
    let length = u8::try_from(body.len()).unwrap();
    let message = [&[1, 0, 0, length], body.as_slice()].concat();
    let record = [&[22, 3, 1, 0, length + 4], message.as_slice()].concat();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&record).unwrap();
    let mut answer = [0; 7];
    stream.read_exact(&mut answer).unwrap();
    (answer[0] == 21).then_some(answer[6])
}

#[test]
fn epp_01_service_connectivity() {
    const PROTOCOL_VERSION: u8 = 70;
    const HANDSHAKE_FAILURE: u8 = 40;
    let folder = live::folder("");
    let root = chain(&folder);
    let live = Live::of(folder);
    // The name has addresses of both families, and the service answers at each.
    let dns = live.server.addresses[0];
    let mut published: Vec<IpAddr> = Vec::new();
    for rtype in [RecordType::A, RecordType::AAAA] {
        let reply = ask(dns, &format!("{NAME}."), rtype);
        published.extend(reply.answers.iter().map(|record| match &record.data {
            RData::A(address) => IpAddr::from(address.0),
            RData::AAAA(address) => IpAddr::from(address.0),
            other => panic!("{other:?}"),
        }));
    }
    let listening: Vec<_> = live.addresses.iter().map(SocketAddr::ip).collect();
    assert_eq!(published, listening);
    for address in &live.addresses {
        for (version, expected) in [
            (&TLS12, ProtocolVersion::TLSv1_2),
            (&TLS13, ProtocolVersion::TLSv1_3),
        ] {
            let stream = TcpStream::connect(address).unwrap();
            let mut client = Client::new(stream, trusting(&root, version));
            assert!(client.read().unwrap().contains("<greeting>"));
            let tls = &client.stream.conn;
            assert_eq!(tls.protocol_version(), Some(expected));
            let suite = tls.negotiated_cipher_suite().unwrap().suite();
            assert!(is_recommended(suite.into()), "{suite:?}");
        }
        // ECDHE with AES in GCM is taken, so what follows is refused for what it is.
        assert_eq!(hello(*address, [3, 3], &[0xc02f, 0xc02b]), None);
        for version in [[3, 0], [3, 1], [3, 2]] {
            let alert = hello(*address, version, &[0xc013, 0xc009, 0x002f]);
            assert_eq!(alert, Some(PROTOCOL_VERSION), "{version:?}");
        }
        // RSA key exchange, CBC, RC4, 3DES, NULL.
        for weak in [0x002f, 0xc013, 0x0005, 0x000a, 0x0001] {
            assert_eq!(
                hello(*address, [3, 3], &[weak]),
                Some(HANDSHAKE_FAILURE),
                "{weak:x}"
            );
        }
    }
    // A client that asks for another name does not get it.
    let stream = TcpStream::connect(live.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let other = ServerName::try_from("other.tld").unwrap();
    let tls = ClientConnection::new(trusting(&root, &TLS13), other).unwrap();
    let refused = StreamOwned::new(tls, stream).read(&mut [0; 4]).unwrap_err();
    assert!(
        refused.to_string().contains("not valid for name"),
        "{refused}"
    );
}

/// URIs that the EPP extension registry has; nothing where the reference data is missing.
fn registered_uris() -> Option<Vec<String>> {
    let text = std::fs::read_to_string(reference("rst/epp-extensions.yaml")?).unwrap();
    let uris = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("uri:"));
    Some(
        uris.map(|uri| uri.trim().trim_matches(['"', '\'']).to_owned())
            .collect(),
    )
}

/// A time of EPP in seconds since 1970, as `date` reads it.
fn seconds(text: &str) -> i64 {
    let mut date = Command::new("date");
    let output = date.args(["-u", "+%s", "-d", text]).output().unwrap();
    assert!(output.status.success(), "{text}");
    String::from_utf8(output.stdout)
        .unwrap()
        .trim()
        .parse()
        .unwrap()
}

#[test]
fn epp_02_protocol_conformance() {
    let live = Live::new("server-name = \"epp.tld\"");
    for address in &live.addresses {
        let (_, xml) = live.connect_to(*address, None);
        let greeting = Reply { code: 0, xml };
        assert_eq!(greeting.texts("svID"), ["epp.tld"]);
        let said = seconds(&greeting.texts("svDate").concat());
        let now = i64::try_from(meridian::clock::unix_seconds()).unwrap();
        assert!((said - now).abs() <= 30, "{said} {now}");
        assert_eq!(greeting.texts("version"), ["1.0"]);
        assert_eq!(greeting.texts("lang"), ["en"]);
        let (objects, extensions) = (greeting.texts("objURI"), greeting.texts("extURI"));
        let object = |name: &str| format!("urn:ietf:params:xml:ns:{name}-1.0");
        assert_eq!(objects, ["domain", "host", "contact"].map(object));
        // The two that are asked for and the four that are recommended. `launch-1.0` is
        // asked for but in the plan StandardRSPChangeTest: its place is kept.
        for uri in [
            "secDNS-1.1",
            "rgp-1.0",
            "epp:secure-authinfo-transfer-1.0",
            "epp:unhandled-namespaces-1.0",
            "epp:loginSec-1.0",
            "changePoll-1.0",
        ] {
            let uri = format!("urn:ietf:params:xml:ns:{uri}");
            assert!(extensions.contains(&uri), "no {uri}: {}", greeting.xml);
        }
        let Some(registered) = registered_uris() else {
            return;
        };
        assert!(registered.len() > 20);
        for uri in objects.iter().chain(&extensions) {
            assert!(registered.contains(uri), "{uri} is not registered");
        }
    }
}

#[test]
fn epp_03_authentication() {
    let live = Live::new("");
    live::pair(&live.folder, "stranger");
    let unknown = random_label();
    let attempts = [
        (&*unknown, PASSWORD, Some("reg-a")),
        ("reg-a", "foo-BAR2-bax", Some("reg-a")),
        ("reg-a", PASSWORD, Some("stranger")),
        ("reg-a", PASSWORD, Some("reg-b")),
        ("reg-a", PASSWORD, None),
    ];
    let mut reasons = Vec::new();
    for (account, password, certificate) in attempts {
        let (mut client, greeting) = live.connect_to(live.address, certificate);
        let refused = client.say(&login_as_greeted(account, password, &greeting));
        assert_eq!(
            refused.code, 2200,
            "{account} {certificate:?}: {}",
            refused.xml
        );
        // Nobody is in.
        reasons.extend(refused.texts("reason"));
        let check = command("check", "domain", &name("domain", "a.tld"), "");
        assert_eq!(client.say(&check).code, 2002);
    }
    // Nobody is told which of them it was.
    assert_eq!(reasons.len(), 5);
    reasons.dedup();
    assert_eq!(reasons.len(), 1, "{reasons:?}");
    live.whole_session(live.address, "reg-a");
}

/// What an `info` is answered with, without the names of transactions.
fn data(reply: &Reply) -> &str {
    let start = reply.xml.find("<resData>").unwrap();
    let end = reply.xml.find("</resData>").unwrap();
    &reply.xml[start..end]
}

#[test]
fn epp_17_service_port_consistency() {
    let mut sessions = begin();
    sessions.register("reg-a", "epp-17.tld");
    let host = "ns1.epp-17.tld";
    let address = [("v6", "2602:800:900e:1257::17")];
    sessions.expect(1000, "reg-a", &host_create(host, &address));
    sessions.expect(1000, "reg-a", &contact_create("of-epp-17"));
    let live = &sessions.live;
    assert_eq!(live.addresses.len(), 2);
    let addresses = live.addresses.iter();
    let mut clients: Vec<_> = addresses
        .map(|address| live.whole_session(*address, "reg-a"))
        .collect();
    for asked in [
        info("domain", "epp-17.tld"),
        info("host", host),
        contact("info", "of-epp-17", ""),
    ] {
        let replies: Vec<_> = clients
            .iter_mut()
            .map(|client| client.say(&asked))
            .collect();
        assert!(replies.iter().all(|reply| reply.code == 1000));
        assert_eq!(data(&replies[0]), data(&replies[1]));
    }
}
