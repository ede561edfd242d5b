package main

import (
	"encoding/json"
	"testing"
)

func TestSchema(t *testing.T) {
	got := runWith(t, "", "schema")
	var schema map[string]any
	if err := json.Unmarshal([]byte(got.out), &schema); err != nil || got.code != exitOK || schema["title"] != "Usher audience" {
		t.Errorf("got code %d, title %v, error %v", got.code, schema["title"], err)
	}
}
