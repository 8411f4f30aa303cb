package main

import (
	"context"
	"fmt"
	"os"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"istio.io/istio/istioctl/pkg/cli"
	"istio.io/istio/istioctl/pkg/workload"
	"istio.io/istio/pkg/kube"
)

// found is what `istioctl x workload entry configure` looks up in a cluster, as JSON.
type found struct {
	// ConfigMaps of the control plane, and that with the mesh's roots.
	ConfigMaps []*corev1.ConfigMap `json:"configMaps"`
	// The east-west gateway's Service, with the address that a load balancer gave it.
	Services []*corev1.Service `json:"services"`
	// The namespace and the name of the machine's ServiceAccount.
	Namespace      string `json:"namespace"`
	ServiceAccount string `json:"serviceAccount"`
}

// machine lets istioctl write the onboarding files of a WorkloadGroup against a cluster that holds what it is given.
func machine(groupFile, foundFile, revision, internalIP, output string) error {
	text, err := os.ReadFile(foundFile)
	if err != nil {
		return err
	}
	cluster := found{}
	if err := yaml.UnmarshalStrict(text, &cluster); err != nil {
		return fmt.Errorf("%s: %w", foundFile, err)
	}
	cli := cli.NewFakeContext(&cli.NewFakeContextOption{IstioNamespace: "istio-system"})
	client, err := cli.CLIClientWithRevision(revision)
	if err != nil {
		return err
	}
	if err := cluster.put(client); err != nil {
		return err
	}
	command := workload.Cmd(cli)
	arguments := []string{"entry", "configure", "--file", groupFile, "--revision", revision, "--autoregister", "--output", output}
	if internalIP != "" {
		arguments = append(arguments, "--internalIP", internalIP)
	}
	command.SetArgs(arguments)
	return command.Execute()
}

func (f found) put(client kube.CLIClient) error {
	ctx, options := context.Background(), metav1.CreateOptions{}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: f.Namespace, Name: f.ServiceAccount}}
	if _, err := client.Kube().CoreV1().ServiceAccounts(f.Namespace).Create(ctx, account, options); err != nil {
		return err
	}
	for _, one := range f.ConfigMaps {
		if _, err := client.Kube().CoreV1().ConfigMaps(one.Namespace).Create(ctx, one, options); err != nil {
			return err
		}
	}
	for _, one := range f.Services {
		if _, err := client.Kube().CoreV1().Services(one.Namespace).Create(ctx, one, options); err != nil {
			return err
		}
	}
	return nil
}
