package main

import (
	"slices"
	"sync"
	"testing"

	"salve/internal/incident"
)

// What is made later in this process sorts later: lists, the story of an
// incident and "its latest diagnosis" are read in the order of ids, and a batch
// makes many in one millisecond.
func TestIDsRise(t *testing.T) {
	t.Parallel()
	var source idSource
	var before incident.ID
	for range 20_000 {
		id := source.next()
		if id.String() <= before.String() {
			t.Fatalf("%s was made after %s", id, before)
		}
		before = id
	}
}

func TestIDsOfManyAtOnceDiffer(t *testing.T) {
	t.Parallel()
	var source idSource
	const callers, each = 8, 2000
	made := make([][]string, callers)
	var all sync.WaitGroup
	for i := range callers {
		all.Go(func() {
			for range each {
				made[i] = append(made[i], source.next().String())
			}
		})
	}
	all.Wait()
	ids := slices.Concat(made...)
	slices.Sort(ids)
	if got := len(slices.Compact(ids)); got != callers*each {
		t.Errorf("%d different ids of %d", got, callers*each)
	}
}
