//! The replay, by the words of SQL.

use super::{Birth, Clash, Found, Schema, Space};
use crate::name::Name;
use crate::parse;

fn clashes(schema: &mut Schema, text: &str) -> Vec<Clash> {
    let statements = migrate_core::sql::statements(text).unwrap();
    let texts = statements.iter().map(|statement| statement.text(text));
    texts
        .flat_map(|text| schema.apply(&parse::statement(text).unwrap(), Birth::default()))
        .collect()
}

fn replay(text: &str) -> Schema {
    let mut schema = Schema::default();
    assert_eq!(clashes(&mut schema, text), [], "{text}");
    schema
}

fn missing(text: &str) -> Vec<String> {
    let clashes = clashes(&mut Schema::default(), text);
    let missing = clashes.into_iter().filter_map(|clash| match clash {
        Clash::Missing { thing, .. } => Some(thing.to_string()),
        _ => None,
    });
    missing.collect()
}

fn columns(schema: &Schema, table: &str) -> Vec<String> {
    let table = schema
        .relation(&Name::bare(table))
        .known()
        .and_then(|entry| entry.object.as_table())
        .unwrap();
    table.columns.iter().map(|column| column.name.to_string()).collect()
}

fn constraints(schema: &Schema, table: &str) -> Vec<String> {
    let table = schema
        .relation(&Name::bare(table))
        .known()
        .and_then(|entry| entry.object.as_table())
        .unwrap();
    table.constraints.iter().map(|constraint| constraint.name.to_string()).collect()
}

fn is_missing(schema: &Schema, name: &str) -> bool {
    matches!(schema.relation(&Name::bare(name)), Found::Missing)
}

#[test]
fn a_table_has_its_columns_through_every_change() {
    let schema = replay(
        "create table a (id bigserial primary key, \"B\" text, c int);
        alter table a rename column c to d;
        alter table a add column e int, drop column \"B\";
        alter table a rename to z; alter table z alter id type int;",
    );
    assert_eq!(columns(&schema, "z"), ["id", "d", "e"]);
    assert!(is_missing(&schema, "a"));
}

#[test]
fn constraints_get_the_names_that_the_server_makes_up() {
    let schema = replay(
        "create table p (id int primary key, other int unique);
        create table t (a int references p, b int check (b > 0), c int, unique (a, b),
            check (a > b), foreign key (b, c) references q2 (x, y));
        "
        .replace("references q2 (x, y)", "references p (id, other)")
        .as_str(),
    );
    assert_eq!(constraints(&schema, "p"), ["p_pkey", "p_other_key"]);
    assert_eq!(
        constraints(&schema, "t"),
        ["t_a_fkey", "t_b_check", "t_a_b_key", "t_check", "t_b_c_fkey"]
    );
}

#[test]
fn what_goes_takes_its_own_along() {
    let schema = replay(
        "create table p (id bigserial primary key);
        create table t (p bigint references p, x int); create index on t (x);
        drop table p cascade; alter table t drop column x;",
    );
    for name in ["p", "p_id_seq", "p_pkey", "t_x_idx"] {
        assert!(is_missing(&schema, name), "{name}");
    }
    assert_eq!(constraints(&schema, "t"), [""; 0]);
}

#[test]
fn a_mistake_is_told_once() {
    assert_eq!(
        missing("alter table a add b int; alter table a add c int; select * from a"),
        ["table `a`"]
    );
    assert_eq!(
        missing("create table t (a int); create index on t (b); create index on t (b);"),
        ["column `b` of `t`"]
    );
}

#[test]
fn names_are_looked_for_along_the_search_path() {
    assert_eq!(
        missing(
            "create schema s; create table s.t (a int); set search_path to s; alter table t add b int;
            create table u (a int); reset search_path; alter table s.u add b int; alter table u add c int;"
        ),
        ["table `u`"]
    );
}

