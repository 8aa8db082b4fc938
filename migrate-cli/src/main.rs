//! `migrate`: the commands for the folder `migrations` where one stands, for who has no xtask (yet).

fn main() -> std::process::ExitCode {
    migrate_cli::folder("migrations").main()
}
