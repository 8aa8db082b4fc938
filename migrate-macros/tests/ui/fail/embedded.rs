use migrate_macros::embed;
use migrate_postgres::Embedded;

static ABSENT: Embedded = embed!("fixtures/absent", build_script = "ignore");
static BROKEN: Embedded = embed!("fixtures/quote", down = "ignore", build_script = "ignore");
static REQUIRED: Embedded = embed!("fixtures/no_way_back", down = "require", build_script = "ignore");
static KEY: Embedded = embed!("fixtures/library", dwn = "ignore");
static VALUE: Embedded = embed!("fixtures/library", down = 1);
static CODE: Embedded = embed!("fixtures/library", code(A));
static NUMBER: Embedded = embed!(1);
static NONE: Embedded = embed!();
static COMMA: Embedded = embed!("fixtures/library" down = "ignore");

fn main() {}
