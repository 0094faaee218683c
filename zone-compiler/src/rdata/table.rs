//! The record types: number, mnemonic and the fields of the RDATA, in one table.
//!
//! Everything else in `rdata` is driven by it: reading and writing presentation
//! format, checking wire format and finding the names inside. A type that is not
//! here is read and written as RFC 3597 says. Numbers and mnemonics are those of
//! the IANA registry "Resource Record (RR) TYPEs".

use crate::RecordType;

/// How the RDATA of a type looks.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    /// A sequence of fields.
    Fields(&'static [Field]),
    /// Octets without a presentation format of their own (RFC 3597 section 5).
    Opaque,
    /// A question or message type: no zone holds a record of it (RFC 6895 section 3.1).
    Meta,
}

/// One part of RDATA.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field {
    /// A domain name.
    Name(NameUse),
    /// Domain names to the end, possibly none.
    Names(NameUse),
    /// Unsigned numbers in network order.
    U8,
    U16,
    U32,
    U64,
    /// 32 bits of seconds; text may use the units of a TTL.
    Period,
    /// A record type in 16 bits.
    Type,
    /// Seconds since 1970 modulo 2^32 as `YYYYMMDDHHmmSS` (RFC 4034 section 3.2).
    Time,
    /// A small number which may be written as a mnemonic.
    Code(&'static Codes),
    Ipv4,
    Ipv6,
    /// 64 bits as four groups of four hex digits (RFC 6742).
    Groups64,
    /// That many octets as hex pairs with `-` between (RFC 7043).
    Eui(usize),
    /// A `<character-string>`.
    String,
    /// A `<character-string>` that may be left out at the end.
    StringOption,
    /// One or more `<character-string>`s to the end.
    Strings,
    /// Octets to the end, written as one string.
    Text,
    /// Length octet and ASCII letters and digits (RFC 8659 section 4.1).
    Tag,
    /// Hex to the end, at least that many octets.
    Hex(usize),
    /// Hex to the end whose length an earlier octet decides.
    Digest(&'static Digests),
    /// Base64 to the end, at least that many octets.
    Base64(usize),
    /// Base64 to the end, `-` for none.
    Base64OrDash,
    /// Length octet and hex, `-` for none (RFC 5155 section 3.3).
    Salt,
    /// Length octet and base32hex (RFC 5155 section 3.3).
    Hash,
    /// Type bit maps to the end (RFC 4034 section 4.1.2).
    Bitmap,
    /// A gateway: none, IPv4, IPv6 or name. Its kind is octet 1 of the RDATA under
    /// this mask (RFC 4025 section 2.5, RFC 8777 section 4.2).
    Gateway(u8),
    /// Discovery-optional bit and relay type (RFC 8777 section 4.2).
    Discovery,
    /// HIT, algorithm and key with their lengths in front (RFC 8005 section 5).
    HostIdentity,
    /// Prefix length and address suffix (RFC 2874 section 3.1).
    A6Suffix,
    /// The prefix name, there if the prefix length is not 0.
    A6Name,
    /// Bit map of ports to the end (RFC 1035 section 3.4.2).
    Ports,
    /// Octets to the end as `0x` and hex (RFC 1706).
    Nsap,
    /// A location (RFC 1876).
    Location,
    /// Address prefixes to the end (RFC 3123).
    Prefixes,
    /// Service parameters to the end (RFC 9460 section 2).
    ServiceParameters,
}

/// What may be done to a name inside RDATA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameUse {
    /// Of a type of RFC 1035: may be compressed (RFC 3597 section 4), and is in lower
    /// case in canonical form.
    Compressible,
    /// Never compressed; in lower case in canonical form (RFC 4034 section 6.2 as
    /// corrected by RFC 6840 section 5.1).
    Folded,
    /// Never compressed, and keeps its case in canonical form.
    Kept,
}

/// A number with mnemonics.
#[derive(Debug)]
pub(crate) struct Codes {
    /// Octets on the wire: 1 or 2.
    pub(crate) octets: usize,
    /// What is expected, for messages.
    pub(crate) what: &'static str,
    /// Whether the mnemonic is also what is written.
    pub(crate) printed: bool,
    pub(crate) names: &'static [(&'static str, u16)],
}

/// Which digest lengths go with which digest type.
#[derive(Debug)]
pub(crate) struct Digests {
    /// Where in the RDATA the digest type is.
    pub(crate) at: usize,
    /// Least octets for a digest type that is not in `lengths`.
    pub(crate) least: usize,
    pub(crate) lengths: &'static [(u8, usize)],
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) rtype: RecordType,
    pub(crate) mnemonic: &'static str,
    pub(crate) form: Form,
}

