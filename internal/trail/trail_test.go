package trail_test

import (
	"context"
	"errors"
	"testing"

	"salve/internal/incident"
	"salve/internal/trail"
)

func TestTrailNamesTheFirstAndCountsAll(t *testing.T) {
	var tr trail.Trail
	ctx := trail.With(context.Background(), &tr)
	for i := range 25 {
		trail.Incident(ctx, incident.ID{15: byte(i)})
	}
	trail.Intent(ctx, incident.ID{15: 7})
	trail.Error(ctx, errors.New("part 3"))
	if ids, total := tr.Incidents(); len(ids) != 20 || total != 25 || ids[1] != "00000000-0000-0000-0000-000000000001" {
		t.Errorf("incidents %v of %d", ids, total)
	}
	if errs := tr.Errors(); len(errs) != 1 || errs[0].Error() != "part 3" {
		t.Errorf("errors %v", errs)
	}
	if ids, total := tr.Intents(); len(ids) != 1 || total != 1 {
		t.Errorf("intents %v of %d", ids, total)
	}
}

func TestWithoutTrail(*testing.T) {
	trail.Incident(context.Background(), incident.ID{})
	trail.Intent(context.Background(), incident.ID{})
	trail.Error(context.Background(), nil)
}
