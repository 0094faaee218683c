//! Swaps under load: nothing lost, nothing mixed.
//!
//! A stamped zone is compiled and installed again and again while queries come on a
//! fixed schedule, at up to half of the measured capacity. Every reply must hold records of
//! one generation; no worker may go back to an older one.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Context;
use hickory_proto::rr::RecordType;
use loadtest::blast::{Pace, Plan, Queries, Report, blast};
use loadtest::meridian::Meridian;
use loadtest::peer::{Server, Zone};
use loadtest::{dnsperf, stamp};
use zone_image::Name;

use crate::peers::client::{Client, Question};
use crate::peers::{LOAD_TIMEOUT, meridian, wanted};

/// How long capacity is measured.
const CAPACITY_TIME: Duration = Duration::from_secs(1);
/// Longest time that all swaps together may take.
const SWAPS_TIME_MAX: Duration = Duration::from_secs(600);
/// Queries a second of the quick test, at most. A gate often shares its machine: its own
/// pauses of a few tenths of a second must fit the socket buffer. The soak tests and
/// figures that are quoted go to half of capacity.
const GATE_RATE_MAX: u64 = 20_000;

/// A served stamped zone that can be swapped for its next generation.
struct Stamped {
    meridian: Meridian,
    server: Server,
    zone: Zone,
    domains: u64,
}

impl Stamped {
    fn start(directory: &Path, domains: u64) -> anyhow::Result<Self> {
        let apex = Name::parse_absolute("example.")?;
        let zone = Zone {
            apex,
            file: directory.join("zone"),
        };
        let meridian = Meridian::new(meridian(), directory)?;
        write_zone(&zone, domains, 1)?;
        meridian.compile_zone_files(std::slice::from_ref(&zone))?;
        let server = meridian.serve(std::slice::from_ref(&zone), 1, LOAD_TIMEOUT)?;
        Ok(Self {
            meridian,
            server,
            zone,
            domains,
        })
    }

    /// Writes, compiles and installs a generation; returns once it is served.
    fn swap(&self, generation: u16) -> anyhow::Result<()> {
        write_zone(&self.zone, self.domains, generation)?;
        self.meridian
            .compile_zone_files(std::slice::from_ref(&self.zone))?;
        self.meridian.run(&["reload"])?;
        self.check_serial(generation)
    }

    /// Asks for the SOA, whose serial is the generation.
    fn check_serial(&self, generation: u16) -> anyhow::Result<()> {
        let question = Question {
            name: "example.".to_owned(),
            rtype: RecordType::SOA,
            payload: None,
        };
        let reply = Client::new(self.server.target())?.udp(&question)?;
        let serial = format!(" {generation} ");
        anyhow::ensure!(
            reply.answers.iter().any(|record| record.contains(&serial)),
            "generation {generation} is not served after its reload: {:?}",
            reply.answers
        );
        Ok(())
    }

    fn queries(&self) -> anyhow::Result<Queries> {
        let file = self.query_file();
        let mut out = BufWriter::new(File::create(&file)?);
        stamp::write_queries(&self.zone.apex, self.domains, &mut out)?;
        out.flush()?;
        Queries::read(&file, true)
    }

    fn query_file(&self) -> std::path::PathBuf {
        self.meridian.path("queries")
    }

    fn plan(&self, pace: Pace, duration: Duration) -> Plan {
        Plan {
            stamps: true,
            ..Plan::new(self.server.target(), pace, duration)
        }
    }
}

fn write_zone(zone: &Zone, domains: u64, generation: u16) -> anyhow::Result<()> {
    let mut out = BufWriter::new(File::create(&zone.file)?);
    stamp::write_zone(&zone.apex, domains, generation, &mut out)?;
    out.flush().context("writing the zone file")
}

/// Swaps `swaps` times under load, then loads as long without swaps.
pub(crate) fn swap_under_load(domains: u64, swaps: u16, rate_max: u64) -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let stamped = Stamped::start(directory.path(), domains)?;
    let queries = stamped.queries()?;
    let closed = Pace::Closed { outstanding: 128 };
    let capacity = blast(&stamped.plan(closed, CAPACITY_TIME), &queries)?;
    let rate = Pace::Open {
        rate: (capacity.received / 2).clamp(1, rate_max),
    };

    let plan = stamped.plan(rate, SWAPS_TIME_MAX);
    let stop = Arc::clone(&plan.stop);
    let swapping = Instant::now();
    let with_swaps = std::thread::scope(|scope| {
        let run = scope.spawn(|| blast(&plan, &queries));
        let swapped = (2..=swaps + 1).try_for_each(|generation| stamped.swap(generation));
        stop.store(true, Ordering::Relaxed);
        let report = run.join().expect("the load does not panic")?;
        swapped.map(|()| report)
    })?;
    let without = blast(&stamped.plan(rate, swapping.elapsed()), &queries)?;

    eprintln!(
        "capacity {:.0} a second; {swaps} swaps of {domains} domains",
        capacity.rate
    );
    eprintln!("with swaps\n{with_swaps}\nwithout\n{without}");
    check(&with_swaps);
    check(&without);
    Ok(())
}

fn check(report: &Report) {
    let stamps = report.stamps.as_ref().expect("stamps are checked");
    assert_eq!(report.lost, 0, "lost");
    assert_eq!(report.stray, 0, "stray");
    assert_eq!(stamps.mixed, 0, "mixed generations");
    assert_eq!(
        (stamps.unstamped, stamps.malformed),
        (0, 0),
        "unstamped and malformed"
    );
    assert_eq!(
        stamps.backwards, 0,
        "replies of an older generation than before"
    );
}

#[test]
fn a_hundred_swaps_lose_and_mix_nothing() -> anyhow::Result<()> {
    if !wanted(&[]) {
        return Ok(());
    }
    swap_under_load(1000, 100, GATE_RATE_MAX)
}

#[test]
fn dnsperf_loses_nothing_to_swaps() -> anyhow::Result<()> {
    if !wanted(&["dnsperf"]) {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let stamped = Stamped::start(directory.path(), 1000)?;
    stamped.queries()?;
    let file = stamped.query_file();
    let plan = dnsperf::Plan {
        target: stamped.server.target(),
        queries: &file,
        seconds: 5,
        clients: 8,
        threads: 1,
        outstanding: 100,
        rate_max: Some(10_000),
        tcp: false,
        dnssec_ok: false,
        cpu: None,
    };
    let done = AtomicBool::new(false);
    let (summary, swaps) = std::thread::scope(|scope| {
        let swapper = scope.spawn(|| {
            let mut generation = 1;
            while !done.load(Ordering::Relaxed) {
                generation += 1;
                stamped.swap(generation)?;
            }
            anyhow::Ok(generation - 1)
        });
        let summary = dnsperf::run(&plan);
        done.store(true, Ordering::Relaxed);
        (summary, swapper.join().expect("the swapper does not panic"))
    });
    let (summary, swaps) = (summary?, swaps?);
    eprintln!("{swaps} swaps, {summary:?}");
    assert!(
        swaps > 5 && summary.completed > 10_000,
        "{swaps} swaps, {summary:?}"
    );
    assert_eq!(summary.lost, 0, "{summary:?}");
    Ok(())
}
