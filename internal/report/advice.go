package report

import (
	"encoding/json"
	"fmt"
	"strings"

	"salve/internal/incident"
)

// advices say what would keep a cause from coming back; the first that fits a cause
// or its family counts. The figures come from the incident itself.
var advices = []struct{ cause, say string }{
	{"pod.oom_killed", "Find out whether the use of memory levels off or keeps growing: where it levels off, a limit above the peak that was seen ends it; where it grows, only the program does."},
	{"pod.liveness_failed", "A liveness probe that asks for a dependency restarts healthy pods: let it ask the program alone, and give it more time than its slowest answer."},
	{"pod.readiness_failed", "Let readiness ask for what a request needs, and nothing more; a start-up probe covers slow starts."},
	{"pod.startup_failed", "The program ends by itself at its start: check its configuration before it is rolled out, in the pipeline that builds it."},
	{"pod.image", "Pin images by digest, and let the pipeline pull what it has pushed before it is rolled out."},
	{"pod.config_missing", "Roll out configuration and what reads it together: a missing key should fail in the pipeline."},
	{"pod.unschedulable", "Ask for what the pods use: requests that no node can meet keep them waiting however much is free elsewhere."},
	{"workload.rollout_stalled", "Let the pipeline wait for the rollout, with a progress deadline, and start new pods with their real configuration before it is everywhere."},
	{"deploy.failed", "Let the pipeline wait for the release to be healthy before it is called done."},
	{"host.disk_full", "Rotate logs by size and not by day only, compress them, and keep core dumps on a file system of their own."},
	{"host.inodes_full", "Many small files fill a file system before its bytes do: find who writes them, and let them be removed by age."},
	{"cert.", "Renew at a third of the lifetime, by a timer, and watch what is served and not what lies on disk."},
	{"backup.", "A backup that was not read back is a hope: let a restore be tried by a timer."},
	{"db.connections_exhausted", "Bound every client's pool, so that all of them together stay under the server's limit, and put a pooler before it."},
	{"db.", "Watch the lag of replicas and practise the failover by day."},
	{"node.", "Spread replicas over nodes, with a disruption budget, so that one node is nobody's outage."},
	{"slo.", "Tie the alert to the release that came before it: a canary sees it with a tenth of the users."},
	{"trend.", "It was seen coming: give the time until it hurts an owner and a date."},
	{"security.", "Let the admission of the cluster refuse what was found, so that it cannot come back."},
}

// advice is what the table says, and what this incident itself shows.
func advice(c Case) []string {
	list := []string{}
	for _, a := range advices {
		if strings.HasPrefix(c.Incident.Cause, a.cause) {
			list = append(list, a.say)
			break
		}
	}
	for _, in := range c.Intents {
		var raised struct{ From, To string }
		if in.State == incident.Succeeded && json.Unmarshal(in.Params, &raised) == nil && raised.From != "" && raised.To != "" {
			list = append(list, fmt.Sprintf("%s went from %s to %s here: make that lasting where the workload is described, if it is not yet.", in.Target.String(), raised.From, raised.To))
		}
	}
	if c.Incident.Recurrence > 0 {
		list = append(list, fmt.Sprintf("It came back %d times: what was done treats the symptom. It needs a root fix.", c.Incident.Recurrence))
	}
	if c.Incident.Repeats > 3 {
		list = append(list, fmt.Sprintf("Its alerts were repeated %d times.", c.Incident.Repeats))
	}
	return list
}
