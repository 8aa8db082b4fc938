//! What processes used, as the kernel tells.

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

fn ticks_a_second() -> Result<f64> {
    let output = Command::new("getconf").arg("CLK_TCK").output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}
