package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"k8s.io/apimachinery/pkg/runtime/schema"

	argo "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	argoutil "github.com/argoproj/argo-cd/v3/util/argo"
)

// Object is one object that an Application would apply.
type Object struct {
	Project    string `json:"project"`
	Cluster    string `json:"cluster"` // the destination, by name or by address
	Server     string `json:"server"`
	Group      string `json:"group"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Namespace  string `json:"namespace"`
	Namespaced bool   `json:"namespaced"`
	File       string `json:"file"`
}

// permitted asks each object's AppProject, as the sync does: first the kind, then the namespace it goes to.
func permitted(repository, path string, objects io.Reader) ([]Problem, error) {
	t, err := loadTree(filepath.Join(repository, path))
	if err != nil {
		return nil, err
	}
	t.problems = []Problem{}
	decoder := json.NewDecoder(objects)
	for {
		var object Object
		if err := decoder.Decode(&object); errors.Is(err, io.EOF) {
			return t.problems, nil
		} else if err != nil {
			return nil, err
		}
		if err := t.permit(object); err != nil {
			t.refuse(object.File, err)
		}
	}
}

func (t *tree) permit(o Object) error {
	project, ok := t.projects[o.Project]
	if !ok {
		return fmt.Errorf("no AppProject %q", o.Project)
	}
	kind := schema.GroupKind{Group: o.Group, Kind: o.Kind}
	if !project.IsGroupKindNamePermitted(kind, o.Name, o.Namespaced) {
		return fmt.Errorf("%s %s is not permitted in project %s", kind, o.Name, o.Project)
	}
	if !o.Namespaced {
		return nil
	}
	destination := argo.ApplicationDestination{Name: o.Cluster, Server: o.Server}
	cluster, err := argoutil.GetDestinationCluster(context.Background(), destination, clusterDB{tree: t})
	if err != nil {
		return err
	}
	allowed, err := project.IsDestinationPermitted(cluster, o.Namespace, func(string) ([]*argo.Cluster, error) { return nil, nil })
	if err == nil && !allowed {
		err = fmt.Errorf("%s %s: namespace %s of cluster %s is no destination of project %s", kind, o.Name, o.Namespace, cluster.Name, o.Project)
	}
	return err
}
