//! The files of a folder and their columns.
//!
//! The one description that reader, writer and `--help` share. Files come in the
//! order in which their rows can refer to rows before them.

use std::fmt::Write as _;

/// One of the files. Those with objects come first: their rows number the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Zones,
    Registrars,
    Contacts,
    Domains,
    Hosts,
    Delegations,
    Ds,
    Addresses,
    DomainContacts,
    Records,
    GracePeriods,
    Transfers,
    Locks,
    ContactKeys,
    ContactTransfers,
    HeldLabels,
    ParkingServers,
    ParkingRecords,
    IdnTables,
    VariantLabels,
    DomainKeys,
    DisclosureRules,
}

/// A column of a file.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: &'static str,
    /// Whether every row has a value in it.
    pub(super) is_needed: bool,
    about: &'static str,
}

const fn need(name: &'static str, about: &'static str) -> Column {
    Column {
        name,
        is_needed: true,
        about,
    }
}

const fn may(name: &'static str, about: &'static str) -> Column {
    Column {
        name,
        is_needed: false,
        about,
    }
}

const CREATED: Column = may("created_at", "time [the time of the import]");
const UPDATED: Column = may("updated_at", "time");
const STATUSES: Column = may("statuses", "status words, parted by spaces");
const CREATED_BY: Column = may("created_by", "handle of a registrar, or registry");
const UPDATED_BY: Column = may("updated_by", "likewise");
const AUTH: Column = may(
    "auth",
    "hexadecimal: salt and SHA-256 of the authorization information",
);

const ZONES: [Column; 24] = [
    need("apex", "name"),
    need("soa_mname", "primary name server of the SOA"),
    need("soa_rname", "mailbox of the SOA, written as a name"),
    need("serial", "serial of the SOA, carried on"),
    may("soa_refresh", "seconds"),
    may("soa_retry", "seconds"),
    may("soa_expire", "seconds"),
    may("soa_minimum", "seconds"),
    may("soa_ttl", "seconds"),
    may("ns_ttl", "TTL of NS where a domain has none of its own"),
    may("ds_ttl", "TTL of DS likewise"),
    may("glue_ttl", "TTL of addresses likewise"),
    may("ns_count_min", "fewest name servers of a domain"),
    may("ns_count_max", "most name servers of a domain"),
    may("glue_policy", "narrow or wide"),
    may("parking", "0 or 1"),
    may("host_orphan", "refuse, lame, invalid or restore"),
    may("data_model", "minimum, maximum or per-registrar"),
    may("change_control", "auto, verify or signed"),
    CREATED,
    UPDATED,
    may("own_hosts", "delete or refuse"),
    may(
        "lame_domain",
        "name of the domain that host_orphan lame needs",
    ),
    may(
        "policy",
        "KEY=VALUE words of `zone policy --set`, lists with commas",
    ),
];
const REGISTRARS: [Column; 10] = [
    need("handle", "3 to 16 characters"),
    need("name", "for people"),
    may("iana_id", "number at IANA"),
    may("status", "active, suspended or terminated [active]"),
    CREATED,
    UPDATED,
    may(
        "data_model",
        "minimum or maximum, for zones with per-registrar",
    ),
    may("sessions_max", "sessions by EPP at once [10]"),
    may("stage", "production or sandbox [production]"),
    may(
        "public_data",
        "JSON: what the public is shown of it, by field",
    ),
];
const CONTACTS: [Column; 32] = [
    need("handle", "3 to 16 characters"),
    need("registrar", "handle of the sponsor"),
    need("kind", "person, org or role"),
    may("name", ""),
    may("organization", ""),
    may("street", ""),
    may("city", ""),
    may("province", ""),
    may("postal_code", ""),
    may("country", ""),
    may("voice", ""),
    may("fax", ""),
    may("email", ""),
    STATUSES,
    CREATED,
    UPDATED,
    may("loc_name", "in the local form, as those below"),
    may("loc_organization", ""),
    may("loc_street", ""),
    may("loc_city", ""),
    may("loc_province", ""),
    may("loc_postal_code", ""),
    may("loc_country", ""),
    may("voice_extension", ""),
    may("fax_extension", ""),
    may("disclose", "show or hide, and elements"),
    AUTH,
    CREATED_BY,
    UPDATED_BY,
    may("transferred_at", "time"),
    may("copy_of", "handle of the contact that it is a copy of"),
    may("erased_at", "time"),
];
const ZONE_OF_DOMAIN: Column = may("zone", "apex [the closest zone above the domain]");
const DOMAINS: [Column; 19] = [
    need("name", "name"),
    ZONE_OF_DOMAIN,
    need("registrar", "handle of the sponsor"),
    may("registrant", "handle of a contact"),
    STATUSES,
    CREATED,
    UPDATED,
    may("transferred_at", "time"),
    may("expires_at", "time"),
    may("ns_ttl", "seconds [the zone's]"),
    may("ds_ttl", "seconds [the zone's]"),
    may(
        "phase",
        "registered, redemption, restore or pending-delete [registered]",
    ),
    may("phase_ends_at", "time of its end, where it is another"),
    may(
        "redemption_ends_at",
        "time up to which one that waits for its report can be restored",
    ),
    may(
        "transfer_ends_at",
        "time at which a transfer that waits is approved",
    ),
    may("idn_tag", "tag of the IDN table that let it in"),
    AUTH,
    CREATED_BY,
    UPDATED_BY,
];
const HOSTS: [Column; 15] = [
    need("name", "name"),
    may("domain", "registered domain at or above it [the nearest]"),
    may("zone", "apex of that domain's zone [the closest]"),
    need("registrar", "handle of the sponsor"),
    STATUSES,
    CREATED,
    UPDATED,
    CREATED_BY,
    UPDATED_BY,
    may("transferred_at", "time"),
    may("lame_of", "what it was called when its domain was removed"),
    may("lame_zone", "apex of that domain's zone"),
    may("lame_since", "time"),
    may("lame_told_at", "time at which sponsors were told last"),
    may("attribute", "1 of what is no object, 0 [that of its zone]"),
];
const DELEGATIONS: [Column; 3] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("host", "name of a host object"),
];
const DS: [Column; 6] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("key_tag", "0 to 65535"),
    need("algorithm", "0 to 255"),
    need("digest_type", "0 to 255"),
    need("digest", "hexadecimal"),
];
const ADDRESSES: [Column; 3] = [
    need("host", "name of a host below a registered domain"),
    need("address", "IPv4 or IPv6 address"),
    may("ttl", "seconds [the zone's]"),
];
const DOMAIN_CONTACTS: [Column; 4] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("role", "admin, tech, billing or abuse"),
    need("contact", "handle"),
];
const RECORDS: [Column; 5] = [
    need("zone", "apex"),
    need("owner", "name"),
    need("type", "record type; SOA and DS are elsewhere"),
    need("ttl", "seconds"),
    need("data", "as in a zone file, names absolute"),
];