#[test]
fn indexes_that_come_with_a_part_are_not_missing() {
    let tables = "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day);
        CREATE TABLE logs_2024 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE INDEX logs_n ON logs (n);
        ALTER TABLE logs DETACH PARTITION logs_2024;
        ALTER TABLE logs ATTACH PARTITION logs_2024 FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');";
    assert_eq!(missing(&format!("{tables} DROP INDEX logs_2024_n_idx;")), [""; 0]);
    assert_eq!(missing(&format!("{tables} DROP INDEX logs_m_idx;")), ["index `logs_m_idx`"]);
}

#[test]
fn what_a_statement_hides_is_in_doubt() {
    for hiding in [
        "do $$ begin execute 'create table a (b int)'; end $$",
        "do $$ begin create table if not exists a (b int); end $$",
        "create extension postgis",
        "call make()",
        "select partman.create_parent('a')",
    ] {
        assert_eq!(missing(&format!("{hiding}; alter table a add c int;")), [""; 0], "{hiding}");
    }
    assert_eq!(
        missing("do $$ begin create table b (); end $$; alter table a add c int"),
        ["table `a`"]
    );
    assert_eq!(missing("create extension pgcrypto; alter table a add c int"), ["table `a`"]);
    let schema = replay("create table a (); do $$ begin drop table a; end $$; create table a ();");
    assert!(matches!(schema.find(Space::Relation, &Name::bare("a")), Found::Known(_)));
}

#[test]
fn what_other_tools_make_is_not_missed() {
    assert_eq!(
        missing(
            "alter table auth.users add c int; select * from pg_class, information_schema.tables"
        ),
        [""; 0]
    );
    let mut schema = Schema::default();
    schema.assume([Name::bare("legacy")]);
    assert_eq!(clashes(&mut schema, "alter table legacy add c int"), []);
}

#[test]
fn what_the_server_refuses_is_known() {
    let first = |text: &str| clashes(&mut Schema::default(), text).first().cloned();
    assert!(matches!(first("create table a (); create table a ()"), Some(Clash::Exists { .. })));
    assert!(matches!(
        first("create table a (b int); alter table a add b int"),
        Some(Clash::Exists { .. })
    ));
    assert!(matches!(
        first("create type a as enum (); create type a as enum ()"),
        Some(Clash::Exists { .. })
    ));
    assert!(matches!(
        first(
            "create table a (b int primary key); create table c (d int references a); drop table a"
        ),
        Some(Clash::Needed { .. })
    ));
    assert!(matches!(first("create view a as select 1; drop table a"), Some(Clash::Other { .. })));
    for fine in [
        "create table if not exists a (); create table if not exists a ()",
        "drop table if exists a",
        "create table a (b int); alter table a add column if not exists b int",
        "create or replace view a as select 1; create or replace view a as select 1",
        "create table a (b int primary key); create table c (d int references a); drop table a, c",
        "create table a (b int); alter table a drop b, add b text",
        "create temp table a (); create table a ()",
        "create function f() returns int language sql as 'select 1'; create function f(int) returns int language sql as 'select 1'; drop function f(int)",
    ] {
        replay(fine);
    }
}

#[test]
fn a_schema_can_go_back() {
    let mut schema = replay("create table a (b int); create type m as enum ('x');");
    let mark = schema.mark();
    let text = "alter table a rename to z; alter table z add c int; create table n (); drop type m; set search_path to q";
    assert_eq!(clashes(&mut schema, text), []);
    schema.take_back(mark);
    assert_eq!(columns(&schema, "a"), ["b"]);
    assert!(is_missing(&schema, "z") && is_missing(&schema, "n"));
    assert!(schema.find(Space::Type, &Name::bare("m")).known().is_some());
}

/// What cannot go, and who needs it.
fn needed(text: &str) -> Vec<String> {
    let clashes = clashes(&mut Schema::default(), text);
    let told = clashes.into_iter().map(|clash| match clash {
        Clash::Needed { thing, by } => format!("{thing}: {}", by.join(", ")),
        other => format!("{other:?}"),
    });
    told.collect()
}

