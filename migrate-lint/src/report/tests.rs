use migrate_core::Problem;
use migrate_core::source::{File, WayBack, read};

use super::{github, items, json, sarif};
use crate::{Facts, Finding, judge};

fn findings() -> Vec<Finding> {
    let files = [
        File { path: "m/1_a.sql", bytes: b"CREATE TABLE a (id bigint PRIMARY KEY, n text);" },
        File { path: "m/2_b.sql", bytes: b"SELECT 1;\n  CREATE INDEX \"50%\" ON a (n);" },
    ];
    judge(&read("m", &files, WayBack::Ignore).migrations, &Facts::default()).findings
}

fn problems() -> [Problem; 2] {
    let unnamed = Problem::error("m/c d.sql", "the name is not that of a migration", "Rename it.");
    let torn = Problem::error("m/3_c.sql", "unterminated string", "Close it.").at("a\n'b", 2);
    [unnamed.as_warning(), torn]
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
    let (findings, problems) = (findings(), problems());
    let told = json(&items(&problems, &findings));
    let mut parsed: serde_json::Value = serde_json::from_str(&told).unwrap();
    let first = parsed.as_array_mut().unwrap().remove(0);
    assert_eq!(
        (&first["rule"], &first["line"]),
        (&serde_json::Value::Null, &serde_json::Value::Null)
    );
    assert_eq!((&first["level"], &first["file"]), (&"warning".into(), &"m/c d.sql".into()));
    let second = parsed.as_array_mut().unwrap().remove(0);
    assert_eq!(
        (&second["level"], &second["line"], &second["column"]),
        (&"error".into(), &2.into(), &1.into())
    );
    assert_eq!(parsed[0]["rule"], "create_index");
    assert_eq!(parsed[0]["level"], "error");
    assert_eq!(parsed[0]["line"], 2);
    assert_eq!(parsed[0]["snippet"], "  CREATE INDEX \"50%\" ON a (n);");
    assert_eq!(json(&[]), "[]\n");
}

#[test]
fn a_code_host_gets_sarif() {
    let (findings, problems) = (findings(), problems());
    let parsed: serde_json::Value =
        serde_json::from_str(&sarif(&items(&problems, &findings))).unwrap();
    let run = &parsed["runs"][0];
    let first = &run["results"][0];
    assert_eq!((&first["ruleId"], &first["level"]), (&"folder".into(), &"warning".into()));
    let place = &first["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "m/c%20d.sql");
    assert!(place.get("region").is_none());
    assert_eq!(run["results"][2]["ruleId"], "create_index");
    let region = &run["results"][2]["locations"][0]["physicalLocation"]["region"];
    assert_eq!((&region["startLine"], &region["startColumn"]), (&2.into(), &3.into()));
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let known = |id: &serde_json::Value| rules.iter().any(|rule| rule["id"] == *id);
    assert!(run["results"].as_array().unwrap().iter().all(|result| known(&result["ruleId"])));
    assert_eq!(rules.len(), crate::rules::all().len() + 1);
}

#[test]
fn an_annotation_is_one_line() {
    let (findings, problems) = (findings(), problems());
    let text = github(&items(&problems, &findings));
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines[0].starts_with("::warning file=m/c d.sql,title=folder::the name is not"),
        "{text}"
    );
    let text = lines[2];
    assert!(
        text.starts_with("::error file=m/2_b.sql,line=2,col=3,title=create_index::writers of"),
        "{text}"
    );
    assert!(text.contains("%0A") && text.contains("\"50%25\""), "{text}");
    assert_eq!(lines.len(), 3);
}
