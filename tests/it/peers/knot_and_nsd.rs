//! Knot and NSD against each other: shows that the harness sees differences where
//! there are some, and none where there are none.

use loadtest::peer::Software;

use super::client::Client;
use super::compare::{differences, questions, top_level_domains};
use super::{LOAD_TIMEOUT, root_zone, wanted};

#[test]
fn knot_and_nsd_differ_without_edns_only() -> anyhow::Result<()> {
    if !wanted(&["knotd", "nsd"]) {
        return Ok(());
    }
    let Some(zone) = root_zone() else {
        return Ok(());
    };
    let zones = [zone];
    let tlds = top_level_domains(&zones[0].file)?;
    assert_eq!(tlds.len(), 1544, "TLDs of the root zone");
    let knot = Software::Knot.start(&zones, 1, LOAD_TIMEOUT)?;
    let nsd = Software::Nsd.start(&zones, 1, LOAD_TIMEOUT)?;
    let (mut knot, mut nsd) = (Client::new(knot.target())?, Client::new(nsd.target())?);
    for question in questions(&tlds, Some(1232)) {
        let found = differences(&knot.udp(&question)?, &nsd.udp(&question)?);
        assert!(
            found.is_empty(),
            "{question}, Knot / NSD over UDP: {found:#?}"
        );
        let found = differences(&knot.tcp(&question)?, &nsd.tcp(&question)?);
        assert!(
            found.is_empty(),
            "{question}, Knot / NSD over TCP: {found:#?}"
        );
    }
    let mut different = 0;
    for question in questions(&tlds, None) {
        different +=
            usize::from(!differences(&knot.udp(&question)?, &nsd.udp(&question)?).is_empty());
    }
    // The two truncate differently (rows 43 to 46 of the list of answers): a harness
    // that finds nothing here compares nothing.
    assert!(
        (10..200).contains(&different),
        "{different} differences without EDNS"
    );
    eprintln!("{different} of {} differ without EDNS", 3 * tlds.len());
    Ok(())
}
