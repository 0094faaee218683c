//! The first pass: every row is judged, nothing is written.
//!
//! At its end the rows that will not be taken are known, and what is published;
//! so the pass that writes only writes.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;

use super::super::error::RegistryError;
use super::super::progress::{Meter, Phase, ProgressSink};
use super::super::rejects::Rejects;
use super::CsvOptions;
use super::fields::Judge;
use super::model::{Domain, Host, Model, RowIndex};
use super::read::{Reason, Row, Rows};
use super::table::Table;

/// What the first pass found.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) model: Model,
    /// Rows that are not taken, in order.
    pub(super) rejected: Vec<RowIndex>,
    /// Good rows of each file, in the order of [`Table::ALL`].
    pub(super) counts: [u64; Table::ALL.len()],
    /// All rows.
    pub(super) rows: u32,
    /// Rows of files with objects; they come first.
    pub(super) object_rows: u32,
    /// Digest of all rows, to know the files again.
    pub(super) fingerprint: i64,
    pub(super) bytes_total: u64,
    digest: SipHasher13,
}

impl Scan {
    /// Reads all files. With `strict` the first bad row is an error.
    pub(super) fn of_files(
        options: &CsvOptions,
        rejects: &mut Rejects,
        progress: ProgressSink<'_>,
    ) -> Result<Self, RegistryError> {
        let bytes_total = Rows::bytes_total(&options.folder)?;
        let mut scan = Self {
            model: Model::new(),
            rejected: Vec::new(),
            counts: [0; Table::ALL.len()],
            rows: 0,
            object_rows: 0,
            fingerprint: 0,
            bytes_total,
            // Fixed keys: the digest is stored, and it guards against mistakes only.
            digest: SipHasher13::new_with_keys(0, 0),
        };
        let mut rows = Rows::open(&options.folder);
        let mut meter = Meter::start(progress, Phase::Scan, Some(bytes_total));
        while let Some(row) = rows.next()? {
            let (table, index) = (row.table, row.index);
            scan.note(&row);
            match scan.take(&row, options.now.0) {
                Ok(()) => scan.counts[table as usize] += 1,
                Err(reason) if options.strict => {
                    let file = options.folder.join(table.file()).display().to_string();
                    let (line, reason) = (row.line(), reason.into_owned());
                    return Err(RegistryError::Rejected { file, line, reason });
                }
                Err(reason) => {
                    scan.rejected.push(index);
                    rejects.row(table.file(), row.line(), &reason, row.record)?;
                }
            }
            meter.step(rows.bytes());
        }
        meter.report(rows.bytes());
        scan.fingerprint = scan.digest.finish().cast_signed();
        if scan.model.zones.is_empty() {
            let file = options.folder.join(Table::Zones.file());
            return Err(RegistryError::ImportFile {
                file: file.display().to_string(),
                reason: "no zone in it; nothing was changed".to_owned(),
            });
        }
        Ok(scan)
    }

    fn note(&mut self, row: &Row<'_>) {
        self.rows = row.index + 1;
        if row.table.has_objects() {
            self.object_rows = self.rows;
        }
        self.digest.write_u8(row.table as u8);
        for field in row.record {
            self.digest
                .write_u32(u32::try_from(field.len()).unwrap_or(u32::MAX));
            self.digest.write(field);
        }
    }

    /// Judges a row and notes what later rows need to know of it.
    fn take(&mut self, row: &Row<'_>, now: i64) -> Result<(), Reason> {
        let judge = Judge {
            model: &self.model,
            now,
        };
        let is_new = match row.table {
            Table::Zones => {
                let zone = judge.zone(row)?;
                let apex = zone.apex.into_owned();
                self.model.add_zone(apex, row.index, zone.policy)
            }
            Table::Registrars => {
                let handle = judge.registrar(row)?.handle.to_owned();
                let entry = self.model.registrars.entry(handle);
                *entry.or_insert(row.index) == row.index
            }
            Table::Contacts => {
                let handle = judge.contact(row)?.handle.to_owned();
                *self.model.contacts.entry(handle).or_insert(row.index) == row.index
            }
            Table::Domains => {
                let fields = judge.domain(row)?;
                let domain = Domain {
                    row: row.index,
                    zone: fields.zone,
                    is_allowed: fields.is_allowed,
                    is_delegated: false,
                };
                self.model.add_domain(&fields.name, domain)
            }
            Table::Hosts => {
                let fields = judge.host(row)?;
                let host = Host {
                    row: row.index,
                    is_internal: fields.home.is_some(),
                    is_published: false,
                };
                self.model.add_host(&fields.name, host)
            }
            Table::Delegations => {
                let fields = judge.delegation(row)?;
                let (domain, found) = fields.domain;
                self.model.delegate(found.zone, &domain, &fields.host.0);
                true
            }
            Table::Ds => judge.ds(row).map(|_| true)?,
            Table::Addresses => judge.address(row).map(|_| true)?,
            Table::DomainContacts => judge.domain_contact(row).map(|_| true)?,
            Table::Records => judge.record(row).map(|_| true)?,
            Table::IdnTables => {
                let (zone, table) = judge.idn_table(row)?;
                let is_new = self
                    .model
                    .idn
                    .iter()
                    .all(|(other, known)| *other != zone || known.tag != table.tag);
                if is_new {
                    self.model.idn.push((zone, table));
                }
                is_new
            }
            _ => judge.other(row).map(|_| true)?,
        };
        if is_new {
            Ok(())
        } else {
            Err("stands in this file before".into())
        }
    }
}
