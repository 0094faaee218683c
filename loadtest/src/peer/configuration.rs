//! Configuration of the servers that Meridian is compared with.
//!
//! Each listens on one address for UDP and TCP, has as many UDP workers as asked for,
//! keeps everything in its own folder, and has neither rate limits nor transfers.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use anyhow::Context;

use super::{Software, Zone};

/// What a configuration is made from.
pub(super) struct Setup<'s> {
    pub(super) directory: &'s Path,
    pub(super) address: SocketAddr,
    pub(super) zones: &'s [Zone],
    pub(super) workers: usize,
}

impl Setup<'_> {
    /// Writes the configuration; gives the command that serves by it in the foreground.
    pub(super) fn command(&self, software: Software, program: &Path) -> anyhow::Result<Command> {
        let (name, text) = match software {
            Software::Knot => ("knot.conf", self.knot()),
            Software::Nsd => ("nsd.conf", self.nsd()),
            Software::Bind => ("named.conf", self.bind()),
            Software::PowerDns => ("pdns.conf", self.power_dns()?),
        };
        let file = self.directory.join(name);
        fs::write(&file, text).with_context(|| format!("writing {}", file.display()))?;
        let mut command = Command::new(program);
        match software {
            Software::Knot => command.arg("-c").arg(file),
            Software::Nsd => command.arg("-d").arg("-c").arg(file),
            // Worker threads; each has a socket of its own.
            Software::Bind => command
                .args(["-g", "-4", "-n", &self.workers.to_string(), "-c"])
                .arg(file),
            Software::PowerDns => command.arg(format!("--config-dir={}", self.directory.display())),
        };
        Ok(command)
    }

    fn knot(&self) -> String {
        let (here, workers) = (self.directory.display(), self.workers);
        let mut text = format!(
            "server:\n  rundir: {here}\n  listen: {}@{}\n  udp-workers: {workers}\n  \
             tcp-workers: {workers}\n  background-workers: 2\nlog:\n- target: stderr\n  any: info\n\
             database:\n  storage: {here}\n\
             template:\n- id: default\n  zonefile-sync: -1\n  journal-content: none\nzone:\n",
            self.address.ip(),
            self.address.port()
        );
        self.each_zone(&mut text, |apex, file| {
            format!("- domain: {apex}\n  file: {file}\n")
        });
        text
    }

    fn nsd(&self) -> String {
        let (here, workers) = (self.directory.display(), self.workers);
        let mut text = format!(
            "server:\n  ip-address: {}@{}\n  server-count: {workers}\n  username: \"\"\n  \
             zonesdir: \"{here}\"\n  pidfile: \"\"\n  xfrdfile: \"\"\n  zonelistfile: \"{here}/zones\"\n  \
             xfrdir: \"{here}\"\n  database: \"\"\n  rrl-ratelimit: 0\n  rrl-whitelist-ratelimit: 0\n  \
             reuseport: yes\n  tcp-count: 100\n  ipv4-edns-size: 1232\n  ipv6-edns-size: 1232\n  \
             minimal-responses: no\nremote-control:\n  control-enable: no\n",
            self.address.ip(),
            self.address.port()
        );
        self.each_zone(&mut text, |apex, file| {
            format!("zone:\n  name: \"{apex}\"\n  zonefile: \"{file}\"\n")
        });
        text
    }

    fn bind(&self) -> String {
        let mut text = format!(
            "options {{\n  directory \"{}\";\n  listen-on port {} {{ {}; }};\n  listen-on-v6 {{ none; }};\n  \
             pid-file none;\n  session-keyfile none;\n  recursion no;\n  dnssec-validation no;\n  \
             notify no;\n  minimal-responses no;\n  max-udp-size 1232;\n  allow-transfer {{ none; }};\n}};\n\
             controls {{ }};\n",
            self.directory.display(),
            self.address.port(),
            self.address.ip(),
        );
        self.each_zone(&mut text, |apex, file| {
            format!("zone \"{apex}\" {{ type primary; file \"{file}\"; check-names ignore; }};\n")
        });
        text
    }

    fn power_dns(&self) -> anyhow::Result<String> {
        let mut zones = String::new();
        self.each_zone(&mut zones, |apex, file| {
            format!("zone \"{apex}\" {{ type master; file \"{file}\"; }};\n")
        });
        let file = self.directory.join("zones.conf");
        fs::write(&file, zones).with_context(|| format!("writing {}", file.display()))?;
        let here = self.directory.display();
        Ok(format!(
            "launch=bind\nbind-config={}\nbind-dnssec-db=\nlocal-address={}\nlocal-port={}\n\
             receiver-threads={workers}\ndistributor-threads={workers}\nreuseport=yes\n\
             socket-dir={here}\ndaemon=no\nguardian=no\nsetuid=\nsetgid=\nudp-truncation-threshold=1232\n",
            file.display(),
            self.address.ip(),
            self.address.port(),
            workers = self.workers,
        ))
    }

    fn each_zone(&self, text: &mut String, write: impl Fn(String, String) -> String) {
        for zone in self.zones {
            let file = zone.file.display().to_string();
            text.push_str(&write(zone.apex.to_string(), file));
        }
    }
}
