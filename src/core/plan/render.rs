//! From a job to the bytes of its file.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use minijinja::Value as Variable;
use serde::Serialize;
use serde_json::json;

use super::argo::{ApplicationFile, cell_sets, instance_sets, list, projects};
use super::{Group, Job, Make, Plan};
use crate::core::catalog::{Each, Kind, SecretSpec, TemplateFile};
use crate::core::lab::{Cluster, Instance};
use crate::core::pki::{SecretId, SecretName};
use crate::core::problem::{Problem, Problems};
use crate::core::source::Source;
use crate::core::template::{Scope, Template, from_value};
use crate::core::traffic::{Sight, Traffic};
use crate::core::value::{Map, Value, merge, overlay};
use crate::core::views::with_instance;
use crate::core::yaml;

/// Renders the files of a group; what they share is computed once.
pub struct Renderer<'p, 'a> {
    plan: &'p Plan<'a>,
    cluster: Option<&'a Cluster>,
    scope: Scope,
    bootstrap: OnceCell<Result<Variable, Problems>>,
    traffic: RefCell<Traffic>,
}

/// What a template of an instance is asked for.
struct Item<'a> {
    file: &'a TemplateFile,
    index: Option<usize>,
}

impl<'p, 'a> Renderer<'p, 'a> {
    /// A renderer for the files of `group`.
    pub fn new(plan: &'p Plan<'a>, group: &Group<'a>) -> Self {
        let index = group.cluster.unwrap_or_default();
        let mut scope = plan.views.cluster_scope(plan.lab, index);
        if group.cluster.is_none() {
            scope = scope
                .with("instances", Variable::from(list(&instance_sets(plan.lab))))
                .with("projects", Variable::from(list(&projects(plan.lab))))
                .with("cells", Variable::from(list(&cell_sets(plan.lab))))
                .with("tasks", Variable::from(list(&plan.tasks)))
                .with("sites", Variable::from(plan.views.sites(plan.lab)));
        }
        let cluster = group.cluster.map(|index| &plan.lab.clusters[index]);
        Self {
            plan,
            cluster,
            scope,
            bootstrap: OnceCell::new(),
            traffic: RefCell::new(Traffic::of(index)),
        }
    }

    /// What the manifests that were rendered say about traffic.
    pub fn traffic(self) -> Traffic {
        self.traffic.into_inner()
    }

    /// The bytes of a file; none if its template yields nothing here.
    ///
    /// # Errors
    /// Templates that fail, at their own lines.
    pub fn render(&self, job: &Job<'a>) -> Result<Option<Vec<u8>>, Problems> {
        match &job.make {
            Make::Application(instance) => self.application(instance),
            Make::Values(instance) => self
                .values(instance)
                .map(|values| values_file(instance, values))
                .map(Some),
            Make::Manifest(instance, file, index) => {
                let scope = with_instance(&self.scope, instance);
                self.template(&scope, &Item { file, index: *index }, Some(instance))
            }
            Make::File(instance, file, index) => {
                let scope = with_instance(&self.scope, instance).with("bootstrap", self.bootstrap()?);
                self.template(&scope, &Item { file, index: *index }, None)
            }
            Make::Vm(instance, file, index) => {
                let scope = with_instance(&self.scope, instance);
                let scope = scope
                    .with(Each::Vm.variable(), self.item(Each::Vm, *index))
                    .with("values", self.required_values(instance)?);
                self.template(&scope, &Item { file, index: None }, None)
            }
            Make::Secret(instance, name, spec) => self.secret(instance, name, spec).map(Some),
            Make::Certificate(pem) => Ok(Some(pem.clone().into_bytes())),
            Make::Lab(file, index) => self.template(&self.scope, &Item { file, index: *index }, None),
        }
    }

    fn application(&self, instance: &Instance) -> Result<Option<Vec<u8>>, Problems> {
        let Some(cluster) = self.cluster else { return Ok(None) };
        let parameters = to_value(&ApplicationFile::new(self.plan.lab, cluster, instance))?;
        Ok(Some(document(
            &format!("blueprints/{}.yaml", self.plan.lab.name),
            &parameters,
        )))
    }

    /// The values of an instance: the component's, then the blueprint's.
    fn values(&self, instance: &Instance) -> Result<Map, Problems> {
        let mut values = match &instance.component.values {
            Some(file) => map_of(file, &with_instance(&self.scope, instance))?,
            None => Map::new(),
        };
        overlay(&mut values, &instance.values);
        Ok(values)
    }

    /// Variable `values`: by name, the values of the instances of what this one requires.
    fn required_values(&self, instance: &Instance) -> Result<Variable, Problems> {
        let names = &instance.component.file.requires;
        let instances = self.cluster.into_iter().flat_map(|cluster| cluster.instances.values());
        let required = instances.filter(|other| names.iter().any(|name| name == other.component.name.as_str()));
        let mut found = Map::new();
        for other in required.filter(|other| other.chart.is_some()) {
            found.insert(other.name.to_string(), Value::Object(self.values(other)?));
        }
        Ok(from_value(&found))
    }

    /// Variable `bootstrap`: what the machine installs before Argo CD acts, with the values for that time.
    fn bootstrap(&self) -> Result<Variable, Problems> {
        self.bootstrap.get_or_init(|| self.bootstrapped()).clone()
    }

    fn bootstrapped(&self) -> Result<Variable, Problems> {
        let instances = self.cluster.into_iter().flat_map(|cluster| cluster.instances.values());
        let mut found = Vec::new();
        for instance in instances.filter(|instance| !instance.external) {
            let (Some(template), Some(chart)) = (&instance.component.bootstrap, &instance.chart) else {
                continue;
            };
            let mut values = self.values(instance)?;
            merge(
                &mut values,
                &object(
                    template,
                    &with_instance(&self.scope, instance),
                    &instance.component.source,
                )?,
            );
            found.push(json!({
                "name": instance.name,
                "component": instance.component.name,
                "release": instance.release,
                "namespace": instance.namespace,
                "chart": chart,
                "values": values,
            }));
        }
        Ok(from_value(&found))
    }

