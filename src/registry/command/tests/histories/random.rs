//! The next line of a history: mostly by whoever may say it, so that histories get somewhere.

use super::state::{Domain, State};
use crate::registry::life::Phase;

/// SplitMix64: the same numbers on every machine.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    pub(super) fn of<'t>(&mut self, choices: &[&'t str]) -> &'t str {
        let index = self.below(choices.len() as u64);
        choices[usize::try_from(index).unwrap()]
    }

    fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    fn registrar(&mut self) -> &'static str {
        self.of(&["reg-a", "reg-a", "reg-b", "reg-b", "op"])
    }
}

/// Authorization information of every domain that has any.
pub(super) const AUTH: &str = "auth=k9$Tq2-vX7mB!zR4pL0w";
/// Contacts of a history.
const CONTACTS: u64 = 5;

const STATUSES: [&str; 8] = [
    "clientHold",
    "clientDeleteProhibited",
    "clientRenewProhibited",
    "clientTransferProhibited",
    "clientUpdateProhibited",
    "serverHold",
    "serverDeleteProhibited",
    "serverTransferProhibited",
];
const OBJECT_STATUSES: [&str; 3] = [
    "clientDeleteProhibited",
    "clientUpdateProhibited",
    "serverUpdateProhibited",
];

/// The lines that a history of this seed begins with.
pub(super) fn beginning(random: &mut Random) -> Vec<String> {
    let expiry = random.of(&["auto-renew", "delete", "keep"]);
    let report = random.of(&["required", "unneeded"]);
    let control = random.of(&["auto", "auto", "verify"]);
    let model = random.of(&["minimum", "maximum", "per-registrar"]);
    let veto = random.of(&["free", "veto"]);
    let silence = random.of(&["approve", "reject"]);
    let orphans = random.of(&["refuse", "lame", "invalid", "restore"]);
    let copies = random.of(&["keep", "copy"]);
    let mut lines = vec![
        "op zone update tld record=tld._3600_NS_ns2.nic.example.".to_owned(),
        format!(
            "op zone policy tld expiry={expiry} restore-report={report} approvers=ada,bob \
             change-control={control} data-model={model} registrant-change={veto} \
             veto-silence={silence} transfer-contacts={copies}"
        ),
        format!("op zone orphans tld policy={orphans}"),
        "op registrar update reg-a model=maximum".to_owned(),
    ];
    if random.one_in(2) {
        lines.push(PARKED.to_owned());
    }
    if model != "minimum" {
        for (number, by) in ["reg-a", "reg-b", "reg-a"].into_iter().enumerate() {
            lines.push(format!("{by} contact create c-{number} {AUTH}"));
        }
        lines.push("op contact keys c-0 key=own case=1".to_owned());
    }
    lines
}

const PARKED: &str = "op zone parking tld server=p1.ext.example server=p2.ext.example";

/// What a line is drawn with.
pub(super) struct Drawing<'d> {
    pub(super) random: &'d mut Random,
    pub(super) state: &'d State,
    /// Names that domains have.
    pub(super) names: u64,
}

