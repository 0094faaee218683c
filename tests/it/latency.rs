//! `loadtest latency` against our binary: every kind of change of a signed zone is
//! served, and none of them has the zone compiled whole.

use loadtest::latency::{Kind, Plan, Setup, measure, stream};

fn setup(half_load: bool) -> Setup {
    Setup {
        meridian: crate::peers::meridian().to_owned(),
        // A renamed host is less than a quarter of it.
        domains: 4000,
        signed: true,
        half_load,
        dependants: 1000,
        reuse: None,
    }
}

#[test]
fn changes_of_every_kind_cost_what_they_change() {
    let kinds = vec![Kind::Ttl, Kind::Ns, Kind::Ds, Kind::Rename];
    let kept = tempfile::tempdir().unwrap();
    let mut plan = Plan {
        setup: setup(false),
        kinds: kinds.clone(),
        changes: 2,
    };
    plan.setup.reuse = Some(kept.path().to_owned());
    let report = measure(&plan).unwrap();
    let measured: Vec<_> = report.kinds.iter().map(|measured| measured.kind).collect();
    assert_eq!(measured, kinds);
    for measured in &report.kinds {
        assert_eq!(measured.whole, 0, "{measured:?}");
        let written = measured.written_bytes;
        assert!(
            written > 1000 && written < report.image_bytes * 2,
            "{measured:?}"
        );
    }
    let [ttl, .., rename] = &report.kinds[..] else {
        panic!("{report:?}")
    };
    assert!(ttl.written_bytes * 4 < rename.written_bytes, "{report}");
    // What was kept is changed further, and not taken for something else.
    plan.kinds = vec![Kind::Ttl];
    let again = measure(&plan).unwrap();
    assert_eq!(again.kinds[0].whole, 0, "{again}");
    plan.setup.domains += 1;
    let refused = measure(&plan).unwrap_err().to_string();
    assert!(refused.contains("of 4000 signed, not of 4001"), "{refused}");
}

#[test]
fn a_stream_of_changes_is_served_to_its_end() {
    let plan = stream::Plan {
        setup: setup(true),
        rate: 50,
        seconds: 2,
    };
    let report = stream::measure(&plan).unwrap();
    assert_eq!((report.changes, report.compiles[1]), (100, 0), "{report}");
    assert!(report.samples > 0 && report.compiles[0] > 0, "{report}");
    let load = report.load.unwrap();
    assert!(load.sent > 0 && load.lost < load.sent, "{load}");
}
