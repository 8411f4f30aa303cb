//! One component: `component.yaml` with its expressions compiled, and its templates.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::Folder;
use super::file::{ComponentFile, SecretFile, SecretMeta};
use super::templates::TemplateFile;
use crate::core::name::{ComponentName, is_label};
use crate::core::problem::{Problem, Problems};
use crate::core::schema;
use crate::core::source::{Path, Place, Source};
use crate::core::template::{Expr, Template};
use crate::core::value::Map;
use crate::core::yaml::Node;
use crate::path;

/// Where a component comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The catalog inside the binary.
    BuiltIn,
    /// `blueprints/components/` of the lab's repository.
    Repository,
}

/// Something that can be deployed.
#[derive(Debug)]
pub struct Component {
    /// The folder's name.
    pub name: ComponentName,
    /// Where the folder is.
    pub origin: Origin,
    /// `component.yaml`.
    pub source: Arc<Source>,
    /// What it says.
    pub file: ComponentFile,
    /// `when`.
    pub when: Option<Expr>,
    /// `chart`: yields a map of `repo`, `name`, `version`.
    pub chart: Option<Template>,
    /// `git`: yields a map of `repo`, `path`, `ref`.
    pub git: Option<Template>,
    /// `release`.
    pub release: Option<Template>,
    /// `namespace`.
    pub namespace: Template,
    /// `namespaceLabels`: yields a map.
    pub namespace_labels: Option<Template>,
    /// `hosts`: yields a list of DNS names.
    pub hosts: Option<Template>,
    /// `loadBalancerPorts`: yields a list of ports.
    pub load_balancer_ports: Option<Template>,
    /// `loadBalancerService`: yields the name of a Service.
    pub load_balancer_service: Option<Template>,
    /// `loadBalancerAddress`: yields an IPv4 address, or null.
    pub load_balancer_address: Option<Template>,
    /// `exports`: yields a list of `.global` names.
    pub exports: Option<Template>,
    /// `imports`: yields a list of [`crate::core::lab::Import`].
    pub imports: Option<Template>,
    /// `service`: yields a [`crate::core::lab::Joinable`].
    pub service: Option<Template>,
    /// `bootstrapValues`, or `bootstrap.yaml`.
    pub bootstrap: Option<Template>,
    /// `assert`.
    pub asserts: Vec<Assertion>,
    /// `warn`.
    pub warns: Vec<Limit>,
    /// `secrets` by name.
    pub secrets: IndexMap<String, SecretSpec>,
    /// `values.yaml`.
    pub values: Option<TemplateFile>,
    /// `manifests/`: synced by Argo CD.
    pub manifests: Vec<TemplateFile>,
    /// `files/`: written to Git, synced by nobody.
    pub files: Vec<TemplateFile>,
    /// `vms/`: the same, for each machine outside of Kubernetes that asks the cluster's istiod.
    pub vms: Vec<TemplateFile>,
}

/// What must hold where a component is placed.
#[derive(Debug)]
pub struct Assertion {
    /// The condition.
    pub that: Expr,
    /// What to tell the user when it is false.
    pub say: String,
    /// Where it stands.
    pub place: Place,
}

/// A limit of upstream that a component meets in some settings.
#[derive(Debug)]
pub struct Limit {
    /// Names it.
    pub code: String,
    /// Where it is met.
    pub when: Expr,
    /// What does not work.
    pub say: String,
    /// Where upstream says so.
    pub link: String,
    /// Where it is declared.
    pub place: Place,
}

/// A Secret whose content the lock holds encrypted.
#[derive(Debug)]
pub struct SecretSpec {
    /// Type of the Secret.
    pub kind: String,
    /// Annotations of the object that Argo CD syncs.
    pub annotations: Map,
    /// Labels and annotations of the Secret itself.
    pub template: SecretMeta,
    /// Yields a map: key to where its bytes come from.
    pub data: Template,
    /// Where `data` stands.
    pub place: Place,
}

impl Component {
    /// Whether it is the component of that name, or stands in its place.
    pub fn satisfies(&self, name: &str) -> bool {
        self.name.as_str() == name || self.file.provides.iter().any(|provided| provided == name)
    }

