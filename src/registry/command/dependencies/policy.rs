//! The part of a zone's policy that says what becomes of hosts.

use serde::{Deserialize, Serialize};

use super::super::super::code::ResultCode;
use super::super::super::error::RegistryError;
use super::super::CommandError;
use super::super::answer::rejected;
use super::super::tables::{Tables, rows};
use super::Subordinate;

/// Label of the domain for hosts of domains that are gone, where nobody says another.
pub(in super::super) const LAME_LABEL_DEFAULT: &str = "lame";
/// Names of own hosts that a refusal lists.
const NAMES_MAX: usize = 10;

/// What becomes of hosts of a removed domain that other domains name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HostOrphan {
    /// The domain is not removed (RFC 5731 section 3.2.2).
    Refuse,
    /// They are renamed into a domain of the registry's and keep their addresses.
    Lame,
    /// They are renamed into `sacrificial.invalid` (RFC 9874 section 5.1.4.3).
    Invalid,
    /// They are kept for as long as the domain can be restored, then renamed as by
    /// `invalid` (RFC 9874 section 5.2.2.3, without its removal of name servers).
    Restore,
}

impl HostOrphan {
    const WORDS: [(Self, &'static str); 4] = [
        (Self::Refuse, "refuse"),
        (Self::Lame, "lame"),
        (Self::Invalid, "invalid"),
        (Self::Restore, "restore"),
    ];

    pub(in super::super) fn column(self) -> &'static str {
        let found = Self::WORDS.iter().find(|(policy, _)| *policy == self);
        found.expect("every policy has a word").1
    }

    fn parse(word: &str) -> Option<Self> {
        let found = Self::WORDS.iter().find(|(_, known)| *known == word);
        found.map(|(policy, _)| *policy)
    }
}

/// What becomes of hosts of a removed domain that no other domain names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OwnHosts {
    /// They go with it (RFC 9874 section 5.2.1.1).
    Delete,
    /// The domain is not removed while there are any.
    Refuse,
}

impl OwnHosts {
    pub(in super::super) fn column(self) -> &'static str {
        match self {
            Self::Delete => "delete",
            Self::Refuse => "refuse",
        }
    }
}

/// The policy of one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct OrphanPolicy {
    pub(in super::super) host_orphan: HostOrphan,
    pub(in super::super) own_hosts: OwnHosts,
    /// The domain for hosts of domains that are gone.
    pub(in super::super) lame_domain: Option<String>,
}

impl OrphanPolicy {
    pub(in super::super) async fn of_zone(
        tables: &mut Tables<'_>,
        zone_id: i64,
    ) -> Result<Self, RegistryError> {
        let query = rows::<(String, String, Option<String>)>(
            "SELECT host_orphan, own_hosts, lame_domain FROM zones WHERE id = $1",
        );
        let found = tables.optional(query.bind(zone_id)).await?;
        let found = found.and_then(|(host_orphan, own_hosts, lame_domain)| {
            Some(Self {
                host_orphan: HostOrphan::parse(&host_orphan)?,
                own_hosts: match own_hosts.as_str() {
                    "delete" => OwnHosts::Delete,
                    _ => OwnHosts::Refuse,
                },
                lame_domain,
            })
        });
        found.ok_or_else(|| tables.inconsistent(format!("policy of zone {zone_id}")))
    }

    /// Whether a domain with these hosts of its own may go.
    pub(super) fn permits(&self, name: &str, unused: &[Subordinate]) -> Result<(), CommandError> {
        let code = ResultCode::AssociationProhibits;
        if self.host_orphan == HostOrphan::Lame && self.lame_domain.as_deref() == Some(name) {
            let reason = "the zone's policy for hosts of removed domains needs it";
            return Err(rejected(code, name, reason));
        }
        // What is its attribute is no object of its own.
        let objects: Vec<_> = unused.iter().filter(|host| host.attribute == 0).collect();
        if self.own_hosts == OwnHosts::Delete || objects.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = objects
            .iter()
            .take(NAMES_MAX)
            .map(|host| &*host.name)
            .collect();
        let reason = format!("has {} hosts below it: {}", objects.len(), names.join(", "));
        Err(rejected(code, name, reason))
    }
}
