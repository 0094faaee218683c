//! WHOIS and RDAP as clients and schemas that we did not write see them: Debian's `whois`
//! and `curl`, and the JSON schemas of ICANN's RDAP conformance tool under Python's
//! `jsonschema`, with IANA's registries behind their formats.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::Write as _;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{reference, wanted};
use crate::lookup::client::get;
use crate::lookup::{Live, apply, keys_and_attributes};
use crate::tls;

/// Reads lines of `[schema, document]`; prints what is wrong. The tool's own formats are
/// checked against IANA's files; what RFC 8977, 8982 and 9537 add is not in its schemas.
const JUDGE: &str = r"
import glob, ipaddress, json, os, re, sys, warnings
import xml.etree.ElementTree as tree
from urllib.parse import urlsplit
warnings.simplefilter('ignore')
import jsonschema

root = sys.argv[1]
base = 'http://schemas.invalid/'

# An identifier inside a schema would be the base of the references beside it.
def plain(part):
    if isinstance(part, dict):
        return {key: plain(value) for key, value in part.items() if key != '$id'}
    return [plain(value) for value in part] if isinstance(part, list) else part

store = {}
for path in glob.glob(os.path.join(root, 'json-schema', '*.json')):
    with open(path) as file:
        store[base + os.path.basename(path)] = plain(json.load(file))

def values(kinds):
    space = '{http://www.iana.org/assignments}'
    found = set()
    for record in tree.parse(os.path.join(root, 'iana', 'rdap-json-values.xml')).iter(space + 'record'):
        if record.findtext(space + 'type') in kinds:
            found.add(record.findtext(space + 'value'))
    return found

def relations():
    space = '{http://www.iana.org/assignments}'
    records = tree.parse(os.path.join(root, 'iana', 'link-relations.xml')).iter(space + 'record')
    return {record.findtext(space + 'value') for record in records}

sets = {
    'status': values(['status']),
    'role': values(['role']),
    'eventAction': values(['event action']),
    'noticeAndRemark': values(['notice or remark type', 'notice and remark type']),
    'linkRelations': relations(),
}
assert all(len(found) > 3 for name, found in sets.items() if name != 'noticeAndRemark'), sets
checker = jsonschema.FormatChecker(formats=())
for name, found in sets.items():
    checker.checks(name)(lambda value, found=found: value in found)
label = re.compile(r'^(?!-)[^\s.]{1,63}(?<!-)$')
host = lambda text: len(text) <= 253 and all(label.match(part) for part in text.split('.'))
def address(kind):
    def check(text):
        try:
            return bool(kind(text))
        except ValueError:
            return False
    return check
def uri(text):
    return re.match(r'^https?://[A-Za-z0-9._~:/?#@!$&()*+,;=%\[\]-]+$', text) is not None
