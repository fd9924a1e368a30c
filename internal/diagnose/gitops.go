package diagnose

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// gitop is one Argo CD Application, Flux Kustomization or HelmRelease.
type gitop struct {
	evidence.GitOps
	conditions
	x    *examination
	over []string // keys of what it deploys
}

func (x *examination) gitops() []gitop {
	var out []gitop
	list := slices.Clone(x.ev.GitOps[:min(len(x.ev.GitOps), maxThings)])
	slices.SortFunc(list, func(a, b evidence.GitOps) int { return strings.Compare(gitopKey(a), gitopKey(b)) })
	for _, g := range list {
		one := gitop{GitOps: g, x: x, conditions: conditionsOf(g.Conditions, gitopsCondition), over: x.deploys(g)}
		m := &metav1.ObjectMeta{Namespace: g.Namespace, Name: g.Name}
		if x.concerns(g.Kind, m) || x.concernsAny(one.over) {
			out = append(out, one)
		}
	}
	return out
}

func gitopKey(g evidence.GitOps) string { return objectKey(g.Kind, g.Namespace, g.Name) }

// deploys are the keys of what a GitOps object deploys: what it lists, what bears
// its name, or else the workloads of the namespace that it deploys to.
func (x *examination) deploys(g evidence.GitOps) []string {
	var listed, marked, near []string
	for _, r := range g.Resources[:min(len(g.Resources), maxThings)] {
		listed = append(listed, objectKey(r.Kind, cmp.Or(r.Namespace, g.Target), r.Name))
	}
	for _, c := range x.own.all {
		key := objectKey(c.kind, c.meta.Namespace, c.meta.Name)
		if bearsName(g, c.meta) {
			marked = append(marked, key)
		}
		if g.Target == "" || c.meta.Namespace == g.Target {
			near = append(near, key)
		}
	}
	for _, keys := range [][]string{listed, marked} {
		if len(keys) > 0 {
			return keys
		}
	}
	return near
}

// nameMarks are the labels and annotations by which the tools mark what is theirs.
var nameMarks = []string{
	"app.kubernetes.io/instance", "argocd.argoproj.io/instance", "kustomize.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/name", "meta.helm.sh/release-name",
}

func bearsName(g evidence.GitOps, m *metav1.ObjectMeta) bool {
	if strings.HasPrefix(m.Annotations["argocd.argoproj.io/tracking-id"], g.Name+":") {
		return true
	}
	return slices.ContainsFunc(nameMarks, func(mark string) bool { return m.Labels[mark] == g.Name || m.Annotations[mark] == g.Name })
}

func (g gitop) bears() []string { return g.over }

func (g gitop) title() string { return g.Kind + " " + clip(g.Namespace, 63) + "/" + clip(g.Name, 253) }

func (g gitop) quote(what string) string { return g.title() + ": " + oneLine(what) }

func (g gitop) place() place {
	key := gitopKey(g.GitOps)
	self := incident.Target{Cluster: g.x.cluster, Namespace: g.Namespace, Kind: g.Kind, Name: g.Name, Service: g.x.q.Target.Service}
	return place{at: key, within: []string{key}, bears: g.over, subject: self, acute: 1}
}

// standing is what the tool says of the whole.
func (g gitop) standing() string {
	var parts []string
	for _, p := range []struct{ name, value string }{{"sync", g.Sync}, {"health", g.Health}, {"operation", g.Phase}, {"revision", g.Revision}, {"message", g.Message}} {
		if p.value != "" {
			parts = append(parts, p.name+"="+clip(p.value, longestQuote))
		}
	}
	return strings.Join(parts, ", ")
}

// argoErrors are the types of an Application's conditions that tell of a failure;
// the others warn.
var argoErrors = []string{"ComparisonError", "SyncError", "InvalidSpecError", "UnknownError", "DeletionError"}

// fluxWaits are the reasons for which a Flux object is not ready and nothing has
// failed yet.
var fluxWaits = []string{"Progressing", "ProgressingWithRetry", "DependencyNotReady", "ReconciliationInProgress", "Suspended", "RetryOnFailure"}

