package main

import (
	"os"

	meshconfig "istio.io/api/mesh/v1alpha1"
	"istio.io/istio/pkg/config/mesh"
	"istio.io/istio/pkg/util/protomarshal"
)

// readMesh is stricter than istiod, which ignores what it does not know.
func readMesh(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := protomarshal.ApplyYAMLStrict(string(text), &meshconfig.MeshConfig{}); err != nil {
		return err
	}
	_, err = mesh.ApplyMeshConfigDefaults(string(text))
	return err
}
