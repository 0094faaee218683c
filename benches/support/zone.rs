//! Generated zones and their images, for the benchmarks.

use std::path::{Path, PathBuf};

use loadtest::generate::{self, Files, Parameters, Registry};
use tempfile::TempDir;
use zone_compiler::zonefile::ZoneFileSource;
use zone_image::Name;
use zone_image::writer::Installer;

/// A generated zone file in a folder of its own.
pub(crate) fn generated(domains: u64, signed: bool) -> (TempDir, Files) {
    let directory = tempfile::tempdir().expect("a temporary folder can be made");
    let apex = Name::parse_absolute("example.").expect("a name");
    let parameters = Parameters {
        apex,
        domains,
        seed: 1,
        // Nobody asks.
        queries: 1,
        exponent: 1.0,
        signed,
    };
    let registry = Registry::new(parameters).expect("parameters within bounds");
    let files = generate::write(&registry, directory.path()).expect("the files can be written");
    (directory, files)
}

/// The folder for an image beside the zone file, made when it is wanted.
pub(crate) fn image_folder(directory: &Path) -> PathBuf {
    let image = directory.join("image");
    std::fs::create_dir_all(&image).expect("the folder is ours");
    image
}

/// Compiles a zone file and installs the image.
pub(crate) fn compile(zone: &Path, image: &Path) {
    let mut source = ZoneFileSource::open(zone, None).expect("a generated zone has a SOA");
    let mut installer = Installer::replace(image, None).expect("the directory takes an image");
    zone_compiler::compile(&mut source, &mut installer, &|_| {}).expect("the zone is sound");
    installer.commit().expect("the image can be written");
}
