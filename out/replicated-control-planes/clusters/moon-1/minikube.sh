#!/bin/bash
# Makes moon-1, or starts it again. All clusters of the lab share one network of the driver, the /24 of their addresses.
set -euo pipefail
cd "$(dirname "$0")"

minikube start --profile moon-1 \
  --driver docker --container-runtime docker \
  --cpus 2 --memory 6g \
  --kubernetes-version v1.33.4 \
  --network replicated-control-planes --static-ip 192.168.58.12 \
  --dns-domain moon.local \
  --service-cluster-ip-range 10.161.0.0/16 \
  --cni calico --extra-config kubeadm.pod-network-cidr=10.61.0.0/16

# The third part of the locality, the subzone, is the cluster.
kubectl --context moon-1 label node --all --overwrite \
  topology.kubernetes.io/region=milky-way topology.kubernetes.io/zone=solar-system topology.istio.io/subzone=moon-1
