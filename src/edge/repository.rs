//! Reads a lab's repository: blueprints, the user's own components, and what the binary brings along.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use include_dir::{Dir, DirEntry, include_dir};
use walkdir::WalkDir;

use crate::core::catalog::{Files, Folder, Origin};
use crate::core::source::Source;

static COMPONENTS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/blueprints/components");
/// What differs between the minors of Istio: a file beside the components, replaced as a whole like one of them.
const ISTIO_VERSIONS: &str = "istio-versions.yaml";

static ARGO: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/argo");

/// Something in a repository that meshlab does not read: the user's to mend, not the environment's.
#[derive(Debug)]
pub struct Refused(pub String);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Refused {}

/// A directory with `blueprints/`.
#[derive(Debug, Clone)]
pub struct Repository {
    root: PathBuf,
}

/// A blueprint's file and the name by which messages know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlueprintFile {
    /// Where it is.
    pub path: PathBuf,
    /// As shown: relative to the repository, with `/`.
    pub name: String,
}

impl BlueprintFile {
    /// The lab that it should describe: the file's name without `.yaml`.
    pub fn lab(&self) -> &str {
        let file = self.name.rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".yaml").unwrap_or(file)
    }

    /// Where its lock is: `<lab>.lock` beside it.
    pub fn lock(&self) -> PathBuf {
        self.path.with_file_name(format!("{}.lock", self.lab()))
    }

    /// The lock's directory as shown.
    pub fn lock_name(&self) -> String {
        self.name.strip_suffix(".yaml").unwrap_or(&self.name).to_owned() + ".lock"
    }

    /// The text.
    ///
    /// # Errors
    /// A file that cannot be read; [`Refused`]: what is no UTF-8.
    pub fn read(&self) -> Result<Arc<Source>> {
        source(&self.path, &self.name)
    }
}

impl Repository {
    /// The repository at `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The repository around `start`: the nearest directory upwards that has `blueprints/`.
    pub fn around(start: &Path) -> Option<Self> {
        start
            .ancestors()
            .find(|dir| dir.join("blueprints").is_dir())
            .map(Self::at)
    }

    /// Its top directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The blueprint of a lab.
    pub fn blueprint(&self, lab: &str) -> BlueprintFile {
        let name = format!("blueprints/{lab}.yaml");
        BlueprintFile {
            path: self.root.join(&name),
            name,
        }
    }

    /// A blueprint by its path.
    pub fn file(&self, path: &Path) -> BlueprintFile {
        let absolute = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let (file, root) = (absolute(path), absolute(&self.root));
        let name = slashes(file.strip_prefix(&root).unwrap_or(path));
        BlueprintFile {
            path: path.to_owned(),
            name,
        }
    }

    /// All blueprints, by name.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub fn blueprints(&self) -> Result<Vec<BlueprintFile>> {
        let dir = self.root.join("blueprints");
        let mut found = Vec::new();
        for entry in fs::read_dir(&dir).with_context(|| format!("cannot read {}", dir.display()))? {
            let path = entry.with_context(|| format!("cannot read {}", dir.display()))?.path();
            if path.extension().is_some_and(|extension| extension == "yaml") && path.is_file() {
                found.push(self.file(&path));
            }
        }
        found.sort();
        Ok(found)
    }

    /// The catalog: the binary's, each component of which a folder of the same name replaces as a whole; and the lab-level templates, file by file.
    ///
    /// # Errors
    /// Files that cannot be read; [`Refused`]: symbolic links, which are not followed, and what is no UTF-8.
    pub fn catalog(&self) -> Result<Files> {
        let mut files = embedded();
        let mut own = self.texts("blueprints/components")?;
        if let Some(istio) = own.remove(ISTIO_VERSIONS) {
            files.istio = istio;
        }
        for (component, own) in by_component(own) {
            // A folder that equals the binary's replaces nothing.
            if files
                .components
                .get(&component)
                .is_none_or(|folder| folder.files != own)
            {
                files.components.insert(
                    component,
                    Folder {
                        origin: Origin::Repository,
                        files: own,
                    },
                );
            }
        }
        files.argo.extend(self.texts("argo")?);
        Ok(files)
    }

    /// All files below a folder, by path inside it.
    fn texts(&self, folder: &str) -> Result<BTreeMap<String, Arc<Source>>> {
        let top = self.root.join(folder);
        let mut found = BTreeMap::new();
        if !top.is_dir() {
            return Ok(found);
        }
        for entry in WalkDir::new(&top).min_depth(1).follow_links(false) {
            let entry = entry.with_context(|| format!("cannot read {folder}"))?;
            let inside = slashes(entry.path().strip_prefix(&top).unwrap_or(entry.path()));
            let name = format!("{folder}/{inside}");
            if entry.file_type().is_symlink() {
                let why =
                    format!("{name} is a symbolic link\n  = help: links are not followed; put the file itself there");
                return Err(Refused(why).into());
            }
            let is_hidden = inside.split('/').any(|part| part.starts_with('.'));
            if entry.file_type().is_file() && !is_hidden {
                found.insert(inside, source(entry.path(), &name)?);
            }
        }
        Ok(found)
    }
}

/// What the binary brings along.
fn embedded() -> Files {
    let mut texts = embedded_texts(&COMPONENTS, "blueprints/components");
    let istio = texts.remove(ISTIO_VERSIONS);
    let components = by_component(texts);
    let components = components
        .into_iter()
        .map(|(name, files)| {
            (
                name,
                Folder {
                    origin: Origin::BuiltIn,
                    files,
                },
            )
        })
        .collect();
    Files {
        components,
        istio: istio.unwrap_or_else(|| Source::new(ISTIO_VERSIONS, "")),
        argo: embedded_texts(&ARGO, "argo"),
    }
}

fn embedded_texts(dir: &Dir<'static>, folder: &str) -> BTreeMap<String, Arc<Source>> {
    let mut found = BTreeMap::new();
    let mut open = vec![dir];
    while let Some(dir) = open.pop() {
        for entry in dir.entries() {
            match entry {
                DirEntry::Dir(dir) => open.push(dir),
                DirEntry::File(file) => {
                    let inside = slashes(file.path());
                    let text = file.contents_utf8().unwrap_or_default();
                    found.insert(inside.clone(), Source::new(format!("{folder}/{inside}"), text));
                }
            }
        }
    }
    found
}

fn by_component(files: BTreeMap<String, Arc<Source>>) -> BTreeMap<String, BTreeMap<String, Arc<Source>>> {
    let mut found: BTreeMap<String, BTreeMap<String, Arc<Source>>> = BTreeMap::new();
    for (path, source) in files {
        if let Some((component, inside)) = path.split_once('/') {
            found
                .entry(component.to_owned())
                .or_default()
                .insert(inside.to_owned(), source);
        }
    }
    found
}

fn source(path: &Path, name: &str) -> Result<Arc<Source>> {
    let bytes = fs::read(path).with_context(|| format!("cannot read {name}"))?;
    let text = String::from_utf8(bytes).map_err(|_| Refused(format!("{name} is not UTF-8 text")))?;
    Ok(Source::new(name, text))
}

fn slashes(path: &Path) -> String {
    path.components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/")
}
