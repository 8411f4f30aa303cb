//! The dependency rule: what each room of `src/` may use. Read from tokens, so that no comment, string or line break can hide a path.

use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use crate::support::{files, root};

/// A path as written, `use` groups taken apart, without a leading `::`; a macro call ends in `!`.
type Written = Vec<String>;

/// Every path in a stream of tokens.
fn paths(tokens: TokenStream) -> Vec<Written> {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        at = match &tokens[at] {
            TokenTree::Ident(_) => path(&tokens, at, &Written::new(), &mut found),
            TokenTree::Group(group) => {
                found.extend(paths(group.stream()));
                at + 1
            }
            _ => at + 1,
        };
    }
    found
}

/// One path that starts at `at`, below `prefix`; gives where it ends.
fn path(tokens: &[TokenTree], mut at: usize, prefix: &Written, found: &mut Vec<Written>) -> usize {
    let mut written = prefix.clone();
    while let Some(TokenTree::Ident(ident)) = tokens.get(at) {
        written.push(ident.to_string().trim_start_matches("r#").to_owned());
        at += 1;
        if !(is_punct(tokens, at, ':') && is_punct(tokens, at + 1, ':')) {
            if is_punct(tokens, at, '!') && !is_punct(tokens, at + 1, '=') {
                written.last_mut().unwrap().push('!');
            }
            break;
        }
        at += 2;
        match tokens.get(at) {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                group_of_paths(&group.stream().into_iter().collect::<Vec<_>>(), &written, found);
                return at + 1;
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                written.push("*".to_owned());
                break;
            }
            _ => {}
        }
    }
    found.push(written);
    at
}

/// The paths of `{a, b::c}` below a prefix.
fn group_of_paths(tokens: &[TokenTree], prefix: &Written, found: &mut Vec<Written>) {
    let mut at = 0;
    while at < tokens.len() {
        at = match &tokens[at] {
            TokenTree::Ident(_) => path(tokens, at, prefix, found),
            _ => at + 1,
        };
    }
}

fn is_punct(tokens: &[TokenTree], at: usize, punct: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == punct)
}

/// The paths of each file below `src/<room>`, by the file's path.
fn written(room: &str) -> Vec<(String, Vec<Written>)> {
    let folder = root().join("src").join(room);
    let sources = files(&folder)
        .into_iter()
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|end| end == "rs"));
    let read: Vec<_> = sources
        .map(|(path, text)| {
            let tokens: TokenStream = String::from_utf8(text).unwrap().parse().unwrap();
            (path, paths(tokens))
        })
        .collect();
    assert!(read.len() > 3, "src/{room} is not where it was");
    read
}

/// Whether a path has these names one after the other.
fn has(path: &Written, names: &str) -> bool {
    let names: Vec<&str> = names.split("::").collect();
    path.windows(names.len()).any(|window| window == names)
}

/// Fails with every path of a room for which the rule says no.
fn forbid(room: &str, rule: &str, is_forbidden: impl Fn(&str, &Written) -> bool) {
    let mut broken = Vec::new();
    for (file, paths) in written(room) {
        broken.extend(
            paths
                .iter()
                .filter(|path| is_forbidden(&file, path))
                .map(|path| format!("src/{room}/{file}: {}", path.join("::"))),
        );
    }
    assert!(broken.is_empty(), "{rule}:\n{}", broken.join("\n"));
}

/// Whether a path names a room of this crate.
fn is_of_room(path: &Written, room: &str) -> bool {
    ["crate", "super", "self", "meshlab"]
        .iter()
        .any(|from| has(path, &format!("{from}::{room}")))
}

#[test]
fn the_core_uses_no_edge_and_no_command() {
    forbid("core", "the core knows neither edges nor commands", |_, path| {
        is_of_room(path, "edge") || is_of_room(path, "command")
    });
}

