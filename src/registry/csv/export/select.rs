//! The queries of an export, one for each file, in the order of its columns.
//!
//! A page is a range of ids. An object that waits for a change comes as it is without it,
//! and one that waits to be created does not come: the change stays here.

use super::Cell;
use super::Table;

/// A page of a table.
pub(super) fn select(table: Table) -> &'static str {
    match table {
        Table::Zones => {
            "SELECT z.apex, z.soa_mname, z.soa_rname, z.serial, z.soa_refresh, z.soa_retry, \
             z.soa_expire, z.soa_minimum, z.soa_ttl, z.ns_ttl, z.ds_ttl, z.glue_ttl, \
             z.ns_count_min, z.ns_count_max, z.glue_policy, z.parking, z.host_orphan, \
             z.data_model, z.change_control, z.created_at, z.updated_at, z.own_hosts, \
             z.lame_domain, z.* FROM zones z WHERE z.id >= $1 AND z.id < $2 ORDER BY z.id"
        }
        Table::Registrars => {
            "SELECT handle, name, iana_id, status, created_at, updated_at, data_model, \
             sessions_max, stage, public_data FROM registrars WHERE id >= $1 AND id < $2 ORDER BY id"
        }
        Table::Contacts => {
            "SELECT c.handle, r.handle, c.kind, c.name, c.organization, c.street, c.city, \
             c.province, c.postal_code, c.country, c.voice, c.fax, c.email, \
             COALESCE(w.statuses, c.statuses), c.created_at, c.updated_at, c.loc_name, \
             c.loc_organization, c.loc_street, c.loc_city, c.loc_province, c.loc_postal_code, \
             c.loc_country, c.voice_extension, c.fax_extension, c.disclose, c.auth, \
             c.created_by, c.updated_by, c.transferred_at, c.copy_of, c.erased_at \
             FROM contacts c \
             JOIN registrars r ON r.id = c.registrar_id \
             LEFT JOIN changes w ON w.object_id = c.id WHERE c.id >= $1 AND c.id < $2 ORDER BY c.id"
        }
        Table::Domains => {
            "SELECT d.name, z.apex, r.handle, c.handle, COALESCE(w.statuses, d.statuses), \
             d.created_at, d.updated_at, d.transferred_at, d.expires_at, d.ns_ttl, d.ds_ttl, \
             d.phase, d.phase_ends_at, d.redemption_ends_at, d.transfer_ends_at, d.idn_tag, \
             d.auth, d.created_by, d.updated_by \
             FROM domains d JOIN zones z ON z.id = d.zone_id \
             JOIN registrars r ON r.id = d.registrar_id \
             LEFT JOIN contacts c ON c.id = d.registrant_id \
             LEFT JOIN changes w ON w.object_id = d.id WHERE d.id >= $1 AND d.id < $2 \
             AND (w.id IS NULL OR w.statuses IS NOT NULL) ORDER BY d.id"
        }
        Table::Hosts => {
            "SELECT h.name, d.name, z.apex, r.handle, COALESCE(w.statuses, h.statuses), \
             h.created_at, h.updated_at, h.created_by, h.updated_by, h.transferred_at, \
             h.lame_of, l.apex, h.lame_since, h.lame_told_at, h.attribute \
             FROM hosts h JOIN registrars r ON r.id = h.registrar_id \
             LEFT JOIN domains d ON d.id = h.domain_id LEFT JOIN zones z ON z.id = d.zone_id \
             LEFT JOIN zones l ON l.id = h.lame_zone \
             LEFT JOIN changes w ON w.object_id = h.id WHERE h.id >= $1 AND h.id < $2 \
             AND (w.id IS NULL OR w.statuses IS NOT NULL) ORDER BY h.id"
        }
        table => select_rows(table),
    }
}

