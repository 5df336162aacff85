//! Embeds the story worlds: those whose `world.yaml` says `embed: true`. All others are proof
//! worlds, which tests read from disk.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=worlds");
    let home = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it for every build script");
    let mut worlds = Vec::new();
    for entry in fs::read_dir(Path::new(&home).join("worlds"))? {
        let file = entry?.path().join("world.yaml");
        let Ok(text) = fs::read_to_string(&file) else {
            continue;
        };
        println!("cargo::rerun-if-changed={}", file.display());
        if text.lines().any(|line| line == "embed: true") {
            worlds.push(file);
        }
    }
    worlds.sort();
    let mut code = String::from("&[\n");
    for file in worlds {
        let name = file.parent().and_then(Path::file_name).unwrap_or_default();
        writeln!(code, "({name:?}, include_str!({file:?})),").expect("a String takes any text");
    }
    code.push(']');
    let out = env::var("OUT_DIR").expect("cargo sets it for every build script");
    fs::write(Path::new(&out).join("worlds.rs"), code)
}
