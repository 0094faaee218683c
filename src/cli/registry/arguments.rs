//! What can be said about registry objects on the command line.
//!
//! Values are texts here: a bad one is answered by the registry with its code, as
//! from every other front end.

use clap::{Args, Subcommand, ValueEnum};

use super::super::DatabaseArgs;
use super::access::AccessArgs;
use super::domain::TokenArgs;
use super::orphans::OrphansArgs;
use super::parking::ParkingArgs;
use super::public::{DisclosureArgs, PublicArgs};

/// For whom a command is done, and where.
#[derive(Debug, Args)]
pub(crate) struct ActingArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Act as this registrar, bound by its rights [default: the registry's operator]
    #[arg(long = "as", value_name = "HANDLE")]
    pub(super) acting_as: Option<String>,
    /// Act as this contact, bound by what its roles may ask for
    #[arg(
        long = "as-contact",
        value_name = "HANDLE",
        conflicts_with = "acting_as"
    )]
    pub(super) acting_as_contact: Option<String>,
    /// Name of the operator, as the event log and approvals have it [default: $USER]
    #[arg(long, value_name = "NAME", conflicts_with_all = ["acting_as", "acting_as_contact"])]
    pub(super) operator: Option<String>,
    /// Take addresses that are set apart for documentation
    #[arg(long)]
    pub(super) lab: bool,
    /// Why, in words, for the event log and for the sponsor's notice
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Number of the case, such as a court's, for the same
    #[arg(long = "case", value_name = "NUMBER")]
    pub(super) case_number: Option<String>,
    /// Change nothing; print the DNS records that would come (+) and go (-)
    #[arg(long)]
    pub(super) dry_run: bool,
}

