package main

import (
	"io"

	"github.com/argoproj/argo-cd/v3/util/rbac"
)

// checkPolicy says whether Argo CD would load this policy.
func checkPolicy(policy io.Reader) (any, error) {
	text, err := io.ReadAll(policy)
	if err != nil {
		return nil, err
	}
	return true, rbac.ValidatePolicy(string(text))
}
