//! refinery, with tokio-postgres: `Runner::run_async`, as its documentation has it; `grouped` puts all migrations into
//! one transaction.

use std::process::ExitCode;

use migrate_bench_peers::{File, Peer, Result, runtime, serve};
use refinery::{Migration, Runner};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, NoTls};

struct Refinery {
    runtime: Runtime,
    runner: Runner,
    client: Option<Client>,
}

fn main() -> ExitCode {
    serve::<Refinery>()
}

impl Peer for Refinery {
    fn read(files: Vec<File>, way: &str) -> Result<Self> {
        let migrations = files.iter().enumerate().map(|(number, (name, text))| {
            // Versions are of 32 bits unless one asks for more.
            let words = name.split_once('_').map_or(name.as_str(), |(_, words)| words);
            Migration::unapplied(&format!("V{}__{words}", number + 1), text)
        });
        let migrations = migrations.collect::<std::result::Result<Vec<_>, _>>()?;
        let runner = Runner::new(&migrations).set_grouped(way == "grouped");
        Ok(Self { runtime: runtime()?, runner, client: None })
    }

    fn connect(&mut self, url: &str) -> Result<()> {
        let (client, connection) = self.runtime.block_on(tokio_postgres::connect(url, NoTls))?;
        self.runtime.spawn(connection);
        self.client = Some(client);
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let client = self.client.as_mut().ok_or("not connected")?;
        self.runtime.block_on(self.runner.run_async(client))?;
        Ok(())
    }
}
