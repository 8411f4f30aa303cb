use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;

use super::*;

/// A tree with one file, and a directory outside that must stay as it is.
fn lab_and_outside() -> (Lab, PathBuf) {
    let lab = Lab::rendered(&[("a/b/c", "1")]);
    let outside = lab.scratch.path().join("outside");
    fs::create_dir_all(outside.join("b")).unwrap();
    fs::write(outside.join("b/c"), "1").unwrap();
    (lab, outside)
}

fn replace_by_link(lab: &Lab, path: &str, target: &Path) {
    let path = if path.is_empty() { lab.root() } else { lab.path(path) };
    if path.is_dir() {
        fs::remove_dir_all(&path).unwrap();
    } else {
        fs::remove_file(&path).unwrap();
    }
    symlink(target, path).unwrap();
}

fn assert_refused(lab: &Lab, link: &str) {
    for files in [[("a/b/c", "1")], [("a/b/c", "2")], [("d", "3")]] {
        let message = lab.refused(&files);
        assert!(
            message.contains(&format!("`out/lab/{link}` is a symbolic link")),
            "{message}"
        );
        let before = snapshot(lab.scratch.path());
        lab.force(&files).unwrap_err();
        assert_eq!(snapshot(lab.scratch.path()), before);
    }
}

#[test]
fn a_link_at_a_file_is_refused() {
    let (lab, outside) = lab_and_outside();
    replace_by_link(&lab, "a/b/c", &outside.join("b/c"));
    assert_refused(&lab, "a/b/c");
}

#[test]
fn a_link_at_a_directory_is_refused() {
    let (lab, outside) = lab_and_outside();
    replace_by_link(&lab, "a/b", &outside.join("b"));
    assert_refused(&lab, "a/b");
}

#[test]
fn a_link_at_a_directory_further_up_is_refused() {
    let (lab, outside) = lab_and_outside();
    replace_by_link(&lab, "a", &outside);
    assert_refused(&lab, "a");
}

#[test]
fn a_dangling_link_is_refused() {
    let (lab, _) = lab_and_outside();
    replace_by_link(&lab, "a/b", Path::new("nowhere"));
    assert_refused(&lab, "a/b");
}

#[test]
fn a_link_at_the_tree_itself_is_refused() {
    let (lab, outside) = lab_and_outside();
    replace_by_link(&lab, "", &outside);
    for path in [lab.root(), lab.path("")] {
        let error = Tree::open(&path, Edits::Overwrite).unwrap_err().to_string();
        assert!(error.contains("is a symbolic link"), "{error}");
        Tree::read_only(&path).unwrap_err();
    }
}

#[test]
fn a_link_above_the_tree_is_the_persons_business() {
    let lab = Lab::new();
    fs::create_dir(lab.scratch.path().join("elsewhere")).unwrap();
    symlink("elsewhere", lab.scratch.path().join("out")).unwrap();
    lab.render(&[("a", "1")]).unwrap();
    assert!(lab.scratch.path().join("elsewhere/lab/a").exists());
}

#[test]
fn a_link_at_the_manifest_is_refused() {
    let (lab, outside) = lab_and_outside();
    replace_by_link(&lab, ".meshlab.sum", &outside.join("b/c"));
    assert!(
        lab.refused(&[("a/b/c", "2")])
            .contains("`out/lab/.meshlab.sum` is a symbolic link")
    );
}

#[test]
fn a_link_at_the_stage_goes_but_not_what_it_points_to() {
    let (lab, outside) = lab_and_outside();
    symlink(&outside, lab.path(".meshlab.stage")).unwrap();
    lab.render(&[("a/b/c", "2")]).unwrap();
    lab.assert_is(&[("a/b/c", "2")]);
    assert!(outside.join("b/c").exists());
}

#[test]
fn a_foreign_link_is_reported_and_not_followed() {
    let (lab, outside) = lab_and_outside();
    symlink(&outside, lab.path("link")).unwrap();
    assert_eq!(lab.check(&[("a/b/c", "1")]).foreign, [Path::new("link")]);
}

#[test]
fn what_is_neither_file_nor_directory_is_refused() {
    let lab = Lab::rendered(&[("a/b", "1")]);
    fs::remove_file(lab.path("a/b")).unwrap();
    let _socket = UnixListener::bind(lab.path("a/b")).unwrap();
    let error = lab.render(&[("a/b", "1")]).unwrap_err().to_string();
    assert!(error.contains("neither a file nor a directory"), "{error}");
}
