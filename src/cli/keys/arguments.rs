//! What can be said about keys on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::super::DatabaseArgs;
use crate::registry::signing::{Denial, KeyRole, KskMethod, Layout, PolicyChange, SigningMode};

/// Which zone, and where.
#[derive(Debug, Args)]
pub(crate) struct ZoneArgs {
    #[command(flatten)]
    pub(super) database: DatabaseArgs,
    /// Apex of the zone
    #[arg(long, value_name = "NAME")]
    pub(super) zone: String,
}

/// `meridian keys ..`
#[derive(Debug, Subcommand)]
pub(crate) enum KeysArgs {
    /// Make the secret that seals private keys, in the file keys.secret-file
    Init,
    /// Say how a zone is signed; the first time, begin to sign it
    ///
    /// Times are seconds. What is not named stays as it is.
    Policy {
        #[command(flatten)]
        zone: ZoneArgs,
        #[command(flatten)]
        change: Box<PolicyArgs>,
    },
    /// Make the keys that the policy asks for, or one of this role to stand by
    Generate {
        #[command(flatten)]
        zone: ZoneArgs,
        /// Its role: csk, ksk or zsk
        #[arg(long, value_name = "ROLE")]
        role: Option<KeyRole>,
        /// Where it is kept: "database", or the label of the token [default: the policy's]
        #[arg(long, value_name = "STORE")]
        store: Option<String>,
    },
    /// Show the keys of a zone
    List(ZoneArgs),
    /// Show how far keys are and what is waited for
    Status(ZoneArgs),
    /// Replace the keys of a role
    ///
    /// Refused while another rollover is unfinished.
    Rollover {
        #[command(flatten)]
        zone: ZoneArgs,
        /// The role: csk, ksk or zsk
        #[arg(long, value_name = "ROLE")]
        role: KeyRole,
    },
    /// Take in a key: the files of BIND's dnssec-keygen, PKCS#8 in PEM, or one of the token
    Import {
        #[command(flatten)]
        zone: ZoneArgs,
        #[command(flatten)]
        source: ImportArgs,
        /// Its role: csk, ksk or zsk
        #[arg(long, value_name = "ROLE")]
        role: KeyRole,
        /// It signs the zone already, and every cache knows it
        #[arg(long)]
        in_use: bool,
        /// It takes the place of the keys of its role that are there
        #[arg(long, conflicts_with = "in_use")]
        replace: bool,
    },
    /// Print records for the parent, or write a private key
    Export {
        #[command(flatten)]
        zone: ZoneArgs,
        /// Only the key of this tag [default: those that the form is for]
        #[arg(long, value_name = "TAG")]
        key_tag: Option<u16>,
        /// What to write
        #[arg(long, value_enum, default_value_t = Form::Ds)]
        form: Form,
        /// File for a private key; only its owner will be able to read it
        #[arg(long, value_name = "FILE", required_if_eq("form", "pkcs8"))]
        out: Option<PathBuf>,
    },
    /// Say that the parent has exactly the DS records that CDS asks for
    ///
    /// For zones whose parent is not asked by policy (--parent-servers).
    DsSeen(ZoneArgs),
    #[command(flatten)]
    Offline(OfflineArgs),
    /// Sign the DS sets of made-up delegations, and say how many a second
    ///
    /// In a token it makes one key for each algorithm, called "meridian measure", which
    /// stays there for the next time.
    Measure(MeasureArgs),
}

/// Commands on keys of another machine.
#[derive(Debug, Subcommand)]
pub(crate) enum OfflineArgs {
    /// Ask the machine of an offline KSK to sign the key sets of a coming period
    ///
    /// Makes the keys ahead that will be used in it. Whoever compares the digests of both
    /// machines knows that the request was not changed on its way.
    Request {
        #[command(flatten)]
        zone: ZoneArgs,
        /// Length of the period from now on
        #[arg(long, value_name = "SECONDS", default_value_t = 180 * 86_400)]
        #[arg(value_parser = clap::value_parser!(u32).range(3600..=366 * 86_400))]
        period_seconds: u32,
        /// The request, for the other machine
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// On the machine of the KSK: sign a request; needs no database and no configuration
    SignRequest {
        /// The request
        #[arg(long, value_name = "FILE")]
        request: PathBuf,
        /// A KSK: FILE.private with FILE.key beside it, or PKCS#8 in PEM; can be repeated
        #[arg(long, value_name = "FILE", required_unless_present = "token_label")]
        ksk: Vec<PathBuf>,
        /// The only private key with this label in the token of keys.token; can be repeated
        #[arg(long, value_name = "LABEL")]
        token_label: Vec<String>,
        /// The response, for the machine that asked
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Check a response of the machine of the KSK, and use its signatures
    InstallResponse {
        #[command(flatten)]
        zone: ZoneArgs,
        /// The response
        #[arg(long, value_name = "FILE")]
        response: PathBuf,
    },
}

/// Where a key comes from.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct ImportArgs {
    /// FILE.private with FILE.key beside it, or a PEM file
    #[arg(long, value_name = "FILE")]
    pub(super) file: Option<PathBuf>,
    /// The DNSKEY record of a key whose private half stays on another machine
    #[arg(long, value_name = "FILE")]
    pub(super) public: Option<PathBuf>,
    /// The only private key with this label in the token of keys.token
    #[arg(long, value_name = "LABEL")]
    pub(super) token_label: Option<String>,
    /// The only private key with this id, in hexadecimal, in the token of keys.token
    #[arg(long, value_name = "HEX")]
    pub(super) token_id: Option<String>,
}

/// What is measured.
#[derive(Debug, Args)]
pub(crate) struct MeasureArgs {
    /// Algorithm: 13, 14, 15 or 8
    #[arg(long, value_name = "NUMBER", default_value_t = 13)]
    pub(super) algorithm: u8,
    /// "database" for a key in memory, or the label of the token; can be repeated
    #[arg(long, value_name = "STORE", default_value = "database")]
    pub(super) store: Vec<String>,
    /// How many delegations are signed
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(super) delegations: u32,
    /// Threads that sign [default: one for each CPU]
    #[arg(long, value_name = "COUNT")]
    #[arg(value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(super) threads: Option<u16>,
}

/// A form of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// DS records of the keys that the parent is to point to
    Ds,
    /// CDS records of the same
    Cds,
    /// DNSKEY records
    Dnskey,
    /// The private key, PKCS#8 in PEM, in the clear
    Pkcs8,
}

