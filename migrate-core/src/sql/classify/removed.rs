//! What the statements of a text take away by name: for whoever looks who still needs it. Owns the grammar of those
//! statements alone. Must not know how a catalog is read.
//!
//! An honest search by words, and no parser: what a text does not say plainly (`DO`, `CALL`) is said to be hidden.

use super::{QualifiedName, Reader, TokenKind};
use crate::sql::statements;

/// Something that has its name no longer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Removed {
    /// What it was.
    pub kind: Removal,
    /// Its name; of a column, its table's.
    pub name: QualifiedName,
    /// The column, the trigger or the policy of that table.
    pub part: Option<String>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of something that had a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fate {
    /// It is no more.
    Gone,
    /// It is still there, under another name.
    Renamed,
    /// Another one has its name.
    Replaced,
}

/// What had a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Removal {
    /// A table, a view, a sequence.
    Relation,
    /// A column.
    Column,
    /// A function or a procedure.
    Function,
    /// A trigger.
    Trigger,
    /// A policy.
    Policy,
}

/// What the statements of a text remove, and those that hide what they do (`DO`).
#[must_use]
pub fn removals(text: &str) -> (Vec<Removed>, Vec<&'static str>) {
    let (mut removed, mut hidden) = (Vec::new(), Vec::new());
    for statement in statements(text).unwrap_or_default() {
        let mut reader = Reader::new(statement.text(text));
        match reader.one_of(&["DROP", "ALTER", "CREATE", "DO", "CALL", "EXECUTE"]) {
            Some("DROP") => removed.extend(dropped(reader)),
            Some("ALTER") => removed.extend(altered(reader)),
            Some("CREATE") => removed.extend(replaced(reader)),
            Some(word) => hidden.push(word),
            None => {}
        }
    }
    (removed, hidden)
}

fn one(kind: Removal, name: QualifiedName) -> Removed {
    Removed { kind, name, part: None, fate: Fate::Gone }
}

fn relation_kind(reader: &mut Reader<'_>) -> bool {
    const KINDS: [&str; 5] = ["TABLE", "FOREIGN TABLE", "MATERIALIZED VIEW", "VIEW", "SEQUENCE"];
    KINDS.iter().any(|kind| reader.eat(kind))
}

fn dropped(mut reader: Reader<'_>) -> Vec<Removed> {
    if relation_kind(&mut reader) {
        return names(&mut reader, Removal::Relation);
    }
    match reader.one_of(&["FUNCTION", "PROCEDURE", "ROUTINE", "TRIGGER", "POLICY"]) {
        Some("TRIGGER") => part_of_table(reader, Removal::Trigger),
        Some("POLICY") => part_of_table(reader, Removal::Policy),
        Some(_) => names(&mut reader, Removal::Function),
        None => Vec::new(),
    }
}

/// `IF EXISTS a, b.c(int) CASCADE`
fn names(reader: &mut Reader<'_>, kind: Removal) -> Vec<Removed> {
    reader.eat("IF EXISTS");
    let mut found = Vec::new();
    while let Some(name) = reader.name() {
        found.push(one(kind, name));
        reader.parentheses();
        if !reader.symbol(",") {
            break;
        }
    }
    found
}

/// `IF EXISTS name ON table`
fn part_of_table(mut reader: Reader<'_>, kind: Removal) -> Vec<Removed> {
    reader.eat("IF EXISTS");
    let Some(part) = reader.identifier() else { return Vec::new() };
    if !reader.eat("ON") {
        return Vec::new();
    }
    let table = reader.name();
    table.map(|name| Removed { part: Some(part), ..one(kind, name) }).into_iter().collect()
}

/// Whatever is made anew under a name is no longer what it was.
fn replaced(mut reader: Reader<'_>) -> Vec<Removed> {
    if !reader.eat("OR REPLACE") {
        return Vec::new();
    }
    reader.one_of(&["TEMPORARY", "TEMP", "RECURSIVE"]);
    let kind = match reader.one_of(&["FUNCTION", "PROCEDURE", "VIEW"]) {
        Some("VIEW") => Removal::Relation,
        Some(_) => Removal::Function,
        None => return Vec::new(),
    };
    let name = reader.name();
    name.map(|name| Removed { fate: Fate::Replaced, ..one(kind, name) }).into_iter().collect()
}

