//! Any file can be judged, forward and back, behind any other one: what stands before the first `---` comes first.

#![no_main]

use libfuzzer_sys::fuzz_target;
use migrate_core::source::{File, WayBack, read};
use migrate_lint::{Facts, Level, judge, report, rules};

fuzz_target!(|text: &str| {
    let (before, it) = text.split_once("---").unwrap_or(("", text));
    let files = [
        File { path: "m/1_before.up.sql", bytes: before.as_bytes() },
        File { path: "m/1_before.down.sql", bytes: it.as_bytes() },
        File { path: "m/2_it.up.sql", bytes: it.as_bytes() },
        File { path: "m/2_it.down.sql", bytes: before.as_bytes() },
        File { path: "m/3_it.sql", bytes: it.as_bytes() },
    ];
    let contents = read("m", &files, WayBack::Ignore);
    let levels = rules::all().iter().map(|rule| (rule.name.to_owned(), Level::Warn)).collect();
    let findings = judge(&contents.migrations, &Facts { levels, ..Facts::default() }).findings;
    let items = report::items(&[], &findings);
    let _ = (report::json(&items), report::sarif(&items), report::github(&items));
    let _ = findings.iter().map(ToString::to_string).collect::<String>();
});
