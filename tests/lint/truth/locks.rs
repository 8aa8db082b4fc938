//! What the linter says that a statement locks is what a server locks.

use crate::cases;
use crate::golden::Table;
use crate::lab::Lab;
use crate::linter::claims;

#[tokio::test(flavor = "multi_thread")]
async fn the_linter_and_the_golden_file_say_what_the_server_locks() {
    let mut lab = Lab::open().await;
    let major = lab.major();
    let mut table = Table::new(major);
    let mut wrong = Vec::new();
    for (head, cases) in cases::ALL {
        table.head(head);
        let said = claims(cases, major);
        let cases = cases.iter().zip(&said).filter(|(case, _)| case.since <= major);
        for (case, said) in cases {
            let seen = match lab.look(case).await {
                Ok(seen) => seen,
                Err(error) => {
                    wrong.push(format!("{}: failed: {error}", case.words()));
                    continue;
                }
            };
            let differences = seen.differences(said);
            match case.differs(major) {
                None => wrong
                    .extend(differences.iter().map(|found| format!("{}: {found}", case.words()))),
                Some(why) if differences.is_empty() => {
                    wrong.push(format!("{}: nothing differs, though {why}", case.words()));
                }
                Some(_) => {}
            }
            table.line(case, &seen, &differences);
        }
    }
    assert!(wrong.is_empty(), "on PostgreSQL {major}:\n{}", wrong.join("\n"));
    table.hold();
}
