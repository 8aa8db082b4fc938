//! What processes used, as the kernel tells.

use std::collections::HashMap;
use std::fs::read_to_string;
use std::process::Command;

use crate::Result;

/// The most memory that this process has had, in MiB.
///
/// # Errors
/// When this is not Linux.
pub fn peak_mib() -> Result<f64> {
    peak_mib_of("self")
}

/// The most memory that a process has had, in MiB.
///
/// # Errors
/// When there is no such process, or this is not Linux.
pub fn peak_mib_of(process: &str) -> Result<f64> {
    let status = read_to_string(format!("/proc/{process}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(kib.ok_or("no VmHWM in /proc")?.parse::<f64>()? / 1024.0)
}

/// The CPU seconds of all children that have ended, and theirs.
///
/// # Errors
/// When this is not Linux.
pub fn children_cpu() -> Result<f64> {
    let stat = read_to_string("/proc/self/stat")?;
    let (_, fields) = stat.rsplit_once(')').ok_or("no name in /proc/self/stat")?;
    let ticks: Vec<f64> = fields.split_whitespace().skip(13).take(2).flat_map(str::parse).collect();
    Ok(ticks.iter().sum::<f64>() / ticks_a_second()?)
}

/// What the processors did until a moment, in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Processors {
    all: f64,
    busy: f64,
    ours: f64,
}

impl Processors {
    /// Looks. Ours are this process and the server of a backend, with all that they have started.
    ///
    /// # Errors
    /// When there is no such backend, or this is not Linux.
    pub fn look(backend: u32) -> Result<Self> {
        let stat = read_to_string("/proc/stat")?;
        let line = stat.lines().next().unwrap_or_default();
        let ticks: Vec<f64> =
            line.split_whitespace().skip(1).take(8).flat_map(str::parse).collect();
        let [user, nice, system, idle, waiting, irq, soft, stolen] = ticks.as_slice() else {
            return Err("no processors in /proc/stat".into());
        };
        let busy = user + nice + system + irq + soft + stolen;
        let all = busy + idle + waiting;
        Ok(Self { all, busy, ours: of_trees(backend)? })
    }

    /// The share of all processors that others had since then.
    pub fn others_since(self, before: Self) -> f64 {
        let others = (self.busy - before.busy) - (self.ours - before.ours);
        others.max(0.0) / (self.all - before.all).max(1.0)
    }
}

/// The ticks of this process, of the server of a backend, and of all that they have started.
fn of_trees(backend: u32) -> Result<f64> {
    let processes: HashMap<u32, (u32, f64)> = std::fs::read_dir("/proc")?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|id| Some((id, process(id)?)))
        .collect();
    let (server, _) = processes.get(&backend).ok_or("no such backend")?;
    let roots = [std::process::id(), *server];
    let is_ours = |mut id: u32| loop {
        match processes.get(&id) {
            _ if roots.contains(&id) => return true,
            Some((parent, _)) => id = *parent,
            None => return false,
        }
    };
    Ok(processes.iter().filter(|(id, _)| is_ours(**id)).map(|(_, (_, ticks))| ticks).sum())
}

/// Its parent, and the ticks of it and of its children that have ended; `None` when it is gone.
fn process(id: u32) -> Option<(u32, f64)> {
    let stat = read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().flat_map(|ticks| ticks.parse::<f64>()).sum();
    Some((fields.get(1)?.parse().ok()?, ticks))
}

fn ticks_a_second() -> Result<f64> {
    let output = Command::new("getconf").arg("CLK_TCK").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_we_burn_is_not_others() -> Result<()> {
        let look = || Processors::look(std::process::id());
        let (before, began) = (look()?, std::time::Instant::now());
        while began.elapsed().as_millis() < 500 {
            std::hint::spin_loop();
        }
        let after = look()?;
        let ours = after.ours - before.ours;
        assert!(ours > 0.0, "{before:?} {after:?}");
        assert!(after.busy - before.busy >= ours - 2.0, "{before:?} {after:?}");
        let expected = (after.busy - before.busy - ours).max(0.0) / (after.all - before.all);
        assert!((after.others_since(before) - expected).abs() < 1e-9);
        Ok(())
    }
}
