//! `meridian edge`: the key of manifests, and how far all nodes are.

use anyhow::Context;
use clap::Subcommand;

use super::run::load;
use super::{Global, output};
use crate::app::distribution::{KEY_PURPOSE, access};
use crate::clock::unix_seconds;
use crate::config::Config;
use crate::control::client;
use crate::control::socket::{Command as ControlCommand, Reply};
use crate::distribution::key::SigningKey;
use crate::distribution::overview;
use crate::keys::seal::Secret;
use crate::routes::announcer::{self, Announcer, Speaker};
use crate::routes::bird::Bird;
use crate::routes::health::Thresholds;
use crate::routes::probe::Probe;

/// What can be asked about edges.
#[derive(Debug, Subcommand)]
pub(super) enum EdgeArgs {
    /// Make the key that signs manifests, and print what edges have to trust
    ///
    /// It is written to distribution.signing-key-file, sealed with keys.secret-file. For a
    /// roll-over make the next one into another file, name its public half in
    /// edge.trusted-keys of every edge, and only then sign with it.
    Key {
        /// Print the public half of the key that is there
        #[arg(long)]
        show: bool,
    },
    /// Look whether the server here answers, and have its routes announced or withdrawn
    ///
    /// Runs beside the server, for as long as it is let. With routes.bird-protocol it tells
    /// BIRD; without, it is started by ExaBGP as an API process and prints what ExaBGP is to
    /// do. A server that hangs is withdrawn like one that is gone; that the primary cannot
    /// be reached withdraws nothing.
    Announce,
    /// Show all nodes: what they serve and how far they are behind
    ///
    /// Reads the manifest and the reports of nodes from the store of a primary, or from the
    /// first source of an edge that answers. Exit status 1 when none does.
    Status,
}

/// Runs one of them.
pub(super) fn run(command: &EdgeArgs, global: &Global) -> anyhow::Result<()> {
    let config = load(global)?;
    match command {
        EdgeArgs::Key { show } => key(&config, *show, global),
        EdgeArgs::Announce => announce(&config),
        EdgeArgs::Status => status(&config, global),
    }
}

fn key(config: &Config, show: bool, global: &Global) -> anyhow::Result<()> {
    let own = config.distribution.as_ref();
    let own = own.context("role is not \"primary\"; name the primary's file with --config")?;
    let (path, secret) = (&own.signing_key_file, config.keys.secret_file.as_ref());
    let secret = secret.context("keys.secret-file is not set")?;
    let secret = Secret::load(secret).context("cannot read keys.secret-file")?;
    let seed = match show {
        true => secret.open_file(path, KEY_PURPOSE)?,
        false => {
            let seed = SigningKey::generate().context("no random octets from the system")?;
            secret.seal_file(path, KEY_PURPOSE, &seed)?;
            seed
        }
    };
    let key = SigningKey::from_seed(&seed);
    let key = key.with_context(|| format!("{}: holds no key", path.display()))?;
    if global.json {
        let public = key.public();
        let shown = serde_json::json!({
            "id": public.id().to_string(),
            "public-key": public.to_string(),
        });
        return output::json(&shown);
    }
    output::line(format_args!("{}", key.public()));
    Ok(())
}

fn announce(config: &Config) -> anyhow::Result<()> {
    let routes = config.routes.as_ref();
    let routes = routes.context("routes.addresses is empty; name what is announced")?;
    crate::app::init_logs(config.log);
    let socket = config.control.socket.clone();
    let settings = announcer::Settings {
        addresses: routes.addresses.clone(),
        probe: Probe {
            zone: routes.zone.clone(),
            timeout: routes.timeout,
        },
        thresholds: Thresholds {
            fall: routes.fall,
            rise: routes.rise,
        },
        interval: routes.interval,
        is_ready: Box::new(move || match client::ask(&socket, ControlCommand::Ready) {
            Ok(Reply::Ready { ready }) => Some(ready),
            _ => None,
        }),
    };
    let speaker = match &routes.bird {
        Some((socket, protocol)) => Speaker::Bird(Bird {
            socket: socket.clone(),
            protocol: protocol.clone(),
        }),
        None => Speaker::ExaBgp(std::io::stdout()),
    };
    let ended = Announcer::new(settings, speaker).run();
    ended.context("nobody reads what is printed")
}

fn status(config: &Config, global: &Global) -> anyhow::Result<()> {
    let places = match (&config.distribution, &config.edge) {
        (Some(own), _) => vec![own.store.clone()],
        (None, Some(edge)) => edge.sources.clone(),
        (None, None) => anyhow::bail!("role is \"all\": there are no edges"),
    };
    let access = access(&config.stores)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let overview = runtime.block_on(overview::read(&places, &access, unix_seconds()))?;
    if global.json {
        return output::json(&overview);
    }
    overview.nodes.iter().for_each(|node| {
        let late = match node.silent_seconds {
            seconds if seconds > overview::SILENT_SECONDS => format!(", silent for {seconds} s"),
            _ => String::new(),
        };
        output::line(format_args!(
            "{:<20} event {}, {} events and {} s behind{late}",
            node.node, node.event, node.lag_events, node.lag_seconds
        ));
        if let Some(failure) = &node.failure {
            output::line(format_args!("{:<20} {failure}", ""));
        }
    });
    Ok(())
}