#[test]
fn what_others_need_cannot_go() {
    let views = "create table a (n int); create view v as select n from a; create view w as select n from v;";
    let mood = "create type m as enum ('x'); create table a (n int, m m);";
    let trigger =
        "create function f() returns trigger language plpgsql as ''; create table a (n int);
        create trigger t before insert on a execute function f();";
    for (text, expected) in [
        (format!("{views} drop table a;"), "table `a`: view `v`"),
        (format!("{views} drop view v;"), "view `v`: view `w`"),
        (
            "create table a (n int); create schema s create view v as select n from a; drop table a;".to_owned(),
            "table `a`: view `s.v`",
        ),
        (format!("{mood} drop type m;"), "type `m`: table `a`"),
        (format!("{trigger} drop function f();"), "function `f`: a trigger of the table `a`"),
        (
            "create table a (n int unique); drop index a_n_key;".to_owned(),
            "index `a_n_key`: the constraint `a_n_key`",
        ),
    ] {
        assert_eq!(needed(&text), [expected], "{text}");
    }
}

#[test]
fn what_nobody_needs_any_more_can_go() {
    let views = "create table a (n int); create view v as select n from a; create view w as select n from v;";
    let mood = "create type m as enum ('x'); create table a (n int, m m);";
    for text in [
        format!("{views} drop view w; drop view v; drop table a;"),
        format!("{views} drop view v, w; drop table a;"),
        format!("{views} create or replace view v as select 1 as n; drop table a; drop view w, v;"),
        format!("{views} drop table a cascade; create view v as select 1; create view w as select 1;"),
        format!("{mood} alter table a drop m; drop type m;"),
        format!("{mood} drop type m cascade; alter table a add m int;"),
        format!("{mood} alter table a alter m type text; drop type m;"),
        "create function f() returns trigger language plpgsql as ''; create table a (n int);
        create trigger t before insert on a execute function f(); drop trigger t on a; drop function f();".to_owned(),
        "create table a (n int unique); alter table a drop constraint a_n_key; drop table a;".to_owned(),
        // A trigger that calls another function now, or has another name.
        "create function f() returns trigger language plpgsql as ''; create function g() returns trigger language plpgsql as '';
        create table a (n int); create trigger t before insert on a execute function f();
        create or replace trigger t before insert on a execute function g(); drop function f();".to_owned(),
        "create function f() returns trigger language plpgsql as ''; create table a (n int);
        create trigger t before insert on a execute function f(); alter trigger t on a rename to u;
        create trigger t before insert on a execute function f(); drop trigger u on a;".to_owned(),
        format!("{mood} drop table a; create temp table b (m m); drop type m;"),
        // A sequence goes with the table that owns it.
        "create sequence s; create table a (n int); alter sequence s owned by a.n; drop table a; create sequence s;".to_owned(),
        "create sequence s; create table a (n int); alter sequence s owned by a.n; alter sequence s owned by none;
        drop table a; drop sequence s;".to_owned(),
    ] {
        assert_eq!(needed(&text), [""; 0], "{text}");
    }
}

#[test]
fn not_null_holds_once_it_is_validated() {
    let is_not_null = |text: &str| {
        let schema = replay(&format!("create table a (n int); {text}"));
        schema.relation(&Name::bare("a")).known().unwrap().object.as_table().unwrap().columns[0]
            .not_null
    };
    let add = "alter table a add constraint c not null n not valid;";
    assert!(!is_not_null(add));
    assert!(is_not_null(&format!("{add} alter table a validate constraint c;")));
    assert!(is_not_null("alter table a add constraint c not null n;"));
}

#[test]
fn what_a_new_schema_brings_along_is_there_for_its_views() {
    let text = "create schema s create table b (n int) create view v as select n from b;";
    assert_eq!(clashes(&mut Schema::default(), text), []);
    assert_eq!(needed(&format!("{text} drop table s.b;")), ["table `s.b`: view `s.v`"]);
}
