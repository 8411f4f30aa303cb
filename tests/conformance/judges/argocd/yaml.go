package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"

	k8syaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Reading is what one file holds: its documents, or why it cannot be read.
type Reading struct {
	Documents []json.RawMessage `json:"documents"`
	Error     string            `json:"error,omitempty"`
}

func readYAML(files []string) (map[string]Reading, error) {
	readings := map[string]Reading{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		readings[file] = readDocuments(data)
	}
	return readings, nil
}

func readDocuments(data []byte) Reading {
	reading := Reading{Documents: []json.RawMessage{}}
	reader := k8syaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return reading
		}
		if err == nil {
			document, err = yaml.YAMLToJSONStrict(document)
		}
		if err != nil {
			return Reading{Error: err.Error()}
		}
		reading.Documents = append(reading.Documents, document)
	}
}
