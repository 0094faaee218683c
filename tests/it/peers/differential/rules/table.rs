//! The rules, those of content first, then those of size.

use std::collections::BTreeSet;

use loadtest::peer::Software;
use zone_image::Name;

use super::super::reply::{Record, Reply};
use super::super::zones::Standing;
use super::super::{Both, Case, Difference};
use super::view::{
    A, AAAA, ANY, CNAME, DNAME, DS, MX, NS, NSEC, NSEC3, RRSIG, SRV, alone, hash_is_of,
    hash_speaks_of, is_optional, only, speaks_of,
};
use super::{Rule, Side};

const KNOT: Option<Software> = Some(Software::Knot);
const NSD: Option<Software> = Some(Software::Nsd);

fn always(_: &Case<'_>) -> bool {
    true
}

fn fine(_: &Case<'_>, _: &[Difference]) -> bool {
    true
}

/// Whether they deny, or follow, less of the aliases than we do.
fn theirs_ends_before(case: &Case<'_>) -> bool {
    let aliases = |reply: &Reply| {
        let answer = reply.answer().iter();
        answer.filter(|own| own.rtype == CNAME).count()
    };
    aliases(&case.theirs.whole) < aliases(&case.ours.whole)
}

/// Whether one of these records names a host.
fn names_host(records: &BTreeSet<Record>, host: &Name) -> bool {
    records
        .iter()
        .any(|own| [NS, MX, SRV].contains(&own.rtype) && own.target().as_ref() == Some(host))
}

/// Whether an NSEC says something of the question or of where its aliases end.
fn speaks_of_names(case: &Case<'_>, nsec: &Record) -> bool {
    speaks_of(nsec, &case.last()) || speaks_of(nsec, &case.question.name)
}

/// Whether it does, or says something of the wildcard that could have made that name.
fn speaks_of_case(case: &Case<'_>, nsec: &Record) -> bool {
    let wildcard = case.wildcard();
    speaks_of_names(case, nsec) || wildcard.is_some_and(|name| speaks_of(nsec, &name))
}

/// Whether a name starts with an asterisk, as a label or as a part of one.
fn has_asterisk(name: &Name) -> bool {
    name.labels()
        .next()
        .is_some_and(|label| label.starts_with(b"*"))
}

fn has_nul(name: &Name) -> bool {
    name.labels().any(|label| label.contains(&0))
}

