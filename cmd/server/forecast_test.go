package main

import (
	"strings"
	"testing"
)

func TestReadSamples(t *testing.T) {
	for name, c := range map[string]struct {
		text, err string
		rows      int
	}{
		"three kinds of times":   {"timestamp,value\n2026-01-05T00:00:00+01:00,1\n2026-01-05 00:05:00,2\n1767571800,3\n", "", 3},
		"other columns":          {"host,Value,timestamp\na,1,2026-01-05 00:00:00\n", "", 1},
		"no head":                {"2026-01-05 00:00:00,1\n", "line 1: the head", 0},
		"nothing":                {"", "no head", 0},
		"a word for a number":    {"timestamp,value\n2026-01-05 00:00:00,1\n2026-01-05 00:05:00,many\n", `line 3: value "many"`, 0},
		"no number":              {"timestamp,value\n2026-01-05 00:00:00,NaN\n", `line 2: value "NaN"`, 0},
		"infinity":               {"timestamp,value\n2026-01-05 00:00:00,1e999\n", `line 2: value "1e999"`, 0},
		"a time that is none":    {"timestamp,value\nyesterday,1\n", `line 2: timestamp "yesterday"`, 0},
		"milliseconds":           {"timestamp,value\n1767571800000000,1\n", "line 2: timestamp", 0},
		"a column too few":       {"timestamp,value\n2026-01-05 00:00:00\n", "line 2", 0},
		"a quote without an end": {"timestamp,value\n\"2026-01-05 00:00:00,1\n", "line 2", 0},
	} {
		got, err := readSamples(strings.NewReader(c.text))
		if len(got) != c.rows || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %d rows, %v; want %d and %q", name, len(got), err, c.rows, c.err)
		}
	}
}
