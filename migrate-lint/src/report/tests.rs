use migrate_core::source::{File, WayBack, read};

use super::{github, json, sarif};
use crate::{Facts, Finding, judge};

fn findings() -> Vec<Finding> {
    let files = [
        File { path: "m/1_a.sql", bytes: b"CREATE TABLE a (id bigint PRIMARY KEY, n text);" },
        File { path: "m/2_b.sql", bytes: b"SELECT 1;\n  CREATE INDEX \"50%\" ON a (n);" },
    ];
    judge(&read("m", &files, WayBack::Ignore).migrations, &Facts::default()).findings
}

#[test]
fn a_reader_sees_the_line_the_reason_and_the_remedy() {
    let text: Vec<String> = findings().iter().map(ToString::to_string).collect();
    let expected = "m/2_b.sql:2:3: writers of `a` wait while the index is built
  |
2 |   CREATE INDEX \"50%\" ON a (n);
  |   ^
why: CREATE INDEX holds a SHARE lock while it reads the whole table: every INSERT, UPDATE and DELETE waits until it is done
help: In a migration of its own:
    -- migrate: no-transaction
    CREATE INDEX CONCURRENTLY \"50%\" ON a (n);
to allow it: -- migrate: allow(create_index) because <reason>";
    assert_eq!(text, [expected]);
}

#[test]
fn a_program_gets_json() {
    let parsed: serde_json::Value = serde_json::from_str(&json(&findings())).unwrap();
    assert_eq!(parsed[0]["rule"], "create_index");
    assert_eq!(parsed[0]["level"], "error");
    assert_eq!(parsed[0]["line"], 2);
    assert_eq!(parsed[0]["snippet"], "  CREATE INDEX \"50%\" ON a (n);");
    assert_eq!(json(&[]), "[]\n");
}

#[test]
fn a_code_host_gets_sarif() {
    let parsed: serde_json::Value = serde_json::from_str(&sarif(&findings())).unwrap();
    let run = &parsed["runs"][0];
    assert_eq!(run["results"][0]["ruleId"], "create_index");
    let region = &run["results"][0]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &3.into()));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), crate::rules::all().len());
}

#[test]
fn an_annotation_is_one_line() {
    let text = github(&findings());
    assert!(
        text.starts_with("::error file=m/2_b.sql,line=2,col=3,title=create_index::writers of"),
        "{text}"
    );
    assert!(text.contains("%0A") && text.contains("\"50%25\""), "{text}");
    assert_eq!(text.lines().count(), 1);
}
