package checklist

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

// audited is what an audit saw, as evidence: the pods themselves stay out of it, for
// nothing is wrong with how they run.
type audited struct {
	ObservedAt time.Time `json:"observedAt"`
	Cluster    string    `json:"cluster,omitempty"`
	Security   struct {
		Findings []evidence.Finding `json:"findings"`
	} `json:"security"`
}

// audit looks through the pods' specs, or takes the findings that came. One incident
// for a namespace and a family names all of them.
func (l *look) audit() {
	if l.ev.Pods == nil && l.ev.Findings == nil {
		l.unsure = append(l.unsure, "neither pods nor findings were read")
		return
	}
	says := audited{ObservedAt: l.ev.ObservedAt, Cluster: l.ev.Cluster}
	says.Security.Findings = append([]evidence.Finding{}, l.ev.Findings...)
	for i := range l.ev.Pods {
		for _, f := range auditPod(&l.ev.Pods[i]) {
			if !slices.Contains(says.Security.Findings, f) {
				says.Security.Findings = append(says.Security.Findings, f)
			}
		}
	}
	if len(says.Security.Findings) == 0 {
		l.well = append(l.well, "the security audit found nothing")
		return
	}
	raw, err := json.Marshal(says)
	if err != nil {
		l.unsure = append(l.unsure, "the findings cannot be written down: "+err.Error())
		return
	}
	l.evidence = raw
	l.ev = evidence.Evidence{ObservedAt: l.ev.ObservedAt, Cluster: l.ev.Cluster, Findings: says.Security.Findings}
	d := diagnose.Diagnose(l.ev, diagnose.Question{Target: l.check.Target(), Family: l.check.family()})
	switch d.Cause {
	case incident.CauseHealthy: // all of what came has passed
		l.well = append(l.well, d.Summary)
	case incident.CauseUnknown, "":
		l.unsure = append(l.unsure, d.Summary)
	default:
		l.add(incident.Family(d.Cause), d.Cause, d.Summary, l.check.Target())
	}
}

// risks are what in a pod's spec gives it more of its node than a workload should
// have: Kubernetes' Pod Security Standards, level baseline.
var risks = []struct {
	severity string
	says     func(*corev1.Pod) []string
}{
	{"high", containersThat("runs privileged", func(c *corev1.SecurityContext) bool { return c.Privileged != nil && *c.Privileged })},
	{"medium", containersThat("has capabilities beyond the usual", func(c *corev1.SecurityContext) bool {
		return c.Capabilities != nil && slices.ContainsFunc(c.Capabilities.Add, unusual)
	})},
	{"high", func(p *corev1.Pod) []string {
		var out []string
		for name, shared := range map[string]bool{"hostNetwork": p.Spec.HostNetwork, "hostPID": p.Spec.HostPID, "hostIPC": p.Spec.HostIPC} {
			if shared {
				out = append(out, "shares "+name+" with its node")
			}
		}
		slices.Sort(out)
		return out
	}},
	{"high", func(p *corev1.Pod) []string {
		var out []string
		for _, v := range p.Spec.Volumes {
			if v.HostPath != nil {
				out = append(out, "mounts "+v.HostPath.Path+" of its node (hostPath)")
			}
		}
		return out
	}},
}

// usualCapabilities are those that the baseline of the Pod Security Standards lets a
// container add.
var usualCapabilities = strings.Fields("AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID SYS_CHROOT")

func unusual(c corev1.Capability) bool { return !slices.Contains(usualCapabilities, string(c)) }

func containersThat(does string, is func(*corev1.SecurityContext) bool) func(*corev1.Pod) []string {
	return func(p *corev1.Pod) []string {
		var out []string
		for _, c := range append(slices.Clone(p.Spec.InitContainers), p.Spec.Containers...) {
			if c.SecurityContext != nil && is(c.SecurityContext) {
				out = append(out, fmt.Sprintf("container %s %s", c.Name, does))
			}
		}
		return out
	}
}

// auditPod names a pod by what made it, so that replicas are one finding.
func auditPod(p *corev1.Pod) []evidence.Finding {
	name := p.Name
	for _, o := range p.OwnerReferences {
		if o.Controller != nil && *o.Controller {
			name = o.Kind + "/" + strings.TrimSuffix(o.Name, "-"+p.Labels["pod-template-hash"])
		}
	}
	var out []evidence.Finding
	for _, r := range risks {
		for _, says := range r.says(p) {
			out = append(out, evidence.Finding{Kind: "privileged_container", Object: p.Namespace + "/" + name, Severity: r.severity, Message: says})
		}
	}
	for _, says := range plainSecrets(p) {
		out = append(out, evidence.Finding{Kind: "exposed_secret", Object: p.Namespace + "/" + name, Severity: "high", Message: says})
	}
	return out
}

// secretName is how variables are called that hold a secret themselves: DB_PASSWORD, but
// neither TOKEN_URL nor PASSWORD_FILE.
var secretName = regexp.MustCompile(`(?i)(^|_)(password|passwd|pwd|secret|token|api_?key|access_?key|secret_?key|private_?key|credentials?)$`)

// plainSecrets names the variables whose secret stands in the pod's spec, where whoever
// may look at pods reads it. The value itself has been left out long before.
func plainSecrets(p *corev1.Pod) []string {
	var out []string
	for _, c := range append(slices.Clone(p.Spec.InitContainers), p.Spec.Containers...) {
		for _, e := range c.Env {
			refers := strings.HasPrefix(e.Value, "$(") || strings.HasPrefix(e.Value, "/")
			if e.ValueFrom == nil && e.Value != "" && !refers && secretName.MatchString(e.Name) {
				out = append(out, fmt.Sprintf("container %s has %s written in its spec, and not in a Secret", c.Name, e.Name))
			}
		}
	}
	return out
}
