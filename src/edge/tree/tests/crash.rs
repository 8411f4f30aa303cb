use std::cell::Cell;

use super::super::fault::{Fault, inject};
use super::*;

const OLD: Files<'_> = &[
    ("README.md", "1"),
    ("clusters/a/x", "1"),
    ("clusters/a/y", "1"),
    ("clusters/b/x", "1"),
    ("turns", "1"),
    ("back/z", "1"),
];
const NEW: Files<'_> = &[
    ("README.md", "2"),
    ("clusters/a/x", "2"),
    ("clusters/c/x", "1"),
    ("clusters/c/y", "1"),
    ("turns/into", "1"),
    ("back", "1"),
];
const OTHER: Files<'_> = &[
    ("README.md", "3"),
    ("clusters/a/y", "1"),
    ("clusters/b/x", "3"),
    ("clusters/c/x", "3"),
    ("turns", "3"),
];

/// Renders with every fault that the render comes across, one at a time, from a fresh start each; returns how many there were.
fn with_every_fault(fault: fn(usize) -> Fault, start: Files<'_>, check: impl Fn(&Lab, &TreeError)) -> usize {
    for n in 0.. {
        let lab = if start.is_empty() {
            Lab::new()
        } else {
            Lab::rendered(start)
        };
        inject(fault(n));
        let result = lab.render(NEW);
        inject(Fault::None);
        match result {
            // All went well except, perhaps, for the removal of the stage.
            Ok(_) => {
                let is_clean = !lab.path(".meshlab.stage").exists();
                assert!(lab.render(NEW).unwrap().is_clean());
                lab.assert_is(NEW);
                if is_clean {
                    return n;
                }
            }
            Err(error) => check(&lab, &error),
        }
    }
    unreachable!("a render comes across a finite number of faults")
}

#[test]
fn a_killed_render_is_finished_by_the_next() {
    for start in [OLD, &[]] {
        let faults = with_every_fault(Fault::Kill, start, |lab, _| {
            lab.render(NEW).unwrap();
            lab.assert_is(NEW);
        });
        assert!(faults > 10, "{faults}");
    }
}

#[test]
fn a_killed_render_is_undone_by_another() {
    for next in [OLD, OTHER] {
        with_every_fault(Fault::Kill, OLD, |lab, _| {
            lab.render(next).unwrap();
            lab.assert_is(next);
        });
    }
}

#[test]
fn a_killed_render_may_be_followed_by_a_killed_render() {
    with_every_fault(Fault::Kill, OLD, |lab, _| {
        for n in [1, 9, 17, 21] {
            inject(Fault::Kill(n));
            let _ = lab.render(OTHER);
            inject(Fault::None);
        }
        lab.render(NEW).unwrap();
        lab.assert_is(NEW);
    });
}

#[test]
fn every_file_of_a_killed_render_is_whole() {
    with_every_fault(Fault::Kill, OLD, |lab, _| {
        for (path, text) in snapshot(&lab.root()) {
            let is_artefact = !path.ends_with('/') && !path.starts_with(".meshlab");
            assert!(
                !is_artefact || OLD.iter().chain(NEW).any(|file| *file == (&path, &text)),
                "{path}: {text}"
            );
        }
    });
}

#[test]
fn a_full_disk_leaves_the_old_tree_or_a_tree_that_is_said_to_be_midway() {
    let untouched = snapshot(&Lab::rendered(OLD).root());
    let midway = Cell::new(0);
    with_every_fault(Fault::Full, OLD, |lab, error| {
        assert!(!lab.path(".meshlab.stage").exists());
        let TreeError::Failed(failure) = error else {
            unreachable!()
        };
        let help = failure.help();
        if help.contains("some files are old, some new") {
            midway.set(midway.get() + 1);
        } else {
            assert!(
                help.starts_with("make room and run again: nothing in the tree was changed"),
                "{help}"
            );
            assert_eq!(snapshot(&lab.root()), untouched);
        }
    });
    assert!(midway.get() > 0);
}

#[test]
fn a_failed_first_render_leaves_no_directory() {
    with_every_fault(Fault::Full, &[], |lab, _| {
        let left = snapshot(lab.scratch.path());
        assert!(left.is_empty() || left.contains_key("out/lab/.meshlab.sum"), "{left:?}");
    });
}

#[test]
fn a_render_that_is_given_up_leaves_nothing() {
    let lab = Lab::new();
    let tree = Tree::open(&lab.root(), Edits::Keep).unwrap();
    tree.offer(&TreePath::new("a/b").unwrap(), b"1").unwrap();
    assert!(lab.path(".meshlab.stage/files/a/b").exists());
    drop(tree);
    assert!(snapshot(lab.scratch.path()).is_empty());
}
