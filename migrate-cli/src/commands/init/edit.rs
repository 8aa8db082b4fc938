//! Where in a file that somebody wrote a line can stand.
//!
//! Text in, text out; `None` where it cannot be told without understanding more of the file. Owns what little
//! is known here of Rust and TOML: it is enough for files as people write them, and gives up on others.

use std::path::Path;

/// The line behind the first row that is meant.
pub(super) fn below(text: &str, is_meant: impl Fn(&str) -> bool, line: &str) -> Option<String> {
    let at = text.lines().position(|row| is_meant(row.trim()))?;
    let mut rows: Vec<&str> = text.lines().collect();
    rows.insert(at + 1, line);
    Some(rows.join("\n") + "\n")
}

/// The line in its table, which is made at the end where there is none.
pub(super) fn in_table(text: &str, table: &str, line: &str) -> Option<String> {
    let key = table.trim_matches(['[', ']']);
    let written_otherwise = |row: &str| {
        code(row).strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with(['.', '=']))
    };
    if text.lines().any(written_otherwise) {
        return None;
    }
    let found = below(text, |row| code(row) == table, line);
    Some(found.unwrap_or_else(|| {
        let gap = if text.trim().is_empty() { "" } else { "\n\n" };
        format!("{}{gap}{table}\n{line}\n", text.trim_end())
    }))
}

/// A row of TOML without its comment.
fn code(row: &str) -> &str {
    row.split('#').next().unwrap_or_default().trim()
}

/// Does a manifest name it, in whatever form?
pub(super) fn depends(text: &str, name: &str) -> bool {
    text.lines().map(code).any(|row| {
        let as_key =
            row.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with(['=', '.']));
        as_key || row.ends_with(&format!("dependencies.{name}]"))
    })
}

/// Is there an sqlx, and one that says which, and not the one whose pools we take?
pub(super) fn sqlx_is_another(manifest: &str) -> bool {
    let row =
        manifest.lines().map(code).find(|row| row.starts_with("sqlx ") || row.starts_with("sqlx="));
    row.is_some_and(|row| {
        row.contains('"')
            && !row.contains("\"0.9")
            && !row.contains("workspace")
            && !row.contains("path")
            && !row.contains("git")
    })
}

/// A manifest with one more member of its workspace.
pub(super) fn member(text: &str, name: &str) -> Option<String> {
    let table = "[workspace]";
    if !text.lines().any(|row| code(row) == table) {
        return in_table(text, table, &format!("members = [\"{name}\"]"));
    }
    let start = text.lines().position(|row| code(row) == table)?;
    let length = text.lines().skip(start + 1).position(|row| row.starts_with('['));
    let end = length.map_or(usize::MAX, |length| start + 1 + length);
    let is_members = |row: &str| row.trim_start().starts_with("members");
    let at =
        text.lines().enumerate().position(|(at, row)| at > start && at < end && is_members(row));
    let Some(at) = at else {
        return below(text, |row| code(row) == table, &format!("members = [\"{name}\"]"));
    };
    let mut rows: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    let row = rows.get_mut(at)?;
    let (before, rest) = row.split_once('[')?;
    *row = match rest.trim() {
        "" => format!("{before}[\n    \"{name}\","),
        "]" => format!("{before}[\"{name}\"]"),
        _ => format!("{before}[\"{name}\", {rest}"),
    };
    Some(rows.join("\n") + "\n")
}

/// A crate that knows one more module: above its first item, below what is about the whole crate.
pub(super) fn module(text: &str, line: &str) -> Option<String> {
    let about_all = |row: &&str| {
        row.is_empty() || row.starts_with("//!") || (row.starts_with("#![") && row.ends_with(']'))
    };
    let rows: Vec<&str> = text.lines().collect();
    let at = rows.iter().take_while(|row| about_all(&row.trim())).count();
    let first = rows.get(at).copied().unwrap_or_default().trim();
    if first.starts_with("#!") || first.starts_with("/*") {
        return None;
    }
    let (above, below) = rows.split_at_checked(at)?;
    let gap = if first.starts_with("mod ") || first.starts_with("pub mod ") { "" } else { "\n" };
    let above: String = above.iter().map(|row| format!("{row}\n")).collect();
    let below: String = below.iter().map(|row| format!("{row}\n")).collect();
    Some(format!("{above}{line}\n{gap}{below}"))
}

