//! Keys sign, come back from PKCS#8, and never show themselves.

use super::*;

#[test]
fn each_algorithm_signs_and_verifies() {
    let apex = name("example.");
    let (wildcard, below) = (name("*.sub.example."), name("a.b.sub.example."));
    for algorithm in Algorithm::ALL {
        let (key, kept) = SoftwareKey::generate(algorithm).expect("a key");
        let again = SoftwareKey::from_pkcs8(kept.as_der()).expect("what was kept");
        assert_eq!(again.algorithm(), algorithm);
        assert_eq!(again.public_key(), key.public_key());
        let zone_key = ZoneKey::combined(Arc::new(again));
        let dnskey = zone_key.dnskey.clone();
        let signing = Signing::new(SigningPolicy::default(), vec![zone_key], NOW).expect("a key");
        let signer = RrsetSigner::new(&signing, &apex);
        let texts = ["10 Mail.Example.", "20 b.example.", "20 b.example."];
        let records = texts.map(|text| rdata(RecordType::MX, text));
        let rrset = SignableRrset {
            owner: wildcard.as_wire(),
            rtype: RecordType::MX,
            ttl: 300,
            rdata: &[&*records[1], &*records[0], &*records[2]],
        };
        let signatures = signer.sign(&rrset).expect("signs");
        assert_eq!((signatures.rdata.len(), signatures.made), (1, 1));
        let rrsig = &signatures.rdata[0];
        assert_eq!(
            verify_rrsig(apex.as_wire(), &dnskey, &rrset, rrsig, NOW),
            Ok(())
        );
        // As a validator sees it, with the name that was asked for.
        let expanded = SignableRrset {
            owner: below.as_wire(),
            ttl: 17,
            ..rrset
        };
        assert_eq!(
            verify_rrsig(apex.as_wire(), &dnskey, &expanded, rrsig, NOW),
            Ok(())
        );
    }
}

#[test]
fn nothing_secret_is_printed() {
    let (key, kept) = SoftwareKey::generate(Algorithm::Ed25519).expect("a key");
    assert_eq!(format!("{kept:?}"), "Pkcs8(..)");
    assert_eq!(format!("{key:?}"), "SoftwareKey { algorithm: Ed25519, .. }");
}

#[test]
fn keys_that_cannot_make_a_chain_are_refused() {
    let p256 = || ZoneKey::combined(key(Algorithm::EcdsaP256Sha256));
    let zsk = ZoneKey::active(key(Algorithm::Ed25519), FLAG_ZONE, Signs::ZONE);
    let check = |keys: &[ZoneKey]| Signing::new(SigningPolicy::default(), keys.to_vec(), NOW);
    let hidden = ZoneKey {
        published: false,
        ..p256()
    };
    let silent = ZoneKey {
        signer: None,
        signs: Signs::NOTHING,
        ..p256()
    };
    let one = p256();
    assert!(matches!(check(&[]), Err(SigningError::NothingPublished)));
    assert!(matches!(
        check(std::slice::from_ref(&zsk)),
        Err(SigningError::NoKeySigner)
    ));
    assert!(matches!(
        check(&[hidden]),
        Err(SigningError::NothingPublished)
    ));
    assert!(matches!(
        check(std::slice::from_ref(&silent)),
        Err(SigningError::AlgorithmWithoutSignatures(_))
    ));
    assert!(matches!(
        check(&[one.clone(), one.clone()]),
        Err(SigningError::SameTag { .. })
    ));
    assert!(
        check(&[one.clone(), silent]).is_ok(),
        "published ahead of its use"
    );
    assert!(check(&[one, zsk]).is_ok(), "two algorithms, both sign");
}

#[test]
fn an_offline_key_needs_its_signatures() {
    let apex = name("example.");
    let ksk = ZoneKey::active(
        key(Algorithm::EcdsaP256Sha256),
        FLAG_ZONE | FLAG_SEP,
        Signs::KEYS,
    );
    let zsk = ZoneKey::active(key(Algorithm::EcdsaP256Sha256), FLAG_ZONE, Signs::ZONE);
    let keys = vec![ksk.clone(), zsk.clone()];
    let ceremony = Signing::new(SigningPolicy::default(), keys, NOW).expect("both are there");
    let dnskeys: Vec<Vec<u8>> = [&ksk, &zsk].iter().map(|key| key.dnskey.rdata()).collect();
    let records: Vec<&[u8]> = dnskeys.iter().map(Vec::as_slice).collect();
    let rrset = SignableRrset {
        owner: apex.as_wire(),
        rtype: RecordType::DNSKEY,
        ttl: 3600,
        rdata: &records,
    };
    let signer = RrsetSigner::new(&ceremony, &apex);
    let made = signer.sign(&rrset).expect("signs").rdata;
    assert_eq!(made.len(), 1, "the zone-signing key does not sign keys");

    let offline = ZoneKey {
        signer: None,
        ..ksk
    };
    let sign = |made: Vec<Box<[u8]>>, now| {
        let keys = vec![offline.clone(), zsk.clone()];
        let policy = SigningPolicy::default();
        let signing = Signing::with_offline_keys(policy, keys, made, now).expect("signed");
        RrsetSigner::new(&signing, &apex).sign(&rrset)
    };
    assert_eq!(sign(made.clone(), NOW).expect("valid").rdata, made);
    let key_tag = offline.key_tag();
    let rtype = RecordType::DNSKEY;
    let missing = Err(SignError::MadeElsewhere { key_tag, rtype });
    assert_eq!(sign(made.clone(), NOW + 40 * 86_400), missing);
    let mut wrong = made[0].to_vec();
    *wrong.last_mut().expect("a signature") ^= 1;
    assert_eq!(sign(vec![wrong.into()], NOW), missing);
}
