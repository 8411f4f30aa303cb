//! Pages that hold what a command prints: as current as the command.

use std::fs;
use std::path::PathBuf;

use crate::support::{Scratch, files, root};

const END: &str = "<!-- end -->";

/// The page with what its commands print now, between `<!-- $ meshlab … -->` and `<!-- end -->`.
fn current(page: &str) -> (String, usize) {
    let scratch = Scratch::empty();
    let mut parts = page.split("<!-- $ meshlab ");
    let mut text = parts.next().unwrap().to_owned();
    let mut commands = 0;
    for part in parts {
        let (command, rest) = part.split_once(" -->\n").unwrap();
        let (_, after) = rest.split_once(END).expect("a block of a command has an end");
        let printed = scratch.run(command).succeeds().stdout;
        text += &format!("<!-- $ meshlab {command} -->\n{printed}{END}{after}");
        commands += 1;
    }
    (text, commands)
}

/// `UPDATE_DOCS=1 cargo test --test it -- docs` writes them.
#[test]
fn what_pages_show_of_commands_is_current() {
    let folder = root().join("docs");
    let mut commands = 0;
    for (name, bytes) in files(&folder) {
        let path: PathBuf = folder.join(&name);
        if path.extension().is_none_or(|extension| extension != "md") {
            continue;
        }
        let page = String::from_utf8(bytes).unwrap();
        let (text, found) = current(&page);
        commands += found;
        if std::env::var_os("UPDATE_DOCS").is_some() {
            fs::write(&path, &text).unwrap();
        } else {
            assert!(
                text == page,
                "docs/{name} is not current: UPDATE_DOCS=1 cargo test --test it -- docs"
            );
        }
    }
    assert!(commands > 0);
}
