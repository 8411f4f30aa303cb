// Package kube stands in for one file of Argo CD's util/kube when the judge is built.
//
// Argo CD v3.4.4 was made for a gitops-engine that the module registry does not serve; the one it
// does serve has another signature for the server-side diff. Expanding ApplicationSets never
// compares anything with a cluster, so that function is not provided here.
package kube

import (
	"errors"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/diff"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"k8s.io/client-go/rest"
	"k8s.io/kubectl/pkg/util/openapi"
)

func NewKubectl() kube.Kubectl { return &kube.KubectlCmd{} }

func ManageServerSideDiffDryRuns(*rest.Config, openapi.Resources, kube.OnKubectlRunFunc) (diff.KubeApplier, func(), error) {
	return nil, nil, errors.New("the judge compares nothing with a cluster")
}
