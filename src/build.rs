//! Tells cargo that the binary embeds the catalog: a changed component is a changed binary.

#[allow(clippy::print_stdout)] // how a build script speaks to cargo
fn main() {
    for embedded in ["blueprints/components", "argo"] {
        println!("cargo:rerun-if-changed={embedded}");
    }
}
