#!/bin/bash
# Makes sun-1, or starts it again. All clusters of the lab share one network of the driver, the /24 of their addresses.
set -euo pipefail
cd "$(dirname "$0")"

minikube start --profile sun-1 \
  --driver docker --container-runtime docker \
  --cpus 2 --memory 6g \
  --kubernetes-version v1.33.4 \
  --network replicated-control-planes --static-ip 192.168.58.11 \
  --dns-domain sun.local \
  --service-cluster-ip-range 10.151.0.0/16 \
  --cni calico --extra-config kubeadm.pod-network-cidr=10.51.0.0/16

# The third part of the locality, the subzone, is the cluster.
kubectl --context sun-1 label node --all --overwrite \
  topology.kubernetes.io/region=milky-way topology.kubernetes.io/zone=solar-system topology.istio.io/subzone=sun-1
