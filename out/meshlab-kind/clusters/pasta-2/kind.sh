#!/bin/bash
# Makes pasta-2, if it is not there, in Docker's network `kind`.
set -euo pipefail
# Paths in kind.yaml are relative to the folder of the lab's tree.
cd "$(dirname "$0")/../.."

kind get clusters | grep --quiet --line-regexp pasta-2 ||
  kind create cluster --name pasta-2 --config clusters/pasta-2/kind.yaml
kubectl config get-contexts --output name | grep --quiet --line-regexp pasta-2 ||
  kubectl config rename-context kind-pasta-2 pasta-2
