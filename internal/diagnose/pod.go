package diagnose

import (
	"cmp"
	"salve/internal/evidence"
	"salve/internal/incident"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// pod is one pod under examination: everything the evidence says about it, with
// ages reckoned from when it was observed.
type pod struct {
	*corev1.Pod
	x          *examination
	chain      []incident.Target // its controllers, the nearest first
	within     []string          // keys of all that it is a part of, its own first
	now        time.Time
	events     []*corev1.Event // about this pod
	nodeEvents []*corev1.Event // about its node
	logs       []evidence.Log
	containers []container
	ghost      bool      // only events tell of it
	schedule   *schedule // why no node takes it; nil where one does
	mount      *trouble  // why its volumes are not mounted; nil where they are
	sandbox    *trouble  // why its sandbox is not made; likewise
}

// container is one container of a pod; init containers and sidecars count alike.
type container struct {
	*pod
	name   string
	role   string // container, init container, sidecar
	spec   corev1.Container
	status corev1.ContainerStatus
	known  bool // there is a status
	events []*corev1.Event
	pull   *pull     // why its image is not there; nil where that is not its trouble
	unmade *creation // why it could not be made or started; likewise
	ill    plight
	heard  bool       // there is a log or message of the run in question
	word   *testimony // what it says of its trouble; nil where it says nothing decisive
}

// The roles of a container, as people say them.
const (
	appRole     = "container"
	initRole    = "init container"
	sidecarRole = "sidecar"
)

// Hostile evidence may hold thousands of both, and every container looks at
// every event of its pod.
const (
	maxEvents     = 200 // of one object; the newest count
	maxContainers = 100 // of one pod
)

// eventIndex finds the events about one object.
type eventIndex map[string][]*corev1.Event

func indexEvents(events []corev1.Event) eventIndex {
	index := eventIndex{}
	for i := range events {
		e := &events[i]
		o := e.InvolvedObject
		if o.Kind != "Node" {
			o.Namespace = cmp.Or(o.Namespace, e.Namespace)
		}
		key := o.Kind + "/" + o.Namespace + "/" + o.Name
		index[key] = append(index[key], e)
	}
	for key, list := range index {
		slices.SortFunc(list, compareEvents)
		index[key] = list[max(0, len(list)-maxEvents):]
	}
	return index
}

// compareEvents puts the oldest first; the rest of the order only has to be the
// same for any order of arrival.
func compareEvents(a, b *corev1.Event) int {
	if byTime := eventTime(a).Compare(eventTime(b)); byTime != 0 {
		return byTime
	}
	return cmp.Or(
		strings.Compare(a.Reason, b.Reason),
		strings.Compare(a.Message, b.Message),
		strings.Compare(a.InvolvedObject.FieldPath, b.InvolvedObject.FieldPath),
		strings.Compare(a.Name, b.Name),
		cmp.Compare(a.Count, b.Count),
	)
}

func (x *examination) examinePod(p *corev1.Pod, ghost bool) *pod {
	out := &pod{Pod: p, x: x, ghost: ghost, now: x.ev.ObservedAt, chain: x.own.chain(p, x.cluster)}
	out.within = out.partOf()
	out.events = x.eventsAbout("Pod", &p.ObjectMeta)
	if p.Spec.NodeName != "" {
		out.nodeEvents = x.index["Node//"+p.Spec.NodeName]
	}
	for _, l := range x.ev.Logs {
		if l.Pod == p.Name {
			out.logs = append(out.logs, l)
		}
	}
	out.addContainers(initRole, p.Spec.InitContainers, p.Status.InitContainerStatuses)
	out.addContainers(appRole, p.Spec.Containers, p.Status.ContainerStatuses)
	slices.SortFunc(out.containers, func(a, b container) int {
		return cmp.Or(-strings.Compare(a.role, b.role), strings.Compare(a.name, b.name))
	})
	for i := range out.containers {
		out.containers[i].takeEvents()
		out.containers[i].readTexts()
	}
	out.schedule = out.readSchedule()
	out.mount, out.sandbox = out.mountTrouble(), out.sandboxTrouble()
	for i := range out.containers {
		out.containers[i].listen()
	}
	return out
}

// partOf lists what a pod is a part of: its controllers (a Deployment also by the
// name that it gives its ReplicaSets), its node and its namespace.
func (p *pod) partOf() []string {
	keys := []string{objectKey("Pod", p.Namespace, p.Name)}
	for _, c := range p.chain {
		keys = append(keys, objectKey(c.Kind, c.Namespace, c.Name))
		if name := deploymentOf(p.Pod, c.Name); c.Kind == "ReplicaSet" && name != "" {
			keys = append(keys, objectKey("Deployment", c.Namespace, name))
		}
	}
	if p.Spec.NodeName != "" {
		keys = append(keys, objectKey("Node", "", p.Spec.NodeName))
	}
	return append(keys, objectKey("Namespace", "", p.Namespace))
}

// place is the pod's, among all that it is a part of.
func (p *pod) place() place {
	acute := 0
	for _, c := range p.containers {
		acute = max(acute, c.acuteness())
	}
	return place{
		at: p.within[0], within: p.within, acute: acute,
		subject: p.x.subject(p, ""), owner: p.top(),
	}
}

// place is the container's: a part of its pod.
func (c container) place() place {
	p := place{
		at: c.pod.within[0] + "/" + c.role + "/" + c.name, acute: c.acuteness(), container: c.name,
		subject: c.x.subject(c.pod, c.name), owner: c.top(),
	}
	p.within = append([]string{p.at}, c.pod.within...)
	return p
}

// top is the pod's top controller, as far as it is known.
func (p *pod) top() incident.Target {
	if len(p.chain) == 0 {
		return incident.Target{}
	}
	return p.chain[len(p.chain)-1]
}

func (x *examination) subject(p *pod, container string) incident.Target {
	return incident.Target{
		Cluster: x.cluster, Namespace: p.Namespace, Kind: "Pod", Name: p.Name,
		UID: string(p.UID), Container: container, Service: x.q.Target.Service,
	}
}

func (x *examination) wholePods() []*pod { return x.pods }

func (p *pod) addContainers(role string, specs []corev1.Container, statuses []corev1.ContainerStatus) {
	byName := make(map[string]corev1.ContainerStatus, len(statuses))
	for _, s := range statuses {
		byName[s.Name] = s
	}
	for _, spec := range specs {
		if len(p.containers) == maxContainers {
			return
		}
		c := container{pod: p, name: spec.Name, role: role, spec: spec}
		if role == initRole && spec.RestartPolicy != nil && *spec.RestartPolicy == corev1.ContainerRestartPolicyAlways {
			c.role = sidecarRole
		}
		c.status, c.known = byName[spec.Name]
		p.containers = append(p.containers, c)
	}
	if len(specs) > 0 {
		return
	}
	for _, s := range statuses[:min(len(statuses), maxContainers)] { // a pod whose spec was cut off
		p.containers = append(p.containers, container{pod: p, name: s.Name, role: role, spec: corev1.Container{Name: s.Name, Image: s.Image}, status: s, known: true})
	}
}

// restarts says whether an end of the program is always followed by a new start.
func (c container) restarts() bool {
	if c.role == sidecarRole {
		return true
	}
	if c.Status.Phase == corev1.PodSucceeded {
		return false // it is over, whatever part of its spec is not seen
	}
	policy := c.Spec.RestartPolicy
	return c.role == appRole && (policy == "" || policy == corev1.RestartPolicyAlways)
}

// death is the last end of a container's process, and where the status tells of it.
type death struct {
	corev1.ContainerStateTerminated
	field string
}

// death is the current state's end before the last state's: what ended well
// after it had failed has ended well.
func (c container) death() (death, bool) {
	if t := c.status.State.Terminated; t != nil {
		return death{*t, "state.terminated"}, t.ExitCode != 0 || t.Reason == reasonOOM || c.restarts()
	}
	if t := c.status.LastTerminationState.Terminated; t != nil {
		return death{*t, "lastState.terminated"}, true
	}
	return death{}, false
}

// killed says whether the process was ended by a signal from outside: 137 is
// SIGKILL and 143 SIGTERM, which a probe, an eviction, a preemption and a person
// send alike.
func (d death) killed() bool { return d.ExitCode == 137 || d.ExitCode == 143 }

// Ages after which the end of a process is history.
const (
	freshDeath   = 10 * time.Minute // kubelet resets its back-off after as long
	recentDeath  = time.Hour
	slowestCycle = 6 * time.Hour // the longest rhythm that counts as restarts going on
)

// sinceDeath is how long the container runs again; 0 when it does not run.
func (c container) sinceDeath(d death) time.Duration {
	run := c.status.State.Running
	if run == nil {
		return 0
	}
	at := d.FinishedAt.Time
	if at.IsZero() {
		at = run.StartedAt.Time
	}
	if at.IsZero() || c.now.IsZero() || c.now.Before(at) {
		return 0
	}
	return c.now.Sub(at)
}

// age is how long ago the death was; 0 where nobody knows.
func (c container) age(d death) time.Duration {
	if d.FinishedAt.IsZero() || c.now.IsZero() {
		return 0
	}
	return c.now.Sub(d.FinishedAt.Time)
}

// current says whether the death is today's disease rather than history.
func (c container) current(d death) bool {
	if w := c.status.State.Waiting; w != nil && !quietWait(w.Reason) && w.Reason != "CrashLoopBackOff" && c.age(d) > freshDeath {
		return false // what it waits for today has a reason of its own
	}
	since, n := c.sinceDeath(d), c.status.RestartCount
	switch {
	case since <= freshDeath:
		return true
	case since <= recentDeath && (d.Reason == reasonOOM || n >= 2):
		return true
	case n < 3 || c.startTime().IsZero():
		return false
	}
	rhythm := c.now.Sub(c.startTime()) / time.Duration(n)
	return rhythm <= slowestCycle && since <= rhythm+rhythm/2
}

// startTime is when the pod began.
func (p *pod) startTime() time.Time {
	if p.Status.StartTime != nil {
		return p.Status.StartTime.Time
	}
	return p.CreationTimestamp.Time
}

// acuteness is how badly a container fares right now: 2 is down or restarting,
// 1 is running but not ready, 0 is well or done.
func (c container) acuteness() int {
	s := c.status.State
	d, died := c.death()
	switch {
	case s.Waiting != nil && !quietWait(s.Waiting.Reason):
		return 2
	case s.Terminated != nil && died:
		return 2
	case s.Running != nil && died && c.sinceDeath(d) <= freshDeath:
		return 2
	case s.Running != nil && !c.status.Ready && c.role != initRole:
		return 1
	}
	return 0
}

// quietWait are the reasons to wait that every start goes through.
func quietWait(reason string) bool {
	return reason == "" || reason == "ContainerCreating" || reason == "PodInitializing"
}
