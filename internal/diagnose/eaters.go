package diagnose

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"salve/internal/evidence"
)

// eaters are the biggest directories and the core dumps that lie on the file
// system, and what stands out among them.
func (f filesystem) eaters() (quotes []string, what string) {
	for _, d := range f.top[:min(len(f.top), eatersQuoted)] {
		quotes = append(quotes, fmt.Sprintf("du: %s %s", bytes(d.Bytes), d.Path))
	}
	parts := append(biggest(f.top), rotated(f.top)...)
	dumps, said := coreDumps(f.cores)
	return append(quotes, dumps...), strings.Join(append(parts, said...), "; ")
}

// biggest names the log directory, which can be cleaned, before what is biggest.
func biggest(top []evidence.PathSize) []string {
	for _, d := range top {
		if logDirectory(d.Path) && !isRotated(d.Path) {
			return []string{fmt.Sprintf("%s holds %s of logs", d.Path, bytes(d.Bytes))}
		}
	}
	if len(top) > 0 {
		return []string{fmt.Sprintf("%s holds %s", top[0].Path, bytes(top[0].Bytes))}
	}
	return nil
}

func logDirectory(path string) bool {
	return strings.HasPrefix(path, "/var/log") || strings.HasSuffix(path, "/log") || strings.HasSuffix(path, "/logs") ||
		strings.Contains(path, "/logs/") || strings.Contains(path, "/log/")
}

// rotatedName are logrotate's names for a log that is no longer written to:
// access.log.1, error.log-20261116.
var rotatedName = regexp.MustCompile(`\.log([.-]\d{1,10})$|\.log\.\d{4}-\d\d-\d\d$`)

func isRotated(name string) bool { return rotatedName.MatchString(path.Base(name)) }

// rotated are logs that were rotated and not compressed.
func rotated(top []evidence.PathSize) []string {
	n, sum, first := 0, 0.0, ""
	for _, d := range top {
		if isRotated(d.Path) {
			n, sum, first = n+1, sum+d.Bytes.Value, orElse(first, d.Path)
		}
	}
	switch {
	case n == 0:
		return nil
	case n == 1:
		return []string{fmt.Sprintf("%s is rotated and not compressed (%s)", first, bytes(evidence.Of(sum)))}
	}
	return []string{fmt.Sprintf("%d rotated logs are not compressed and hold %s, such as %s", n, bytes(evidence.Of(sum)), first)}
}

// coreDumps tells those over 100 MB apart.
func coreDumps(found []evidence.PathSize) (quotes, said []string) {
	n, sum := 0, 0.0
	for _, c := range found {
		if c.Bytes.Value <= largeCoreDump {
			continue
		}
		if n < coreDumpsQuoted {
			quotes = append(quotes, fmt.Sprintf("core dump: %s %s", bytes(c.Bytes), c.Path))
		}
		n, sum = n+1, sum+c.Bytes.Value
	}
	switch {
	case n == 1:
		said = []string{fmt.Sprintf("a core dump holds %s", bytes(evidence.Of(sum)))}
	case n > 1:
		said = []string{fmt.Sprintf("%d core dumps over 100 MB hold %s", n, bytes(evidence.Of(sum)))}
	}
	return quotes, said
}
