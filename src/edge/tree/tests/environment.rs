use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use super::*;

#[test]
fn only_one_render_at_a_time() {
    let lab = Lab::rendered(&[("a", "1")]);
    let first = Tree::open(&lab.root(), Edits::Keep).unwrap();
    let error = lab.render(&[("a", "2")]).unwrap_err();
    assert!(matches!(error, TreeError::Failed(_)));
    assert!(
        error.to_string().contains("another meshlab is at work in it"),
        "{error}"
    );
    Tree::read_only(&lab.root()).unwrap_err();
    drop(first);
    lab.render(&[("a", "2")]).unwrap();
}

#[test]
fn checks_do_not_lock_each_other_out() {
    let lab = Lab::rendered(&[("a", "1")]);
    let _first = Tree::read_only(&lab.root()).unwrap();
    assert!(lab.check(&[("a", "1")]).is_clean());
    lab.render(&[("a", "1")]).unwrap_err();
}

#[test]
fn a_file_in_place_of_the_tree_is_refused() {
    let lab = Lab::new();
    fs::create_dir(lab.scratch.path().join("out")).unwrap();
    fs::write(lab.root(), "").unwrap();
    let error = Tree::open(&lab.root(), Edits::Keep).unwrap_err();
    assert!(error.to_string().contains("is not a directory"), "{error}");
    fs::remove_file(lab.root()).unwrap();
    fs::remove_dir(lab.scratch.path().join("out")).unwrap();
    fs::write(lab.scratch.path().join("out"), "").unwrap();
    assert!(matches!(lab.render(&[("a", "1")]), Err(TreeError::Failed(_))));
}

#[test]
fn an_unwritable_directory_is_named() {
    let lab = Lab::rendered(&[("a", "1")]);
    fs::set_permissions(lab.root(), Permissions::from_mode(0o555)).unwrap();
    let is_root = fs::write(lab.path("probe"), "").is_ok();
    if is_root {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    let error = lab.render(&[("a", "2")]).unwrap_err();
    fs::set_permissions(lab.root(), Permissions::from_mode(0o755)).unwrap();
    assert!(error.to_string().contains("Permission denied"), "{error}");
    lab.assert_is(&[("a", "1")]);
}

#[test]
fn a_real_full_disk_leaves_the_tree_untouched() {
    let disk = tempfile::tempdir().unwrap();
    let mounted = |args: &[&str]| {
        Command::new(args[0])
            .args(&args[1..])
            .arg(disk.path())
            .output()
            .is_ok_and(|o| o.status.success())
    };
    if !mounted(&["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs"]) {
        eprintln!("skipped: cannot mount a small file system");
        return;
    }
    let root = disk.path().join("lab");
    let render = |text: &str| finish(Tree::open(&root, Edits::Keep).unwrap(), &[("a", text), ("b", "small")]);
    render("small").unwrap();
    let before = snapshot(&root);
    let result = render(&"large".repeat(100_000));
    let after = snapshot(&root);
    assert!(mounted(&["umount"]));
    let error = result.unwrap_err();
    assert!(error.to_string().contains("lab/a: No space left on device"), "{error}");
    assert_eq!(after, before);
}

#[test]
fn a_stage_left_behind_is_removed() {
    let lab = Lab::rendered(&[("a", "1")]);
    lab.write(".meshlab.stage/files/deep/er", "half");
    lab.render(&[("a", "1")]).unwrap();
    lab.assert_is(&[("a", "1")]);
}
