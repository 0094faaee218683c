//! The command line: what can be said, and nothing of what it does.

mod audit;
pub(crate) mod compile;
mod diff;
mod edge;
mod epp;
mod epp_client;
mod image;
mod keys;
pub(crate) mod output;
pub(crate) mod registry;
mod run;
mod zone;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use run::main;

/// Exit status of a fault; clap has 2 for wrong usage.
const FAULT: u8 = 1;

/// A TLD registry and an anycast authoritative DNS engine in one binary.
#[derive(Debug, Parser)]
#[command(name = "meridian", version, arg_required_else_help = true)]
#[command(after_help = "Exit status: 0 done, 1 fault, 2 wrong usage.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    global: Global,
}

/// What every command understands.
#[derive(Debug, Args)]
struct Global {
    /// Configuration file [default: /etc/meridian/meridian.toml if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print results as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Show progress even when standard error is no terminal
    #[arg(long, global = true)]
    progress: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer DNS queries from the installed image until SIGTERM
    ///
    /// SIGHUP, `meridian reload` and a newer image in the image directory make it
    /// swap to that image; one that is broken is refused and the old one stays. The
    /// same goes for the certificate of DNS over TLS. With
    /// registry.database it publishes that registry: each change is compiled, checked
    /// and served by itself.
    Serve,
    /// Check a configuration file and the files it names, and report every fault
    CheckConfig,
    /// Make the running server install what is in its image directory, and read its
    /// certificate again
    Reload,
    /// Show what the running server serves and how it is doing
    Status,
    /// Compile the registry, or zone files, into an image and install it
    ///
    /// From the registry the image gets exactly its zones; zone files are added to
    /// what is there. A zone with faults is refused and nothing is installed.
    Compile(CompileArgs),
    /// Print the records that the next publish adds (+) and removes (-)
    ///
    /// Compares the installed image with the registry as it is; older states are not
    /// kept. For a command that is not committed: its --dry-run.
    Diff(DiffArgs),
    /// Look into images
    #[command(subcommand)]
    Image(ImageCommand),
    /// Make, fill and read the registry database
    #[command(subcommand)]
    Registry(RegistryCommand),
    /// Look along the event log for what was changed behind the registry's back
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Keep the keys of signed zones: make, replace, import, export
    ///
    /// The running server does what is due: it publishes, waits for caches and for the
    /// parent, signs and withdraws. These commands say what is wanted and show how far
    /// it is.
    #[command(subcommand)]
    Keys(keys::arguments::KeysArgs),
    /// Make the key that signs what edges serve, and show how far all edges are
    #[command(subcommand)]
    Edge(edge::EdgeArgs),
    /// List or end the EPP sessions of the running server
    #[command(subcommand)]
    Epp(epp::EppArgs),
    /// Show or tell of the zones that the running server sends to others
    #[command(subcommand)]
    Zone(zone::ZoneArgs),
    /// Say frames to an EPP server after a login, and show what it answers
    EppClient(epp_client::EppClientArgs),
    /// Try it: a sample registry, compiled and served on loopback
    ///
    /// Everything is in a temporary folder that goes away at Ctrl-C.
    Demo(DemoArgs),
}

