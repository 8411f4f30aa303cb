//! What the tree, the lock and the keystore go through in the hands of people: each test says what happened, and what meshlab does about it.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::process::Command;

use crate::support::{Run, SMALL, Scratch, skipped};

/// A file of the tree of [`Scratch::rendered`].
const VALUES: &str = "out/lab/clusters/one/values/istio-istiod.yaml";

/// The run must be refused, and say so in exactly these words; the tree stays as it is.
fn refused(scratch: &Scratch, arguments: &str, words: &str) -> Run {
    let before = scratch.files("out");
    let run = scratch.run(arguments).exits(2).says(words);
    assert_eq!(scratch.files("out"), before, "a refused render changed the tree");
    run
}

mod edits {
    use super::*;

    #[test]
    fn an_edited_file_is_refused_until_forced() {
        let scratch = Scratch::rendered();
        let wanted = scratch.read(VALUES);
        scratch.edit(VALUES, "replicaCount: 1", "replicaCount: 2");
        let run = refused(&scratch, "render", "was edited by hand");
        insta::assert_snapshot!(run.transcript());
        let check = scratch.run("render --check").exits(1);
        assert!(
            check.stdout.contains("-replicaCount: 2\n+replicaCount: 1\n"),
            "{}",
            check.stdout
        );
        scratch.run("render --force").succeeds().says("1 changed");
        assert_eq!(scratch.read(VALUES), wanted);
        scratch.run("render --check").succeeds();
    }

    #[test]
    fn what_is_edited_as_the_blueprint_will_want_it_is_accepted() {
        let scratch = Scratch::rendered();
        scratch.edit(VALUES, "replicaCount: 1", "replicaCount: 2");
        let settings = "  settings: {components: {istio-istiod: {parameters: {replicas: 2}}}}\n";
        scratch.write("blueprints/lab.yaml", format!("{SMALL}{settings}"));
        // The budget follows the replicas: the file as a whole is not yet as wanted.
        refused(&scratch, "render", "was edited by hand");
        scratch.edit(
            VALUES,
            "defaultPodDisruptionBudget:\n    enabled: false",
            "defaultPodDisruptionBudget:\n    enabled: true",
        );
        scratch.run("render").succeeds();
        scratch.run("render --check").succeeds();
    }

    #[test]
    fn many_edited_files_are_counted() {
        let scratch = Scratch::rendered();
        for path in scratch.files("out/lab/argocd/applicationsets").keys() {
            let path = format!("out/lab/argocd/applicationsets/{path}");
            scratch.write(&path, scratch.read(&path) + "# mine\n");
        }
        let run = refused(&scratch, "render", "more files that were edited by hand");
        assert_eq!(run.stderr.matches("was edited by hand").count(), 10);
    }

    #[test]
    fn a_deleted_file_comes_back() {
        let scratch = Scratch::rendered();
        let before = scratch.files("out");
        scratch.remove(VALUES);
        scratch.remove("out/lab/workflows");
        scratch
            .run("render --check")
            .exits(1)
            .prints("--- /dev/null\n+++ b/clusters/one/values/istio-istiod.yaml");
        scratch.run("render").succeeds();
        assert_eq!(scratch.files("out"), before);
    }

    #[test]
    fn a_deleted_tree_comes_back_byte_for_byte_without_any_key() {
        let scratch = Scratch::rendered();
        let before = scratch.files("");
        scratch.remove("out");
        scratch.remove(".meshlab");
        scratch.run("render").succeeds().says("0 changed, 0 removed");
        let is_public = |(path, _): &(String, _)| !path.starts_with(".meshlab/");
        let after = scratch.files("").into_iter().filter(is_public);
        assert!(before.into_iter().filter(is_public).eq(after));
    }

