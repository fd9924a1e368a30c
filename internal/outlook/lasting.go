package outlook

import (
	"math"
	"slices"
	"time"

	"salve/internal/incident"
)

// What makes a trend last long enough to begin an alert, and be gone long enough to
// end one: at most one change a week on a series that is steady.
const (
	lastsFor  = 24 * time.Hour
	goneFor   = 7 * 24 * time.Hour
	lookEvery = 24 * time.Hour
	urgent    = 7.0  // days until the ceiling, under which nothing is waited for
	fewDays   = 3.0  // that a trend must be seen over, and
	oneDay    = 1.0  // where it is urgent
	farther   = 45.0 // days: what still rises and gets there so soon is not over
	staleFor  = 48 * time.Hour
	fallShare = 0.1 // a fall by more than this under the day before is a clean-up
	fallLook  = 3 * time.Hour
)

// lasts says whether a trend that is seen now is more than a day's: it has been there
// for days, rises by its whole interval, and was seen the day before, too. Where there
// is no time to wait a day must do.
func (c Case) lasts(s Series, t Trend) bool {
	if t.Lower <= 0 {
		return false
	}
	if t.Until != nil && *t.Until > 0 && *t.Until < urgent && t.Days >= oneDay {
		return true
	}
	before, enough := c.growth(s, c.Now.Add(-lastsFor))
	return t.Days >= fewDays && enough && before.Cause == t.Cause
}

// gone says whether an alert that is on has nothing left in a series: for a week there
// was no trend in it, something was cleaned up or restarted, or nobody measures it.
func (c Case) gone(s Series, t Trend, known incident.Alert, cause string) bool {
	if t.State == Stale {
		return c.Now.Sub(t.AsOf) > goneFor
	}
	if cause == "trend.disk_filling" && cleaned(s, known.StartsAt) {
		return true
	}
	if c.Now.Sub(known.StartsAt) < goneFor {
		return false
	}
	for back := time.Duration(0); back < goneFor; back += lookEvery {
		g, enough := c.growth(s, c.Now.Add(-back))
		if enough && (g.Cause == cause || g.Rise.Lower > 0 && g.Reach.Days > 0 && g.Reach.Days < farther) {
			return false
		}
	}
	return true
}

// cleaned says whether a disk was cleaned up since then: for some hours it held less
// than at any time of the day before them.
func cleaned(s Series, since time.Time) bool {
	for i, p := range slices.Backward(s.Samples) {
		if !p.At.After(since) {
			return false
		}
		sum, n, lowest := 0.0, 0, math.Inf(1)
	look:
		for _, q := range slices.Backward(s.Samples[:i+1]) {
			switch back := p.At.Sub(q.At); {
			case back < fallLook:
				sum, n = sum+q.Value, n+1
			case back < fallLook+lookEvery:
				lowest = min(lowest, q.Value)
			default:
				break look
			}
		}
		if !math.IsInf(lowest, 1) && sum/float64(n) < lowest*(1-fallShare) {
			return true
		}
	}
	return false
}