/// Of tables whose rows are no objects.
fn select_rows(table: Table) -> &'static str {
    match table {
        Table::Delegations => {
            "SELECT d.name, z.apex, h.name FROM delegations n \
             JOIN domains d ON d.id = n.domain_id JOIN zones z ON z.id = d.zone_id \
             JOIN hosts h ON h.id = n.host_id WHERE n.domain_id >= $1 AND n.domain_id < $2 \
             ORDER BY n.domain_id, n.host_id"
        }
        Table::Ds => {
            "SELECT d.name, z.apex, s.rdata FROM ds s JOIN domains d ON d.id = s.domain_id \
             JOIN zones z ON z.id = d.zone_id WHERE s.domain_id >= $1 AND s.domain_id < $2 \
             ORDER BY s.domain_id, s.rdata"
        }
        Table::Addresses => {
            "SELECT h.name, a.address, a.ttl FROM host_addresses a \
             JOIN hosts h ON h.id = a.host_id WHERE a.host_id >= $1 AND a.host_id < $2 \
             ORDER BY a.host_id, a.rtype, a.address"
        }
        Table::DomainContacts => {
            "SELECT d.name, z.apex, n.role, c.handle FROM domain_contacts n \
             JOIN domains d ON d.id = n.domain_id JOIN zones z ON z.id = d.zone_id \
             JOIN contacts c ON c.id = n.contact_id \
             WHERE n.domain_id >= $1 AND n.domain_id < $2 \
             ORDER BY n.domain_id, n.role, n.contact_id"
        }
        Table::GracePeriods => {
            "SELECT d.name, z.apex, g.kind, g.started_at, g.ends_at, g.years \
             FROM grace_periods g JOIN domains d ON d.id = g.domain_id \
             JOIN zones z ON z.id = d.zone_id WHERE g.domain_id >= $1 AND g.domain_id < $2 \
             ORDER BY g.domain_id, g.kind, g.started_at"
        }
        Table::Transfers => {
            "SELECT d.name, z.apex, t.state, t.gaining, t.losing, t.years, t.requested_at, \
             t.acted_at, t.expires_at FROM transfers t JOIN domains d ON d.id = t.domain_id \
             JOIN zones z ON z.id = d.zone_id WHERE t.domain_id >= $1 AND t.domain_id < $2 \
             ORDER BY t.domain_id"
        }
        Table::Locks => {
            "SELECT d.name, z.apex, l.approvals, l.approvers, l.locked_at FROM locks l \
             JOIN domains d ON d.id = l.domain_id JOIN zones z ON z.id = d.zone_id \
             WHERE l.domain_id >= $1 AND l.domain_id < $2 ORDER BY l.domain_id"
        }
        Table::ContactKeys => {
            "SELECT c.handle, k.key, k.added_at FROM contact_keys k \
             JOIN contacts c ON c.id = k.contact_id \
             WHERE k.contact_id >= $1 AND k.contact_id < $2 ORDER BY k.contact_id, k.key"
        }
        Table::ContactTransfers => {
            "SELECT c.handle, t.state, t.gaining, t.losing, t.requested_at, t.acted_at \
             FROM contact_transfers t JOIN contacts c ON c.id = t.contact_id \
             WHERE t.contact_id >= $1 AND t.contact_id < $2 ORDER BY t.contact_id"
        }
        Table::DomainKeys => {
            "SELECT d.name, z.apex, k.rdata FROM domain_keys k \
             JOIN domains d ON d.id = k.domain_id JOIN zones z ON z.id = d.zone_id \
             WHERE k.domain_id >= $1 AND k.domain_id < $2 ORDER BY k.domain_id, k.rdata"
        }
        table => select_of_zones(table),
    }
}

