//! Names that go while code uses them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::Space;
use crate::statement::{Action, AlterEnum, Change, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "rename",
    level: Level::Error,
    finds: "a table, column or other thing in use that gets another name",
    why: "from the commit on the code that still runs fails on the old name, and the new code cannot start before it",
    instead: "Add the new one, keep both the same, move the code over, and drop the old one in a contract.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, nick text);"),
        ("2_nick.sql", "ALTER TABLE users RENAME COLUMN nick TO handle;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, nick text);"),
        ("2_nick.sql", "ALTER TABLE users ADD COLUMN handle text;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.is_contract() {
        return Vec::new();
    }
    match at.action() {
        Action::Rename { kind, name, to, if_exists } if is_used_by_name(*kind) => {
            let used = at.gone(space(*kind), name, *if_exists).filter(|_| !at.is_made_again(name));
            used.map(|_| thing(*kind, &name.to_string(), to, &name.name)).into_iter().collect()
        }
        Action::Move { kind, name, schema, if_exists } if is_used_by_name(*kind) => {
            let used = at.gone(space(*kind), name, *if_exists).filter(|_| !at.is_made_again(name));
            used.map(|_| thing(*kind, &name.to_string(), &format!("{}.{name}", Quoted(schema)), &name.name))
                .into_iter()
                .collect()
        }
        Action::AlterEnum(alter) => value(at, alter).into_iter().collect(),
        _ => columns(at),
    }
}

/// An index or a constraint has a name that only messages show.
fn is_used_by_name(kind: ObjectKind) -> bool {
    use ObjectKind as K;
    (kind.is_relation() && kind != K::Index) || matches!(kind, K::Schema | K::Type | K::Domain | K::Function | K::Procedure)
}

fn space(kind: ObjectKind) -> Space {
    match kind {
        ObjectKind::Schema => Space::Schema,
        ObjectKind::Type | ObjectKind::Domain => Space::Type,
        ObjectKind::Function | ObjectKind::Procedure => Space::Routine,
        _ => Space::Relation,
    }
}

fn value(at: &Situation<'_>, alter: &AlterEnum) -> Option<Hit> {
    let old = alter.renames.as_ref()?;
    at.used(Space::Type, &alter.name)?;
    let message = format!("the code that still runs writes and expects the value '{old}' of `{}`", alter.name);
    let instead = format!(
        "Add the new value, move the code and the rows over, and leave the old one, which costs nothing:\n    \
         ALTER TYPE {} ADD VALUE '{}';",
        alter.name,
        alter.value.replace('\'', "''")
    );
    Some(Hit::new(old, message, instead).at(old))
}

fn thing(kind: ObjectKind, name: &str, to: &str, word: &str) -> Hit {
    let message = format!("the code that still runs uses the {kind} `{name}`");
    let instead = match kind {
        ObjectKind::Table => format!(
            "Rename it and leave a view under the old name, in one migration; drop the view in a contract:\n    \
             ALTER TABLE {name} RENAME TO {to};\n    CREATE VIEW {name} AS SELECT * FROM {to};"
        ),
        _ => "Make the new one beside it, move the code over, and drop the old one in a contract.".to_owned(),
    };
    Hit::new(word, message, instead).at(word)
}

fn columns(at: &Situation<'_>) -> Vec<Hit> {
    let renamed = at.changes_in_use().filter_map(|(alter, table, change)| match change {
        // Of a table that has another name already, that is told.
        Change::RenameColumn { from, to } if !at.has_new_column(table, from) && !at.has_renamed(&alter.name) => {
            Some((alter, from, to))
        }
        _ => None,
    });
    renamed
        .map(|(alter, from, to)| {
            let message = format!("the code that still runs uses `{}.{}`", alter.name, Quoted(from));
            let instead = format!(
                "Add the new column and keep both the same with a trigger, fill it, move the code over, and drop the old \
                 one in a contract:\n    ALTER TABLE {} ADD COLUMN {} …;",
                alter.name,
                Quoted(to)
            );
            Hit::new(from, message, instead).at(from)
        })
        .collect()
}
