//! epp-07 and epp-09: contacts made and changed.

use super::super::desk::{Reply, Talks, command};
use super::cells::{Row, Table, Values};
use super::{Outcomes, show};

/// What `{AUTO}` stands for, by columns.
const AUTO: [(&str, &str); 13] = [
    ("postalInfoType", "int"),
    ("name", "A. Person"),
    ("org", "Company"),
    ("street1", "1 Way"),
    ("street2", "2 Way"),
    ("street3", "3 Way"),
    ("city", "Town"),
    ("sp", "Land"),
    ("pc", "12345"),
    ("cc", "NL"),
    ("voice", "+31.201234567"),
    ("fax", "+31.207654321"),
    ("email", "person@example.com"),
];

/// What a cell comes to.
fn text(row: &Row, values: &mut Values, column: &str) -> String {
    let auto = AUTO.iter().find(|(named, _)| *named == column);
    values.of(row, column, auto.map_or("12", |(_, auto)| auto))
}

/// Elements of a command, and what `info` shows of them: elements and texts.
#[derive(Default)]
struct Said {
    body: String,
    shown: Vec<(&'static str, String)>,
}

impl Said {
    fn leaf(&mut self, element: &'static str, attribute: &str, text: String) {
        let (name, body) = (format!("contact:{element}"), &mut self.body);
        body.push_str(&format!("<{name}{attribute}>{text}</{name}>"));
        self.shown.push((element, text));
    }
}

fn postal(row: &Row, values: &mut Values) -> Said {
    let mut said = Said::default();
    let kind = text(row, values, "postalInfoType");
    said.shown.push(("postalInfo@type", kind.clone()));
    said.body = format!("<contact:postalInfo type=\"{kind}\">");
    for element in ["name", "org"] {
        said.leaf(element, "", text(row, values, element));
    }
    said.body.push_str("<contact:addr>");
    for column in ["street1", "street2", "street3"] {
        let street = text(row, values, column);
        if !street.is_empty() {
            said.leaf("street", "", street);
        }
    }
    for element in ["city", "sp", "pc", "cc"] {
        said.leaf(element, "", text(row, values, element));
    }
    said.body.push_str("</contact:addr></contact:postalInfo>");
    said
}

fn others(row: &Row, values: &mut Values) -> Said {
    let mut said = Said::default();
    for (element, column, shown) in [("voice", "voiceExt", "voice@x"), ("fax", "faxExt", "fax@x")] {
        let number = text(row, values, element);
        let extension = text(row, values, column);
        said.leaf(element, &format!(" x=\"{extension}\""), number);
        said.shown.push((shown, extension));
    }
    said.leaf("email", "", text(row, values, "email"));
    said
}

/// Holds what a contact shows against what was said of it.
fn look(row: &Row, shown: &Reply, said: &[Said], outcomes: &mut Outcomes) {
    for said in said {
        let expected = said.shown.iter();
        let expected: Vec<_> = expected
            .map(|(name, text)| (*name, text.as_str()))
            .collect();
        outcomes.stored(row, shown, &expected);
    }
}

fn id(contact: &str) -> String {
    format!("<contact:id>{contact}</contact:id>")
}

pub(super) fn create(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let mut values = Values::new(&[]).of_table(table);
    for (number, row) in table.rows.iter().enumerate() {
        let contact = values.of(row, "id", &format!("id-{number}"));
        let said = [postal(row, &mut values), others(row, &mut values)];
        let body = format!(
            "{}{}{}<contact:authInfo><contact:pw/></contact:authInfo>",
            id(&contact),
            said[0].body,
            said[1].body
        );
        let reply = registry.say("reg-a", &command("create", "contact", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show(registry, "contact", &id(&contact));
            outcomes.stored(row, &shown, &[("id", &contact)]);
            look(row, &shown, &said, outcomes);
        }
    }
}

fn change(
    registry: &mut dyn Talks,
    table: &Table,
    outcomes: &mut Outcomes,
    change: fn(&Row, &mut Values) -> Said,
) {
    let mut values = Values::new(&[]).of_table(table);
    let contact = table.subject();
    registry.contact("reg-a", &contact);
    for row in &table.rows {
        let said = change(row, &mut values);
        let body = format!("{}<contact:chg>{}</contact:chg>", id(&contact), said.body);
        let reply = registry.say("reg-a", &command("update", "contact", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show(registry, "contact", &id(&contact));
            look(row, &shown, &[said], outcomes);
        }
    }
}

pub(super) fn change_others(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    change(registry, table, outcomes, others);
}

pub(super) fn change_postal(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    change(registry, table, outcomes, postal);
}

pub(super) fn change_statuses(registry: &mut dyn Talks, table: &Table, outcomes: &mut Outcomes) {
    let mut values = Values::new(&[]).of_table(table);
    let contact = table.subject();
    registry.contact("reg-a", &contact);
    for row in &table.rows {
        let (action, status) = (row.raw("action"), values.of(row, "status", ""));
        let change =
            format!("<contact:{action}><contact:status s=\"{status}\"/></contact:{action}>");
        let body = id(&contact) + &change;
        let reply = registry.say("reg-a", &command("update", "contact", &body, ""));
        if outcomes.note(row, &reply) {
            let shown = show(registry, "contact", &id(&contact));
            outcomes.status(row, &shown, &status);
        }
    }
}
