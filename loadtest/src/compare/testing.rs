//! A comparison that nobody measured, for the tests of what is written of one.

use super::{Comparison, Load, Reload, Round, Start, ratios};

/// Meridian at half and a quarter of what Knot takes, NSD at twice, two rounds each.
pub(super) fn comparison() -> Comparison {
    let round = |user: f64, system: f64| Round {
        rate: 1e6 / (user + system),
        user_microseconds: user,
        system_microseconds: system,
        lost: 1,
        reply_octets: 100.0,
        p50: 10.0,
        p99: 20.0,
        lag_microseconds_max: 7.0,
        waiting_microseconds: 3000.0,
    };
    let load = Load {
        name: "referral".to_owned(),
        servers: vec![
            (
                "Meridian".to_owned(),
                vec![round(1.0, 4.0), round(0.5, 2.0)],
            ),
            ("Knot".to_owned(), vec![round(5.0, 5.0), round(5.0, 5.0)]),
            ("NSD".to_owned(), vec![round(10.0, 10.0), round(10.0, 10.0)]),
            ("echo".to_owned(), vec![round(0.5, 2.0), round(0.5, 2.0)]),
        ],
    };
    let start = Start {
        server: "Meridian".to_owned(),
        compile_seconds: 1.25,
        load_seconds: 0.5,
        memory_bytes: 3 << 20,
        image_bytes: 2 << 20,
    };
    let reload = Reload {
        server: "<Knot>".to_owned(),
        error: Some("no & never".to_owned()),
        ..Reload::default()
    };
    Comparison {
        domains: 1000,
        signed: true,
        pinned: true,
        missing: vec!["PowerDNS"],
        starts: vec![start],
        ratios: ratios::all(std::slice::from_ref(&load)),
        loads: vec![load],
        reloads: vec![reload],
    }
}
