package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	log "github.com/sirupsen/logrus"

	"github.com/argoproj/argo-cd/v3/applicationset/controllers/template"
	"github.com/argoproj/argo-cd/v3/applicationset/generators"
	"github.com/argoproj/argo-cd/v3/applicationset/utils"
	argo "github.com/argoproj/argo-cd/v3/pkg/apis/application/v1alpha1"
	argoutil "github.com/argoproj/argo-cd/v3/util/argo"
	"github.com/argoproj/argo-cd/v3/util/git"
)

// Expansion is every Application that Argo CD will hold, and what it would refuse.
type Expansion struct {
	Applications []argo.Application `json:"applications"`
	Problems     []Problem          `json:"problems"`
}

func expand(repository, path string) (*Expansion, error) {
	t, err := loadTree(filepath.Join(repository, path))
	if err != nil {
		return nil, err
	}
	result := &Expansion{Applications: []argo.Application{}}
	names := map[string]string{}
	for _, file := range slices.Sorted(maps.Keys(t.sets)) {
		for _, app := range t.generate(repository, file) {
			result.Applications = append(result.Applications, app)
			t.check(file, &app, names)
		}
	}
	for _, file := range slices.Sorted(maps.Keys(t.apps)) {
		result.Applications = append(result.Applications, *t.apps[file])
		t.check(file, t.apps[file], names)
	}
	slices.SortFunc(result.Applications, func(a, b argo.Application) int { return strings.Compare(a.Name, b.Name) })
	result.Problems = append([]Problem{}, t.problems...)
	return result, nil
}

// generate expands one ApplicationSet under both of Argo CD's readings of a glob, which must agree.
func (t *tree) generate(repository, file string) []argo.Application {
	greedy, err := t.generateWith(repository, t.sets[file], false)
	if err != nil {
		t.refuse(file, err)
		return nil
	}
	precise, err := t.generateWith(repository, t.sets[file], true)
	if err != nil || !reflect.DeepEqual(greedy, precise) {
		t.refuse(file, errors.Join(fmt.Errorf("greedy globbing gives %d Applications, precise globbing others (%d)", len(greedy), len(precise)), err))
	}
	if len(precise) == 0 {
		t.refuse(file, errors.New("it generates no Application"))
	}
	return precise
}

func (t *tree) generateWith(repository string, set *argo.ApplicationSet, precise bool) ([]argo.Application, error) {
	lister, err := git.NewClientExt("https://repository.invalid", repository, git.NopCreds{}, false, false, "", "")
	if err != nil {
		return nil, err
	}
	files := &workTree{lister: lister, root: repository, precise: precise}
	all := map[string]generators.Generator{"Git": generators.NewGitGenerator(files, set.Namespace)}
	apps, _, err := template.GenerateApplications(log.NewEntry(log.StandardLogger()), *set, all, &utils.Render{}, projectClient{tree: t})
	return apps, err
}

// check applies what the two controllers check before they act on an Application.
func (t *tree) check(file string, app *argo.Application, names map[string]string) {
	if other, taken := names[app.Name]; taken || app.Name == "" {
		t.refuse(file, fmt.Errorf("the name %q is empty or taken by %s", app.Name, other))
	}
	names[app.Name] = file
	project, ok := t.projects[app.Spec.Project]
	if !ok {
		t.refuse(file, fmt.Errorf("application %s references project %s which does not exist", app.Name, app.Spec.Project))
		return
	}
	conditions, err := argoutil.ValidatePermissions(context.Background(), &app.Spec, project, clusterDB{tree: t})
	if err != nil {
		t.refuse(file, err)
	}
	for _, condition := range conditions {
		t.refuse(file, fmt.Errorf("application %s: %s", app.Name, condition.Message))
	}
}

// workTree lists files with Argo CD's own Git client, in a work tree instead of a clone.
type workTree struct {
	lister  git.Client
	root    string
	precise bool
}

func (w *workTree) GetFiles(_ context.Context, _, _, _, pattern string, _, _ bool) (map[string][]byte, error) {
	names, err := w.lister.LsFiles(pattern, w.precise)
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[name], err = os.ReadFile(filepath.Join(w.root, name)); err != nil {
			return nil, err
		}
	}
	return files, nil
}

func (w *workTree) GetDirectories(context.Context, string, string, string, bool, bool) ([]string, error) {
	return nil, errors.New("the judge expands files generators only")
}
