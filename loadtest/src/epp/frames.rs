//! What sessions say, as XML of RFC 5730 to 5732.

/// The end of every name that is registered.
pub const SUFFIX: &str = ".example";
/// Name servers of what is created, outside the registry.
pub(super) const HOSTS: [&str; 2] = ["ns1.load.test", "ns2.load.test"];

/// Frames about names that no other frames of another prefix are about.
#[derive(Debug, Clone)]
pub struct Frames {
    prefix: String,
    /// Names that are there, for what looks at them.
    known: Vec<String>,
}

impl Frames {
    /// Names of what is created begin with this; `known` are there already.
    pub fn new(prefix: &str, known: Vec<String>) -> Self {
        Self {
            prefix: prefix.to_owned(),
            known,
        }
    }

    /// The name that a session creates as its so-manyth.
    pub fn name(&self, session: usize, number: u64) -> String {
        format!("{}{session}-{number}{SUFFIX}", self.prefix)
    }

    fn known(&self, session: usize, number: u64) -> &str {
        let place = (session as u64 * 7919 + number) % self.known.len().max(1) as u64;
        let name = usize::try_from(place)
            .ok()
            .and_then(|place| self.known.get(place));
        name.map_or("none.example", String::as_str)
    }

    /// A check of five names, one of which is there.
    pub fn check(&self, session: usize, number: u64) -> String {
        let mut names = format!("<domain:name>{}</domain:name>", self.known(session, number));
        for other in 0..4 {
            let name = format!("free-{session}-{number}-{other}{SUFFIX}");
            names.push_str(&format!("<domain:name>{name}</domain:name>"));
        }
        domain("check", &names)
    }

    /// An info of a name that is there.
    pub fn info(&self, session: usize, number: u64) -> String {
        Self::info_of(self.known(session, number))
    }

    /// An info of this name.
    pub fn info_of(name: &str) -> String {
        domain("info", &format!("<domain:name>{name}</domain:name>"))
    }

    /// A create with two name servers.
    pub fn create(&self, session: usize, number: u64) -> String {
        Self::create_of(&self.name(session, number))
    }

    /// A create of this name.
    pub fn create_of(name: &str) -> String {
        let hosts = HOSTS.map(|host| format!("<domain:hostObj>{host}</domain:hostObj>"));
        let body = format!(
            "<domain:name>{name}</domain:name><domain:ns>{}</domain:ns>\
             <domain:authInfo><domain:pw/></domain:authInfo>",
            hosts.concat()
        );
        domain("create", &body)
    }

    /// An update that sets a status.
    pub fn set_status(name: &str, status: &str) -> String {
        let body = format!(
            "<domain:name>{name}</domain:name><domain:add><domain:status s=\"{status}\"/>\
             </domain:add>"
        );
        domain("update", &body)
    }

    /// A login that declares domains and hosts.
    pub fn login(account: &str, password: &str) -> String {
        let password = password.replace('&', "&amp;").replace('<', "&lt;");
        command(&format!(
            "<login><clID>{account}</clID><pw>{password}</pw><options><version>1.0</version>\
             <lang>en</lang></options><svcs><objURI>urn:ietf:params:xml:ns:domain-1.0</objURI>\
             <objURI>urn:ietf:params:xml:ns:host-1.0</objURI></svcs></login>"
        ))
    }
}

fn domain(verb: &str, body: &str) -> String {
    command(&format!(
        "<{verb}><domain:{verb} xmlns:domain=\"urn:ietf:params:xml:ns:domain-1.0\">{body}\
         </domain:{verb}></{verb}>"
    ))
}

fn command(body: &str) -> String {
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><epp xmlns=\
         \"urn:ietf:params:xml:ns:epp-1.0\"><command>{body}<clTRID>load</clTRID></command></epp>"
    )
}
