//! A made-up registry from a seed: domains, hosts, delegations, DS.
//!
//! [`Registry`] is the model; the writers beside it put it into files. The same
//! parameters give the same bytes on every machine: no clock, no hash map order.
//! Shapes follow large TLDs: most domains point to a few operators' name servers,
//! a quarter have their own below themselves, one in twelve is signed.

mod csv_files;
mod labels;
mod query_file;
mod random;
mod signatures;
mod small_zones;
mod zone_file;

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};

use anyhow::Context;
use zone_image::Name;

pub use query_file::QueryKind;
pub use random::{Random, Zipf};
pub use small_zones::{SMALL_ZONES_MAX, SmallZones};

use labels::Labels;

/// Domains of 100 that have name servers below themselves, with glue.
const IN_DOMAIN_PERCENT: u64 = 25;
/// Domains of 100 that have DS records.
const SECURE_PERCENT: u64 = 8;
/// Domains of 100 whose name servers lie in another domain of the same zone.
const SIBLING_PERCENT: u64 = 12;
/// Domains for each operator of name servers outside the zone.
const DOMAINS_PER_OPERATOR: u64 = 50;
/// Skew of the popularity of operators.
const OPERATOR_EXPONENT: f64 = 1.2;
/// Most domains: labels are kept in memory with 32-bit offsets.
pub const DOMAINS_MAX: u64 = 100_000_000;

/// What to generate.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// Apex of the zone.
    pub apex: Name,
    /// How many domains.
    pub domains: u64,
    /// Seed of everything.
    pub seed: u64,
    /// How many queries in each query file.
    pub queries: u64,
    /// Zipf exponent of the popularity of domains.
    pub exponent: f64,
    /// Whether the zone has DNSSEC records, with signatures of the right size only.
    pub signed: bool,
}

/// Name servers of a domain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameServers {
    /// `ns1` and up below the domain itself, with glue.
    InDomain {
        /// How many.
        count: u8,
        /// Whether they have IPv6 addresses too.
        ipv6: bool,
    },
    /// Those of another domain of the zone, by its index.
    Sibling(u64),
    /// Those of an operator outside the zone.
    Operator {
        /// Which operator.
        operator: u64,
        /// How many of its name servers.
        count: u8,
    },
}

/// A delegated domain.
#[derive(Debug, Clone, Copy)]
pub struct Domain<'r> {
    /// Its label below the apex.
    pub label: &'r str,
    /// Its delegation.
    pub name_servers: NameServers,
    /// How many DS records it has.
    pub ds_count: u8,
    /// Source of its addresses and digests.
    pub salt: u64,
}

/// A registry: cheap to hold, each domain is computed from its index.
#[derive(Debug)]
pub struct Registry {
    parameters: Parameters,
    labels: Labels,
    operators: Zipf,
}

impl Registry {
    /// Draws the labels; all else is computed on demand.
    pub fn new(parameters: Parameters) -> anyhow::Result<Self> {
        anyhow::ensure!(
            (1..=DOMAINS_MAX).contains(&parameters.domains),
            "{} domains, between 1 and {DOMAINS_MAX} can be made",
            parameters.domains
        );
        anyhow::ensure!(
            parameters.apex.as_wire().len() < 100,
            "apex is longer than 100 octets, too long for names below it"
        );
        let labels = Labels::draw(parameters.domains, parameters.seed);
        let operators = Zipf::new(
            (parameters.domains / DOMAINS_PER_OPERATOR).max(4),
            OPERATOR_EXPONENT,
        );
        Ok(Self {
            parameters,
            labels,
            operators,
        })
    }

    /// What it was made from.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Name of the apex as text that goes behind a label: `.` for the root.
    pub fn suffix(&self) -> String {
        match self.parameters.apex.is_root() {
            true => ".".to_owned(),
            false => format!(".{}", self.parameters.apex),
        }
    }

