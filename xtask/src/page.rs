//! The page of the manual that says on which servers the tests ran. It must not know how they were run.

use crate::test::Outcome;

const HEAD: &str = "# PostgreSQL 13 to 18

<!-- Written by `cargo xtask test --postgres all`: do not edit. -->

All tests that speak to a server, on the newest release of each major version that could be had. None was left out: where
a promise holds from some version on only, its test says what holds before. The crates that never meet a server
(`migrate-core`, `migrate-lint`, `migrate-macros`) are tested once, and so is the book; they are not counted here.

| server | passed | failed | ignored |
|---|--:|--:|--:|
";

const TAIL: &str = "
Count them yourself: `cargo xtask test --postgres all` fetches the servers (into a cache, once), runs the tests on each, and
writes this page.

`cargo xtask postgres 13` brings one version and says where it is; `MIGRATE_PG_BIN` names it to `cargo test`. Every
change runs everything on Debian's version, and the promises on the oldest and the newest one.
";

pub(crate) fn text(outcomes: &[Outcome]) -> String {
    let rows = outcomes.iter().map(|outcome| {
        let Outcome { server, passed, failed, ignored, .. } = outcome;
        format!("| {server} | {passed} | {failed} | {} |\n", ignored.len())
    });
    format!("{HEAD}{}{}{TAIL}", rows.collect::<String>(), ignored(outcomes))
}

fn ignored(outcomes: &[Outcome]) -> String {
    let mut names: Vec<&str> =
        outcomes.iter().flat_map(|outcome| &outcome.ignored).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return String::new();
    }
    let lines = names.iter().map(|name| format!("- {name}\n"));
    format!(
        "\nIgnored, because other tests run them, or because they only compile:\n\n{}",
        lines.collect::<String>()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_has_a_row_and_what_is_ignored_a_line() {
        let outcome = |server: &str| Outcome {
            server: server.to_owned(),
            passed: 40,
            ignored: vec!["a".to_owned()],
            ..Outcome::default()
        };
        let page = text(&[outcome("13.23"), outcome("18.4")]);
        assert!(page.contains("| 13.23 | 40 | 0 | 1 |\n| 18.4 | 40 | 0 | 1 |\n"), "{page}");
        assert_eq!(page.matches("\n- a\n").count(), 1, "{page}");
    }
}
