//! An open directory, and what can be done with the names in it.
//!
//! Everything is relative to a handle and takes one name, and no call follows a symbolic link. So nothing that a link points to
//! is ever read or written, whoever moves directories about meanwhile.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawMode};
use rustix::io::Errno;

use super::fault;
use crate::core::diff::Disk;

const FILE_MODE: RawMode = 0o644;
const DIRECTORY_MODE: RawMode = 0o755;

/// An open directory.
#[derive(Debug)]
pub(super) struct Dir(OwnedFd);

/// What stands at a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Link,
    Special,
}

/// What stands at a name, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Absent,
    File(Vec<u8>),
    Directory,
    Link,
    Special,
}

/// A name where a directory is looked for.
#[derive(Debug)]
pub(super) enum Child {
    Dir(Dir),
    Absent,
    Blocked(Kind),
}

impl Found {
    pub(super) fn disk(&self) -> Disk<'_> {
        match self {
            Self::Absent => Disk::Absent,
            Self::File(bytes) => Disk::File(bytes),
            Self::Directory => Disk::Directory,
            Self::Link => Disk::Link,
            Self::Special => Disk::Special,
        }
    }
}

impl Kind {
    fn of(file_type: FileType) -> Self {
        match file_type {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Directory,
            FileType::Symlink => Self::Link,
            _ => Self::Special,
        }
    }
}

impl Dir {
    /// Looks for a directory at any path. Links above its last name are followed: where a tree lies is the person's business.
    pub(super) fn at(path: &Path) -> io::Result<Child> {
        Self::look(CWD, path.as_os_str())
    }

    /// Looks for a directory in this one.
    pub(super) fn child(&self, name: &OsStr) -> io::Result<Child> {
        Self::look(&self.0, name)
    }

    fn look(parent: impl std::os::fd::AsFd + Copy, name: &OsStr) -> io::Result<Child> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match rustix::fs::openat(parent, name, flags, Mode::empty()) {
            Ok(fd) => Ok(Child::Dir(Self(fd))),
            Err(Errno::NOENT) => Ok(Child::Absent),
            Err(error @ (Errno::NOTDIR | Errno::LOOP)) => {
                let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(|_| error)?;
                Ok(Child::Blocked(Kind::of(FileType::from_raw_mode(stat.st_mode))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a directory in this one, made if it is not there.
    pub(super) fn make(&self, name: &OsStr) -> io::Result<Self> {
        fault::point()?;
        match rustix::fs::mkdirat(&self.0, name, Mode::from_raw_mode(DIRECTORY_MODE)) {
            Ok(()) | Err(Errno::EXIST) => self.enter(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a directory that must be there.
    pub(super) fn enter(&self, name: &OsStr) -> io::Result<Self> {
        match self.child(name)? {
            Child::Dir(dir) => Ok(dir),
            Child::Absent => Err(Errno::NOENT.into()),
            Child::Blocked(_) => Err(Errno::NOTDIR.into()),
        }
    }

    /// Reads a file.
    pub(super) fn read(&self, name: &OsStr) -> io::Result<Found> {
        // A pipe would block the open, a terminal would become ours.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = match rustix::fs::openat(&self.0, name, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(Found::Absent),
            Err(Errno::LOOP) => return Ok(Found::Link),
            Err(Errno::NXIO) => return Ok(Found::Special),
            Err(error) => return Err(error.into()),
        };
        let stat = rustix::fs::fstat(&fd)?;
        match Kind::of(FileType::from_raw_mode(stat.st_mode)) {
            Kind::File => {
                let mut bytes = vec![0; usize::try_from(stat.st_size).map_err(|_| Errno::FBIG)?];
                File::from(fd).read_exact(&mut bytes)?;
                Ok(Found::File(bytes))
            }
            Kind::Directory => Ok(Found::Directory),
            Kind::Link | Kind::Special => Ok(Found::Special),
        }
    }

    /// Writes a file that must not be there yet.
    pub(super) fn create(&self, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
        fault::point()?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let fd = rustix::fs::openat(&self.0, name, flags, Mode::from_raw_mode(FILE_MODE))?;
        File::from(fd).write_all(bytes)
    }

    /// Moves a file or directory into another directory, over a file or an empty directory of that name.
    pub(super) fn rename(&self, name: &OsStr, to: &Self, new_name: &OsStr) -> io::Result<()> {
        fault::point()?;
        Ok(rustix::fs::renameat(&self.0, name, &to.0, new_name)?)
    }

    /// Deletes a file or link; one that is not there is as good as deleted.
    pub(super) fn unlink(&self, name: &OsStr) -> io::Result<()> {
        self.delete(name, AtFlags::empty())
    }

    /// Deletes a directory if it is empty; one that is not there, or is no directory, is left.
    pub(super) fn rmdir_if_empty(&self, name: &OsStr) -> io::Result<()> {
        match self.delete(name, AtFlags::REMOVEDIR) {
            Err(error)
                if matches!(
                    Errno::from_io_error(&error),
                    Some(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR)
                ) =>
            {
                Ok(())
            }
            done => done,
        }
    }

    fn delete(&self, name: &OsStr, flags: AtFlags) -> io::Result<()> {
        fault::point()?;
        match rustix::fs::unlinkat(&self.0, name, flags) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Deletes whatever stands at a name, with all that is in it.
    pub(super) fn clear(&self, name: &OsStr) -> io::Result<()> {
        match self.child(name)? {
            Child::Absent => Ok(()),
            Child::Blocked(_) => self.unlink(name),
            Child::Dir(dir) => {
                for (inner, _) in dir.entries()? {
                    dir.clear(&inner)?;
                }
                self.delete(name, AtFlags::REMOVEDIR)
            }
        }
    }

    /// The names in this directory, sorted.
    pub(super) fn entries(&self) -> io::Result<Vec<(OsString, Kind)>> {
        let mut entries = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                entries.push((name.to_owned(), self.kind(name, entry.file_type())?));
            }
        }
        entries.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        Ok(entries)
    }

    /// Some file systems do not say in a listing what an entry is.
    fn kind(&self, name: &OsStr, listed: FileType) -> io::Result<Kind> {
        if listed != FileType::Unknown {
            return Ok(Kind::of(listed));
        }
        let stat = rustix::fs::statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(Kind::of(FileType::from_raw_mode(stat.st_mode)))
    }

    /// A file handle of the directory, to lock it by.
    pub(super) fn handle(&self) -> io::Result<File> {
        Ok(File::from(self.0.try_clone()?))
    }
}