    #[test]
    fn a_change_of_the_blueprint_touches_only_what_it_must() {
        let scratch = Scratch::rendered();
        let before = scratch.files("out/lab");
        let old = fs::metadata(scratch.path("out/lab/argocd/root.yaml")).unwrap().ino();
        let settings = "  settings: {components: {istio-istiod: {parameters: {traceSampling: 1}}}}\n";
        scratch.write("blueprints/lab.yaml", format!("{SMALL}{settings}"));
        let diff = scratch
            .run("render --check")
            .exits(1)
            .prints("-traceSampling: 100\n+traceSampling: 1\n");
        assert_eq!(diff.stdout.matches("@@").count(), 2, "{}", diff.stdout);
        scratch.run("render").succeeds().says("0 new, 1 changed, 0 removed");
        let after = scratch.files("out/lab");
        let changed: Vec<_> = after
            .iter()
            .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
            .map(|(path, _)| path)
            .collect();
        assert_eq!(changed, [".meshlab.sum", "clusters/one/values/istio-istiod.yaml"]);
        assert_eq!(
            fs::metadata(scratch.path("out/lab/argocd/root.yaml")).unwrap().ino(),
            old,
            "an equal file was rewritten"
        );
    }

    #[test]
    fn git_can_read_the_manifest_with_sha256sum() {
        let scratch = Scratch::rendered();
        let sums = Command::new("sha256sum")
            .args(["--strict", "--quiet", "-c", ".meshlab.sum"])
            .current_dir(scratch.path("out/lab"))
            .status();
        match sums {
            Ok(status) => assert!(status.success()),
            Err(why) => skipped("sha256sum -c .meshlab.sum", &why.to_string()),
        }
    }
}

mod strangers {
    use super::*;

    #[test]
    fn foreign_files_are_reported_and_left_alone() {
        let scratch = Scratch::rendered();
        scratch.write("out/lab/notes.txt", "mine");
        scratch.write("out/lab/clusters/one/notes/todo.txt", "mine");
        scratch.write("out/other/file", "mine");
        let check = scratch.run("render --check").succeeds();
        insta::assert_snapshot!(check.transcript());
        scratch.run("render").succeeds();
        scratch.run("render --force").succeeds();
        assert_eq!(scratch.read("out/lab/notes.txt"), "mine");
        assert_eq!(scratch.read("out/lab/clusters/one/notes/todo.txt"), "mine");
        assert_eq!(scratch.read("out/other/file"), "mine");
    }

    #[test]
    fn a_foreign_file_in_the_way_is_refused() {
        let scratch = Scratch::of("lab", SMALL);
        scratch.write("out/lab/README.md", "mine");
        let run = scratch
            .run("render")
            .exits(2)
            .says("is in the way: meshlab did not write it");
        insta::assert_snapshot!(
            run.transcript()
                .lines()
                .filter(|line| !line.starts_with("lab: "))
                .collect::<Vec<_>>()
                .join("\n")
        );
        assert_eq!(scratch.files("out").len(), 1);
    }

    #[test]
    fn a_file_where_a_directory_must_be_and_the_other_way_round() {
        let scratch = Scratch::rendered();
        scratch.remove("out/lab/workflows");
        scratch.write("out/lab/workflows", "mine");
        scratch.remove("out/lab/README.md");
        scratch.write("out/lab/README.md/mine", "mine");
        refused(&scratch, "render", "workflows` is in the way").says("must become a file, but is a directory");
        assert!(scratch.run("render --check").code.is_some_and(|code| code != 0));
    }

    #[test]
    fn a_file_as_the_tree_is_refused() {
        let scratch = Scratch::rendered();
        scratch.remove("out");
        scratch.write("out/lab", "mine");
        refused(&scratch, "render", "is not a directory, but a tree belongs there");
        refused(
            &scratch,
            "render --check",
            "is not a directory, but a tree belongs there",
        );
    }
}

mod links {
    use super::*;