    /// Reads the folder `name`.
    pub(super) fn read(name: &str, folder: &Folder) -> Result<Self, Problems> {
        let Some(source) = folder.files.get("component.yaml").map(Arc::clone) else {
            let message = format!("the component folder `{name}` has no component.yaml");
            return Err(Problem::new(message).help("add one, or remove the folder").into());
        };
        let name = ComponentName::new(name).map_err(|why| Problem::at(Place::file(&source), why))?;
        let node = Node::parse(&source)?;
        // The binary's own were checked before it was built.
        let unchecked = folder.origin == Origin::Repository;
        let file: ComponentFile = schema::read(&source, &node, unchecked.then(super::json_schema))?;
        let mut parts = Parts::new(Arc::clone(&source), node);
        let bootstrap = parts
            .template(&path!["bootstrapValues"])
            .or_else(|| parts.file(folder, "bootstrap.yaml"));
        let namespace = parts.template(&path!["namespace"]);
        let component = Self {
            when: parts.expr(&path!["when"]),
            chart: parts.template(&path!["chart"]),
            git: parts.template(&path!["git"]),
            release: parts.template(&path!["release"]),
            namespace_labels: parts.template(&path!["namespaceLabels"]),
            hosts: parts.template(&path!["hosts"]),
            load_balancer_ports: parts.template(&path!["loadBalancerPorts"]),
            load_balancer_service: parts.template(&path!["loadBalancerService"]),
            load_balancer_address: parts.template(&path!["loadBalancerAddress"]),
            exports: parts.template(&path!["exports"]),
            imports: parts.template(&path!["imports"]),
            service: parts.template(&path!["service"]),
            bootstrap,
            asserts: parts.asserts(&file),
            warns: parts.warns(&file),
            secrets: parts.secrets(&file),
            values: folder
                .files
                .get("values.yaml")
                .map(|source| TemplateFile::new("values.yaml", Arc::clone(source))),
            manifests: below(&folder.files, "manifests/"),
            files: below(&folder.files, "files/"),
            vms: below(&folder.files, "vms/"),
            namespace: match namespace {
                Some(namespace) => namespace,
                None => return Err(parts.problems),
            },
            origin: folder.origin,
            name,
            source,
            file,
        };
        parts.problems.extend(component.nonsense(&folder.files));
        parts.problems.or(component)
    }

    /// Whether Argo CD has something to sync.
    pub fn is_application(&self) -> bool {
        self.chart.is_some() || self.git.is_some() || self.has_manifests()
    }

    /// Whether an Application of it reads a folder of manifests from the tree.
    pub fn has_manifests(&self) -> bool {
        !self.manifests.is_empty() || !self.secrets.is_empty()
    }

    /// The family, for `app.kubernetes.io/part-of`.
    pub fn part_of(&self) -> &str {
        self.file.part_of.as_deref().unwrap_or(self.name.as_str())
    }

    /// The AppProject.
    pub fn project(&self) -> &str {
        self.file.project.as_deref().unwrap_or_else(|| self.part_of())
    }

    /// Every problem of its templates.
    pub(super) fn check(&self) -> Problems {
        self.templates()
            .filter_map(|file| file.compiled().err())
            .flatten()
            .collect()
    }

    /// All its template files.
    pub(super) fn templates(&self) -> impl Iterator<Item = &TemplateFile> {
        let folders = self.manifests.iter().chain(&self.files).chain(&self.vms);
        self.values.iter().chain(folders)
    }

