//! Programs of this machine: where they are, and what they answer to a question that changes nothing.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs, io};

use super::secret::Secret;

/// What a program said, and how it ended.
#[derive(Debug)]
pub struct Answer {
    /// Standard output.
    pub output: String,
    /// Whether it ended well.
    pub succeeded: bool,
    /// Standard error.
    pub said: String,
}

impl Answer {
    /// The last line of standard error, or what is said where there is none.
    pub fn why(&self) -> String {
        let line = self.said.lines().rev().find(|line| !line.trim().is_empty());
        line.map_or_else(
            || "it failed, and does not say why".to_owned(),
            |line| line.trim().to_owned(),
        )
    }

    /// The last lines of standard error, or of standard output where that is empty.
    pub fn last_lines(&self) -> String {
        let said = if self.said.trim().is_empty() {
            &self.output
        } else {
            &self.said
        };
        let lines: Vec<&str> = said.trim_end().lines().collect();
        lines[lines.len().saturating_sub(10)..].join("\n")
    }
}

/// Where a program is on the path.
pub fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path)
        .map(|dir| dir.join(program))
        .find(|path| is_program(path))
}

fn is_program(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

/// Asks a program something. It gets no input and at most `patience`; then it is ended.
///
/// # Errors
/// It cannot be started, or takes too long.
pub fn ask<S: AsRef<OsStr>>(
    program: &str,
    arguments: impl IntoIterator<Item = S>,
    environment: &[(&str, &OsStr)],
    patience: Duration,
) -> io::Result<Answer> {
    let mut child = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let output = listen(child.stdout.take());
    let said = listen(child.stderr.take());
    let status = end(&mut child, patience)?;
    let text = |listener: thread::JoinHandle<String>| listener.join().unwrap_or_default();
    Ok(Answer {
        output: text(output),
        succeeded: status.success(),
        said: text(said),
    })
}

/// Reads to the end beside the program, which would stop at a full pipe otherwise.
fn listen(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn end(child: &mut Child, patience: Duration) -> io::Result<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if start.elapsed() > patience {
            child.kill()?;
            child.wait()?;
            let why = format!("no answer in {} seconds", patience.as_secs());
            return Err(io::Error::new(io::ErrorKind::TimedOut, why));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// A file that holds a secret.
///
/// # Errors
/// It cannot be read.
pub fn read_secret(path: &Path) -> io::Result<Secret> {
    fs::read_to_string(path).map(Secret::from)
}

/// The clock: seconds since 1970.
pub fn now() -> i64 {
    time::OffsetDateTime::now_utc().unix_timestamp()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, seconds: u64) -> io::Result<Answer> {
        ask(
            "sh",
            ["-c", script],
            &[("WORD", OsStr::new("hello"))],
            Duration::from_secs(seconds),
        )
    }

    #[test]
    fn answers_are_whole() {
        let answer = sh("echo $WORD; head -c 300000 /dev/zero | tr '\\0' x >&2; exit 3", 20).unwrap();
        assert_eq!(
            (answer.output.as_str(), answer.succeeded, answer.said.len()),
            ("hello\n", false, 300_000)
        );
        assert_eq!(sh("echo a >&2; echo ' b' >&2; echo >&2", 20).unwrap().why(), "b");
    }

    #[test]
    fn who_does_not_answer_is_ended() {
        let error = sh("exec sleep 60", 0).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn programs_are_found_on_the_path() {
        assert!(find("sh").is_some());
        assert!(find("no-such-program").is_none());
    }
}
