package evidence

import (
	"errors"
	"strings"
)

var errNoTop = errors.New("what kubectl top pods or kubectl top nodes prints is expected: NAME CPU(cores) MEMORY(bytes) and a line a pod or node")

func isTop(t table) bool { return t.has("CPU(cores)", "MEMORY(bytes)") }

func looksLikeTop(l look) bool { return l.any(func(line string) bool { return isTop(tableOf(line)) }) }

// readTop reads kubectl top pods, also with --containers, and kubectl top nodes.
func readTop(r *reader, p printout) error {
	found := false
	rows(p.text, isTop, func(row row) {
		u, ok := usageOf(row)
		if !ok || len(r.ev.Usages) >= maxItems {
			return
		}
		if u.Kind == "Pod" && u.Namespace == "" {
			u.Namespace = p.namespace()
		}
		r.ev.Usages, found = append(r.ev.Usages, u), true
	})
	if !found {
		return errNoTop
	}
	return nil
}

func usageOf(row row) (Usage, bool) {
	u := Usage{Kind: "Pod", Namespace: row.get("NAMESPACE"), Name: row.get("NAME")}
	if pod := row.get("POD"); pod != "" {
		u.Name, u.Container = pod, row.get("NAME")
	}
	for _, heading := range []string{"CPU%", "CPU(%)"} {
		if row.table.has(heading) {
			u.Kind = "Node"
			u.CPUPercent, _ = percent(row.get(heading))
		}
	}
	for _, heading := range []string{"MEMORY%", "MEMORY(%)"} {
		if row.table.has(heading) {
			u.MemoryPercent, _ = percent(row.get(heading))
		}
	}
	var ok bool
	if u.MemoryBytes, ok = size(row.get("MEMORY(bytes)"), 1, 1024); !ok {
		return u, u.Kind == "Node" && u.Name != "" // <unknown>: a node that does not report
	}
	u.CPUMillicores, ok = millicores(row.get("CPU(cores)"))
	return u, ok && u.Name != ""
}

// millicores reads "250m" and "2".
func millicores(text string) (Number, bool) {
	if milli, ok := strings.CutSuffix(text, "m"); ok {
		return count(milli)
	}
	n, ok := count(text)
	return known(1000*n.Value, ok)
}

// namespace is what -n names.
func (c command) namespace() string { return c.value("-n", "--namespace") }
