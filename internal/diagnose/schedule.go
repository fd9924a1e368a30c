package diagnose

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Where in the order of the scheduler's filters a reason belongs. A node is
// reported with the first filter that it fails, so what stands deeper tells of
// nodes that passed all before.
const (
	atCordon = iota + 1
	atName
	atTaint
	atAffinity
	atPorts
	atResources
	atVolume
	atZone
	atSpread
	atPods
	atDevices
	atAll // before any node is looked at
)

// filterSign is how the scheduler says that a node, or every node, will not do.
type filterSign struct {
	phrase string // in lower case
	depth  int
	cause  string
}

// filterSigns from 1.6 to today. A phrase may be a part of another that stands
// deeper ("volume node affinity conflict"), so the deep ones come first.
var filterSigns = []filterSign{
	{"no nodes available to schedule", atAll, causeNoResources},
	{"unbound immediate persistentvolumeclaim", atAll, causeNoVolume},
	{"unbound persistentvolumeclaim", atAll, causeNoVolume},
	{"persistentvolumeclaim", atAll, causeNoVolume}, // not found, being deleted, bound to a volume that does not exist, not created yet
	{"failed to bind volumes", atAll, causeNoVolume},
	{"binding volumes", atAll, causeNoVolume},
	{"resourceclaim", atDevices, causeNoResources},
	{"allocate all claims", atDevices, causeNoResources},
	{"anti-affinity", atPods, causeNoAffinity},
	{"pod affinity", atPods, causeNoAffinity},
	{"matchinterpodaffinity", atPods, causeNoAffinity},
	{"topology spread", atSpread, causeNoAffinity},
	{"available volume zone", atZone, causeNoVolume},
	{"novolumezoneconflict", atZone, causeNoVolume},
	{"volume node affinity", atVolume, causeNoVolume},
	{"persistentvolume's node affinity", atVolume, causeNoVolume},
	{"available persistent volumes to bind", atVolume, causeNoVolume},
	{"non-existent pv", atVolume, causeNoVolume},
	{"enough free storage", atVolume, causeNoVolume},
	{"max volume count", atVolume, causeNoVolume},
	{"maxebsvolumecount", atVolume, causeNoVolume},
	{"maxgcepdvolumecount", atVolume, causeNoVolume},
	{"maxazurediskvolumecount", atVolume, causeNoVolume},
	{"maxcsivolumecount", atVolume, causeNoVolume},
	{"no available disk", atVolume, causeNoVolume},
	{"nodiskconflict", atVolume, causeNoVolume},
	{"readwriteoncepod", atVolume, causeNoVolume},
	{"too many pods", atResources, causeTooManyPods},
	{"insufficient pods", atResources, causeTooManyPods},
	{"insufficient ", atResources, causeNoResources},
	{"no instance type", atResources, causeNoResources}, // Karpenter
	{"free ports", atPorts, causePortConflict},
	{"podfitshostports", atPorts, causePortConflict},
	{"node affinity", atAffinity, causeNoAffinity},
	{"node selector", atAffinity, causeNoAffinity},
	{"matchnodeselector", atAffinity, causeNoAffinity},
	{"didn't satisfy plugin", atAffinity, causeNoAffinity},
	{"incompatible requirements", atAffinity, causeNoAffinity}, // Karpenter
	{"taint", atTaint, causeNoToleration},
	{"memory pressure", atTaint, causeNoToleration},
	{"disk pressure", atTaint, causeNoToleration},
	{"pid pressure", atTaint, causeNoToleration},
	{"pressure", atTaint, causeNoToleration}, // NodeUnderDiskPressure
	{"not ready", atTaint, causeNoToleration},
	{"nodenotready", atTaint, causeNoToleration},
	{"out of disk", atTaint, causeNoToleration},
	{"unavailable network", atTaint, causeNoToleration},
	{"requested node name", atName, causeNoAffinity},
	{"requested hostname", atName, causeNoAffinity},
	{"hostname", atName, causeNoAffinity},
	{"were unschedulable", atCordon, causeNoToleration},
	{"nodeunschedulable", atCordon, causeNoToleration},
}

// obstacle is one reason why a number of nodes will not do.
type obstacle struct {
	filterSign
	nodes int
	text  string
}

// background says whether nobody expects such pods there anyway.
func (o obstacle) background() bool {
	return o.depth == atTaint && (strings.Contains(o.text, "node-role.kubernetes.io/master") || strings.Contains(o.text, "node-role.kubernetes.io/control-plane"))
}

// taint is the key and value of the taint that an obstacle names.
func (o obstacle) taint() (key, value string) {
	_, rest, _ := strings.Cut(o.text, "{")
	rest, _, _ = strings.Cut(rest, "}")
	key, value, _ = strings.Cut(rest, ":")
	return strings.TrimSpace(key), strings.TrimSpace(value)
}

// schedule is why a pod has no node.
type schedule struct {
	total     int // nodes; 0 when unknown
	obstacles []obstacle
	quotes    []string
	gated     bool
	deep      obstacle // the one that decides
	tainted   string   // why the nodes that the pod asks for are the tainted ones; "" where they are not
}

var (
	nodesAvailable = regexp.MustCompile(`(\d{1,6})/(\d{1,6}) nodes are available:?`)
	counted        = regexp.MustCompile(`^(\d{1,6}) (?:x )?(.*)$`)
	countedBehind  = regexp.MustCompile(`^(.*) \((\d{1,6})\)$`)
)

// maxObstacles bounds a hostile message.
const maxObstacles = 50

