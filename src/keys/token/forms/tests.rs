use super::*;

fn parts(number: u8) -> Vec<u8> {
    (0..number).collect()
}

#[test]
fn a_point_is_read_wrapped_and_plain() {
    let check = |algorithm, head: &[u8], length: u8| {
        let public_key_of = |point: Vec<u8>| public_key(algorithm, &[Attribute::EcPoint(point)]);
        let plain = [head, &parts(length)].concat();
        let inner = u8::try_from(plain.len()).unwrap();
        let wrapped = [&[OCTET_STRING, inner], plain.as_slice()].concat();
        assert_eq!(public_key_of(plain.clone()), Some(parts(length)));
        assert_eq!(public_key_of(wrapped), Some(parts(length)));
        assert_eq!(
            public_key_of(plain[1..].to_vec()).is_some(),
            !head.is_empty()
        );
        assert_eq!(public_key_of(Vec::new()), None);
    };
    check(Algorithm::EcdsaP256Sha256, &[4], 64);
    check(Algorithm::EcdsaP384Sha384, &[4], 96);
    check(Algorithm::Ed25519, &[], 32);
}

#[test]
fn what_is_looked_for_reads_back_as_the_key_that_was_meant() {
    let rsa = rsa_public_key(&[1, 0, 1], &[7; 256]).unwrap();
    let keys = [
        (Algorithm::EcdsaP256Sha256, parts(64)),
        (Algorithm::EcdsaP384Sha384, parts(96)),
        (Algorithm::Ed25519, parts(32)),
        (Algorithm::RsaSha256, rsa),
    ];
    for (algorithm, key) in keys {
        for mut template in templates(algorithm, &key) {
            template.push(Attribute::PublicExponent(vec![1, 0, 1]));
            assert_eq!(public_key(algorithm, &template).as_ref(), Some(&key));
        }
    }
}

#[test]
fn kind_and_curve_say_the_algorithm() {
    let check = |kind, curve: Option<&[u8]>, expected| {
        let curve: Vec<_> = curve
            .map(|curve| Attribute::EcParams(curve.to_vec()))
            .into_iter()
            .collect();
        assert_eq!(algorithm(&[Attribute::KeyType(kind)], &curve), expected);
    };
    check(KeyType::EC, Some(P256), Some(Algorithm::EcdsaP256Sha256));
    check(KeyType::EC, Some(P384), Some(Algorithm::EcdsaP384Sha384));
    check(KeyType::EC, Some(ED25519), None);
    check(KeyType::EC, None, None);
    check(KeyType::EC_EDWARDS, Some(ED25519), Some(Algorithm::Ed25519));
    check(
        KeyType::EC_EDWARDS,
        Some(ED25519_NAME),
        Some(Algorithm::Ed25519),
    );
    check(KeyType::RSA, None, Some(Algorithm::RsaSha256));
    check(KeyType::DSA, None, None);
}
