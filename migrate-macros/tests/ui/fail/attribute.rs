use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", dwn = "ignore", somewhere = 3, buildscript)]
struct Unknown;

#[derive(Migrations)]
#[migrations(dir = 1, down = "refuse", build_script = true, code = A, crate = 7)]
struct Types;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", dir = "fixtures/library")]
struct Twice;

#[derive(Migrations)]
#[migrations(dir = concat!("fixtures/", "library"), code(1))]
struct Expressions;

#[derive(Migrations)]
#[migrations = "fixtures/library"]
struct Form;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", code(Form, other::Thing, Form))]
struct Listed;

fn main() {}
