//! 100,000 small zones beside a large one, in one image and one process, each reloaded
//! on its own: adding or changing one zone writes that zone and a path of the catalog.

use std::fmt::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use hickory_proto::rr::{RData, RecordType};
use loadtest::generate::{self, Parameters, Registry, SmallZones};
use loadtest::meridian::Meridian;
use loadtest::peer::Zone;
use loadtest::process;
use zone_image::{Generation, LookupName, Memory, Name};

use super::wanted;
use crate::peers::meridian;
use crate::support::ask;

const SMALL_ZONES: u64 = 100_000;
const DOMAINS: u64 = 1_000_000;
const LOAD_TIMEOUT: Duration = Duration::from_secs(300);
/// Octets that adding or replacing one zone may write: two nodes of 2 KiB, a leaf, the
/// zone, the table of contents. The catalog has 5 MB, the image some hundred.
const CHANGE_BYTES_MAX: u64 = 16 * 1024;
/// Octets that the server may need for two changes and for telling its state: a list of
/// all zones has 20 MB.
const GROWTH_BYTES_MAX: u64 = 8 << 20;

fn small(first: u64, count: u64, serial: u32) -> SmallZones {
    let parent = Name::parse_absolute("test.").expect("a name");
    SmallZones {
        parent,
        first,
        count,
        serial,
    }
}

/// Octets and number of the files in a folder.
fn files(directory: &Path) -> anyhow::Result<(u64, usize)> {
    let mut sum = (0, 0);
    for file in std::fs::read_dir(directory)? {
        sum.0 += file?.metadata()?.len();
        sum.1 += 1;
    }
    Ok(sum)
}

/// Compiles one zone into the image and makes the server serve it; octets written.
fn change(
    meridian: &Meridian,
    zones: &SmallZones,
    report: &mut String,
    what: &str,
) -> anyhow::Result<u64> {
    let (folder, _) = zones.write(&meridian.path("change"))?;
    let file = folder.join(format!("zone-{}.zone", zones.first));
    let start = Instant::now();
    let output = meridian.run(&["compile", "--zone-file", &file.display().to_string()])?;
    let compiled = start.elapsed();
    meridian.run(&["reload"])?;
    let loaded = start.elapsed() - compiled;
    let words: Vec<_> = output.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "octets");
    let octets: u64 = words[at.expect("the command says what it wrote") - 1].parse()?;
    writeln!(
        report,
        "{what}: {octets} octets, compile {compiled:?}, reload {loaded:?}"
    )?;
    Ok(octets)
}

fn serial(server: SocketAddr, apex: &str) -> anyhow::Result<u32> {
    let reply = ask(server, apex, RecordType::SOA);
    match reply.answers.first().map(|soa| &soa.data) {
        Some(RData::SOA(soa)) => Ok(soa.serial),
        other => anyhow::bail!("{apex}: {other:?}"),
    }
}

/// Opens the image here; how long a zone takes to find.
fn open(image: &Path, report: &mut String) -> anyhow::Result<()> {
    let start = Instant::now();
    let generation = Generation::open(image, Memory::Mapped)?;
    writeln!(report, "open and verify: {:?}", start.elapsed())?;
    let zones = small(0, SMALL_ZONES, 1);
    let names = (0..SMALL_ZONES).map(|index| {
        let apex = zones.apex(index * 7_919 % SMALL_ZONES);
        let name = Name::parse_absolute(&apex).expect("a name");
        LookupName::parse(name.as_wire()).expect("a name")
    });
    let names: Vec<_> = names.collect();
    let start = Instant::now();
    let found = names
        .iter()
        .filter(|name| generation.find_zone(name, name.labels()).is_some())
        .count();
    let each = start.elapsed() / u32::try_from(names.len())?;
    writeln!(report, "find_zone: {each:?} each of {found}")?;
    anyhow::ensure!(found as u64 == SMALL_ZONES, "{found} zones found");
    Ok(())
}

#[test]
fn one_of_a_hundred_thousand_zones_is_added_and_reloaded_alone() -> anyhow::Result<()> {
    if !wanted() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let meridian = Meridian::new(meridian(), directory.path())?;
    let registry = Registry::new(Parameters {
        apex: Name::parse_absolute("example.")?,
        domains: DOMAINS,
        seed: 1,
        queries: 1,
        exponent: 1.0,
        signed: false,
    })?;
    let large = generate::write(&registry, &meridian.path("large"))?.zone;
    let (folder, _) = small(0, SMALL_ZONES, 1).write(&meridian.path("small"))?;
    let zone = |apex: &str, file| {
        let apex = Name::parse_absolute(apex)?;
        anyhow::Ok(Zone { apex, file })
    };
    let zones = [zone("zone-0.test.", folder)?, zone("example.", large)?];

    let mut report = String::new();
    let start = Instant::now();
    meridian.compile_zone_files(&zones)?;
    writeln!(report, "compile of all: {:?}", start.elapsed())?;
    let image = meridian.image();
    let (octets, count) = files(&image)?;
    writeln!(report, "image: {octets} octets in {count} files")?;
    open(&image, &mut report)?;
    let server = meridian.serve(&zones, 1, LOAD_TIMEOUT)?;
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", server.pid()))?;
    let memory = process::memory_bytes(server.pid());
    writeln!(
        report,
        "server: ready after {:?}, {} mappings, {memory} octets of memory",
        server.load_time(),
        maps.lines().count(),
    )?;

    let added = change(
        &meridian,
        &small(SMALL_ZONES, 1, 1),
        &mut report,
        "one added",
    )?;
    let replaced = change(&meridian, &small(77, 1, 2), &mut report, "one replaced")?;
    meridian.run(&["status"])?;
    let grown = process::memory_bytes(server.pid()).saturating_sub(memory);
    eprintln!("{report}after both and a look at its state: {grown} octets more of memory");
    for (number, expected) in [(77, 2), (78, 1), (SMALL_ZONES, 1)] {
        let apex = small(number, 1, 1).apex(number);
        let found = serial(server.target().address(), &apex)?;
        anyhow::ensure!(found == expected, "{apex} has serial {found}");
    }
    for octets in [added, replaced] {
        anyhow::ensure!(octets < CHANGE_BYTES_MAX, "{octets} octets for one zone");
    }
    anyhow::ensure!(grown < GROWTH_BYTES_MAX, "{grown} octets more of memory");
    anyhow::ensure!(
        files(&image)?.1 <= count + 2,
        "a file more a change at most"
    );
    Ok(())
}
