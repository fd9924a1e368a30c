package outlook

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/trend"
)

var night = time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)

func testIDs() incident.IDs {
	var n byte
	return func() incident.ID { n++; return incident.ID{15: n} }
}

// hourly is a series of days up to night.
func hourly(metric string, days int, f func(day float64) float64) Series {
	s := Series{Key: Key{Target: incident.Target{Kind: "Host", Host: "web-01"}, Source: "checks", Subject: "n8n", Metric: metric}}
	if metric == Disk {
		s.About = "/var"
	}
	for i := -days * 24; i <= 0; i++ {
		s.Samples = append(s.Samples, trend.Sample{At: night.Add(time.Duration(i) * time.Hour), Value: f(float64(i) / 24)})
	}
	return s
}

func rising(to, perDay float64) func(float64) float64 {
	return func(day float64) float64 { return to + perDay*day }
}

func judge(t *testing.T, c Case) Verdict {
	t.Helper()
	if c.Now.IsZero() {
		c.Now = night
	}
	v, err := Judge(c, testIDs())
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func on(cause string, since time.Duration) map[string]incident.Alert {
	return map[string]incident.Alert{cause: {Status: incident.Firing, StartsAt: night.Add(-since)}}
}

func TestWhatASeriesBegins(t *testing.T) {
	for name, c := range map[string]struct {
		series Series
		want   State
		alert  string
		cause  string
		high   bool
	}{
		"a disk that fills in 20 days":            {series: hourly(Disk, 8, rising(50, 2.5)), want: Rising, alert: "DiskFilling", cause: "trend.disk_filling"},
		"a disk that fills in 5 days":             {series: hourly(Disk, 8, rising(80, 4)), want: Rising, alert: "DiskFilling", cause: "trend.disk_filling", high: true},
		"a disk that fills in 90 days":            {series: hourly(Disk, 8, rising(50, 0.55)), want: Calm},
		"a disk that stands still":                {series: hourly(Disk, 8, rising(70, 0)), want: Calm},
		"a rise of a day":                         {series: hourly(Disk, 8, func(d float64) float64 { return 50 + 6*max(0, d+1) }), want: Calm},
		"too little":                              {series: hourly(Disk, 0, rising(50, 2)), want: TooLittle},
		"CPU that reaches 80 % in 10 days":        {series: hourly(CPU, 14, func(d float64) float64 { return 70 + d + 15*math.Sin(2*math.Pi*d) }), want: Rising, alert: "CPURising", cause: "trend.cpu_rising"},
		"CPU that rises every morning":            {series: hourly(CPU, 14, func(d float64) float64 { return 50 + 25*math.Sin(2*math.Pi*d) }), want: Calm},
		"memory that leaks":                       {series: hourly(Memory, 10, rising(70, 1.2)), want: Rising, alert: "MemoryLeak", cause: "trend.memory_leak"},
		"memory that was restarted every 3rd day": {series: hourly(Memory, 10, func(d float64) float64 { return 40 + 8*math.Mod(d+31, 3) }), want: Rising, alert: "MemoryLeak", cause: "trend.memory_leak", high: true},
	} {
		v := judge(t, Case{Series: []Series{c.series}})
		if len(v.Trends) != 1 || v.Trends[0].State != c.want {
			t.Errorf("%s: %+v, want %s", name, v.Trends, c.want)
			continue
		}
		if c.alert == "" {
			if len(v.Events) != 0 {
				t.Errorf("%s: begins %s, want nothing", name, v.Events[0].Name)
			}
			continue
		}
		if len(v.Events) != 1 || v.Events[0].Name != c.alert || v.Events[0].Status != incident.Firing || (v.Events[0].Severity == incident.High) != c.high {
			t.Errorf("%s: %d events of severity %s, want a firing %s", name, len(v.Events), v.Events[0].Severity, c.alert)
			continue
		}
		// What it brings along says the same to a diagnosis.
		ev, problems := evidence.Parse(v.Events[0].Evidence, night)
		d := diagnose.Diagnose(ev, diagnose.Question{Target: v.Events[0].Target, Family: "trend"})
		if len(problems) > 0 || d.Cause != c.cause {
			t.Errorf("%s: its evidence is diagnosed as %s (%s) %v, want %s", name, d.Cause, d.Summary, problems, c.cause)
		}
	}
}

func TestDaysUntilAreGivenWithAnInterval(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	tr := judge(t, Case{Series: []Series{hourly(Disk, 8, func(d float64) float64 { return 50 + 2.5*d + 2*r.NormFloat64() })}}).Trends[0]
	if tr.Until == nil || math.Abs(*tr.Until-20) > 3 || tr.Early == nil || tr.Late == nil || *tr.Early > *tr.Until || *tr.Late < *tr.Until || tr.Ceiling != 100 {
		t.Errorf("%+v, want full in about 20 days with an interval around it", tr)
	}
}

func TestWhatEndsAnAlert(t *testing.T) {
	filling := hourly(Disk, 8, rising(50, 2.5))
	cleaned := hourly(Disk, 8, func(d float64) float64 {
		if d > -0.1 {
			return 30
		}
		return 50 + 2.5*d
	})
	stopped := func(ago float64) Series {
		return hourly(Disk, 16, func(d float64) float64 { return 60 + 2.5*min(d+ago, 0) })
	}
	silent := hourly(Disk, 8, rising(50, 2.5))
	for name, c := range map[string]struct {
		series Series
		now    time.Time
		ends   bool
	}{
		"it goes on":                 {filling, night, false},
		"it was cleaned":             {cleaned, night, true},
		"it stands still for a day":  {stopped(1), night, false},
		"it stands still for long":   {stopped(14), night, true},
		"it was near the horizon":    {hourly(Disk, 8, rising(60, 1)), night, false},
		"nobody measures for 3 days": {silent, night.Add(3 * 24 * time.Hour), false},
		"nobody measures for 8 days": {silent, night.Add(8 * 24 * time.Hour), true},
	} {
		v := judge(t, Case{Series: []Series{c.series}, On: on("trend.disk_filling", 7*24*time.Hour), Now: c.now})
		ended := len(v.Events) == 1 && v.Events[0].Status == incident.Resolved
		if ended != c.ends || !c.ends && len(v.Events) > 0 {
			t.Errorf("%s: %+v, want an end: %t", name, v.Events, c.ends)
		}
		if ended && v.Trends[0].State == Rising {
			t.Errorf("%s: it is over and rising", name)
		}
	}
}

func TestOneDiskOfTwoIsEnough(t *testing.T) {
	calm, filling := hourly(Disk, 8, rising(40, 0)), hourly(Disk, 8, rising(50, 2.5))
	calm.About = "/"
	v := judge(t, Case{Series: []Series{calm, filling}, On: on("trend.disk_filling", 3*24*time.Hour)})
	if len(v.Events) != 0 || v.Trends[0].State != Calm || v.Trends[1].State != Rising {
		t.Errorf("%+v %+v, want the alert to go on for /var", v.Trends, v.Events)
	}
}

func TestWhatWasRepairedAndGoesOnIsSaidAgain(t *testing.T) {
	known := on("trend.disk_filling", 3*24*time.Hour)
	a := known["trend.disk_filling"]
	for quiet, want := range map[time.Duration]int{-time.Minute: 1, time.Minute: 0} {
		a.QuietUntil = night.Add(quiet)
		known["trend.disk_filling"] = a
		if v := judge(t, Case{Series: []Series{hourly(Disk, 8, rising(50, 2.5))}, On: known}); len(v.Events) != want {
			t.Errorf("quiet until %s from now: %d events, want %d", quiet, len(v.Events), want)
		}
	}
}

// changes lives through a series hour by hour and counts how often its verdict changes.
func changes(t *testing.T, s Series) (n int, weeks float64) {
	t.Helper()
	all, alerts := s.Samples, map[string]incident.Alert{}
	for end := 24; end <= len(all); end++ {
		s.Samples = all[max(0, end-15*24):end]
		now := s.Samples[len(s.Samples)-1].At
		for _, e := range judge(t, Case{Series: []Series{s}, On: alerts, Now: now}).Events {
			n++
			if delete(alerts, e.Hypothesis); e.Status == incident.Firing {
				alerts[e.Hypothesis] = incident.Alert{Status: incident.Firing, StartsAt: now}
			} else {
				clear(alerts)
			}
		}
	}
	return n, all[len(all)-1].At.Sub(all[0].At).Hours() / 24 / 7
}

// Source of the series: Numenta Anomaly Benchmark (testdata is not in the repository).
func TestRealSeriesDoNotFlap(t *testing.T) {
	const folder = "../../../shared/data/nab"
	files, err := filepath.Glob(filepath.Join(folder, "*cpu*.csv"))
	if _, missing := os.Stat(folder); errors.Is(missing, fs.ErrNotExist) || err != nil {
		t.Logf("no real series in %s: only drawn ones are lived through, by the test below", folder)
		return
	}
	for _, file := range files {
		s := hourly(CPU, 0, rising(0, 0))
		s.Samples = averaged(t, file)
		for _, metric := range []string{CPU, Disk, Memory} {
			s.Metric = metric
			if n, weeks := changes(t, s); float64(n) > math.Ceil(weeks) {
				t.Errorf("%s as %s changes its verdict %d times in %.1f weeks, want at most once a week", filepath.Base(file), metric, n, weeks)
			}
		}
	}
}

func TestSteadySeriesDoNotFlap(t *testing.T) {
	for _, noise := range []float64{0.5, 2, 5} {
		for seed := range uint64(4) {
			for perDay, what := range map[float64]string{0: "level", 0.9: "near the horizon", 1.2: "rising"} {
				r := rand.New(rand.NewPCG(seed, 9))
				s := hourly(Disk, 35, func(d float64) float64 { return min(max(60+perDay*(d+10)+noise*r.NormFloat64(), 0), 100) })
				if n, weeks := changes(t, s); float64(n) > math.Ceil(weeks) {
					t.Errorf("%s with noise %g: %d changes in %.1f weeks", what, noise, n, weeks)
				}
			}
		}
	}
}

// averaged reads a series of 5-minute samples as means of hours.
func averaged(t *testing.T, file string) []trend.Sample {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var out []trend.Sample
	n := 0.0
	for _, row := range rows[1:] {
		at, err1 := time.Parse(time.DateTime, row[0])
		v, err2 := strconv.ParseFloat(row[1], 64)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(fmt.Errorf("%s: %w", file, err))
		}
		if hour := at.Truncate(time.Hour); len(out) == 0 || !out[len(out)-1].At.Equal(hour) {
			out, n = append(out, trend.Sample{At: hour}), 0
		}
		last := &out[len(out)-1]
		last.Value = (last.Value*n + v) / (n + 1)
		n++
	}
	return out
}

