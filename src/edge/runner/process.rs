//! One command as a process in a group of its own, with a limit of time.

use std::io::{self, Read, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use zeroize::Zeroizing;

use super::orphans::Orphans;
use super::stop::Stop;

/// How long a process has to end by itself when it is asked to.
const GRACE: Duration = Duration::from_secs(10);

/// How long what it said may take to arrive after its end. Others that it started may keep the pipe open for ever.
const LINGER: Duration = Duration::from_secs(2);

/// A command with nothing left open.
pub(super) struct Invocation<'a> {
    pub(super) program: &'a str,
    pub(super) arguments: &'a [String],
    pub(super) environment: &'a [(String, String)],
    pub(super) stdin: Option<Zeroizing<Vec<u8>>>,
    pub(super) directory: &'a Path,
    pub(super) timeout: Duration,
}

/// How it ended, and what it said.
pub(super) struct Finished {
    pub(super) end: End,
    pub(super) stdout: Zeroizing<Vec<u8>>,
    pub(super) stderr: Zeroizing<Vec<u8>>,
}

/// How a process ended.
pub(super) enum End {
    Code(i32),
    Signal(i32),
    TimedOut,
    Stopped,
}

/// Runs a command to its end.
pub(super) fn run(invocation: Invocation<'_>, orphans: &Orphans, stop: &Stop) -> io::Result<Finished> {
    let mut command = Command::new(invocation.program);
    command
        .args(invocation.arguments)
        .envs(invocation.environment.iter().map(|(name, value)| (name, value)))
        .current_dir(invocation.directory)
        .stdin(if invocation.stdin.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // Ctrl-C goes to the terminal's group: who is in another is not hit in the middle of its work, and can be ended with all that it started.
        .process_group(0);
    let mut child = command.spawn()?;
    let _note = orphans.note(child.id());
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), invocation.stdin) {
        // One that does not read all of it is no failure here: its exit code tells.
        thread::spawn(move || drop(pipe.write_all(&text)));
    }
    let stdout = reader(child.stdout.take());
    let stderr = reader(child.stderr.take());
    let end = wait(&mut child, invocation.timeout, stop)?;
    let deadline = Instant::now() + LINGER;
    Ok(Finished {
        end,
        stdout: collected(&stdout, deadline),
        stderr: collected(&stderr, deadline),
    })
}

/// Waits for the end, and brings it about if it is late or the user wants to end.
fn wait(child: &mut Child, timeout: Duration, stop: &Stop) -> io::Result<End> {
    let start = Instant::now();
    let mut pause = Duration::from_millis(1);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(ended(status));
        }
        if stop.is_wanted() {
            end(child)?;
            return Ok(End::Stopped);
        }
        if start.elapsed() >= timeout {
            end(child)?;
            return Ok(End::TimedOut);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// Asks the whole group to end, and ends it.
fn end(child: &mut Child) -> io::Result<()> {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let signal = |signal: Signal| group.map(|group| kill_process_group(group, signal));
    signal(Signal::TERM);
    let asked = Instant::now();
    while asked.elapsed() < GRACE && child.try_wait()?.is_none() {
        thread::sleep(Duration::from_millis(10));
    }
    // Also what the process left behind in its group.
    signal(Signal::KILL);
    child.wait().map(drop)
}

fn ended(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Code(code),
        None => End::Signal(status.signal().unwrap_or_default()),
    }
}

/// Reads a pipe as it fills, so that nobody waits for us.
fn reader(pipe: Option<impl Read + Send + 'static>) -> Receiver<Zeroizing<Vec<u8>>> {
    let (sender, receiver) = mpsc::channel();
    if let Some(mut pipe) = pipe {
        thread::spawn(move || {
            let mut buffer = Zeroizing::new(vec![0; 16 * 1024]);
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if sender.send(Zeroizing::new(buffer[..read].to_vec())).is_err() {
                    break;
                }
            }
        });
    }
    receiver
}

/// All that a reader has found, up to the end of the pipe or of the time.
fn collected(receiver: &Receiver<Zeroizing<Vec<u8>>>, deadline: Instant) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(Vec::new());
    loop {
        match receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(some) => all.extend_from_slice(&some),
            Err(RecvTimeoutError::Disconnected | RecvTimeoutError::Timeout) => return all,
        }
    }
}
