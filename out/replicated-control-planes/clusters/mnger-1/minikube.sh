#!/bin/bash
# Makes mnger-1, or starts it again. All clusters of the lab share one network of the driver, the /24 of their addresses.
set -euo pipefail
cd "$(dirname "$0")"

minikube start --profile mnger-1 \
  --driver docker --container-runtime docker \
  --cpus 2 --memory 6g \
  --kubernetes-version v1.33.4 \
  --network replicated-control-planes --static-ip 192.168.58.10 \
  --dns-domain cluster.local \
  --service-cluster-ip-range 10.141.0.0/16 \
  --cni calico --extra-config kubeadm.pod-network-cidr=10.41.0.0/16

# The third part of the locality, the subzone, is the cluster.
kubectl --context mnger-1 label node --all --overwrite \
  topology.kubernetes.io/region=milky-way topology.kubernetes.io/zone=solar-system topology.istio.io/subzone=mnger-1

# What must be there before Argo CD can act, with the values that it will have.
helm --kube-context mnger-1 upgrade --install argo-cd argo-cd \
  --repo https://argoproj.github.io/argo-helm --version 10.1.1 \
  --namespace argocd --create-namespace --values values/argo-cd.yaml
