package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"

	"salve/internal/policy"
)

// policyFile is the policy in force and the file that it came from. A file that
// changes is read anew; what is wrong with it keeps the old policy in force.
type policyFile struct {
	path    string // empty: the embedded default, which does not change
	inForce atomic.Pointer[policy.Policy]

	mu      sync.Mutex
	seen    stamp  // of the file as it was read last
	refused string // why the file is not in force, for whoever asks: no word of its content
}

// stamp tells one state of a file from another.
type stamp struct {
	size, modified int64
}

func (f *policyFile) current() *policy.Policy { return f.inForce.Load() }

// load reads it for the first time.
func (f *policyFile) load() error {
	f.seen, _ = stampOf(f.path)
	p, err := loadPolicy(f.path)
	if err == nil {
		f.inForce.Store(p)
	}
	return err
}

func stampOf(path string) (stamp, error) {
	if path == "" {
		return stamp{}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}, err
	}
	return stamp{info.Size(), info.ModTime().UnixNano()}, nil
}

// changed says whether the file is another than the one that was read last.
func (f *policyFile) changed() bool {
	now, err := stampOf(f.path)
	f.mu.Lock()
	defer f.mu.Unlock()
	return err == nil && now != f.seen
}

// reload reads the file again, and puts it in force once activate has put it on
// record. It says whether another policy is in force now.
func (f *policyFile) reload(ctx context.Context, activate func(context.Context, *policy.Policy) error) (changed bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	before := f.inForce.Load()
	seen, err := stampOf(f.path)
	if err != nil {
		return false, f.refuse(fmt.Errorf("policy: %w", err), "the file cannot be read")
	}
	f.seen = seen
	p, err := loadPolicy(f.path)
	if err != nil {
		return false, f.refuse(err, "the file was refused"+where(err))
	}
	f.refused = ""
	if p.Version() == before.Version() {
		return false, nil
	}
	if err := activate(ctx, p); err != nil {
		f.seen = stamp{} // it is tried again
		return false, f.refuse(err, "the file could not be put on record")
	}
	f.inForce.Store(p)
	return true, nil
}

func (f *policyFile) refuse(err error, words string) error {
	f.refused = fmt.Sprintf("%s; version %.12s stays in force", words, f.inForce.Load().Version())
	return err
}

func where(err error) string {
	var all policy.Errors
	if !errors.As(err, &all) || len(all) == 0 {
		return ""
	}
	return fmt.Sprintf(" at line %d, column %d", all[0].Line, all[0].Column)
}

// detail is what the readiness page says of it.
func (f *policyFile) detail() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refused
}

// reloadPolicy takes a file that changed, or all the same when it was asked to.
func (s *service) reloadPolicy(ctx context.Context, asked bool) error {
	if !asked && !s.policy.changed() {
		return nil
	}
	before := s.policy.current().Version()
	changed, err := s.policy.reload(ctx, func(ctx context.Context, p *policy.Policy) error {
		return s.store.ActivatePolicy(ctx, p.Version(), p.Source(), "salve")
	})
	switch {
	case err != nil:
		s.metrics.PolicyRefused()
		s.log.Error().Err(err).Str("policy", before).Msg("the policy file is refused; the old one stays in force")
	case changed:
		s.metrics.PolicyReloaded()
		s.log.Info().Str("policy", s.policy.current().Version()).Str("before", before).Msg("policy reloaded")
	default:
		s.metrics.PolicyReloaded()
		if asked {
			s.log.Info().Str("policy", before).Msg("policy read again: it is the same")
		}
	}
	return nil
}
