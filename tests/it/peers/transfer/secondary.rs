//! Knot, NSD and BIND as secondaries of `example.`, which they take by a key only.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc;

use loadtest::peer::{Server, Software, Zone};

use crate::peers::LOAD_TIMEOUT;

/// The secret of the key `mover`.
pub(super) const SECRET: &str = "c2VjcmV0IG9mIHNpeHRlZW4gb2N0ZXRz";

/// A secondary that has the zone.
pub(super) struct Secondary {
    software: Software,
    server: Server,
}

impl Secondary {
    pub(super) fn name(&self) -> &'static str {
        self.software.name()
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.server.target().address()
    }

    pub(super) fn log(&self) -> String {
        self.server.log()
    }
}

/// Starts secondaries of a primary that is not there yet, then the primary, which is told
/// their addresses, and waits until each has the zone.
pub(super) fn secondaries<P>(
    primary: SocketAddr,
    software: &[Software],
    start: impl FnOnce(&[SocketAddr]) -> P,
) -> (P, Vec<Secondary>) {
    let (told, addresses) = mpsc::channel();
    std::thread::scope(|scope| {
        let starting: Vec<_> = software
            .iter()
            .map(|software| {
                let told = told.clone();
                scope.spawn(move || {
                    let zone = Zone {
                        apex: "example.".parse().unwrap(),
                        file: "example.zone".into(),
                    };
                    let server = Server::start(&[zone], LOAD_TIMEOUT, |directory, address| {
                        told.send(address).unwrap();
                        Ok(command(*software, directory, address, primary))
                    });
                    Secondary {
                        software: *software,
                        server: server.unwrap(),
                    }
                })
            })
            .collect();
        let addresses: Vec<_> = addresses.iter().take(software.len()).collect();
        let primary = start(&addresses);
        let running = starting.into_iter().map(|one| one.join().unwrap());
        (primary, running.collect())
    })
}

fn command(
    software: Software,
    directory: &Path,
    address: SocketAddr,
    primary: SocketAddr,
) -> Command {
    let here = directory.display();
    let (ip, port) = (address.ip(), address.port());
    let (from, at) = (primary.ip(), primary.port());
    let text = match software {
        Software::Knot => format!(
            "server:\n  rundir: {here}\n  listen: {ip}@{port}\n  udp-workers: 1\n  \
             tcp-workers: 1\n  background-workers: 1\nlog:\n- target: stderr\n  any: info\n\
             database:\n  storage: {here}\n\
             key:\n- id: mover\n  algorithm: hmac-sha256\n  secret: {SECRET}\n\
             remote:\n- id: primary\n  address: {from}@{at}\n  key: mover\n\
             acl:\n- id: told\n  address: {from}\n  key: mover\n  action: notify\n\
             - id: look\n  address: 127.0.0.1\n  action: transfer\n\
             zone:\n- domain: example.\n  storage: {here}\n  file: example.zone\n  \
             zonefile-sync: -1\n  master: primary\n  acl: [told, look]\n"
        ),
        Software::Nsd => format!(
            "server:\n  ip-address: {ip}@{port}\n  server-count: 1\n  username: \"\"\n  \
             zonesdir: \"{here}\"\n  pidfile: \"\"\n  xfrdfile: \"\"\n  zonelistfile: \"{here}/zones\"\n  \
             xfrdir: \"{here}\"\n  database: \"\"\n  rrl-ratelimit: 0\n  verbosity: 2\n\
             remote-control:\n  control-enable: no\n\
             key:\n  name: \"mover\"\n  algorithm: hmac-sha256\n  secret: \"{SECRET}\"\n\
             zone:\n  name: \"example.\"\n  zonefile: \"example.zone\"\n  \
             request-xfr: {from}@{at} mover\n  allow-notify: {from} mover\n  \
             provide-xfr: 127.0.0.1 NOKEY\n"
        ),
        Software::Bind => format!(
            "options {{\n  directory \"{here}\";\n  listen-on port {port} {{ {ip}; }};\n  \
             listen-on-v6 {{ none; }};\n  pid-file none;\n  session-keyfile none;\n  recursion no;\n  \
             dnssec-validation no;\n  notify no;\n  allow-transfer {{ any; }};\n}};\ncontrols {{ }};\n\
             key \"mover\" {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n\
             zone \"example.\" {{ type secondary; file \"example.zone\"; \
             primaries {{ {from} port {at} key mover; }}; }};\n"
        ),
        Software::PowerDns => unreachable!("it is no secondary here"),
    };
    let file = directory.join("server.conf");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(software.find().unwrap());
    match software {
        Software::Nsd => command.arg("-d"),
        Software::Bind => command.args(["-g", "-4", "-n", "1"]),
        _ => &mut command,
    };
    command.arg("-c").arg(file);
    command
}
