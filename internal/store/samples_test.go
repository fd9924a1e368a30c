package store_test

import (
	"context"
	"math"
	"strconv"
	"sync"
	"testing"
	"time"

	"salve/internal/checklist"
	"salve/internal/incident"
	"salve/internal/outlook"
	"salve/internal/store"
)

var web = outlook.Key{Target: incident.Target{Kind: "Host", Host: "web-01"}, Source: "checks", Subject: "n8n", Metric: outlook.Disk, About: "/var"}

func (w *world) samples(want int, readings ...outlook.Reading) {
	w.t.Helper()
	n, err := w.main.KeepSamples(w.t.Context(), readings)
	w.must(err)
	if n != want {
		w.t.Errorf("%d samples are new, want %d", n, want)
	}
}

func (w *world) seriesOf(m store.Measured) []outlook.Series {
	w.t.Helper()
	all, err := w.main.SeriesOf(w.t.Context(), m, w.now.Now().Add(-15*24*time.Hour))
	w.must(err)
	return all
}

func (w *world) measured(want int) []store.Measured {
	w.t.Helper()
	list, err := w.main.MeasuredSince(w.t.Context(), w.now.Now().Add(-24*time.Hour), store.Measured{}, 100)
	w.must(err)
	if len(list) != want {
		w.t.Fatalf("measured are %+v, want %d", list, want)
	}
	return list
}

// However often, late and out of order samples come, an hour is the mean of each once.
func TestSamplesAreKeptOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.main.EnsurePartitions(t.Context()))
	hour := w.now.Now().Truncate(time.Hour).Add(-3 * time.Hour)
	at := func(minutes int, v float64) outlook.Reading {
		return outlook.Reading{Key: web, At: hour.Add(time.Duration(minutes) * time.Minute), Value: v}
	}
	w.samples(2, at(30, 60), at(0, 50), at(30, 60))
	w.samples(1, at(0, 50), at(15, 40)) // late, and one again
	w.samples(0, at(15, 99))            // the first word about a moment counts
	w.samples(1, at(61, 70))
	other := at(5, 10)
	other.About = "/"
	w.samples(1, other)

	all := w.seriesOf(w.measured(1)[0])
	if len(all) != 2 || all[0].About != "/" || len(all[1].Samples) != 2 {
		t.Fatalf("%+v, want / and /var with two hours", all)
	}
	for i, want := range []float64{50, 70} {
		if got := all[1].Samples[i]; got.Value != want || !got.At.Equal(hour.Add(time.Duration(i)*time.Hour)) {
			t.Errorf("hour %d is %+v, want %g", i, got, want)
		}
	}
	odd := at(7, 12)
	odd.About = "/\x00"
	alike := at(8, 12)
	alike.About = "/\ufffd"
	w.samples(2, odd, alike, other) // what is written alike is one series
	stranger := at(0, 5)
	stranger.Subject = "mallory"
	w.samples(1, stranger)
	if all := w.seriesOf(w.measured(2)[1]); len(all) != 3 {
		t.Errorf("%+v: who sends speaks for others", all)
	}
}

func TestWhatIsNoSampleIsLeftOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.main.EnsurePartitions(t.Context()))
	now := w.now.Now()
	w.samples(1, outlook.Reading{Key: web, At: now.Add(time.Hour), Value: 1}, outlook.Reading{Key: web, At: now.Add(-15 * 24 * time.Hour), Value: 1},
		outlook.Reading{Key: web, At: now, Value: math.NaN()}, outlook.Reading{Key: web, At: now, Value: math.Inf(1)},
		outlook.Reading{Key: web, At: now.Add(-13 * 24 * time.Hour), Value: 2})
	w.samples(0)
}

// Two replicas that keep the same at once lose nothing and count nothing twice.
func TestSamplesOfTwoReplicas(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.main.EnsurePartitions(t.Context()))
	two, now := w.replica(), w.now.Now().Truncate(time.Hour)
	var readings []outlook.Reading
	for i := range 50 {
		k := web
		k.About = "/" + strconv.Itoa(i)
		readings = append(readings, outlook.Reading{Key: k, At: now, Value: float64(i)})
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			r := w.main
			if i%2 == 1 {
				r = two
			}
			if _, err := r.KeepSamples(t.Context(), readings); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := w.seriesOf(w.measured(1)[0])
	if len(got) != 50 {
		t.Fatalf("%d series, want 50", len(got))
	}
	for _, s := range got {
		if want, _ := strconv.Atoi(s.About[1:]); len(s.Samples) != 1 || s.Samples[0].Value != float64(want) {
			t.Errorf("%s: %+v, want one sample of %d", s.About, s.Samples, want)
		}
	}
}

