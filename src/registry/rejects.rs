//! The file of what was not imported, for people to mend and add.
//!
//! Of a zone file: a comment with place and reason, then the record where it could be
//! read. Of CSV files: file, line, reason and the row, itself as CSV. The file is made
//! with the first bad record; one of an earlier run goes away.

use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;

use zone_compiler::Record;
use zone_compiler::zonefile::{Position, ZoneFileError};

use super::error::RegistryError;

pub(super) struct Rejects {
    path: PathBuf,
    file: Option<BufWriter<File>>,
}

impl Rejects {
    pub(super) fn new(path: PathBuf) -> Result<Self, RegistryError> {
        // Where nothing is to be removed, a read-only folder is no fault.
        if path.exists() {
            std::fs::remove_file(&path).map_err(|error| RegistryError::io(&path, error))?;
        }
        Ok(Self { path, file: None })
    }

    /// A record that has no place in the registry.
    pub(super) fn record(
        &mut self,
        at: &Position,
        reason: &str,
        record: &Record,
    ) -> Result<(), RegistryError> {
        let place = at.path.display();
        self.write(format_args!("; {place}:{}: {reason}\n{record}\n", at.line))
    }

    /// An entry that is no record.
    pub(super) fn fault(&mut self, fault: &ZoneFileError) -> Result<(), RegistryError> {
        self.write(format_args!("; {fault}\n"))
    }

    /// A row of a CSV file.
    pub(super) fn row(
        &mut self,
        file: &str,
        line: u64,
        reason: &str,
        row: &csv::ByteRecord,
    ) -> Result<(), RegistryError> {
        let encoded = |fields: &csv::ByteRecord| {
            let mut writer = csv::Writer::from_writer(Vec::new());
            let written = writer.write_byte_record(fields);
            written.expect("memory takes all, and nothing was written before");
            let text = writer.into_inner().expect("memory takes all");
            String::from_utf8_lossy(&text).into_owned()
        };
        let row = encoded(row);
        let fields = [file, &line.to_string(), reason, row.trim_end()];
        let head = if self.file.is_none() {
            "file,line,reason,row\n"
        } else {
            ""
        };
        let line = encoded(&csv::ByteRecord::from(&fields[..]));
        self.write(format_args!("{head}{line}"))
    }

    /// Where the records are, if there were any.
    pub(super) fn finish(mut self) -> Result<Option<PathBuf>, RegistryError> {
        let Some(file) = self.file.take() else {
            return Ok(None);
        };
        let file = file
            .into_inner()
            .map_err(std::io::IntoInnerError::into_error);
        let synced = file.and_then(|file| file.sync_all());
        synced.map_err(|source| RegistryError::io(&self.path, source))?;
        Ok(Some(self.path))
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) -> Result<(), RegistryError> {
        let file = match &mut self.file {
            Some(file) => Ok(file),
            none => File::create(&self.path).map(|file| none.insert(BufWriter::new(file))),
        };
        let written = file.and_then(|file| file.write_fmt(text));
        written.map_err(|source| RegistryError::io(&self.path, source))
    }
}
