//! The second pass: rows in batches, each one transaction with its own progress.
//!
//! A batch that is committed is never written again: `imports.records_done` says
//! where to go on. What the pass has to know then (ids) is read from the database.

mod batch;
mod resume;

use zone_compiler::Record;

use super::super::database::{Database, Event, Write};
use super::super::error::RegistryError;
use super::super::names::{stored, stored_wire, suffix};
use super::classify::{Glue, Role};
use super::survey::{Host, Survey};
use super::{ImportOptions, ImportReport};
use batch::{AddressRow, Batch, DomainRow, HostRow, Inserts, RecordRow};

/// Fewest and most usable NS of a domain that has any (the guide, rules 30 and 33).
const NS_COUNT: (i64, i64) = (2, 13);
/// TTL of NS, DS and glue in a zone that has none of them.
const TTL_DEFAULT: u32 = 3600;

/// How an import begins.
pub(super) enum Begin<'d> {
    /// There is something to write.
    Write(Box<Writer<'d>>),
    /// The same file was imported before, and the zone has not changed since.
    Already(Box<ImportReport>),
}

/// Writes what the second pass hands it.
pub(super) struct Writer<'d> {
    database: &'d mut Database,
    inserts: Inserts,
    batch: Batch,
    zone_id: i64,
    registrar_id: i64,
    records_done: i64,
    created_at: i64,
    /// The next object id of our reserve, and the first beyond it.
    next_object: i64,
    end_of_objects: i64,
    ns_ttl: i64,
    ds_ttl: i64,
    glue_ttl: i64,
    pub(super) survey: Survey,
}