/// The row of `rtype`, if it has one.
pub(crate) fn entry(rtype: RecordType) -> Option<&'static Entry> {
    match INDEX.get(usize::from(rtype.0)) {
        Some(&at) => TABLE.get(usize::from(at)),
        // Only the last two rows have numbers beyond the index.
        None => TABLE
            .iter()
            .rev()
            .take(2)
            .find(|entry| entry.rtype == rtype),
    }
}

/// The row with that mnemonic, in any case.
pub(crate) fn entry_of_mnemonic(text: &[u8]) -> Option<&'static Entry> {
    TABLE
        .iter()
        .find(|entry| entry.mnemonic.as_bytes().eq_ignore_ascii_case(text))
}

/// How the RDATA of `rtype` looks.
pub(crate) fn form(rtype: RecordType) -> Form {
    match (entry(rtype), rtype.0) {
        (Some(entry), _) => entry.form,
        // RFC 6895 section 3.1: the block of QTYPEs and meta types; 0 and 65535 are reserved.
        (None, 0 | 128..=255 | 65535) => Form::Meta,
        (None, _) => Form::Opaque,
    }
}

/// Numbers below this are looked up in [`INDEX`].
const INDEXED: usize = 265;
/// Row of a type that has none.
const NO_ROW: u8 = u8::MAX;
/// Row of each number.
static INDEX: [u8; INDEXED] = index();

const fn index() -> [u8; INDEXED] {
    let mut index = [NO_ROW; INDEXED];
    let mut row: u8 = 0;
    while (row as usize) < TABLE.len() {
        let number = TABLE[row as usize].rtype.0 as usize;
        if number < INDEXED {
            index[number] = row;
        }
        row += 1;
    }
    index
}

const _: () = assert!(TABLE.len() < NO_ROW as usize);

macro_rules! record_types {
    ($( $name:ident $number:literal $mnemonic:literal $form:expr; )*) => {
        #[expect(missing_docs, reason = "the names are IANA's")]
        impl RecordType {
            $( pub const $name: Self = Self($number); )*
        }

        const TABLE: &[Entry] = &[
            $( Entry { rtype: RecordType::$name, mnemonic: $mnemonic, form: $form } ),*
        ];
    };
}

use Field::{Code, Digest, Name};
use Form::{Fields, Meta, Opaque};
use NameUse::{Compressible, Folded, Kept};

const COMPRESSIBLE_NAME: Form = Fields(&[Name(Compressible)]);
const PREFERENCE_NAME: Form = Fields(&[Field::U16, Name(Folded)]);
const STRINGS: Form = Fields(&[Field::Strings]);
const KEY: Form = Fields(&[Field::U16, Field::U8, Code(&ALGORITHMS), Field::Base64(0)]);
const DS: Form = Fields(&[
    Field::U16,
    Code(&ALGORITHMS),
    Field::U8,
    Digest(&DS_DIGESTS),
]);
const SIGNATURE: Form = Fields(&[
    Field::Type,
    Code(&ALGORITHMS),
    Field::U8,
    Field::U32,
    Field::Time,
    Field::Time,
    Field::U16,
    Name(Folded),
    Field::Base64(1),
]);
const CERTIFICATE: Form = Fields(&[
    Field::U8,
    Field::U8,
    Field::U8,
    Digest(&CERTIFICATE_DIGESTS),
]);
const SERVICE: Form = Fields(&[Field::U16, Name(Kept), Field::ServiceParameters]);

