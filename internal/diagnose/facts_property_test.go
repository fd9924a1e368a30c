package diagnose_test

import (
	"encoding/json"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// drawn facts: several of each sort, ill and well, of two hosts.
func drawFacts(t *rapid.T, host string) map[string][]string {
	h := `"host":"` + host + `"`
	pool := map[string][]string{
		"disk": {
			`{` + h + `,"filesystems":[{"filesystem":"/dev/sda1","mount":"/","usePercent":87},{"filesystem":"/dev/sdb1","mount":"/data","usePercent":93}],"top":[{"path":"/var/log","bytes":45000000000},{"path":"/usr","bytes":45000000000}]}`,
			`{` + h + `,"filesystems":[{"filesystem":"/dev/sda1","mount":"/","usePercent":100,"availBytes":0,"inodesUsePercent":99}]}`,
			`{` + h + `,"filesystems":[{"filesystem":"/dev/sda1","mount":"/","usePercent":40}]}`,
		},
		"service": {
			`{` + h + `,"unit":"nginx.service","activeState":"failed","result":"exit-code","execMainStatus":1}`,
			`{` + h + `,"unit":"api.service","activeState":"inactive","enabled":"enabled","type":"simple"}`,
			`{` + h + `,"unit":"ssh.service","activeState":"active","subState":"running"}`,
		},
		"certificate": {
			`{` + h + `,"subject":"a.example.com","daysLeft":5}`, `{` + h + `,"subject":"b.example.com","daysLeft":-2}`, `{` + h + `,"subject":"c.example.com","daysLeft":60,"renewalStatus":"failed"}`,
		},
		"backup": {
			`{` + h + `,"tool":"restic","name":"home","status":"failed","ageHours":50}`, `{` + h + `,"tool":"borg","name":"web","status":"ok","ageHours":90,"maxAgeHours":26}`,
			`{` + h + `,"tool":"borg","name":"db","status":"ok","ageHours":4,"retentionDaysLeft":1}`,
		},
		"db": {
			`{` + h + `,"engine":"postgres","cluster":"orders","members":[{"name":"pg-1","role":"leader","state":"stopped"},{"name":"pg-2","role":"replica","state":"running","lagMB":900}]}`,
			`{` + h + `,"engine":"postgres","cluster":"stock","connectionsUsed":99,"connectionsMax":100,"replicationLagSeconds":70}`,
		},
		"usage": {
			`{` + h + `,"cpuPercent":97,"memoryPercent":95}`, `{` + h + `,"cpuPercent":20,"memoryPercent":30,"errorRatePercent":4,"service":"shop"}`,
			`{` + h + `,"cpuPercent":99,"processes":["xmrig","nginx"]}`, `{` + h + `,"series":[` + drawn("diskPercent", 24*60*minute, 8, func(d float64) float64 { return 40 + 3*d }) + `]}`,
		},
	}
	out := map[string][]string{}
	for _, key := range []string{"disk", "service", "certificate", "backup", "db", "usage"} {
		for _, f := range pool[key] {
			if rapid.Bool().Draw(t, key) {
				out[key] = append(out[key], f)
			}
		}
	}
	return out
}

func factsOf(facts ...map[string][]string) string {
	all := map[string][]string{}
	for _, f := range facts {
		for key, list := range f {
			all[key] = append(all[key], list...)
		}
	}
	var parts []string
	for key, list := range all {
		parts = append(parts, `"`+key+`":[`+strings.Join(list, ",")+`]`)
	}
	slices.Sort(parts)
	return sent(nil, nil, parts...)
}

func TestOrderOfFactsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev, _ := evidence.Parse(json.RawMessage(factsOf(drawFacts(t, "web-01"), drawFacts(t, "db-01"))), now)
		want := diagnose.Diagnose(ev, diagnose.Question{})
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 0))
		mix(r, ev.Disks)
		mix(r, ev.Services)
		mix(r, ev.Certificates)
		mix(r, ev.Backups)
		mix(r, ev.DBs)
		mix(r, ev.Usages)
		for i := range ev.Disks {
			mix(r, ev.Disks[i].Filesystems)
			mix(r, ev.Disks[i].Top)
		}
		for i := range ev.DBs {
			mix(r, ev.DBs[i].Members)
		}
		for i := range ev.Usages {
			mix(r, ev.Usages[i].TopProcesses)
			for j := range ev.Usages[i].Series {
				mix(r, ev.Usages[i].Series[j].Points)
			}
		}
		if diff := cmp.Diff(want, diagnose.Diagnose(ev, diagnose.Question{})); diff != "" {
			t.Error(diff)
		}
	})
}

// TestOtherHostsDoNotMatter asks about one host and adds what is known of another.
func TestOtherHostsDoNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mine, other := drawFacts(t, "web-01"), drawFacts(t, "db-01")
		family := rapid.SampledFrom([]string{"", "host", "service", "backup"}).Draw(t, "family")
		ask := diagnose.Question{Family: family, Target: incident.Target{Host: "web-01"}}
		alone, _ := evidence.Parse(json.RawMessage(factsOf(mine)), now)
		both, _ := evidence.Parse(json.RawMessage(factsOf(mine, other)), now)
		if diff := cmp.Diff(diagnose.Diagnose(alone, ask), diagnose.Diagnose(both, ask)); diff != "" {
			t.Error(diff)
		}
	})
}

// TestQuotesCarryTheFacts takes away whatever fact a diagnosis quotes: by its
// unit, name, cluster or mount. It must not stay as sure as it was of the same.
func TestQuotesCarryTheFacts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ev, _ := evidence.Parse(json.RawMessage(factsOf(drawFacts(t, "web-01"))), now)
		before := diagnose.Diagnose(ev, diagnose.Question{})
		if !before.Decided() || before.Cause == incident.CauseHealthy {
			t.Skip("nothing was found")
		}
		quoted := strings.Join(before.Evidence, "\n")
		says := func(name string) bool {
			return name != "" && regexp.MustCompile(`(^|[^\w-])`+regexp.QuoteMeta(name)+`($|[^\w-])`).MatchString(quoted)
		}
		for i := range ev.Disks {
			ev.Disks[i].Filesystems = slices.DeleteFunc(ev.Disks[i].Filesystems, func(f evidence.Filesystem) bool { return says(f.Filesystem) })
		}
		ev.Services = slices.DeleteFunc(ev.Services, func(s evidence.Service) bool { return says(s.Unit) })
		ev.Certificates = slices.DeleteFunc(ev.Certificates, func(c evidence.Certificate) bool { return says(c.Subject) })
		ev.Backups = slices.DeleteFunc(ev.Backups, func(b evidence.Backup) bool { return says(b.Name) })
		ev.DBs = slices.DeleteFunc(ev.DBs, func(d evidence.DB) bool { return says(d.Cluster) })
		if strings.Contains(quoted, "usage of") || strings.Contains(quoted, "metrics of") || strings.Contains(quoted, "series ") {
			ev.Usages = nil
		}
		after := diagnose.Diagnose(ev, diagnose.Question{})
		if after.Cause == before.Cause && after.Summary == before.Summary && after.Confidence >= before.Confidence {
			t.Errorf("%s stays at %.2f without\n%s", after.Cause, after.Confidence, quoted)
		}
	})
}