func TestReadings(t *testing.T) {
	ev, _ := evidence.Parse([]byte(`{"disk": {"host": "web-01", "filesystems": [{"mount": "/", "usePercent": 40}, {"mount": "/media/cd", "usePercent": 100, "readOnly": true},
		{"mount": "/odd", "usePercent": -3}]}, "usage": {"host": "web-01", "cpuPercent": 12.5}}`), night)
	got := OfEvidence(ev, Key{Target: incident.Target{Host: "web-01"}}, night)
	if len(got) != 2 || got[0].About != "/" || got[0].Value != 40 || got[1].Metric != CPU {
		t.Errorf("%+v, want / and the CPU", got)
	}
	a := incident.Aggregate{Service: "shop", Target: incident.Target{Service: "shop", UID: "u"}, Window: incident.Window{End: night},
		Metrics: incident.Metrics{"error_rate": 1, "cpu_percent": 20, "nonsense": math.NaN()}}
	of := OfAggregate(a)
	if len(of) != 2 || of[0].Target.UID != "" {
		t.Errorf("%+v, want error_rate and the CPU, of the service by name", of)
	}
	cpu := 30.0
	if of := OfUse(Key{}, night, &cpu, nil); len(of) != 1 || of[0].Metric != CPU {
		t.Errorf("%+v, want the CPU", of)
	}
}