impl<'d> Writer<'d> {
    /// Makes zone and registrar, or takes up an unfinished import.
    pub(super) async fn begin(
        database: &'d mut Database,
        options: &ImportOptions,
        mut survey: Survey,
    ) -> Result<Begin<'d>, RegistryError> {
        let apex = stored(&survey.apex);
        let mut found = resume::find(database, &apex).await?;
        if let Some(import) = &found {
            if options.restart && import.is_unfinished {
                resume::forget(database, import.zone_id, options).await?;
                found = None;
            } else if import.fingerprint != Some(survey.fingerprint) || import.has_changed {
                return Err(import.refusal(apex));
            } else if let Some(report) = &import.report {
                let mut report = report.clone();
                report.already = true;
                return Ok(Begin::Already(Box::new(report)));
            }
        }
        resume::take_ids(database, &mut survey, found.as_ref()).await?;
        let engine = database.engine();
        database.prepare_for_bulk().await?;
        let mut write = database.write().await?;
        // An upper bound; what is not used is given back at the end.
        let unwritten = survey.cuts.len() + survey.hosts.len();
        let reserve = i64::try_from(unwritten).expect("fewer names than 2^63")
            + i64::try_from(survey.addresses).expect("fewer addresses than 2^63")
            + 2;
        let mut next_object = write.reserve_objects(reserve);
        let end_of_objects = next_object + reserve;
        let registrar_id = registrar(&mut write, options, &mut next_object).await?;
        let (zone_id, records_done) = match &found {
            Some(import) => (import.zone_id, import.records_done),
            None => {
                let zone_id = next_object;
                next_object += 1;
                make_zone(&mut write, options, &survey, zone_id).await?;
                (zone_id, 0)
            }
        };
        let kind = if found.is_some() {
            "import-resumed"
        } else {
            "import-started"
        };
        write.append(event(options, kind, zone_id, &apex));
        write.commit().await?;
        Ok(Begin::Write(Box::new(Self {
            database,
            inserts: Inserts::new(engine),
            batch: Batch::default(),
            zone_id,
            registrar_id,
            records_done,
            created_at: options.now.0,
            next_object,
            end_of_objects,
            ns_ttl: survey.ns_ttl.or(TTL_DEFAULT),
            ds_ttl: survey.ds_ttl.or(TTL_DEFAULT),
            glue_ttl: survey.glue_ttl.or(TTL_DEFAULT),
            survey,
        })))
    }

    /// A report to count in.
    pub(super) fn report(&self, options: &ImportOptions) -> ImportReport {
        ImportReport {
            zone: stored(&self.survey.apex),
            serial: self.survey.soa.numbers[0],
            registrar: options.registrar.clone(),
            records: self.survey.records,
            domains: self.survey.cuts.len() as u64,
            ttl_conflicts: self.survey.ttl_conflicts,
            resumed_at: self.records_done.unsigned_abs(),
            ..ImportReport::default()
        }
    }

    /// Takes a record whose role is not `Rejected`.
    pub(super) fn take(&mut self, role: Role, owner: &[u8], record: Record) {
        match role {
            Role::Soa | Role::Signer | Role::Rejected(_) => {}
            Role::ZoneRecord | Role::Glue(Glue::Shared, _) => {
                self.batch.records.push(RecordRow {
                    owner: stored_wire(owner),
                    rtype: record.rtype.0.into(),
                    ttl: record.ttl.into(),
                    rdata: record.rdata,
                });
            }
            Role::Delegation => {
                let domain_id = self.domain(owner);
                let host_id = self.host(&record.rdata.to_ascii_lowercase());
                self.batch.delegations.push((domain_id, host_id));
            }
            Role::Ds => {
                let domain_id = self.domain(owner);
                self.batch.ds.push((domain_id, record.rdata));
            }
            Role::Glue(Glue::Used | Glue::Unused, _) => {
                let host_id = self.host(owner);
                self.batch.addresses.push(AddressRow {
                    host_id,
                    rtype: record.rtype.0.into(),
                    ttl: differing(record.ttl.into(), self.glue_ttl),
                    address: record.rdata,
                });
            }
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.batch.rows() >= batch::ROWS_MAX
    }

    /// Commits what was taken, as far as the first `records_done` of the file.
    pub(super) async fn flush(&mut self, records_done: u64) -> Result<(), RegistryError> {
        let mut write = self.database.write().await?;
        self.batch
            .write(
                &mut write,
                &self.inserts,
                self.zone_id,
                self.registrar_id,
                self.created_at,
            )
            .await?;
        store_progress(&mut write, self.zone_id, records_done).await?;
        write.commit().await?;
        self.batch.clear();
        Ok(())
    }

    /// Commits the rest and makes the zone active, in one transaction.
    pub(super) async fn finish(
        self,
        mut report: ImportReport,
        options: &ImportOptions,
        records_done: u64,
    ) -> Result<ImportReport, RegistryError> {
        let mut write = self.database.write().await?;
        self.batch
            .write(
                &mut write,
                &self.inserts,
                self.zone_id,
                self.registrar_id,
                self.created_at,
            )
            .await?;
        store_progress(&mut write, self.zone_id, records_done).await?;
        write.return_objects(self.next_object, self.end_of_objects);
        let done = event(options, "zone-imported", self.zone_id, &report.zone);
        report.event = write.append(done);
        write.note_changed(self.zone_id, String::new());
        let active = sqlx::query("UPDATE zones SET state = 'active' WHERE id = $1");
        write.execute(active.bind(self.zone_id)).await?;
        let text = serde_json::to_string(&report).expect("a report is plain data");
        let finished = sqlx::query(
            "UPDATE imports SET finished_at = $1, event = $2, report = $3 WHERE zone_id = $4",
        )
        .bind(options.now.0)
        .bind(report.event)
        .bind(text)
        .bind(self.zone_id);
        write.execute(finished).await?;
        write.commit().await?;
        Ok(report)
    }

    fn new_object(&mut self) -> i64 {
        let id = self.next_object;
        assert!(
            id < self.end_of_objects,
            "every name was counted by the survey"
        );
        self.next_object += 1;
        id
    }

    /// The domain at a cut, made when first met.
    fn domain(&mut self, name: &[u8]) -> i64 {
        let cut = *self.survey.cuts.get(name).expect("classified as a cut");
        if cut.id != 0 {
            return cut.id;
        }
        let id = self.new_object();
        let ds_ttl = cut.ds_ttl().and_then(|ttl| differing(ttl, self.ds_ttl));
        self.batch.domains.push(DomainRow {
            id,
            name: stored_wire(name),
            ns_ttl: differing(cut.ns_ttl(), self.ns_ttl),
            ds_ttl,
        });
        self.survey.cuts.get_mut(name).expect("just read").id = id;
        id
    }

    /// The host of this name, made when first met, after its superordinate domain.
    fn host(&mut self, name: &[u8]) -> i64 {
        let host = self.survey.hosts.get(name).copied().unwrap_or_default();
        if host.is_written {
            return host.id;
        }
        let above = match self.survey.is_in_zone(name) {
            true => self.survey.cut_above(name),
            false => None,
        };
        let domain_id = above
            .filter(|_| !host.is_elsewhere)
            .map(|above| self.domain(suffix(name, above)));
        let is_new = host.id == 0;
        let id = if is_new { self.new_object() } else { host.id };
        let row = HostRow {
            id,
            name: stored_wire(name),
            domain_id,
            published: i64::from(host.is_target),
        };
        if is_new {
            self.batch.hosts.push(row);
        } else {
            self.batch.known_hosts.push(row);
        }
        let written = Host {
            id,
            is_written: true,
            ..host
        };
        self.survey.hosts.insert(name.into(), written);
        id
    }
}

