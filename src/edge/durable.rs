//! Files that are whole or absent, also after a crash.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path`, replacing what is there by rename. The caller holds a lock and afterwards calls [`sync`].
///
/// # Errors
/// Any I/O error; then the old file is untouched.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let staged = stage(path, bytes, mode)?;
    fs::rename(&staged, path).inspect_err(|_| discard(&staged))
}

/// Writes `bytes` to `path`, where nothing may be. The caller holds a lock and afterwards calls [`sync`].
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`] if there is something, which stays as it is; else any I/O error.
pub fn create(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let staged = stage(path, bytes, mode)?;
    // A hard link, unlike a rename, never replaces.
    let linked = fs::hard_link(&staged, path);
    discard(&staged);
    linked
}

/// Makes `dir` and what is missing above it, each with `mode`, so that they last.
///
/// # Errors
/// Any I/O error.
pub fn make_dirs(dir: &Path, mode: u32) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    make_dirs(parent(dir), mode)?;
    match DirBuilder::new().mode(mode).create(dir) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir() => Ok(()),
        outcome => outcome.and_then(|()| sync(parent(dir))),
    }
}

/// Makes what was created, renamed or removed in `dir` last.
///
/// # Errors
/// Any I/O error.
pub fn sync(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

/// Locks `dir` against other writers until the handle is dropped. Leaves no file behind.
///
/// # Errors
/// Any I/O error.
pub fn lock(dir: &Path) -> io::Result<File> {
    let handle = File::open(dir)?;
    handle.lock()?;
    Ok(handle)
}

fn stage(path: &Path, bytes: &[u8], mode: u32) -> io::Result<PathBuf> {
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_string_lossy();
    let staged = path.with_file_name(format!(".{name}.meshlab"));
    // Only a crash leaves one: writers hold a lock.
    discard(&staged);
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&staged)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().inspect_err(|_| discard(&staged))?;
    Ok(staged)
}

/// Removes a staged file as far as possible: it is rubbish, never a loss.
fn discard(staged: &Path) {
    let _ = fs::remove_file(staged);
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn create_never_replaces() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("root.key.pem");
        create(&path, b"old", 0o600).unwrap();
        assert_eq!(
            create(&path, b"new", 0o600).unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(names(dir.path()), ["root.key.pem"]);
    }

    #[test]
    fn a_failed_replacement_leaves_the_old_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pasta-1.json");
        replace(&path, b"old", 0o644).unwrap();
        // A directory stands where the staged file should: the write fails before the rename.
        fs::create_dir(dir.path().join(".pasta-1.json.meshlab")).unwrap();
        replace(&path, b"new", 0o644).unwrap_err();
        assert_eq!(fs::read(&path).unwrap(), b"old");
    }

    #[test]
    fn what_a_crash_left_is_no_obstacle() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pasta-1.json");
        fs::write(dir.path().join(".pasta-1.json.meshlab"), "half").unwrap();
        replace(&path, b"whole", 0o644).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(names(dir.path()), ["pasta-1.json"]);
    }
}