    #[test]
    fn a_link_in_the_tree_is_not_followed() {
        let scratch = Scratch::rendered();
        scratch.remove("out/lab/workflows");
        scratch.write("elsewhere/bootstrap.yaml", "theirs");
        symlink("../../elsewhere", scratch.path("out/lab/workflows")).unwrap();
        let run = refused(
            &scratch,
            "render",
            "workflows` is a symbolic link; links are not followed",
        );
        insta::assert_snapshot!(run.transcript());
        refused(&scratch, "render --force", "is a symbolic link");
        assert_eq!(scratch.files("elsewhere").len(), 1);
    }

    #[test]
    fn a_link_as_the_tree_is_refused() {
        let scratch = Scratch::rendered();
        fs::rename(scratch.path("out/lab"), scratch.path("elsewhere")).unwrap();
        symlink("../elsewhere", scratch.path("out/lab")).unwrap();
        refused(&scratch, "render", "out/lab` is a symbolic link");
        refused(&scratch, "render --check", "out/lab` is a symbolic link");
    }

    #[test]
    fn a_link_in_the_catalog_is_refused() {
        let scratch = Scratch::rendered();
        scratch.write("elsewhere/component.yaml", "summary: theirs");
        fs::create_dir_all(scratch.path("blueprints/components")).unwrap();
        symlink("../../elsewhere", scratch.path("blueprints/components/mine")).unwrap();
        for command in ["render", "validate", "components"] {
            let run = scratch
                .run(command)
                .says("blueprints/components/mine is a symbolic link");
            assert!(matches!(run.code, Some(2 | 3)), "{}", run.transcript());
        }
    }
}

mod keys {
    use super::*;

    /// Another lab of the same name, with a root of its own.
    fn stranger() -> Scratch {
        let scratch = Scratch::of("lab", SMALL);
        scratch.run("render").succeeds();
        scratch
    }

    fn add_a_cluster(scratch: &Scratch) {
        scratch.edit("blueprints/lab.yaml", "[{name: one}]", "[{name: one}, {name: two}]");
    }

    #[test]
    fn private_files_are_for_their_owner() {
        let scratch = Scratch::of("lab", SMALL);
        scratch
            .run("render")
            .succeeds()
            .says("keep them, and never in Git in the clear");
        let mut keys = 0;
        for path in scratch
            .files(".meshlab")
            .keys()
            .filter(|path| path.contains("key.pem") || path.contains("secrets/"))
        {
            let mode = fs::metadata(scratch.path(&format!(".meshlab/{path}"))).unwrap().mode() & 0o777;
            assert_eq!(mode, 0o600, "{path}");
            keys += 1;
        }
        assert!(keys > 5);
        let ignored = scratch.read(".meshlab/lab/.gitignore");
        assert_eq!(ignored.lines().last(), Some("*"));
    }

    #[test]
    fn nothing_public_holds_a_private_key() {
        let scratch = Scratch::rendered();
        for folder in ["out", "blueprints"] {
            for (path, bytes) in scratch.files(folder) {
                assert!(
                    !String::from_utf8(bytes).unwrap().contains("PRIVATE KEY--"),
                    "{folder}/{path}"
                );
            }
        }
    }

    #[test]
    fn a_complete_lock_needs_no_key() {
        let scratch = Scratch::rendered();
        scratch.remove(".meshlab");
        scratch.run("render").succeeds().says("nothing to change");
        scratch.run("render --check").succeeds();
        assert!(!scratch.exists(".meshlab/lab"));
    }

    #[test]
    fn new_keys_without_the_old_are_refused() {
        let scratch = Scratch::rendered();
        scratch.remove(".meshlab");
        add_a_cluster(&scratch);
        let before = scratch.files("");
        let run = scratch.run("render").exits(1);
        insta::assert_snapshot!(run.transcript());
        assert_eq!(scratch.files(""), before, "something was written");
    }

    #[test]
    fn a_check_never_extends_the_lock() {
        let scratch = Scratch::rendered();
        add_a_cluster(&scratch);
        let before = scratch.files("");
        let run = scratch.run("render --check").exits(1);
        insta::assert_snapshot!(run.transcript());
        assert_eq!(scratch.files(""), before, "a check wrote something");
    }