/// `meridian registry host ..`
#[derive(Debug, Subcommand)]
pub(crate) enum HostArgs {
    /// Make a host object
    Create {
        /// Its name
        name: String,
        /// Sponsoring registrar [default: the one of --as]
        #[arg(long, value_name = "HANDLE")]
        registrar: Option<String>,
        /// An address, where a zone of this registry is above the host; repeat for each
        #[arg(long, value_name = "ADDRESS")]
        address: Vec<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Change or rename a host object
    Update {
        /// Its name
        name: String,
        /// An address to add
        #[arg(long, value_name = "ADDRESS")]
        add_address: Vec<String>,
        /// An address to remove
        #[arg(long, value_name = "ADDRESS")]
        remove_address: Vec<String>,
        /// A status to set
        #[arg(long, value_name = "STATUS")]
        add_status: Vec<String>,
        /// A status to lift
        #[arg(long, value_name = "STATUS")]
        remove_status: Vec<String>,
        /// New name; the domains that name it follow
        #[arg(long, value_name = "HOST")]
        rename: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Remove a host object that no domain names
    Delete {
        /// Its name
        name: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Show a host object
    Info {
        /// Its name
        name: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

/// `meridian registry registrar ..`
#[derive(Debug, Subcommand)]
pub(crate) enum RegistrarArgs {
    /// Make a registrar
    Create {
        /// Its handle: 3 to 16 letters, digits, dots, hyphens or underscores
        handle: String,
        /// Its name
        #[arg(long, value_name = "NAME")]
        name: String,
        /// Its number at IANA
        #[arg(long, value_name = "NUMBER")]
        iana_id: Option<u32>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Change a registrar
    Update {
        /// Its handle
        handle: String,
        /// Its new name
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// Its number at IANA
        #[arg(long, value_name = "NUMBER")]
        iana_id: Option<u32>,
        /// Whether it may act
        #[arg(long, value_name = "STATUS")]
        status: Option<RegistrarStatusArg>,
        /// Whether its domains have contacts here, in zones where each registrar
        /// decides: minimum or maximum
        #[arg(long, value_name = "MODEL")]
        data_model: Option<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    #[command(flatten)]
    Access(AccessArgs),
    /// Change what the public is shown of a registrar
    Public(PublicArgs),
    /// Remove a registrar that sponsors nothing
    Delete {
        /// Its handle
        handle: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Show a registrar
    Info {
        /// Its handle
        handle: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

/// Words of `--status`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum RegistrarStatusArg {
    /// It may
    Active,
    /// Not now
    Suspended,
    /// Never again
    Terminated,
}

/// `meridian registry zone ..`
#[derive(Debug, Subcommand)]
pub(crate) enum ZoneArgs {
    /// Make a zone without registrations
    Create {
        /// Its apex
        apex: String,
        /// Primary name server of its SOA
        #[arg(long, value_name = "NAME")]
        mname: String,
        /// Mailbox of its SOA, written as a name
        #[arg(long, value_name = "NAME")]
        rname: String,
        /// A record of its own: "OWNER TTL TYPE DATA", names absolute; NS at the apex
        #[arg(long, value_name = "RECORD", required = true)]
        record: Vec<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Change SOA, records or policy of a zone
    Update(Box<ZoneUpdateArgs>),
    /// Change what may be registered in a zone, for how long, and what comes after
    ///
    /// What is registered already stays as it is. `zone info` shows the policy.
    ///
    /// With `parked-answers=signed` a parked domain has a DS at once. One that loses servers
    /// of its own is bogus for resolvers that still ask these, until they forget them. From
    /// `signed` to `unsigned` the way is by `withdrawn`, and takes ten minutes.
    #[command(after_long_help = super::build::policy_help())]
    Policy {
        /// Its apex
        apex: String,
        /// A value; repeat for each
        #[arg(long, value_name = "KEY=VALUE", required = true)]
        set: Vec<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Hold labels back, or let them go
    Labels {
        /// Its apex
        apex: String,
        /// A label that only the registry may register
        #[arg(long, value_name = "LABEL", requires = "reason")]
        reserve: Vec<String>,
        /// A label that nobody may register
        #[arg(long, value_name = "LABEL", requires = "reason")]
        block: Vec<String>,
        /// A label for whoever agrees to its terms, such as a price: they are the reason
        #[arg(long, value_name = "LABEL", requires = "reason")]
        premium: Vec<String>,
        /// A label to let go
        #[arg(long, value_name = "LABEL")]
        release: Vec<String>,
        #[command(flatten)]
        token: TokenArgs,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Say which scripts a zone takes, by tables in the form of RFC 7940
    ///
    /// Of labels that a table calls variants of each other, one can be registered. What is
    /// registered already stays. A zone without tables takes letters, digits and hyphens.
    Idn {
        /// Its apex
        apex: String,
        /// A table, in place of the one with that tag: language or script, and file
        #[arg(long, value_name = "TAG=FILE")]
        set: Vec<String>,
        /// Tag of a table to let go
        #[arg(long, value_name = "TAG")]
        remove: Vec<String>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Say what becomes of hosts of domains that are removed
    Orphans(OrphansArgs),
    /// Park domains without name servers at servers of the registry, which answer for them
    Parking(ParkingArgs),
    /// Change what the public is shown of the contacts of a zone's domains
    Disclosure(DisclosureArgs),
    /// Show hosts whose domains are gone, and how many domains still name them
    Lame {
        /// Its apex
        apex: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Tell the sponsors of domains that name such a host, of each once in 90 days
    Remind {
        /// Its apex
        apex: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Remove a zone without registrations
    Delete {
        /// Its apex
        apex: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Show a zone
    Info {
        /// Its apex
        apex: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

/// `meridian registry zone update`
#[derive(Debug, Args)]
pub(crate) struct ZoneUpdateArgs {
    /// Its apex
    pub(super) apex: String,
    /// Primary name server of its SOA
    #[arg(long, value_name = "NAME")]
    pub(super) mname: Option<String>,
    /// Mailbox of its SOA, written as a name
    #[arg(long, value_name = "NAME")]
    pub(super) rname: Option<String>,
    /// Seconds after which secondaries look for a change
    #[arg(long, value_name = "SECONDS")]
    pub(super) refresh: Option<u32>,
    /// Seconds after which they look again
    #[arg(long, value_name = "SECONDS")]
    pub(super) retry: Option<u32>,
    /// Seconds after which they stop to serve
    #[arg(long, value_name = "SECONDS")]
    pub(super) expire: Option<u32>,
    /// Seconds that a missing name may be cached
    #[arg(long, value_name = "SECONDS")]
    pub(super) minimum: Option<u32>,
    /// TTL of the SOA
    #[arg(long, value_name = "SECONDS")]
    pub(super) soa_ttl: Option<u32>,
    /// TTL of NS records of domains that have none of their own
    #[arg(long, value_name = "SECONDS")]
    pub(super) ns_ttl: Option<u32>,
    /// TTL of DS records of domains that have none of their own
    #[arg(long, value_name = "SECONDS")]
    pub(super) ds_ttl: Option<u32>,
    /// TTL of addresses of hosts
    #[arg(long, value_name = "SECONDS")]
    pub(super) glue_ttl: Option<u32>,
    /// Fewest name servers of a domain that has any
    #[arg(long, value_name = "COUNT")]
    pub(super) ns_min: Option<u8>,
    /// Most name servers of a domain
    #[arg(long, value_name = "COUNT")]
    pub(super) ns_max: Option<u8>,
    /// Glue in referrals: of hosts below the domain only, or of all hosts of the zone
    #[arg(long, value_name = "POLICY")]
    pub(super) glue: Option<GlueArg>,
    /// A record to add: "OWNER TTL TYPE DATA", names absolute
    #[arg(long, value_name = "RECORD")]
    pub(super) add_record: Vec<String>,
    /// A record to remove, written alike
    #[arg(long, value_name = "RECORD")]
    pub(super) remove_record: Vec<String>,
    #[command(flatten)]
    pub(super) acting: ActingArgs,
}

/// Words of `--glue`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum GlueArg {
    /// Only of hosts below the domain
    Narrow,
    /// Of all hosts of the zone
    Wide,
}

/// `meridian registry timers ..`
#[derive(Debug, Subcommand)]
pub(crate) enum TimersArgs {
    /// Show whether they run, and what is due
    Info {
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let them go on after an alarm, with a new hour of purges
    Resume {
        /// Purges in an hour that nobody is asked about, from now on
        #[arg(long, value_name = "COUNT")]
        purges_max: Option<u32>,
        #[command(flatten)]
        acting: ActingArgs,
    },
    /// Let nothing become due by itself
    Stop {
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        acting: ActingArgs,
    },
}

/// `meridian registry apply`
#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(super) acting: ActingArgs,
    /// Wait while another process writes, and take over after it
    #[arg(long)]
    pub(super) standby: bool,
    /// Commands under way at once; those that wait together share a commit
    #[arg(long, value_name = "COUNT", default_value_t = 32)]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) parallel: u16,
}
