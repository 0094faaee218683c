//! The rows of the files, one after the other.
//!
//! Fields come in the order of [`Table::columns`], whatever the order of the file.
//! A file that cannot be read ends an import; a row that is no good is the
//! caller's to judge.

use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};

use ::csv::{ByteRecord, ReaderBuilder};

use super::super::error::RegistryError;
use super::table::Table;

/// Why a row is not taken.
pub(super) type Reason = Cow<'static, str>;

/// All rows of a folder, file by file.
pub(super) struct Rows {
    folder: PathBuf,
    /// Files that are not opened yet.
    ahead: std::slice::Iter<'static, Table>,
    open: Option<Open>,
    record: ByteRecord,
    next_index: u32,
    bytes_before: u64,
}

/// A file.
struct Open {
    table: Table,
    reader: ::csv::Reader<File>,
    /// Where each of the table's columns is in the file.
    places: Vec<Option<usize>>,
    fields: usize,
}

/// One row.
#[derive(Clone, Copy)]
pub(super) struct Row<'r> {
    pub(super) table: Table,
    /// Its number among all rows of the folder, from 0.
    pub(super) index: u32,
    pub(super) record: &'r ByteRecord,
    places: &'r [Option<usize>],
    fields: usize,
}

impl Rows {
    pub(super) fn open(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ahead: Table::ALL.iter(),
            open: None,
            record: ByteRecord::new(),
            next_index: 0,
            bytes_before: 0,
        }
    }

    /// Octets of all files.
    pub(super) fn bytes_total(folder: &Path) -> Result<u64, RegistryError> {
        let mut total = 0;
        for table in Table::ALL {
            let path = folder.join(table.file());
            match std::fs::metadata(&path) {
                Ok(metadata) => total += metadata.len(),
                Err(error) if is_optional(table, &error) => {}
                Err(error) => return Err(RegistryError::io(&path, error)),
            }
        }
        Ok(total)
    }

    /// Octets that were read.
    pub(super) fn bytes(&self) -> u64 {
        let now = self.open.as_ref().map(|open| open.reader.position().byte());
        self.bytes_before + now.unwrap_or_default()
    }

    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>, RegistryError> {
        loop {
            let Some(open) = &mut self.open else {
                let Some(table) = self.ahead.next() else {
                    return Ok(None);
                };
                self.open = Open::new(&self.folder, *table)?;
                continue;
            };
            let path = || self.folder.join(open.table.file());
            let read = open.reader.read_byte_record(&mut self.record);
            if read.map_err(|error| unreadable(&path(), error))? {
                break;
            }
            self.bytes_before = self.bytes();
            self.open = None;
        }
        let open = self.open.as_ref().expect("a row was read from it");
        let index = self.next_index;
        let next = index.checked_add(1);
        let file = || self.folder.display().to_string();
        self.next_index = next.ok_or_else(|| RegistryError::ImportFile {
            file: file(),
            reason: format!("more than {} rows; import zone by zone", u32::MAX),
        })?;
        Ok(Some(Row {
            table: open.table,
            index,
            record: &self.record,
            places: &open.places,
            fields: open.fields,
        }))
    }
}

/// Zones there must be; any other file may be missing.
fn is_optional(table: Table, error: &std::io::Error) -> bool {
    table != Table::Zones && error.kind() == std::io::ErrorKind::NotFound
}

fn unreadable(path: &Path, error: ::csv::Error) -> RegistryError {
    let text = error.to_string();
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => RegistryError::io(path, error),
        _ => RegistryError::ImportFile {
            file: path.display().to_string(),
            reason: text,
        },
    }
}

impl Open {
    fn new(folder: &Path, table: Table) -> Result<Option<Self>, RegistryError> {
        let path = folder.join(table.file());
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_optional(table, &error) => return Ok(None),
            Err(error) => return Err(RegistryError::io(&path, error)),
        };
        let mut builder = ReaderBuilder::new();
        // A row with too many or too few fields is a bad row, not the file's end.
        builder.flexible(true).buffer_capacity(1 << 18);
        let mut reader = builder.from_reader(file);
        let header = reader.byte_headers();
        let header = header.map_err(|error| unreadable(&path, error))?.clone();
        let refuse = |reason: String| {
            let file = path.display().to_string();
            Err(RegistryError::ImportFile { file, reason })
        };
        let mut places = vec![None; table.columns().len()];
        for (place, name) in header.iter().enumerate() {
            let known = |column: &super::table::Column| column.name.as_bytes() == name;
            let name = String::from_utf8_lossy(name);
            match table.columns().iter().position(known) {
                None => return refuse(format!("unknown column {name:?}; see `--help`")),
                Some(column) if places[column].is_some() => {
                    return refuse(format!("column {name:?} stands twice"));
                }
                Some(column) => places[column] = Some(place),
            }
        }
        for (column, place) in table.columns().iter().zip(&places) {
            if column.is_needed && place.is_none() {
                return refuse(format!("column {:?} is missing", column.name));
            }
        }
        Ok(Some(Self {
            table,
            reader,
            places,
            fields: header.len(),
        }))
    }
}

impl<'r> Row<'r> {
    /// Line of the file where it begins.
    pub(super) fn line(&self) -> u64 {
        self.record.position().map_or(0, ::csv::Position::line)
    }

    /// The fields, empty where the file has no such column.
    pub(super) fn texts<const N: usize>(&self) -> Result<[&'r str; N], Reason> {
        assert_eq!(N, self.places.len(), "one field for each column");
        if self.record.len() != self.fields {
            let (own, header) = (self.record.len(), self.fields);
            return Err(format!("{own} fields, the header has {header}").into());
        }
        let mut texts = [""; N];
        let columns = self.table.columns().iter();
        for ((text, place), column) in texts.iter_mut().zip(self.places).zip(columns) {
            let field = place.and_then(|place| self.record.get(place));
            *text = std::str::from_utf8(field.unwrap_or_default())
                .map_err(|_| format!("{} is not UTF-8", column.name))?;
            if column.is_needed && text.is_empty() {
                return Err(format!("{} is empty", column.name).into());
            }
        }
        Ok(texts)
    }
}
