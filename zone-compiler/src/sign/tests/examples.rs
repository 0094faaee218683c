//! The examples of RFC 4509, 6605 and 8080.

use super::*;

/// A key and an RRSIG as an RFC prints them.
struct Example {
    apex: &'static str,
    dnskey: &'static str,
    key_tag: u16,
    digest: DigestType,
    ds: &'static str,
    owner: &'static str,
    rtype: RecordType,
    record: &'static str,
    rrsig: &'static str,
}

const P256: Example = Example {
    apex: "example.net.",
    dnskey: "257 3 13 GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edb\
             krSqQpF64cYbcB7wNcP+e+MAnLr+Wi9xMWyQLc8NAA==",
    key_tag: 55648,
    digest: DigestType::Sha256,
    ds: "55648 13 2 b4c8c1fe2e7477127b27115656ad6256f424625bf5c1e2770ce6d6e37df61d17",
    owner: "www.example.net.",
    rtype: RecordType::A,
    record: "192.0.2.1",
    rrsig: "A 13 3 3600 20100909100439 20100812100439 55648 example.net. \
            qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7Zwm\
            wWep666VCw==",
};

const P384: Example = Example {
    apex: "example.net.",
    dnskey: "257 3 14 xKYaNhWdGOfJ+nPrL8/arkwf2EY3MDJ+SErKivBVSum1w/egsXvSADtNJhyem5RC\
             OpgQ6K8X1DRSEkrbYQ+OB+v8/uX45NBwY8rp65F6Glur8I/mlVNgF6W/qTI37m40",
    key_tag: 10771,
    digest: DigestType::Sha384,
    ds: "10771 14 4 72d7b62976ce06438e9c0bf319013cf801f09ecc84b8d7e9495f27e305c6a9b0\
         563a9b5f4d288405c3008a946df983d6",
    owner: "www.example.net.",
    rtype: RecordType::A,
    record: "192.0.2.1",
    rrsig: "A 14 3 3600 20100909102025 20100812102025 10771 example.net. \
            /L5hDKIvGDyI1fcARX3z65qrmPsVz73QD1Mr5CEqOiLP95hxQouuroGCeZOvzFaxsT8Glr74hbav\
            RKayJNuydCuzWTSSPdz7wnqXL5bdcJzusdnI0RSMROxxwGipWcJm",
};

const ED25519: Example = Example {
    apex: "example.com.",
    dnskey: "257 3 15 l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=",
    key_tag: 3613,
    digest: DigestType::Sha256,
    ds: "3613 15 2 3aa5ab37efce57f737fc1627013fee07bdf241bd10f3b1964ab55c78e79a304b",
    owner: "example.com.",
    rtype: RecordType::MX,
    record: "10 mail.example.com.",
    // The RFC leaves the algorithm out and counts a label too many, in what it prints and
    // in what it signed; so this one is made again but verifies nowhere.
    rrsig: "MX 15 3 3600 1440021600 1438207200 3613 example.com. \
            Edk+IB9KNNWg0HAjm7FazXyrd5m3Rk8zNZbvNpAcM+eysqcUOMIjWoevFkjH5GaMWeG96GUVZu6E\
            CKOQmemHDg==",
};

fn dnskey(example: &Example) -> Dnskey {
    let rdata = rdata(RecordType::DNSKEY, example.dnskey);
    Dnskey {
        flags: u16::from_be_bytes([rdata[0], rdata[1]]),
        algorithm: Algorithm::from_number(rdata[3]).expect("an algorithm of ours"),
        public_key: rdata[4..].into(),
    }
}

#[test]
fn tags_and_digests_are_those_of_the_rfcs() {
    for example in [P256, P384, ED25519] {
        let key = dnskey(&example);
        assert_eq!(key.key_tag(), example.key_tag);
        let ds = ds_rdata(&name(example.apex), &key.rdata(), example.digest);
        assert_eq!(*ds, *rdata(RecordType::DS, example.ds));
    }
}

fn verify(example: &Example, record: &[u8], now: u64) -> Result<(), VerifyError> {
    let owner = name(example.owner);
    let rrset = SignableRrset {
        owner: owner.as_wire(),
        rtype: example.rtype,
        ttl: 3600,
        rdata: &[record],
    };
    let rrsig = rdata(RecordType::RRSIG, example.rrsig);
    let apex = name(example.apex);
    verify_rrsig(apex.as_wire(), &dnskey(example), &rrset, &rrsig, now)
}

#[test]
fn signatures_of_the_rfcs_verify() {
    let now = 1_283_000_000;
    for example in [P256, P384] {
        let record = rdata(example.rtype, example.record);
        assert_eq!(verify(&example, &record, now), Ok(()));
        assert_eq!(verify(&example, &record, NOW), Err(VerifyError::Time));
        let mut other = record.to_vec();
        other[0] ^= 1;
        assert_eq!(verify(&example, &other, now), Err(VerifyError::Signature));
    }
    let record = rdata(ED25519.rtype, ED25519.record);
    let labels = verify(&ED25519, &record, 1_439_000_000);
    assert_eq!(
        labels,
        Err(VerifyError::Other),
        "more labels than its owner"
    );
}

/// Ed25519 has one signature for a message, so ours must be the one of the RFC.
#[test]
fn an_ed25519_signature_is_that_of_the_rfc() {
    let seed = b"82260384628080122645190204142262";
    let public = dnskey(&ED25519).public_key;
    let key = SoftwareKey::from_scalar(Algorithm::Ed25519, seed, &public).expect("they fit");
    let rrsig = rdata(RecordType::RRSIG, ED25519.rrsig);
    let fields = RrsigFields::parse(&rrsig).expect("whole");
    let mut message = rrsig[..rrsig.len() - 64].to_vec();
    let record = rdata(RecordType::MX, ED25519.record);
    let owner = name(ED25519.owner);
    let rrset = SignableRrset {
        owner: owner.as_wire(),
        rtype: RecordType::MX,
        ttl: 3600,
        rdata: &[&record],
    };
    super::super::rrsig::append_records(&rrset, owner.as_wire(), &mut message);
    assert_eq!(key.sign(&message).expect("signs"), fields.signature);
}
