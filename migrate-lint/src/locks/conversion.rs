//! Whether another type for a column rewrites its table.
//!
//! PostgreSQL leaves the rows alone where the bytes of the old value are the new value; it does not look at the
//! rows, only at the types. Measured on real servers.

use crate::schema::{Domain, Object, Schema, Space};
use crate::statement::{Expression, Type};

/// What a change of type does to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// It leaves them alone.
    InPlace,
    /// It writes them anew.
    Rewrites,
    /// The types tell nothing.
    Unknown,
}

/// What it does to make a column of one type one of another, in a schema where a domain may be either.
pub fn conversion_in(
    schema: &Schema,
    old: &Type,
    new: &Type,
    using: Option<&Expression>,
    column: &str,
) -> Conversion {
    // A value of a domain is one of its base type; the other way round it has to be checked.
    let old = domain(schema, old).map_or(old, |domain| &domain.base);
    let new = match domain(schema, new) {
        Some(domain) if domain.constrained => return Conversion::Rewrites,
        Some(domain) => &domain.base,
        None => new,
    };
    conversion(old, new, using, column, schema.time_zone())
}

fn domain<'s>(schema: &'s Schema, ty: &Type) -> Option<&'s Domain> {
    match schema.find(Space::Type, &ty.name).known().map(|entry| &entry.object) {
        Some(Object::Domain(domain)) if !ty.array => Some(domain),
        _ => None,
    }
}

/// What it does to make a column of one type one of another.
fn conversion(
    old: &Type,
    new: &Type,
    using: Option<&Expression>,
    column: &str,
    time_zone: Option<&str>,
) -> Conversion {
    let mut steps = Vec::new();
    if let Some(using) = using {
        if !is_mere_cast(using, column) {
            return Conversion::Rewrites;
        }
        steps.extend(&using.casts);
    }
    let mut from = old;
    let mut all = Vec::new();
    for to in steps.into_iter().chain([new]) {
        all.push(cast(from, to, time_zone));
        from = to;
    }
    let worst = |wanted| all.contains(&wanted).then_some(wanted);
    worst(Conversion::Rewrites).or(worst(Conversion::Unknown)).unwrap_or(Conversion::InPlace)
}

/// One step of it.
fn cast(old: &Type, new: &Type, time_zone: Option<&str>) -> Conversion {
    if old == new {
        return Conversion::InPlace;
    }
    if old.array || new.array {
        return if old.array && new.array { Conversion::Unknown } else { Conversion::Rewrites };
    }
    let (from, to) = (&*old.name.name, &*new.name.name);
    let is_ours = |name: &str| BUILT_IN.contains(&name);
    let known =
        old.name.schema.is_none() && new.name.schema.is_none() && is_ours(from) && is_ours(to);
    match (from, to) {
        _ if !known => Conversion::Unknown,
        ("serial", "int4") | ("bigserial", "int8") | ("smallserial", "int2") => Conversion::InPlace,
        ("varchar" | "text" | "xml", "text") => Conversion::InPlace,
        ("text" | "xml", "varchar") | ("text" | "varchar", "bpchar") | ("bit", "varbit")
            if new.modifiers.is_empty() =>
        {
            Conversion::InPlace
        }
        ("bpchar", "bpchar") if new.modifiers.is_empty() => Conversion::InPlace,
        ("int4" | "serial", "oid") | ("oid", "int4") | ("cidr", "inet") => Conversion::InPlace,
        ("varchar", "varchar") | ("varbit", "varbit") => wider(old, new),
        ("numeric", "numeric") => numeric(old, new),
        ("timestamp" | "timestamptz" | "time" | "timetz" | "interval", _) if from == to => {
            precision(old, new)
        }
        // The other type takes what it is given; digits of a second are cut in a step of its own.
        ("timestamp", "timestamptz") | ("timestamptz", "timestamp") => match time_zone {
            Some(zone) if is_utc(zone) && new.modifiers.is_empty() => Conversion::InPlace,
            _ => Conversion::Rewrites,
        },
        _ => Conversion::Rewrites,
    }
}

/// A column by itself, or cast.
fn is_mere_cast(using: &Expression, column: &str) -> bool {
    using.calls.is_empty()
        && matches!(&*using.columns, [only] if &**only == column)
        && !using.text.contains(['+', '-', '*', '/', '|', '<', '>', '=', '\''])
        && !using.text.to_ascii_lowercase().contains("case")
}

fn wider(old: &Type, new: &Type) -> Conversion {
    match (&*old.modifiers, &*new.modifiers) {
        (_, []) => Conversion::InPlace,
        ([from, ..], [to, ..]) if to >= from => Conversion::InPlace,
        _ => Conversion::Rewrites,
    }
}

