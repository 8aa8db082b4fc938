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
    let mut schema = Schema::default();
    for statement in migrate_core::sql::statements(BEFORE).unwrap() {
        let clashes =
            schema.apply(&parse::statement(statement.text(BEFORE)).unwrap(), Birth::default());
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
