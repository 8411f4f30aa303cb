#!/bin/bash
# Makes pizza-2, if it is not there, in Docker's network `kind`.
set -euo pipefail
# Paths in kind.yaml are relative to the folder of the lab's tree.
cd "$(dirname "$0")/../.."

kind get clusters | grep --quiet --line-regexp pizza-2 ||
  kind create cluster --name pizza-2 --config clusters/pizza-2/kind.yaml
kubectl config get-contexts --output name | grep --quiet --line-regexp pizza-2 ||
  kubectl config rename-context kind-pizza-2 pizza-2
