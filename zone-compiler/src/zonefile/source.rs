//! A zone file as the source of a compile.

use std::path::{Path, PathBuf};

use zone_image::Name;

use super::{Faults, Reader, Reason, ZoneFileError};
use crate::{Record, RecordType, SourceError, ZoneSource};

/// Most faults that one pass collects.
pub const FAULTS_MAX: usize = 100;

/// One zone in a file; strict: any fault fails the pass, all of them are told.
#[derive(Debug)]
pub struct ZoneFileSource {
    path: PathBuf,
    origin: Name,
    apex: Name,
}

impl ZoneFileSource {
    /// Finds the apex, which is the owner of the first SOA. Relative names are
    /// completed by `origin`, by the root if it is not given.
    pub fn open(path: &Path, origin: Option<Name>) -> Result<Self, ZoneFileError> {
        let origin = origin.unwrap_or_else(Name::root);
        let mut reader = Reader::open(path, Some(origin.clone()))?;
        let mut first_fault = None;
        // A zone file starts with its SOA, so this reads a line or two.
        let soa = reader.find_map(|read| match read {
            Ok(record) => (record.rtype == RecordType::SOA).then_some(record),
            Err(fault) => {
                first_fault.get_or_insert(fault);
                None
            }
        });
        match (soa, first_fault) {
            (Some(soa), _) => Ok(Self {
                path: path.to_owned(),
                origin,
                apex: soa.owner,
            }),
            (None, Some(fault)) => Err(fault),
            (None, None) => Err(ZoneFileError::at_start(path, Reason::NoSoa)),
        }
    }
}

impl ZoneSource for ZoneFileSource {
    fn apex(&self) -> &Name {
        &self.apex
    }

    fn event(&self) -> u64 {
        0
    }

    /// After the first fault no record is handed on: the pass fails in any case.
    fn for_each(
        &mut self,
        sink: &mut dyn FnMut(Record) -> Result<(), SourceError>,
    ) -> Result<(), SourceError> {
        let mut faults = Vec::new();
        for read in Reader::open(&self.path, Some(self.origin.clone()))? {
            match read {
                Ok(record) if faults.is_empty() => sink(record)?,
                Ok(_) => {}
                Err(fault) => faults.push(fault),
            }
            if faults.len() >= FAULTS_MAX {
                return Err(Box::new(Faults {
                    faults,
                    stopped: true,
                }));
            }
        }
        if faults.is_empty() {
            return Ok(());
        }
        Err(Box::new(Faults {
            faults,
            stopped: false,
        }))
    }
}
