//! What the fuzz targets ask: an image of the three zones beside this file, an
//! engine that does all it can, and one that does as little.

use std::io::Cursor;
use std::path::Path;

use meridian::dns::cookie::CookieSecrets;
use meridian::dns::engine::EngineConfig;
use meridian::dns::secret::Secret;
use zone_compiler::zonefile::Reader;
use zone_compiler::{RecordList, compile};
use zone_image::writer::Installer;
use zone_image::{Name, Seed};

/// Unsigned, with NSEC, with NSEC3 and opt-out.
pub(crate) const ZONES: [&str; 3] = [
    include_str!("plain.zone"),
    include_str!("nsec.zone"),
    include_str!("nsec3.zone"),
];

/// Compiles zone files into `directory`, the same octets each time.
pub(crate) fn install(directory: &Path, zones: &[&str]) {
    let seed = Seed::new(*b"sixteen octets..");
    commit(Installer::replace(directory, Some(seed)), zones);
}

/// Puts zones into the image that is there.
pub(crate) fn update(directory: &Path, zones: &[&str]) {
    commit(Installer::update(directory), zones);
}

fn commit(installer: Result<Installer, zone_image::WriteError>, zones: &[&str]) {
    let mut installer = installer.expect("an installer");
    for text in zones {
        let input = Box::new(Cursor::new(text.as_bytes().to_vec()));
        let records = Reader::new(input, Path::new("fuzz.zone"), Some(Name::root()))
            .collect::<Result<Vec<_>, _>>()
            .expect("a zone file without faults");
        let apex = records[0].owner.clone();
        let mut source = RecordList::new(apex, 0, records);
        compile(&mut source, &mut installer, &|_| {}).expect("a zone without faults");
    }
    installer.commit().expect("an image");
}

/// All that an engine can do, but for rate limits, so that equal messages get equal
/// replies.
pub(crate) fn full() -> EngineConfig {
    EngineConfig {
        version: "v".repeat(255),
        identity: "i".to_owned(),
        nsid: "n".repeat(255),
        report_channel: Some("report.test".parse().expect("a name")),
        cookie_secrets: CookieSecrets::one(Secret::new([1; 16])),
        ..EngineConfig::default()
    }
}
