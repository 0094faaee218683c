//! Delegations that are too long for a datagram are refused, with the figure that the image
//! comes to; of those that are accepted no referral is cut off, whatever is asked below them.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::io::Write as _;
use std::process::Stdio;

use hickory_proto::op::Message;
use meridian::dns::cookie::CookieSecrets;
use meridian::dns::engine::{Action, Engine, EngineConfig, Request, Transport};
use meridian::dns::secret::Secret;
use serde_json::{Value, json};
use zone_image::{Generation, Memory};

use crate::keys;
use crate::support::Folder;

/// What `registry apply` says to each of these commands.
fn apply(folder: &Folder, commands: &[Value]) -> Vec<Value> {
    let mut apply = folder.command(&["registry", "apply", "--lab"]);
    apply.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = apply.stderr(Stdio::null()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let text: String = commands.iter().map(|line| format!("{line}\n")).collect();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let mut said: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(said.len(), commands.len());
    said.sort_by_key(|line| line["line"].as_u64());
    said
}

/// A delegation: its label, its hosts with their addresses, its DS.
struct Tried {
    label: String,
    hosts: Vec<(String, usize)>,
    ds: usize,
}

impl Tried {
    /// Every shape: names of all lengths, in the domain and outside it, with and without DS.
    fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for number in 0..96_usize {
            let label = format!("{}{number}", "d".repeat(1 + number * 7 % 60));
            let servers = 2 + number % 12;
            let inside = number / 12 % 3;
            let hosts = (0..servers).map(|server| {
                let name = "n".repeat(1 + (number * 11 + server * 3) % 60);
                match server % 3 < inside {
                    true => (
                        format!("{name}{server}.{label}.tld"),
                        1 + (number + server) % 4,
                    ),
                    false => (format!("{name}.{name}.example{server}.test"), 0),
                }
            });
            let hosts = hosts.collect();
            let ds = number / 36 * (number % 5);
            all.push(Self { label, hosts, ds });
        }
        all
    }

    fn ds(&self) -> Vec<String> {
        let digest = |number| format!("{number} 13 2 {}", "AB".repeat(32));
        (1..=self.ds).map(digest).collect()
    }

    fn addresses(count: usize) -> Vec<String> {
        let address = |number| match number % 2 {
            0 => format!("192.0.2.{}", number + 1),
            _ => format!("2001:db8::{number}"),
        };
        (0..count).map(address).collect()
    }

    /// As a zone has it.
    fn records(&self) -> String {
        let label = &self.label;
        let mut text = String::new();
        for (host, addresses) in &self.hosts {
            text += &format!("{label} NS {host}.\n");
            for address in Self::addresses(*addresses) {
                let rtype = if address.contains(':') { "AAAA" } else { "A" };
                text += &format!("{host}. {rtype} {address}\n");
            }
        }
        self.ds()
            .iter()
            .for_each(|ds| text += &format!("{label} DS {ds}\n"));
        text
    }

    /// The commands that make it; the last one names its servers.
    fn commands(&self) -> Vec<Value> {
        let name = format!("{}.tld", self.label);
        let mut commands = vec![json!({"domain": {"create": {"name": name, "registrar": "reg"}}})];
        for (host, addresses) in &self.hosts {
            let addresses = Self::addresses(*addresses);
            let create = json!({"name": host, "registrar": "reg", "addresses": addresses});
            commands.push(json!({"host": {"create": create}}));
        }
        let hosts: Vec<_> = self.hosts.iter().map(|(host, _)| host).collect();
        let add = json!({"hosts": hosts, "ds": self.ds()});
        commands.push(json!({"domain": {"update": {"name": name, "add": add}}}));
        commands
    }
}

/// A question for the longest name below `label`.tld, with DO and the cookie of a client.
fn question(label: &str) -> Vec<u8> {
    let below = 255 - (label.len() + 1) - (3 + 1) - 1;
    let mut wire = vec![0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    let mut left = below;
    while left > 0 {
        // No label is left with a length and nothing behind it.
        let octets = if left == 65 { 32 } else { left.min(64) };
        wire.push(u8::try_from(octets - 1).unwrap());
        wire.resize(wire.len() + octets - 1, b'q');
        left -= octets;
    }
    wire.push(u8::try_from(label.len()).unwrap());
    wire.extend_from_slice(label.as_bytes());
    wire.extend_from_slice(b"\x03tld\x00\x00\x01\x00\x01");
    assert_eq!(wire.len(), 12 + 255 + 4);
    // OPT: 1232 octets, DO, COOKIE of 8 octets.
    wire.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0x80, 0, 0, 12, 0, 10, 0, 8]);
    wire.extend_from_slice(b"eightoct");
    wire
}

fn reply(image: &Generation, label: &str, transport: Transport) -> Vec<u8> {
    let request = Request {
        peer: "192.0.2.53:5353".parse().unwrap(),
        transport,
        wire: &question(label),
        now: 0,
    };
    let mut out = vec![0; 65_535];
    let config = EngineConfig {
        cookie_secrets: CookieSecrets::one(Secret::new([7; 16])),
        ..EngineConfig::default()
    };
    let action = Engine::new(config).answer(image, &request, &mut out);
    let Action::Reply { length, .. } = action else {
        panic!("{action:?}")
    };
    out.truncate(length);
    out
}

