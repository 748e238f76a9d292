package main

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

func TestADurationInTheLogNamesItsUnit(t *testing.T) {
	var log bytes.Buffer
	newLogger(LogConfig{Format: logJSON}, &log).Info("merged", schemas.LogKeyTook, 1500*time.Microsecond)
	var line map[string]any
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line["took_ms"] != 1.5 {
		t.Errorf("took_ms is %v in %s", line["took_ms"], log.Bytes())
	}
}
