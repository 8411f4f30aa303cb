#!/bin/bash
# Makes pasta-1, if it is not there, in Docker's network `kind`.
set -euo pipefail
# Paths in kind.yaml are relative to the folder of the lab's tree.
cd "$(dirname "$0")/../.."

kind get clusters | grep --quiet --line-regexp pasta-1 ||
  kind create cluster --name pasta-1 --config clusters/pasta-1/kind.yaml
kubectl config get-contexts --output name | grep --quiet --line-regexp pasta-1 ||
  kubectl config rename-context kind-pasta-1 pasta-1
