#!/bin/bash
# Makes pizza-1, if it is not there, in Docker's network `kind`.
set -euo pipefail
# Paths in kind.yaml are relative to the folder of the lab's tree.
cd "$(dirname "$0")/../.."

kind get clusters | grep --quiet --line-regexp pizza-1 ||
  kind create cluster --name pizza-1 --config clusters/pizza-1/kind.yaml
kubectl config get-contexts --output name | grep --quiet --line-regexp pizza-1 ||
  kubectl config rename-context kind-pizza-1 pizza-1