// Hosts, workloads and services are looked at alike.
func TestEveryKindOfTarget(t *testing.T) {
	for _, target := range []incident.Target{
		{Kind: "Host", Host: "web-01"},
		{Cluster: "prod", Namespace: "shop", Kind: "Deployment", Name: "api"},
		{Cluster: "prod", Namespace: "shop", Kind: "StatefulSet", Name: "db", Service: "db"},
		{Cluster: "prod", Service: "checkout"},
		{Cluster: "prod", Kind: "Service", Service: "checkout"},
		{Cluster: "prod", Namespace: "shop", Kind: "Service", Service: "checkout"},
	} {
		s := hourly(CPU, 14, func(d float64) float64 { return 70 + d + 5*math.Sin(2*math.Pi*d) })
		s.Target, s.Source = target, "usage"
		v := judge(t, Case{Series: []Series{s}})
		if len(v.Events) != 1 || v.Events[0].Hypothesis != "trend.cpu_rising" {
			t.Errorf("%s: %+v, want CPURising", target, v.Trends)
			continue
		}
		ev, problems := evidence.Parse(v.Events[0].Evidence, night)
		if d := diagnose.Diagnose(ev, diagnose.Question{Target: target, Family: "trend", Hypothesis: "trend.cpu_rising"}); d.Cause != "trend.cpu_rising" || len(problems) > 0 {
			t.Errorf("%s: its evidence is diagnosed as %s: %s %v", target, d.Cause, d.Summary, problems)
		}
	}
}
