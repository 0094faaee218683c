//! When signatures start, end and are made anew.

use super::*;

fn sign_at(signing: &Signing, owner: &str, before: &[&[u8]]) -> Signatures {
    let record = rdata(RecordType::A, "192.0.2.1");
    let owner = name(owner);
    let rrset = SignableRrset {
        owner: owner.as_wire(),
        rtype: RecordType::A,
        ttl: 300,
        rdata: &[&record],
    };
    let signer = RrsetSigner::new(signing, &name("example."));
    signer.sign_or_keep(&rrset, before).expect("signs")
}

fn at(signing: &Signing, now: u64) -> Signing {
    Signing::new(signing.policy().clone(), signing.keys().to_vec(), now).expect("same keys")
}

#[test]
fn lives_are_backdated_and_spread_evenly() {
    let signing = combined(SigningPolicy::default());
    let policy = signing.policy();
    let mut buckets = [0u32; 5];
    for index in 0..2_000 {
        let signature = sign_at(&signing, &format!("n{index}.example."), &[]);
        let fields = RrsigFields::parse(&signature.rdata[0]).expect("whole");
        let inception = u64::from(fields.inception);
        assert!(inception + 3600 <= NOW && inception + 2 * 3600 >= NOW);
        let left = fields.seconds_left(NOW);
        assert!(left <= i64::from(policy.validity_seconds));
        assert!(left >= i64::from(policy.shortest_life_seconds()));
        let short_by = i64::from(policy.validity_seconds) - left;
        buckets[usize::try_from(short_by / 86_400).expect("small").min(4)] += 1;
    }
    // Each day of the jitter has a fifth of 2000, give or take six standard deviations.
    assert!(
        buckets.iter().all(|count| (290..510).contains(count)),
        "{buckets:?}"
    );
}

#[test]
fn a_repeated_compile_makes_the_same_fields() {
    let signing = combined(SigningPolicy::default());
    let fields = |signing: &Signing| {
        let rdata = sign_at(signing, "a.example.", &[]).rdata;
        rdata[0][..18].to_vec()
    };
    assert_eq!(fields(&signing), fields(&at(&signing, NOW + 3599)));
    assert_ne!(fields(&signing), fields(&at(&signing, NOW + 3600)));
}

#[test]
fn good_signatures_are_kept_until_the_refresh() {
    let signing = combined(SigningPolicy::default());
    let first = sign_at(&signing, "a.example.", &[]);
    let before = [&*first.rdata[0]];
    let left = RrsigFields::parse(before[0])
        .expect("whole")
        .seconds_left(NOW);
    let refresh = i64::from(signing.policy().refresh_seconds);
    let good_for = u64::try_from(left - refresh).expect("made for longer than that");
    let kept = sign_at(&at(&signing, NOW + good_for - 1), "a.example.", &before);
    assert_eq!((&kept.rdata, kept.made), (&first.rdata, 0));
    let renewed = sign_at(&at(&signing, NOW + good_for), "a.example.", &before);
    assert_eq!((renewed.rdata.len(), renewed.made), (1, 1));
    assert_ne!(renewed.rdata, first.rdata);
}

#[test]
fn signatures_of_other_keys_types_and_futures_are_not_kept() {
    let signing = combined(SigningPolicy::default());
    let first = sign_at(&signing, "a.example.", &[]);
    let change = |at: usize| {
        let mut rdata = first.rdata[0].to_vec();
        // 0x6b, the first octet of these times, becomes later.
        rdata[at] ^= 0x10;
        rdata
    };
    // Type, algorithm, labels, original TTL, expiration, inception, tag, signer.
    for place in [1, 2, 3, 7, 8, 12, 17, 19] {
        let other = change(place);
        assert_eq!(
            sign_at(&signing, "a.example.", &[&other]).made,
            1,
            "octet {place}"
        );
    }
}

#[test]
fn policies_that_cannot_work_are_refused() {
    let check = |change: &dyn Fn(&mut PolicyValues)| {
        let mut values = PolicyValues::default();
        change(&mut values);
        SigningPolicy::new(values)
    };
    assert!(check(&|_| {}).is_ok());
    assert!(matches!(
        check(&|values| values.refresh_seconds = 9 * 86_400),
        Err(PolicyError::Validity { .. })
    ));
    assert!(matches!(
        check(&|values| values.validity_seconds = u32::MAX),
        Err(PolicyError::TooLong(_))
    ));
    assert!(matches!(
        check(&|values| values.dnskey_ttl_seconds = 8 * 86_400),
        Err(PolicyError::Ttl { .. })
    ));
    assert!(matches!(
        check(&|values| values.inception_offset_seconds = 86_401),
        Err(PolicyError::Inception(_))
    ));
}