fn altered(mut reader: Reader<'_>) -> Vec<Removed> {
    if !relation_kind(&mut reader) {
        return Vec::new();
    }
    reader.eat("IF EXISTS");
    reader.eat("ONLY");
    let Some(relation) = reader.name() else { return Vec::new() };
    reader.symbol("*");
    let mut found = Vec::new();
    loop {
        found.extend(action(&mut reader.clone(), &relation));
        if !next_action(&mut reader) {
            return found;
        }
    }
}

fn action(reader: &mut Reader<'_>, relation: &QualifiedName) -> Option<Removed> {
    let column =
        |part, fate| Removed { part: Some(part), fate, ..one(Removal::Column, relation.clone()) };
    let moved = || Removed { fate: Fate::Renamed, ..one(Removal::Relation, relation.clone()) };
    match reader.one_of(&["DROP", "RENAME", "SET"])? {
        "SET" => reader.eat("SCHEMA").then(moved),
        "RENAME" if reader.eat("TO") => Some(moved()),
        _ if reader.eat("CONSTRAINT") => None,
        verb => {
            reader.eat("COLUMN");
            reader.eat("IF EXISTS");
            let fate = if verb == "RENAME" { Fate::Renamed } else { Fate::Gone };
            Some(column(reader.identifier()?, fate))
        }
    }
}

/// Goes behind the next comma that is in no parentheses.
fn next_action(reader: &mut Reader<'_>) -> bool {
    loop {
        if reader.parentheses().is_some() {
            continue;
        }
        match reader.next() {
            Some(token) if token.kind == TokenKind::Semicolon => return false,
            Some(token) if token.text(reader.text) == "," => return true,
            Some(_) => {}
            None => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> Vec<String> {
        let (removed, hidden) = removals(text);
        let line = |r: &Removed| {
            let schema = r.name.schema.as_deref().map(|s| format!("{s}.")).unwrap_or_default();
            let part = r.part.as_deref().map(|part| format!(".{part}")).unwrap_or_default();
            let fate = if r.fate == Fate::Gone { String::new() } else { format!(" {:?}", r.fate) };
            format!("{:?} {schema}{}{part}{fate}", r.kind, r.name.name)
        };
        removed.iter().map(line).chain(hidden.iter().map(|word| format!("? {word}"))).collect()
    }

    #[test]
    fn what_a_contract_takes_away_is_found() {
        let table: [(&str, &[&str]); 12] = [
            ("ALTER TABLE users DROP COLUMN name", &["Column users.name"]),
            ("alter table if exists only s.\"U s\" drop if exists \"a\"", &["Column s.U s.a"]),
            (
                "ALTER TABLE t ADD c numeric(1, 2), DROP a, DROP CONSTRAINT k, DROP COLUMN b CASCADE;",
                &["Column t.a", "Column t.b"],
            ),
            ("ALTER TABLE t ALTER a DROP NOT NULL, ALTER COLUMN b DROP DEFAULT", &[]),
            ("ALTER TABLE t RENAME a TO b", &["Column t.a Renamed"]),
            ("ALTER TABLE t RENAME CONSTRAINT a TO b", &[]),
            (
                "ALTER TABLE t RENAME TO u; ALTER VIEW v SET SCHEMA w",
                &["Relation t Renamed", "Relation v Renamed"],
            ),
            ("DROP TABLE IF EXISTS a, s.b CASCADE", &["Relation a", "Relation s.b"]),
            (
                "DROP TRIGGER x ON t; DROP FUNCTION f(int, text), g; DROP POLICY p ON s.t",
                &["Trigger t.x", "Function f", "Function g", "Policy s.t.p"],
            ),
            (
                "CREATE OR REPLACE FUNCTION s.f() RETURNS int LANGUAGE sql AS 'DROP TABLE x'",
                &["Function s.f Replaced"],
            ),
            ("DROP INDEX i; DELETE FROM t; -- DROP TABLE t\nSELECT 'DROP TABLE t'", &[]),
            ("DO $$ BEGIN DROP TABLE t; END $$; CALL p()", &["? DO", "? CALL"]),
        ];
        for (text, expected) in table {
            assert_eq!(told(text), expected, "{text}");
        }
    }
}
