//! The command line of `loadtest`.

mod epp_args;
mod latency_args;
mod lookups_args;
mod transfer_args;

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use serde::Serialize;
use zone_image::Name;

use crate::blast::{self, Pace, Queries};
use crate::peer::{Software, Zone};
use crate::target::Target;
use crate::{compare, dnsperf, echo, generate, signers, stamp};

/// Synthetic zones and load for Meridian and its peers, on loopback only.
#[derive(Debug, Parser)]
#[command(name = "loadtest", version)]
struct Cli {
    #[command(subcommand)]
    command: Action,
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Write a made-up registry: CSV files in `registry`, the zone file, query files.
    Generate(Generate),
    /// Write many small zones, a file each, and queries for them.
    Zones(Zones),
    /// Write a zone whose records all name one generation, and queries for it.
    Stamp(Stamp),
    /// Send queries from one thread, on a schedule or as fast as they are answered.
    Blast(Blast),
    /// Run dnsperf and read its summary.
    Run(Run),
    /// Measure Meridian beside the name servers that are installed, in interleaved rounds.
    Compare(Compare),
    /// Measure how long a change by command line takes until DNS answers it.
    Latency(latency_args::Latency),
    /// Measure EPP: sessions over TLS that check, look and create, and the way to DNS.
    Epp(epp_args::Epp),
    /// Ask WHOIS or RDAP for one domain after the other, as fast as it answers.
    Lookups(lookups_args::Lookups),
    /// Take a zone whole from Meridian and from Knot, while Meridian is asked over UDP.
    Transfer(transfer_args::Transfer),
    /// Reply to every datagram with so many octets: the kernel's share of a reply.
    Echo(Echo),
    /// Measure what signing costs beside kzonesign and dnssec-signzone.
    Sign(Sign),
}

#[derive(Debug, Args)]
struct Generate {
    /// How many delegated domains.
    #[arg(long)]
    domains: u64,
    /// The same seed gives the same files.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Directory for the files; it is made.
    #[arg(long)]
    out: PathBuf,
    /// Apex of the zone.
    #[arg(long, default_value = "example.")]
    apex: String,
    /// Queries in each query file.
    #[arg(long, default_value_t = 1_000_000)]
    queries: u64,
    /// Zipf exponent of the popularity of domains.
    #[arg(long, default_value_t = 1.0)]
    exponent: f64,
    /// Add DNSSEC records: NSEC3 with opt-out, and random octets for signatures.
    #[arg(long)]
    signed: bool,
}

