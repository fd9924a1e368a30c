package diagnose_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/diagnose"
	"salve/internal/incident"
)

// A pod counts as its owner: what evidence on one is about.
func TestKin(t *testing.T) {
	const sibling = "api-gateway-7d9f5b8c6-n3w0a"
	stranger := pod{name: "billing-5c9d7f6b4-q8r2t", owner: `{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"billing-5c9d7f6b4","uid":"rs-9","controller":true}`}.json()
	lonely := pod{name: "debug", owner: "none"}.json()
	all := []string{pod{}.json(), pod{name: sibling}.json(), stranger, lonely}
	whole := sent(all, nil, ownersJSON)
	jobs := sent([]string{pod{name: "backup-1-abcde", owner: `{"apiVersion":"batch/v1","kind":"Job","name":"backup-1","uid":"job-1","controller":true}`}.json()}, nil,
		`"jobs":[{"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"backup-1","namespace":"production","uid":"job-1","ownerReferences":[{"apiVersion":"batch/v1","kind":"CronJob","name":"backup","uid":"cron-1","controller":true}]}}]`)
	cases := []struct {
		name, kind, of, evidence string
		owners, others           []string
	}{
		{"a pod", "Pod", apiPod, whole,
			[]string{"ReplicaSet/api-gateway-7d9f5b8c6", "Deployment/api-gateway"}, []string{"Pod/" + sibling}},
		{"its ReplicaSet", "ReplicaSet", "api-gateway-7d9f5b8c6", whole,
			[]string{"Deployment/api-gateway"}, []string{"Pod/" + apiPod, "Pod/" + sibling}},
		{"its Deployment", "Deployment", "api-gateway", whole,
			nil, []string{"Pod/" + apiPod, "ReplicaSet/api-gateway-7d9f5b8c6", "Pod/" + sibling}},
		{"a Deployment whose ReplicaSet nobody sent: the pods' hash tells", "Deployment", "api-gateway", sent(all, nil),
			nil, []string{"Pod/" + apiPod, "ReplicaSet/api-gateway-7d9f5b8c6", "Pod/" + sibling}},
		{"a CronJob's pod", "Pod", "backup-1-abcde", jobs, []string{"Job/backup-1", "CronJob/backup"}, nil},
		{"a Deployment of that name elsewhere in the evidence", "StatefulSet", "api-gateway", whole, nil, nil},
		{"a pod without owner", "Pod", "debug", whole, nil, nil},
		{"a pod that is not there", "Pod", "gone", whole, nil, nil},
		{"no object", "Host", "", whole, nil, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			about := incident.Target{Cluster: "prod-eu", Namespace: "production", Kind: c.kind, Name: c.of}
			owners, others := diagnose.Kin(parse(t, c.evidence), about)
			if diff := cmp.Diff([][]string{c.owners, c.others}, [][]string{names(t, owners), names(t, others)}); diff != "" {
				t.Errorf("owners and others (-want +got):\n%s", diff)
			}
		})
	}
}

func names(t *testing.T, list []incident.Target) []string {
	t.Helper()
	var out []string
	for _, o := range list {
		if o.Cluster != "prod-eu" || o.Namespace != "production" || o.UID != "" || o.Generation != 0 {
			t.Errorf("%+v is not the object by its name alone", o)
		}
		out = append(out, o.Kind+"/"+o.Name)
	}
	return out
}

// However many pods a Deployment has, the list stays short.
func TestKinIsBounded(t *testing.T) {
	var pods []string
	for i := range 300 {
		pods = append(pods, pod{name: fmt.Sprintf("api-gateway-7d9f5b8c6-%05d", i)}.json())
	}
	_, others := diagnose.Kin(parse(t, sent(pods, nil, ownersJSON)), aboutDeployment().Target)
	if len(others) != 199 {
		t.Errorf("%d objects, want 200 with the Deployment itself", len(others))
	}
}