const GRACE_PERIODS: [Column; 6] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("kind", "add, renew, auto-renew or transfer"),
    need("started_at", "time"),
    need("ends_at", "time"),
    need("years", "that a delete gives back"),
];
const TRANSFERS: [Column; 9] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("state", "as EPP has it"),
    need("gaining", "handle of a registrar"),
    need("losing", "handle of a registrar"),
    need("years", "that it adds"),
    need("requested_at", "time"),
    need("acted_at", "time"),
    may("expires_at", "time"),
];
const LOCKS: [Column; 5] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("approvals", "how many have to agree to a change"),
    need("approvers", "names of operators, parted by spaces"),
    need("locked_at", "time"),
];
const CONTACT_KEYS: [Column; 3] = [
    need("contact", "handle"),
    need("key", "hexadecimal: public key of Ed25519 or OpenPGP"),
    need("added_at", "time"),
];
const CONTACT_TRANSFERS: [Column; 6] = [
    need("contact", "handle"),
    need("state", "as EPP has it"),
    need("gaining", "handle of a registrar"),
    need("losing", "handle of a registrar"),
    need("requested_at", "time"),
    need("acted_at", "time"),
];
const HELD_LABELS: [Column; 5] = [
    need("zone", "apex"),
    need("label", ""),
    need("kind", "reserved, blocked or premium"),
    need("reason", "for people; terms of a premium label"),
    may("token", "hexadecimal: salt and SHA-256 of the token"),
];
const PARKING_SERVERS: [Column; 2] = [
    need("zone", "apex"),
    need("host", "name of a parking server"),
];
const PARKING_RECORDS: [Column; 5] = [
    need("zone", "apex"),
    need("owner", "@ for a parked domain, * for names below it"),
    need("type", "record type; SOA too"),
    need("ttl", "seconds"),
    need("data", "as in a zone file, names absolute"),
];
const IDN_TABLES: [Column; 3] = [
    need("zone", "apex"),
    need("tag", "language or script"),
    need("text", "its XML (RFC 7940)"),
];
const VARIANT_LABELS: [Column; 4] = [
    need("zone", "apex"),
    need("index_label", "what all variants have in common"),
    need("domain", "name"),
    need("tag", "of the table that says so"),
];