/// Parts of a policy.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// signed, or unsigned: first the DS record goes, then the rest
    #[arg(long, value_name = "MODE")]
    mode: Option<SigningMode>,
    /// Algorithm of new keys: 13, 14, 15 or 8
    #[arg(long, value_name = "NUMBER")]
    algorithm: Option<u8>,
    /// csk: one key for everything; split: a KSK and a ZSK
    #[arg(long, value_name = "LAYOUT")]
    layout: Option<Layout>,
    /// Replace keys by age
    #[arg(long, value_name = "BOOL")]
    automatic: Option<bool>,
    /// Life of a CSK or KSK; 0 is for ever
    #[arg(long, value_name = "SECONDS")]
    ksk_lifetime: Option<u32>,
    /// Life of a ZSK; 0 is for ever
    #[arg(long, value_name = "SECONDS")]
    zsk_lifetime: Option<u32>,
    /// What changes first: double-ksk or double-ds
    #[arg(long, value_name = "METHOD")]
    ksk_method: Option<KskMethod>,
    /// TTL of DNSKEY, CDS and CDNSKEY
    #[arg(long, value_name = "SECONDS")]
    dnskey_ttl: Option<u32>,
    /// Longest TTL in the zone
    #[arg(long, value_name = "SECONDS")]
    zone_ttl_max: Option<u32>,
    /// Until every server of the zone has a change
    #[arg(long, value_name = "SECONDS")]
    propagation: Option<u32>,
    /// TTL of the DS records at the parent
    #[arg(long, value_name = "SECONDS")]
    ds_ttl: Option<u32>,
    /// Until every server of the parent has a change
    #[arg(long, value_name = "SECONDS")]
    parent_propagation: Option<u32>,
    /// Added to every wait
    #[arg(long, value_name = "SECONDS")]
    safety: Option<u32>,
    /// nsec3, nsec3-opt-out or nsec
    #[arg(long, value_name = "DENIAL")]
    denial: Option<Denial>,
    /// Life of a signature
    #[arg(long, value_name = "SECONDS")]
    signature_validity: Option<u32>,
    /// Rest of its life at which it is replaced
    #[arg(long, value_name = "SECONDS")]
    signature_refresh: Option<u32>,
    /// Spread of the ends of signatures
    #[arg(long, value_name = "SECONDS")]
    signature_jitter: Option<u32>,
    /// Servers that are asked for the DS records: addresses with port, parted by spaces
    #[arg(long, value_name = "ADDRESSES")]
    parent_servers: Option<String>,
    /// Where new keys are kept: "database", or the label of the token of keys.token
    #[arg(long, value_name = "STORE")]
    store: Option<String>,
    /// Where new KSKs are kept, if elsewhere; "offline" is another machine, see `keys request`
    #[arg(long, value_name = "STORE")]
    ksk_store: Option<String>,
}

impl PolicyArgs {
    pub(super) fn change(&self) -> PolicyChange {
        PolicyChange {
            mode: self.mode,
            algorithm: self.algorithm,
            layout: self.layout,
            automatic: self.automatic,
            ksk_lifetime: self.ksk_lifetime,
            zsk_lifetime: self.zsk_lifetime,
            ksk_method: self.ksk_method,
            dnskey_ttl: self.dnskey_ttl,
            zone_ttl_max: self.zone_ttl_max,
            propagation: self.propagation,
            ds_ttl: self.ds_ttl,
            parent_propagation: self.parent_propagation,
            safety: self.safety,
            denial: self.denial,
            signature_validity: self.signature_validity,
            signature_refresh: self.signature_refresh,
            signature_jitter: self.signature_jitter,
            parent_servers: self.parent_servers.clone(),
            store: self.store.clone(),
            ksk_store: self.ksk_store.clone(),
        }
    }
}