/// A TTL of its own, or `None` where it is the zone's.
fn differing(ttl: i64, default: i64) -> Option<i64> {
    (ttl != default).then_some(ttl)
}

fn event<'e>(options: &'e ImportOptions, kind: &'e str, zone_id: i64, apex: &'e str) -> Event<'e> {
    Event {
        time: options.now,
        kind,
        actor: &options.actor,
        zone_id: Some(zone_id),
        object: Some(apex),
        cause: None,
        detail: None,
    }
}

async fn store_progress(
    write: &mut Write<'_>,
    zone_id: i64,
    records_done: u64,
) -> Result<(), RegistryError> {
    let done = i64::try_from(records_done).expect("fewer records than 2^63");
    let update = sqlx::query("UPDATE imports SET records_done = $1 WHERE zone_id = $2")
        .bind(done)
        .bind(zone_id);
    write.execute(update).await.map(drop)
}

/// The sponsoring registrar, made if it is not there.
async fn registrar(
    write: &mut Write<'_>,
    options: &ImportOptions,
    next_object: &mut i64,
) -> Result<i64, RegistryError> {
    let insert = sqlx::query(
        "INSERT INTO registrars (id, handle, name, status, created_at) \
         VALUES ($1, $2, $2, 'active', $3) ON CONFLICT DO NOTHING",
    )
    .bind(*next_object)
    .bind(options.registrar.as_str())
    .bind(options.now.0);
    if write.execute(insert).await? == 1 {
        *next_object += 1;
    }
    let id = sqlx::query_scalar("SELECT id FROM registrars WHERE handle = $1")
        .bind(options.registrar.as_str())
        .fetch_one(&mut *write.transaction)
        .await;
    id.map_err(|source| write.fault(source))
}

async fn make_zone(
    write: &mut Write<'_>,
    options: &ImportOptions,
    survey: &Survey,
    zone_id: i64,
) -> Result<(), RegistryError> {
    let soa = &survey.soa;
    let mut insert = sqlx::query(
        "INSERT INTO zones (id, apex, state, soa_mname, soa_rname, serial, soa_refresh, \
         soa_retry, soa_expire, soa_minimum, soa_ttl, ns_ttl, ds_ttl, glue_ttl, ns_count_min, \
         ns_count_max, created_at, glue_policy, parking, host_orphan, data_model, \
         change_control) VALUES ($1, $2, 'importing', $3, $4, $5, $6, $7, $8, $9, $10, $11, \
         $12, $13, $14, $15, $16, 'narrow', 0, 'refuse', 'minimum', 'auto')",
    )
    .bind(zone_id)
    .bind(stored(&survey.apex))
    .bind(soa.mname.as_str())
    .bind(soa.rname.as_str());
    for number in soa.numbers {
        insert = insert.bind(i64::from(number));
    }
    let insert = insert
        .bind(i64::from(soa.ttl))
        .bind(survey.ns_ttl.or(TTL_DEFAULT))
        .bind(survey.ds_ttl.or(TTL_DEFAULT))
        .bind(survey.glue_ttl.or(TTL_DEFAULT))
        .bind(NS_COUNT.0)
        .bind(NS_COUNT.1)
        .bind(options.now.0);
    write.execute(insert).await?;
    let import = sqlx::query(
        "INSERT INTO imports (zone_id, file, fingerprint, records_total, records_done, \
         started_at) VALUES ($1, $2, $3, $4, 0, $5)",
    )
    .bind(zone_id)
    .bind(options.file.display().to_string())
    .bind(survey.fingerprint)
    .bind(i64::try_from(survey.records).expect("fewer records than 2^63"))
    .bind(options.now.0);
    write.execute(import).await.map(drop)
}
