//! Images and queries for the benches. An image is built once and kept in cargo's
//! folder for temporary files, named by what it holds and by the format's version.
#![allow(
    dead_code,
    reason = "each bench is a program of its own and uses a part of this"
)]

use std::fs;
use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use loadtest::blast::Queries;
use loadtest::generate::{self, Parameters, Random, Registry};
use meridian::dns::engine::{
    Action, DropReason, Engine, Job, Names, Request, TURNS, Transport, UDP_BUFFER_BYTES,
};
use zone_compiler::zonefile::ZoneFileSource;
use zone_compiler::{Options, compile_with};
use zone_image::layout::VERSION;
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

/// Different queries of each kind, drawn evenly from the whole zone: no name is
/// more likely in a cache than another.
const QUERIES: usize = 200_000;
const SEED: u64 = 1;
/// From one buffer for replies to the next, as in a worker: no power of two.
const STRIDE: usize = UDP_BUFFER_BYTES + 64;

const SOA: u16 = 6;
const NS: u16 = 2;
const A: u16 = 1;
const DNSKEY: u16 = 48;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Domains without DS, without DO.
    Referral,
    /// Domains without DS, with DO: the proof that there is none comes along.
    InsecureReferral,
    /// Domains with DS, with DO.
    SecureReferral,
    /// What resolvers ask a registry for: any domain, DO on 70 of 100.
    AnyReferral,
    /// Names that are not there, with DO.
    NxDomain,
    /// SOA, NS and DNSKEY of the apex, with DO.
    Apex,
}

impl Kind {
    pub(crate) const ALL: [Self; 6] = [
        Self::Referral,
        Self::InsecureReferral,
        Self::SecureReferral,
        Self::AnyReferral,
        Self::NxDomain,
        Self::Apex,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Referral => "referral",
            Self::InsecureReferral => "insecure",
            Self::SecureReferral => "secure",
            Self::AnyReferral => "any",
            Self::NxDomain => "nxdomain",
            Self::Apex => "apex",
        }
    }

    fn dnssec_ok_percent(self) -> u8 {
        match self {
            Self::Referral => 0,
            Self::AnyReferral => 70,
            _ => 100,
        }
    }
}

/// A signed zone with so many delegations and what it was made from.
pub(crate) struct Sample {
    registry: Registry,
    folder: PathBuf,
}

/// Where the NS sets are that several delegations have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sets {
    /// Stored once and named by number, as ever.
    Shared,
    /// Stored with each delegation.
    Private,
}

impl Sample {
    pub(crate) fn new(domains: u64) -> Self {
        Self::with_sets(domains, Sets::Shared)
    }

    pub(crate) fn with_sets(domains: u64, sets: Sets) -> Self {
        let apex = Name::parse_absolute("example.").expect("a name");
        let registry = Registry::new(Parameters {
            apex,
            domains,
            seed: SEED,
            queries: 1,
            exponent: 1.0,
            signed: true,
        })
        .expect("parameters within bounds");
        let what = match sets {
            Sets::Shared => "signed",
            Sets::Private => "private",
        };
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("{what}-{domains}-version-{VERSION}"));
        if !folder.exists() {
            build(&registry, &folder, sets);
        }
        Self { registry, folder }
    }

    pub(crate) fn image(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn open(&self) -> Generation {
        Generation::open(&self.folder, Memory::Sealed).expect("the image is whole")
    }

    pub(crate) fn queries(&self, kind: Kind) -> Queries {
        let mut queries = Queries::new(true).with_dnssec_ok(kind.dnssec_ok_percent());
        let mut random = Random::new(SEED ^ kind as u64);
        while queries.len() < QUERIES {
            let drawn = random.next();
            let domain = self.registry.domain(random.below(self.domains()));
            let (label, rtype) = match kind {
                Kind::Referral | Kind::InsecureReferral if domain.ds_count > 0 => continue,
                Kind::SecureReferral if domain.ds_count == 0 => continue,
                Kind::NxDomain => (format!("nx-{:x}.", drawn >> 16), A),
                Kind::Apex => (String::new(), [SOA, NS, DNSKEY][queries.len() % 3]),
                _ if drawn.is_multiple_of(2) => (format!("www.{}.", domain.label), A),
                _ => (format!("{}.", domain.label), A),
            };
            let name = Name::parse_absolute(&format!("{label}{}", self.registry.parameters().apex));
            queries.push(&name.expect("generated labels make names"), rtype);
        }
        queries
    }

    fn domains(&self) -> u64 {
        self.registry.parameters().domains
    }
}

fn build(registry: &Registry, folder: &Path, sets: Sets) {
    let unfinished = folder.with_extension("unfinished");
    let _ = fs::remove_dir_all(&unfinished);
    let files = generate::write(registry, &unfinished).expect("the files can be written");
    let image = unfinished.join("image");
    fs::create_dir(&image).expect("the folder is new");
    compile(&files.zone, &image, sets);
    fs::rename(&image, folder).expect("nobody else builds this image");
    fs::remove_dir_all(&unfinished).expect("the files were just written");
}

fn compile(zone: &Path, image: &Path, sets: Sets) {
    let mut source = ZoneFileSource::open(zone, None).expect("a generated zone has a SOA");
    let mut installer = Installer::replace(image, None).expect("the directory takes an image");
    let options = Options {
        private_name_servers: sets == Sets::Private,
        ..Options::default()
    };
    compile_with(&mut source, &mut installer, &options, &|_| {}).expect("the zone is sound");
    installer.commit().expect("the image can be written");
}

/// The query at `index` as it would come over UDP.
fn request(queries: &Queries, index: usize) -> Request<'_> {
    Request {
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1024)),
        transport: Transport::Udp,
        wire: queries.message(index % queries.len()),
        now: 0,
    }
}

/// An engine with the buffers of a worker.
pub(crate) struct Desk {
    engine: Engine,
    names: Names,
    outs: Vec<u8>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            engine: Engine::default(),
            names: Names::default(),
            outs: vec![0; TURNS * STRIDE],
        }
    }

    /// Answers one query alone; gives the octets of the reply.
    pub(crate) fn answer(
        &mut self,
        generation: &Generation,
        queries: &Queries,
        index: usize,
    ) -> usize {
        let out = &mut self.outs[..UDP_BUFFER_BYTES];
        let request = request(queries, index);
        octets(black_box(self.engine.answer(generation, &request, out)))
    }

    /// Answers so many queries, at most [`TURNS`], as one batch; gives the octets of all
    /// replies.
    pub(crate) fn answer_batch(
        &mut self,
        generation: &Generation,
        queries: &Queries,
        start: usize,
        count: usize,
    ) -> usize {
        let mut buffers = self.outs.chunks_exact_mut(STRIDE);
        let mut jobs: [_; TURNS] = std::array::from_fn(|at| {
            (at < count).then_some(Job {
                request: request(queries, start + at),
                out: buffers.next()?,
                action: Action::Drop(DropReason::Short),
            })
        });
        let jobs = &mut jobs[..count];
        self.engine.answer_batch(generation, &mut self.names, jobs);
        let jobs = jobs.iter().flatten();
        jobs.map(|job| octets(black_box(job.action))).sum()
    }
}

fn octets(action: Action) -> usize {
    match action {
        Action::Reply { length, .. } => length,
        Action::Drop(_) => 0,
    }
}
