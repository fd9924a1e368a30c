package main

import (
	"bytes"
	"io"

	"salve/internal/redact"
)

// redacted is a log that no secret gets into. A line is one JSON object, as
// zerolog writes it; what is none is taken as text.
type redacted struct{ out io.Writer }

func (r redacted) Write(line []byte) (int, error) {
	clean, err := redact.JSON(bytes.TrimSuffix(line, []byte("\n")))
	if err != nil {
		clean = []byte(redact.Text(string(line)))
	}
	if _, err := r.out.Write(append(bytes.TrimSuffix(clean, []byte("\n")), '\n')); err != nil {
		return 0, err
	}
	return len(line), nil
}
