//! What an xtask is: the commands for a folder, without the application.
//!
//! `cargo run --example folder -- plan --folder examples/quickstart/migrations`

fn main() -> std::process::ExitCode {
    migrate_cli::folder("migrations").main()
}
