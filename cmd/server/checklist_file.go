package main

import (
	"context"
	"sync/atomic"

	"salve/internal/checklist"
)

// checklistFile is the checklist in force and the file that it came from. As with the
// policy, a file that changes is read anew, and what is wrong with it keeps the old
// one in force.
type checklistFile struct {
	path    string // empty: the embedded default, which checks nothing
	inForce atomic.Pointer[checklist.Checklist]
	seen    stamp
}

func (f *checklistFile) current() *checklist.Checklist { return f.inForce.Load() }

// load reads the file, and says whether another checklist is in force now.
func (f *checklistFile) load() (changed bool, err error) {
	f.seen, _ = stampOf(f.path)
	list, err := checklist.Load("default", checklist.Default())
	if f.path != "" {
		list, err = loadChecklist(f.path)
	}
	if err != nil {
		return false, err
	}
	before := f.inForce.Swap(list)
	return before == nil || before.Version() != list.Version(), nil
}

// reloadChecklist takes a file that changed. Only its own loop calls it.
func (s *service) reloadChecklist(context.Context) error {
	f := &s.checks
	if now, err := stampOf(f.path); err != nil || now == f.seen {
		return nil
	}
	before := f.current().Version()
	switch changed, err := f.load(); {
	case err != nil:
		s.log.Error().Err(err).Str("checklist", before).Msg("the checklist is refused; the old one stays in force")
	case changed:
		s.log.Info().Str("checklist", f.current().Version()).Str("before", before).Int("checks", len(f.current().Checks())).Msg("checklist reloaded")
	}
	return nil
}
