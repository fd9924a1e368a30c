package main

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"

	"salve/internal/incident"
)

// idSource makes ids from the clock and the system's randomness. Those of one
// source rise strictly, also within a millisecond (RFC 9562, section 6.2,
// method 3): lists and stories are read in the order of ids.
type idSource struct {
	last atomic.Uint64 // the time of the last id, in 1/4096 of a millisecond
}

func (s *idSource) next() incident.ID {
	tick := s.tick(time.Now())
	var entropy [10]byte
	_, _ = rand.Read(entropy[2:]) // never fails, by its contract
	binary.BigEndian.PutUint16(entropy[:], uint16(tick&0xfff))
	return incident.NewID(time.UnixMilli(int64(tick>>12)), entropy)
}

// tick is the present time, or the next one that nobody has had.
func (s *idSource) tick(now time.Time) uint64 {
	whole := now.Truncate(time.Millisecond)
	present := uint64(whole.UnixMilli())<<12 | uint64(now.Sub(whole))<<12/uint64(time.Millisecond)
	for {
		last := s.last.Load()
		tick := max(present, last+1)
		if s.last.CompareAndSwap(last, tick) {
			return tick
		}
	}
}