record_types! {
    A 1 "A" Fields(&[Field::Ipv4]);
    NS 2 "NS" COMPRESSIBLE_NAME;
    MD 3 "MD" COMPRESSIBLE_NAME;
    MF 4 "MF" COMPRESSIBLE_NAME;
    CNAME 5 "CNAME" COMPRESSIBLE_NAME;
    SOA 6 "SOA" Fields(&[
        Name(Compressible), Name(Compressible), Field::U32,
        Field::Period, Field::Period, Field::Period, Field::Period,
    ]);
    MB 7 "MB" COMPRESSIBLE_NAME;
    MG 8 "MG" COMPRESSIBLE_NAME;
    MR 9 "MR" COMPRESSIBLE_NAME;
    NULL 10 "NULL" Opaque;
    WKS 11 "WKS" Fields(&[Field::Ipv4, Code(&IP_PROTOCOLS), Field::Ports]);
    PTR 12 "PTR" COMPRESSIBLE_NAME;
    HINFO 13 "HINFO" Fields(&[Field::String, Field::String]);
    MINFO 14 "MINFO" Fields(&[Name(Compressible), Name(Compressible)]);
    MX 15 "MX" Fields(&[Field::U16, Name(Compressible)]);
    TXT 16 "TXT" STRINGS;
    RP 17 "RP" Fields(&[Name(Folded), Name(Folded)]);
    AFSDB 18 "AFSDB" PREFERENCE_NAME;
    X25 19 "X25" Fields(&[Field::String]);
    ISDN 20 "ISDN" Fields(&[Field::String, Field::StringOption]);
    RT 21 "RT" PREFERENCE_NAME;
    NSAP 22 "NSAP" Fields(&[Field::Nsap]);
    NSAP_PTR 23 "NSAP-PTR" Fields(&[Name(Kept)]);
    SIG 24 "SIG" SIGNATURE;
    KEY 25 "KEY" KEY;
    PX 26 "PX" Fields(&[Field::U16, Name(Folded), Name(Folded)]);
    GPOS 27 "GPOS" Fields(&[Field::String, Field::String, Field::String]);
    AAAA 28 "AAAA" Fields(&[Field::Ipv6]);
    LOC 29 "LOC" Fields(&[Field::Location]);
    NXT 30 "NXT" Opaque;
    EID 31 "EID" Fields(&[Field::Hex(1)]);
    NIMLOC 32 "NIMLOC" Fields(&[Field::Hex(1)]);
    SRV 33 "SRV" Fields(&[Field::U16, Field::U16, Field::U16, Name(Folded)]);
    ATMA 34 "ATMA" Opaque;
    NAPTR 35 "NAPTR" Fields(&[
        Field::U16, Field::U16, Field::String, Field::String, Field::String, Name(Folded),
    ]);
    KX 36 "KX" PREFERENCE_NAME;
    CERT 37 "CERT" Fields(&[
        Code(&CERTIFICATE_TYPES), Field::U16, Code(&ALGORITHMS), Field::Base64(1),
    ]);
    A6 38 "A6" Fields(&[Field::A6Suffix, Field::A6Name]);
    DNAME 39 "DNAME" Fields(&[Name(Folded)]);
    SINK 40 "SINK" Fields(&[Field::U8, Field::U8, Field::U8, Field::Base64(0)]);
    OPT 41 "OPT" Meta;
    APL 42 "APL" Fields(&[Field::Prefixes]);
    DS 43 "DS" DS;
    SSHFP 44 "SSHFP" Fields(&[Field::U8, Field::U8, Digest(&SSHFP_DIGESTS)]);
    IPSECKEY 45 "IPSECKEY" Fields(&[
        Field::U8, Field::U8, Field::U8, Field::Gateway(0xff), Field::Base64(0),
    ]);
    RRSIG 46 "RRSIG" SIGNATURE;
    NSEC 47 "NSEC" Fields(&[Name(Kept), Field::Bitmap]);
    DNSKEY 48 "DNSKEY" KEY;
    DHCID 49 "DHCID" Fields(&[Field::Base64(1)]);
    NSEC3 50 "NSEC3" Fields(&[
        Field::U8, Field::U8, Field::U16, Field::Salt, Field::Hash, Field::Bitmap,
    ]);
    NSEC3PARAM 51 "NSEC3PARAM" Fields(&[Field::U8, Field::U8, Field::U16, Field::Salt]);
    TLSA 52 "TLSA" CERTIFICATE;
    SMIMEA 53 "SMIMEA" CERTIFICATE;
    HIP 55 "HIP" Fields(&[Field::HostIdentity, Field::Names(Kept)]);
    NINFO 56 "NINFO" STRINGS;
    RKEY 57 "RKEY" KEY;
    TALINK 58 "TALINK" Fields(&[Name(Kept), Name(Kept)]);
    CDS 59 "CDS" DS;
    CDNSKEY 60 "CDNSKEY" KEY;
    OPENPGPKEY 61 "OPENPGPKEY" Fields(&[Field::Base64(1)]);
    CSYNC 62 "CSYNC" Fields(&[Field::U32, Field::U16, Field::Bitmap]);
    ZONEMD 63 "ZONEMD" Fields(&[Field::U32, Field::U8, Field::U8, Digest(&ZONE_DIGESTS)]);
    SVCB 64 "SVCB" SERVICE;
    HTTPS 65 "HTTPS" SERVICE;
    DSYNC 66 "DSYNC" Fields(&[Field::Type, Code(&DSYNC_SCHEMES), Field::U16, Name(Kept)]);
    HHIT 67 "HHIT" Fields(&[Field::Base64(1)]);
    BRID 68 "BRID" Fields(&[Field::Base64(1)]);
    SPF 99 "SPF" STRINGS;
    UINFO 100 "UINFO" Opaque;
    UID 101 "UID" Opaque;
    GID 102 "GID" Opaque;
    UNSPEC 103 "UNSPEC" Opaque;
    NID 104 "NID" Fields(&[Field::U16, Field::Groups64]);
    L32 105 "L32" Fields(&[Field::U16, Field::Ipv4]);
    L64 106 "L64" Fields(&[Field::U16, Field::Groups64]);
    LP 107 "LP" Fields(&[Field::U16, Name(Kept)]);
    EUI48 108 "EUI48" Fields(&[Field::Eui(6)]);
    EUI64 109 "EUI64" Fields(&[Field::Eui(8)]);
    NXNAME 128 "NXNAME" Meta;
    TKEY 249 "TKEY" Meta;
    TSIG 250 "TSIG" Meta;
    IXFR 251 "IXFR" Meta;
    AXFR 252 "AXFR" Meta;
    MAILB 253 "MAILB" Meta;
    MAILA 254 "MAILA" Meta;
    ANY 255 "ANY" Meta;
    URI 256 "URI" Fields(&[Field::U16, Field::U16, Field::Text]);
    CAA 257 "CAA" Fields(&[Field::U8, Field::Tag, Field::Text]);
    AVC 258 "AVC" STRINGS;
    DOA 259 "DOA" Fields(&[
        Field::U32, Field::U32, Field::U8, Field::String, Field::Base64OrDash,
    ]);
    AMTRELAY 260 "AMTRELAY" Fields(&[Field::U8, Field::Discovery, Field::Gateway(0x7f)]);
    RESINFO 261 "RESINFO" STRINGS;
    WALLET 262 "WALLET" STRINGS;
    CLA 263 "CLA" STRINGS;
    IPN 264 "IPN" Fields(&[Field::U64]);
    TA 32768 "TA" DS;
    DLV 32769 "DLV" DS;
}

