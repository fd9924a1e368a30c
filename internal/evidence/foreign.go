package evidence

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"
)

// foreignKind is a kind of another project whose status says enough.
type foreignKind struct {
	kind, group string
	read        func(*reader, foreignObject)
}

func foreignKinds() []foreignKind {
	return []foreignKind{
		{"Certificate", "cert-manager.io", (*reader).certManagerCertificate},
		{"CertificateRequest", "cert-manager.io", (*reader).certManagerRequest},
		{"Backup", "velero.io", (*reader).veleroBackup},
		{"Schedule", "velero.io", (*reader).veleroSchedule},
		{"Cluster", "postgresql.cnpg.io", (*reader).cnpgCluster},
		{"Backup", "postgresql.cnpg.io", (*reader).cnpgBackup},
		{"PodMetrics", "metrics.k8s.io", (*reader).podMetrics},
		{"NodeMetrics", "metrics.k8s.io", (*reader).nodeMetrics},
	}
}

// foreignObject is the union of what is read of those kinds.
type foreignObject struct {
	Metadata struct {
		Name, Namespace string
		Labels          map[string]string
		Annotations     map[string]string
	}
	Spec struct {
		CommonName string   // cert-manager
		DNSNames   []string `json:"dnsNames"`
		IssuerRef  struct{ Name, Kind string }
		Schedule   string // velero
		Paused     bool
		Instances  Number                // CNPG
		Cluster    struct{ Name string } // CNPG Backup
	}
	Status struct {
		Conditions             []Condition
		NotBefore, NotAfter    Time
		FailedIssuanceAttempts Number
		Phase                  string
		Errors                 Number
		FailureReason          string
		StartTimestamp         Time
		CompletionTimestamp    Time
		Expiration             Time
		LastBackup             Time
		CurrentPrimary         string
		InstanceNames          []string
		InstancesStatus        map[string][]string
		LastSuccessfulBackup   Time
		LastFailedBackup       Time
		StartedAt, StoppedAt   Time
		Error                  string
	}
	Usage      podUsage // metrics.k8s.io, of a node
	Containers []struct {
		Name  string
		Usage podUsage
	}
}

type podUsage struct{ CPU, Memory string }

// foreign reads an object of another project, or a list of them.
func (r *reader) foreign(kind, apiVersion, pointer string, raw json.RawMessage) bool {
	single, isList := strings.CutSuffix(kind, "List")
	group, _, _ := strings.Cut(apiVersion, "/")
	for _, k := range foreignKinds() {
		if k.kind != single || k.group != group {
			continue
		}
		raws := []json.RawMessage{raw}
		if isList {
			var list struct{ Items []json.RawMessage }
			if json.Unmarshal(raw, &list) != nil {
				return false
			}
			raws = list.Items[:min(len(list.Items), maxItems)]
		}
		for _, one := range raws {
			var o foreignObject
			if err := decodeObject(one, &o, "must be a "+k.kind+" as kubectl get -o json prints it"); err != nil {
				r.problem(pointer, err.Error())
			} else {
				k.read(r, o)
			}
		}
		return true
	}
	return false
}

func condition(list []Condition, kind string) Condition {
	for _, c := range list {
		if c.Type == kind {
			return c
		}
	}
	return Condition{}
}

func (r *reader) certManagerCertificate(o foreignObject) {
	c := Certificate{
		Name: o.Metadata.Name, Namespace: o.Metadata.Namespace, Subject: o.Spec.CommonName, DNSNames: o.Spec.DNSNames, Issuer: o.Spec.IssuerRef.Name,
		NotBefore: o.Status.NotBefore, NotAfter: o.Status.NotAfter, Conditions: o.Status.Conditions,
	}
	if len(c.DNSNames) > 0 {
		c.Subject = cmp.Or(c.Subject, c.DNSNames[0])
	}
	if issuing := condition(c.Conditions, "Issuing"); issuing.Status == "False" && issuing.Reason == "Failed" || o.Status.FailedIssuanceAttempts.Value > 0 {
		c.Renewal = &Renewal{Tool: "cert-manager", Failed: true, Error: issuing.Message}
	}
	r.certificate(c)
}