fn numeric(old: &Type, new: &Type) -> Conversion {
    let scale = |modifiers: &[i64]| modifiers.get(1).copied().unwrap_or(0);
    match (&*old.modifiers, &*new.modifiers) {
        (_, []) => Conversion::InPlace,
        (from @ [old, ..], to @ [new, ..]) if new >= old && scale(from) == scale(to) => {
            Conversion::InPlace
        }
        _ => Conversion::Rewrites,
    }
}

/// Digits of a second: six unless it says otherwise.
fn precision(old: &Type, new: &Type) -> Conversion {
    let digits = |ty: &Type| ty.modifiers.first().copied().unwrap_or(6);
    if digits(new) >= digits(old) { Conversion::InPlace } else { Conversion::Rewrites }
}

/// A zone that never was anything but UTC.
fn is_utc(zone: &str) -> bool {
    let zone = zone.to_ascii_lowercase();
    let name = zone.strip_prefix("etc/").unwrap_or(&zone);
    ["0", "utc", "uct", "gmt", "gmt0", "gmt+0", "gmt-0", "greenwich", "universal", "zulu"]
        .contains(&name)
}

/// Types whose bytes are known.
const BUILT_IN: [&str; 34] = [
    "bit",
    "bool",
    "bpchar",
    "bytea",
    "char",
    "cidr",
    "date",
    "float4",
    "float8",
    "inet",
    "int2",
    "int4",
    "int8",
    "interval",
    "json",
    "jsonb",
    "macaddr",
    "money",
    "name",
    "numeric",
    "oid",
    "text",
    "time",
    "timestamp",
    "timestamptz",
    "timetz",
    "uuid",
    "varbit",
    "varchar",
    "xml",
    "serial",
    "bigserial",
    "smallserial",
    "tsvector",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse;
    use crate::statement::{Action, Change};

    /// `old -> new [USING …]`, by the adapter as a migration would have it.
    fn of(old: &str, new: &str, zone: Option<&str>) -> Conversion {
        let change = |ty: &str| {
            let text = format!("ALTER TABLE t ALTER COLUMN c TYPE {ty}");
            let Action::AlterTable(alter) = parse::statement(&text).unwrap().action else {
                panic!("{text}")
            };
            let Some(Change::AlterType { ty, using, .. }) = alter.changes.into_iter().next() else {
                panic!("{text}")
            };
            (ty, using)
        };
        let (old, (new, using)) = (change(old).0, change(new));
        conversion(&old, &new, using.as_ref(), "c", zone)
    }

    /// As measured by the file that a table is kept in, before and after.
    #[test]
    fn rows_stay_where_their_bytes_do() {
        for (old, new) in [
            ("varchar(10)", "varchar(20)"),
            ("varchar(10)", "varchar"),
            ("character varying(10)", "text"),
            ("text", "varchar"),
            ("text", "text USING c::text"),
            ("numeric(10,2)", "decimal(12,2)"),
            ("numeric(10,2)", "numeric"),
            ("timestamp(3)", "timestamp"),
            ("timestamptz", "timestamp with time zone"),
            ("int", "integer"),
            ("serial", "int"),
            ("cidr", "inet"),
        ] {
            assert_eq!(of(old, new, None), Conversion::InPlace, "{old} -> {new}");
        }
        assert_eq!(of("timestamp", "timestamptz", Some("UTC")), Conversion::InPlace);
    }

    #[test]
    fn rows_are_written_where_their_bytes_change() {
        for (old, new) in [
            ("int", "bigint"),
            ("serial", "bigint"),
            ("text", "varchar(10)"),
            ("varchar(20)", "varchar(10)"),
            ("numeric(10,2)", "numeric(10,4)"),
            ("char(5)", "text"),
            ("timestamp", "timestamp(0)"),
            ("timestamp", "timestamptz"),
            ("text", "text USING lower(c)"),
            ("text", "text USING c || 'x'"),
            ("text", "int USING c::int"),
            ("int", "int[] USING array[c]"),
        ] {
            assert_eq!(of(old, new, None), Conversion::Rewrites, "{old} -> {new}");
        }
        assert_eq!(of("timestamp", "timestamptz", Some("Europe/Berlin")), Conversion::Rewrites);
    }

    #[test]
    fn types_of_the_project_tell_nothing() {
        assert_eq!(of("mood", "text", None), Conversion::Unknown);
        assert_eq!(of("text", "s.mood", None), Conversion::Unknown);
    }
}
