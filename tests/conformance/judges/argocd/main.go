// Command judge-argocd lets Argo CD's own code judge a rendered tree.
//
//	judge-argocd appsets REPOSITORY PATH   expand the ApplicationSets of the tree at PATH and check every Application
//	judge-argocd permitted REPOSITORY PATH read objects as JSON on stdin, say which their AppProject refuses
//	judge-argocd policy                    check an RBAC policy on stdin
//	judge-argocd yaml FILE...              print every document as JSON, as Go's YAML reads it
//
// REPOSITORY is a Git work tree with the rendered tree added to its index: the git files generator lists tracked files.
// The result is JSON on stdout, problems included; a failure to judge at all is exit status 2.
package main

import (
	"encoding/json"
	"fmt"
	"os"

	log "github.com/sirupsen/logrus"
)

// Problem is one refusal: the file it concerns, relative to the tree, and what Argo CD said.
type Problem struct {
	File string `json:"file"`
	Said string `json:"said"`
}

func main() {
	log.SetLevel(log.PanicLevel)
	result, err := run(os.Args[1:])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(result)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "judge-argocd:", err)
		os.Exit(2)
	}
}

func run(args []string) (any, error) {
	switch {
	case len(args) == 3 && args[0] == "appsets":
		return expand(args[1], args[2])
	case len(args) == 3 && args[0] == "permitted":
		return permitted(args[1], args[2], os.Stdin)
	case len(args) == 1 && args[0] == "policy":
		return checkPolicy(os.Stdin)
	case len(args) > 1 && args[0] == "yaml":
		return readYAML(args[1:])
	}
	return nil, fmt.Errorf("usage: judge-argocd appsets|permitted REPOSITORY PATH, or policy, or yaml FILE...")
}
