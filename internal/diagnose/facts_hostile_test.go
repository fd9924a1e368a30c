package diagnose_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"salve/internal/diagnose"
	"salve/internal/evidence"
)

// TestHostileFacts gives as much of each sort as 5 MiB hold. The bound is far above
// what linear work takes, and far below what quadratic work would.
func TestHostileFacts(t *testing.T) {
	many := func(n int, one func(i int) string) string {
		var parts []string
		for i := range n {
			parts = append(parts, one(i))
		}
		return strings.Join(parts, ",")
	}
	for name, doc := range map[string]string{
		"metrics": `{"usage":[` + many(250, func(i int) string {
			return fmt.Sprintf(`{"name":"s%d","metrics":{%s}}`, i, many(400, func(j int) string { return fmt.Sprintf(`"p99_latency_%d":%d`, j, j) }))
		}) + `]}`,
		"series": `{"usage":[` + many(200, func(i int) string {
			return fmt.Sprintf(`{"name":"s%d","series":[%s]}`, i, drawn("memory", minute, 400, func(d float64) float64 { return 1 + d }))
		}) + `]}`,
		"filesystems": `{"disk":{"host":"a","filesystems":[` + many(20_000, func(i int) string { return fmt.Sprintf(`{"mount":"/m%d","usePercent":99}`, i) }) + `],"top":[` + many(20_000, func(i int) string { return fmt.Sprintf(`{"path":"/m%d/x","bytes":%d}`, i, i) }) + `]}}`,
		"disks": `{"disk":[` + many(1_000, func(i int) string {
			return fmt.Sprintf(`{"host":"h%d","filesystems":[{"mount":"/","usePercent":99}]}`, i)
		}) + `],"service":[` + many(1_000, func(i int) string { return fmt.Sprintf(`{"host":"h%d","unit":"u","activeState":"failed"}`, i) }) + `]}`,
		"members": `{"db":[` + many(250, func(i int) string {
			return fmt.Sprintf(`{"cluster":"c%d","members":[%s]}`, i, many(200, func(j int) string { return `{"name":"a","role":"replica","state":"stopped"}` }))
		}) + `]}`,
		"findings":  `{"security":{"findings":[` + many(30_000, func(i int) string { return fmt.Sprintf(`{"kind":"k%d","message":"nothing of note"}`, i) }) + `]}}`,
		"processes": `{"usage":{"cpuPercent":95,"processes":[` + many(40_000, func(i int) string { return fmt.Sprintf(`{"name":"p%d"}`, i) }) + `]}}`,
		"crons":     `{"backup":[` + many(1_000, func(i int) string { return fmt.Sprintf(`{"name":"b%d","cron":"0 0 30 2 *","ageHours":9}`, i) }) + `]}`,
		"absurd":    `{"observedAt":"9999-12-31T00:00:00Z","disk":{"filesystems":[{"mount":"/","usePercent":1e23,"sizeBytes":-1e23,"usedBytes":1e23,"daysUntilFull":-1e23}]},"certificate":{"notAfter":"0001-01-02T00:00:00Z","notBefore":"9999-12-31T23:59:59Z","daysLeft":1e23},"backup":{"ageHours":1e23,"maxAgeHours":-1e23,"lastSuccess":"9999-01-01T00:00:00Z","retentionDaysLeft":-1e23},"db":{"connectionsUsed":1e23,"connectionsMax":1e-20,"replicationLagSeconds":-1e23},"usage":{"cpuPercent":-1e23,"baselineCpuPercent":-5,"errorRate":-1e23,"series":[{"metric":"cpu","points":[["NaN","NaN"],[1,"Inf"]]}]}}`,
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			ev, _ := evidence.Parse([]byte(doc), now)
			d := diagnose.Diagnose(ev, diagnose.Question{})
			if took := time.Since(start); took > time.Minute {
				t.Errorf("%d bytes took %s", len(doc), took)
			}
			for _, line := range append(append(d.Chain, d.Evidence...), d.Missing...) {
				if len(line) > 600 || strings.Contains(line, "NaN") || strings.Contains(line, "Inf ") {
					t.Errorf("a line of %d bytes: %.200s", len(line), line)
				}
			}
		})
	}
}
