use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;
use std::time::{Duration, SystemTime};

use rayon::prelude::*;

use super::*;
use crate::core::diff::Verdict;
use crate::core::manifest;

const TWO: Files<'_> = &[("README.md", "hello\n"), ("clusters/a/apps/x.yaml", "x: 1\n")];

#[test]
fn a_first_render_writes_everything() {
    let lab = Lab::new();
    let outcome = lab.render(TWO).unwrap();
    assert_eq!((outcome.files, outcome.created, outcome.unchanged), (2, 2, 0));
    let found = snapshot(&lab.root());
    let paths: Vec<_> = found.keys().map(String::as_str).collect();
    let expected = [
        ".meshlab.sum",
        "README.md",
        "clusters/",
        "clusters/a/",
        "clusters/a/apps/",
        "clusters/a/apps/x.yaml",
    ];
    assert_eq!(paths, expected);
    assert_eq!(found["README.md"], "hello\n");
}

#[test]
fn sha256sum_accepts_the_manifest() {
    let lab = Lab::rendered(TWO);
    lab.render(&[("README.md", "hello again\n"), ("b", "")]).unwrap();
    let Ok(output) = Command::new("sha256sum")
        .args(["--strict", "-c", manifest::FILE])
        .current_dir(lab.root())
        .output()
    else {
        eprintln!("skipped: no sha256sum");
        return;
    };
    assert!(output.status.success());
    assert_eq!(String::from_utf8_lossy(&output.stdout), "README.md: OK\nb: OK\n");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn nothing_to_do_writes_nothing() {
    let lab = Lab::rendered(TWO);
    let long_ago = SystemTime::now() - Duration::from_secs(1000);
    let paths = [
        ".meshlab.sum",
        "README.md",
        "clusters/a/apps/x.yaml",
        "clusters/a/apps",
        "",
    ]
    .map(|path| lab.path(path));
    for path in &paths {
        fs::File::open(path).unwrap().set_modified(long_ago).unwrap();
    }
    let outcome = lab.render(TWO).unwrap();
    assert!(outcome.is_clean());
    assert_eq!((outcome.files, outcome.unchanged), (2, 2));
    for path in &paths {
        assert_eq!(
            path.metadata().unwrap().modified().unwrap(),
            long_ago,
            "{}",
            path.display()
        );
    }
}

#[test]
fn one_change_rewrites_one_file() {
    let lab = Lab::rendered(TWO);
    let inode = |path: &str| lab.path(path).metadata().unwrap().ino();
    let before = inode("README.md");
    let outcome = lab.render(&[TWO[0], (TWO[1].0, "x: 2\n")]).unwrap();
    assert_eq!((outcome.unchanged, outcome.replaced), (1, 1));
    assert_eq!(inode("README.md"), before);
    lab.assert_is(&[TWO[0], (TWO[1].0, "x: 2\n")]);
}

#[test]
fn modes_are_what_the_umask_makes_of_644_and_755() {
    let lab = Lab::rendered(TWO);
    let reference = lab.scratch.path().join("reference");
    fs::create_dir(&reference).unwrap();
    fs::write(reference.join("file"), "").unwrap();
    let mode = |path: PathBuf| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(lab.path("README.md")), mode(reference.join("file")));
    assert_eq!(mode(lab.path("clusters/a")), mode(reference));
}

#[test]
fn what_is_no_longer_wanted_goes_with_its_directories() {
    let lab = Lab::rendered(&[
        ("clusters/a/x", "1"),
        ("clusters/b/y/z", "2"),
        ("clusters/b/w", "3"),
        ("README.md", "4"),
    ]);
    lab.write("clusters/a/mine", "keep");
    let outcome = lab.render(&[("clusters/c", "5"), ("README.md", "4")]).unwrap();
    assert_eq!((outcome.removed, outcome.created), (3, 1));
    assert!(!lab.path("clusters/b").exists());
    assert_eq!(fs::read_dir(lab.path("clusters/a")).unwrap().count(), 1);
    fs::remove_dir_all(lab.path("clusters/a")).unwrap();
    lab.assert_is(&[("clusters/c", "5"), ("README.md", "4")]);
}

#[test]
fn a_hand_edited_file_is_refused_and_forced() {
    let lab = Lab::rendered(&[("a", "1"), ("b", "1"), ("gone", "1")]);
    lab.write("a", "mine");
    lab.write("gone", "mine");
    let message = lab.refused(&[("a", "1"), ("b", "2"), ("new/c", "1")]);
    assert!(message.contains("`out/lab/a` was edited by hand"), "{message}");
    assert!(message.contains("`out/lab/gone` was edited by hand"), "{message}");
    assert!(
        message.contains("git diff -- ") && message.contains("--force"),
        "{message}"
    );
    let outcome = lab.force(&[("a", "1"), ("b", "2")]).unwrap();
    assert_eq!((outcome.replaced, outcome.removed), (2, 1));
    lab.assert_is(&[("a", "1"), ("b", "2")]);
}