// failure says whether the tool itself reports one, and in which words.
func (g gitop) failure() (why, quote string, sure float64, ok bool) {
	for _, c := range g.conditions {
		if g.Kind == "Application" && slices.Contains(argoErrors, c.kind) {
			return c.kind + ": " + c.message, g.quote("condition " + c.kind + ": " + c.message), 0.95, true
		}
	}
	for _, kind := range []string{"Ready", "Released", "Healthy"} {
		if c := g.find(kind); g.Kind != "Application" && c.no() && !slices.Contains(fluxWaits, c.reason) {
			return c.reason + ": " + c.message, g.quote(c.quote()), 0.95, true
		}
	}
	failed := g.Phase == "Failed" || g.Phase == "Error"
	if g.Kind != "Application" || !failed && g.Health != "Degraded" || g.Sync == "Synced" && g.Health == "Healthy" {
		return "", "", 0, false
	}
	if failed {
		return "its last operation " + strings.ToLower(g.Phase) + ": " + g.Message, g.quote(g.standing()), 0.95, true
	}
	return "what it deploys is degraded", g.quote(g.standing()), likely, true
}

// deployFailed is the answer where the tool says that it failed and nothing that
// it deploys tells why.
func deployFailed(g gitop) (finding, bool) {
	why, quote, sure, ok := g.failure()
	if !ok || g.Suspended && g.Kind != "Application" {
		return finding{}, false
	}
	f := finding{
		confidence: sure,
		symptom:    g.title() + " is not deployed as it should be",
		quotes:     []string{quote},
		because:    why,
	}
	for _, r := range g.Resources {
		if r.Health == "Degraded" && len(f.quotes) <= maxNoted {
			f.quotes = append(f.quotes, g.quote(r.Kind+" "+r.Namespace+"/"+r.Name+" is degraded: "+r.Message))
			f.because += "; " + r.Kind + " " + r.Name + " is degraded: " + r.Message
		}
	}
	if g.AutoSync {
		f.because += " (it syncs by itself, so what is changed by hand is changed back)"
	}
	if s, refused := readRefusal(why); refused && s.phrase != "is invalid" {
		f.alternatives = []alternative{{s.cause, slight}}
	}
	if !fromRepository(why) {
		f.from = []string{"pod.*", "workload.*", "job.*", "node.*"}
		f.missing = []string{"the workloads that " + g.title() + " deploys, with their pods and events"}
		f.wants = []string{CollectGitOps}
	}
	return f, true
}

// repositorySigns tell that what was to be deployed could not even be made: no
// workload's trouble explains that.
var repositorySigns = []string{
	"ComparisonError", "InvalidSpecError", "BuildFailed", "ArtifactFailed", "SourceNotReady", "ChartPullFailed", "ValuesError", "kustomize build failed",
	"failed to generate manifest", "PruneFailed", "AccessDenied",
}

func fromRepository(why string) bool {
	return slices.ContainsFunc(repositorySigns, func(s string) bool { return strings.Contains(why, s) })
}

// stalledSign is how Argo CD says that a Deployment's rollout stands still.
const stalledSign = "exceeded its progress deadline"

// gitopsStall finds a rollout that stands still in the words of the GitOps object
// alone: the Deployment itself is not there.
func gitopsStall(g gitop) (finding, bool) {
	for _, r := range g.Resources {
		ns := cmp.Or(r.Namespace, g.Target)
		if r.Kind != "Deployment" || r.Health != "Degraded" || !strings.Contains(r.Message, stalledSign) || g.x.holds(objectKey("Deployment", ns, r.Name)) {
			continue
		}
		f := finding{
			confidence: likely,
			symptom:    g.title() + " is degraded",
			quotes:     []string{g.quote("Deployment " + ns + "/" + r.Name + ": health " + r.Health + ": " + r.Message)},
			because:    "the rollout of Deployment " + ns + "/" + r.Name + " stands still: " + r.Message,
			missing:    []string{"the Deployment " + ns + "/" + r.Name + " with its ReplicaSets, pods and events"},
			wants:      []string{CollectWorkload},
			over:       inTemplate, from: append([]string{"node.*"}, fromOutside...),
		}
		f.place = g.x.objectPlace("Deployment", &metav1.ObjectMeta{Namespace: ns, Name: r.Name}, 1)
		f.place.bears = []string{gitopKey(g.GitOps)}
		return f, true
	}
	return finding{}, false
}

