//! Generated zones and their images, for the benchmarks.

use std::path::{Path, PathBuf};

use loadtest::generate::{self, Files, Parameters, Registry};
use tempfile::TempDir;
use zone_compiler::zonefile::ZoneFileSource;
use zone_image::Name;
use zone_image::writer::Installer;

/// Queries of each kind that are asked in turn.
const QUERIES: u64 = 200_000;

/// A generated zone and its query files.
pub(crate) fn generated(domains: u64) -> (TempDir, Files) {
    let directory = tempfile::tempdir().expect("a temporary folder can be made");
    let apex = Name::parse_absolute("example.").expect("a name");
    let parameters = Parameters {
        apex,
        domains,
        seed: 1,
        queries: QUERIES,
        exponent: 1.0,
        signed: false,
    };
    let registry = Registry::new(parameters).expect("parameters within bounds");
    let files = generate::write(&registry, directory.path()).expect("the files can be written");
    (directory, files)
}

/// Compiles a zone file and installs the image.
pub(crate) fn compile(zone: &Path, image: &Path) {
    let mut source = ZoneFileSource::open(zone, None).expect("a generated zone has a SOA");
    let mut installer = Installer::replace(image, None).expect("the directory takes an image");
    zone_compiler::compile(&mut source, &mut installer, &|_| {}).expect("the zone is sound");
    installer.commit().expect("the image can be written");
}

/// A folder with a zone, its query files and its image.
pub(crate) fn image(domains: u64) -> (TempDir, Files, PathBuf) {
    let (directory, files) = generated(domains);
    let image = directory.path().join("image");
    std::fs::create_dir(&image).expect("the folder is new");
    compile(&files.zone, &image);
    (directory, files, image)
}
