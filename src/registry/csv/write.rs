//! The second pass: rows in batches, each one transaction with its own progress.
//!
//! A batch that is committed is never written again: `imports.records_done` of the
//! first zone says where to go on. Every row goes in by a statement of many rows, in
//! the order of the files, which is that of their foreign keys.

use std::borrow::Cow;

use sqlx::AssertSqlSafe;

use super::super::database::{Database, Engine, Write};
use super::super::error::RegistryError;
use super::super::policy::RegistrationPolicy;
use super::super::progress::{Meter, Phase, ProgressSink};
use super::super::sql::{AnyQuery, BulkInsert, BulkRows};
use super::CsvOptions;
use super::begin::Begun;
use super::fields::{By, Judge, Times};
use super::life;
use super::read::{Reason, Row, Rows};
use super::scan::Scan;
use super::table::Table;

/// Rows of a batch: an index of names in no order has most of its pages written by
/// every batch, so few and large ones are faster.
const BATCH_ROWS: u32 = 400_000;

/// Rows of one file on their way into their table.
fn rows_of(engine: Engine, table: Table) -> BulkRows {
    BulkRows::new(BulkInsert::new(engine, head(table)))
}

fn head(table: Table) -> &'static str {
    match table {
        Table::Zones => {
            "zones (id, apex, state, soa_mname, soa_rname, serial, soa_refresh, soa_retry, \
             soa_expire, soa_minimum, soa_ttl, ns_ttl, ds_ttl, glue_ttl, ns_count_min, \
             ns_count_max, parking, glue_policy, host_orphan, data_model, change_control, \
             own_hosts, created_at, updated_at, lame_domain)"
        }
        Table::Registrars => {
            "registrars (id, handle, name, iana_id, status, created_at, updated_at, data_model, \
             sessions_max, stage, public_data)"
        }
        Table::Contacts => {
            "contacts (id, handle, registrar_id, kind, name, organization, street, city, \
             province, postal_code, country, voice, fax, email, loc_name, loc_organization, \
             loc_street, loc_city, loc_province, loc_postal_code, loc_country, voice_extension, \
             fax_extension, disclose, auth, created_by, updated_by, copy_of, transferred_at, \
             erased_at, statuses, created_at, updated_at)"
        }
        Table::Domains => {
            "domains (id, zone_id, name, registrar_id, registrant_id, statuses, created_at, \
             updated_at, transferred_at, expires_at, ns_ttl, ds_ttl, phase, phase_ends_at, \
             redemption_ends_at, transfer_ends_at, due_step, due_at, idn_tag, auth, created_by, \
             updated_by, published)"
        }
        Table::Hosts => {
            "hosts (id, name, domain_id, zone_id, registrar_id, statuses, created_at, \
             updated_at, created_by, updated_by, transferred_at, lame_of, lame_zone, lame_since, \
             lame_told_at, attribute, published)"
        }
        Table::Delegations => "delegations (domain_id, host_id)",
        Table::Ds => "ds (domain_id, rdata)",
        Table::Addresses => "host_addresses (host_id, rtype, address, ttl)",
        Table::DomainContacts => "domain_contacts (domain_id, role, contact_id)",
        Table::Records => "zone_records (zone_id, owner, rtype, ttl, rdata)",
        Table::GracePeriods => "grace_periods (domain_id, kind, started_at, ends_at, years)",
        Table::Transfers => {
            "transfers (domain_id, state, gaining, losing, years, requested_at, acted_at, \
             expires_at)"
        }
        Table::Locks => "locks (domain_id, approvals, approvers, locked_at)",
        Table::ContactKeys => "contact_keys (contact_id, key, added_at)",
        Table::ContactTransfers => {
            "contact_transfers (contact_id, state, gaining, losing, requested_at, acted_at)"
        }
        Table::HeldLabels => "held_labels (zone_id, label, kind, reason, token)",
        Table::ParkingServers => "parking_servers (zone_id, host)",
        Table::ParkingRecords => "parking_records (zone_id, owner, rtype, ttl, rdata)",
        Table::IdnTables => "idn_tables (zone_id, tag, digest)",
        Table::VariantLabels => "variant_labels (zone_id, index_label, domain_id, tag)",
        Table::DomainKeys => "domain_keys (domain_id, rdata)",
        Table::DisclosureRules => "disclosure_rules (zone_id, role, field, rule)",
    }
}

