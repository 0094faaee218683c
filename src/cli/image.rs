//! `meridian compile` and `meridian image`.

use std::path::PathBuf;

use anyhow::Context;
use serde_json::json;
use zone_image::{Generation, Memory};

use super::run::load;
use super::{CompileArgs, Global, ImageArgs, ImageCommand, output};

/// Compiles and installs.
pub(super) fn compile(args: &CompileArgs, global: &Global) -> anyhow::Result<()> {
    let _ = (args, load(global)?);
    anyhow::bail!("compile: this build has no compiler; use a later one")
}

/// Runs one of the commands that look into an image.
pub(super) fn run(command: &ImageCommand, global: &Global) -> anyhow::Result<()> {
    match command {
        ImageCommand::Info(args) => info(&open(args, global)?, global),
        ImageCommand::Verify(args) => {
            let generation = open(args, global)?;
            if global.json {
                return output::json(&json!({ "number": generation.number(), "good": true }));
            }
            output::line(format_args!(
                "generation {}: no faults",
                generation.number()
            ));
            Ok(())
        }
        ImageCommand::Dump { image, zone } => {
            let _ = (open(image, global)?, zone);
            anyhow::bail!("image dump: this build cannot; use a later one")
        }
        ImageCommand::Query {
            image,
            name,
            rtype,
            dnssec,
        } => {
            let _ = (open(image, global)?, name, rtype, dnssec);
            anyhow::bail!("image query: this build cannot; use a later one")
        }
    }
}

/// Where the image is.
fn directory(args: &ImageArgs, global: &Global) -> anyhow::Result<PathBuf> {
    match &args.image {
        Some(directory) => Ok(directory.clone()),
        None => Ok(load(global)?.image.directory),
    }
}

fn open(args: &ImageArgs, global: &Global) -> anyhow::Result<Generation> {
    let directory = directory(args, global)?;
    Generation::open(&directory, Memory::Mapped)
        .with_context(|| format!("cannot open image: {}", directory.display()))
}

fn info(generation: &Generation, global: &Global) -> anyhow::Result<()> {
    let mut zones = generation.zones();
    zones.sort_by(|a, b| a.apex.cmp(&b.apex));
    if global.json {
        let zones: Vec<_> = zones
            .iter()
            .map(|zone| {
                json!({
                    "apex": zone.apex.to_string(),
                    "serial": zone.serial,
                    "names": zone.names,
                    "delegations": zone.delegations,
                })
            })
            .collect();
        return output::json(&json!({
            "number": generation.number(),
            "event": generation.event(),
            "bytes": generation.bytes(),
            "zones": zones,
        }));
    }
    output::line(format_args!("generation  {}", generation.number()));
    output::line(format_args!("event       {}", generation.event()));
    output::line(format_args!("octets      {}", generation.bytes()));
    for zone in &zones {
        output::line(format_args!(
            "zone        {} serial {}, {} names, {} delegations",
            zone.apex, zone.serial, zone.names, zone.delegations
        ));
    }
    Ok(())
}