// readObstacles parses the scheduler's message.
func readObstacles(message string) (total int, out []obstacle) {
	text := strings.ToLower(clip(message, longestText))
	text, _, _ = strings.Cut(text, "preemption:")
	if m := nodesAvailable.FindStringSubmatchIndex(text); m != nil {
		total, _ = strconv.Atoi(text[m[4]:m[5]])
		text = text[m[1]:]
	} else if _, rest, ok := strings.Cut(text, "predicates:"); ok { // up to 1.9
		text = strings.TrimLeft(rest, ": ")
	} else if _, rest, ok := strings.Cut(text, "summary on nodes :"); ok { // up to 1.5
		text = rest
	}
	text = strings.ReplaceAll(text, "}, that the pod", "} that the pod")
	if at := strings.Index(text, ". "); at >= 0 && total > 0 {
		text = text[:at]
	}
	for part := range strings.SplitSeq(text, ",") {
		if o, ok := readObstacle(strings.Trim(part, " .\n"), total); ok && len(out) < maxObstacles {
			out = append(out, o)
		}
	}
	return total, out
}

// readObstacle reads "2 Insufficient cpu", "Insufficient cpu (2)" and what holds
// for all nodes and names no number.
func readObstacle(part string, total int) (obstacle, bool) {
	o := obstacle{text: part, nodes: total}
	if m := counted.FindStringSubmatch(part); m != nil {
		o.nodes, _ = strconv.Atoi(m[1])
		o.text = m[2]
	} else if m := countedBehind.FindStringSubmatch(part); m != nil {
		o.nodes, _ = strconv.Atoi(m[2])
		o.text = m[1]
	}
	for _, s := range filterSigns {
		if strings.Contains(o.text, s.phrase) {
			o.filterSign = s
			return o, true
		}
	}
	return obstacle{}, false
}

// scheduled says whether the pod has a node.
func (p *pod) scheduled() bool {
	if p.Spec.NodeName != "" || p.Status.StartTime != nil || p.condition(corev1.PodScheduled, corev1.ConditionTrue) != nil {
		return true
	}
	if len(p.Status.ContainerStatuses) > 0 {
		return true
	}
	return p.ghost && !lastTime(p.events, "Scheduled", "Pulling", "Pulled", "Created", "Started").IsZero()
}

func (p *pod) condition(kind corev1.PodConditionType, status corev1.ConditionStatus) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if c := &p.Status.Conditions[i]; c.Type == kind && c.Status == status {
			return c
		}
	}
	return nil
}

// readSchedule reads the PodScheduled condition, which is of now, and else the
// newest FailedScheduling event.
func (p *pod) readSchedule() *schedule {
	if p.scheduled() || p.over() || p.Status.Phase == corev1.PodRunning {
		return nil
	}
	s := &schedule{}
	c := p.condition(corev1.PodScheduled, corev1.ConditionFalse)
	if c != nil && c.Reason == corev1.PodReasonSchedulingGated || c == nil && !p.ghost && len(p.Spec.SchedulingGates) > 0 {
		s.gated = true
		return s
	}
	if c != nil && c.Message != "" {
		s.take(c.Message, p.quote("condition PodScheduled=False, reason="+c.Reason+": "+c.Message))
	}
	e := lastOf(p.events, func(e *corev1.Event) bool { return e.Reason == "FailedScheduling" && !passing(e.Message) })
	if e != nil && len(s.obstacles) == 0 {
		s.take(e.Message, quoteEvent(e))
	} else if e != nil {
		s.quotes = append(s.quotes, quoteEvent(e))
	}
	if len(s.obstacles) == 0 {
		return nil
	}
	s.deep = decisive(s.real())
	if s.tainted = p.asksForTainted(s); s.tainted != "" {
		s.deep.cause = causeNoToleration
	}
	return s
}

// passing are words of the scheduler that tell nothing of nodes.
func passing(message string) bool {
	return strings.Contains(message, "skip schedule deleting pod") || strings.Contains(message, "the object has been modified")
}

func (s *schedule) take(message, quote string) {
	s.total, s.obstacles = readObstacles(message)
	if len(s.obstacles) > 0 {
		s.quotes = append(s.quotes, quote)
	}
}

// real are the obstacles that are not mere background, unless there is nothing else.
func (s *schedule) real() []obstacle {
	out := slices.DeleteFunc(slices.Clone(s.obstacles), obstacle.background)
	if len(out) == 0 {
		return s.obstacles
	}
	return out
}

// decisive is the obstacle to act on: that of the nodes which came furthest, for
// the others are none that the pod asks for. But a rule that keeps the pod away
// from nodes by design, or to where its volume or its partner is, comes after the
// check of resources: where more nodes have no room, or where the partner's may be
// the one without, room is what lacks.
func decisive(list []obstacle) obstacle {
	deep := worst(list, func(obstacle) bool { return true })
	short := worst(list, func(o obstacle) bool { return o.depth == atResources || o.depth == atPorts })
	if short.nodes == 0 || deep.depth <= atResources || deep.depth == atAll {
		return deep
	}
	if partner := deep.depth == atPods && !strings.Contains(deep.text, "anti-affinity"); partner || short.nodes > deep.nodes {
		return short
	}
	return deep
}

// worst is the deepest obstacle of those that count, the one that most nodes met.
func worst(list []obstacle, counts func(obstacle) bool) obstacle {
	var out obstacle
	for _, o := range list {
		if !counts(o) {
			continue
		}
		if cmp.Or(cmp.Compare(o.depth, out.depth), cmp.Compare(o.nodes, out.nodes), strings.Compare(out.cause, o.cause), strings.Compare(out.text, o.text)) > 0 {
			out = o
		}
	}
	return out
}
