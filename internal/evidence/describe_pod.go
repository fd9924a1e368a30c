package evidence

import (
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func (r *reader) describedPod(d described) {
	pod := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"}, ObjectMeta: d.meta()}
	pod.Spec.NodeName, pod.Status.HostIP, _ = strings.Cut(d.get("Node"), "/")
	if at := metaTime(d.get("Start Time")); !at.IsZero() {
		pod.Status.StartTime = &at
		pod.CreationTimestamp = at
	}
	pod.Status.Phase = corev1.PodPhase(d.get("Status"))
	if since, ok := strings.CutPrefix(string(pod.Status.Phase), "Terminating (lasts "); ok {
		at := r.ago(strings.TrimSuffix(since, ")"))
		pod.Status.Phase, pod.DeletionTimestamp = "", &at
	}
	pod.Spec.RestartPolicy = policyOf(pod.Status.Phase)
	pod.Status.Reason, pod.Status.Message, pod.Status.PodIP = d.get("Reason"), d.get("Message"), d.get("IP")
	pod.Status.QOSClass = corev1.PodQOSClass(d.get("QoS Class"))
	pod.Spec.InitContainers, pod.Status.InitContainerStatuses = containers(d.section("Init Containers").lines)
	pod.Spec.Containers, pod.Status.ContainerStatuses = containers(d.section("Containers").lines)
	d.conditionRows(func(row row) {
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{
			Type: corev1.PodConditionType(row.get("Type")), Status: corev1.ConditionStatus(row.get("Status")),
		})
	})
	r.described.Pods = append(r.described.Pods, pod)
}

// maxContainers is more than one pod has.
const maxContainers = 100

// container is one under a Containers heading while its lines are read.
type container struct {
	spec   corev1.Container
	status corev1.ContainerStatus
	state  *corev1.ContainerState // that the lines below speak of
	list   corev1.ResourceList    // likewise
	told   bool                   // a state was printed
}

// containers reads the lines under a Containers heading: a name, its keys two
// steps in, and what belongs to a key three steps in. What fits nowhere is the
// rest of a message of many lines.
func containers(lines []string) ([]corev1.Container, []corev1.ContainerStatus) {
	var specs []corev1.Container
	var statuses []corev1.ContainerStatus
	var c *container
	end := func() {
		if c != nil {
			specs = append(specs, c.spec)
		}
		if c != nil && c.told {
			statuses = append(statuses, c.status)
		}
	}
	for _, line := range lines {
		text := strings.TrimLeft(line, " ")
		indent := len(line) - len(text)
		name, isName := strings.CutSuffix(text, ":")
		key, value, _ := strings.Cut(text, ":")
		value = orNothing(strings.TrimSpace(value))
		switch {
		case (indent == 2 || indent == 3) && isName && !strings.ContainsAny(name, " :"):
			if end(); len(specs) == maxContainers {
				return specs, statuses
			}
			c = &container{}
			c.spec.Name, c.status.Name = name, name
		case c == nil:
		case indent == 4:
			c.keyed(key, value)
		case indent == 6:
			c.detail(key, value)
		}
	}
	end()
	return specs, statuses
}

func (c *container) keyed(key, value string) {
	c.state, c.list = nil, nil
	switch key {
	case "Image":
		c.spec.Image, c.status.Image = value, value
	case "Image ID":
		c.status.ImageID = value
	case "Container ID":
		c.status.ContainerID = value
	case "State":
		c.told, c.state = true, &c.status.State
		begin(c.state, value)
	case "Last State":
		c.state = &c.status.LastTerminationState
		begin(c.state, value)
	case "Ready":
		c.told, c.status.Ready = true, value == "True"
	case "Restart Count":
		n := countOrNot(value)
		c.status.RestartCount = int32(min(n.Value, 1<<30))
	case "Limits":
		c.spec.Resources.Limits = corev1.ResourceList{}
		c.list = c.spec.Resources.Limits
	case "Requests":
		c.spec.Resources.Requests = corev1.ResourceList{}
		c.list = c.spec.Resources.Requests
	case "Liveness":
		c.spec.LivenessProbe = probe(value)
	case "Readiness":
		c.spec.ReadinessProbe = probe(value)
	case "Startup":
		c.spec.StartupProbe = probe(value)
	}
}

func begin(s *corev1.ContainerState, word string) {
	switch word {
	case "Running":
		s.Running = &corev1.ContainerStateRunning{}
	case "Waiting":
		s.Waiting = &corev1.ContainerStateWaiting{}
	case "Terminated":
		s.Terminated = &corev1.ContainerStateTerminated{}
	}
}

// detail is a line below State, Last State, Limits or Requests.
func (c *container) detail(key, value string) {
	switch {
	case c.list != nil && len(c.list) < maxColumns:
		if q, err := resource.ParseQuantity(value); err == nil && len(value) < 40 {
			c.list[corev1.ResourceName(key)] = q
		}
	case c.state == nil:
	case c.state.Running != nil && key == "Started":
		c.state.Running.StartedAt = metaTime(value)
	case c.state.Waiting != nil && key == "Reason":
		c.state.Waiting.Reason = value
	case c.state.Waiting != nil && key == "Message":
		c.state.Waiting.Message = value
	case c.state.Terminated != nil:
		terminated(c.state.Terminated, key, value)
	}
}

func terminated(t *corev1.ContainerStateTerminated, key, value string) {
	switch key {
	case "Reason":
		t.Reason = value
	case "Message":
		t.Message = value
	case "Exit Code":
		t.ExitCode = number32(value)
	case "Signal":
		t.Signal = number32(value)
	case "Started":
		t.StartedAt = metaTime(value)
	case "Finished":
		t.FinishedAt = metaTime(value)
	}
}

func number32(text string) int32 {
	n, err := strconv.ParseInt(strings.TrimSuffix(text, "s"), 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// probe reads "http-get http://:8080/healthz delay=10s timeout=1s period=10s #success=1 #failure=3".
func probe(text string) *corev1.Probe {
	text, numbers, ok := strings.Cut(text, " delay=")
	if !ok {
		return nil
	}
	p := corev1.Probe{}
	for word := range strings.FieldsSeq("delay=" + numbers) {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "delay":
			p.InitialDelaySeconds = number32(value)
		case "timeout":
			p.TimeoutSeconds = number32(value)
		case "period":
			p.PeriodSeconds = number32(value)
		case "#success", "successThreshold": // the longer words since kubectl 1.37
			p.SuccessThreshold = number32(value)
		case "#failure", "failureThreshold":
			p.FailureThreshold = number32(value)
		}
	}
	p.ProbeHandler = probeHandler(text)
	return &p
}

func probeHandler(text string) (h corev1.ProbeHandler) {
	how, what := cutWord(text)
	switch how {
	case "http-get":
		scheme, rest, _ := strings.Cut(what, "://")
		address, path, _ := strings.Cut(rest, "/")
		h.HTTPGet = &corev1.HTTPGetAction{Path: "/" + path, Scheme: corev1.URIScheme(strings.ToUpper(scheme)), Port: portOf(address)}
	case "tcp-socket":
		h.TCPSocket = &corev1.TCPSocketAction{Port: portOf(what)}
	case "exec":
		h.Exec = &corev1.ExecAction{Command: strings.Fields(strings.Trim(what, "[]"))}
	case "grpc":
		h.GRPC = &corev1.GRPCAction{Port: int32(portOf(firstWord(what)).IntVal)}
	}
	return h
}

func portOf(address string) intstr.IntOrString {
	return intstr.Parse(address[strings.LastIndexByte(address, ':')+1:])
}