/// DNSSEC algorithms (IANA "DNS Security Algorithm Numbers").
static ALGORITHMS: Codes = Codes {
    octets: 1,
    what: "a DNSSEC algorithm",
    printed: false,
    names: &[
        ("DELETE", 0),
        ("RSAMD5", 1),
        ("DH", 2),
        ("DSA", 3),
        ("RSASHA1", 5),
        ("DSA-NSEC3-SHA1", 6),
        ("RSASHA1-NSEC3-SHA1", 7),
        ("RSASHA256", 8),
        ("RSASHA512", 10),
        ("ECC-GOST", 12),
        ("ECDSAP256SHA256", 13),
        ("ECDSAP384SHA384", 14),
        ("ED25519", 15),
        ("ED448", 16),
        ("SM2SM3", 17),
        ("ECC-GOST12", 23),
        ("INDIRECT", 252),
        ("PRIVATEDNS", 253),
        ("PRIVATEOID", 254),
    ],
};

/// Certificate types (RFC 4398 section 2.1).
static CERTIFICATE_TYPES: Codes = Codes {
    octets: 2,
    what: "a certificate type",
    printed: false,
    names: &[
        ("PKIX", 1),
        ("SPKI", 2),
        ("PGP", 3),
        ("IPKIX", 4),
        ("ISPKI", 5),
        ("IPGP", 6),
        ("ACPKIX", 7),
        ("IACPKIX", 8),
        ("URI", 253),
        ("OID", 254),
    ],
};

/// RFC 9859 section 2.2: an assigned scheme is written by its mnemonic.
static DSYNC_SCHEMES: Codes = Codes {
    octets: 1,
    what: "a DSYNC scheme",
    printed: true,
    names: &[("NOTIFY", 1)],
};

/// Protocols that have had well-known services.
static IP_PROTOCOLS: Codes = Codes {
    octets: 1,
    what: "an IP protocol (TCP, UDP or a number)",
    printed: false,
    names: &[("TCP", 6), ("UDP", 17)],
};

/// IANA "DS RR Type Digest Algorithms".
static DS_DIGESTS: Digests = Digests {
    at: 3,
    least: 1,
    lengths: &[(1, 20), (2, 32), (3, 32), (4, 48), (5, 32), (6, 32)],
};

/// RFC 4255 section 3.1.2, RFC 6594 section 4.
static SSHFP_DIGESTS: Digests = Digests {
    at: 1,
    least: 1,
    lengths: &[(1, 20), (2, 32)],
};

/// RFC 6698 section 2.1.3.
static CERTIFICATE_DIGESTS: Digests = Digests {
    at: 2,
    least: 1,
    lengths: &[(1, 32), (2, 64)],
};

/// RFC 8976 sections 2.2.3 and 2.2.4: no digest is shorter than 12 octets.
static ZONE_DIGESTS: Digests = Digests {
    at: 5,
    least: 12,
    lengths: &[(1, 48), (2, 64)],
};
