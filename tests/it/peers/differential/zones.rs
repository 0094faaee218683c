//! Seeded zones with everything that name servers get wrong: wildcards, empty
//! non-terminals, aliases, deep cuts, glue of both kinds, odd and long labels.
//!
//! Beside its text a zone has a model, which rules ask what a name is. The model knows
//! only what was generated: it shares no code with the compiler.

#![expect(clippy::unwrap_used, reason = "what fails here is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use loadtest::generate::Random;
use zone_image::Name;

/// Names made by chance, beside those that every zone has.
const CHANCE_NAMES: u64 = 220;
/// Most labels of a name made by chance, above the apex.
const DEPTH_MAX: u64 = 4;

/// What every zone has, relative to its apex.
const FIXED: &str = r#"
@ NS ns1
@ NS ns.outside.invalid.
@ MX 10 mail
@ TXT "apex"
ns1 A 192.0.2.1
ns1 AAAA 2001:db8::1
mail A 192.0.2.2
host A 192.0.2.3
host AAAA 2001:db8::3
host TXT "host"
*.wild TXT "wild"
*.wild MX 10 host
a.b.wild A 192.0.2.4
*.walias CNAME host
*.wout CNAME www.outside.invalid.
*.wloop CNAME again.wloop
*.wmissing CNAME missing
*.wcut CNAME www.inside
*.wdname CNAME x.dname
*.*.twice TXT "twice"
below.*.star TXT "below a wildcard without records"
*.mid.*.star A 192.0.2.5
dname DNAME target
dname TXT "beside a DNAME"
x.target A 192.0.2.6
*.target TXT "redirected to a wildcard"
deep.er.dname2 DNAME dname
out DNAME outside.invalid.
loop DNAME loop2
loop2 DNAME loop
grow DNAME g.grow
tocut DNAME inside
long DNAME aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.long2
one CNAME two
two CNAME three
three CNAME host
round CNAME round2
round2 CNAME round
self CNAME self
alias CNAME x.wild
aliasent CNAME b.wild
aliasdname CNAME x.dname
aliascut CNAME www.inside
aliasbelow CNAME nothing.here
inside NS ns.inside
inside NS ns.sibling
ns.inside A 192.0.2.10
sibling NS ns.sibling
sibling NS ns.inside
ns.sibling A 192.0.2.11
ns.sibling AAAA 2001:db8::11
very.deep.cut.of.many.labels NS ns.outside.invalid.
secure.of.many.labels NS ns.inside
lame NS missing
*.wildhost A 192.0.2.12
bywildcard NS ns.wildhost
loop3 NS ns.dname
"#;

/// What chance once found. Not among the owners, so that it moves no chance.
const FOUND: &str = r#"
*.over TXT "over"
\(.*.over A 192.0.2.13
*.hidden CNAME host
cut.*.deep.hidden NS ns.outside.invalid.
"#;

/// A zone: its file, and what its names are.
#[derive(Debug)]
pub(super) struct Zone {
    pub(super) apex: Name,
    pub(super) text: String,
    /// Owners in the order they were made, glue included; the apex first.
    pub(super) owners: Vec<Name>,
    /// The types at each owner, lower case.
    types: BTreeMap<Name, BTreeSet<&'static str>>,
    /// Owners and the names between them and the apex.
    exist: BTreeSet<Name>,
    random: Random,
}

/// What a name is, as RFC 1034 section 4.3.2 goes down to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    Outside,
    /// At or below this cut.
    Cut(Name),
    /// Below this DNAME.
    Redirected(Name),
    Exists,
    /// Made by the wildcard of this closest encloser.
    Wildcard(Name),
    /// Missing below this closest encloser.
    Missing(Name),
}

impl Zone {
    pub(super) fn generate(apex: &str, seed: u64) -> Self {
        let apex = Name::parse_absolute(apex).unwrap();
        let mut zone = Self {
            text: format!("$TTL 3600\n{apex} SOA ns1.{apex} host.{apex} 1 7200 900 1209600 300\n"),
            owners: vec![apex.clone()],
            types: BTreeMap::from([(apex.clone(), BTreeSet::from(["SOA"]))]),
            exist: BTreeSet::from([apex.clone()]),
            apex,
            random: Random::new(seed),
        };
        zone.add_lines(FIXED);
        let secure = zone.name("secure.of.many.labels");
        zone.add_ds(&secure);
        zone.large();
        for _ in 0..CHANCE_NAMES {
            zone.chance();
        }
        let owners = zone.owners.len();
        zone.add_lines(FOUND);
        zone.owners.truncate(owners);
        zone
    }

    fn add_lines(&mut self, lines: &str) {
        for line in lines.lines().filter(|line| !line.is_empty()) {
            let (owner, rest) = line.split_once(' ').unwrap();
            let owner = self.name(owner);
            let (rtype, rdata) = rest.split_once(' ').unwrap();
            let rtype = TYPES.iter().find(|own| **own == rtype).unwrap();
            let rdata = match rdata.rsplit_once(' ') {
                _ if ["TXT", "A", "AAAA"].contains(rtype) => rdata.to_owned(),
                Some((number, name)) => format!("{number} {}", self.name(name)),
                None => self.name(rdata).to_string(),
            };
            self.add(&owner, rtype, &rdata);
        }
    }