pub(in super::super) const RULES: &[Rule] = &[
    Rule {
        name: "authority-of-answers",
        text: "NSD adds the NS of the zone and their addresses to answers",
        source: "RFC 1034 section 4.3.2 asks for neither",
        peer: NSD,
        about: |case| !case.theirs.whole.answer().is_empty(),
        explains: |case, difference| match difference {
            Difference::Only(Side::Theirs, 1, record) => {
                record.of() == NS && record.owner == case.zone.apex
            }
            Difference::Only(Side::Theirs, 2, record) => {
                [A, AAAA].contains(&record.of())
                    && names_host(&case.theirs.whole.sections[1], &record.owner)
            }
            _ => false,
        },
        holds: fine,
    },
    Rule {
        name: "addresses-of-answers",
        text: "peers add addresses of hosts that MX, SRV and NS in an answer name",
        source: "RFC 1034 section 4.3.2 step 6: what may be useful",
        peer: None,
        about: |case| !case.theirs.whole.answer().is_empty(),
        explains: |case, difference| match difference {
            Difference::Only(Side::Theirs, 2, record) => {
                names_host(case.theirs.whole.answer(), &record.owner)
            }
            _ => false,
        },
        holds: |_, differences| {
            alone(differences, Side::Theirs).all(|own| [A, AAAA].contains(&own.of()))
        },
    },
    Rule {
        name: "ds-of-unsigned-zone",
        text: "a DS goes with the referral even where the zone has no signatures",
        source: "RFC 4035 section 3.1.4",
        peer: None,
        about: |case| case.question.dnssec_ok && !case.zone.is_signed(),
        explains: |_, difference| only(difference, Side::Ours, 1, &[DS]),
        holds: |case, differences| {
            alone(differences, Side::Ours).all(|own| case.zone.is_cut(&own.owner))
        },
    },
    Rule {
        name: "glue-by-wildcard",
        text: "peers make addresses of name servers from wildcards",
        source: "RFC 9471 section 3.2: a help only",
        peer: None,
        about: always,
        explains: |case, difference| match difference {
            Difference::Only(Side::Theirs, 2, record) => {
                matches!(case.zone.standing(&record.owner), Standing::Wildcard(_))
            }
            _ => false,
        },
        holds: |_, differences| {
            alone(differences, Side::Theirs).all(|own| [A, AAAA, NSEC, NSEC3].contains(&own.of()))
        },
    },
    Rule {
        name: "rrsig-of-one-set",
        text: "NSD gives all signatures of the name, we those of one RRset",
        source: "RFC 8482 section 4.1 by analogy",
        peer: NSD,
        about: |case| case.question.rtype == RRSIG,
        explains: |_, difference| match difference {
            Difference::Only(Side::Theirs, 0, record) => record.rtype == RRSIG,
            _ => false,
        },
        holds: |case, _| {
            case.ours
                .whole
                .answer()
                .iter()
                .any(|own| own.rtype == RRSIG)
        },
    },
    Rule {
        name: "any-of-one-set",
        text: "of the RRsets at a name each takes another one for ANY",
        source: "RFC 8482 section 4.1",
        peer: None,
        about: |case| case.question.rtype == ANY && !case.runs_on(),
        explains: |_, difference| matches!(difference, Difference::Only(_, 0, _)),
        holds: |case, differences| {
            let one_set = |side| {
                let mut types: Vec<_> = alone(differences, side).map(|own| own.of()).collect();
                types.dedup();
                types.sort_unstable();
                types.dedup();
                types.len() == 1
            };
            one_set(Side::Ours)
                && one_set(Side::Theirs)
                && alone(differences, Side::Ours).all(|own| own.owner == case.last())
        },
    },
    Rule {
        name: "type-of-proofs-at-alias",
        text: "for NSEC, NSEC3 and RRSIG peers deny at an alias what it leads to",
        source: "RFC 1034 section 4.3.2 step 3a, RFC 5155 section 8.5",
        peer: None,
        about: |case| {
            [NSEC, NSEC3, RRSIG].contains(&case.question.rtype)
                && case.has_alias()
                && theirs_ends_before(case)
        },
        explains: |_, difference| {
            matches!(
                difference,
                Difference::Only(..) | Difference::Rcode | Difference::Authoritative
            )
        },
        // Where they stop, there is an alias and not the type.
        holds: |_, differences| {
            alone(differences, Side::Ours).any(|own| own.rtype == CNAME)
                && alone(differences, Side::Theirs).all(|own| own.rtype != CNAME)
        },
    },
    Rule {
        name: "length-of-chains",
        text: "of aliases that run on, we follow 16 and a loop once, peers fewer",
        source: "RFC 1034 section 3.6.2: loops are an error",
        peer: None,
        about: |case| case.runs_on(),
        explains: |_, difference| only(difference, Side::Ours, 0, &[CNAME, DNAME]),
        holds: |case, _| {
            let answer = case.ours.whole.answer().iter();
            answer.filter(|own| own.rtype == CNAME).count() <= 17
        },
    },
    Rule {
        name: "loops-repeat",
        text: "Knot gives the aliases of a loop again each time",
        source: "RFC 2181 section 5: an RRset has no doubles",
        peer: KNOT,
        about: |case| case.runs_on(),
        explains: |_, difference| matches!(difference, Difference::Repeated),
        holds: |case, _| {
            let mut again = case.theirs.whole.repeated.iter();
            again.all(|(section, own)| {
                *section == 0
                    && [CNAME, DNAME].contains(&own.of())
                    && case.ours.whole.answer().contains(own)
            })
        },
    },
    Rule {
        name: "nul-sorts-first",
        text: "Knot takes a wrong NSEC beside names with octet 0",
        source: "RFC 4034 section 6.1",
        peer: KNOT,
        about: |case| {
            case.question.dnssec_ok && (has_nul(&case.last()) || has_nul(&case.question.name))
        },
        explains: |case, difference| match difference {
            Difference::Only(Side::Ours, 1, record) if record.rtype == NSEC => {
                speaks_of_case(case, record)
            }
            Difference::Only(_, 1, record) => record.of() == NSEC,
            _ => false,
        },
        // Of the wildcard theirs may speak: where it makes the name, nothing denies it.
        holds: |case, differences| {
            let authority = &case.ours.whole.sections[1];
            let proven = |name: &Name| authority.iter().any(|own| speaks_of(own, name));
            let names = [&case.last(), &case.question.name];
            alone(differences, Side::Theirs).all(|own| !speaks_of_names(case, own))
                && names.into_iter().any(|name| has_nul(name) && proven(name))
        },
    },
    Rule {
        name: "wildcard-without-records",
        text: "peers leave out what speaks of a wildcard without records",
        source: "RFC 4035 section 3.1.3.4, RFC 5155 section 7.2.5",
        peer: None,
        about: |case| {
            let Standing::Wildcard(encloser) = case.zone.standing(&case.last()) else {
                return false;
            };
            let mut wildcard = case.wildcard().into_iter();
            case.question.dnssec_ok
                && !case.is_unprovable(&encloser)
                && wildcard.any(|name| !case.zone.has_records(&name))
        },
        explains: |case, difference| match difference {
            // What NSD leaves out of NSEC has a rule of its own.
            Difference::Only(Side::Ours, 1, record) if record.of() == NSEC => {
                case.peer == Software::Knot
            }
            _ => only(difference, Side::Ours, 1, &[NSEC3]),
        },
        holds: |case, differences| {
            let wildcard = case.wildcard().expect("it is about one");
            alone(differences, Side::Ours)
                .any(|own| speaks_of(own, &wildcard) || hash_speaks_of(own, &wildcard))
        },
    },
    Rule {
        name: "encloser-of-wildcard",
        text: "NSD does not prove the encloser of a wildcard that has names below it",
        source: "RFC 5155 section 7.2.5",
        peer: NSD,
        about: |case| {
            let wildcard = case.wildcard();
            matches!(case.zone.standing(&case.last()), Standing::Wildcard(_))
                && wildcard.is_some_and(|name| case.zone.has_names_below(&name))
        },
        explains: |case, difference| match difference {
            Difference::Only(Side::Ours, 1, record) => {
                let encloser = case.wildcard().and_then(|name| name.parent());
                record.of() == NSEC3
                    && encloser.is_some_and(|name| hash_is_of(&record.owner, &name))
            }
            _ => false,
        },
        // The proof that there is no name, and the wildcard's, they have as well.
        holds: |case, _| case.theirs.whole.rcode == 0,
    },
    Rule {
        name: "superfluous-nsec",
        text: "NSD adds an NSEC that says nothing of the name or its wildcard",
        source: "RFC 4035 section 3.1.3.2",
        peer: NSD,
        about: |case| case.question.dnssec_ok,
        explains: |_, difference| only(difference, Side::Theirs, 1, &[NSEC]),
        holds: |case, differences| {
            let (last, wildcard) = (case.last(), case.wildcard());
            alone(differences, Side::Theirs).all(|own| {
                !speaks_of(own, &last)
                    && !wildcard.as_ref().is_some_and(|name| speaks_of(own, name))
            })
        },
    },
    Rule {
        name: "asterisk-in-name",
        text: "peers take a name with an asterisk for the wildcard and do not prove more",
        source: "RFC 4035 sections 3.1.3.2 and 3.1.3.3, RFC 5155 section 7.2.6",
        peer: None,
        about: |case| {
            case.question.dnssec_ok
                && (has_asterisk(&case.question.name) || has_asterisk(&case.last()))
        },
        explains: |_, difference| only(difference, Side::Ours, 1, &[NSEC, NSEC3]),
        holds: |case, differences| {
            let mut nsec = alone(differences, Side::Ours).filter(|own| own.rtype == NSEC);
            nsec.all(|own| speaks_of_case(case, own))
        },
    },
    Rule {
        name: "nsec-left-out",
        text: "NSD leaves out the NSEC of a name that a DNAME leads to, or of its wildcard",
        source: "RFC 4035 sections 3.1.3.2 to 3.1.3.4",
        peer: NSD,
        about: |case| case.question.dnssec_ok,
        explains: |_, difference| only(difference, Side::Ours, 1, &[NSEC]),
        holds: |case, differences| {
            let (path, wildcard) = (case.path(), case.wildcard());
            let mut nsec = alone(differences, Side::Ours).filter(|own| own.rtype == NSEC);
            nsec.all(|own| {
                path.iter()
                    .chain(&wildcard)
                    .any(|name| speaks_of(own, name))
            })
        },
    },
    Rule {
        name: "nsec-of-wildcard",
        text: "Knot does not prove the expansion where it is an NSEC that is expanded",
        source: "RFC 4035 section 3.1.3.3",
        peer: KNOT,
        about: |case| {
            case.question.rtype == NSEC
                && matches!(case.zone.standing(&case.last()), Standing::Wildcard(_))
        },
        explains: |_, difference| only(difference, Side::Ours, 1, &[NSEC]),
        holds: |case, differences| {
            let last = case.last();
            alone(differences, Side::Ours).any(|own| speaks_of(own, &last))
        },
    },
    Rule {
        name: "literal-wildcard",
        text: "NSD adds an NSEC3 where the wildcard itself is asked for",
        source: "RFC 5155 section 7.2.3: the matching one is enough",
        peer: NSD,
        about: |case| {
            let last = case.last();
            last.is_wildcard() && case.zone.standing(&last) == Standing::Exists
        },
        explains: |_, difference| only(difference, Side::Theirs, 1, &[NSEC3]),
        holds: |case, _| {
            case.ours.whole.sections[1]
                .iter()
                .any(|own| own.rtype == NSEC3)
        },
    },
    Rule {
        name: "closest-provable-encloser",
        text: "NSD proves from names that have no NSEC3 under opt-out",
        source: "RFC 5155 section 7.2.1",
        peer: NSD,
        about: |case| {
            let last = case.last();
            let encloser = match case.zone.standing(&last) {
                Standing::Exists => last,
                Standing::Missing(encloser) | Standing::Wildcard(encloser) => encloser,
                _ => return false,
            };
            case.question.dnssec_ok && case.is_unprovable(&encloser)
        },
        explains: |_, difference| {
            only(difference, Side::Ours, 1, &[NSEC3]) || only(difference, Side::Theirs, 1, &[NSEC3])
        },
        holds: |case, _| {
            let authority = case.ours.whole.sections[1].iter();
            // Encloser and next closer, and for NXDOMAIN the wildcard: some may be one.
            let proofs = authority.filter(|own| own.rtype == NSEC3).count();
            (1..=3).contains(&proofs) || case.has_alias()
        },
    },
    Rule {
        name: "name-error-without-proof",
        text: "Knot gives up where a wildcard stands above an opted-out encloser",
        source: "RFC 5155 section 7.2.2",
        peer: KNOT,
        about: |case| match case.zone.standing(&case.last()) {
            Standing::Missing(encloser) => case.is_unprovable(&encloser),
            _ => false,
        },
        explains: |_, difference| {
            matches!(
                difference,
                Difference::Rcode | Difference::Authoritative | Difference::Only(Side::Ours, 1, _)
            )
        },
        holds: |case, _| case.theirs.whole.sections[1].is_empty() && case.ours.whole.rcode == 3,
    },
    Rule {
        name: "records-beside-tc",
        text: "peers send what fits with TC, we nothing",
        source: "RFC 2181 section 9",
        peer: None,
        about: |case| case.ours.short.truncated && case.theirs.short.truncated,
        explains: |_, difference| matches!(difference, Difference::Partial),
        holds: |case, _| {
            let theirs = case.theirs;
            let mut sections = theirs.short.sections.iter().zip(&theirs.whole.sections);
            theirs.whole.octets > case.question.bytes_max()
                && sections.all(|(short, whole)| short.is_subset(whole))
        },
    },
    Rule {
        name: "in-domain-glue-left-out",
        text: "peers leave out in-domain glue without TC, NSD for sibling glue",
        source: "RFC 9471 section 3.1",
        peer: None,
        about: |case| {
            let (theirs, whole) = (&case.theirs.short.sections[2], &case.theirs.whole);
            !case.theirs.short.truncated
                && whole.sections[2]
                    .difference(theirs)
                    .any(|own| !is_optional(whole, own))
        },
        explains: |case, difference| match difference {
            Difference::Truncated => true,
            Difference::Short(Side::Ours, 2, record) => !is_optional(&case.ours.whole, record),
            _ => false,
        },
        // That our TC is due, and that we have all such glue without, was checked before.
        holds: |case, _| {
            let most = case.question.bytes_max();
            case.ours.whole.octets > most && case.theirs.whole.octets > most
        },
    },
    Rule {
        name: "ours-is-longer",
        text: "our reply is longer: names of NSEC in full, or more of a chain or proof",
        source: "RFC 1035 section 4.1.4: compression is optional",
        peer: None,
        about: |case| case.ours.short.truncated && !case.theirs.short.truncated,
        explains: |_, difference| matches!(difference, Difference::Truncated),
        holds: |case, _| {
            case.ours.whole.octets > case.theirs.short.octets
                && case.ours.whole.octets > case.question.bytes_max()
        },
    },
    Rule {
        name: "theirs-is-longer",
        text: "the peer's reply is longer by what other rules name",
        source: "RFC 2181 section 9",
        peer: None,
        about: |case| !case.ours.short.truncated && case.theirs.short.truncated,
        explains: |_, difference| matches!(difference, Difference::Truncated),
        // That ours is whole was checked before.
        holds: |case, _| case.theirs.whole.octets > case.question.bytes_max(),
    },
    Rule {
        name: "which-addresses-fit",
        text: "of addresses that are a help, each takes others where not all fit",
        source: "RFC 9471 section 3.2",
        peer: None,
        about: |case| !case.question.tcp,
        explains: |_, difference| matches!(difference, Difference::Short(_, 2, _)),
        holds: |case, differences| {
            // What one has alone must be too much for the other.
            let too_much = |side, other: &Both| {
                alone(differences, side).all(|own| {
                    is_optional(&case.ours.whole, own)
                        && other.whole.octets > case.question.bytes_max()
                })
            };
            too_much(Side::Ours, case.theirs) && too_much(Side::Theirs, case.ours)
        },
    },
];