/// Is it what cargo wrote?
pub(super) fn is_untouched_main(file: &Path) -> bool {
    const MAIN: &str = "fn main() {\n    println!(\"Hello, world!\");\n}\n";
    file.ends_with("main.rs") && std::fs::read_to_string(file).is_ok_and(|text| text == MAIN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_in_its_table_or_in_a_new_one() {
        let of = |text| in_table(text, "[dependencies]", "a = \"1\"");
        let found = "[package]\nname = \"x\"\n\n[dependencies] # ours\na = \"1\"\nb = \"1\"\n";
        assert_eq!(
            of("[package]\nname = \"x\"\n\n[dependencies] # ours\nb = \"1\"\n").unwrap(),
            found
        );
        assert_eq!(of("[package]\n").unwrap(), "[package]\n\n[dependencies]\na = \"1\"\n");
        assert_eq!(of("").unwrap(), "[dependencies]\na = \"1\"\n");
        assert_eq!(of("dependencies.b = \"1\"\n"), None);
        assert_eq!(of("dependencies = { b = \"1\" }\n"), None);
    }

    #[test]
    fn a_member_joins_the_others_however_they_are_written() {
        let of = |text| member(text, "xtask").unwrap();
        assert_eq!(of("[package]\n"), "[package]\n\n[workspace]\nmembers = [\"xtask\"]\n");
        assert_eq!(
            of("[workspace]\n\n[package]\n"),
            "[workspace]\nmembers = [\"xtask\"]\n\n[package]\n"
        );
        assert_eq!(of("[workspace]\nmembers = []\n"), "[workspace]\nmembers = [\"xtask\"]\n");
        assert_eq!(
            of("[workspace]\nmembers = [\"a\"]\n"),
            "[workspace]\nmembers = [\"xtask\", \"a\"]\n"
        );
        assert_eq!(
            of("[workspace]\nresolver = \"3\"\nmembers = [\n    \"a\",\n]\n"),
            "[workspace]\nresolver = \"3\"\nmembers = [\n    \"xtask\",\n    \"a\",\n]\n"
        );
    }

    #[test]
    fn what_a_manifest_names_is_seen_in_every_form() {
        for text in
            ["sqlx = \"1\"", "sqlx.workspace = true", "[dependencies.sqlx]", "sqlx={version=\"1\"}"]
        {
            assert!(depends(text, "sqlx"), "{text}");
        }
        for text in ["# sqlx = \"1\"", "sqlx-core = \"1\"", "name = \"sqlx\""] {
            assert!(!depends(text, "sqlx"), "{text}");
        }
        assert!(sqlx_is_another("sqlx = { version = \"0.8\", features = [] }"));
        assert!(!sqlx_is_another("sqlx = \"0.9.1\"\n"));
        assert!(!sqlx_is_another("sqlx = { workspace = true, features = [\"postgres\"] }"));
    }

    #[test]
    fn a_module_stands_above_the_first_item() {
        let of = |text| module(text, "mod m;");
        assert_eq!(of("fn main() {}\n").unwrap(), "mod m;\n\nfn main() {}\n");
        assert_eq!(of("mod a;\n").unwrap(), "mod m;\nmod a;\n");
        assert_eq!(
            of("//! A crate.\n#![allow(x)]\n\n/// Doc.\nfn main() {}\n").unwrap(),
            "//! A crate.\n#![allow(x)]\n\nmod m;\n\n/// Doc.\nfn main() {}\n"
        );
        assert_eq!(of("#![cfg_attr(\n    x,\n    y\n)]\nfn main() {}\n"), None);
        assert_eq!(of("/*! A crate. */\nfn main() {}\n"), None);
    }
}
