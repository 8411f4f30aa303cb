#!/bin/bash
# Makes mnger-1, if it is not there, in Docker's network `kind`.
set -euo pipefail
# Paths in kind.yaml are relative to the folder of the lab's tree.
cd "$(dirname "$0")/../.."

kind get clusters | grep --quiet --line-regexp mnger-1 ||
  kind create cluster --name mnger-1 --config clusters/mnger-1/kind.yaml
kubectl config get-contexts --output name | grep --quiet --line-regexp mnger-1 ||
  kubectl config rename-context kind-mnger-1 mnger-1

# What must be there before Argo CD can act, with the values for that time.
helm --kube-context mnger-1 upgrade --install argo-cd argo-cd \
  --repo https://argoproj.github.io/argo-helm --version 10.1.1 \
  --namespace argocd --create-namespace --values - <<'VALUES'
fullnameOverride: argocd
global:
  domain: argocd.demo.lab
server:
  service:
    type: LoadBalancer
    annotations:
      coredns.io/hostname: argocd.demo.lab
  readinessProbe:
    initialDelaySeconds: 1
    periodSeconds: 2
dex:
  enabled: false
notifications:
  enabled: false
configs:
  cm:
    accounts.meshlab: apiKey
  params:
    applicationsetcontroller.enable.new.git.file.globbing: true
    applicationsetcontroller.enable.policy.override: true
  rbac:
    policy.csv: |
      p, role:meshlab, applications, get, */*, allow
      p, role:meshlab, applications, sync, */*, allow
      g, meshlab, role:meshlab
controller:
  readinessProbe:
    initialDelaySeconds: 1
    periodSeconds: 2
repoServer:
  readinessProbe:
    initialDelaySeconds: 1
    periodSeconds: 2
VALUES