#[test]
fn many_refusals_are_counted() {
    let names: Vec<_> = (10..40).map(|i| format!("f{i}")).collect();
    let files: Vec<_> = names.iter().map(|name| (name.as_str(), "1")).collect();
    let lab = Lab::rendered(&files);
    for name in &names {
        lab.write(name, "mine");
    }
    let message = lab.refused(&files);
    assert!(message.contains("f19") && !message.contains("f20"), "{message}");
    assert!(
        message.contains("and 20 more files that were edited by hand"),
        "{message}"
    );
}

#[test]
fn foreign_files_are_left_alone_unless_in_the_way() {
    let lab = Lab::rendered(TWO);
    lab.write("mine", "keep");
    lab.render(TWO).unwrap();
    assert_eq!(fs::read_to_string(lab.path("mine")).unwrap(), "keep");
    let message = lab.refused(&[("mine", "ours")]);
    assert!(
        message.contains("`out/lab/mine` is in the way: meshlab did not write it"),
        "{message}"
    );
    lab.force(&[("mine", "ours")]).unwrap();
    lab.assert_is(&[("mine", "ours")]);
}

#[test]
fn the_same_bytes_are_adopted() {
    let lab = Lab::rendered(TWO);
    fs::remove_file(lab.path(manifest::FILE)).unwrap();
    let outcome = lab.render(TWO).unwrap();
    assert_eq!(outcome.unchanged, 2);
    lab.assert_is(TWO);
}

#[test]
fn an_empty_result_never_prunes() {
    let lab = Lab::rendered(TWO);
    assert!(lab.refused(&[]).contains("nothing was rendered"));
}

#[test]
fn a_manifest_that_points_elsewhere_deletes_nothing() {
    let lab = Lab::rendered(TWO);
    let victim = lab.scratch.path().join("victim");
    fs::write(&victim, "a").unwrap();
    let hash = manifest::Digest::of(b"a");
    for path in [
        "../../victim",
        victim.to_str().unwrap(),
        "x/../../../victim",
        ".meshlab.stage/../../../victim",
    ] {
        lab.write(manifest::FILE, &format!("{hash}  {path}\n"));
        assert!(lab.refused(TWO).contains("is not a path inside a tree"));
        assert!(victim.exists());
    }
}

#[test]
fn a_file_becomes_a_directory_and_back() {
    let lab = Lab::rendered(&[("a", "1")]);
    lab.render(&[("a/b/c", "2")]).unwrap();
    lab.assert_is(&[("a/b/c", "2")]);
    lab.render(&[("a", "1")]).unwrap();
    lab.assert_is(&[("a", "1")]);
}

#[test]
fn a_foreign_file_where_a_directory_must_be_is_refused_and_forced() {
    let lab = Lab::rendered(&[("a", "1")]);
    lab.write("b", "mine");
    assert!(
        lab.refused(&[("a", "1"), ("b/c", "2")])
            .contains("`out/lab/b` is in the way")
    );
    lab.force(&[("a", "1"), ("b/c", "2")]).unwrap();
    lab.assert_is(&[("a", "1"), ("b/c", "2")]);
}

#[test]
fn a_directory_with_foreign_files_where_a_file_must_be_is_refused_even_if_forced() {
    let lab = Lab::rendered(&[("a/b", "1")]);
    lab.write("a/mine", "keep");
    let message = lab.refused(&[("a", "2")]);
    assert!(
        message.contains("`out/lab/a` must become a file, but is a directory"),
        "{message}"
    );
    lab.force(&[("a", "2")]).unwrap_err();
    assert_eq!(fs::read_to_string(lab.path("a/mine")).unwrap(), "keep");
    assert_eq!(fs::read_to_string(lab.path("a/b")).unwrap(), "1");
}

#[test]
fn permissions_of_a_directory_do_not_change() {
    let lab = Lab::rendered(&[("a/b", "1")]);
    fs::set_permissions(lab.path("a"), Permissions::from_mode(0o700)).unwrap();
    lab.render(&[("a/b", "2"), ("a/c", "1")]).unwrap();
    assert_eq!(lab.path("a").metadata().unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn threads_make_no_difference() {
    let files: Vec<_> = (0..600)
        .map(|i| {
            (
                TreePath::new(&format!("d{}/e{}/f{i}", i % 7, i % 50)).unwrap(),
                format!("{i}\n"),
            )
        })
        .collect();
    let render = |threads: usize| {
        let lab = Lab::new();
        let tree = Tree::open(&lab.root(), Edits::Keep).unwrap();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let offer = |(path, text): &(TreePath, String)| tree.offer(path, text.as_bytes()).unwrap();
        let verdicts: Vec<_> = pool.install(|| files.par_iter().map(offer).collect());
        assert!(verdicts.iter().all(|verdict| *verdict == Verdict::Create));
        assert_eq!(tree.finish().unwrap().created, 600);
        snapshot(&lab.root())
    };
    assert_eq!(render(1), render(8));
}
