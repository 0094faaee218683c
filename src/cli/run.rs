//! From a command line to what it does, and to an exit status.

use std::path::Path;
use std::process::ExitCode;

use clap::Parser;

use super::{
    Cli, Command, FAULT, Global, audit, compile, diff, edge, image, keys, output, registry,
};
use crate::app;
use crate::clock::unix_seconds;
use crate::config::{self, Config, ConfigError};
use crate::control::client;
use crate::control::socket::{Command as ControlCommand, Reply};
use crate::control::{DistributedStatus, EppStatus, LookupStatus, Side};

/// Runs the program: 0 done, 1 fault, 2 wrong usage.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match dispatch(&cli.command, &cli.global) {
        Ok(status) => status,
        Err(error) => {
            output::fault(&error);
            FAULT.into()
        }
    }
}

fn dispatch(command: &Command, global: &Global) -> anyhow::Result<ExitCode> {
    match command {
        Command::CheckConfig => return check_config(global),
        Command::Serve => {
            let config = load(global)?;
            app::init_logs(config.log);
            app::serve(&config)?;
        }
        Command::Reload => reload(global)?,
        Command::Status => status(global)?,
        Command::Compile(args) => compile::run(args, global)?,
        Command::Diff(args) => diff::run(args, global)?,
        Command::Image(command) => image::run(command, global)?,
        Command::Registry(command) => registry::run(command, global)?,
        Command::Audit(command) => audit::run(command, global)?,
        Command::Keys(command) => keys::run(command, global)?,
        Command::Edge(args) => edge::run(args, global)?,
        Command::Epp(args) => super::epp::run(args, global)?,
        Command::Zone(args) => super::zone::run(args, global)?,
        Command::EppClient(args) => super::epp_client::run(args)?,
        Command::Demo(args) => crate::demo::run(args.listen, args.domains, global.progress)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The configuration named, or the one in its usual place, or the defaults.
pub(super) fn load(global: &Global) -> Result<Config, ConfigError> {
    match &global.config {
        Some(path) => Config::load(path),
        None => {
            let path = Path::new(config::PATH_DEFAULT);
            if path.exists() {
                Config::load(path)
            } else {
                Ok(Config::default())
            }
        }
    }
}

fn check_config(global: &Global) -> anyhow::Result<ExitCode> {
    let path = global
        .config
        .as_deref()
        .unwrap_or_else(|| Path::new(config::PATH_DEFAULT));
    let faults = Config::faults(path)?;
    if global.json {
        output::json(&faults)?;
    } else {
        for fault in &faults {
            output::line(format_args!(
                "{}:{}: {}",
                path.display(),
                fault.line,
                fault.message
            ));
        }
        if faults.is_empty() {
            output::line(format_args!("{}: no faults", path.display()));
        }
    }
    Ok(if faults.is_empty() {
        ExitCode::SUCCESS
    } else {
        FAULT.into()
    })
}

/// Asks the running server; its refusal is our fault.
pub(super) fn ask(global: &Global, command: ControlCommand) -> anyhow::Result<Reply> {
    match client::ask(&load(global)?.control.socket, command)? {
        Reply::Error { message } => anyhow::bail!("{message}"),
        reply => Ok(reply),
    }
}

fn reload(global: &Global) -> anyhow::Result<()> {
    let reply = ask(global, ControlCommand::Reload)?;
    if global.json {
        return output::json(&reply);
    }
    if let Reply::Installed(installed) = reply {
        let did = if installed.changed {
            "installed"
        } else {
            "already served"
        };
        output::line(format_args!(
            "generation {} at event {}: {did}",
            installed.number, installed.event
        ));
    }
    Ok(())
}

fn show_epp(epp: Option<&EppStatus>) {
    let Some(epp) = epp else { return };
    for address in &epp.listen {
        output::line(format_args!("epp listen   {address}"));
    }
    output::line(format_args!("epp sessions {}", epp.sessions));
}

fn show_distribution(distribution: Option<&DistributedStatus>) {
    let Some(DistributedStatus {
        side,
        listen,
        status,
    }) = distribution
    else {
        return;
    };
    for address in listen {
        output::line(format_args!("edges listen {address}"));
    }
    let side = match side {
        Side::Primary => "put out     ",
        Side::Edge => "taken       ",
    };
    match status.done {
        Some(done) => output::line(format_args!("{side} {done}")),
        None => output::line(format_args!("{side} nothing yet")),
    }
    if let (Some(newest), Some(since)) = (status.newest, status.behind_since) {
        let seconds = unix_seconds().saturating_sub(since);
        output::line(format_args!("newest       {newest}, known for {seconds} s"));
    }
    if let Some(failure) = &status.failure {
        output::line(format_args!("in the way   {failure}"));
    }
}

fn show_lookup(lookup: Option<&LookupStatus>) {
    let Some(lookup) = lookup else { return };
    for (service, addresses) in [
        ("whois", &lookup.whois),
        ("rdap", &lookup.rdap),
        ("web", &lookup.web),
    ] {
        for address in addresses {
            output::line(format_args!("{service:<6}listen {address}"));
        }
    }
    output::line(format_args!(
        "look-ups     {} connections",
        lookup.connections
    ));
}

fn status(global: &Global) -> anyhow::Result<()> {
    let reply = ask(global, ControlCommand::Status)?;
    if global.json {
        return output::json(&reply);
    }
    let Reply::Status(status) = reply else {
        return Ok(());
    };
    let generation = &status.generation;
    output::line(format_args!(
        "meridian {}, process {}",
        status.version, status.pid
    ));
    output::line(format_args!("uptime       {} s", status.uptime_seconds));
    for address in &status.listen {
        output::line(format_args!("listen       {address}"));
    }
    output::line(format_args!(
        "generation   {} at event {}, {} octets ({} on huge pages), {} zones",
        generation.number,
        generation.event,
        generation.bytes,
        generation.huge_page_bytes,
        generation.zones_count
    ));
    for zone in &generation.zones {
        output::line(format_args!(
            "zone         {} serial {}, {} delegations",
            zone.apex, zone.serial, zone.delegations
        ));
    }
    output::line(format_args!(
        "installs     {} done, {} refused",
        status.installs, status.install_failures
    ));
    if let Some(error) = &status.install_error {
        output::line(format_args!("refused      {error}"));
    }
    if let Some(publish) = &status.publish {
        output::line(format_args!(
            "registry     at event {}, served up to {}",
            publish.registry_event, publish.served_event
        ));
        if let Some(failure) = &publish.failure {
            output::line(format_args!("publishing   fails: {failure}"));
        }
    }
    show_distribution(status.distribution.as_ref());
    output::line(format_args!(
        "queries      {} udp, {} tcp",
        status.udp_queries, status.tcp_queries
    ));
    output::line(format_args!("connections  {}", status.tcp_connections));
    show_epp(status.epp.as_ref());
    show_lookup(status.lookup.as_ref());
    if let Some(tls) = &status.tls {
        for address in &tls.listen {
            output::line(format_args!("tls listen   {address}"));
        }
        output::line(format_args!("tls queries  {}", tls.queries));
        output::line(format_args!("tls conns    {}", tls.connections));
        let days = tls.certificate_expires_at.saturating_sub(unix_seconds()) / 86_400;
        output::line(format_args!("certificate  ends in {days} days"));
        if let Some(error) = &tls.certificate_error {
            output::line(format_args!("refused      {error}"));
        }
    }
    output::line(format_args!("panics       {}", status.panics));
    Ok(())
}