/// Writes what the scan found to be good.
pub(super) struct Writer<'w> {
    pub(super) database: &'w mut Database,
    pub(super) options: &'w CsvOptions,
    pub(super) scan: &'w Scan,
    /// Id of the object of row 0.
    pub(super) base: i64,
    /// Id of the zone whose row of `imports` has the progress.
    pub(super) import_id: i64,
    /// Rows that are written.
    pub(super) done: u32,
    rows: Rows,
    /// How many of the rejected rows were passed.
    rejected: usize,
    sink: (Table, BulkRows),
    engine: Engine,
}

impl<'w> Writer<'w> {
    pub(super) fn new(
        database: &'w mut Database,
        options: &'w CsvOptions,
        scan: &'w Scan,
        begun: &Begun,
    ) -> Self {
        let engine = database.engine();
        Self {
            database,
            options,
            scan,
            base: begun.base,
            import_id: begun.import_id,
            done: begun.done,
            rows: Rows::open(&options.folder),
            rejected: 0,
            // Zones were written when the import began.
            sink: (Table::Zones, rows_of(engine, Table::Zones)),
            engine,
        }
    }

    /// Everything but what the last transaction has to do.
    pub(super) async fn run(&mut self, progress: ProgressSink<'_>) -> Result<(), RegistryError> {
        let mut meter = Meter::start(progress, Phase::Write, Some(self.scan.bytes_total));
        while self.batch(BATCH_ROWS, &mut meter).await? {}
        meter.report(self.rows.bytes());
        Ok(())
    }

    /// One transaction; whether there may be more rows. While the database takes a
    /// statement, the rows of the next one are read.
    pub(super) async fn batch(
        &mut self,
        most: u32,
        meter: &mut Meter<'_>,
    ) -> Result<bool, RegistryError> {
        let mut write = self.database.write().await?;
        let mut input = Input {
            options: self.options,
            scan: self.scan,
            engine: self.engine,
            base: self.base,
            end: self.done.saturating_add(most),
            done: &mut self.done,
            rows: &mut self.rows,
            rejected: &mut self.rejected,
            sink: &mut self.sink,
            is_over: false,
        };
        let mut next = input.fill(meter)?;
        while let Some(statement) = next {
            let filled = async { input.fill(meter) };
            let (taken, filled) = tokio::join!(biased; write.execute(statement), filled);
            taken?;
            next = filled?;
        }
        let is_over = input.is_over;
        let progress = sqlx::query("UPDATE imports SET records_done = $1 WHERE zone_id = $2");
        let progress = progress.bind(i64::from(self.done)).bind(self.import_id);
        write.execute(progress).await?;
        write.commit().await?;
        Ok(!is_over)
    }
}

/// The rows of one transaction on their way into statements.
struct Input<'i> {
    options: &'i CsvOptions,
    scan: &'i Scan,
    engine: Engine,
    base: i64,
    end: u32,
    done: &'i mut u32,
    rows: &'i mut Rows,
    rejected: &'i mut usize,
    sink: &'i mut (Table, BulkRows),
    is_over: bool,
}

impl Input<'_> {
    /// The next statement with as many rows as it takes, or what is left of a file or of
    /// the transaction; nothing at its end.
    fn fill(&mut self, meter: &mut Meter<'_>) -> Result<Option<AnyQuery<'static>>, RegistryError> {
        let judge = Judge {
            model: &self.scan.model,
            now: self.options.now.0,
        };
        let (table, sink) = &mut *self.sink;
        while *self.done < self.end && !sink.is_full() {
            let Some(row) = self.rows.next()? else {
                self.is_over = true;
                break;
            };
            let is_rejected = self.scan.rejected.get(*self.rejected) == Some(&row.index);
            *self.rejected += usize::from(is_rejected);
            let mut left = None;
            if !is_rejected && row.index >= *self.done && !row.table.comes_first() {
                if *table != row.table {
                    left = sink.take();
                    (*table, *sink) = (row.table, rows_of(self.engine, row.table));
                }
                let pushed = push(sink, judge, &row, self.base);
                pushed.map_err(|reason| changed(self.options, &row, &reason))?;
            }
            *self.done = (*self.done).max(row.index + 1);
            meter.step(self.rows.bytes());
            if left.is_some() {
                return Ok(left);
            }
        }
        Ok(sink.take())
    }
}

/// A row that the scan took and that is no good now: somebody has written the file.
fn changed(options: &CsvOptions, row: &Row<'_>, reason: &str) -> RegistryError {
    RegistryError::ImportFile {
        file: options.folder.join(row.table.file()).display().to_string(),
        reason: format!(
            "changed while it was read (line {}: {reason}); import it again with --restart",
            row.line()
        ),
    }
}

