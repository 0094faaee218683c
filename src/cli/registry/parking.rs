//! `meridian registry zone parking`: what becomes of domains without name servers.

use clap::Args;

use super::arguments::ActingArgs;
use crate::registry::command::zone::ZoneParking;
use crate::registry::types::{Ttl, ValueError, ZoneRecord};

/// All that there is to say of it.
#[derive(Debug, Args)]
pub(crate) struct ParkingArgs {
    /// Apex of the zone
    apex: String,
    /// A server that answers for parked domains, twice at least; none ends parking. One in
    /// the zone needs an address among the zone's own records
    #[arg(long = "server", value_name = "HOST", required_unless_present = "off")]
    servers: Vec<String>,
    /// Park no domains
    #[arg(long, conflicts_with_all = ["servers", "records", "rname"])]
    off: bool,
    /// What parked domains have beside SOA and NS: `@ TTL TYPE DATA` for the domain,
    /// `* TTL TYPE DATA` for every name below it
    #[arg(long = "record", value_name = "RECORD")]
    records: Vec<String>,
    /// Mailbox in their SOA, as a name [default: that of the zone]
    #[arg(long, value_name = "NAME")]
    rname: Option<String>,
    /// Seconds that their SOA and misses are cached
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    ttl: u32,
    #[command(flatten)]
    pub(super) acting: ActingArgs,
}

impl ParkingArgs {
    pub(super) fn command(&self) -> Result<Box<ZoneParking>, ValueError> {
        let record = |text: &String| match text.strip_prefix('@') {
            Some(rest) => ZoneRecord::parse(&format!(".{rest}")),
            None => ZoneRecord::parse(text),
        };
        let servers = self.servers.iter().map(|host| host.parse());
        Ok(Box::new(ZoneParking {
            apex: self.apex.parse()?,
            servers: servers.collect::<Result<_, _>>()?,
            rname: self.rname.as_ref().map(|name| name.parse()).transpose()?,
            ttl: Ttl::new(self.ttl)?,
            records: self.records.iter().map(record).collect::<Result<_, _>>()?,
        }))
    }
}
