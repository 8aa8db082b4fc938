//! Whom the server runs as: PostgreSQL refuses root, so root lends it another user.
//!
//! It must not know what is run.

use std::io;
use std::os::unix::fs::{MetadataExt, lchown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use super::error::ServerError;

/// The operating system's user that owns and runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ServerUser {
    uid: u32,
    gid: u32,
    name: String,
    /// Whether we are root and have to become this user.
    dropped: bool,
}

impl ServerUser {
    /// Us, or as root whoever is best suited to run a database.
    pub(super) fn choose() -> Result<ServerUser, ServerError> {
        let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        choose(caller(), rustix::process::getegid().as_raw(), &passwd).ok_or(ServerError::NoUser)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The name of the directory for the servers that we run as this user. Our own id is in it: root and postgres
    /// keep out of each other's. So is that of whom root lends it, for that may change: a package may bring the
    /// user `postgres` where `nobody` had to do.
    pub(super) fn home(&self) -> String {
        if self.dropped {
            return format!("migrate-pg-{}-{}", caller(), self.uid);
        }
        format!("migrate-pg-{}", self.uid)
    }

    /// `program`, to be run as this user from a directory that everybody can read.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir("/");
        if self.dropped {
            command.uid(self.uid).gid(self.gid); // this leaves root's other groups behind, too
        }
        command
    }

    /// Makes this user the owner of what we just created.
    pub(super) fn give(&self, path: &Path) -> io::Result<()> {
        if self.dropped { lchown(path, Some(self.uid), Some(self.gid)) } else { Ok(()) }
    }

    pub(super) fn owns(&self, path: &Path) -> bool {
        path.symlink_metadata().is_ok_and(|found| found.is_dir() && found.uid() == self.uid)
    }

    /// Whether this user gets to what is inside `dir`. Only another user than us may fail to.
    pub(super) fn reaches(&self, dir: &Path) -> bool {
        !self.dropped || dir.ancestors().all(|one| self.may_pass(one))
    }

    fn may_pass(&self, dir: &Path) -> bool {
        dir.metadata().is_ok_and(|found| {
            let mode = found.mode();
            mode & 0o001 != 0 || (found.uid() == self.uid && mode & 0o100 != 0)
        })
    }
}

/// The effective user id of this process.
pub(super) fn caller() -> u32 {
    rustix::process::geteuid().as_raw()
}

fn choose(uid: u32, gid: u32, passwd: &str) -> Option<ServerUser> {
    if uid != 0 {
        let name = format!("id {uid}");
        return Some(ServerUser { uid, gid, name, dropped: false });
    }
    ["postgres", "_postgres", "nobody"].iter().find_map(|name| in_passwd(name, passwd))
}

fn in_passwd(name: &str, passwd: &str) -> Option<ServerUser> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next()? == name;
        let (uid, gid) = (id(fields.nth(1)?)?, id(fields.next()?)?);
        (found && uid != 0).then(|| ServerUser { uid, gid, name: name.to_owned(), dropped: true })
    })
}

/// An id as in /etc/passwd, where macOS writes nobody's as -2.
fn id(text: &str) -> Option<u32> {
    text.parse().ok().or_else(|| text.parse::<i32>().ok().map(i32::cast_unsigned))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
                          broken line\n\
                          nobody:*:-2:-2:Unprivileged User:/var/empty:/usr/bin/false\n";

    fn name_and_ids(user: Option<ServerUser>) -> Option<(String, u32, u32)> {
        user.map(|user| (user.name, user.uid, user.gid))
    }

    #[test]
    fn root_lends_the_server_a_user() {
        let nobody = (String::from("nobody"), u32::MAX - 1, u32::MAX - 1);
        assert_eq!(name_and_ids(choose(0, 0, PASSWD)), Some(nobody));

        let with_postgres = format!("{PASSWD}postgres:x:101:104::/var/lib/postgresql:/bin/bash\n");
        let postgres = (String::from("postgres"), 101, 104);
        assert_eq!(name_and_ids(choose(0, 0, &with_postgres)), Some(postgres));

        assert_eq!(choose(0, 0, "postgres:x:0:0::/:/bin/sh\n"), None, "root by another name");
    }

    #[test]
    fn another_lent_user_has_another_home() {
        let with_postgres = format!("{PASSWD}postgres:x:101:104::/var/lib/postgresql:/bin/bash\n");
        let homes = [PASSWD, &with_postgres].map(|passwd| choose(0, 0, passwd).unwrap().home());
        assert_ne!(homes[0], homes[1]);
        assert_ne!(homes[1], choose(101, 104, &with_postgres).unwrap().home(), "postgres itself");
    }

    #[test]
    fn anybody_else_runs_it_himself() {
        let user = choose(1000, 100, PASSWD).unwrap();
        assert_eq!((user.uid, user.gid, user.dropped), (1000, 100, false));
    }
}
