//! Pages for what is not there and for what went wrong: each says what to do next.

use super::super::page::{Link, Message, Verdict};
use super::super::path::{Fault, Subject};
use super::super::view::Tone;
use super::super::words;
use super::{FAILED_RETRY_SECONDS, Reply, Responder, home, page};
use crate::lookup::counters::Outcome;
use crate::lookup::{Availability, Found, LookupError, Query};

/// What is said of a name that somebody wants.
pub(super) fn verdict(found: &Availability) -> Verdict {
    let (tone, text) = match (found.available, &found.terms) {
        (true, _) => (Tone::Good, "Yes, it is free"),
        (false, Some(_)) => (Tone::Warn, "Free, on terms of its own"),
        (false, None) => (Tone::Plain, "No, it cannot be registered"),
    };
    let reason = match (&found.reason, &found.terms) {
        (None, _) => "Ask a registrar to register it for you.".to_owned(),
        (_, Some(terms)) => format!("It is a premium name: {terms}. A registrar tells the price."),
        (Some(reason), None) => format!("{}.", words::sentence(reason)),
    };
    // What is there has a page, and so has what only looks as if it was.
    let link = (!found.available).then(|| Link {
        href: format!("/domain/{}", found.name),
        text: format!("Look up {}", found.name),
    });
    Verdict {
        tone,
        text,
        reason,
        link,
    }
}

impl Responder {
    pub(super) fn message(
        &self,
        status: u16,
        asked: &str,
        title: &str,
        paragraphs: Vec<String>,
        links: Vec<Link>,
    ) -> Reply {
        let site = &self.site;
        let message = Message {
            site,
            asked,
            title,
            paragraphs,
            links,
        };
        page(status, &message)
    }

    pub(super) fn limited(&self, seconds: u64) -> Reply {
        let wait = words::count(seconds, "second");
        let paragraphs = vec![
            format!("Wait {wait}, then load this page again."),
            "Questions by these pages, by WHOIS and by RDAP are counted together for each \
             network, so that nobody keeps the others from asking."
                .to_owned(),
        ];
        let title = "Too many questions from your network";
        let mut reply = self.message(429, "", title, paragraphs, Vec::new());
        reply.retry_after = Some(seconds);
        reply.outcome = Some(("none", Outcome::Limited));
        reply
    }

    pub(super) fn failed(&self) -> Reply {
        let paragraphs = vec![
            "The registry cannot answer at the moment. Load this page again in a few seconds."
                .to_owned(),
            "DNS is not touched by this: names are answered all the same.".to_owned(),
        ];
        let mut reply = self.message(503, "", "No answer for now", paragraphs, Vec::new());
        reply.retry_after = Some(FAILED_RETRY_SECONDS);
        reply
    }

    pub(super) fn fault(&self, fault: &Fault) -> Reply {
        let title = match fault.status {
            404 => "There is no such page",
            _ => "This is not a name that can be looked up",
        };
        let examples = match fault.status {
            404 => String::new(),
            _ => "Write a domain such as example.tld, a name server such as ns1.example.tld, an \
                  address such as 192.0.2.1, or the name of a registrar."
                .to_owned(),
        };
        let mut paragraphs = vec![format!("{}.", fault.reason), examples];
        paragraphs.retain(|paragraph| !paragraph.is_empty());
        let mut reply = self.message(fault.status, &fault.asked, title, paragraphs, home());
        reply.outcome = Some(("none", Outcome::Malformed));
        reply
    }

    /// What a person reads who asks for what is not there.
    pub(super) async fn not_found(&self, subject: &Subject) -> Result<Reply, LookupError> {
        let asked = subject.text();
        let (title, paragraphs, links) = match subject {
            Subject::Domain(name) => {
                let query = Query::Availability(name.clone());
                let answer = self.lookups.ask(&query).await?;
                let Found::Availability(found) = &answer.found else {
                    return Err(LookupError::Store);
                };
                let verdict = verdict(found);
                let paragraph = match verdict.tone {
                    Tone::Plain => format!("It cannot be registered here. {}", verdict.reason),
                    _ => format!("It is free. {}", verdict.reason),
                };
                let elsewhere = "Other endings have registries of their own: IANA's list of \
                                 top-level domains leads to them.";
                let title = format!("{asked} is not in this registry");
                (title, vec![paragraph, elsewhere.to_owned()], Vec::new())
            }
            Subject::Nameserver(_) => {
                let paragraph = "The registry has name servers that registrars entered, under \
                                 the names that its domains use. Many of the world's are not \
                                 among them.";
                let links = vec![Link {
                    href: format!("/domain/{asked}"),
                    text: format!("Look up the domain {asked}"),
                }];
                let title = format!("No name server is called {asked}");
                (title, vec![paragraph.to_owned()], links)
            }
            Subject::Registrar(_) => {
                let paragraph = "Write its whole name or its number at IANA. If you meant a \
                                 domain, write it with its ending, such as example.tld.";
                let title = format!("No registrar is called “{asked}”");
                (title, vec![paragraph.to_owned()], Vec::new())
            }
        };
        let mut reply = self.message(404, asked, &title, paragraphs, links);
        reply = reply.looked_up();
        Ok(reply)
    }

    pub(super) fn no_server_at(&self, address: &str) -> Reply {
        let paragraph = "Only the addresses of name servers that registrars entered here are \
                         known: those within the zones of this registry.";
        let title = format!("No name server has the address {address}");
        let reply = self.message(404, address, &title, vec![paragraph.to_owned()], Vec::new());
        reply.looked_up()
    }
}
