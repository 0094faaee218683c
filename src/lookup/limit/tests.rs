use super::*;

const SECOND: i64 = 1_000_000;

fn admitted(limiter: &Limiter, client: &str, at: i64) -> Result<(), Duration> {
    limiter.admit(client.parse().unwrap(), Timestamp(at))
}

#[test]
fn a_burst_and_then_a_steady_rate_are_let_through() {
    let limiter = Limiter::new(10, 5).unwrap();
    let now = 1_000 * SECOND;
    let taken = (0..9).filter(|_| admitted(&limiter, "192.0.2.1", now).is_ok());
    assert_eq!(taken.count(), 5);
    assert_eq!(
        admitted(&limiter, "192.0.2.1", now),
        Err(Duration::from_millis(100))
    );
    assert_eq!(admitted(&limiter, "192.0.2.1", now + SECOND / 10), Ok(()));
    let later = now + 60 * SECOND;
    let taken = (0..9).filter(|_| admitted(&limiter, "192.0.2.1", later).is_ok());
    assert_eq!(
        taken.count(),
        5,
        "the whole burst, and no more for a long silence"
    );
    // A clock that went back lets nobody wait for it.
    assert_eq!(admitted(&limiter, "192.0.2.1", now), Ok(()));
}

#[test]
fn a_network_is_a_customer_of_either_family() {
    let limiter = Limiter::new(1, 1).unwrap();
    let now = 1_000 * SECOND;
    for (first, same, other) in [
        ("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"),
        ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", "2001:db8:0:2::1"),
        ("::", "::1", "0:0:0:1::"),
    ] {
        assert_eq!(admitted(&limiter, first, now), Ok(()), "{first}");
        assert!(admitted(&limiter, same, now).is_err(), "{same}");
        assert_eq!(admitted(&limiter, other, now), Ok(()), "{other}");
    }
}

#[test]
fn nobody_waits_for_what_very_many_others_ask() {
    let limiter = Limiter::new(1, 1).unwrap();
    let now = 1_000 * SECOND;
    for client in 0..200_000_u32 {
        let client = IpAddr::V4((0x0a00_0000 + client).into());
        assert_eq!(limiter.admit(client, Timestamp(now)), Ok(()));
    }
    assert_eq!(
        Limiter::new(0, 1).unwrap().table.len(),
        0,
        "no limit needs no table"
    );
}
