package checklist

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"salve/internal/incident"
)

func anyCheck(t *rapid.T) Check {
	return Check{
		Name:  rapid.StringMatching(`[a-z]{1,20}`).Draw(t, "name"),
		Every: time.Duration(rapid.Int64Range(int64(time.Minute), int64(31*day)).Draw(t, "every")),
	}
}

func anyTime(t *rapid.T, label string) time.Time {
	return time.Unix(0, rapid.Int64Range(0, 4e18).Draw(t, label)).UTC()
}

// A slot is the last moment that is due: not after now, and less than one interval
// ago; the next one follows exactly one interval later.
func TestSlotIsTheLastDueMoment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, now := anyCheck(t), anyTime(t, "now")
		slot := c.Slot(now)
		if slot.After(now) || now.Sub(slot) >= c.Every {
			t.Fatalf("slot %s of now %s, every %s", slot, now, c.Every)
		}
		if next := c.Next(now); !next.After(now) || next.Sub(slot) != c.Every {
			t.Fatalf("next %s of now %s", next, now)
		}
	})
}

// Whoever asks within one interval hears of the same moment: replicas agree.
func TestSlotIsTheSameUntilTheNext(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, now := anyCheck(t), anyTime(t, "now")
		slot := c.Slot(now)
		later := slot.Add(time.Duration(rapid.Int64Range(0, int64(c.Every)-1).Draw(t, "later")))
		if got := c.Slot(later); !got.Equal(slot) {
			t.Fatalf("slot %s at %s, %s at %s", slot, now, got, later)
		}
		if got := c.Slot(slot.Add(c.Every)); !got.Equal(slot.Add(c.Every)) {
			t.Fatalf("at its moment the check is not due: %s", got)
		}
	})
}

// Checks of one interval do not all come at once, nor far apart.
func TestJitterSpreads(t *testing.T) {
	now := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	moments := map[time.Time]bool{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		c := Check{Name: name, Every: 5 * time.Minute}
		if j := c.jitter(); j < 0 || j >= 30*time.Second {
			t.Errorf("jitter of %s is %s", name, j)
		}
		moments[c.Slot(now)] = true
	}
	if len(moments) < 7 {
		t.Errorf("8 checks share %d moments", len(moments))
	}
}

func TestMissedChecksAreNamedOnce(t *testing.T) {
	now := time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)
	ids := func() incident.ID { return incident.ID{1} }
	checks := []Check{{Name: "a", Every: 5 * time.Minute}, {Name: "b", Every: time.Hour}, {Name: "new", Every: 5 * time.Minute}}
	for name, c := range map[string]struct {
		a, b time.Duration // ago
		want int
		says string
	}{
		"all run":       {4 * time.Minute, time.Hour, 0, "all checks run"},
		"in their time": {15 * time.Minute, 2*time.Hour + 5*time.Minute, 0, "all checks run"},
		"one is missed": {16 * time.Minute, time.Hour, 1, "a (last 16m ago, every 5m)"},
		"both are":      {16 * time.Minute, 3 * time.Hour, 2, "b (last 3h0m ago, every 1h0m)"},
	} {
		e, n := Missed(checks, map[string]time.Time{"a": now.Add(-c.a), "b": now.Add(-c.b)}, now, ids)
		if n != c.want || (e.Status == incident.Firing) != (n > 0) || !strings.Contains(e.Message, c.says) || strings.Contains(e.Message, "new") {
			t.Errorf("%s: %d missed: %s (%s)", name, n, e.Message, e.Status)
		}
	}
	var many []Check
	ran := map[string]time.Time{}
	for i := range 13 {
		c := Check{Name: fmt.Sprintf("check-%02d", i), Every: time.Minute}
		many, ran[c.Name] = append(many, c), now.Add(-time.Hour)
	}
	if e, n := Missed(many, ran, now, ids); n != 13 || !strings.HasSuffix(e.Message, ", and 3 more") {
		t.Errorf("%d: %s", n, e.Message)
	}
}