// Old samples go with their partitions, and new ones always find one.
func TestSamplesAgeAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	most := int64(0)
	for range 70 {
		w.must(w.main.EnsurePartitions(t.Context()))
		w.samples(1, outlook.Reading{Key: web, At: w.now.Now(), Value: 50})
		most = max(most, w.count(`select count(*) from pg_inherits where inhparent in ('samples'::regclass, 'samples_hourly'::regclass)`))
		w.now.pass(7 * 24 * time.Hour)
	}
	if most > 30 {
		t.Errorf("up to %d partitions are kept, want no more than the weeks and months that count", most)
	}
	raw, hours := w.count(`select count(*) from samples`), w.count(`select count(*) from samples_hourly`)
	if raw > 4 || hours < 55 || hours > 64 {
		t.Errorf("%d samples and %d hours are kept, want about two weeks and about a year", raw, hours)
	}
}

func TestATaskRunsOnceAPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, period := t.Context(), w.now.Now().Truncate(time.Hour)
	begin := func(r *replica, byHand, again, want bool) store.TaskRun {
		t.Helper()
		run, mine, err := r.BeginTask(ctx, "resource-trends", period, "somebody", byHand, again)
		w.must(err)
		if mine != want {
			t.Fatalf("mine is %t, want %t: %+v", mine, want, run)
		}
		return run
	}
	two := w.replica()
	first := begin(w.main, false, false, true)
	begin(two, false, false, false)
	begin(two, true, true, false) // under way: nobody takes it
	w.now.pass(6 * time.Minute)
	second := begin(two, false, false, true) // the first replica is gone
	if _, err := w.main.EndTask(ctx, first, true, "too late"); err != nil {
		t.Fatal(err)
	}
	if run := begin(w.main, false, false, false); !run.EndedAt.IsZero() {
		t.Errorf("%+v: a run that was taken over ended its successor", run)
	}
	if _, err := two.EndTask(ctx, second, false, "no room"); err != nil {
		t.Fatal(err)
	}
	begin(w.main, false, false, false) // it failed just now
	third := begin(w.main, true, false, true)
	if _, err := w.main.EndTask(ctx, third, true, "done"); err != nil {
		t.Fatal(err)
	}
	if run := begin(two, true, false, false); !run.Succeeded || run.Summary != "done" {
		t.Errorf("%+v, want the run that succeeded", run)
	}
	begin(two, true, true, true)
	if rows := w.count(`select count(*) from audit where operation = 'task.run'`); rows != 2 {
		t.Errorf("%d rows in the record, want one for each run by hand", rows)
	}
}

func TestWantedChecksAreDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := []checklist.Check{{Name: "nightly", Kind: checklist.Backups, Every: 24 * time.Hour}}
	w.wantDue("first", c, "nightly")
	w.ran(c[0], checklist.State{Status: checklist.Healthy, Observed: w.now.Now()})
	w.wantDue("it ran", c)
	w.now.pass(time.Minute)
	w.must(w.main.WantChecks(t.Context(), c))
	w.wantDue("it is wanted", c, "nightly")
	w.wantDue("somebody was asked", c)
	w.now.pass(time.Second)
	w.must(w.main.WantChecks(t.Context(), c))
	w.wantDue("it is wanted once more before it ran", c)
	w.now.pass(time.Second)
	w.ran(c[0], checklist.State{Status: checklist.Healthy, Observed: w.now.Now()})
	w.wantDue("it ran again", c)
}

func TestForget(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.ran(checklist.Check{Name: "listed", Kind: checklist.Disk}, checklist.State{Observed: w.now.Now()})
	w.ran(checklist.Check{Name: "gone", Kind: checklist.Disk}, checklist.State{Observed: w.now.Now()})
	_, _, err := w.main.BeginTask(context.Background(), "cleanup", w.now.Now(), "salve", false, false)
	w.must(err)
	f, err := w.main.Forget(t.Context(), []string{"listed"})
	if w.must(err); f != (store.Forgotten{}) {
		t.Errorf("%+v is forgotten at once", f)
	}
	w.now.pass(91 * 24 * time.Hour)
	f, err = w.main.Forget(t.Context(), []string{"listed"})
	if w.must(err); f.Checks != 1 || f.TaskRuns != 1 || f.EventMonths != 0 {
		t.Errorf("%+v is forgotten, want one check and one run", f)
	}
	w.must(w.main.EnsurePartitions(t.Context()))
	r := w.takeOne(w.firing("api-1"))
	w.now.pass(500 * 24 * time.Hour)
	f, err = w.main.Forget(t.Context(), nil)
	if w.must(err); f.EventMonths != 2 {
		t.Errorf("%+v is forgotten, want the two months of events", f)
	}
	if st := w.story(r.IncidentID); len(st.Events) != 0 || st.Incident.ID != r.IncidentID || len(st.Audit) == 0 {
		t.Errorf("the incident has %d events and %d entries of the record, want none and some", len(st.Events), len(st.Audit))
	}
}