#[derive(Debug, Args)]
struct DiffArgs {
    /// The image's event and the registry's newest; others are refused
    #[arg(value_name = "EVENT..EVENT")]
    events: Option<String>,
    /// Registry database [default: registry.database]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
    /// Image directory [default: image.directory]
    #[arg(long, value_name = "DIR")]
    image: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct CompileArgs {
    /// Compile this zone file, or every `.zone` of this folder, instead of the registry; can be repeated
    #[arg(long, value_name = "PATH")]
    zone_file: Vec<PathBuf>,
    /// Apex of the zone files [default: the owner of the SOA record]
    #[arg(long, value_name = "NAME", requires = "zone_file")]
    origin: Option<String>,
    /// Registry database [default: registry.database]
    #[arg(long, value_name = "URL", conflicts_with = "zone_file")]
    database: Option<String>,
    /// Image directory [default: image.directory]
    #[arg(long, value_name = "DIR")]
    image: Option<PathBuf>,
    /// Leave nothing in the image but these zone files, even if it is unreadable
    #[arg(long, requires = "zone_file")]
    replace: bool,
    #[command(flatten)]
    signing: zone_compiler::flags::SigningArgs,
}

#[derive(Debug, Subcommand)]
enum ImageCommand {
    /// Show generation, zones and sizes
    Info(ImageArgs),
    /// Check everything about the installed image
    Verify(ImageArgs),
    /// Print the records of the image as a zone file
    Dump {
        #[command(flatten)]
        image: ImageArgs,
        /// Only this zone
        #[arg(long, value_name = "APEX")]
        zone: Option<String>,
    },
    /// Answer one question from the image, without a server
    Query {
        #[command(flatten)]
        image: ImageArgs,
        /// Name to ask for
        name: String,
        /// Type to ask for, as a mnemonic or TYPE123
        #[arg(default_value = "A")]
        rtype: String,
        /// Ask for DNSSEC records
        #[arg(long)]
        dnssec: bool,
    },
}

#[derive(Debug, Args)]
struct ImageArgs {
    /// Image directory [default: image.directory]
    #[arg(long, value_name = "DIR")]
    image: Option<PathBuf>,
}

#[derive(Debug, Args)]
struct DatabaseArgs {
    /// Registry database [default: registry.database]
    #[arg(long, value_name = "URL")]
    database: Option<String>,
}

#[derive(Debug, Subcommand)]
enum RegistryCommand {
    /// Make an empty database, or bring one to this version's schema
    Init(DatabaseArgs),
    /// Import a zone from a zone file, or a whole registry from CSV files
    ///
    /// A bad line is reported with file, line and reason and left out; an import
    /// that was interrupted goes on where it stopped.
    #[command(after_long_help = crate::registry::csv::columns_help())]
    Import(ImportArgs),
    /// Write a zone as a zone file, or the whole registry as CSV files
    Export {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The zone file to write
        #[arg(long, value_name = "FILE", required_unless_present = "csv")]
        zone_file: Option<PathBuf>,
        /// Apex of the zone [default: the only one]
        #[arg(long, value_name = "NAME", conflicts_with = "csv")]
        zone: Option<String>,
        /// The folder for CSV files, which is made; `registry import --help` has its columns
        #[arg(long, value_name = "DIR", conflicts_with = "zone_file")]
        csv: Option<PathBuf>,
    },
    /// Register, change, remove or show a domain
    #[command(subcommand)]
    Domain(registry::domain::DomainArgs),
    /// Make, change, remove or show a contact
    #[command(subcommand)]
    Contact(registry::contact::ContactArgs),
    /// Make, change, remove or show a host object
    #[command(subcommand)]
    Host(registry::arguments::HostArgs),
    /// Make, change, remove or show a registrar
    #[command(subcommand)]
    Registrar(registry::arguments::RegistrarArgs),
    /// Make, change, remove or show a zone: SOA, its own records, policy
    #[command(subcommand)]
    Zone(registry::arguments::ZoneArgs),
    /// Read or acknowledge the messages that wait for a registrar
    #[command(subcommand)]
    Poll(registry::poll::PollArgs),
    /// Show and decide about changes that wait until somebody agrees
    #[command(subcommand)]
    Changes(registry::changes::ChangesArgs),
    /// Show or resume what becomes due by time alone: renewals, ends of redemption, purges
    #[command(subcommand)]
    Timers(registry::arguments::TimersArgs),
    /// Do the same to many domains: name servers, renewals, deletions, another registrar
    ///
    /// Each domain is a command of its own with its event; one that is refused is told and
    /// passed over. When a run was cut short, the same command goes on with it. --dry-run
    /// shows the records that would come and go, the first 200 of each, and how many.
    #[command(subcommand)]
    Bulk(registry::bulk::BulkArgs),
    /// Obey commands from standard input, one JSON object a line
    ///
    /// Takes the registry for itself while it runs. Prints a line for each command
    /// once it is on disk. {"domain":{"delete":"gone.example"}} is such a command; the
    /// event log has every command in this form, with what is said of persons sealed.
    Apply(registry::arguments::ApplyArgs),
    /// Show what a domain, host or contact was, after an event or at a time
    ///
    /// Changes are noted since this version has the registry; of an object that was imported
    /// it is not known since when. What is said of a person is shown until it is erased.
    Show(registry::past::ShowArgs),
    /// Ask name servers whether they answer for the domains they are given; show which do not
    #[command(subcommand)]
    Scan(registry::scan::ScanArgs),
    /// Show zones, counts and the last event
    Status(DatabaseArgs),
    /// Let the running server publish what it holds, up to an event
    ///
    /// A change that takes a large share of a zone's delegations out of service is held
    /// until somebody says that it is meant; `meridian status` tells what is held.
    Accept {
        /// The event that the server's message names
        #[arg(value_name = "EVENT")]
        event: u64,
    },
    /// Wait until the running server serves an event of the registry
    ///
    /// Then every change up to that event is answered by DNS. Exit status 1 when the
    /// time is over, and when no server runs.
    Wait {
        #[command(flatten)]
        database: DatabaseArgs,
        /// The event [default: the newest of the registry]
        #[arg(value_name = "EVENT")]
        event: Option<u64>,
        /// Longest wait
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        #[arg(value_parser = clap::value_parser!(u64).range(0..=3600))]
        timeout_seconds: u64,
    },
}

#[derive(Debug, Args)]
struct ImportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The zone file
    #[arg(long, value_name = "FILE", required_unless_present = "csv")]
    zone_file: Option<PathBuf>,
    /// A folder of CSV files, for an empty registry; `--help` has their columns
    #[arg(long, value_name = "DIR", conflicts_with = "zone_file")]
    csv: Option<PathBuf>,
    /// Apex of the zone [default: the owner of the SOA record]
    #[arg(long, value_name = "NAME", conflicts_with = "csv")]
    zone: Option<String>,
    /// Handle of the registrar that sponsors what is imported from a zone file
    #[arg(long, value_name = "HANDLE", default_value = crate::registry::import::REGISTRAR_DEFAULT)]
    registrar: String,
    /// Forget what an unfinished import of this zone or folder has written
    #[arg(long)]
    restart: bool,
    /// Stop at the first bad line
    #[arg(long, conflicts_with = "rejects")]
    strict: bool,
    /// Where bad lines are written [default: FILE.rejects or DIR.rejects]
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Check the chain of digests from the first event to the newest
    ///
    /// Says where it breaks: events that were changed, removed or put in between. Prints
    /// the newest event with its digest; who can write the whole database can make a new
    /// chain, so note that line elsewhere and give it as --anchor the next time. Exit
    /// status 1 where the chain does not hold.
    Verify {
        #[command(flatten)]
        database: DatabaseArgs,
        /// An event with the digest that it had, from an earlier run; can be repeated
        #[arg(long, value_name = "EVENT:DIGEST")]
        anchor: Vec<crate::registry::audit::Anchor>,
    },
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Address and port to serve on; the next free port if it is taken
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:5300")]
    listen: std::net::SocketAddr,
    /// Domains in the sample registry
    #[arg(long, value_name = "COUNT", default_value_t = 5000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    domains: u32,
}
