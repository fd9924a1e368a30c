package diagnose

import (
	"fmt"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// bareLog is a log without anything that tells how its program fares: all that
// is known is what it says.
type bareLog struct {
	x *examination
	evidence.Log
	word *testimony
}

// onlyALog is the most that a log alone can decide.
const onlyALog = 0.6

// bareRules are the rows of logRules for a log that came alone.
var bareRules = func() []row[bareLog] {
	var rows []row[bareLog]
	for _, cause := range []string{causeDependency, causeConnections, causePermissionDenied, causePortConflict, causeImageWrongPlatform, causeCommandInvalid, causeStartupFailed} {
		rows = append(rows, row[bareLog]{Rule{
			Name: "bare-log-" + cause, Cause: cause, Confidence: onlyALog,
			When:   "nothing but a log was seen, and its last decisive error says so",
			Quotes: "the line of the log",
		}, func(l bareLog) (finding, bool) { return l.says(cause) }})
	}
	return rows
}()

// bareLogs are the logs where they are all that there is.
func (x *examination) bareLogs() []bareLog {
	if !x.open() || !x.onlyLogs() {
		return nil
	}
	var out []bareLog
	for _, l := range x.ev.Logs {
		r, ok := readLog(l.Text, false)
		if !ok || r.means.depth == wrapper {
			continue
		}
		out = append(out, bareLog{x, l, &testimony{reading: r, quote: oneLine(logName(l) + ": " + excerpt(r.line))}})
	}
	return out
}

// logName says whose log it is.
func logName(l evidence.Log) string {
	name := "log"
	if l.Previous {
		name = "previous log"
	}
	if l.Pod == "" {
		return name
	}
	return clip("pod "+l.Pod+"/"+l.Container, 300) + ": " + name
}

// onlyLogs says whether the evidence holds logs and nothing that tells more.
func (x *examination) onlyLogs() bool {
	ev := x.ev
	objects := len(ev.Pods) + len(ev.Deployments) + len(ev.ReplicaSets) + len(ev.StatefulSets) + len(ev.DaemonSets) + len(ev.Jobs) + len(ev.CronJobs) + len(ev.Nodes) +
		len(ev.PVCs) + len(ev.HPAs) + len(ev.PDBs) + len(ev.Quotas) + len(ev.GitOps) + len(ev.Events)
	facts := len(ev.Disks) + len(ev.Certificates) + len(ev.Backups) + len(ev.Services) + len(ev.DBs) + len(ev.Findings) + len(ev.Usages) + len(ev.Aggregates)
	return objects+facts == 0
}

func (l bareLog) place() place {
	p := l.x.factPlace("Log", "", l.Pod+"/"+l.Container+fmt.Sprint(l.Previous), 1)
	p.container = l.Container
	if l.Pod != "" {
		p.subject = incident.Target{Cluster: l.x.cluster, Kind: "Pod", Name: l.Pod, Container: l.Container, Service: l.x.q.Target.Service}
	}
	return p
}

func (l bareLog) says(cause string) (finding, bool) {
	w := l.word
	if w.means.cause != cause {
		return finding{}, false
	}
	f := finding{
		confidence:   min(onlyALog, w.means.sure-0.2),
		symptom:      "only a log was seen",
		quotes:       []string{w.quote},
		because:      "the program that wrote it: " + w.reason(),
		alternatives: w.otherCauses(),
		missing:      []string{"the pod JSON and the events of what wrote this log: whether it ended, or runs and is not ready"},
	}
	if w.means == selfFault || w.shaken {
		f.confidence = 0.4
	}
	return f, true
}
