use std::time::Duration;

use rcgen::{KeyPair, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, PKCS_RSA_SHA256, SignatureAlgorithm};

use super::*;
use crate::net::testing::{Pair, make, replace};

/// Far more than a reload needs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Of a protocol that asks for nothing.
const PLAIN: Use = Use {
    service: "plain",
    settings: |provider, certified| {
        let builder = ServerConfig::builder_with_provider(provider);
        let builder = builder.with_safe_default_protocol_versions()?;
        let resolver = rustls::sign::SingleCertAndKey::from(certified);
        Ok(builder
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(resolver)))
    },
};

fn load(pair: &Pair) -> Result<Credentials, CredentialsError> {
    Credentials::load(PLAIN, &pair.certificate(), &pair.key())
}

/// Each fault has its part and words of its message, in order.
#[track_caller]
fn check_faults(pair: &Pair, expected: &[(Part, &str)]) {
    let error = load(pair).unwrap_err();
    let faults: Vec<_> = error.0.iter().map(|f| (f.part(), f.to_string())).collect();
    let same = faults.len() == expected.len()
        && faults
            .iter()
            .zip(expected)
            .all(|((part, text), (expected, words))| part == expected && text.contains(words));
    assert!(same, "{faults:#?}\nis not\n{expected:#?}");
}

#[test]
fn a_pair_is_taken_with_its_end() {
    let pair = Pair::until(2031);
    // 2031-12-31 00:00:00 UTC, as `date -u -d 2031-12-31 +%s` has it.
    assert_eq!(load(&pair).unwrap().expires_at(), 1_956_441_600);
}

#[test]
fn every_kind_of_key_that_is_in_use() {
    let check = |kind: &'static SignatureAlgorithm| {
        let pair = Pair::until(2031);
        let key = KeyPair::generate_for(kind).unwrap();
        let params = rcgen::CertificateParams::new(vec!["ns.example".to_owned()]).unwrap();
        std::fs::write(pair.certificate(), params.self_signed(&key).unwrap().pem()).unwrap();
        std::fs::write(pair.key(), key.serialize_pem()).unwrap();
        load(&pair).unwrap();
    };
    check(&PKCS_ED25519);
    check(&PKCS_ECDSA_P384_SHA384);
    check(&PKCS_RSA_SHA256);
}

#[test]
fn the_chain_ends_with_its_first_end() {
    let pair = Pair::until(2041);
    let own = std::fs::read_to_string(pair.certificate()).unwrap();
    std::fs::write(pair.certificate(), own + &make(2031).0).unwrap();
    assert_eq!(load(&pair).unwrap().expires_at(), 1_956_441_600);
}

#[test]
fn both_files_are_looked_at_before_anything_is_said() {
    let pair = Pair::until(2031);
    std::fs::remove_file(pair.certificate()).unwrap();
    std::fs::remove_file(pair.key()).unwrap();
    check_faults(
        &pair,
        &[
            (Part::Certificate, "cannot read certificate: "),
            (Part::Key, "cannot read key: "),
        ],
    );
    std::fs::write(pair.certificate(), "nothing\n").unwrap();
    std::fs::create_dir(pair.key()).unwrap();
    check_faults(
        &pair,
        &[
            (Part::Certificate, "no certificate in it"),
            (Part::Key, "cannot read key"),
        ],
    );
}

#[test]
fn a_key_of_another_certificate_does_not_fit() {
    let pair = Pair::until(2031);
    std::fs::write(pair.key(), make(2031).1).unwrap();
    check_faults(&pair, &[(Part::Key, "does not belong")]);
}

#[test]
fn files_the_other_way_round() {
    let pair = Pair::until(2031);
    let error = Credentials::load(PLAIN, &pair.key(), &pair.certificate()).unwrap_err();
    assert_eq!(error.0.len(), 2, "{error}");
}

#[test]
fn broken_contents_are_named_and_never_shown() {
    let pair = Pair::until(2031);
    let key = std::fs::read_to_string(pair.key()).unwrap();
    let body: String = key.lines().filter(|line| !line.starts_with('-')).collect();
    // Cut in the middle; armour that names no key; octets that are no key.
    for text in [
        key[..key.len() / 2].to_owned(),
        key.replace("PRIVATE KEY", "SECRET"),
        key.replace(&body[4..12], "AAAAAAAA"),
    ] {
        std::fs::write(pair.key(), text).unwrap();
        let error = load(&pair).unwrap_err();
        assert_eq!(error.0.len(), 1);
        assert_eq!(error.0[0].part(), Part::Key, "{error}");
        for shown in [error.to_string(), format!("{error:?}")] {
            assert!(!shown.contains(&body[20..30]), "{shown}");
        }
    }
    pair.renew(2031);
    let pem = std::fs::read_to_string(pair.certificate()).unwrap();
    std::fs::write(pair.certificate(), pem.replacen("MI", "AA", 1)).unwrap();
    check_faults(&pair, &[(Part::Certificate, "unusable certificate")]);
    let shown = format!("{:?}", load(&Pair::until(2031)).unwrap());
    assert!(!shown.contains("key"), "{shown}");
}

#[test]
fn a_reload_takes_a_good_pair_and_refuses_a_bad_one() {
    let pair = Pair::until(2031);
    let credentials = load(&pair).unwrap();
    let (first, until) = (credentials.current(), credentials.expires_at());
    assert!(!credentials.reload().unwrap(), "nothing has changed");
    assert!(Arc::ptr_eq(&first, &credentials.current()));

    std::fs::write(pair.key(), make(2031).1).unwrap();
    let error = credentials.reload().unwrap_err();
    assert_eq!(credentials.error(), Some(error.to_string()));
    assert!(Arc::ptr_eq(&first, &credentials.current()));
    assert_eq!(credentials.expires_at(), until);

    pair.renew(2041);
    assert!(credentials.reload().unwrap());
    assert!(!Arc::ptr_eq(&first, &credentials.current()));
    assert!(credentials.expires_at() > until);
    assert_eq!(credentials.error(), None);
    let counted = (credentials.reloads(), credentials.failures());
    assert_eq!(counted, (1, 1));
}

#[test]
fn a_change_is_taken_once_it_has_stayed() {
    let pair = Pair::until(2031);
    let credentials = load(&pair).unwrap();
    let begin = credentials.stamps();
    assert_eq!(credentials.look(begin), begin);
    let (certificate, key) = make(2041);
    replace(&pair.certificate(), &certificate);
    // Half of the change: seen, and left alone.
    let half = credentials.look(begin);
    assert_ne!(half, begin);
    replace(&pair.key(), &key);
    let whole = credentials.look(half);
    assert_eq!((credentials.reloads(), credentials.failures()), (0, 0));
    credentials.look(whole);
    assert_eq!((credentials.reloads(), credentials.failures()), (1, 0));
    // A bad pair is refused once, not at each look.
    replace(&pair.key(), "nothing");
    let mut seen = whole;
    for _ in 0..5 {
        seen = credentials.look(seen);
    }
    assert_eq!((credentials.reloads(), credentials.failures()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_watch_reloads_and_ends() {
    let pair = Pair::until(2031);
    let credentials = Arc::new(load(&pair).unwrap());
    let (stop, stopped) = watch::channel(false);
    let watching = Arc::clone(&credentials).watch(Duration::from_millis(1), stopped);
    let task = tokio::spawn(watching);
    pair.renew(2041);
    let replaced = async {
        while credentials.reloads() == 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, replaced).await.unwrap();
    stop.send_replace(true);
    task.await.unwrap();
}
