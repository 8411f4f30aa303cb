//! `git: {serve: true}`: the repository, read-only, at one address.

use std::process::Command;

use super::labs::{Lab, kill};
use crate::support::skipped;

fn git(lab: &Lab, arguments: &[&str]) -> std::process::Output {
    Command::new("git")
        .args(arguments)
        .current_dir(lab.scratch.path(""))
        .output()
        .unwrap()
}

#[test]
fn the_repository_and_nothing_else_is_served() {
    let lab = Lab::served();
    if !git(&lab, &["daemon", "--inetd"]).stderr.is_empty() || std::net::TcpListener::bind("127.0.0.1:9418").is_err() {
        return skipped("git daemon", "there is none, or port 9418 is taken");
    }
    git(&lab, &["init", "--quiet"]);
    git(&lab, &["add", "--all", "out"]);
    let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
    git(
        &lab,
        &[&who[..], &["commit", "--quiet", "--message", "Render"]].concat(),
    );
    git(&lab, &["clone", "--quiet", "--bare", ".", "other.git"]);
    lab.run("up").succeeds();
    let url = |name: &str| format!("git://127.0.0.1/{name}");
    let seen = git(&lab, &["ls-remote", &url("lab.git"), "HEAD"]);
    assert!(seen.status.success(), "{}", String::from_utf8_lossy(&seen.stderr));
    for other in ["other.git", "../other.git", ".git"] {
        assert!(
            !git(&lab, &["ls-remote", &url(other)]).status.success(),
            "{other} is served"
        );
    }
    let push = git(&lab, &["push", &url("lab.git"), "HEAD:refs/heads/pushed"]);
    assert!(!push.status.success(), "it can be written");
    // A new commit is there at once, without a push.
    git(
        &lab,
        &[&who[..], &["commit", "--quiet", "--allow-empty", "--message", "More"]].concat(),
    );
    let head = git(&lab, &["rev-parse", "HEAD"]).stdout;
    let seen = git(&lab, &["ls-remote", &url("lab.git"), "HEAD"]).stdout;
    assert!(
        String::from_utf8(seen)
            .unwrap()
            .starts_with(String::from_utf8(head).unwrap().trim())
    );
    let process = lab.scratch.read(".meshlab/lab.run/git.pid").trim().to_owned();
    lab.run("up").succeeds().says("nothing to do");
    lab.run("down --yes").succeeds();
    let gone = !lab.scratch.exists(".meshlab/lab.run/git.pid");
    kill(&process);
    assert!(gone, "`down` ends it");
    lab.understood();
}