    #[test]
    fn a_check_of_a_lab_that_was_never_rendered() {
        let scratch = Scratch::of("lab", SMALL);
        scratch.run("render --check").exits(1).says("run `meshlab render lab`");
        scratch.run("apps").exits(1).says("run `meshlab render lab`");
        assert_eq!(scratch.files("").len(), 1);
    }

    #[test]
    fn a_cluster_more_leaves_the_others_certificates_alone() {
        let scratch = Scratch::rendered();
        let before = scratch.files("blueprints/lab.lock");
        add_a_cluster(&scratch);
        scratch.run("render").succeeds().says("the lock was extended by");
        let after = scratch.files("blueprints/lab.lock");
        for unchanged in ["hub.json", "one.json", "root-cert.pem"] {
            assert_eq!(after[unchanged], before[unchanged], "{unchanged}");
        }
        scratch.run("render --check").succeeds();
    }

    #[test]
    fn lock_and_keystore_of_different_roots() {
        let (scratch, stranger) = (Scratch::rendered(), stranger());
        add_a_cluster(&scratch);
        scratch.remove(".meshlab");
        fs::rename(stranger.path(".meshlab"), scratch.path(".meshlab")).unwrap();
        let before = scratch.files("");
        let run = refused(&scratch, "render", "root");
        insta::assert_snapshot!(run.transcript());
        assert_eq!(scratch.files(""), before);
    }

    #[test]
    fn a_keystore_of_another_lab() {
        let scratch = Scratch::rendered();
        add_a_cluster(&scratch);
        scratch.edit(".meshlab/lab/keystore.json", "\"lab\": \"lab\"", "\"lab\": \"other\"");
        let run = refused(&scratch, "render", "other");
        insta::assert_snapshot!(run.transcript());
    }

    #[test]
    fn a_directory_that_is_no_keystore() {
        let scratch = Scratch::of("lab", SMALL);
        scratch.write("documents/letter.txt", "Dear reader");
        let run = refused(&scratch, "render --keystore documents", "documents");
        insta::assert_snapshot!(run.transcript());
        assert_eq!(scratch.files("documents").len(), 1);
    }

    #[test]
    fn the_lost_lock_of_a_kept_keystore_is_made_anew() {
        let scratch = Scratch::rendered();
        let root = scratch.read("blueprints/lab.lock/root-cert.pem");
        scratch.remove("blueprints/lab.lock");
        scratch.run("render").succeeds();
        assert_eq!(
            scratch.read("blueprints/lab.lock/root-cert.pem"),
            root,
            "the root is kept"
        );
        scratch.run("render --check").succeeds();
    }

    #[test]
    fn what_others_can_read_is_pointed_out() {
        let scratch = Scratch::rendered();
        add_a_cluster(&scratch);
        fs::set_permissions(scratch.path(".meshlab/lab/root.key.pem"), Permissions::from_mode(0o644)).unwrap();
        scratch.run("render").succeeds().says("run `chmod 600` on it");
    }

    #[test]
    fn a_keystore_by_environment_or_option_is_used() {
        let scratch = Scratch::of("lab", SMALL);
        scratch.run("render --keystore keys").succeeds().says("in keys");
        assert!(scratch.exists("keys/keystore.json") && !scratch.exists(".meshlab"));
    }

    #[test]
    fn a_render_that_fails_mints_nothing() {
        let scratch = Scratch::of("lab", SMALL);
        scratch.write("argo/mine.yaml", "a: <{ nobody }>\n");
        let before = scratch.files("");
        scratch.run("render").exits(2).says("`nobody` is not defined");
        assert_eq!(scratch.files(""), before);
    }
}

mod locks {
    use super::*;