    /// A template's document; `synced`: the instance whose manifest it is.
    fn template(&self, scope: &Scope, item: &Item<'a>, synced: Option<&Instance>) -> Result<Option<Vec<u8>>, Problems> {
        let scope = match (item.file.each, item.index) {
            (Some(each), Some(index)) => scope.with(each.variable(), self.item(each, index)),
            _ => scope.clone(),
        };
        match item.file.compiled()? {
            Kind::Text(text) => {
                let text = text.render(&scope)?;
                Ok((!text.trim().is_empty()).then(|| text.into_bytes()))
            }
            Kind::Yaml(template) => {
                let value = template.render(&scope)?;
                if let Some(instance) = synced {
                    self.see(instance, item.file, &value);
                }
                let is_empty = value.as_object().is_some_and(Map::is_empty);
                Ok((!is_empty)
                    .then(|| with_first_line(template, document(&item.file.source.name, &yaml::canonical(value)))))
            }
        }
    }

    fn see(&self, instance: &Instance, file: &TemplateFile, document: &Value) {
        if let Some(cluster) = self.cluster {
            self.traffic.borrow_mut().see(&Sight {
                lab: self.plan.lab,
                cluster,
                instance,
                template: &file.source,
                document,
            });
        }
    }

    /// The item that a template named `[…]` is rendered for.
    fn item(&self, each: Each, index: usize) -> Variable {
        let list = match each {
            Each::Namespace => self.of_cluster("namespaces"),
            Each::Peer => self.of_cluster("peers"),
            Each::Vm => self.of_cluster("vms"),
            Each::Instance => self.scope.get("instances"),
            Each::Project => self.scope.get("projects"),
            Each::Cell => self.scope.get("cells"),
            Each::Registry => self
                .scope
                .get("lab")
                .and_then(|lab| lab.get_attr("registryCache").ok()?.get_attr("registries").ok()),
            Each::Manager => return self.scope.get("cluster").unwrap_or_default(),
        };
        list.and_then(|list| list.get_item_by_index(index).ok())
            .unwrap_or_default()
    }

    fn of_cluster(&self, key: &str) -> Option<Variable> {
        self.scope.get("cluster")?.get_attr(key).ok()
    }

    /// A Bitnami SealedSecret with the ciphertext of the lock (sealed-secrets `v1alpha1`, strict scope).
    fn secret(&self, instance: &Instance, name: &str, spec: &SecretSpec) -> Result<Vec<u8>, Problems> {
        let id = SecretId {
            instance: instance.name.clone(),
            name: SecretName::new(name).map_err(Problem::new)?,
        };
        let Some(sealed) = self
            .cluster
            .and_then(|cluster| self.plan.lock.cluster(&cluster.name)?.secret(&id))
        else {
            return Err(Problem::at(
                spec.place.clone(),
                format!("the lock has no secret `{name}` of `{}`", instance.name),
            )
            .into());
        };
        let named = || {
            Map::from_iter([
                ("name".to_owned(), name.into()),
                ("namespace".to_owned(), instance.namespace.as_str().into()),
            ])
        };
        let (mut metadata, mut template) = (named(), named());
        for (key, map) in [
            ("labels", &spec.template.labels),
            ("annotations", &spec.template.annotations),
        ] {
            if !map.is_empty() {
                template.insert(key.to_owned(), Value::Object(map.clone()));
            }
        }
        if !spec.annotations.is_empty() {
            metadata.insert("annotations".to_owned(), Value::Object(spec.annotations.clone()));
        }
        let object = json!({
            "apiVersion": "bitnami.com/v1alpha1",
            "kind": "SealedSecret",
            "metadata": metadata,
            "spec": {"encryptedData": to_value(sealed)?, "template": {"type": spec.kind, "metadata": template}},
        });
        Ok(document(&spec.place.source.name, &yaml::canonical(object)))
    }
}

fn values_file(instance: &Instance, values: Map) -> Vec<u8> {
    let file = instance.component.values.as_ref();
    let source = file.map_or(&instance.component.source, |file| &file.source);
    document(&source.name, &Value::Object(values))
}

fn map_of(file: &TemplateFile, scope: &Scope) -> Result<Map, Problems> {
    match file.compiled()? {
        Kind::Yaml(template) => object(template, scope, &file.source),
        Kind::Text(_) => Ok(Map::new()),
    }
}

fn object(template: &Template, scope: &Scope, source: &Arc<Source>) -> Result<Map, Problems> {
    match template.render(scope)? {
        Value::Object(map) => Ok(map),
        Value::Null => Ok(Map::new()),
        _ => Err(Problem::at(crate::core::source::Place::file(source), "Helm values are a map").into()),
    }
}

fn to_value<T: Serialize>(value: &T) -> Result<Value, Problems> {
    serde_json::to_value(value).map_err(|why| Problem::new(why.to_string()).into())
}

/// A YAML document under the one line that says where it comes from.
fn document(source: &str, value: &Value) -> Vec<u8> {
    let mut text = format!("# Rendered by meshlab from {source}; edit that, not this.\n");
    text.push_str(&yaml::write(value));
    text.into_bytes()
}

/// Puts the line first that the reader of a file looks for, such as `#cloud-config`.
fn with_first_line(template: &Template, document: Vec<u8>) -> Vec<u8> {
    match template.first_line() {
        Some(line) => [line.as_bytes(), b"\n", &document].concat(),
        None => document,
    }
}