// certManagerRequest tells of a renewal that failed; while it runs, and after it
// went well, the certificate says more.
func (r *reader) certManagerRequest(o foreignObject) {
	ready := condition(o.Status.Conditions, "Ready")
	if ready.Reason != "Failed" && ready.Reason != "Denied" {
		return
	}
	r.certificate(Certificate{
		Name:      cmp.Or(o.Metadata.Annotations["cert-manager.io/certificate-name"], o.Metadata.Name),
		Namespace: o.Metadata.Namespace,
		Renewal:   &Renewal{Tool: "cert-manager", Failed: true, Error: ready.Message},
	})
}

func (r *reader) veleroBackup(o foreignObject) {
	run := backupRun{
		job:     cmp.Or(o.Metadata.Labels["velero.io/schedule-name"], scheduleOf(o.Metadata.Name)),
		message: o.Status.FailureReason, errors: o.Status.Errors,
		at: cmp.Or(o.Status.StartTimestamp.Time, o.Status.CompletionTimestamp.Time),
	}
	if !o.Status.Expiration.IsZero() && !r.ev.ObservedAt.IsZero() {
		run.expires = Of(float64(o.Status.Expiration.Sub(r.ev.ObservedAt) / (24 * time.Hour)))
	}
	run.phased(o.Status.Phase)
	r.ran("velero", run)
}

// ran notes one run of a backup; finish sums them up job by job.
func (r *reader) ran(tool string, run backupRun) {
	if r.runs == nil {
		r.runs = map[string][]backupRun{}
	}
	r.runs[tool] = append(r.runs[tool], run)
}

func (r *reader) veleroSchedule(o foreignObject) {
	r.backup(Backup{
		Tool: "velero", Name: o.Metadata.Name, Cron: o.Spec.Schedule, Paused: o.Spec.Paused, Schedule: o.Status.Phase, LastAttempt: o.Status.LastBackup,
	})
}

func (r *reader) cnpgCluster(o foreignObject) {
	db := DB{Engine: "postgres", Cluster: o.Metadata.Name}
	states := map[string]string{}
	for state, names := range o.Status.InstancesStatus {
		for _, name := range names {
			states[name] = max(states[name], state)
		}
	}
	for _, name := range o.Status.InstanceNames[:min(len(o.Status.InstanceNames), maxItems)] {
		m := Member{Name: name, Role: "replica", State: states[name]}
		if name == o.Status.CurrentPrimary {
			m.Role = "primary"
		}
		db.Members = append(db.Members, m)
	}
	if len(r.ev.DBs) < maxItems {
		r.ev.DBs = append(r.ev.DBs, db)
	}
	if s := o.Status; !s.LastSuccessfulBackup.IsZero() || !s.LastFailedBackup.IsZero() {
		b := Backup{Tool: "cnpg", Name: o.Metadata.Name, Status: "Completed", LastSuccess: s.LastSuccessfulBackup, LastAttempt: s.LastSuccessfulBackup}
		if s.LastFailedBackup.After(s.LastSuccessfulBackup.Time) {
			b.Status, b.LastAttempt = "Failed", s.LastFailedBackup
		}
		b.Phase, b.Conditions = b.Status, o.Status.Conditions
		r.backup(b)
	}
}

func (r *reader) cnpgBackup(o foreignObject) {
	phase := o.Status.Phase
	r.ran("cnpg", backupRun{
		job: cmp.Or(o.Spec.Cluster.Name, o.Metadata.Name), phase: phase, message: o.Status.Error,
		at:        cmp.Or(o.Status.StoppedAt.Time, o.Status.StartedAt.Time),
		succeeded: phase == "completed",
		running:   phase != "completed" && phase != "failed" && phase != "walArchivingFailing",
	})
}