    /// What fits 512 octets hardly, 1232 hardly, and not at all.
    fn large(&mut self) {
        for (label, count) in [("txt5", 5), ("txt12", 12), ("txt40", 40)] {
            let owner = self.name(label);
            for index in 0..count {
                let text = format!("\"{index:03}{}\"", "t".repeat(90));
                self.add(&owner, "TXT", &text);
            }
        }
        for (label, sibling) in [("big", "big"), ("bigsibling", "big")] {
            let owner = self.name(label);
            for index in 0..13 {
                let host = self.name(&format!("nameserver{index}.{sibling}"));
                self.add(&owner, "NS", &host.to_string());
                if label == sibling {
                    self.add(&host, "A", &format!("192.0.2.{}", 100 + index));
                    self.add(&host, "AAAA", &format!("2001:db8::{}", 100 + index));
                }
            }
        }
        let owner = self.name("bigsecure");
        for index in 0..11 {
            let host = format!("a-name-server-of-great-length-{index}.outside.invalid.");
            self.add(&owner, "NS", &host);
        }
        for _ in 0..3 {
            self.add_ds(&owner);
        }
        let long = format!("{0}.{0}.{0}", "l".repeat(63));
        let long = self.name(&long);
        self.add(&long, "TXT", "\"long\"");
        let many = vec!["m"; 100].join(".");
        let many = self.name(&many);
        self.add(&many, "A", "192.0.2.7");
    }

    /// One more name with records by chance.
    fn chance(&mut self) {
        let Some(owner) = self.free_name() else {
            return;
        };
        match self.random.below(20) {
            // RFC 4592 sections 4.2 and 4.4 leave wildcards with NS and DNAME undefined.
            6..13 | 18 if owner.is_wildcard() => self.host(&owner),
            0..6 => self.host(&owner),
            6..13 => self.cut(&owner),
            13..15 => self.wildcard(&owner),
            15..18 => {
                let target = self.target();
                self.add(&owner, "CNAME", &target);
            }
            18 => {
                let target = self.target();
                self.add(&owner, "DNAME", &target);
            }
            _ => {
                let target = self.target();
                self.add(&owner, "SRV", &format!("1 2 3 {target}"));
                self.add(&owner, "MX", &format!("10 {target}"));
            }
        }
    }

    /// A name that is not there, below one that may have children.
    fn free_name(&mut self) -> Option<Name> {
        let mut owner = match self.random.below(3) {
            0 => self.any_owner(),
            _ => self.apex.clone(),
        };
        for _ in 0..=self.random.below(DEPTH_MAX) {
            let label = self.label();
            owner = owner.child(&label).ok()?;
        }
        let free = !self.exist.contains(&owner.to_lowercase())
            && matches!(
                self.standing(&owner),
                Standing::Wildcard(_) | Standing::Missing(_)
            );
        free.then_some(owner)
    }

    fn host(&mut self, owner: &Name) {
        let last = self.random.below(250) + 1;
        self.add(owner, "A", &format!("192.0.2.{last}"));
        if self.random.below(2) == 0 {
            self.add(owner, "AAAA", &format!("2001:db8::{last}"));
        }
        if self.random.below(3) == 0 {
            self.add(owner, "TXT", &format!("\"text {last}\" \"\\000\\255\""));
        }
        if self.random.below(8) == 0 {
            self.add(owner, "TYPE65400", "\\# 3 010203");
        }
    }

    fn wildcard(&mut self, parent: &Name) {
        let Ok(owner) = parent.child(b"*") else {
            return;
        };
        match self.random.below(3) {
            0 => {
                let target = self.target();
                self.add(&owner, "CNAME", &target);
            }
            _ => self.host(&owner),
        }
    }

    fn cut(&mut self, owner: &Name) {
        for index in 0..=self.random.below(3) {
            let host = match self.random.below(4) {
                0 => owner.child(format!("ns{index}").as_bytes()).ok(),
                1 => self.any_cut().and_then(|cut| cut.child(b"ns0").ok()),
                2 => Some(owner.clone()),
                _ => None,
            };
            let Some(host) = host else {
                self.add(owner, "NS", &format!("ns{index}.outside.invalid."));
                continue;
            };
            self.add(owner, "NS", &host.to_string());
            if !self.has(&host, "A") {
                self.add(&host, "A", &format!("192.0.2.{}", 20 + index));
            }
            if self.random.below(2) == 0 && !self.has(&host, "AAAA") {
                self.add(&host, "AAAA", &format!("2001:db8::{}", 20 + index));
            }
        }
        if self.random.below(3) == 0 {
            self.add_ds(owner);
        }
    }

    fn add_ds(&mut self, owner: &Name) {
        let tag = self.random.below(65_536);
        let digest: String = (0..4)
            .map(|_| format!("{:016x}", self.random.next()))
            .collect();
        self.add(owner, "DS", &format!("{tag} 13 2 {digest}"));
    }