#[test]
fn the_core_is_pure() {
    const WORLD: [&str; 23] = [
        "std::fs",
        "std::env",
        "std::process",
        "std::os",
        "std::io",
        "std::thread",
        "std::time",
        "std::*",
        "std::random",
        "Instant",
        "SystemTime",
        "UNIX_EPOCH",
        "now_utc",
        "now_local",
        "RandomState",
        "thread_rng",
        "env!",
        "option_env!",
        "print!",
        "println!",
        "eprint!",
        "eprintln!",
        "dbg!",
    ];
    const CRATES: [&str; 16] = [
        "anyhow",
        "clap",
        "rand",
        "getrandom",
        "fastrand",
        "rcgen",
        "aws_lc_rs",
        "rustix",
        "walkdir",
        "include_dir",
        "zeroize",
        "tempfile",
        "libc",
        "tokio",
        "include_str!",
        "include_bytes!",
    ];
    forbid(
        "core",
        "the core touches no file, process, clock, randomness or terminal",
        |file, path| {
            let is_test = file.contains("/tests/") || file.ends_with("/tests.rs");
            let is_bare = path.len() == 1 && path[0] == "std";
            // Addresses are values; sockets are not.
            let is_socket = has(path, "std::net") && !path.iter().any(|name| name == "Ipv4Addr");
            !is_test
                && (is_bare
                    || is_socket
                    || WORLD.iter().any(|name| has(path, name))
                    || CRATES.contains(&path[0].as_str()))
        },
    );
}

#[test]
fn the_core_never_sees_a_private_key() {
    const KEYS: [&str; 5] = [
        "KeyPair",
        "SigningKey",
        "PrivateKeyDer",
        "PrivatePkcs8KeyDer",
        "serialize_pem",
    ];
    forbid("core", "private keys stay at the edge", |_, path| {
        KEYS.iter().any(|name| has(path, name))
    });
}

#[test]
fn edges_do_not_use_each_other() {
    let edges: Vec<String> = std::fs::read_dir(root().join("src/edge"))
        .unwrap()
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned())
        .filter(|name| name != "mod")
        .collect();
    assert!(edges.iter().any(|edge| edge == "tree") && edges.iter().any(|edge| edge == "keystore"));
    forbid(
        "edge",
        "edges share `durable` and `secret`, and nothing else",
        |file, path| {
            let own = file.split(['/', '.']).next().unwrap();
            let depth = file.matches('/').count() + usize::from(!file.ends_with("/mod.rs"));
            let others = edges
                .iter()
                .filter(|edge| !["durable", "secret", own].contains(&edge.as_str()));
            let mut others = others.filter(|edge| {
                // `super` reaches the other edges only from as deep as this file is.
                let from_here = format!("{}{edge}", "super::".repeat(depth));
                has(path, &format!("edge::{edge}")) || path.join("::").starts_with(&from_here) && !from_here.is_empty()
            });
            file != "mod.rs" && others.next().is_some()
        },
    );
}

#[test]
fn edges_know_no_command() {
    forbid("edge", "commands compose edges, not the other way round", |_, path| {
        is_of_room(path, "command")
    });
}

#[test]
fn one_place_reads_and_writes_yaml() {
    for room in ["core", "edge", "command"] {
        forbid(room, "only core/yaml uses serde_yaml", |file, path| {
            path[0] == "serde_yaml" && !(room == "core" && file.starts_with("yaml/"))
        });
    }
}

#[test]
fn few_places_know_the_template_engine() {
    let may = |room: &str, file: &str| {
        room == "core"
            && ["template", "views", "plan"]
                .iter()
                .any(|place| file.starts_with(place))
    };
    for room in ["core", "edge", "command"] {
        forbid(
            room,
            "only core/template, core/views and core/plan use minijinja",
            |file, path| path[0] == "minijinja" && !may(room, file),
        );
    }
}

#[test]
fn only_the_edge_that_mints_makes_keys() {
    for room in ["edge", "command"] {
        forbid(room, "only edge/mint uses rcgen and aws-lc-rs", |file, path| {
            ["rcgen", "aws_lc_rs"].contains(&path[0].as_str()) && !(room == "edge" && file.starts_with("mint/"))
        });
    }
}

#[test]
fn nothing_hides_a_path_from_these_tests() {
    let text = r#"
        // std::fs in a comment
        /* use std::fs; */
        const TEXT: &str = "std::fs";
        use std::{collections::BTreeMap, /* here */ io::{self, Write as W}, fs
            ::File};
        fn f() { g(::std::env::var("A")); println !("x"); let a = b != c; super::super::edge::x() }
        use r#std::time::*;
    "#;
    let found: Vec<String> = paths(text.parse().unwrap())
        .iter()
        .map(|path| path.join("::"))
        .collect();
    for path in [
        "std::collections::BTreeMap",
        "std::io::self",
        "std::io::Write",
        "std::fs::File",
        "std::env::var",
        "println!",
        "super::super::edge::x",
        "std::time::*",
    ] {
        assert!(found.iter().any(|found| found == path), "{path} is not in {found:?}");
    }
    assert!(
        !found.iter().any(|found| found == "std::fs" || found == "b!"),
        "{found:?}"
    );
}
