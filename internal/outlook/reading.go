package outlook

import (
	"math"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/trend"
)

// The metrics of which series are kept, all per cent. Others of monitoring keep their
// own names.
const (
	Disk   = evidence.DiskPercent
	CPU    = "cpuPercent"
	Memory = "memoryPercent"
)

// Key tells series apart.
type Key struct {
	Target  incident.Target // what it is about: a host, a workload, a service; neither UID nor container
	Source  string          // who measured: checks, usage, monitoring
	Subject string          // who sent it: nobody's samples speak for another's
	Metric  string
	About   string // a mount; may be empty
}

// Reading is one measured value on its way into its series.
type Reading struct {
	Key
	At    time.Time
	Value float64
}

// Series is what was kept of one.
type Series struct {
	Key
	Samples []trend.Sample // oldest first
}

// The bounds of what one result may bring.
const (
	mostReadings = 200
	longestWord  = 200
)

// OfEvidence reads the use of disks, CPU and memory of a target out of what a check
// or another look saw.
func OfEvidence(ev evidence.Evidence, k Key, at time.Time) []Reading {
	k.Target = byName(k.Target)
	var all []Reading
	add := func(metric, about string, n evidence.Number) {
		k.Metric, k.About = metric, about
		if r := (Reading{k, at, n.Value}); n.Known && r.percent() && len(all) < mostReadings {
			all = append(all, r)
		}
	}
	for _, d := range ev.Disks {
		for _, f := range d.Filesystems {
			if f.Mount != "" && !f.ReadOnly {
				add(Disk, f.Mount, f.UsePercent)
			}
		}
	}
	for _, u := range ev.Usages {
		if u.Container == "" && (u.Host == "" || u.Host == k.Target.Host) {
			add(CPU, "", u.CPUPercent)
			add(Memory, "", u.MemoryPercent)
		}
	}
	return all
}

// percent says whether a reading is one that a share can have.
func (r Reading) percent() bool {
	return r.Value >= 0 && r.Value <= 100_000 && len(r.About) <= longestWord
}

// OfUse are the readings of a workload's use, as far as it was measured.
func OfUse(k Key, at time.Time, cpu, memory *float64) []Reading {
	k.Target = byName(k.Target)
	var all []Reading
	for metric, v := range map[string]*float64{CPU: cpu, Memory: memory} {
		k.Metric = metric
		if v == nil {
			continue
		}
		if r := (Reading{k, at, *v}); r.percent() {
			all = append(all, r)
		}
	}
	return all
}

// OfAggregate are the metrics of a service in one window, at its end.
func OfAggregate(a incident.Aggregate) []Reading {
	k := Key{Target: byName(a.Target), Source: "monitoring", Subject: a.Subject}
	var all []Reading
	for name, v := range a.Metrics {
		if k.Metric = metricNames[name]; k.Metric == "" {
			k.Metric = name
		}
		if !math.IsNaN(v) && !math.IsInf(v, 0) && len(name) <= longestWord {
			all = append(all, Reading{k, a.Window.End, v})
		}
	}
	return all
}

// byName is a target as it is called: what replaces it goes on with its series.
func byName(t incident.Target) incident.Target {
	t.UID, t.Generation, t.Container = "", 0, ""
	return t
}

// metricNames are what aggregates call what other sources measure, too.
var metricNames = map[string]string{"cpu_percent": CPU, "cpu": CPU, "memory_percent": Memory, "memory": Memory, "disk_percent": Disk}
