//! Commands that outlive a runner that was killed: each has a note as long as it is at work.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, test_kill_process_group};

use super::stop::Stop;
use crate::edge::durable;

/// How long they are waited for: the number of one that has ended may have gone to another.
const PATIENCE: Duration = Duration::from_mins(1);

/// The notes about commands, a file named after each one's process group.
#[derive(Debug)]
pub struct Orphans {
    directory: PathBuf,
}

impl Orphans {
    /// The notes in what the runner keeps in `directory`.
    ///
    /// # Errors
    /// The file system's.
    pub fn of(directory: &Path) -> io::Result<Self> {
        let directory = directory.join("commands");
        durable::make_dirs(&directory, 0o700)?;
        Ok(Self { directory })
    }

    /// Whether commands of an earlier run are at work. Notes about those that are not are removed.
    pub fn are_at_work(&self) -> bool {
        let entries = fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let alive = entries.filter(|entry| {
            let alive = entry.file_name().to_str().and_then(group).is_some_and(is_alive);
            if !alive {
                let _ = fs::remove_file(entry.path());
            }
            alive
        });
        alive.count() > 0
    }

    /// Waits for their end, as long as it may take.
    pub fn outlive(&self, stop: &Stop) {
        let start = Instant::now();
        while self.are_at_work() && !stop.is_wanted() && start.elapsed() < PATIENCE {
            stop.sleep(Duration::from_millis(50));
        }
        for entry in fs::read_dir(&self.directory).into_iter().flatten().flatten() {
            let _ = fs::remove_file(entry.path());
        }
    }

    /// Notes a command; the note goes when it is dropped.
    pub(super) fn note(&self, group: u32) -> Note {
        let path = self.directory.join(group.to_string());
        let _ = fs::write(&path, "");
        Note(path)
    }
}

/// A command is at work.
pub(super) struct Note(PathBuf);

impl Drop for Note {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

fn group(name: &str) -> Option<Pid> {
    Pid::from_raw(name.parse().ok()?)
}

/// Whether the command is at work. Where nobody has asked for the end of a process it still counts for the system, as a zombie.
fn is_alive(group: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{}/stat", group.as_raw_nonzero())).unwrap_or_default();
    test_kill_process_group(group).is_ok() && !stat.contains(") Z ")
}
