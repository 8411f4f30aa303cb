//! The keystore: a directory of private keys and passwords, one file each.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::durable;
use super::secret::Secret;
use crate::core::name::LabName;
use crate::core::pki::Slot;

const MARK: &str = "keystore.json";

const README: &str = "\
The private keys of a lab. Whoever has them can issue any identity of the lab and open its sealed Secrets.

Keep this directory: without it `meshlab render` can still render everything, but nothing new can be minted.
Back it up, keep it out of Git, and let nobody else read it. No file here is ever changed or removed by meshlab.

root.key.pem, root.cert.pem      the root of the lab
cells/<cell>/                    the CA that the clusters of a cell share
clusters/<cluster>/              keys of the cluster's intermediates, of its servers and of its sealed Secrets
secrets/<cluster>/<instance>/    passwords, one file per key of a Secret
";

/// A keystore on disk.
#[derive(Debug)]
pub struct Keystore {
    dir: PathBuf,
    public: bool,
    exposed: Mutex<BTreeSet<PathBuf>>,
}

/// `keystore.json`: marks the directory and says whose keys these are.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    lab: String,
    /// The keys are published on purpose, for demonstrations only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    public: bool,
}

/// Why a keystore could not be used.
#[derive(Debug)]
pub enum KeystoreError {
    /// The directory holds something else.
    NotAKeystore(PathBuf, String),
    /// The keys are those of another lab, named last.
    OtherLab(PathBuf, String),
    /// A file that should be created is there already: somebody else extended the keystore meanwhile.
    Exists(PathBuf),
    /// The file system failed.
    Io(PathBuf, io::Error),
}

impl fmt::Display for KeystoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAKeystore(dir, reason) => write!(
                f,
                "{} is not a keystore: {reason}; name another directory with --keystore, or an empty or new one for new keys",
                dir.display()
            ),
            Self::OtherLab(dir, lab) => write!(
                f,
                "{} is the keystore of lab `{lab}`; name the one of this lab with --keystore or MESHLAB_KEYSTORE",
                dir.display()
            ),
            Self::Exists(path) => write!(
                f,
                "{} appeared while new keys were made, and is kept; run the command again to use it",
                path.display()
            ),
            Self::Io(path, error) => write!(f, "{}: {error}", path.display()),
        }
    }
}

impl std::error::Error for KeystoreError {}

impl Keystore {
    /// Opens the keystore of `lab` in `dir`; none, if there is no such directory or it is empty.
    ///
    /// # Errors
    /// The directory is something else, belongs to another lab, or cannot be read.
    pub fn open(dir: &Path, lab: &LabName) -> Result<Option<Self>, KeystoreError> {
        if is_void(dir)? {
            return Ok(None);
        }
        let mark = read_mark(dir)?;
        if mark.lab != lab.as_str() {
            return Err(KeystoreError::OtherLab(dir.to_path_buf(), mark.lab));
        }
        Ok(Some(Self {
            dir: dir.to_path_buf(),
            public: mark.public,
            exposed: Mutex::default(),
        }))
    }

    /// Makes an empty keystore of `lab` in `dir`, readable by its owner only and ignored by Git, or opens the one that is there.
    ///
    /// # Errors
    /// As [`Self::open`], or the directory cannot be written.
    pub fn create(dir: &Path, lab: &LabName) -> Result<Self, KeystoreError> {
        if let Some(keystore) = Self::open(dir, lab)? {
            return Ok(keystore);
        }
        make_private(dir).map_err(at(dir))?;
        let _held = hold(dir)?;
        let mark = serde_json::json!({"lab": lab});
        // The mark comes first: whatever happens next, the directory is known as a keystore.
        for (name, text) in [
            (MARK, format!("{mark:#}\n").as_str()),
            (".gitignore", "*\n"),
            ("README", README),
        ] {
            add_file(&dir.join(name), text)?;
        }
        durable::sync(dir).map_err(at(dir))?;
        Ok(Self {
            dir: dir.to_path_buf(),
            public: false,
            exposed: Mutex::default(),
        })
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether its keys are published on purpose (`"public": true` in `keystore.json`): fit for demonstrations only.
    pub fn is_public(&self) -> bool {
        self.public
    }

    /// Reads one value, if it is there.
    ///
    /// # Errors
    /// The file is there but cannot be read.
    pub fn read(&self, slot: &Slot) -> Result<Option<Secret>, KeystoreError> {
        let path = self.dir.join(slot.path());
        let text = match fs::read_to_string(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => Secret::from(text.map_err(at(&path))?),
        };
        self.note_exposure(path);
        Ok(Some(text))
    }

    /// Adds values. Nothing that is there is ever changed.
    ///
    /// # Errors
    /// A value is there already, or the file system failed; what was added before that stays.
    pub fn add<'a>(&self, values: impl IntoIterator<Item = (&'a Slot, &'a Secret)>) -> Result<(), KeystoreError> {
        let _held = hold(&self.dir)?;
        let mut grown = BTreeSet::new();
        for (slot, value) in values {
            let path = self.dir.join(slot.path());
            let dir = path.parent().unwrap_or(&self.dir);
            durable::make_dirs(dir, 0o700).map_err(at(dir))?;
            add_file(&path, value.reveal())?;
            grown.insert(dir.to_path_buf());
        }
        grown.iter().try_for_each(|dir| durable::sync(dir).map_err(at(dir)))
    }

