package evidence

import (
	"errors"
	"strings"
)

var errNoUnits = errors.New("systemctl show (Id=, LoadState=, ActiveState=, SubState=, Result= …), systemctl status or systemctl list-units is expected")

func looksLikeSystemctl(l look) bool {
	return looksLikeShow(l) || looksLikeUnits(l) || looksLikeStatus(l)
}

// readSystemctl reads show, status, list-units and is-active.
func readSystemctl(r *reader, p printout) error {
	head := lookAt(p.text)
	switch {
	case looksLikeShow(head):
		return readShow(r, p)
	case looksLikeUnits(head):
		return readUnits(r, p)
	case looksLikeStatus(head):
		return readStatus(r, p)
	case strings.HasPrefix(p.arg(1), "is-"):
		return readIsActive(r, p)
	}
	return errNoUnits
}

// unitKeys are the properties of systemctl show that are read.
var unitKeys = map[string]func(*Service) *string{
	"Id":            func(s *Service) *string { return &s.Unit },
	"Type":          func(s *Service) *string { return &s.Type },
	"LoadState":     func(s *Service) *string { return &s.LoadState },
	"ActiveState":   func(s *Service) *string { return &s.ActiveState },
	"SubState":      func(s *Service) *string { return &s.SubState },
	"Result":        func(s *Service) *string { return &s.Result },
	"UnitFileState": func(s *Service) *string { return (*string)(&s.Enabled) },
}

func looksLikeShow(l look) bool {
	return l.starts("ActiveState=", "SubState=", "LoadState=")
}

// readShow reads blocks of Key=value, one a unit, with a blank line between. A
// block without an Id is the unit that the command asked for in its place.
func readShow(r *reader, p printout) error {
	asked := p.words[min(len(p.words), 2):]
	found, s, open := 0, Service{Host: p.host}, false
	end := func() {
		if open {
			if s.Unit == "" && found < len(asked) {
				s.Unit = unitName(asked[found])
			}
			r.service(s)
			found++
		}
		s, open = Service{Host: p.host}, false
	}
	for line := range lines(p.text) {
		if line == "" {
			end()
			continue
		}
		open = s.property(line) || open
	}
	end()
	if found == 0 {
		return errNoUnits
	}
	return nil
}

func (s *Service) property(line string) bool {
	key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
	if !ok {
		return false
	}
	switch key {
	case "ExecMainStatus":
		s.ExecMainStatus = countOrNot(value)
	case "NRestarts":
		s.Restarts = countOrNot(value)
	default:
		place := unitKeys[key]
		if place == nil {
			return false
		}
		*place(s) = value
	}
	return true
}

// unitName is how systemd calls a unit that is named without its kind.
func unitName(name string) string {
	if name == "" || strings.ContainsRune(name, '.') {
		return name
	}
	return name + ".service"
}

const bullets = "●○×↻*"

func looksLikeStatus(l look) bool {
	return l.starts("Loaded: ") && l.starts("Active: ") ||
		len(l) <= 3 && l.any(func(line string) bool { _, ok := missingUnit(line); return ok })
}

// missingUnit reads "Unit nginx.service could not be found."
func missingUnit(line string) (string, bool) {
	unit, ok := strings.CutPrefix(line, "Unit ")
	if !ok {
		return "", false
	}
	return strings.CutSuffix(unit, " could not be found.")
}

// readStatus reads systemctl status. The journal lines under each unit are kept
// as a log of the host.
func readStatus(r *reader, p printout) error {
	var journal strings.Builder
	var units []Service
	inJournal := false
	for line := range lines(p.text) {
		unit, starts := statusTitle(line)
		missing, isMissing := missingUnit(line)
		switch {
		case isMissing:
			units = append(units, Service{Host: p.host, Unit: missing, LoadState: "not-found"})
		case starts && len(units) < maxItems:
			units, inJournal = append(units, Service{Host: p.host, Unit: unit}), false
		case len(units) == 0:
		case line == "":
			inJournal = true
		case inJournal:
			journal.WriteString(line + "\n")
		default:
			units[len(units)-1].statusLine(strings.TrimSpace(line))
		}
	}
	if len(units) == 0 {
		return errNoUnits
	}
	for _, s := range units {
		r.service(s)
	}
	if journal.Len() > 0 {
		r.log(Log{Host: p.host, Tool: "systemctl status", Text: journal.String()})
	}
	return nil
}

// statusTitle reads "● nginx.service - A high performance web server".
func statusTitle(line string) (string, bool) {
	rest := strings.TrimLeft(line, bullets)
	if len(rest) == len(line) || !strings.HasPrefix(rest, " ") {
		return "", false
	}
	unit, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	return unit, strings.ContainsRune(unit, '.')
}

func (s *Service) statusLine(line string) {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "Loaded":
		s.LoadState, _ = cutWord(value)
		if _, in, ok := strings.Cut(value, "; "); ok {
			state, _, _ := strings.Cut(in, ";")
			s.Enabled = Word(strings.TrimRight(state, ")"))
		}
	case "Active":
		s.active(value)
	case "Main PID", "Process":
		if _, status, ok := strings.Cut(value, "status="); ok && !s.ExecMainStatus.Known {
			s.ExecMainStatus = countOrNot(status[:len(status)-len(strings.TrimLeft(status, "0123456789"))])
		}
	}
}

// active reads "failed (Result: exit-code) since …" and "active (running) since …".
func (s *Service) active(text string) {
	var rest string
	s.ActiveState, rest = cutWord(text)
	for strings.HasPrefix(rest, "(") {
		inside, after, _ := strings.Cut(rest[1:], ")")
		if result, ok := strings.CutPrefix(inside, "Result: "); ok {
			s.Result = result
		} else {
			s.SubState = inside
		}
		rest = strings.TrimLeft(after, " ")
	}
	if s.SubState == "" && s.ActiveState == "failed" {
		s.SubState = "failed"
	}
}

func looksLikeUnits(l look) bool {
	return l.header("UNIT", "LOAD", "ACTIVE", "SUB") || l.any(func(line string) bool { return strings.HasSuffix(line, " loaded units listed.") })
}

// readUnits reads systemctl list-units; that none is listed is an answer too.
func readUnits(r *reader, p printout) error {
	if r.ev.Services == nil {
		r.ev.Services = []Service{}
	}
	for line := range lines(p.text) {
		f := strings.Fields(strings.TrimLeft(strings.TrimSpace(line), bullets))
		if len(f) < 4 || f[0] == "UNIT" || !strings.ContainsRune(f[0], '.') || f[1] == "=" {
			continue
		}
		r.service(Service{Host: p.host, Unit: f[0], LoadState: f[1], ActiveState: f[2], SubState: f[3]})
	}
	return nil
}

// readIsActive reads one word a unit, in the order of the command.
func readIsActive(r *reader, p printout) error {
	n := 2
	for line := range lines(p.text) {
		state := strings.TrimSpace(line)
		if state == "" || strings.ContainsRune(state, ' ') || p.arg(n) == "" {
			continue
		}
		s := Service{Host: p.host, Unit: unitName(p.arg(n))}
		if p.arg(1) == "is-enabled" {
			s.Enabled = Word(state)
		} else {
			s.ActiveState = state
		}
		r.service(s)
		n++
	}
	if n == 2 {
		return errNoUnits
	}
	return nil
}

func (r *reader) service(s Service) {
	if len(r.ev.Services) < maxItems {
		r.ev.Services = append(r.ev.Services, s)
	}
}

func (r *reader) log(l Log) {
	if len(r.ev.Logs) < maxItems {
		r.ev.Logs = append(r.ev.Logs, l)
	}
}
