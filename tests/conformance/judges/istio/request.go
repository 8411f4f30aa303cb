package main

import (
	"fmt"
	"time"

	"istio.io/istio/pkg/security"
	"istio.io/istio/security/pkg/credentialfetcher/plugin"
	"istio.io/istio/security/pkg/nodeagent/caclient/providers/citadel"
	"istio.io/istio/security/pkg/pki/util"
)

// request asks a running istiod for a workload certificate, as a proxy's agent does: over TLS that only the given
// roots vouch for, with a token of the proxy's ServiceAccount and its cluster's ID.
func request(address, serverName, rootsFile, tokenFile, clusterID string) error {
	client, err := citadel.NewCitadelClient(&security.Options{
		CAEndpoint:    address,
		CAEndpointSAN: serverName,
		ClusterID:     clusterID,
		CredFetcher:   plugin.CreateTokenPlugin(tokenFile),
	}, &citadel.TLSOptions{RootCert: rootsFile})
	if err != nil {
		return err
	}
	defer client.Close()
	csr, _, err := util.GenCSR(util.CertOptions{ECSigAlg: util.EcdsaSigAlg})
	if err != nil {
		return err
	}
	chain, err := client.CSRSign(csr, int64(time.Hour.Seconds()))
	if err != nil {
		return err
	}
	for _, certificate := range chain {
		fmt.Print(certificate)
	}
	return nil
}
