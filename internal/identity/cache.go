package identity

import (
	"crypto/sha256"
	"sync"
	"time"
)

type digest [sha256.Size]byte

type remembered struct {
	caller Caller
	until  time.Time
}

// cache remembers verified tokens by their SHA-256, so that a signature is
// checked once and the token itself is not kept.
type cache struct {
	limit int
	mu    sync.RWMutex
	byKey map[digest]remembered
}

func newCache(limit int) *cache { return &cache{limit: limit, byKey: map[digest]remembered{}} }

func (c *cache) get(d digest, now time.Time) (Caller, bool) {
	c.mu.RLock()
	found, ok := c.byKey[d]
	c.mu.RUnlock()
	return found.caller, ok && now.Before(found.until)
}

func (c *cache) put(d digest, r remembered, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byKey) >= c.limit {
		c.makeRoom(now)
	}
	c.byKey[d] = r
}

// makeRoom looks at a few entries, which a map gives in random order, and
// drops those that are over; where none is, the last one looked at goes. The
// work is bounded whatever the size.
func (c *cache) makeRoom(now time.Time) {
	const looks = 16
	var last digest
	seen, dropped := 0, 0
	for d, r := range c.byKey {
		if last = d; !now.Before(r.until) {
			delete(c.byKey, d)
			dropped++
		}
		if seen++; seen == looks {
			break
		}
	}
	if dropped == 0 {
		delete(c.byKey, last)
	}
}