/// Of what zones have.
fn select_of_zones(table: Table) -> &'static str {
    match table {
        Table::Records => {
            "SELECT z.apex, r.owner, r.rtype, r.ttl, r.rdata FROM zone_records r \
             JOIN zones z ON z.id = r.zone_id WHERE r.zone_id >= $1 AND r.zone_id < $2 \
             ORDER BY r.zone_id, r.owner, r.rtype, r.rdata"
        }
        Table::HeldLabels => {
            "SELECT z.apex, l.label, l.kind, l.reason, l.token FROM held_labels l \
             JOIN zones z ON z.id = l.zone_id WHERE l.zone_id >= $1 AND l.zone_id < $2 \
             ORDER BY l.zone_id, l.label"
        }
        Table::ParkingServers => {
            "SELECT z.apex, p.host FROM parking_servers p JOIN zones z ON z.id = p.zone_id \
             WHERE p.zone_id >= $1 AND p.zone_id < $2 ORDER BY p.zone_id, p.host"
        }
        Table::ParkingRecords => {
            "SELECT z.apex, r.owner, r.rtype, r.ttl, r.rdata FROM parking_records r \
             JOIN zones z ON z.id = r.zone_id WHERE r.zone_id >= $1 AND r.zone_id < $2 \
             ORDER BY r.zone_id, r.owner, r.rtype, r.rdata"
        }
        Table::DisclosureRules => {
            "SELECT z.apex, r.role, r.field, r.rule FROM disclosure_rules r \
             JOIN zones z ON z.id = r.zone_id WHERE r.zone_id >= $1 AND r.zone_id < $2 \
             ORDER BY r.zone_id, r.role, r.field"
        }
        Table::IdnTables => {
            "SELECT z.apex, t.tag, x.text FROM idn_tables t JOIN zones z ON z.id = t.zone_id \
             JOIN idn_texts x ON x.digest = t.digest WHERE t.zone_id >= $1 AND t.zone_id < $2 \
             ORDER BY t.zone_id, t.tag"
        }
        _ => {
            "SELECT z.apex, v.index_label, d.name, v.tag FROM variant_labels v \
             JOIN zones z ON z.id = v.zone_id JOIN domains d ON d.id = v.domain_id \
             WHERE v.zone_id >= $1 AND v.zone_id < $2 \
             ORDER BY v.zone_id, v.index_label, v.domain_id, v.tag"
        }
    }
}

/// What the columns of [`select`] become.
pub(super) fn cells(table: Table) -> &'static [Cell] {
    use Cell::{Hex, Number, Policy, Text, Time};
    match table {
        Table::Zones => &[
            Text, Text, Text, Number, Number, Number, Number, Number, Number, Number, Number,
            Number, Number, Number, Text, Number, Text, Text, Text, Time, Time, Text, Text, Policy,
        ],
        Table::Registrars => &[
            Text, Text, Number, Text, Time, Time, Text, Number, Text, Text,
        ],
        Table::Contacts => &[
            Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text,
            Time, Time, Text, Text, Text, Text, Text, Text, Text, Text, Text, Text, Hex, Text,
            Text, Time, Text, Time,
        ],
        Table::Domains => &[
            Text, Text, Text, Text, Text, Time, Time, Time, Time, Number, Number, Text, Time, Time,
            Time, Text, Hex, Text, Text,
        ],
        Table::Hosts => &[
            Text, Text, Text, Text, Text, Time, Time, Text, Text, Time, Text, Text, Time, Time,
            Number,
        ],
        Table::Delegations | Table::IdnTables => &[Text, Text, Text],
        Table::Ds => &[Text, Text, Cell::Ds],
        Table::Addresses => &[Text, Cell::Address, Number],
        Table::DomainContacts | Table::VariantLabels | Table::DisclosureRules => {
            &[Text, Text, Text, Text]
        }
        Table::HeldLabels => &[Text, Text, Text, Text, Hex],
        Table::DomainKeys => &[Text, Text, Cell::Key],
        Table::Records | Table::ParkingRecords => {
            &[Text, Text, Cell::RecordType, Number, Cell::RecordData]
        }
        Table::GracePeriods => &[Text, Text, Text, Time, Time, Number],
        Table::Transfers => &[Text, Text, Text, Text, Text, Number, Time, Time, Time],
        Table::Locks => &[Text, Text, Number, Text, Time],
        Table::ContactKeys => &[Text, Hex, Time],
        Table::ContactTransfers => &[Text, Text, Text, Text, Time, Time],
        Table::ParkingServers => &[Text, Text],
    }
}
