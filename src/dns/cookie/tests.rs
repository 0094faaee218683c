use super::*;

/// Hexadecimal digits as octets.
fn hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
        .collect()
}

fn secrets(text: &str) -> CookieSecrets {
    CookieSecrets::parse(&text.replace(' ', "\n")).unwrap()
}

const OLD: &str = "e5e973e5a6b2a43f48e7dc849e37bfcf";
const V6_OLD: &str = "dd3bdf9344b678b185a6f5cb60fca715";
const V6_NEW: &str = "445536bcd2513298075a5d379663c962";

/// A cookie as received from `client` at `now` is worth `standing` and gets `reply`.
#[track_caller]
fn check(secret: &str, cookie: &str, client: &str, now: u64, standing: Standing, reply: &str) {
    let cookie = Cookie::parse(&hex(cookie)).unwrap();
    let client = client.parse().unwrap();
    let found = secrets(secret).judge(&cookie, client, now).unwrap();
    assert_eq!((found.0, &found.1[..]), (standing, &hex(reply)[..]));
}

#[test]
fn vectors_of_rfc_9018_appendix_a() {
    let given = "2464c4abcf10c957010000005cf79f111f8130c3eee29480";
    // A.1: a new client.
    check(
        OLD,
        "2464c4abcf10c957",
        "198.51.100.100",
        1_559_731_985,
        Standing::Unknown,
        given,
    );
    // A.2: the same 40 minutes later.
    check(
        OLD,
        given,
        "198.51.100.100",
        1_559_734_385,
        Standing::Proven,
        "2464c4abcf10c957010000005cf7a871d4a564a1442aca77",
    );
    // A.3: reserved octets are hashed as they came. The vector's cookie is older
    // than the hour of section 4.3, so it counts only while it is young.
    let reserved = "fc93fc62807ddb8601abcdef5cf78f71a314227b6679ebf5";
    check(
        OLD,
        reserved,
        "203.0.113.203",
        1_559_734_700,
        Standing::Bad,
        "fc93fc62807ddb86010000005cf7a9acf73a7810aca2381e",
    );
    check(
        OLD,
        reserved,
        "203.0.113.203",
        1_559_727_985,
        Standing::Proven,
        reserved,
    );
    // A.4: IPv6, and a cookie of the secret before.
    check(
        &format!("{V6_NEW} {V6_OLD}"),
        "22681ab97d52c298010000005cf7c57926556bd0934c72f8",
        "2001:db8:220:1:59de:d0f4:8769:82b8",
        1_559_741_961,
        Standing::Proven,
        "22681ab97d52c298010000005cf7c609a6bb79d16625507a",
    );
}

/// The standing of a cookie made at `made` when it comes back at `now`.
fn standing_after(made: u64, now: u64) -> (Standing, bool) {
    let secrets = secrets(OLD);
    let client = "192.0.2.1".parse().unwrap();
    let (_, first) = secrets
        .judge(&Cookie::parse(&[7; 8]).unwrap(), client, made)
        .unwrap();
    let (standing, second) = secrets
        .judge(&Cookie::parse(&first).unwrap(), client, now)
        .unwrap();
    (standing, second != first)
}

#[test]
fn a_cookie_is_good_for_an_hour_and_renewed_after_half() {
    for base in [1_700_000_000, u64::from(u32::MAX) - 100] {
        for (age, expected) in [
            (0, (Standing::Proven, false)),
            (1800, (Standing::Proven, false)),
            (1801, (Standing::Proven, true)),
            (3600, (Standing::Proven, true)),
            (3601, (Standing::Bad, true)),
            (1 << 30, (Standing::Bad, true)),
        ] {
            assert_eq!(standing_after(base, base + age), expected, "{base} {age}");
        }
        assert_eq!(
            standing_after(base + 300, base),
            (Standing::Proven, false),
            "{base}"
        );
        assert_eq!(
            standing_after(base + 301, base),
            (Standing::Bad, true),
            "{base}"
        );
    }
}

#[test]
fn a_cookie_is_bound_to_its_client_and_its_octets() {
    let secrets = secrets(OLD);
    let home = "192.0.2.1".parse().unwrap();
    let (_, good) = secrets
        .judge(&Cookie::parse(&[7; 8]).unwrap(), home, 1000)
        .unwrap();
    let standing = |octets: &[u8], client: &str| {
        let cookie = Cookie::parse(octets).unwrap();
        secrets
            .judge(&cookie, client.parse().unwrap(), 1000)
            .unwrap()
            .0
    };
    assert_eq!(standing(&good, "192.0.2.1"), Standing::Proven);
    assert_eq!(standing(&good, "::ffff:192.0.2.1"), Standing::Proven);
    assert_eq!(standing(&good, "192.0.2.2"), Standing::Bad);
    for at in 0..good.len() {
        let mut changed = good;
        changed[at] ^= 1;
        assert_eq!(standing(&changed, "192.0.2.1"), Standing::Bad, "octet {at}");
    }
    assert_eq!(standing(&good[..16], "192.0.2.1"), Standing::Bad);
    assert_eq!(
        standing(&[&good[..], &[0; 12]].concat(), "192.0.2.1"),
        Standing::Bad
    );
}

#[test]
fn secrets_roll_in_three_stages() {
    let client = "192.0.2.1".parse().unwrap();
    let made_by = |text: &str| {
        let cookie = Cookie::parse(&[7; 8]).unwrap();
        secrets(text).judge(&cookie, client, 1000).unwrap().1
    };
    let accepts = |text: &str, octets: &[u8]| {
        let cookie = Cookie::parse(octets).unwrap();
        secrets(text).judge(&cookie, client, 1000).unwrap().0 == Standing::Proven
    };
    let (old, new) = (made_by(V6_OLD), made_by(V6_NEW));
    let stages = [
        format!("{V6_OLD} {V6_NEW}"),
        format!("{V6_NEW} {V6_OLD}"),
        V6_NEW.to_owned(),
    ];
    assert!(!accepts(V6_OLD, &new));
    for stage in &stages[..2] {
        assert!(accepts(stage, &old) && accepts(stage, &new), "{stage}");
    }
    assert_eq!(made_by(&stages[0]), old);
    assert_eq!(made_by(&stages[1]), new);
    assert!(!accepts(&stages[2], &old));
}

#[test]
fn lengths_of_the_option() {
    for length in 0..=64 {
        let valid = length == 8 || (16..=40).contains(&length);
        assert_eq!(
            Cookie::parse(&vec![0; length]).is_some(),
            valid,
            "length {length}"
        );
    }
}

#[test]
fn a_file_of_secrets() {
    let fault = |text: &str| CookieSecrets::parse(text).unwrap_err();
    assert_eq!(
        CookieSecrets::parse(&format!("# ours\n\n {OLD} # makes\n{V6_OLD}\n"))
            .unwrap()
            .secrets
            .len(),
        2
    );
    assert_eq!(fault("# none\n"), CookieSecretsError::Empty);
    assert_eq!(
        fault(&format!("{OLD}\n12")),
        CookieSecretsError::Malformed { line: 2 }
    );
    assert_eq!(
        fault(&format!("{OLD}g")),
        CookieSecretsError::Malformed { line: 1 }
    );
    assert_eq!(
        fault(&format!("+{}", &OLD[1..])),
        CookieSecretsError::Malformed { line: 1 }
    );
    assert_eq!(
        fault(&format!("{OLD}\n").repeat(5)),
        CookieSecretsError::TooMany { line: 5 }
    );
    assert_eq!(
        format!("{:?}", secrets(OLD)),
        "CookieSecrets { secrets: [Secret(..)] }"
    );
}