func wellGitOps(g gitop) (string, bool) {
	_, _, _, failed := g.failure()
	switch {
	case g.x.aboutPods():
		return "", true
	case failed && !g.Suspended:
		return g.quote(g.standing()), false
	case g.Suspended:
		return g.quote("suspended"), true
	case g.Kind != "Application" && g.find("Ready").status == "":
		return "", true
	case g.Kind != "Application" && !g.find("Ready").yes():
		return g.quote("not ready yet: " + g.find("Ready").reason), true
	}
	return g.quote(g.standing()), true
}

// release is what an aggregate says of the deployments of its service.
type release struct {
	evidence.Aggregate
	x *examination
}

func (x *examination) releases() []release {
	var out []release
	for _, a := range x.ev.Aggregates[:min(len(x.ev.Aggregates), maxThings)] {
		if x.open() && (x.q.Target.Service == "" || x.q.Target.Service == a.Service) && (x.q.Family == "" || x.q.Family == "deploy") {
			out = append(out, release{a, x})
		}
	}
	return out
}

func (r release) place() place {
	p := r.x.factPlace("aggregate", "", r.Service, 0)
	p.subject = incident.Target{Service: r.Service}
	return p
}

// releaseFailed finds a service whose newest deployment failed, in the words of
// the system that deploys it.
func releaseFailed(r release) (finding, bool) {
	var newest evidence.Rollout
	for _, d := range r.Deployments {
		if d.At.After(newest.At.Time) || d.At.Equal(newest.At.Time) && d.Version+d.Status > newest.Version+newest.Status {
			newest = d
		}
	}
	switch strings.ToLower(newest.Status) {
	case "failure", "failed", "error":
	default:
		return finding{}, false
	}
	return finding{
		confidence:   likely,
		symptom:      "the newest deployment of " + r.Service + " failed",
		quotes:       []string{oneLine("deployment of " + r.Service + ": version=" + newest.Version + ", status=" + newest.Status + ", at=" + newest.At.UTC().Format("2006-01-02T15:04:05Z"))},
		because:      "version " + clip(newest.Version, 100) + " ended with status " + clip(newest.Status, 63),
		alternatives: []alternative{{causeRolloutStalled, slight / 2}},
		missing:      []string{"the log of the deployment, or the workload that it was to change"},
	}, true
}

// Managers are the GitOps objects in the evidence that bring a workload: they list
// it, or it bears their name.
func Managers(ev evidence.Evidence, t incident.Target) []evidence.GitOps {
	var found []evidence.GitOps
	var meta *metav1.ObjectMeta
	for _, c := range controllersOf(ev) {
		if c.kind == t.Kind && samePlace(c.meta, t.Namespace, t.Name) {
			meta = c.meta
		}
	}
	for _, g := range ev.GitOps {
		lists := slices.ContainsFunc(g.Resources, func(r evidence.GitOpsResource) bool {
			return r.Kind == t.Kind && r.Name == t.Name && cmp.Or(r.Namespace, g.Target) == t.Namespace
		})
		if lists || meta != nil && bearsName(g, meta) {
			found = append(found, g)
		}
	}
	return found
}

// Managed says whether marks on a workload say that a tool brings it, and which:
// Argo CD, Flux or Helm. A change in the cluster would be undone, or lost with the
// next release.
func Managed(ev evidence.Evidence, t incident.Target) string {
	for _, c := range controllersOf(ev) {
		if c.kind != t.Kind || !samePlace(c.meta, t.Namespace, t.Name) {
			continue
		}
		for _, mark := range toolMarks {
			if c.meta.Labels[mark.key] != "" && (mark.value == "" || c.meta.Labels[mark.key] == mark.value) || c.meta.Annotations[mark.key] != "" && mark.value == "" {
				return mark.tool
			}
		}
	}
	if len(Managers(ev, t)) > 0 {
		return "GitOps"
	}
	return ""
}

// toolMarks are what the tools leave on what they bring.
var toolMarks = []struct{ key, value, tool string }{
	{"argocd.argoproj.io/tracking-id", "", "Argo CD"},
	{"argocd.argoproj.io/instance", "", "Argo CD"},
	{"kustomize.toolkit.fluxcd.io/name", "", "Flux"},
	{"helm.toolkit.fluxcd.io/name", "", "Flux"},
	{"meta.helm.sh/release-name", "", "Helm"},
	{"app.kubernetes.io/managed-by", "Helm", "Helm"},
}
