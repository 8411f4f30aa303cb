// Command judge-istio lets Istio's own code judge CA bundles and mesh configuration, write the files of machines outside of
// Kubernetes, and ask a running istiod what a proxy asks.
//
//	judge-istio sign DIR URI...     load the `cacerts` files in DIR as istiod does and sign a workload certificate for each
//	                                identity; prints the certificates in PEM, leaf first, one chain after the other
//	judge-istio verify ROOTS CHAIN  verify the first certificate of CHAIN with Go's verifier, which istiod and Argo use
//	judge-istio mesh FILE           read a mesh configuration, unknown fields refused
//	judge-istio request ADDRESS NAME ROOTS TOKEN CLUSTER
//	                                ask the istiod at ADDRESS, whose certificate must carry NAME, for a workload certificate
//	                                with the ServiceAccount token in the file TOKEN; prints the chain in PEM, leaf first
//	judge-istio machine GROUP FOUND REVISION INTERNAL_IP OUTPUT
//	                                write into OUTPUT what `istioctl x workload entry configure` writes for the WorkloadGroup in the
//	                                file GROUP, when it finds in the cluster what the file FOUND holds; INTERNAL_IP may be empty
//
// A refusal is exit status 1 with the reason on stderr, a failure to judge is 2.
package main

import (
	"errors"
	"fmt"
	"os"

	"istio.io/istio/pkg/log"
)

var errUsage = errors.New("usage: judge-istio sign DIR URI... | verify ROOTS CHAIN | mesh FILE | request ADDRESS NAME ROOTS TOKEN CLUSTER | machine GROUP FOUND REVISION INTERNAL_IP OUTPUT")

func main() {
	options := log.DefaultOptions()
	options.SetDefaultOutputLevel(log.OverrideScopeName, log.NoneLevel)
	_ = log.Configure(options)

	err := run(os.Args[1:])
	switch {
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) > 2 && args[0] == "sign":
		return sign(args[1], args[2:])
	case len(args) == 3 && args[0] == "verify":
		return verify(args[1], args[2])
	case len(args) == 2 && args[0] == "mesh":
		return readMesh(args[1])
	case len(args) == 6 && args[0] == "request":
		return request(args[1], args[2], args[3], args[4], args[5])
	case len(args) == 6 && args[0] == "machine":
		return machine(args[1], args[2], args[3], args[4], args[5])
	}
	return errUsage
}