    #[test]
    fn a_damaged_lock_says_where() {
        for (file, from, to) in [
            ("one.json", "\"certificates\"", "\"certificate\""),
            ("one.json", "{", ""),
            ("root-cert.pem", "BEGIN", "BEGUN"),
            ("allocations.yaml", "slot: 1", "slot: first"),
            ("allocations.yaml", "slot: 1", "slot: 0"),
            ("allocations.yaml", "one: 1", "one: 0"),
        ] {
            let scratch = Scratch::rendered();
            let path = format!("blueprints/lab.lock/{file}");
            let text = scratch.read(&path);
            assert!(text.contains(from), "{text}");
            scratch.write(&path, text.replacen(from, to, 1));
            let before = scratch.files("");
            for command in ["render", "render --check"] {
                scratch.run(command).exits(2).says(&path);
            }
            assert_eq!(scratch.files(""), before);
        }
    }

    #[test]
    fn a_number_out_of_all_bounds_has_no_addresses() {
        let scratch = Scratch::rendered();
        scratch.edit("blueprints/lab.lock/allocations.yaml", "slot: 1", "slot: 4294967295");
        refused(&scratch, "render", "the addresses of pods are used up");
    }

    #[test]
    fn a_merge_that_gave_a_number_twice_is_refused() {
        let scratch = Scratch::rendered();
        scratch.write(
            "blueprints/lab.lock/allocations.yaml",
            "cells:\n  cell: {slot: 1, clusters: {one: 1}}\n  more: {slot: 1, clusters: {two: 1}}\n",
        );
        scratch.edit(
            "blueprints/lab.yaml",
            "[{name: one}]}",
            "[{name: one}]}\n  - {name: more, clusters: [{name: two}]}",
        );
        let run = refused(&scratch, "render", "slot 1");
        insta::assert_snapshot!(run.transcript());
    }
}

mod manifests {
    use super::*;

    #[test]
    fn newer_damaged_and_conflicting_manifests_are_refused() {
        let mut texts = String::new();
        let spoil: [fn(String) -> String; 4] = [
            |text| format!("meshlab-manifest 2\n{text}"),
            |text| text[..40].to_owned(),
            |text| text.replacen(' ', "", 1),
            |text| format!("<<<<<<< HEAD\n{text}=======\n{text}>>>>>>> theirs\n"),
        ];
        for spoil in spoil {
            let scratch = Scratch::rendered();
            scratch.write("out/lab/.meshlab.sum", spoil(scratch.read("out/lab/.meshlab.sum")));
            texts += &refused(&scratch, "render", ".meshlab.sum").transcript();
            refused(&scratch, "render --check", ".meshlab.sum");
            texts += "\n";
        }
        insta::assert_snapshot!(texts);
    }

    #[test]
    fn without_a_manifest_what_is_equal_is_ours() {
        let scratch = Scratch::rendered();
        let before = scratch.files("out");
        scratch.remove("out/lab/.meshlab.sum");
        scratch.run("render").succeeds();
        assert_eq!(scratch.files("out"), before);
    }
}

mod places {
    use super::*;

    #[test]
    fn nothing_to_do_anywhere() {
        let scratch = Scratch::empty();
        let run = scratch.run("render").exits(2);
        insta::assert_snapshot!(run.transcript());
        fs::create_dir(scratch.path("blueprints")).unwrap();
        scratch
            .run("render")
            .exits(2)
            .says("there is no blueprint in")
            .says("write `blueprints/<lab>.yaml`");
        scratch
            .run("-C nowhere render")
            .exits(2)
            .says("nowhere is not a directory");
    }

    #[test]
    fn an_unknown_lab() {
        let scratch = Scratch::rendered();
        scratch
            .run("render lap")
            .exits(2)
            .says("there is no lab `lap`")
            .says("did you mean `lab`?");
        scratch.run("render zebra").exits(2).says("labs here: lab");
        scratch
            .run("render blueprints/zebra.yaml")
            .exits(3)
            .says("there is no such file");
    }

