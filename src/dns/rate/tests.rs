use super::*;

fn table(responses_per_second: u32, slip: u32) -> RateLimit {
    let limits = RateLimits {
        responses_per_second,
        slip,
        entries: 1024,
        ..RateLimits::default()
    };
    RateLimit::new(limits, Secret::new([5; 16]))
}

fn judge(table: &RateLimit, client: &str, kind: Kind, apex: &[u8], now: u64) -> Verdict {
    table.judge(client.parse().unwrap(), kind, apex, now)
}

/// What becomes of the first replies to one client, a letter each.
#[track_caller]
fn check(rate: u32, slip: u32, expected: &str) {
    let table = table(rate, slip);
    let found: String = (0..expected.len())
        .map(
            |_| match judge(&table, "192.0.2.1", Kind::Answer, b"", 1000) {
                Verdict::Send => 's',
                Verdict::Slip => 't',
                Verdict::Drop => 'd',
            },
        )
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_nth_reply_over_the_limit_slips() {
    check(3, 2, "sssdtdtdt");
    check(3, 1, "sssttttt");
    check(3, 3, "sssddtddt");
    check(3, 0, "sssddddd");
    check(1, 2, "sdtdt");
}

#[test]
fn each_second_starts_anew_whatever_clock_a_worker_has() {
    let table = table(2, 0);
    let at = |now| judge(&table, "192.0.2.1", Kind::Answer, b"", now);
    assert_eq!(
        [at(10), at(10), at(10)],
        [Verdict::Send, Verdict::Send, Verdict::Drop]
    );
    assert_eq!(
        [at(11), at(11), at(11)],
        [Verdict::Send, Verdict::Send, Verdict::Drop]
    );
    // A worker whose clock is a second behind does not bring the second back.
    assert_eq!([at(10), at(11)], [Verdict::Drop, Verdict::Drop]);
    assert_eq!(at(12), Verdict::Send);
    // Seconds wrap in the table after 12 days; whatever they were, time goes on.
    for later in [1 << 19, 1 << 20, (1 << 20) + 1, 1 << 40] {
        assert_eq!(at(12 + later), Verdict::Send, "{later}");
    }
}

#[test]
fn counts_apart_what_is_apart() {
    let same = [
        ("192.0.2.1", "192.0.2.255"),
        ("192.0.2.1", "::ffff:192.0.2.9"),
        ("2001:db8:0:ab00::1", "2001:db8:0:abff:1::"),
    ];
    let apart = [
        ("192.0.2.1", "192.0.3.1"),
        ("2001:db8:0:ab00::1", "2001:db8:0:ac00::1"),
        ("0.0.0.0", "::"),
    ];
    let second = |first: &str, second: &str| {
        let table = table(1, 0);
        judge(&table, first, Kind::Answer, b"", 5);
        judge(&table, second, Kind::Answer, b"", 5)
    };
    for (a, b) in same {
        assert_eq!(second(a, b), Verdict::Drop, "{a} {b}");
    }
    for (a, b) in apart {
        assert_eq!(second(a, b), Verdict::Send, "{a} {b}");
    }
    let table = table(1, 0);
    for kind in [Kind::Answer, Kind::Referral, Kind::Negative, Kind::Error] {
        for apex in [&b""[..], b"\x01a\x00", b"\x01b\x00"] {
            assert_eq!(judge(&table, "::1", kind, apex, 5), Verdict::Send);
            assert_eq!(judge(&table, "::1", kind, apex, 5), Verdict::Drop);
        }
    }
}

#[test]
fn a_flood_stays_limited_while_a_million_others_come_by() {
    let table = table(100, 0);
    let mut sent = 0;
    for round in 0..1000 {
        for other in 0..1000u32 {
            let client = std::net::Ipv4Addr::from((round * 1000 + other) << 8);
            table.judge(client.into(), Kind::Answer, b"", 7);
        }
        for _ in 0..10 {
            let verdict = judge(&table, "203.0.113.1", Kind::Referral, b"", 7);
            sent += u32::from(verdict == Verdict::Send);
        }
    }
    // Once its count is above that of passers-by, nothing moves it out.
    assert_eq!(sent, 100);
}

#[test]
fn one_rate_for_all_threads() {
    let table = table(1000, 2);
    let totals: Vec<[u32; 3]> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut totals = [0; 3];
                    for _ in 0..10_000 {
                        totals[judge(&table, "::1", Kind::Answer, b"", 9) as usize] += 1;
                    }
                    totals
                })
            })
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .collect()
    });
    let sum = |at: usize| totals.iter().map(|totals| totals[at]).sum::<u32>();
    assert_eq!([sum(0), sum(1), sum(2)], [1000, 19_500, 19_500]);
}

#[test]
fn a_count_ends_before_it_touches_the_second() {
    let table = table(1, 1);
    judge(&table, "::1", Kind::Answer, b"", 9);
    let line = table
        .lines
        .iter()
        .find(|line| line.0[0].load(Ordering::Relaxed) != 0);
    let word = &line.unwrap().0[0];
    word.fetch_add(COUNT_MAX - 3, Ordering::Relaxed);
    let verdicts: Vec<_> = (0..5)
        .map(|_| judge(&table, "::1", Kind::Answer, b"", 9))
        .collect();
    assert_eq!(verdicts[0], Verdict::Slip);
    assert_eq!(verdicts[4], Verdict::Drop);
    assert_eq!(word.load(Ordering::Relaxed) & COUNT_MASK, COUNT_MAX);
}

#[test]
fn prefixes_of_any_length() {
    for (bits, length, expected) in [
        (!0, 0, 0),
        (!0, 1, 1 << 63),
        (!0, 56, !0xff),
        (!0, 64, !0),
        (!0, 128, !0u64),
    ] {
        assert_eq!(leading(bits, length), expected, "{length}");
    }
}
