package evidence

import (
	"errors"
	"strings"
)

var errNoPatroni = errors.New("patronictl list is expected: a table with Member, Role and State")

// boxed reads the cells of a line of a table drawn with bars.
func boxed(line string) []string {
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "|") || len(line) < 2 {
		return nil
	}
	cells := strings.SplitN(strings.Trim(line, "|"), "|", maxColumns+1)
	for i := range cells {
		cells[i] = strings.TrimSpace(cells[i])
	}
	return cells
}

func isPatroni(t table) bool { return t.has("Member", "Role", "State") }

func looksLikePatroni(l look) bool {
	return l.any(func(line string) bool { return isPatroni(table{names: boxed(line)}) })
}

// readPatroni reads one database a cluster; members stand in lines of their own.
func readPatroni(r *reader, p printout) error {
	var t table
	db := DB{Engine: "postgres", Host: p.host}
	end := func() {
		if len(db.Members) > 0 && len(r.ev.DBs) < maxItems {
			r.ev.DBs = append(r.ev.DBs, db)
		}
		db = DB{Engine: "postgres", Host: p.host}
	}
	before := len(r.ev.DBs)
	for line := range lines(p.text) {
		cells := boxed(line)
		switch name, ok := patroniCluster(line); {
		case ok:
			end()
			db.Cluster, t = name, table{}
		case cells == nil:
		case isPatroni(table{names: cells}):
			t = table{names: cells}
		case t.names != nil && len(db.Members) < maxItems:
			row := row{t, cells}
			if name := row.get("Cluster"); name != "" && db.Cluster == "" {
				db.Cluster = name
			}
			db.Members = append(db.Members, member(row))
		}
	}
	if end(); len(r.ev.DBs) == before {
		return errNoPatroni
	}
	return nil
}

// patroniCluster reads "+ Cluster: pg-prod (7012345678901234567) --+------+".
func patroniCluster(line string) (string, bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(line, "+ "), "Cluster: ")
	if !ok {
		return "", false
	}
	return firstWord(rest), true
}

func member(row row) Member {
	m := Member{Name: row.get("Member"), Role: strings.ToLower(row.get("Role")), State: row.get("State"), Timeline: countOrNot(row.get("TL"))}
	for i, heading := range row.table.names {
		if i < len(row.cells) && lagHeadings[heading] {
			m.LagMB = larger(m.LagMB, countOrNot(row.cells[i]))
		}
	}
	return m
}

// lagHeadings are those of older and newer patronictls; the newer have two
// columns of one name, what was received and what was replayed.
var lagHeadings = keySet("Lag in MB,Lag,Receive Lag,Replay Lag")

func larger(a, b Number) Number {
	if !b.Known || a.Known && a.Value > b.Value {
		return a
	}
	return b
}

var errNoPgIsReady = errors.New("pg_isready is expected: host:port - accepting connections, rejecting connections or no response")

// readyWords are pg_isready's answers.
var readyWords = []string{"accepting connections", "rejecting connections", "no response", "no attempt"}

func looksLikePgIsReady(l look) bool {
	for _, w := range readyWords {
		if len(l) <= maxFailure && l.any(func(line string) bool { return strings.HasSuffix(line, " - "+w) }) {
			return true
		}
	}
	return false
}

func readPgIsReady(r *reader, p printout) error {
	found := false
	for line := range lines(p.text) {
		for _, w := range readyWords {
			at, ok := strings.CutSuffix(strings.TrimSpace(line), " - "+w)
			if !ok || len(r.ev.DBs) >= maxItems {
				continue
			}
			host := at[:max(0, strings.LastIndexByte(at, ':'))]
			if host == "" || strings.HasPrefix(host, "/") { // a socket
				host = p.host
			}
			r.ev.DBs, found = append(r.ev.DBs, DB{Engine: "postgres", Host: host, Members: []Member{{Name: at, State: w}}}), true
		}
	}
	if !found {
		return errNoPgIsReady
	}
	return nil
}
