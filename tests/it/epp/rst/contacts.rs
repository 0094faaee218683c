//! epp-07 and epp-09: contacts made and changed.

use super::super::desk::{Desk, command};
use super::Outcomes;
use super::cells::{Row, Table, Values};

fn postal(row: &Row, values: &mut Values) -> String {
    let mut text = |column: &str, auto: &str| values.of(row, column, auto);
    let kind = text("postalInfoType", "int");
    let mut body = format!("<contact:postalInfo type=\"{kind}\">");
    body.push_str(&format!(
        "<contact:name>{}</contact:name><contact:org>{}</contact:org><contact:addr>",
        text("name", "A. Person"),
        text("org", "Company"),
    ));
    for column in ["street1", "street2", "street3"] {
        let street = text(column, "1 Way");
        if !street.is_empty() {
            body.push_str(&format!("<contact:street>{street}</contact:street>"));
        }
    }
    for (column, auto) in [
        ("city", "Town"),
        ("sp", "Land"),
        ("pc", "12345"),
        ("cc", "NL"),
    ] {
        let value = text(column, auto);
        body.push_str(&format!("<contact:{column}>{value}</contact:{column}>"));
    }
    body + "</contact:addr></contact:postalInfo>"
}

fn others(row: &Row, values: &mut Values) -> String {
    let mut body = String::new();
    for (number, extension) in [("voice", "voiceExt"), ("fax", "faxExt")] {
        let value = values.of(row, number, "+31.201234567");
        let extension = values.of(row, extension, "12");
        body.push_str(&format!(
            "<contact:{number} x=\"{extension}\">{value}</contact:{number}>"
        ));
    }
    let email = values.of(row, "email", "person@example.com");
    body + &format!("<contact:email>{email}</contact:email>")
}

pub(super) fn create(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    let mut values = Values::new(&[]);
    for row in &table.rows {
        let id = values.of(
            row,
            "id",
            &row.place()
                .replace([' ', '-'], "")
                .replace("epp07row", "id-"),
        );
        let body = format!(
            "<contact:id>{id}</contact:id>{}{}<contact:authInfo><contact:pw/></contact:authInfo>",
            postal(row, &mut values),
            others(row, &mut values)
        );
        let reply = desk.say("reg-a", &command("create", "contact", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

fn change(
    desk: &mut Desk,
    table: &Table,
    outcomes: &mut Outcomes,
    change: fn(&Row, &mut Values) -> String,
) {
    let mut values = Values::new(&[]);
    desk.contact("reg-a", "epp-09");
    for row in &table.rows {
        let change = change(row, &mut values);
        let body = format!("<contact:id>epp-09</contact:id>{change}");
        let reply = desk.say("reg-a", &command("update", "contact", &body, ""));
        outcomes.note(row, reply.code, &reply.xml);
    }
}

pub(super) fn change_others(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    change(desk, table, outcomes, |row, values| {
        format!("<contact:chg>{}</contact:chg>", others(row, values))
    });
}

pub(super) fn change_postal(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    change(desk, table, outcomes, |row, values| {
        format!("<contact:chg>{}</contact:chg>", postal(row, values))
    });
}

pub(super) fn change_statuses(desk: &mut Desk, table: &Table, outcomes: &mut Outcomes) {
    change(desk, table, outcomes, |row, values| {
        let (action, status) = (row.raw("action"), values.of(row, "status", ""));
        format!("<contact:{action}><contact:status s=\"{status}\"/></contact:{action}>")
    });
}
