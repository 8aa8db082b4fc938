//! The table of locks, as measured.

use super::{Mode, Work, locks};
use crate::parse;
use crate::schema::{Birth, Schema};

const BEFORE: &str = "create table p (id int primary key);
    create table t (id int primary key, a text, n varchar(5), p int references p);
    create index t_a on t (a); create materialized view m as select 1; create view v as select 1;
    alter table t add constraint given check (a is not null);
    alter table t add constraint later check (id > 0) not valid;
    alter table t add constraint t_q foreign key (p) references p not valid;
    create table parts (id int) partition by range (id); create table part (id int);
    create domain positive as int check (value > 0);";

fn of(text: &str) -> String {
    within(BEFORE, text)
}

fn within(before: &str, text: &str) -> String {
    let mut schema = Schema::default();
    for statement in migrate_core::sql::statements(before).unwrap() {
        let clashes =
            schema.apply(&parse::statement(statement.text(before)).unwrap(), Birth::default());
        assert_eq!(clashes, []);
    }
    let found = locks(&parse::statement(text).unwrap(), &schema);
    let words = found.iter().map(|lock| {
        let mode = match lock.mode {
            Mode::AccessShare => "AS",
            Mode::RowShare => "RS",
            Mode::RowExclusive => "RX",
            Mode::ShareUpdateExclusive => "SUX",
            Mode::Share => "S",
            Mode::ShareRowExclusive => "SRX",
            Mode::Exclusive => "X",
            Mode::AccessExclusive => "AX",
        };
        let work = match lock.work {
            Work::None => "",
            Work::Scan => " scan",
            Work::Rewrite => " rewrite",
        };
        format!("{} {mode}{work}", lock.relation)
    });
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn tables() {
    for (text, expected) in [
        ("alter table t add x int", "t AX"),
        ("alter table t add x timestamptz default now()", "t AX"),
        ("alter table t add x timestamptz default timezone('utc', now())", "t AX"),
        ("alter table t add x uuid default gen_random_uuid()", "t AX rewrite"),
        ("alter table t add x timestamptz default clock_timestamp()", "t AX rewrite"),
        ("alter table t add x bigserial", "t AX rewrite"),
        ("alter table t add x int generated always as identity", "t AX rewrite"),
        ("alter table t add x int generated always as (id) stored", "t AX rewrite"),
        ("alter table t add x int generated always as (id) virtual", "t AX"),
        ("alter table t add x positive", "t AX rewrite"),
        ("alter table t add x int references p", "t AX, p SRX"),
        ("alter table t add x int default 1 references p", "t AX scan, p SRX scan"),
        ("alter table t add x int unique", "t AX scan"),
        ("alter table t drop a", "t AX"),
        ("alter table t rename a to b", "t AX"),
        ("alter table t alter id set not null", "t AX"),
        ("alter table t alter p set not null", "t AX scan"),
        ("alter table t alter a set not null", "t AX"),
        ("alter table t add check (a > '') not valid", "t AX"),
        ("alter table t add check (a > '')", "t AX scan"),
        ("alter table t validate constraint later", "t SUX scan"),
        ("alter table t validate constraint t_p_fkey", "t SUX"),
        ("alter table t validate constraint t_q", "t SUX scan, p RS"),
        ("alter table t add foreign key (id) references p", "t SRX scan, p SRX scan"),
        ("alter table t add foreign key (id) references p not valid", "t SRX, p SRX"),
        ("alter table t drop constraint t_p_fkey", "t AX, p AX"),
        ("alter table t add unique (a)", "t AX scan"),
        ("alter table t add unique using index t_a", "t AX"),
        ("alter table t alter n type text", "t AX"),
        ("alter table t alter id type bigint", "t AX rewrite"),
        ("alter table t alter a set statistics 5", "t SUX"),
        ("alter table t set (fillfactor = 50)", "t SUX"),
        ("alter table t disable trigger all", "t SRX"),
        ("alter table t enable row level security", "t AX"),
        ("alter table t set unlogged", "t AX rewrite"),
        (
            "alter table parts attach partition part for values from (1) to (2)",
            "parts SUX, part AX scan",
        ),
        ("alter table parts detach partition part", "parts AX, part AX"),
        ("alter table parts detach partition part concurrently", "parts SUX, part AX"),
        ("create table x partition of parts for values from (1) to (2)", "parts AX"),
        ("create table x (a int references p)", "p SRX"),
        ("drop table t", "t AX, p AX"),
        ("truncate t", "t AX"),
    ] {
        assert_eq!(of(text), expected, "{text}");
    }
}

#[test]
fn other_things() {
    for (text, expected) in [
        ("create index on t (a)", "t S scan"),
        ("create index concurrently on t (a)", "t SUX scan"),
        ("drop index t_a", "t_a AX, t AX"),
        ("drop index concurrently t_a", "t_a SUX, t SUX"),
        ("alter index t_a rename to b", "t_a SUX"),
        ("create trigger x before insert on t execute function f()", "t SRX"),
        ("drop trigger x on t", "t AX"),
        ("create policy x on t", "t AX"),
        ("create or replace view v as select * from t", "v AX, t AS"),
        ("create view w as select * from t", "t AS"),
        ("refresh materialized view m", "m AX rewrite"),
        ("refresh materialized view concurrently m", "m X scan"),
        ("vacuum t", "t SUX scan"),
        ("vacuum full t", "t AX rewrite"),
        ("cluster t using t_a", "t AX rewrite"),
        ("reindex table t", "t S scan, t_pkey AX scan, t_a AX scan"),
        ("reindex index t_a", "t_a AX scan, t S scan"),
        ("reindex table concurrently t", "t SUX scan"),
        ("comment on table t is ''", "t SUX"),
        ("lock t in share mode", "t S"),
        ("insert into t select * from p", "t RX, p AS"),
        ("grant select on t to x", "t AS"),
        ("create or replace function f() returns int language plpgsql as ''", ""),
    ] {
        assert_eq!(of(text), expected, "{text}");
    }
}

/// Tables that belong together, views, a domain in use.
const FAMILY: &str = "create table whole (id int, a text) partition by range (id);
    create table part1 partition of whole for values from (1) to (2);
    create table rest partition of whole default; create index whole_a on whole (a);
    create function f() returns trigger language plpgsql as '';
    create trigger tick after insert on whole for each row execute function f();
    create table spare (id int, a text); create table ready (id int, a text, check (id is not null and id = 5));
    create index on ready (a);
    create table parent (id int primary key, a text); create table heir (n int) inherits (parent);
    create domain word as text; create domain odd as int check (value % 2 = 1);
    create table q (k varchar(5) primary key, w word, n int check (n > 0), o odd, at timestamp, low varchar(5));
    create index on q (at); create index on q (lower(low));
    create table r (k varchar(5) references q);
    create view one as select * from q; create view two as select * from one, r;
    create materialized view kept as select * from two; create index kept_k on kept (k);
    create schema s; create table s.x (id int);";

#[test]
fn what_belongs_together_is_locked_together() {
    for (text, expected) in [
        ("alter table whole add x int", "whole AX, part1 AX, rest AX"),
        ("alter table parent add x int default random()", "parent AX rewrite, heir AX rewrite"),
        ("alter table whole set (fillfactor = 50)", "whole SUX"),
        ("alter table only parent drop a", "parent AX, heir AX"),
        ("alter table only parent alter a set not null", "parent AX scan"),
        ("create index on whole (id)", "whole S scan, part1 S scan, rest S scan"),
        ("create index on only whole (id)", "whole S"),
        ("create index on parent (a)", "parent S scan"),
        ("drop index whole_a", "whole_a AX, whole AX, part1 AX, rest AX"),
        ("truncate whole", "whole AX, part1 AX, rest AX"),
        ("truncate q cascade", "q AX, r AX"),
        ("select * from whole", "whole AS, part1 AS, rest AS"),
        ("update parent set a = ''", "parent RX, heir RX"),
        ("insert into whole values (1)", "whole RX"),
        ("analyze parent", "parent SUX, heir SUX"),
        ("lock whole in share mode", "whole S, part1 S, rest S"),
        ("create table x partition of whole for values from (3) to (4)", "whole AX, rest AX scan"),
        (
            "alter table whole attach partition spare for values from (3) to (4)",
            "whole SUX, spare AX scan, rest AX scan",
        ),
        (
            "alter table whole attach partition ready for values from (5) to (6)",
            "whole SUX, ready AX, rest AX scan",
        ),
        ("alter table whole detach partition part1", "whole AX, part1 AX, rest AX"),
        ("drop table part1", "part1 AX, rest AX, whole AX"),
        ("drop table heir", "heir AX"),
        ("alter table heir no inherit parent", "heir AX, parent AS"),
        (
            "create trigger x after insert on whole for each row execute function f()",
            "whole SRX, part1 SRX, rest SRX",
        ),
        ("create trigger x after insert on whole execute function f()", "whole SRX"),
        ("drop trigger tick on whole", "whole AX, part1 AX, rest AX"),
        ("drop trigger if exists absent on q", ""),
        ("drop function f() cascade", "whole AX, part1 AX, rest AX"),
    ] {
        assert_eq!(of_schema(FAMILY, text), sorted(expected), "{text}");
    }
}

#[test]
fn views_lead_to_what_they_read() {
    for (text, expected) in [
        ("select * from two", "two AS, one AS, q AS, r AS"),
        ("select * from kept", "kept AS"),
        ("select * from one for update", "one RS, q RS"),
        ("select * from q for share", "q RS"),
        ("update one set n = 1", "one RX, q RX"),
        ("create view x as select * from two", "two AS"),
        ("create materialized view x as select * from one", "one AS, q AS"),
        ("create or replace view one as select * from q", "one AX, q AS"),
        ("create or replace view x as select * from q", "q AS"),
        ("drop view one cascade", "one AX, two AX, kept AX"),
        ("refresh materialized view kept", "kept AX rewrite, two AS, one AS, q AS, r AS"),
        ("refresh materialized view kept with no data", "kept AX"),
        ("reindex table kept", "kept S scan, kept_k AX scan"),
        ("alter view one set (security_barrier)", "one AX"),
        ("copy q to stdout", "q AS"),
        ("drop table if exists absent", ""),
        ("drop schema s cascade", "s.x AX"),
        ("create publication x for table q", "q SUX"),
        ("create statistics x on n, o from q", "q SUX"),
    ] {
        assert_eq!(of_schema(FAMILY, text), sorted(expected), "{text}");
    }
}

#[test]
fn types_and_domains_are_looked_at_where_they_are_used() {
    for (text, expected) in [
        ("alter table q alter n type bigint", "q AX rewrite"),
        ("alter table q alter w type text", "q AX"),
        ("alter table q alter k type varchar(9)", "q AX, r AX"),
        ("alter table r alter k type text using k::text", "r AX, q AX"),
        ("alter table r alter k type int using 1", "r AX rewrite, q AX scan"),
        ("alter table q alter low type varchar(9)", "q AX scan"),
        ("alter table q alter n type int using n", "q AX scan"),
        ("alter table q alter o type int", "q AX"),
        ("alter table q alter n type odd", "q AX rewrite"),
        ("alter domain word add check (value <> '')", "q S scan"),
        ("alter domain word add check (value <> '') not valid", ""),
        ("drop domain word cascade", "q AX"),
        ("alter table q add x int default null references q", "q AX scan"),
    ] {
        assert_eq!(of_schema(FAMILY, text), sorted(expected), "{text}");
    }
}

/// As a set: the order is that in which they are found.
fn sorted(words: &str) -> Vec<String> {
    let mut words: Vec<String> =
        words.split(", ").filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect();
    words.sort();
    words
}

fn of_schema(before: &str, text: &str) -> Vec<String> {
    sorted(&within(before, text))
}
