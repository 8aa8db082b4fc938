//! An instance: `rename-app old|new NUMBER URL`. It serves until its standard input ends.

#![expect(clippy::print_stdout, reason = "it tells whoever has started it what it did")]

use rename_without_downtime::{Build, Error, Served, instance};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [build, number, url] = words.as_slice() else {
        return Err("usage: rename-app old|new NUMBER URL".into());
    };
    let build = if build == "new" { Build::New } else { Build::Old };
    let Served { statements, errors, lost } = instance(build, number.parse()?, url).await?;
    println!("{statements} {errors} {lost}");
    Ok(())
}
