//! What is said of a search beside its results: pages and orders (RFC 8977), sets of fields
//! (RFC 8982).

use serde_json::{Value, json};

use super::object::Object;
use super::path::{Class, FieldSet, View, cursor_text, sorts_of};
use super::{MEDIA_TYPE, Responder};
use crate::lookup::search::Property;

/// One page of a search, as metadata tells of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown<'a> {
    pub(super) class: Class,
    pub(super) view: &'a View,
    /// Address that was asked.
    pub(super) asked: &'a str,
    /// Where the next page begins.
    pub(super) next: Option<&'a str>,
    /// How much was found in all, where that was asked for.
    pub(super) total: Option<usize>,
}

impl Class {
    /// Where results stand in an answer.
    pub(super) fn member(self) -> &'static str {
        match self {
            Self::Domain => "domainSearchResults",
            Self::Nameserver => "nameserverSearchResults",
            Self::Entity => "entitySearchResults",
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Domain => "domains",
            Self::Nameserver => "nameservers",
            Self::Entity => "entities",
        }
    }
}

impl Responder {
    /// Adds all metadata of a search; the levels of conformance that come with it.
    pub(super) fn describe(&self, object: &mut Object, shown: Shown<'_>) -> Vec<&'static str> {
        let mut levels = vec!["subsetting", "sorting"];
        object.insert("subsetting_metadata".into(), self.subsetting(shown));
        object.insert("sorting_metadata".into(), self.sorting(shown));
        if let Some(metadata) = self.paging(shown) {
            levels.push("paging");
            object.insert("paging_metadata".into(), metadata);
        }
        levels
    }

    /// RFC 8977 section 2.1: size and number where there is more than one page, the total
    /// where it was asked for.
    fn paging(&self, shown: Shown<'_>) -> Option<Value> {
        let Shown { view, next, .. } = shown;
        let number = view.cursor.1;
        let mut metadata = Object::new();
        if let Some(total) = shown.total {
            metadata.insert("totalCount".into(), json!(total));
        }
        if next.is_some() || number > 1 {
            metadata.insert("pageSize".into(), json!(self.page_size));
            metadata.insert("pageNumber".into(), json!(number));
        }
        if let Some(place) = next {
            let cursor = cursor_text(place, number.saturating_add(1));
            let query = format!("{}&cursor={cursor}", view.query);
            metadata.insert("links".into(), json!([self.link(shown, "next", &query)]));
        }
        Some(Value::Object(metadata))
            .filter(|_| shown.total.is_some() || next.is_some() || number > 1)
    }

    /// RFC 8977 section 2.1 and 2.3.2. Without an order results come as they are stored,
    /// which is none of these.
    fn sorting(&self, shown: Shown<'_>) -> Value {
        let Shown { class, view, .. } = shown;
        let rest = without(&view.query, "sort=");
        let sorts = sorts_of(class).iter().map(|(word, property)| {
            let ways = ["", ":d"]
                .map(|way| self.link(shown, "alternate", &format!("{rest}&sort={word}{way}")));
            json!({
                "property": word,
                "jsonPath": json_path(class, *property),
                "default": false,
                "links": ways,
            })
        });
        let sorts: Vec<_> = sorts.collect();
        let mut metadata = json!({ "availableSorts": sorts });
        if !view.order.is_empty() {
            metadata["currentSort"] = json!(view.order_text(class));
        }
        metadata
    }

    /// RFC 8982 section 2.1.
    fn subsetting(&self, shown: Shown<'_>) -> Value {
        let rest = without(&shown.view.query, "fieldSet=");
        let sets = FieldSet::ALL.iter().map(|(word, fields)| {
            let link = self.link(shown, "alternate", &format!("{rest}&fieldSet={word}"));
            json!({ "name": word, "default": *fields == FieldSet::Full, "links": [link] })
        });
        let sets: Vec<_> = sets.collect();
        json!({ "currentFieldSet": shown.view.fields.word(), "availableFieldSets": sets })
    }

    /// A link to the same search seen in another way.
    fn link(&self, shown: Shown<'_>, rel: &str, query: &str) -> Value {
        let path = format!("{}{}", self.base_path(), shown.class.path());
        let href = self.asked(&path, query);
        json!({ "value": shown.asked, "rel": rel, "href": href, "type": MEDIA_TYPE })
    }
}

fn without(query: &str, parameter: &str) -> String {
    let rest = query.split('&').filter(|pair| !pair.starts_with(parameter));
    rest.collect::<Vec<_>>().join("&")
}

/// Where the property stands in an answer (RFC 8977 section 2.3.1, RFC 9535).
fn json_path(class: Class, property: Property) -> String {
    let event = |action: &str| format!("events[?(@.eventAction==\"{action}\")].eventDate");
    let rest = match (property, class) {
        (Property::Name, Class::Entity) => "vcardArray[1][?(@[0]==\"fn\")][3]".to_owned(),
        (Property::Name, _) => {
            return format!("$.{}[*]['unicodeName','ldhName']", class.member());
        }
        (Property::Handle, _) => "handle".to_owned(),
        (Property::V4, _) => "ipAddresses.v4[0]".to_owned(),
        (Property::V6, _) => "ipAddresses.v6[0]".to_owned(),
        (Property::Created, _) => event("registration"),
        (Property::Updated, _) => event("last changed"),
        (Property::Transferred, _) => event("transfer"),
        (Property::Expires, _) => event("expiration"),
    };
    format!("$.{}[*].{rest}", class.member())
}
