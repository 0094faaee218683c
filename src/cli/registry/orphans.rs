//! `meridian registry zone orphans`: what becomes of hosts of domains that are removed.

use clap::{Args, ValueEnum};

use super::arguments::ActingArgs;
use crate::registry::command::dependencies::{HostOrphan, OwnHosts};
use crate::registry::command::zone::ZoneOrphans;
use crate::registry::types::ValueError;

/// What can be said about them.
#[derive(Debug, Args)]
pub(crate) struct OrphansArgs {
    /// Apex of the zone
    apex: String,
    /// Of hosts that other domains name as well
    #[arg(long, value_name = "POLICY")]
    policy: Option<PolicyArg>,
    /// Of hosts that no other domain names
    #[arg(long, value_name = "POLICY")]
    own_hosts: Option<OwnHostsArg>,
    /// For `--policy lame`: label of the domain that names them from then on [default: lame]
    #[arg(long, value_name = "LABEL")]
    label: Option<String>,
    /// For `--policy lame`: account of the registry's that sponsors it [default: registry]
    #[arg(long, value_name = "HANDLE")]
    registrar: Option<String>,
    #[command(flatten)]
    pub(super) acting: ActingArgs,
}

/// Words of `--policy`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum PolicyArg {
    /// The domain is not removed
    Refuse,
    /// Renamed to ns-N.LABEL.ZONE, which the registry keeps, with the same addresses
    Lame,
    /// Renamed to ns-N.sacrificial.invalid, without addresses
    Invalid,
    /// Kept while the domain can be restored, then renamed as by `invalid`
    Restore,
}

/// Words of `--own-hosts`.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum OwnHostsArg {
    /// They go with the domain
    Delete,
    /// The domain is not removed
    Refuse,
}

impl OrphansArgs {
    pub(super) fn command(&self) -> Result<ZoneOrphans, ValueError> {
        let registrar = self.registrar.as_ref().map(|handle| handle.parse());
        Ok(ZoneOrphans {
            apex: self.apex.parse()?,
            policy: self.policy.map(|policy| match policy {
                PolicyArg::Refuse => HostOrphan::Refuse,
                PolicyArg::Lame => HostOrphan::Lame,
                PolicyArg::Invalid => HostOrphan::Invalid,
                PolicyArg::Restore => HostOrphan::Restore,
            }),
            own_hosts: self.own_hosts.map(|policy| match policy {
                OwnHostsArg::Delete => OwnHosts::Delete,
                OwnHostsArg::Refuse => OwnHosts::Refuse,
            }),
            label: self.label.clone(),
            registrar: registrar.transpose()?,
        })
    }
}
