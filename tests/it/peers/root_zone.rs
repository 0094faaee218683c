//! The real root zone from Meridian, Knot and NSD: the same answers.
//!
//! The zone goes the whole way, through the registry database and an image, so that
//! what import, compile or serving lose or add shows as a difference.

use std::path::Path;

use loadtest::meridian::Meridian;
use loadtest::peer::{Server, Software, Zone};

use super::client::{Client, Question};
use super::compare::{SHOWN_MAX, differences, questions, top_level_domains};
use super::rows::fault_without_edns;
use super::{LOAD_TIMEOUT, meridian, root_zone, wanted};

/// Imports the zone file, compiles and serves it.
fn serve_imported(zone: &Zone, directory: &Path) -> anyhow::Result<Server> {
    let meridian = Meridian::new(meridian(), directory)?;
    meridian.run(&["registry", "init"])?;
    let file = zone.file.display().to_string();
    meridian.run(&["registry", "import", "--zone-file", &file])?;
    meridian.run(&["compile"])?;
    meridian.serve(std::slice::from_ref(zone), 2, LOAD_TIMEOUT)
}

#[test]
fn every_tld_of_a_registry_is_answered_as_knot_and_nsd_do() -> anyhow::Result<()> {
    answers_as_peers(serve_imported)
}

#[test]
fn every_tld_of_a_zone_file_is_answered_as_knot_and_nsd_do() -> anyhow::Result<()> {
    answers_as_peers(|zone, _| {
        Meridian::serve_zones(meridian(), std::slice::from_ref(zone), 2, LOAD_TIMEOUT)
    })
}

/// Asks the server that `serve` starts and both peers the same, over UDP and TCP.
fn answers_as_peers(
    serve: impl FnOnce(&Zone, &Path) -> anyhow::Result<Server>,
) -> anyhow::Result<()> {
    if !wanted(&["knotd", "nsd"]) {
        return Ok(());
    }
    let Some(zone) = root_zone() else {
        return Ok(());
    };
    let tlds = top_level_domains(&zone.file)?;
    assert_eq!(tlds.len(), 1544, "TLDs of the root zone");
    let directory = tempfile::tempdir()?;
    let server = serve(&zone, directory.path())?;
    let mut ours = Client::new(server.target())?;
    let mut faults = Vec::new();
    for software in Software::AUTHORITATIVE {
        let peer = software.start(std::slice::from_ref(&zone), 1, LOAD_TIMEOUT)?;
        let mut theirs = Client::new(peer.target())?;
        for question in questions(&tlds, Some(1232)) {
            let name = software.name();
            let mut check = |transport: &str, found: Vec<String>| {
                if !found.is_empty() {
                    faults.push(format!(
                        "{question} over {transport}, ours / {name}: {found:#?}"
                    ));
                }
            };
            check(
                "UDP",
                differences(&ours.udp(&question)?, &theirs.udp(&question)?),
            );
            check(
                "TCP",
                differences(&ours.tcp(&question)?, &theirs.tcp(&question)?),
            );
        }
    }
    report(&faults);
    Ok(())
}

#[test]
fn replies_of_512_octets_keep_the_rules_of_truncation() -> anyhow::Result<()> {
    if !wanted(&[]) {
        return Ok(());
    }
    let Some(zone) = root_zone() else {
        return Ok(());
    };
    let tlds = top_level_domains(&zone.file)?;
    let ours = Meridian::serve_zones(meridian(), std::slice::from_ref(&zone), 1, LOAD_TIMEOUT)?;
    let mut client = Client::new(ours.target())?;
    let (mut faults, mut truncated) = (Vec::new(), 0);
    for question in questions(&tlds, None) {
        let whole = client.tcp(&Question {
            payload: Some(1232),
            ..question.clone()
        })?;
        let short = client.udp(&question)?;
        truncated += usize::from(short.truncated);
        if let Some(fault) = fault_without_edns(&whole, &short)? {
            faults.push(format!("{question}: {fault}"));
        }
    }
    report(&faults);
    // 13 name servers with glue of both families do not fit for a part of the TLDs.
    assert!(truncated > 10, "only {truncated} replies had TC");
    Ok(())
}

fn report(faults: &[String]) {
    let shown = &faults[..faults.len().min(SHOWN_MAX)];
    assert!(
        faults.is_empty(),
        "{} differences, the first:\n{}",
        faults.len(),
        shown.join("\n")
    );
}