impl Drawing<'_> {
    fn domain(&mut self) -> String {
        format!("d{}.tld", self.random.below(self.names))
    }

    fn host(&mut self) -> String {
        let number = self.random.below(2) + 1;
        match self.random.below(4) {
            0 => format!("ns{number}.ext.example"),
            _ => format!("ns{number}.{}", self.domain()),
        }
    }

    /// One below a domain that is there, as a rule.
    fn new_host(&mut self) -> String {
        let domains = &self.state.domains;
        let index = self.random.below(domains.len() as u64 + 1);
        match domains.get(usize::try_from(index).unwrap()) {
            Some(held) => format!("ns{}.{}", self.random.below(2) + 1, held.name),
            None => self.host(),
        }
    }

    /// One that is there, as a rule: the names of domains are many.
    fn known_host(&mut self) -> String {
        let hosts = &self.state.hosts;
        match usize::try_from(self.random.below(hosts.len() as u64 + 1)).unwrap() {
            index if index < hosts.len() => hosts[index].name.clone(),
            _ => self.host(),
        }
    }

    fn contact(&mut self) -> String {
        format!("c-{}", self.random.below(CONTACTS))
    }

    /// A contact of an account, if it has one.
    fn contact_of(&mut self, registrar: &str) -> String {
        let contacts = self.state.contacts.iter();
        let own: Vec<_> = contacts
            .filter(|held| held.registrar == registrar)
            .collect();
        match own.len() {
            0 => self.contact(),
            count => {
                let index = self.random.below(count as u64);
                own[usize::try_from(index).unwrap()].name.clone()
            }
        }
    }

    /// Whoever has an object, as a rule.
    fn sponsor(&mut self, sponsor: Option<String>) -> String {
        match sponsor {
            Some(sponsor) if !self.random.one_in(6) => sponsor,
            _ => self.random.registrar().to_owned(),
        }
    }

    /// The next line.
    pub(super) fn line(&mut self) -> String {
        match self.random.below(100) {
            0..14 => format!("time {}", self.random.of(&["1", "1", "2", "7", "40"])),
            14..52 => self.domain_line(),
            52..62 => self.transfer_line(),
            62..76 => self.host_line(),
            76..84 => self.contact_line(),
            84..95 => self.decision(),
            _ => self.rare_line(),
        }
    }

    fn domain_line(&mut self) -> String {
        let name = self.domain();
        let state = self.state;
        let held = state.domain(&name);
        let who = self.sponsor(held.map(|held| held.registrar.clone()));
        let by = if who == "op" { " by=reg-a" } else { "" };
        let Some(held) = held.filter(|_| !self.random.one_in(12)) else {
            let hosts = match self.random.below(3) {
                0 => format!(" ns={} ns={}", self.known_host(), self.known_host()),
                _ => String::new(),
            };
            return format!(
                "{who} domain create {name}{by} {AUTH}{hosts}{}",
                self.people(&who)
            );
        };
        let is_deleted = held.life.phase != Phase::Registered;
        match self.random.below(17) {
            _ if is_deleted && !self.random.one_in(4) => {
                let report = self.random.of(&["", " report=error"]);
                format!("{who} domain restore {name}{report}")
            }
            0..7 => self.servers_line(held, &who),
            7..9 => {
                let status = self.random.of(&STATUSES);
                let has = held.statuses.iter().any(|held| held.word() == status);
                let sign = if has { "-" } else { "" };
                let who = match status.starts_with("server") {
                    true => "op",
                    false => &who,
                };
                format!("{who} domain update {name} {sign}status={status}")
            }
            9 | 10 => format!("{who} domain delete {name}"),
            11 => format!("{who} domain renew {name} from=now"),
            12 => match self.random.below(4) {
                0 => format!("op domain purge {name}"),
                1 => format!("{who} domain restore {name}"),
                2 => format!("{who} domain update {name} ds=1_13_2_{}", "ab".repeat(32)),
                _ => format!("{who} domain update {name} {AUTH}"),
            },
            13 => format!("{who} domain update {name} {AUTH}"),
            _ => self.person_line(&name, &who),
        }
    }

    /// Other name servers.
    fn servers_line(&mut self, held: &Domain, who: &str) -> String {
        let (name, new, other) = (&held.name, self.known_host(), self.known_host());
        let named: Vec<_> = held.hosts.values().collect();
        match (named[..].split_first(), self.random.below(3)) {
            (Some(_), 0) => {
                let all = named.iter().map(|host| format!(" -ns={host}"));
                format!("{who} domain update {name}{}", all.collect::<String>())
            }
            (Some((first, _)), 1) => format!("{who} domain update {name} ns={new} -ns={first}"),
            (Some(_), _) => format!("{who} domain update {name} ns={new}"),
            _ => format!("{who} domain update {name} ns={new} ns={other}"),
        }
    }

    /// Registrant and administrator, where contacts are kept.
    fn people(&mut self, who: &str) -> String {
        let who = if who == "op" { "reg-a" } else { who };
        if !self.state.is_thick(who) || self.random.one_in(20) {
            return String::new();
        }
        let (registrant, admin) = (self.contact_of(who), self.contact_of(who));
        format!(" registrant={registrant} contact=admin:{admin}")
    }

    /// A change of people, or one by people.
    fn person_line(&mut self, name: &str, who: &str) -> String {
        let (own, other) = (self.contact_of(who), self.contact());
        let host = self.known_host();
        match self.random.below(6) {
            0 => format!("{who} domain update {name} registrant={own}"),
            1 => format!("{who} domain update {name} contact=tech:{own}"),
            2 => format!("{who} domain update {name} -contact=tech:{own}"),
            3 => format!("contact:{other} domain update {name} registrant={own}"),
            4 => format!("contact:{other} domain update {name} ns={host}"),
            _ => format!("contact:{other} domain renew {name} from=now"),
        }
    }

    fn transfer_line(&mut self) -> String {
        let name = self.domain();
        let held = self.state.domain(&name);
        let waits = held.is_some_and(|held| held.life.transfer_ends_at.is_some());
        let sponsor = held.map(|held| held.registrar.clone());
        let other = match sponsor.as_deref() {
            Some("reg-a") => "reg-b",
            _ => "reg-a",
        };
        match self.random.below(8) {
            0 => {
                let from = sponsor.unwrap_or_else(|| "reg-a".to_owned());
                format!("op domain move {name} from={from} by={other} case=7")
            }
            1 if !waits => format!("op domain transfer {name} op=request by={other}"),
            2..8 if !waits => format!("{other} domain transfer {name} op=request {AUTH}"),
            _ => {
                let op = self.random.of(&["approve", "approve", "reject", "cancel"]);
                let who = match op {
                    "cancel" => other.to_owned(),
                    _ => self.sponsor(sponsor),
                };
                format!("{who} domain transfer {name} op={op}")
            }
        }
    }

    fn host_line(&mut self) -> String {
        let (new, known) = (self.new_host(), self.known_host());
        let above = new.split_once('.').map_or(&*new, |(_, above)| above);
        let above = self.state.domain(above).map(|held| held.registrar.clone());
        let sponsor = self.state.host(&known).map(|held| held.registrar.clone());
        let who = self.sponsor(sponsor);
        let address = self.random.below(6) + 1;
        match self.random.below(10) {
            0..5 => {
                let who = self.sponsor(above);
                let by = if who == "op" { " by=reg-b" } else { "" };
                let outside = new.ends_with(".example") && !self.random.one_in(10);
                let ip = match outside {
                    true => String::new(),
                    false => format!(" ip=192.0.2.{address}"),
                };
                format!("{who} host create {new}{by}{ip}")
            }
            5 => format!("{who} host update {known} to={new}"),
            6 => format!("{who} host update {known} ip=2001:db8::{address}"),
            7 => format!("{who} host update {known} -ip=192.0.2.{address}"),
            8 => format!("{who} host delete {known}"),
            _ => {
                let sign = self.random.of(&["", "-"]);
                let status = self.random.of(&OBJECT_STATUSES);
                format!("{who} host update {known} {sign}status={status}")
            }
        }
    }

    fn contact_line(&mut self) -> String {
        let handle = self.contact();
        let sponsor = self
            .state
            .contact(&handle)
            .map(|held| held.registrar.clone());
        let who = self.sponsor(sponsor);
        let by = if who == "op" { " by=reg-b" } else { "" };
        if self.state.contact(&handle).is_none() && !self.random.one_in(8) {
            return format!("{who} contact create {handle}{by} {AUTH}");
        }
        if self.random.one_in(3) {
            return self.contact_transfer_line(&handle, &who);
        }
        match self.random.below(8) {
            0..4 => format!("{who} contact delete {handle}"),
            4 => format!(
                "{who} contact update {handle} voice=+49.{}",
                self.random.below(99)
            ),
            5 => {
                let who = self
                    .random
                    .of(&[who.as_str(), "contact:c-0", "contact:c-1"])
                    .to_owned();
                let number = self.random.below(9);
                format!("{who} contact update {handle} email=m{number}@mail.example")
            }
            6 => {
                let sign = self.random.of(&["", "-"]);
                let status = self.random.of(&OBJECT_STATUSES);
                format!("{who} contact update {handle} {sign}status={status}")
            }
            _ => {
                let sign = self.random.of(&["", "", "-"]);
                format!("op contact keys {handle} {sign}key=own case=1")
            }
        }
    }

    /// A contact to another registrar, or the end of what is known of a person.
    fn contact_transfer_line(&mut self, handle: &str, who: &str) -> String {
        let other = if who == "reg-a" { "reg-b" } else { "reg-a" };
        match self.random.below(8) {
            0..4 => format!("{other} contact transfer {handle} op=request {AUTH}"),
            4 => format!("{who} contact transfer {handle} op=approve"),
            5 => format!("{who} contact transfer {handle} op=reject"),
            6 => format!("{other} contact transfer {handle} op=cancel"),
            _ => format!("op contact erase {handle} case=7"),
        }
    }

    /// A decision about a change, mostly about one that waits and by one who is asked; or
    /// a lock.
    fn decision(&mut self) -> String {
        let (state, name) = (self.state, self.domain());
        let approver = self.random.of(&["ada", "ada", "bob", "eve"]);
        let contact = self.contact();
        let who = self.random.registrar();
        let index = self.random.below(state.waiting.len() as u64 + 1);
        let Some((object, needs)) = state.waiting.get(usize::try_from(index).unwrap()) else {
            let sponsor = state.domain(&name).map(|held| held.registrar.clone());
            return match self.random.below(3) {
                0 => format!("{} domain unlock {name}", self.sponsor(sponsor)),
                1 => format!(
                    "op:cat domain lock {name} approvals=1 approver=ada approver=bob case=7"
                ),
                _ => self.domain_line(),
            };
        };
        let signer = needs.signers.first().map(ToString::to_string);
        let signer = signer.unwrap_or_else(|| contact.clone());
        let registrant = needs.registrant.as_ref().map(ToString::to_string);
        let registrant = registrant.unwrap_or(contact);
        match self.random.below(16) {
            0 => format!("op:{approver} change reject {object} reason=no"),
            1 => format!("contact:{registrant} change reject {object} reason=mine"),
            2 => format!("{who} change withdraw {object}"),
            3 => format!("{who} change sign {object} contact={signer} signature=made"),
            4 => format!("contact:{registrant} change approve {object}"),
            _ if needs.signature && self.random.one_in(2) => {
                format!("op change sign {object} contact={signer} signature=made")
            }
            _ if needs.registrant.is_some() && self.random.one_in(2) => {
                format!("contact:{registrant} change approve {object}")
            }
            _ => format!("op:{approver} change approve {object}"),
        }
    }

    fn rare_line(&mut self) -> String {
        let (from, to) = match self.random.below(2) {
            0 => ("reg-a", "reg-b"),
            _ => ("reg-b", "reg-a"),
        };
        let (old, new) = (self.known_host(), self.known_host());
        match self.random.below(16) {
            0..4 => {
                let control = self.random.of(&["auto", "auto", "verify", "signed"]);
                format!("op zone policy tld change-control={control}")
            }
            4 => format!(
                "op zone policy tld registrant-change={}",
                self.random.of(&["free", "veto"])
            ),
            5 => PARKED.to_owned(),
            6 => "op zone parking tld".to_owned(),
            7 => format!(
                "op zone orphans tld policy={}",
                self.random.of(&["refuse", "lame", "invalid", "restore"])
            ),
            8 => format!("bulk hosts {from} {old} {new}"),
            9 => format!("bulk renew {from}"),
            10 if self.random.one_in(4) => format!("bulk delete {from}"),
            10 | 11 => format!("bulk transfer {from} {to}"),
            12 => format!(
                "op registrar update {from} status={}",
                self.random.of(&["suspended", "active", "active", "active"])
            ),
            _ => format!("poll {from}"),
        }
    }
}
