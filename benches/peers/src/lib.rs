//! How the measurements drive another migrator.
//!
//! Each is a program of its own that is told what to do line by line, and answers with what it took. Owns that
//! protocol and the reading of the folder. Knows nothing of what is measured, nor of any migrator.
//!
//! `PROGRAM FOLDER URL WAY` reads the folder and then takes `connect` and `run TIMES` from stdin. The answer to each
//! is a line of seconds: one figure, or one for each run. It ends with its input.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

/// What ends the program, with its reason.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A migration as it stands in the folder: its name without the extension, and its text.
pub type File = (String, String);

/// A migrator.
pub trait Peer: Sized {
    /// Takes the folder, sorted by name, as an application has it embedded. `way` is a word that both sides know.
    ///
    /// # Errors
    /// When the migrator does not like it.
    fn read(files: Vec<File>, way: &str) -> Result<Self>;

    /// Connects.
    ///
    /// # Errors
    /// When nobody answers.
    fn connect(&mut self, url: &str) -> Result<()>;

    /// Applies what is pending, on the connection that there is.
    ///
    /// # Errors
    /// When the migrator says so.
    fn run(&mut self) -> Result<()>;
}

/// The program.
pub fn serve<P: Peer>() -> ExitCode {
    match answer::<P>() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to migrate: {error}");
            ExitCode::FAILURE
        }
    }
}

fn answer<P: Peer>() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [folder, url, way] = arguments.as_slice() else {
        return Err("usage: PROGRAM FOLDER URL WAY".into());
    };
    let mut peer = P::read(read(folder.as_ref())?, way)?;
    for line in std::io::stdin().lines() {
        let took = match line?.split_once(' ') {
            None => vec![timed(|| peer.connect(url))?],
            Some((_, times)) => (0..times.parse::<usize>()?)
                .map(|_| timed(|| peer.run()))
                .collect::<Result<Vec<f64>>>()?,
        };
        let words: Vec<String> = took.iter().map(f64::to_string).collect();
        println!("{}", words.join(" "));
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn timed(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

fn read(folder: &Path) -> Result<Vec<File>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_stem().ok_or("a file without a name")?.to_string_lossy().into_owned();
        files.push((name, std::fs::read_to_string(&path)?));
    }
    files.sort();
    Ok(files)
}

/// Runs what is async, on one thread as the others do.
///
/// # Errors
/// When the system has no timers left.
#[cfg(any(feature = "refinery", feature = "sea-orm"))]
pub fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}
