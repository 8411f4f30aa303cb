//! The catalog: what can be deployed. Adding a component is adding a folder.

mod component;
mod file;
mod templates;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use rayon::prelude::*;

pub use component::{Assertion, Component, Limit, Origin, SecretSpec};
pub use file::{ComponentFile, On, SecretMeta, SyncFile};
pub use templates::{Each, Kind, TemplateFile};
pub use versions::{IstioVersions, Known, Minor, MinorFacts};

use super::name::ComponentName;
use super::problem::{Problem, Problems};
use super::source::{Place, Source};
use super::value::Value;
use crate::path;

/// The JSON Schema of `component.yaml`, made from its types (JSON Schema 2020-12).
pub fn json_schema() -> &'static Value {
    static SCHEMA: LazyLock<Value> = LazyLock::new(|| schemars::schema_for!(ComponentFile).to_value());
    &SCHEMA
}

/// A component's folder as it was found: path inside the folder to text.
#[derive(Debug)]
pub struct Folder {
    /// Where it was found.
    pub origin: Origin,
    /// Its files, `component.yaml` among them.
    pub files: BTreeMap<String, Arc<Source>>,
}

/// What can be deployed, and what every lab has for Argo.
#[derive(Debug, Default)]
pub struct Catalog {
    components: BTreeMap<ComponentName, Arc<Component>>,
    /// What differs between the minors of Istio.
    pub istio: IstioVersions,
    /// Lab-level templates: a file here has the same path in the tree.
    pub argo: Vec<TemplateFile>,
}

/// The texts of a catalog, as they were found.
#[derive(Debug)]
pub struct Files {
    /// Folders of components by name.
    pub components: BTreeMap<String, Folder>,
    /// `istio-versions.yaml`, beside them.
    pub istio: Arc<Source>,
    /// Files below `argo/`, by path.
    pub argo: BTreeMap<String, Arc<Source>>,
}

impl Catalog {
    /// Reads the folders of a catalog.
    ///
    /// # Errors
    /// Everything that is wrong with any `component.yaml`: its shape, its expressions, names of components that do not exist.
    pub fn read(files: Files) -> Result<Self, Problems> {
        let read: Vec<Result<Component, Problems>> = files
            .components
            .into_par_iter()
            .map(|(name, folder)| Component::read(&name, &folder))
            .collect();
        let mut problems = Problems::default();
        let found = read
            .into_iter()
            .filter_map(|one| problems.take(one))
            .map(|one| (one.name.clone(), Arc::new(one)));
        let components = found.collect();
        let argo = files
            .argo
            .into_iter()
            .map(|(path, source)| TemplateFile::new(&path, source))
            .collect();
        let istio = problems.take(IstioVersions::read(&files.istio).map_err(Problems::from));
        let Some(istio) = istio else {
            return Err(problems);
        };
        let catalog = Self {
            components,
            istio,
            argo,
        };
        if problems.is_empty() {
            problems.extend(catalog.dangling());
            problems.extend(catalog.codes_used_twice());
        }
        problems.or(catalog)
    }

    /// The component of that name.
    pub fn get(&self, name: &str) -> Option<&Arc<Component>> {
        self.components.get(name)
    }

    /// All components, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Component>> {
        self.components.values()
    }

    /// The names of all components.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.components.keys().map(ComponentName::as_str)
    }

    /// Reads the templates of `components` and of the lab on all cores at once. Without this they would be read when first needed, by one
    /// thread that all others wait for. What is wrong with a template is told when it is rendered.
    pub fn prepare(&self, components: &BTreeSet<&str>) {
        let wanted = components.iter().filter_map(|name| self.get(name));
        let files: Vec<&TemplateFile> = wanted
            .flat_map(|component| component.templates())
            .chain(&self.argo)
            .collect();
        files.par_iter().with_max_len(1).for_each(|file| drop(file.compiled()));
    }

    /// Reads every template of every component, also of those that no lab uses.
    pub fn check(&self) -> Problems {
        let components = self.components.values().flat_map(|component| component.check());
        let argo = self.argo.iter().filter_map(|file| file.compiled().err()).flatten();
        components.chain(argo).collect()
    }

    /// The limits of upstream that components declare, in the order of their codes.
    pub fn limits(&self) -> Vec<(&Component, &Limit)> {
        let components = self.components.values().map(Arc::as_ref);
        let mut limits: Vec<(&Component, &Limit)> = components
            .flat_map(|component| component.warns.iter().map(move |limit| (component, limit)))
            .collect();
        limits.sort_by_key(|(_, limit)| limit.code.as_str());
        limits
    }

    /// A code names one limit: people allow it by that.
    fn codes_used_twice(&self) -> Vec<Problem> {
        let limits = self.limits();
        let pairs = limits.windows(2).filter(|pair| pair[0].1.code == pair[1].1.code);
        pairs
            .map(|pair| {
                let (first, second) = (pair[0].1, pair[1].1);
                Problem::at(
                    second.place.clone(),
                    format!("the code `{}` names two limits", second.code),
                )
                .related(first.place.clone(), "the other")
                .help("give one of them a code of its own")
            })
            .collect()
    }

    /// `requires`, `after` and `provides` that name no component.
    fn dangling(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        for component in self.components.values() {
            let file = &component.file;
            let named = [
                ("requires", &file.requires),
                ("after", &file.after),
                ("provides", &file.provides),
            ];
            for (key, names) in named {
                for (i, name) in names
                    .iter()
                    .enumerate()
                    .filter(|(_, name)| !self.components.contains_key(name.as_str()))
                {
                    let place = Place::value(&component.source, path![key, i]);
                    problems.push(
                        Problem::at(place, format!("there is no component `{name}`")).did_you_mean(name, self.names()),
                    );
                }
            }
        }
        problems
    }
}
