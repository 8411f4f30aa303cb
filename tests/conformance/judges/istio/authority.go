package main

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"istio.io/istio/security/pkg/pki/ca"
	"istio.io/istio/security/pkg/pki/util"
)

// sign does what istiod does at its start with plugged-in certificates, then what it does for a proxy's request.
func sign(dir string, identities []string) error {
	file := func(name string) string { return filepath.Join(dir, name) }
	bundle := ca.SigningCAFileBundle{
		RootCertFile:    file("root-cert.pem"),
		CertChainFiles:  []string{file("cert-chain.pem")},
		SigningCertFile: file("ca-cert.pem"),
		SigningKeyFile:  file("ca-key.pem"),
	}
	options, err := ca.NewPluggedCertIstioCAOptions(bundle, 24*time.Hour, 90*24*time.Hour, 2048)
	if err != nil {
		return err
	}
	authority, err := ca.NewIstioCA(options)
	if err != nil {
		return err
	}
	for _, identity := range identities {
		request, _, err := util.GenCSR(util.CertOptions{Host: identity, ECSigAlg: util.EcdsaSigAlg})
		if err != nil {
			return err
		}
		chain, err := authority.SignWithCertChain(request, ca.CertOpts{SubjectIDs: []string{identity}, TTL: time.Hour})
		if err != nil {
			return fmt.Errorf("%s: %w", identity, err)
		}
		for _, certificate := range chain {
			fmt.Print(certificate)
		}
	}
	return nil
}

// verify takes a chain as a peer presents it: only its first certificate is in question.
func verify(rootsFile, chainFile string) error {
	roots, err := certificates(rootsFile)
	if err != nil {
		return err
	}
	chain, err := certificates(chainFile)
	if err != nil {
		return err
	}
	options := x509.VerifyOptions{
		Roots:         pool(roots),
		Intermediates: pool(chain[1:]),
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	_, err = chain[0].Verify(options)
	return err
}

func certificates(file string) ([]*x509.Certificate, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var found []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		found = append(found, certificate)
	}
	if len(found) == 0 {
		return nil, errors.New(file + ": no certificate")
	}
	return found, nil
}

func pool(certificates []*x509.Certificate) *x509.CertPool {
	pool := x509.NewCertPool()
	for _, certificate := range certificates {
		pool.AddCert(certificate)
	}
	return pool
}
