//! Cells of the vectors: literals, `{EMPTY}`, `{AUTO}`, `{PREVIOUS}` and expressions.
//!
//! An empty cell repeats the one above it. What is random comes from a counter, so that a
//! run can be repeated.

use std::collections::BTreeMap;

use crate::peers::reference;

/// A file of vectors.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) rows: Vec<Row>,
}

/// A row, its cells by the names of their columns.
pub(crate) struct Row {
    table: String,
    number: usize,
    cells: BTreeMap<String, String>,
}

impl Table {
    /// Nothing where the reference data is not there.
    pub(crate) fn read(name: &str) -> Option<Self> {
        let file = reference(&format!("rst/{name}-data.csv"))?;
        let mut reader = csv::ReaderBuilder::new();
        let reader = reader.has_headers(false).flexible(true).from_path(file);
        let records: Vec<csv::StringRecord> =
            reader.unwrap().into_records().map(Result::unwrap).collect();
        let is_header = |record: &csv::StringRecord| record.iter().any(|cell| cell == "passOrFail");
        let header = records.iter().position(is_header).unwrap();
        // What the columns are, and of which type, stands below their names.
        let mut rows: Vec<Row> = Vec::new();
        for (number, record) in records[header + 3..].iter().enumerate() {
            let mut cells = BTreeMap::new();
            for (column, cell) in records[header].iter().zip(record) {
                let above = rows.last().map(|row| row.raw(column).to_owned());
                let cell = match cell {
                    "" => above.unwrap_or_default(),
                    cell => cell.to_owned(),
                };
                cells.insert(column.to_owned(), cell);
            }
            rows.push(Row {
                table: name.to_owned(),
                number: number + 1,
                cells,
            });
        }
        let name = name.to_owned();
        Some(Self { name, rows })
    }
}

impl Table {
    /// An id for what its rows are about: no longer than that of a contact.
    pub(crate) fn subject(&self) -> String {
        self.name.chars().take(16).collect()
    }
}

impl Row {
    /// A cell as it is written.
    pub(crate) fn raw(&self, column: &str) -> &str {
        self.cells.get(column).map_or("", String::as_str)
    }

    /// Whether the command is to pass.
    pub(crate) fn is_pass(&self) -> bool {
        self.raw("passOrFail") == "pass"
    }

    pub(crate) fn place(&self) -> String {
        format!("{} row {}", self.table, self.number)
    }
}

/// What cells come to, row by row.
pub(crate) struct Values {
    variables: BTreeMap<String, String>,
    previous: BTreeMap<String, String>,
    state: u64,
}

impl Values {
    /// `$TLD` and other names that expressions use.
    pub(crate) fn new(variables: &[(&str, &str)]) -> Self {
        let variables = variables.iter();
        Self {
            variables: variables
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            previous: BTreeMap::new(),
            state: 1,
        }
    }

    /// For one table of many in a registry: no other has the same random texts.
    pub(crate) fn of_table(mut self, table: &Table) -> Self {
        for octet in table.name.bytes() {
            self.state = self.state.wrapping_mul(31).wrapping_add(octet.into());
        }
        self
    }

    /// What a cell comes to; `auto` is what `{AUTO}` stands for.
    pub(crate) fn of(&mut self, row: &Row, column: &str, auto: &str) -> String {
        let cell = row.raw(column);
        let value = match cell
            .strip_prefix('{')
            .and_then(|cell| cell.strip_suffix('}'))
        {
            None => cell.to_owned(),
            Some("EMPTY") => String::new(),
            Some("AUTO") => auto.to_owned(),
            Some("PREVIOUS") => self.previous[column].clone(),
            Some(expression) => expression
                .split(" & ")
                .map(|term| self.term(term))
                .collect(),
        };
        self.previous.insert(column.to_owned(), value.clone());
        value
    }

    fn term(&mut self, term: &str) -> String {
        if let Some(text) = term
            .strip_prefix('"')
            .and_then(|text| text.strip_suffix('"'))
        {
            return text.to_owned();
        }
        if let Some(name) = term.strip_prefix('$') {
            let column = self.previous.get(name);
            return column.unwrap_or_else(|| &self.variables[name]).clone();
        }
        let (function, rest) = term.split_once('(').unwrap();
        let count: usize = rest.strip_suffix(')').unwrap().parse().unwrap();
        match function {
            "RANDCHARS" | "RANDASCII" => self.random(
                b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
                count,
            ),
            // Octets: as many as the digest of the row that is to pass has.
            "RANDHEX" => self.random(b"0123456789abcdef", 2 * count),
            other => panic!("no function {other}"),
        }
    }

    fn random(&mut self, alphabet: &[u8], count: usize) -> String {
        let mut text = String::new();
        for _ in 0..count {
            // Knuth's multiplier; the high bits are the good ones.
            self.state = self
                .state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let index = (self.state >> 33) % alphabet.len() as u64;
            text.push(char::from(alphabet[usize::try_from(index).unwrap()]));
        }
        text
    }
}