    /// The files read so far that others than their owner can read, sorted. Worth a warning, unless the keystore is public.
    pub fn exposed(&self) -> Vec<PathBuf> {
        self.exposed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }

    fn note_exposure(&self, path: PathBuf) {
        let mode = fs::metadata(&path).map_or(0, |metadata| metadata.permissions().mode());
        if mode & 0o077 != 0 {
            self.exposed.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
        }
    }
}

fn is_void(dir: &Path) -> Result<bool, KeystoreError> {
    match fs::read_dir(dir) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(error) => Err(at(dir)(error)),
    }
}

fn read_mark(dir: &Path) -> Result<Mark, KeystoreError> {
    let not = |reason: String| KeystoreError::NotAKeystore(dir.to_path_buf(), reason);
    let text = match fs::read_to_string(dir.join(MARK)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(not(format!("it has no {MARK}"))),
        text => text.map_err(at(&dir.join(MARK)))?,
    };
    serde_json::from_str(&text).map_err(|error| not(format!("{MARK}: {error}")))
}

fn hold(dir: &Path) -> Result<fs::File, KeystoreError> {
    durable::lock(dir).map_err(at(dir))
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> KeystoreError {
    let path = path.to_path_buf();
    move |error| KeystoreError::Io(path, error)
}

/// Makes a directory that only its owner may enter; one that is there and empty becomes so.
fn make_private(dir: &Path) -> io::Result<()> {
    durable::make_dirs(dir, 0o700)?;
    fs::set_permissions(dir, fs::Permissions::from_mode(0o700))
}

fn add_file(path: &Path, text: &str) -> Result<(), KeystoreError> {
    durable::create(path, text.as_bytes(), 0o600).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => KeystoreError::Exists(path.to_path_buf()),
        _ => at(path)(error),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::name::CellName;

    fn lab(name: &str) -> LabName {
        LabName::new(name).unwrap()
    }

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn value(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    /// A keystore in a fresh directory, with a root key.
    fn keystore(dir: &Path) -> Keystore {
        let keystore = Keystore::create(&dir.join(".meshlab/meshlab"), &lab("meshlab")).unwrap();
        keystore.add([(&Slot::Root, &value("root"))]).unwrap();
        keystore
    }

    #[test]
    fn only_the_owner_may_look() {
        let dir = tempfile::tempdir().unwrap();
        let keystore = keystore(dir.path());
        let slot = Slot::Cell(CellName::new("pasta").unwrap());
        keystore.add([(&slot, &value("cell"))]).unwrap();
        for (path, expected) in [
            ("", 0o700),
            ("root.key.pem", 0o600),
            ("cells", 0o700),
            ("cells/pasta", 0o700),
            ("cells/pasta/ca.key.pem", 0o600),
        ] {
            assert_eq!(mode(&keystore.dir().join(path)), expected, "{path}");
        }
        assert_eq!(mode(&dir.path().join(".meshlab")), 0o700);
        assert_eq!(fs::read_to_string(keystore.dir().join(".gitignore")).unwrap(), "*\n");
    }

    #[test]
    fn nothing_is_ever_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let keystore = keystore(dir.path());
        let error = keystore.add([(&Slot::Root, &value("other"))]).unwrap_err();
        assert!(matches!(error, KeystoreError::Exists(_)), "{error}");
        assert_eq!(keystore.read(&Slot::Root).unwrap().unwrap().reveal(), "root");
        Keystore::create(keystore.dir(), &lab("meshlab")).unwrap();
        assert_eq!(keystore.read(&Slot::Root).unwrap().unwrap().reveal(), "root");
    }

    #[test]
    fn what_is_no_keystore_of_this_lab_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            Keystore::open(&dir.path().join("none"), &lab("meshlab"))
                .unwrap()
                .is_none()
        );
        assert!(
            Keystore::open(dir.path(), &lab("meshlab")).unwrap().is_none(),
            "an empty directory may become one"
        );
        let keystore = keystore(dir.path());
        let error = Keystore::open(keystore.dir(), &lab("other")).unwrap_err().to_string();
        assert!(error.contains("keystore of lab `meshlab`"), "{error}");
        let error = Keystore::create(dir.path(), &lab("meshlab")).unwrap_err().to_string();
        assert!(error.contains("is not a keystore: it has no keystore.json"), "{error}");
    }

    #[test]
    fn readable_keys_are_noted_when_they_are_used() {
        let dir = tempfile::tempdir().unwrap();
        let keystore = keystore(dir.path());
        let path = keystore.dir().join("root.key.pem");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(keystore.exposed().is_empty());
        keystore.read(&Slot::Root).unwrap();
        assert_eq!(keystore.exposed(), [path]);
    }

    #[test]
    fn public_keystores_say_so() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(MARK), r#"{"lab": "meshlab", "public": true}"#).unwrap();
        assert!(
            Keystore::open(dir.path(), &lab("meshlab"))
                .unwrap()
                .unwrap()
                .is_public()
        );
        assert!(!keystore(dir.path()).is_public());
    }
}
