//! Has cargo notice a migration that is added.

fn main() {
    println!("cargo::rerun-if-changed=freeze");
    println!("cargo::rerun-if-changed=rehearse");
}
