//! Tells cargo that the binary embeds the catalog, so that a changed component is a changed binary; and the binary what it was built from,
//! so that it does not take what another one rendered for its own.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::{Path, PathBuf};

/// All that decides what the binary does.
const SOURCES: [&str; 6] = [
    "src",
    "blueprints/components",
    "argo",
    "Cargo.lock",
    "Cargo.toml",
    "rust-toolchain.toml",
];

#[allow(clippy::print_stdout)] // how a build script speaks to cargo
fn main() -> io::Result<()> {
    let mut hasher = DefaultHasher::new();
    for source in SOURCES.into_iter().filter(|source| Path::new(source).exists()) {
        println!("cargo:rerun-if-changed={source}");
        for file in files(Path::new(source))? {
            file.hash(&mut hasher);
            fs::read(&file)?.hash(&mut hasher);
        }
    }
    println!("cargo:rustc-env=MESHLAB_PROGRAM={:016x}", hasher.finish());
    Ok(())
}

fn files(path: &Path) -> io::Result<BTreeSet<PathBuf>> {
    if path.is_file() {
        return Ok(BTreeSet::from([path.to_owned()]));
    }
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(path)? {
        found.append(&mut files(&entry?.path())?);
    }
    Ok(found)
}
