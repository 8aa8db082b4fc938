//! What the chapters call `cargo xtask migrate`, for the folder that they are in.

fn main() -> std::process::ExitCode {
    migrate_cli::folder("migrations").main()
}
