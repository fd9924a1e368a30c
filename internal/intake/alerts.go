package intake

import (
	_ "embed"
	"strings"

	"salve/internal/incident"
)

// alertTable is what the names of alerts say, one alert a line.
//
//go:embed alerts.txt
var alertTable string

// alert is one line of the table.
type alert struct {
	group      string // the rule set it stands under
	name       string // without what follows in braces, or the star
	words      bool   // the name is words that others begin with
	label      string // this line is for alerts whose label has this value
	value      string
	hypothesis string // a cause, a family of causes, or nothing
	about      string // a kind of Kubernetes object or a word of finders
	suppress   string // why such an alert is no incident
}

// aboutNothing is what an alert that is no incident is about.
const aboutNothing = "Nothing"

// family is the family of the hypothesis.
func (a alert) family() string { return incident.Family(a.hypothesis) }

// cause is the hypothesis where it is a cause.
func (a alert) cause() string {
	if !incident.IsCause(a.hypothesis) {
		return ""
	}
	return a.hypothesis
}

// readAlerts reads a table. What makes no sense in it, a test finds.
func readAlerts(table string) []alert {
	var all []alert
	group := ""
	for line := range strings.Lines(table) {
		switch line = strings.TrimSpace(line); {
		case strings.HasPrefix(line, "## "):
			group = strings.TrimPrefix(line, "## ")
		case line != "" && line[0] != '#':
			all = append(all, readAlert(group, line))
		}
	}
	return all
}

func readAlert(group, line string) alert {
	line, _, _ = strings.Cut(line, " # ")
	fields := append(strings.Fields(line), "", "", "")
	a := alert{group: group, hypothesis: strings.Trim(fields[1], "-"), about: strings.Trim(fields[2], "-")}
	a.name, a.words = strings.CutSuffix(fields[0], "*")
	if name, told, ok := strings.Cut(a.name, "{"); ok {
		a.name = name
		a.label, a.value, _ = strings.Cut(strings.TrimSuffix(told, "}"), "=")
	}
	if a.about == aboutNothing {
		a.suppress = a.name + " " + strings.TrimSpace(strings.Join(fields[3:], " "))
	}
	return a
}

// lookup is the table by name.
type lookup struct {
	exact map[string]alert
	words map[string]alert
	told  map[string][]alert // by what a label of them says
}

var alerts = newLookup(readAlerts(alertTable))

func newLookup(all []alert) lookup {
	l := lookup{map[string]alert{}, map[string]alert{}, map[string][]alert{}}
	for _, a := range all {
		switch {
		case a.words:
			l.words[a.name] = a
		case a.label != "":
			l.told[a.name] = append(l.told[a.name], a)
		default:
			l.exact[a.name] = a
		}
	}
	return l
}

// find looks an alert up: by its exact name, else by the longest whole words
// that its name begins with: Node fits NodeClockSkew and does not fit
// NodejsHeapFull.
func (l lookup) find(name string, labels map[string]string) alert {
	if a, ok := l.exact[name]; ok {
		for _, told := range l.told[name] {
			if labels[told.label] == told.value {
				return told
			}
		}
		return a
	}
	for end := min(len(name), maxDNSLabel); end > 0; end-- {
		if end < len(name) && 'a' <= name[end] && name[end] <= 'z' {
			continue
		}
		if a, ok := l.words[name[:end]]; ok {
			return a
		}
	}
	return alert{}
}
