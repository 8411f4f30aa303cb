//! Template files of a component, read when they are first needed.

use std::sync::{Arc, OnceLock};

use crate::core::problem::Problems;
use crate::core::source::Source;
use crate::core::template::{Template, TextTemplate};

/// A template that becomes a file of the tree.
#[derive(Debug)]
pub struct TemplateFile {
    /// Its path in its folder, without `.j2`; a word in brackets stands for an item of [`Each`].
    pub name: String,
    /// The text.
    pub source: Arc<Source>,
    /// Whether it is rendered once, or once for each item of a list.
    pub each: Option<Each>,
    compiled: OnceLock<Result<Kind, Problems>>,
}

/// A compiled template.
#[derive(Debug)]
pub enum Kind {
    /// YAML first.
    Yaml(Template),
    /// Text (`.j2`).
    Text(TextTemplate),
}

/// What a file named `[…]` is rendered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// Each namespace of the cluster: `cluster.namespaces`.
    Namespace,
    /// Each other cluster of the cell: `cluster.peers`.
    Peer,
    /// Each machine outside of Kubernetes that asks the cluster's istiod: `cluster.vms`.
    Vm,
    /// Each instance that has Applications: `instances`.
    Instance,
    /// Each AppProject: `projects`.
    Project,
    /// The manager.
    Manager,
    /// Each cell with active clusters, the manager's among them: `cells`.
    Cell,
    /// Each registry of the pull-through cache: `lab.registryCache.registries`.
    Registry,
}

impl Each {
    const ALL: [Self; 8] = [
        Self::Namespace,
        Self::Peer,
        Self::Vm,
        Self::Instance,
        Self::Project,
        Self::Manager,
        Self::Cell,
        Self::Registry,
    ];

    /// The variable that holds the item, and the word in brackets.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Namespace => "namespace",
            Self::Peer => "peer",
            Self::Vm => "vm",
            Self::Instance => "instance",
            Self::Project => "project",
            Self::Manager => "manager",
            Self::Cell => "cell",
            Self::Registry => "registry",
        }
    }
}

impl TemplateFile {
    /// A template that is not read yet.
    pub(crate) fn new(path: &str, source: Arc<Source>) -> Self {
        let name = path.strip_suffix(".j2").unwrap_or(path).to_owned();
        let each = Each::ALL
            .into_iter()
            .find(|each| name.contains(&format!("[{}]", each.variable())));
        Self {
            name,
            source,
            each,
            compiled: OnceLock::new(),
        }
    }

    /// The compiled template.
    ///
    /// # Errors
    /// Everything that is wrong with its syntax.
    pub fn compiled(&self) -> Result<&Kind, Problems> {
        self.compiled
            .get_or_init(|| self.compile())
            .as_ref()
            .map_err(Clone::clone)
    }

    fn compile(&self) -> Result<Kind, Problems> {
        if self.source.name.ends_with(".j2") {
            TextTemplate::parse(&self.source)
                .map(Kind::Text)
                .map_err(Problems::from)
        } else {
            Template::parse(&self.source).map(Kind::Yaml)
        }
    }

    /// The name for one item of [`Each`].
    pub fn name_for(&self, item: &str) -> String {
        match self.each {
            Some(each) => self.name.replace(&format!("[{}]", each.variable()), item),
            None => self.name.clone(),
        }
    }
}
