package identity

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

const maxDenyLineBytes = 512

// readDenyList reads one jti a line; empty lines and lines that begin with #
// are skipped.
func readDenyList(path string) (map[string]bool, error) {
	data, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	denied := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(make([]byte, 0, maxDenyLineBytes), maxDenyLineBytes)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line != "" && !strings.HasPrefix(line, "#") {
			denied[line] = true
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("after %d entries: %w (one jti a line, at most %d bytes)", len(denied), err, maxDenyLineBytes)
	}
	return denied, nil
}
