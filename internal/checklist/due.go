package checklist

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// A check is due at fixed moments: every so often, counted from the epoch, moved by
// a jitter of its own so that not all look in the same second. Nobody has to
// remember when it ran last: all replicas reckon the same moments.

// jitterShare is the part of an interval over which checks are spread.
const jitterShare = 10

// jitter is the check's own part of a tenth of its interval, in whole seconds.
func (c Check) jitter() time.Duration {
	span := uint64(c.Every / jitterShare / time.Second)
	if span == 0 {
		return 0
	}
	sum := sha256.Sum256([]byte("jitter of check " + c.Name))
	return time.Duration(binary.BigEndian.Uint64(sum[:8])%span) * time.Second
}

// Slot is the last moment, not after now, at which the check became due.
func (c Check) Slot(now time.Time) time.Time {
	since := now.UnixNano() - int64(c.jitter())
	past := since % int64(c.Every)
	if past < 0 {
		past += int64(c.Every)
	}
	return time.Unix(0, now.UnixNano()-past).UTC()
}

// Next is the first moment after now at which the check becomes due.
func (c Check) Next(now time.Time) time.Time { return c.Slot(now).Add(c.Every) }

// overdueSlack is how long a run may take, and its result be under way.
const overdueSlack = 5 * time.Minute

// Overdue says whether the check should have run twice since it last did.
func (c Check) Overdue(ran, now time.Time) bool { return now.Sub(ran) > 2*c.Every+overdueSlack }