/// Zones go in with the beginning of an import, with their policies and IDN tables.
pub(super) async fn write_zones(
    write: &mut Write<'_>,
    engine: Engine,
    options: &CsvOptions,
    scan: &Scan,
    base: i64,
) -> Result<(), RegistryError> {
    let mut sink = rows_of(engine, Table::Zones);
    let mut rows = Rows::open(&options.folder);
    let judge = Judge {
        model: &scan.model,
        now: options.now.0,
    };
    while let Some(row) = rows.next()? {
        if row.table != Table::Zones {
            break;
        }
        if scan.rejected.binary_search(&row.index).is_err() {
            let pushed = push(&mut sink, judge, &row, base);
            pushed.map_err(|reason| changed(options, &row, &reason))?;
        }
        if sink.is_full()
            && let Some(statement) = sink.take()
        {
            write.execute(statement).await?;
        }
    }
    if let Some(statement) = sink.take() {
        write.execute(statement).await?;
    }
    let columns = RegistrationPolicy::COLUMNS.iter().zip(1..);
    let set: Vec<_> = columns
        .map(|(column, number)| format!("{column} = ${number}"))
        .collect();
    let (set, last) = (set.join(", "), RegistrationPolicy::COLUMNS.len() + 1);
    let update = format!("UPDATE zones SET {set} WHERE id = ${last}");
    for zone in &scan.model.zones {
        let query = sqlx::query(AssertSqlSafe(update.as_str()));
        let query = zone.policy.bind(query).bind(base + i64::from(zone.row));
        write.execute(query).await?;
    }
    for (zone, table) in &scan.model.idn {
        let text = sqlx::query(
            "INSERT INTO idn_texts (digest, text) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        );
        let (digest, xml) = (table.digest.as_str(), table.text.as_str());
        write.execute(text.bind(digest).bind(xml)).await?;
        let zone_id = base + i64::from(scan.model.zones[*zone as usize].row);
        let insert =
            sqlx::query("INSERT INTO idn_tables (zone_id, tag, digest) VALUES ($1, $2, $3)");
        let insert = insert.bind(zone_id).bind(table.tag.as_str()).bind(digest);
        write.execute(insert).await?;
    }
    Ok(())
}

/// Binds the columns of a row, in the order of [`head`].
fn push(rows: &mut BulkRows, judge: Judge<'_>, row: &Row<'_>, base: i64) -> Result<(), Reason> {
    let id = |row: u32| base + i64::from(row);
    let zone_id = |zone: u32| id(judge.model.zones[zone as usize].row);
    match row.table {
        Table::Zones => push_zone(rows, judge, row, base)?,
        Table::Registrars | Table::Contacts => push_holder(rows, judge, row, base)?,
        Table::Domains => {
            let fields = judge.domain(row)?;
            let known = judge.model.domain(fields.zone, &fields.name);
            let is_published = known.is_some_and(super::model::Domain::is_published);
            rows.bind(id(row.index)).bind(zone_id(fields.zone));
            rows.bind(&*fields.name).bind(id(fields.registrar));
            rows.bind(fields.registrant.map(id)).bind(&*fields.statuses);
            bind_times(rows, fields.times);
            rows.bind(fields.transferred_at).bind(fields.expires_at);
            rows.bind(fields.ns_ttl).bind(fields.ds_ttl);
            let policy = &judge.model.zones[fields.zone as usize].policy;
            life::push_phase(rows, &fields, id(row.index), policy);
            rows.bind(fields.idn_tag).bind(fields.auth);
            bind_by(rows, fields.by);
            rows.bind(i64::from(is_published));
        }
        Table::Hosts => {
            let fields = judge.host(row)?;
            let known = judge.model.host(&fields.name);
            rows.bind(id(row.index)).bind(&*fields.name);
            rows.bind(fields.home.map(|domain| id(domain.row)));
            rows.bind(fields.home.map(|domain| zone_id(domain.zone)));
            rows.bind(id(fields.registrar)).bind(&*fields.statuses);
            bind_times(rows, fields.times);
            bind_by(rows, fields.by);
            rows.bind(fields.transferred_at);
            rows.bind(fields.lame_of.map(Cow::into_owned));
            rows.bind(fields.lame_zone.map(zone_id));
            for time in fields.lame_times {
                rows.bind(time);
            }
            rows.bind(i64::from(fields.is_attribute));
            rows.bind(i64::from(known.is_some_and(|host| host.is_published)));
        }
        Table::Delegations => {
            let fields = judge.delegation(row)?;
            rows.bind(id(fields.domain.1.row)).bind(id(fields.host.1));
        }
        Table::Ds => {
            let (domain, rdata) = judge.ds(row)?;
            rows.bind(id(domain)).bind(&*rdata);
        }
        Table::Addresses => {
            let fields = judge.address(row)?;
            rows.bind(id(fields.host)).bind(fields.address.rtype());
            rows.bind(fields.address.rdata()).bind(fields.ttl);
        }
        Table::DomainContacts => {
            let (domain, role, contact) = judge.domain_contact(row)?;
            rows.bind(id(domain)).bind(role).bind(id(contact));
        }
        Table::Records
        | Table::HeldLabels
        | Table::ParkingServers
        | Table::ParkingRecords
        | Table::VariantLabels
        | Table::DisclosureRules => push_of_zone(rows, judge, row, base)?,
        Table::IdnTables => unreachable!("written with the zones"),
        _ => life::push_entry(rows, judge.entry(row)?, id),
    }
    rows.end_row();
    Ok(())
}

/// What a zone has beside its records.
fn push_of_zone(
    rows: &mut BulkRows,
    judge: Judge<'_>,
    row: &Row<'_>,
    base: i64,
) -> Result<(), Reason> {
    let zone_id = |zone: u32| base + i64::from(judge.model.zones[zone as usize].row);
    match row.table {
        Table::Records => {
            let (zone, record) = judge.record(row)?;
            let owner = record.owner();
            let record = record.record();
            rows.bind(zone_id(zone)).bind(owner.as_str());
            rows.bind(i64::from(record.rtype.0))
                .bind(i64::from(record.ttl));
            rows.bind(&*record.rdata);
        }
        Table::HeldLabels => {
            let (zone, texts, token) = judge.held_label(row)?;
            rows.bind(zone_id(zone));
            for text in texts {
                rows.bind(text);
            }
            rows.bind(token);
        }
        Table::DisclosureRules => {
            let (zone, words) = judge.disclosure_rule(row)?;
            rows.bind(zone_id(zone));
            for word in words {
                rows.bind(word);
            }
        }
        Table::ParkingServers => {
            let (zone, host) = judge.parking_server(row)?;
            rows.bind(zone_id(zone)).bind(&*host);
        }
        Table::ParkingRecords => {
            let fields = judge.parking_record(row)?;
            rows.bind(zone_id(fields.zone)).bind(fields.owner);
            rows.bind(i64::from(fields.rtype.0)).bind(fields.ttl);
            rows.bind(&*fields.rdata);
        }
        _ => {
            let (zone, index_label, domain, tag) = judge.variant_label(row)?;
            rows.bind(zone_id(zone)).bind(index_label);
            rows.bind(base + i64::from(domain)).bind(tag);
        }
    }
    Ok(())
}

/// A registrar or a contact.
fn push_holder(
    rows: &mut BulkRows,
    judge: Judge<'_>,
    row: &Row<'_>,
    base: i64,
) -> Result<(), Reason> {
    let id = |row: u32| base + i64::from(row);
    if row.table == Table::Registrars {
        let fields = judge.registrar(row)?;
        rows.bind(id(row.index))
            .bind(fields.handle)
            .bind(fields.name);
        rows.bind(fields.iana_id).bind(fields.status);
        bind_times(rows, fields.times);
        rows.bind(fields.data_model).bind(fields.sessions_max);
        rows.bind(fields.stage).bind(fields.public_data);
        return Ok(());
    }
    let fields = judge.contact(row)?;
    rows.bind(id(row.index)).bind(fields.handle);
    rows.bind(id(fields.registrar)).bind(fields.kind);
    for text in fields.texts.into_iter().chain(fields.more) {
        rows.bind(Some(text).filter(|text| !text.is_empty()));
    }
    rows.bind(fields.auth);
    bind_by(rows, fields.by);
    rows.bind(fields.copy_of);
    for moment in fields.moments {
        rows.bind(moment);
    }
    rows.bind(&*fields.statuses);
    bind_times(rows, fields.times);
    Ok(())
}

fn push_zone(
    rows: &mut BulkRows,
    judge: Judge<'_>,
    row: &Row<'_>,
    base: i64,
) -> Result<(), Reason> {
    let fields = judge.zone(row)?;
    rows.bind(base + i64::from(row.index))
        .bind(&*fields.apex)
        .bind("importing");
    for name in &fields.soa_names {
        rows.bind(&**name);
    }
    for number in fields.numbers {
        rows.bind(number);
    }
    for word in fields.words {
        rows.bind(word);
    }
    bind_times(rows, fields.times);
    rows.bind(fields.lame_domain.map(Cow::into_owned));
    Ok(())
}

fn bind_times(rows: &mut BulkRows, times: Times) {
    rows.bind(times.created_at).bind(times.updated_at);
}

fn bind_by(rows: &mut BulkRows, by: By<'_>) {
    let [created_by, updated_by] = by;
    rows.bind(created_by).bind(updated_by);
}