#[derive(Debug, Args)]
struct Zones {
    /// How many zones.
    #[arg(long)]
    count: u64,
    /// Number of the first one.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Serial of all of them.
    #[arg(long, default_value_t = 1)]
    serial: u32,
    /// What their apexes stand below.
    #[arg(long, default_value = "test.")]
    parent: String,
    /// Directory for `zones` and `queries`; it is made.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Debug, Args)]
struct Stamp {
    /// How many delegated domains.
    #[arg(long)]
    domains: u64,
    /// The generation that every record names.
    #[arg(long)]
    generation: u16,
    /// Directory for `zone` and `queries`; it is made.
    #[arg(long)]
    out: PathBuf,
    /// Apex of the zone.
    #[arg(long, default_value = "example.")]
    apex: String,
}

#[derive(Debug, Args)]
struct Blast {
    /// Loopback address and port of the server.
    #[arg(long)]
    server: Target,
    /// Query file in dnsperf's format.
    #[arg(long, required_unless_present = "name", conflicts_with = "name")]
    queries: Option<PathBuf>,
    /// One query instead of a file, such as "example. SOA".
    #[arg(long)]
    name: Option<String>,
    /// Queries a second on a fixed schedule; without it, the closed loop.
    #[arg(long)]
    rate: Option<u64>,
    /// Queries under way in the closed loop.
    #[arg(long, default_value_t = 256)]
    outstanding: usize,
    /// How long to send.
    #[arg(long, default_value_t = 10.0)]
    seconds: f64,
    /// How long a reply may take before its query counts as lost.
    #[arg(long, default_value_t = 1.0)]
    timeout_seconds: f64,
    /// Sockets to send from.
    #[arg(long, default_value_t = 16)]
    sockets: usize,
    /// Loopback address to send from.
    #[arg(long)]
    source: Option<IpAddr>,
    /// CPU to send from.
    #[arg(long)]
    cpu: Option<usize>,
    /// Check the stamps of replies.
    #[arg(long)]
    stamps: bool,
    /// Send queries without EDNS.
    #[arg(long)]
    no_edns: bool,
    /// Of a hundred queries so many set DO, which asks for DNSSEC records.
    #[arg(long, default_value_t = 0, conflicts_with = "no_edns")]
    dnssec_ok_percent: u8,
}

#[derive(Debug, Args)]
struct Run {
    /// Loopback address and port of the server.
    #[arg(long)]
    server: Target,
    /// Query file in dnsperf's format.
    #[arg(long)]
    queries: PathBuf,
    /// How long to send.
    #[arg(long, default_value_t = 10)]
    seconds: u32,
    /// Clients, each with a socket of its own.
    #[arg(long, default_value_t = 16)]
    clients: u32,
    /// Threads.
    #[arg(long, default_value_t = 1)]
    threads: u32,
    /// Queries under way.
    #[arg(long, default_value_t = 256)]
    outstanding: u32,
    /// Queries a second at most.
    #[arg(long)]
    rate: Option<u32>,
    /// Over TCP, many queries on each connection.
    #[arg(long)]
    tcp: bool,
    /// Ask for DNSSEC records.
    #[arg(long)]
    dnssec_ok: bool,
}

#[derive(Debug, Args)]
struct Compare {
    /// Delegations of the zone that is made for it.
    #[arg(long, default_value_t = 1_000_000)]
    domains: u64,
    /// The `meridian` binary; without it only the peers run.
    #[arg(long)]
    meridian: Option<PathBuf>,
    /// An image of the zone that `generate --domains N --signed` makes, with the same N
    /// here: Meridian serves it alone, without compiling, peers or a reload.
    #[arg(long, requires = "meridian", conflicts_with_all = ["peer", "quick", "unsigned"])]
    image: Option<PathBuf>,
    /// Peers to run; by default those that are installed.
    #[arg(long, value_enum)]
    peer: Vec<Peer>,
    /// Rounds.
    #[arg(long, default_value_t = 5)]
    rounds: usize,
    /// Seconds each server is asked in a round.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// Queries under way.
    #[arg(long, default_value_t = 256)]
    outstanding: usize,
    /// Write a page with plots to this file.
    #[arg(long)]
    html: Option<PathBuf>,
    /// Without DNSSEC records in the zone.
    #[arg(long)]
    unsigned: bool,
    /// Under a minute: 20,000 delegations, short rounds, Knot and NSD only.
    #[arg(long, conflicts_with_all = ["domains", "rounds", "seconds", "peer"])]
    quick: bool,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Peer {
    Knot,
    Nsd,
    Bind,
    Powerdns,
}

impl Peer {
    fn software(self) -> Software {
        match self {
            Self::Knot => Software::Knot,
            Self::Nsd => Software::Nsd,
            Self::Bind => Software::Bind,
            Self::Powerdns => Software::PowerDns,
        }
    }
}

#[derive(Debug, Args)]
struct Echo {
    /// Loopback address and port to reply on.
    #[arg(long)]
    listen: Target,
    /// Octets of a reply.
    #[arg(long)]
    reply_bytes: usize,
}

#[derive(Debug, Args)]
struct Sign {
    /// Zone file without signatures.
    #[arg(long)]
    zone_file: PathBuf,
    /// Apex of the zone.
    #[arg(long, default_value = "example.")]
    apex: String,
    /// The `meridian` binary.
    #[arg(long)]
    meridian: PathBuf,
    /// Rounds.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Runs the command that the arguments name.
pub fn run() -> anyhow::Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Action::Generate(arguments) => run_generate(&arguments, cli.json),
        Action::Zones(arguments) => run_zones(&arguments),
        Action::Stamp(arguments) => run_stamp(&arguments),
        Action::Blast(arguments) => run_blast(&arguments, cli.json),
        Action::Run(arguments) => run_dnsperf(&arguments),
        Action::Compare(arguments) => run_compare(&arguments, cli.json),
        Action::Latency(arguments) => latency_args::run(&arguments, cli.json),
        Action::Epp(arguments) => epp_args::run(&arguments, cli.json),
        Action::Lookups(arguments) => lookups_args::run(&arguments, cli.json),
        Action::Transfer(arguments) => transfer_args::run(&arguments, cli.json),
        Action::Echo(arguments) => echo::serve(arguments.listen, arguments.reply_bytes),
        Action::Sign(arguments) => run_sign(&arguments, cli.json),
    }
}

fn run_generate(arguments: &Generate, json: bool) -> anyhow::Result<()> {
    let registry = generate::Registry::new(generate::Parameters {
        apex: parse_apex(&arguments.apex)?,
        domains: arguments.domains,
        seed: arguments.seed,
        queries: arguments.queries,
        exponent: arguments.exponent,
        signed: arguments.signed,
    })?;
    let files = generate::write(&registry, &arguments.out)?;
    generate::write_csv(&registry, &arguments.out.join("registry"))?;
    if json {
        return print_json(&files);
    }
    print(&files.zone.display().to_string());
    files
        .queries
        .iter()
        .for_each(|file| print(&file.display().to_string()));
    Ok(())
}

fn run_zones(arguments: &Zones) -> anyhow::Result<()> {
    let zones = generate::SmallZones {
        parent: parse_apex(&arguments.parent)?,
        first: arguments.first,
        count: arguments.count,
        serial: arguments.serial,
    };
    let (folder, queries) = zones.write(&arguments.out)?;
    print(&folder.display().to_string());
    print(&queries.display().to_string());
    Ok(())
}

fn run_stamp(arguments: &Stamp) -> anyhow::Result<()> {
    let apex = parse_apex(&arguments.apex)?;
    std::fs::create_dir_all(&arguments.out)
        .with_context(|| format!("making directory {}", arguments.out.display()))?;
    generate::write_file(&arguments.out.join("zone"), |out| {
        stamp::write_zone(&apex, arguments.domains, arguments.generation, out)
    })?;
    generate::write_file(&arguments.out.join("queries"), |out| {
        stamp::write_queries(&apex, arguments.domains, out)
    })
}

fn run_blast(arguments: &Blast, json: bool) -> anyhow::Result<()> {
    let queries = Queries::new(!arguments.no_edns).with_dnssec_ok(arguments.dnssec_ok_percent);
    let queries = match (&arguments.queries, &arguments.name) {
        (Some(file), _) => queries.read_more(file)?,
        (None, name) => {
            let mut queries = queries;
            queries.push_text(name.as_deref().unwrap_or_default())?;
            queries
        }
    };
    let pace = match arguments.rate {
        Some(rate) => Pace::Open { rate },
        None => Pace::Closed {
            outstanding: arguments.outstanding,
        },
    };
    let plan = blast::Plan {
        target: arguments.server,
        pace,
        duration: parse_seconds(arguments.seconds)?,
        timeout: parse_seconds(arguments.timeout_seconds)?,
        sockets: arguments.sockets,
        source: arguments.source,
        cpu: arguments.cpu,
        stamps: arguments.stamps,
        ..blast::Plan::new(arguments.server, pace, Duration::ZERO)
    };
    let report = blast::blast(&plan, &queries)?;
    if json {
        return print_json(&report);
    }
    print(&report.to_string());
    Ok(())
}

fn run_dnsperf(arguments: &Run) -> anyhow::Result<()> {
    let summary = dnsperf::run(&dnsperf::Plan {
        target: arguments.server,
        queries: &arguments.queries,
        seconds: arguments.seconds,
        clients: arguments.clients,
        threads: arguments.threads,
        outstanding: arguments.outstanding,
        rate_max: arguments.rate,
        tcp: arguments.tcp,
        dnssec_ok: arguments.dnssec_ok,
        cpu: None,
    })?;
    print_json(&summary)
}

fn run_compare(arguments: &Compare, json: bool) -> anyhow::Result<()> {
    let peers = match arguments.peer.as_slice() {
        _ if arguments.image.is_some() => Vec::new(),
        [] => Software::ALL.to_vec(),
        peers => peers.iter().map(|peer| peer.software()).collect(),
    };
    let mut plan = compare::Plan {
        domains: arguments.domains,
        signed: !arguments.unsigned,
        meridian: arguments.meridian.clone(),
        image: arguments.image.clone(),
        peers,
        rounds: arguments.rounds,
        duration: parse_seconds(arguments.seconds)?,
        outstanding: arguments.outstanding,
    };
    if arguments.quick {
        plan = compare::Plan {
            domains: 20_000,
            peers: Software::AUTHORITATIVE.to_vec(),
            rounds: 2,
            duration: Duration::from_millis(500),
            ..plan
        };
    }
    let comparison = compare::compare(&plan)?;
    if let Some(file) = &arguments.html {
        std::fs::write(file, compare::page(&comparison))
            .with_context(|| format!("writing {}", file.display()))?;
    }
    if json {
        return print_json(&comparison);
    }
    print(&compare::table(&comparison));
    Ok(())
}

fn run_sign(arguments: &Sign, json: bool) -> anyhow::Result<()> {
    let file = arguments
        .zone_file
        .canonicalize()
        .with_context(|| format!("zone file {}", arguments.zone_file.display()))?;
    let costs = signers::compare(&signers::Plan {
        zone: Zone {
            apex: parse_apex(&arguments.apex)?,
            file,
        },
        meridian: arguments.meridian.clone(),
        rounds: arguments.rounds,
    })?;
    if json {
        return print_json(&costs);
    }
    print(&signers::table(&costs));
    Ok(())
}

fn parse_apex(text: &str) -> anyhow::Result<Name> {
    Name::parse_absolute(text).with_context(|| format!("apex `{text}`"))
}

fn parse_seconds(seconds: f64) -> anyhow::Result<Duration> {
    Duration::try_from_secs_f64(seconds).with_context(|| format!("{seconds} seconds"))
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(&serde_json::to_string_pretty(value).context("writing JSON")?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the one place that writes results")]
fn print(text: &str) {
    println!("{text}");
}
