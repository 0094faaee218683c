//! Many small zones, as a hoster or a registry with one zone a customer has them.
//!
//! One file a zone in a folder; each zone has ten records of the usual kinds. A zone's
//! contents follow from its number and its serial alone.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::Context;
use zone_image::Name;

/// Most zones that can be made: numbers of seven digits.
pub const SMALL_ZONES_MAX: u64 = 10_000_000;

/// What to generate.
#[derive(Debug, Clone)]
pub struct SmallZones {
    /// What all apexes stand below.
    pub parent: Name,
    /// The number of the first zone.
    pub first: u64,
    /// How many zones.
    pub count: u64,
    /// Their serial.
    pub serial: u32,
}

impl SmallZones {
    /// The apex of a zone.
    pub fn apex(&self, number: u64) -> String {
        match self.parent.is_root() {
            true => format!("zone-{number}."),
            false => format!("zone-{number}.{}", self.parent),
        }
    }

    /// Writes one file a zone into `zones` below the directory, which is made, and
    /// `queries` beside it; gives both.
    pub fn write(&self, directory: &Path) -> anyhow::Result<(PathBuf, PathBuf)> {
        let last = self.first.saturating_add(self.count);
        anyhow::ensure!(
            self.count > 0 && last <= SMALL_ZONES_MAX,
            "zones {} to {last}, between 1 and {SMALL_ZONES_MAX} can be made",
            self.first
        );
        let zones = directory.join("zones");
        fs::create_dir_all(&zones)
            .with_context(|| format!("making directory {}", zones.display()))?;
        for number in self.first..last {
            let path = zones.join(format!("zone-{number}.zone"));
            fs::write(&path, self.text(number))
                .with_context(|| format!("writing {}", path.display()))?;
        }
        let queries = directory.join("queries");
        super::write_file(&queries, |out| self.write_queries(out))?;
        Ok((zones, queries))
    }

    /// A zone as a zone file.
    pub fn text(&self, number: u64) -> String {
        let apex = self.apex(number);
        let serial = self.serial;
        let [_, _, _, _, _, b, c, d] = number.to_be_bytes();
        format!(
            "$ORIGIN {apex}\n$TTL 3600\n\
             @ SOA ns1 hostmaster {serial} 7200 900 1209600 300\n\
             @ NS ns1\n@ NS ns2\n@ MX 10 mail\n@ A 10.{b}.{c}.{d}\n\
             @ TXT \"v=spf1 mx -all\"\n\
             www A 10.{b}.{c}.{d}\nmail A 10.{b}.{c}.{d}\n\
             ns1 A 198.18.0.1\nns2 A 198.18.0.2\n"
        )
    }

    /// Four questions a zone, the zones in an order without locality.
    fn write_queries(&self, out: &mut impl Write) -> io::Result<()> {
        for index in 0..self.count {
            // An odd factor reaches every zone once when the count is a power of two,
            // and nearly every one otherwise.
            let number = self.first + index.wrapping_mul(7_919) % self.count;
            let apex = self.apex(number);
            writeln!(out, "{apex} SOA\nwww.{apex} A\n{apex} MX\nno.{apex} A")?;
        }
        Ok(())
    }
}
