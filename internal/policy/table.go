package policy

import "salve/internal/incident"

// GuardRow is one guard for people: what it stops in which mode, and who may let
// a change pass it all the same.
type GuardRow struct {
	Guard    string                   `json:"guard"`
	What     string                   `json:"what"` // makes it stop a change
	Binds    map[incident.Mode]string `json:"binds"`
	Override Override                 `json:"override"`
}

// GuardTable is the table guard × mode × who may override, in the order of reading.
func GuardTable() []GuardRow {
	var rows []GuardRow
	for _, g := range guards() {
		row := GuardRow{Guard: g.name, What: g.what, Override: g.override, Binds: map[incident.Mode]string{}}
		for _, mode := range []incident.Mode{incident.Auto, incident.Hold, incident.Approve} {
			row.Binds[mode] = "stops"
		}
		if g.name == GuardEvidence {
			row.Binds[incident.Approve] = "stops what is not trusted; age is looked at with the yes"
		}
		rows = append(rows, row)
	}
	return rows
}