    /// Rules that no schema can say.
    fn nonsense(&self, files: &BTreeMap<String, Arc<Source>>) -> Vec<Problem> {
        let at = |key: &str| Place::key(&self.source, path![key]);
        let mut problems = Vec::new();
        if self.chart.is_some() && self.git.is_some() {
            problems.push(
                Problem::at(at("git"), "a component has a chart or a Git source, not both")
                    .help("split it in two components"),
            );
        }
        if self.values.is_some() && self.chart.is_none() {
            problems.push(
                Problem::at(Place::file(&self.source), "values.yaml needs a chart")
                    .help("add `chart:`, or remove values.yaml"),
            );
        }
        for key in ["requires", "after"] {
            let names = if key == "requires" {
                &self.file.requires
            } else {
                &self.file.after
            };
            if names.iter().any(|name| name == self.name.as_str()) {
                problems.push(
                    Problem::at(at(key), format!("`{}` waits for itself", self.name)).help("remove it from the list"),
                );
            }
        }
        for (key, name) in [("partOf", self.part_of()), ("project", self.project())] {
            if !is_label(name) {
                problems.push(Problem::at(
                    Place::value(&self.source, path![key]),
                    format!("`{name}` is not a legal label"),
                ));
            }
        }
        problems.extend(files.iter().filter(|(path, _)| !is_known(path)).map(|(path, source)| {
            Problem::at(Place::file(source), format!("`{path}` is not a file of a component")).help(
                "a component has component.yaml, values.yaml, bootstrap.yaml, manifests/*.yaml, files/** and vms/**",
            )
        }));
        problems
    }
}

fn is_known(path: &str) -> bool {
    let is_manifest = path
        .strip_prefix("manifests/")
        .is_some_and(|name| name.ends_with(".yaml") && !name.contains('/'));
    matches!(path, "component.yaml" | "values.yaml" | "bootstrap.yaml" | "README.md")
        || is_manifest
        || path.starts_with("files/")
        || path.starts_with("vms/")
}

fn below(files: &BTreeMap<String, Arc<Source>>, folder: &str) -> Vec<TemplateFile> {
    files
        .iter()
        .filter_map(|(path, source)| Some(TemplateFile::new(path.strip_prefix(folder)?, Arc::clone(source))))
        .collect()
}

/// The parts of a `component.yaml` that are templates or expressions.
struct Parts {
    source: Arc<Source>,
    node: Node,
    problems: Problems,
}

impl Parts {
    fn new(source: Arc<Source>, node: Node) -> Self {
        Self {
            source,
            node,
            problems: Problems::default(),
        }
    }

    fn template(&mut self, path: &Path) -> Option<Template> {
        let node = self.node.get(path)?;
        self.problems.take(Template::from_node(&self.source, node))
    }

    fn file(&mut self, folder: &Folder, name: &str) -> Option<Template> {
        self.problems.take(Template::parse(folder.files.get(name)?))
    }

    fn expr(&mut self, path: &Path) -> Option<Expr> {
        let node = self.node.get(path)?;
        let text = node.as_str()?;
        self.problems
            .take(Expr::parse(&self.source, node.bytes(), text).map_err(Problems::from))
    }

    fn asserts(&mut self, file: &ComponentFile) -> Vec<Assertion> {
        let mut found = Vec::new();
        for (i, one) in file.assert.iter().enumerate() {
            let place = Place::value(&self.source, path!["assert", i, "that"]);
            if let Some(that) = self.expr(&path!["assert", i, "that"]) {
                found.push(Assertion {
                    that,
                    say: one.say.clone(),
                    place,
                });
            }
        }
        found
    }

    fn warns(&mut self, file: &ComponentFile) -> Vec<Limit> {
        let mut found = Vec::new();
        for (i, one) in file.warn.iter().enumerate() {
            if let Some(when) = self.expr(&path!["warn", i, "when"]) {
                found.push(Limit {
                    code: one.code.clone(),
                    when,
                    say: one.say.clone(),
                    link: one.link.clone(),
                    place: Place::value(&self.source, path!["warn", i, "code"]),
                });
            }
        }
        found
    }

    fn secrets(&mut self, file: &ComponentFile) -> IndexMap<String, SecretSpec> {
        let mut found = IndexMap::new();
        for (name, secret) in &file.secrets {
            let path = path!["secrets", name, "data"];
            let place = Place::value(&self.source, path.clone());
            if let Some(data) = self.template(&path) {
                found.insert(name.clone(), spec(secret, data, place));
            }
        }
        found
    }
}

fn spec(secret: &SecretFile, data: Template, place: Place) -> SecretSpec {
    SecretSpec {
        kind: secret.r#type.clone(),
        annotations: secret.annotations.clone(),
        template: secret.template.clone(),
        data,
        place,
    }
}
