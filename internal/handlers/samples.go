package handlers

import (
	"context"
	"errors"

	"salve/internal/outlook"
	"salve/internal/store"
)

// SampleStore keeps what was measured; trends are made of it.
type SampleStore interface {
	KeepSamples(ctx context.Context, readings []outlook.Reading) (int, error)
}

// keepSamples keeps what a body measured. That there is no room for more series loses
// nothing else of it, and is said.
func keepSamples(ctx context.Context, s SampleStore, readings []outlook.Reading, reasons []string) ([]string, error) {
	if len(readings) == 0 {
		return reasons, nil
	}
	_, err := s.KeepSamples(ctx, readings)
	if errors.Is(err, store.ErrTooManySeries) {
		return append(reasons, err.Error()), nil
	}
	return reasons, err
}
