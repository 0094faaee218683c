//! Pages: what each template is given. The templates are in `pages`, compiled in.

use askama::Template;

use super::moment::Moment;
use super::view::{Dns, Object, Tone, Value};

/// The style sheet and the icon, which are served as they are.
pub(super) const STYLE: &str = include_str!("pages/style.css");
pub(super) const ICON: &str = include_str!("pages/icon.svg");
/// Pages of single objects are no business of search engines.
pub(super) const ROBOTS: &str = "User-agent: *\nAllow: /$\nAllow: /help$\nDisallow: /\n";

/// What stands around every page.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// What the operator calls it.
    pub(super) name: String,
    /// Where the terms of use are; empty is nowhere.
    pub(super) terms_url: String,
    /// Address of RDAP with its final slash, where there is one.
    pub(super) rdap_url: Option<String>,
    /// Name of the server of WHOIS; empty is none.
    pub(super) whois_server: String,
    /// Address of the style sheet: another one for other contents.
    pub(super) style: String,
}

/// A form of an object, of those that there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tab {
    pub(super) href: String,
    pub(super) text: &'static str,
    pub(super) is_current: bool,
}

/// What leads elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) href: String,
    pub(super) text: String,
}

macro_rules! template {
    ($(#[doc = $doc:literal])+ $name:ident<$life:lifetime> at $path:tt { $($field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])+
        #[derive(Template)]
        #[template(path = $path, config = "src/web/pages/askama.toml")]
        pub(super) struct $name<$life> {
            pub(super) site: &$life Site,
            /// What stands in the field.
            pub(super) asked: &$life str,
            $(pub(super) $field: $type,)*
        }
    };
}

template! {
    /// The field to search by.
    Home<'s> at "home.html" {}
}

template! {
    /// What can be asked and what is shown.
    Help<'s> at "help.html" {}
}

template! {
    /// An object in our words.
    ObjectPage<'s> at "object.html" {
        object: &'s Object,
        tabs: Vec<Tab>,
        dns: Option<Dns>,
        links: Vec<Link>,
        read_at: Moment,
    }
}

template! {
    /// An object as another service has it.
    FormPage<'s> at "form.html" {
        kind: &'static str,
        name: &'s str,
        service: &'static str,
        tabs: Vec<Tab>,
        lines: Vec<&'s str>,
        link: Link,
    }
}

template! {
    /// Whether a name could be registered.
    AvailabilityPage<'s> at "availability.html" {
        name: &'s str,
        unicode: Option<String>,
        verdict: Verdict,
        read_at: Moment,
    }
}

template! {
    /// What went wrong, and what to do next.
    Message<'s> at "message.html" {
        title: &'s str,
        paragraphs: Vec<String>,
        links: Vec<Link>,
    }
}

/// What is said of a name that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) tone: Tone,
    pub(super) text: &'static str,
    pub(super) reason: String,
    pub(super) link: Option<Link>,
}
