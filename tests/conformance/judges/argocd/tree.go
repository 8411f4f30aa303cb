package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	argo "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	"github.com/argoproj/argo-cd/v3/util/db"
)

// tree is what Argo CD would know after the root Application was synced and every cluster registered.
type tree struct {
	projects map[string]*argo.AppProject
	sets     map[string]*argo.ApplicationSet // by file
	apps     map[string]*argo.Application    // by file: the Applications that are not generated
	clusters map[string]*argo.Cluster        // by name
	problems []Problem
}

func loadTree(dir string) (*tree, error) {
	t := &tree{
		projects: map[string]*argo.AppProject{},
		sets:     map[string]*argo.ApplicationSet{},
		apps:     map[string]*argo.Application{},
		clusters: map[string]*argo.Cluster{},
	}
	// Argo CD creates this project itself, with everything permitted.
	t.projects["default"] = &argo.AppProject{Spec: argo.AppProjectSpec{
		SourceRepos:              []string{"*"},
		Destinations:             []argo.ApplicationDestination{{Server: "*", Namespace: "*"}},
		ClusterResourceWhitelist: []argo.ClusterResourceRestrictionItem{{Group: "*", Kind: "*"}},
	}}
	t.projects["default"].Name = "default"

	each(t, dir, "argocd/projects/*.yaml", func(file string, project *argo.AppProject) {
		if err := project.ValidateProject(); err != nil {
			t.refuse(file, err)
		}
		t.projects[project.Name] = project
	})
	each(t, dir, "argocd/applicationsets/*.yaml", func(file string, set *argo.ApplicationSet) { t.sets[file] = set })
	each(t, dir, "argocd/*.yaml", func(file string, app *argo.Application) { t.apps[file] = app })
	each(t, dir, "argocd/clusters/*.yaml", func(_ string, secret *corev1.Secret) {
		name := secret.StringData["name"]
		t.clusters[name] = &argo.Cluster{Name: name, Server: secret.StringData["server"]}
	})
	return t, t.registerWorkloadClusters(dir)
}

// registerWorkloadClusters does what the runner does: a cluster gets a Secret with its name and some address.
func (t *tree) registerWorkloadClusters(dir string) error {
	entries, err := os.ReadDir(filepath.Join(dir, "clusters"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if name := entry.Name(); entry.IsDir() && t.clusters[name] == nil {
			t.clusters[name] = &argo.Cluster{Name: name, Server: "https://" + name + ".invalid:6443"}
		}
	}
	return nil
}

// each decodes every file of a pattern strictly: unknown and duplicate keys are refused.
func each[T any](t *tree, dir, pattern string, use func(file string, object *T)) {
	files, _ := filepath.Glob(filepath.Join(dir, pattern))
	for _, path := range files {
		file, _ := filepath.Rel(dir, path)
		data, err := os.ReadFile(path)
		object := new(T)
		if err == nil {
			err = yaml.UnmarshalStrict(data, object)
		}
		if err != nil {
			t.refuse(file, err)
			continue
		}
		use(file, object)
	}
}

func (t *tree) refuse(file string, err error) {
	t.problems = append(t.problems, Problem{File: file, Said: err.Error()})
}

// projectClient answers the one question that the git generator asks of the API server.
type projectClient struct {
	client.Client
	tree *tree
}

func (c projectClient) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	into, ok := object.(*argo.AppProject)
	if !ok {
		return fmt.Errorf("the judge holds no %T", object)
	}
	project, ok := c.tree.projects[key.Name]
	if !ok {
		return fmt.Errorf("AppProject %q does not exist", key.Name)
	}
	project.DeepCopyInto(into)
	return nil
}

// clusterDB answers for the registered clusters.
type clusterDB struct {
	db.ArgoDB
	tree *tree
}

func (d clusterDB) GetClusterServersByName(_ context.Context, name string) ([]string, error) {
	if cluster, ok := d.tree.clusters[name]; ok {
		return []string{cluster.Server}, nil
	}
	return nil, nil
}

func (d clusterDB) GetCluster(_ context.Context, server string) (*argo.Cluster, error) {
	for _, cluster := range d.tree.clusters {
		if cluster.Server == server {
			return cluster, nil
		}
	}
	return nil, fmt.Errorf("no cluster %q is registered", server)
}

func (d clusterDB) GetProjectClusters(context.Context, string) ([]*argo.Cluster, error) {
	return nil, nil
}