    /// The domain at `index`.
    pub fn domain(&self, index: u64) -> Domain<'_> {
        let mut random = Random::for_item(self.parameters.seed, index);
        let secure = random.below(100) < SECURE_PERCENT;
        let ds_count = if secure {
            1 + u8::from(random.below(4) == 0)
        } else {
            0
        };
        let name_servers = self.name_servers(index, &mut random);
        Domain {
            label: self.labels.text(index),
            name_servers,
            ds_count,
            salt: random.next(),
        }
    }

    /// Names of a domain's name servers, absolute.
    pub fn hosts_of(&self, domain: &Domain<'_>) -> Vec<String> {
        let suffix = self.suffix();
        let below = |label: &str, count: u8| {
            let hosts = (1..=count).map(|number| format!("ns{number}.{label}{suffix}"));
            hosts.collect()
        };
        match domain.name_servers {
            NameServers::InDomain { count, .. } => below(domain.label, count),
            NameServers::Sibling(host) => {
                let host = self.domain(host);
                let NameServers::InDomain { count, .. } = host.name_servers else {
                    unreachable!("siblings are chosen among domains with name servers of their own")
                };
                below(host.label, count)
            }
            NameServers::Operator { operator, count } => (1..=count)
                .map(|number| zone_file::operator_host(operator, number))
                .collect(),
        }
    }

    /// Every domain in order of index.
    pub fn domains(&self) -> impl Iterator<Item = Domain<'_>> {
        (0..self.parameters.domains).map(|index| self.domain(index))
    }

    fn name_servers(&self, index: u64, random: &mut Random) -> NameServers {
        // Index modulo 4 rather than a draw: so a sibling can be chosen without
        // computing other domains, and the first domain always has glue.
        const STRIDE: u64 = 100 / IN_DOMAIN_PERCENT;
        if index.is_multiple_of(STRIDE) {
            let count = 2 + u8::from(random.below(4) == 0);
            return NameServers::InDomain {
                count,
                ipv6: random.below(100) < 60,
            };
        }
        if random.below(100 - IN_DOMAIN_PERCENT) < SIBLING_PERCENT {
            // Squaring the draw favours low indices: a few hosts serve many domains.
            let hosts = self.parameters.domains.div_ceil(STRIDE);
            let draw = random.unit();
            #[expect(clippy::cast_possible_truncation, reason = "a fraction of `hosts`")]
            #[expect(clippy::cast_sign_loss, reason = "both factors are positive")]
            let host = (draw * draw * hosts as f64) as u64;
            return NameServers::Sibling(host.min(hosts - 1) * STRIDE);
        }
        let operator = self.operators.draw(random);
        // An operator gives the same number of name servers to all its customers.
        let count = 2 + u8::try_from(operator % 3).expect("less than three");
        NameServers::Operator { operator, count }
    }
}

/// Files that were written.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Files {
    /// The zone in RFC 1035 master format.
    pub zone: PathBuf,
    /// Query files in dnsperf's format.
    pub queries: Vec<PathBuf>,
}

/// Writes zone and query files of `registry` into `directory`, which is made.
pub fn write(registry: &Registry, directory: &Path) -> anyhow::Result<Files> {
    fs::create_dir_all(directory)
        .with_context(|| format!("making directory {}", directory.display()))?;
    let zone = directory.join("zone");
    write_file(&zone, |out| zone_file::write(registry, out))?;
    let queries = write_queries(registry, directory)?;
    Ok(Files { zone, queries })
}

/// Writes the query files alone, in the order of [`QueryKind::ALL`], into `directory`,
/// which exists.
pub fn write_queries(registry: &Registry, directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let write = |kind: QueryKind| {
        let path = directory.join(kind.file_name());
        write_file(&path, |out| query_file::write(registry, kind, out))?;
        Ok(path)
    };
    QueryKind::ALL.into_iter().map(write).collect()
}

/// Writes `registry` as the CSV files of `meridian registry import --csv` into
/// `directory`, which is made.
pub fn write_csv(registry: &Registry, directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    csv_files::write(registry, directory)
}

/// Writes one file through a buffer, with its path in every error.
pub(crate) fn write_file(
    path: &Path,
    body: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let write = || {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
        body(&mut out)?;
        out.into_inner()
            .map_err(std::io::IntoInnerError::into_error)?;
        Ok::<(), std::io::Error>(())
    };
    write().with_context(|| format!("writing {}", path.display()))
}

#[cfg(test)]
mod tests;