fn image(folder: &Folder, name: &str) -> Generation {
    Generation::open(&folder.path(name), Memory::Sealed).unwrap()
}

/// Tries every shape; says what was refused with its figure, and what was accepted.
fn try_all(folder: &Folder, all: &[Tried]) -> (Vec<(usize, usize)>, Vec<usize>) {
    folder.succeed(&["registry", "registrar", "create", "reg", "--name", "R"]);
    let (mut commands, mut last) = (Vec::new(), Vec::new());
    for tried in all {
        commands.extend(tried.commands());
        last.push(commands.len() - 1);
    }
    let said = apply(folder, &commands);
    let (mut refused, mut accepted) = (Vec::new(), Vec::new());
    for (number, line) in last.into_iter().enumerate() {
        let line = &said[line];
        if line["code"] == "1000" || line["code"] == 1000 {
            accepted.push(number);
            continue;
        }
        let reason = line["reason"].as_str().unwrap();
        assert!(reason.contains("1232 at most"), "{line}");
        let octets = reason.split_whitespace().find_map(|word| word.parse().ok());
        refused.push((number, octets.unwrap()));
    }
    assert!(refused.len() > 10 && accepted.len() > 10, "{refused:?}");
    (refused, accepted)
}

#[test]
fn what_is_refused_would_be_cut_off_with_that_figure() {
    let (folder, all) = (keys::folder(), Tried::all());
    let (refused, accepted) = try_all(&folder, &all);
    folder.succeed(&["compile"]);
    let served = image(&folder, "image");
    for number in accepted {
        let reply = reply(&served, &all[number].label, Transport::Udp);
        let message = Message::from_vec(&reply).unwrap();
        assert!(!message.metadata.truncation, "{}", all[number].records());
        assert!(!message.authorities.is_empty(), "{message}");
    }
    let mut zone =
        "$ORIGIN tld.\n$TTL 60\n@ SOA a.test. b.test. 1 2 3 4 5\n@ NS a.test.\n".to_owned();
    refused
        .iter()
        .for_each(|(number, _)| zone += &all[*number].records());
    folder.write("refused.zone", &zone);
    folder.succeed(&[
        "compile",
        "--zone-file",
        "refused.zone",
        "--image",
        "refused",
    ]);
    let refused_image = image(&folder, "refused");
    for (number, octets) in refused {
        let label = &all[number].label;
        let cut = Message::from_vec(&reply(&refused_image, label, Transport::Udp)).unwrap();
        assert!(cut.metadata.truncation, "{}", all[number].records());
        let whole = reply(&refused_image, label, Transport::Tcp);
        assert_eq!(whole.len(), octets, "{}", all[number].records());
    }
}

#[test]
fn in_signed_zones_proofs_and_signatures_are_counted() {
    let all = Tried::all();
    for denial in ["nsec", "nsec3", "nsec3-opt-out"] {
        let folder = keys::folder();
        folder.succeed(&["keys", "init"]);
        folder.succeed(&["keys", "policy", "--zone", "tld", "--denial", denial]);
        folder.succeed(&["keys", "generate", "--zone", "tld"]);
        let (_, accepted) = try_all(&folder, &all);
        let status = folder.succeed(&["--json", "keys", "status", "--zone", "tld"]);
        let status: Value = serde_json::from_str(&status).unwrap();
        let tag = status["keys"][0]["key-tag"].to_string();
        let export = [
            "keys",
            "export",
            "--zone",
            "tld",
            "--form",
            "pkcs8",
            "--key-tag",
        ];
        folder.succeed(&[&export[..], &[&tag, "--out", "key.pem"]].concat());
        folder.succeed(&[
            "registry",
            "export",
            "--zone-file",
            "out.zone",
            "--zone",
            "tld",
        ]);
        let compile = [
            "compile",
            "--zone-file",
            "out.zone",
            "--sign-with",
            "key.pem",
        ];
        let how: &[&str] = match denial {
            "nsec" => &["--nsec"],
            "nsec3" => &["--no-opt-out"],
            _ => &[],
        };
        folder.succeed(&[&compile[..], how].concat());
        let served = image(&folder, "image");
        let mut longest = 0;
        for number in accepted {
            let reply = reply(&served, &all[number].label, Transport::Udp);
            let message = Message::from_vec(&reply).unwrap();
            let records = all[number].records();
            assert!(!message.metadata.truncation, "{denial}: {records}");
            let types = message.authorities.iter().map(|r| r.record_type());
            let types: Vec<_> = types.map(|rtype| rtype.to_string()).collect();
            assert!(types.contains(&"RRSIG".to_owned()), "{denial}: {types:?}");
            longest = longest.max(reply.len());
        }
        // Near the limit, or the figure were too careful.
        assert!(longest > 1000, "{denial}: {longest}");
    }
}