checker.checks('idn-hostname')(lambda text: '.' in text and host(text))
checker.checks('uri')(uri)
checker.checks('hostname-in-uri')(lambda text: bool(urlsplit(text).hostname))
checker.checks('ipv4-validation')(address(ipaddress.IPv4Address))
checker.checks('ipv6-validation')(address(ipaddress.IPv6Address))
checker.checks('mediaTypes')(lambda text: text in ('text/html', 'application/rdap+json'))
checker.checks('date-time')(lambda text: re.match(r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$', text) is not None)

count = 0
for line in sys.stdin:
    name, document = json.loads(line)
    schema = store[base + name]
    resolver = jsonschema.RefResolver(base + name, schema, store=store)
    validator = jsonschema.Draft7Validator(schema, resolver=resolver, format_checker=checker)
    for error in validator.iter_errors(document):
        print(name, document.get('handle', document.get('ldhName')), list(error.absolute_path), error.message[:200])
    count += 1
print('judged', count)
";

/// What the schemas say against documents, one line each.
fn judged(documents: &[(&str, Value)]) -> Option<Vec<String>> {
    let folder = reference("rdap/json-schema/rdap_domain.json")?;
    let root = folder.parent().unwrap().parent().unwrap().to_owned();
    let mut command = Command::new("/usr/bin/python3");
    let mut child = command
        .args(["-c", JUDGE])
        .arg(root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for (schema, document) in documents {
        writeln!(input, "{}", json!([schema, document])).unwrap();
    }
    drop(input);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let mut lines: Vec<_> = text.lines().map(str::to_owned).collect();
    assert_eq!(lines.pop(), Some(format!("judged {}", documents.len())));
    Some(lines)
}

/// Takes away what later RFCs add to the objects of RFC 9083.
fn without_extensions(mut value: Value) -> Value {
    match &mut value {
        Value::Object(object) => {
            let metadata = ["subsetting_metadata", "paging_metadata", "sorting_metadata"];
            for key in metadata.iter().chain(&["redacted"]) {
                object.remove(*key);
            }
            for member in object.values_mut() {
                *member = without_extensions(member.take());
            }
        }
        Value::Array(array) => {
            for member in array.iter_mut() {
                *member = without_extensions(member.take());
            }
        }
        _ => {}
    }
    value
}

#[test]
fn every_kind_of_answer_is_valid_by_the_schemas_of_the_conformance_tool() {
    if !wanted(&["python3"]) {
        return;
    }
    let live = Live::with(
        "terms-url = \"https://nic.tld/terms\"",
        "base-url = \"https://rdap.nic.tld/\"",
    );
    apply(
        &live.folder,
        &[json!({ "domain": { "update": {
        "name": "open.tld", "add": { "statuses": ["serverHold", "serverTransferProhibited"] } } } })],
    );
    apply(&live.folder, &keys_and_attributes());
    let mut documents = Vec::new();
    for (schema, path, status) in [
        ("rdap_domain.json", "/domain/person.tld", 200),
        ("rdap_domain.json", "/domain/org.tld", 200),
        ("rdap_domain.json", "/domain/open.tld", 200),
        ("rdap_domain.json", "/domain/thin.tld", 200),
        ("rdap_domain.json", "/domain/keys.other", 200),
        ("rdap_nameserver.json", "/nameserver/ns1.org.tld", 200),
        (
            "rdap_nameserver.json",
            "/nameserver/ns2.outside.example",
            200,
        ),
        ("rdap_entity.json", "/entity/9995", 200),
        ("rdap_entity.json", "/entity/Registrar%20B", 200),
        ("rdap_help.json", "/help", 200),
        ("rdap_nameservers.json", "/nameservers?ip=192.0.2.1", 200),
        ("rdap_nameservers.json", "/nameservers?name=ns1.org*", 200),
        ("rdap_error.json", "/domain/nobody.tld", 404),
        ("rdap_error.json", "/domain/a..b", 400),
        ("rdap_error.json", "/domains?name=*", 422),
        ("rdap_error.json", "/ip/192.0.2.1", 501),
    ] {
        let reply = get(live.rdap, path);
        assert_eq!(reply.status, status, "{path}: {}", reply.body);
        documents.push((schema, without_extensions(reply.json)));
    }
    let org = &documents[1].1["entities"][1]["handle"];
    let contact = get(live.rdap, &format!("/entity/{}", org.as_str().unwrap()));
    documents.push(("rdap_entity.json", without_extensions(contact.json)));
    for (schema, member, path) in [
        (
            "rdap_domain.json",
            "domainSearchResults",
            "/domains?name=person*.tld",
        ),
        (
            "rdap_entity.json",
            "entitySearchResults",
            "/entities?fn=Reg*",
        ),
    ] {
        let found = without_extensions(get(live.rdap, path).json);
        for object in found[member].as_array().unwrap() {
            documents.push((schema, object.clone()));
        }
    }
    let Some(faults) = judged(&documents) else {
        return;
    };
    assert_eq!(faults, [] as [String; 0]);
    // The judge can tell: a document with a word that IANA does not have, and one without
    // what it must have.
    let mut spoiled = documents[0].1.clone();
    spoiled["status"] = json!(["active", "very active"]);
    let mut lacking = documents[0].1.clone();
    lacking.as_object_mut().unwrap().remove("ldhName");
    let faults = judged(&[("rdap_domain.json", spoiled), ("rdap_domain.json", lacking)]).unwrap();
    assert_eq!(faults.len(), 2, "{faults:?}");
}

fn said(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn debians_whois_reads_every_kind_of_answer() {
    if !wanted(&["whois"]) {
        return;
    }
    let live = Live::new();
    let port = live.whois.port().to_string();
    let ask = |question: &str| said("whois", &["-h", "127.0.0.1", "-p", &port, question]);
    for (question, expected) in [
        ("person.tld", "Registrar IANA ID: 9995"),
        ("nameserver ns1.org.tld", "IP Address: 2001:db8::1"),
        ("nameserver 192.0.2.1", "Server Name: ns1.org.tld"),
        (
            "registrar Registrar A",
            "Registrar URL: https://www.reg-a.example/",
        ),
        ("-- -a free.tld", "Availability: available"),
        ("help", "registrar NAME"),
    ] {
        let arguments: Vec<_> = match question.strip_prefix("-- ") {
            Some(rest) => vec!["-h", "127.0.0.1", "-p", &port, "--", rest],
            None => vec!["-h", "127.0.0.1", "-p", &port, question],
        };
        let text = said("whois", &arguments);
        assert!(text.contains(expected), "{question}: {text}");
    }
    // It asks in the form that it makes of what a person wrote.
    assert!(ask("PERSON.TLD").starts_with("Domain Name: person.tld"));
}

fn curl(live: &Live, address: SocketAddr, options: &[&str], path: &str) -> String {
    let certificate = live.folder.path(tls::CERTIFICATE);
    let certificate = certificate.to_str().unwrap();
    let port = address.port();
    let resolve = format!(
        "{}:{port}:{}",
        tls::NAME,
        match address.ip() {
            std::net::IpAddr::V4(ip) => ip.to_string(),
            std::net::IpAddr::V6(ip) => format!("[{ip}]"),
        }
    );
    let url = format!("https://{}:{port}{path}", tls::NAME);
    let mut arguments = vec![
        "--silent",
        "--show-error",
        "--cacert",
        certificate,
        "--resolve",
        &resolve,
    ];
    arguments.extend(options);
    arguments.push(&url);
    said("curl", &arguments)
}

#[test]
fn curl_reads_it_over_http_2_and_1_1_and_both_families() {
    if !wanted(&["curl"]) {
        return;
    }
    let live = Live::new();
    for address in live.rdap_tls {
        for (option, version) in [("--http2", "2"), ("--http1.1", "1.1")] {
            let told = [
                "--write-out",
                "\n%{http_version} %{http_code} %{content_type}",
            ];
            let text = curl(
                &live,
                address,
                &[option, told[0], told[1]],
                "/domain/person.tld",
            );
            let (body, told) = text.rsplit_once('\n').unwrap();
            assert_eq!(told, format!("{version} 200 application/rdap+json"));
            let body: Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["ldhName"], "person.tld");
            let text = curl(&live, address, &[option, "--head"], "/domain/person.tld");
            assert!(
                text.to_lowercase()
                    .contains("access-control-allow-origin: *"),
                "{text}"
            );
            let text = curl(
                &live,
                address,
                &[option, "--request", "POST", "--data", "x"],
                "/help",
            );
            assert!(text.contains("\"errorCode\":405"), "{text}");
        }
    }
}