    #[test]
    fn from_below_from_elsewhere_and_by_file() {
        let scratch = Scratch::rendered();
        scratch.run_in("out/lab/clusters", "render --check").succeeds();
        scratch.run_in("blueprints", "render --check lab").succeeds();
        scratch.run_in("blueprints", "render --check lab.yaml").succeeds();
        let outside = Scratch::empty();
        let root = scratch.path("");
        outside.run(&format!("-C {} render --check", root.display())).succeeds();
        let file = root.join("blueprints/lab.yaml");
        outside.run(&format!("render --check {}", file.display())).succeeds();
        outside.run(&format!("validate {}", file.display())).succeeds();
    }

    #[test]
    fn a_blueprint_outside_any_repository() {
        let scratch = Scratch::empty();
        scratch.write("lab.yaml", SMALL);
        scratch.run("validate lab.yaml").succeeds();
        scratch.run("render lab.yaml").succeeds();
        assert!(scratch.exists("out/lab/README.md") && scratch.exists("lab.lock/allocations.yaml"));
        scratch.run("render lab.yaml --check").succeeds();
    }

    #[test]
    fn several_labs_and_the_worst_exit_code() {
        let scratch = Scratch::rendered();
        scratch.write("blueprints/bad.yaml", "a: 1\n");
        let run = scratch
            .run("render")
            .exits(2)
            .says("unknown key `a`")
            .says("lab: rendered");
        assert!(run.stderr.find("unknown key") < run.stderr.find("lab: rendered"));
        scratch.run("render lab").succeeds();
    }

    #[test]
    fn two_renders_at_once_do_not_mix() {
        let scratch = Scratch::rendered();
        let held = fs::File::open(scratch.path("out/lab")).unwrap();
        held.lock().unwrap();
        scratch.run("render").exits(3).says("another meshlab is at work in it");
        held.unlock().unwrap();
        scratch.run("render").succeeds();
    }

    #[test]
    fn what_is_no_text_is_refused_and_what_is_text_in_another_dress_is_not() {
        let scratch = Scratch::rendered();
        for (dress, bytes) in [
            ("CRLF", SMALL.replace('\n', "\r\n")),
            ("BOM", format!("\u{feff}{SMALL}")),
        ] {
            scratch.write("blueprints/lab.yaml", bytes);
            let run = scratch.run("render --check");
            assert_eq!(run.code, Some(0), "{dress}: {}", run.stderr);
        }
        scratch.write("blueprints/lab.yaml", [0xff, 0xfe, 0]);
        scratch
            .run("render")
            .exits(2)
            .says("blueprints/lab.yaml")
            .says("not UTF-8");
        fs::remove_file(scratch.path("blueprints/lab.yaml")).unwrap();
        fs::create_dir(scratch.path("blueprints/lab.yaml")).unwrap();
        scratch.run("render lab").exits(2).says("there is no lab `lab`");
    }

    #[test]
    fn a_validation_goes_as_deep_as_the_lock_allows() {
        let scratch = Scratch::rendered();
        scratch.run("validate").succeeds().says("are valid");
        scratch.write("argo/mine.yaml", "a: <{ nobody }>\n");
        scratch.run("validate").exits(2).says("`nobody` is not defined");
        scratch.remove("blueprints/lab.lock");
        scratch.run("validate").succeeds().says("lab: its lock is not complete");
    }

    #[test]
    fn quiet_says_only_what_is_wrong() {
        let scratch = Scratch::rendered();
        let run = scratch.run("render -q").succeeds();
        assert_eq!(run.stdout + &run.stderr, "");
        scratch.run("render -q zebra").exits(2).says("zebra");
    }
}

mod disks {
    use super::*;

    /// Permissions do not hold root back.
    fn is_root(scratch: &Scratch) -> bool {
        fs::metadata(scratch.path("")).unwrap().uid() == 0
    }

    #[test]
    fn an_unwritable_directory() {
        let scratch = Scratch::rendered();
        if is_root(&scratch) {
            return skipped("an unwritable directory", "root may write everywhere");
        }
        scratch.remove(VALUES);
        let directory = scratch.path("out/lab");
        fs::set_permissions(&directory, Permissions::from_mode(0o555)).unwrap();
        scratch
            .run("render")
            .exits(3)
            .says("make it accessible")
            .says("nothing in the tree was changed");
        fs::set_permissions(&directory, Permissions::from_mode(0o755)).unwrap();
        scratch.run("render").succeeds();
    }

