//! What signing costs.
//!
//! - `signature`: one RRset signed by one core, by algorithm. Whatever a signed compile
//!   takes beyond this is ours.
//! - `compile and sign`: a zone file of 100,000 delegations, 8 % of them with DS, to an
//!   image with NSEC3 and opt-out; anew, and with the signatures of the image before.
//!
//! `cargo bench --bench sign`; figures in the documentation come from here.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use loadtest::generate::{self, Parameters, Registry};
use zone_compiler::sign::{
    Algorithm, RrsetSigner, SignableRrset, Signing, SigningPolicy, SoftwareKey, ZoneKey,
};
use zone_compiler::zonefile::ZoneFileSource;
use zone_compiler::{Options, RecordType, compile_with};
use zone_image::writer::Installer;
use zone_image::{Generation, Memory, Name};

/// Delegations of the zone.
const DELEGATIONS: u64 = 100_000;
/// Any time after 2020.
const NOW: u64 = 1_800_000_000;

fn apex() -> Name {
    Name::parse_absolute("example.").expect("a name")
}

fn signing(algorithm: Algorithm) -> Signing {
    let (key, _) = SoftwareKey::generate(algorithm).expect("the system has random numbers");
    let keys = vec![ZoneKey::combined(Arc::new(key))];
    Signing::new(SigningPolicy::default(), keys, NOW).expect("one key is enough")
}

fn signatures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("signature");
    group.throughput(Throughput::Elements(1));
    let owner = Name::parse_absolute("some-domain.example.").expect("a name");
    let ds = [0x30, 0x39, 13, 2].into_iter().chain([0xab; 32]);
    let ds: Vec<u8> = ds.collect();
    for algorithm in Algorithm::ALL {
        let signing = signing(algorithm);
        let signer = RrsetSigner::new(&signing, &apex());
        let rrset = SignableRrset {
            owner: owner.as_wire(),
            rtype: RecordType::DS,
            ttl: 3600,
            rdata: &[&ds],
        };
        group.bench_function(algorithm.mnemonic(), |bencher| {
            bencher.iter(|| black_box(signer.sign(&rrset)))
        });
    }
    group.finish();
}

fn compile(zone: &Path, image: &Path, options: &Options) {
    let mut source = ZoneFileSource::open(zone, None).expect("a generated zone has a SOA");
    let mut installer = Installer::replace(image, None).expect("the directory takes an image");
    compile_with(&mut source, &mut installer, options, &|_| {}).expect("the zone is sound");
    installer.commit().expect("the image can be written");
}

fn whole_zone(criterion: &mut Criterion) {
    let directory = tempfile::tempdir().expect("a temporary folder can be made");
    let registry = Registry::new(Parameters {
        apex: apex(),
        domains: DELEGATIONS,
        seed: 1,
        queries: 1,
        exponent: 1.0,
        signed: false,
    });
    let registry = registry.expect("parameters within bounds");
    let files = generate::write(&registry, directory.path()).expect("the files can be written");
    let image = directory.path().join("image");
    let signed = Options {
        signing: Some(Arc::new(signing(Algorithm::EcdsaP256Sha256))),
        ..Options::default()
    };
    let mut group = criterion.benchmark_group("100,000 delegations");
    group
        .throughput(Throughput::Elements(DELEGATIONS))
        .sample_size(10);
    group.bench_function("compile", |bencher| {
        bencher.iter(|| compile(&files.zone, &image, &Options::default()))
    });
    group.bench_function("compile and sign", |bencher| {
        bencher.iter(|| compile(&files.zone, &image, &signed))
    });
    let previous = Generation::open(&image, Memory::Sealed).expect("an image of ours");
    let again = Options {
        previous: Some(Arc::new(previous)),
        ..signed
    };
    group.bench_function("compile and keep signatures", |bencher| {
        bencher.iter(|| compile(&files.zone, &image, &again))
    });
    group.finish();
}

criterion_group!(benches, signatures, whole_zone);
criterion_main!(benches);