const DOMAIN_KEYS: [Column; 3] = [
    need("domain", "name"),
    ZONE_OF_DOMAIN,
    need("key", "FLAGS 3 ALGORITHM KEY, of which a DS was made"),
];
const DISCLOSURE_RULES: [Column; 4] = [
    need("zone", "apex"),
    need("role", "registrant, admin, tech, billing or abuse"),
    need("field", "as `zone disclosure` has it"),
    need("rule", "always, legal, consent or never"),
];

impl Table {
    /// In the order in which they are read and written.
    pub(super) const ALL: [Self; 22] = [
        Self::Zones,
        Self::Registrars,
        Self::Contacts,
        Self::Domains,
        Self::Hosts,
        Self::Delegations,
        Self::Ds,
        Self::Addresses,
        Self::DomainContacts,
        Self::Records,
        Self::GracePeriods,
        Self::Transfers,
        Self::Locks,
        Self::ContactKeys,
        Self::ContactTransfers,
        Self::HeldLabels,
        Self::ParkingServers,
        Self::ParkingRecords,
        Self::IdnTables,
        Self::VariantLabels,
        Self::DomainKeys,
        Self::DisclosureRules,
    ];

    /// Its file's name.
    pub(super) fn file(self) -> &'static str {
        match self {
            Self::Zones => "zones.csv",
            Self::Registrars => "registrars.csv",
            Self::Contacts => "contacts.csv",
            Self::Domains => "domains.csv",
            Self::Hosts => "hosts.csv",
            Self::Delegations => "delegations.csv",
            Self::Ds => "ds.csv",
            Self::Addresses => "addresses.csv",
            Self::DomainContacts => "domain_contacts.csv",
            Self::Records => "records.csv",
            Self::GracePeriods => "grace_periods.csv",
            Self::Transfers => "transfers.csv",
            Self::Locks => "locks.csv",
            Self::ContactKeys => "contact_keys.csv",
            Self::ContactTransfers => "contact_transfers.csv",
            Self::HeldLabels => "held_labels.csv",
            Self::ParkingServers => "parking_servers.csv",
            Self::ParkingRecords => "parking_records.csv",
            Self::IdnTables => "idn_tables.csv",
            Self::VariantLabels => "variant_labels.csv",
            Self::DomainKeys => "domain_keys.csv",
            Self::DisclosureRules => "disclosure_rules.csv",
        }
    }

    pub(super) fn columns(self) -> &'static [Column] {
        match self {
            Self::Zones => &ZONES,
            Self::Registrars => &REGISTRARS,
            Self::Contacts => &CONTACTS,
            Self::Domains => &DOMAINS,
            Self::Hosts => &HOSTS,
            Self::Delegations => &DELEGATIONS,
            Self::Ds => &DS,
            Self::Addresses => &ADDRESSES,
            Self::DomainContacts => &DOMAIN_CONTACTS,
            Self::Records => &RECORDS,
            Self::GracePeriods => &GRACE_PERIODS,
            Self::Transfers => &TRANSFERS,
            Self::Locks => &LOCKS,
            Self::ContactKeys => &CONTACT_KEYS,
            Self::ContactTransfers => &CONTACT_TRANSFERS,
            Self::HeldLabels => &HELD_LABELS,
            Self::ParkingServers => &PARKING_SERVERS,
            Self::ParkingRecords => &PARKING_RECORDS,
            Self::IdnTables => &IDN_TABLES,
            Self::VariantLabels => &VARIANT_LABELS,
            Self::DomainKeys => &DOMAIN_KEYS,
            Self::DisclosureRules => &DISCLOSURE_RULES,
        }
    }

    /// Whether its rows are objects, which have ids.
    pub(super) fn has_objects(self) -> bool {
        (self as u8) <= Self::Hosts as u8
    }

    /// Whether its rows are written when an import begins: others depend on them.
    pub(super) fn comes_first(self) -> bool {
        matches!(self, Self::Zones | Self::IdnTables)
    }
}

/// What the files hold, for `--help`.
pub fn columns_help() -> String {
    let mut text =
        "Files of --csv: UTF-8, a header line, columns in any order. A file that is not \
         there has no rows, a column that is not there no values; those with * must have \
         one. Names are absolute, with or without final dot. Times are in UTC, such as \
         2026-01-31T12:00:00Z. In [] is what an empty field stands for.\n"
            .to_owned();
    writeln!(text, "Not in the files: {}.", super::NOT_CARRIED).expect("a String takes all");
    for table in Table::ALL {
        write!(text, "\n{}\n", table.file()).expect("a String takes all");
        for column in table.columns() {
            let mark = if column.is_needed { '*' } else { ' ' };
            let line = format!("  {mark}{:<15} {}", column.name, column.about);
            writeln!(text, "{}", line.trim_end()).expect("a String takes all");
        }
    }
    text
}