    /// Where an alias may lead: anywhere.
    fn target(&mut self) -> String {
        let owner = self.any_owner();
        let target = match self.random.below(5) {
            0 => return "www.outside.invalid.".to_owned(),
            1 => {
                let label = self.label();
                owner.child(&label).unwrap_or(owner)
            }
            2 => owner.parent().unwrap_or(owner),
            _ => owner,
        };
        target.to_string()
    }

    fn any_owner(&mut self) -> Name {
        let count = u64::try_from(self.owners.len()).unwrap();
        let index = self.random.below(count);
        self.owners[usize::try_from(index).unwrap()].clone()
    }

    fn any_cut(&mut self) -> Option<Name> {
        (0..8).find_map(|_| {
            let owner = self.any_owner();
            self.is_cut(&owner).then_some(owner)
        })
    }

    fn label(&mut self) -> Vec<u8> {
        label(&mut self.random)
    }

    fn add(&mut self, owner: &Name, rtype: &'static str, rdata: &str) {
        let lower = owner.to_lowercase();
        if self.types.entry(lower.clone()).or_default().is_empty() {
            self.owners.push(owner.clone());
        }
        self.types.get_mut(&lower).unwrap().insert(rtype);
        let mut between = Some(lower);
        while let Some(name) = between.filter(|name| name.is_below(&self.apex)) {
            between = name.parent();
            self.exist.insert(name);
        }
        writeln!(self.text, "{owner} {rtype} {rdata}").unwrap();
    }

    /// A name from its words relative to the apex.
    fn name(&self, text: &str) -> Name {
        match text {
            "@" => self.apex.clone(),
            _ if text.ends_with('.') => Name::parse_absolute(text).unwrap(),
            _ => Name::parse(text.as_bytes(), Some(&self.apex)).unwrap(),
        }
    }

    pub(super) fn has(&self, name: &Name, rtype: &str) -> bool {
        let types = self.types.get(&name.to_lowercase());
        types.is_some_and(|types| types.contains(rtype))
    }

    pub(super) fn has_records(&self, name: &Name) -> bool {
        self.types.contains_key(&name.to_lowercase())
    }

    pub(super) fn is_signed(&self) -> bool {
        !self.apex.to_string().starts_with("plain")
    }

    /// Whether a name has no NSEC3 under opt-out: it owns nothing, and below it are
    /// insecure delegations only (RFC 5155 section 7.1).
    pub(super) fn is_opted_out(&self, name: &Name) -> bool {
        let name = name.to_lowercase();
        if name == self.apex {
            return false;
        }
        let insecure = |owner: &Name| match self.standing(owner) {
            // Glue counts as what it is glue of.
            Standing::Cut(cut) => !self.has(&cut, "DS"),
            _ => false,
        };
        let below = |owner: &&Name| owner.is_at_or_below(&name);
        self.apex.to_string().starts_with("optout") && self.types.keys().filter(below).all(insecure)
    }

    pub(super) fn has_names_below(&self, name: &Name) -> bool {
        let mut names = self.exist.iter();
        names.any(|own| own != name && own.is_at_or_below(name))
    }

    pub(super) fn is_cut(&self, name: &Name) -> bool {
        *name != self.apex && self.has(name, "NS")
    }

    pub(super) fn standing(&self, name: &Name) -> Standing {
        let name = name.to_lowercase();
        if !name.is_at_or_below(&self.apex) {
            return Standing::Outside;
        }
        let mut path: Vec<_> = std::iter::successors(Some(name.clone()), Name::parent)
            .take_while(|own| own.is_at_or_below(&self.apex))
            .collect();
        path.reverse();
        let mut encloser = self.apex.clone();
        for own in path {
            if self.is_cut(&own) {
                return Standing::Cut(own);
            }
            if !self.exist.contains(&own) {
                let wildcard = encloser.child(b"*").ok();
                return match wildcard.is_some_and(|wildcard| self.exist.contains(&wildcard)) {
                    true => Standing::Wildcard(encloser),
                    false => Standing::Missing(encloser),
                };
            }
            if own != name && self.has(&own, "DNAME") {
                return Standing::Redirected(own);
            }
            encloser = own;
        }
        Standing::Exists
    }
}

/// Types of zones, by the word that files have for them.
const TYPES: [&str; 9] = [
    "NS", "MX", "TXT", "A", "AAAA", "CNAME", "DNAME", "SRV", "DS",
];

/// A label: mostly one of few, so that names meet; at times an odd one.
pub(super) fn label(random: &mut Random) -> Vec<u8> {
    const ODD: [&[u8]; 12] = [
        b"\x00",
        b"\xff\xfe",
        b"dot.dot",
        b"back\\slash",
        b"quo\"te",
        b"semi;colon",
        b"pa(ren)",
        b"sp ace",
        b"@",
        b"$ORIGIN",
        b"UPPER",
        b"x*",
    ];
    let index = usize::try_from(random.below(64)).unwrap();
    match index {
        0..12 => ODD[index].to_vec(),
        12 => vec![b'6'; 63],
        13 => vec![0xc3; 63],
        14 => b"*".to_vec(),
        _ => vec![b'a' + u8::try_from(index % 13).unwrap()],
    }
}
