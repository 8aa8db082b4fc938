use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/released_typo", down = "ignore", build_script = "ignore")]
struct InTheFile;

#[derive(Migrations)]
#[migrations(dir = "fixtures/empty", released = "one")]
struct NoVersion;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore", build_script = "ignore", released = "12")]
struct Nowhere;

#[derive(Migrations)]
#[migrations(dir = "fixtures/released", down = "ignore", build_script = "ignore", released = "1")]
struct Twice;

fn main() {}