    #[test]
    fn a_full_disk_changes_nothing() {
        let scratch = Scratch::rendered();
        fs::create_dir(scratch.path("small")).unwrap();
        let small = scratch.path("small");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=256k", "meshlab-test"])
            .arg(&small)
            .output();
        if !mount.is_ok_and(|output| output.status.success()) {
            return skipped("a full disk", "mounting a small file system needs root");
        }
        let run = scratch.run("render --out small");
        let left = scratch.files("small");
        let unmounted = Command::new("umount").arg(&small).status().unwrap();
        assert!(unmounted.success());
        run.exits(3)
            .says("make room and run again: nothing in the tree was changed");
        assert!(left.is_empty(), "{:?}", left.keys());
        scratch.run("render --check").succeeds();
    }
}

/// A render that has nothing to do is told by what is remembered of the last one.
mod memory {
    use super::*;

    /// What a render says of it, and a change.
    type Change = (&'static str, fn(&Scratch));

    const MEMO: &str = ".meshlab/.rendered/lab";

    /// A lab that was rendered twice: the first render extended the lock, so only the second is remembered.
    fn remembered() -> Scratch {
        let scratch = Scratch::rendered();
        scratch.run("render").succeeds().says("nothing to change");
        assert!(scratch.exists(MEMO));
        scratch
    }

    #[test]
    fn nothing_is_rendered_while_nothing_changes() {
        let scratch = remembered();
        // What only a render would read: were the catalog read, this would be refused.
        scratch.write("argo/unread.yaml", "not: [closed");
        scratch.run("render").exits(2);
        scratch.remove("argo");
        scratch.run("render").succeeds().says("nothing to change");
        scratch.remove(MEMO);
        scratch.run("render").succeeds().says("nothing to change");
        assert!(scratch.exists(MEMO));
    }

    #[test]
    fn what_is_remembered_does_not_hide_a_change() {
        let scratch = remembered();
        let changes: [Change; 4] = [
            ("1 new", |scratch| scratch.remove(VALUES)),
            ("0 new", |scratch| {
                scratch.edit("blueprints/lab.yaml", "name: one", "podCIDR: 10.99.0.0/16, name: one");
            }),
            ("0 new", |scratch| scratch.write("argo/README.md.j2", "mine\n")),
            ("nothing to change", |scratch| {
                let lock = scratch.read("blueprints/lab.lock/one.json");
                scratch.write("blueprints/lab.lock/one.json", lock + "\n");
            }),
        ];
        for (says, change) in changes {
            let memo = scratch.read(MEMO);
            change(&scratch);
            let before = scratch.files("out");
            scratch.run("render").succeeds().says(says);
            assert_eq!(scratch.files("out") == before, says == "nothing to change", "{says}");
            scratch.run("render --check").succeeds();
            assert!(says == "1 new" || scratch.read(MEMO) != memo, "{says}");
        }
    }

    #[test]
    fn an_edit_by_hand_is_refused_all_the_same() {
        let scratch = remembered();
        scratch.write(VALUES, scratch.read(VALUES) + "# mine\n");
        scratch.run("render").exits(2).says("was edited by hand");
    }

    #[test]
    fn another_directory_needs_no_other_memory() {
        let scratch = remembered();
        scratch
            .run("render --out elsewhere")
            .succeeds()
            .says("0 changed, 0 removed");
        scratch
            .run("render --out elsewhere")
            .succeeds()
            .says("nothing to change");
        assert_eq!(scratch.files("elsewhere"), scratch.files("out"));
    }

    #[test]
    fn git_does_not_see_it() {
        let scratch = remembered();
        assert_eq!(scratch.read(".meshlab/.rendered/.gitignore"), "*\n");
    }
}
