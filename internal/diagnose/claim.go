package diagnose

import (
	"strings"

	corev1 "k8s.io/api/core/v1"

	"salve/internal/evidence"
)

// claim is one PersistentVolumeClaim of the evidence that the question is about.
type claim struct {
	*corev1.PersistentVolumeClaim
	x      *examination
	events []*corev1.Event
}

func (x *examination) claim(c *corev1.PersistentVolumeClaim) claim {
	return claim{c, x, x.eventsAbout("PersistentVolumeClaim", &c.ObjectMeta)}
}

// claims are those that the question is about by themselves: what a pod's claims
// explain stands with the pod.
func (x *examination) claims() []claim {
	var out []claim
	for i := range x.ev.PVCs {
		if c := &x.ev.PVCs[i]; x.concerns("PersistentVolumeClaim", &c.ObjectMeta) && len(out) < maxSettle {
			out = append(out, x.claim(c))
		}
	}
	return out
}

func (c claim) place() place {
	return c.x.objectPlace("PersistentVolumeClaim", &c.ObjectMeta, 1)
}

// claimTrouble is what a claim's events say of why it is not bound.
func (c claim) trouble() *corev1.Event {
	return lastOf(c.events, func(e *corev1.Event) bool {
		return e.Reason == "ProvisioningFailed" || e.Reason == "FailedBinding" || e.Reason == "ClaimLost" || e.Reason == "ClaimMisbound" ||
			e.Reason == "ExternalProvisioning" || resizeFailed(e)
	})
}

// ill says whether a claim is not what a pod can use.
func (c claim) ill() bool {
	return c.Status.Phase == corev1.ClaimPending || c.Status.Phase == corev1.ClaimLost
}

func (c claim) quote() string {
	class := ""
	if c.Spec.StorageClassName != nil {
		class = ", storageClassName=" + *c.Spec.StorageClassName
	}
	return oneLine("claim " + clip(c.Namespace, 63) + "/" + clip(c.Name, 253) + ": phase=" + string(c.Status.Phase) + class)
}

// quoteClaims adds what the evidence holds of the pod's claims that are not well.
func (p *pod) quoteClaims(f *finding) {
	for _, name := range p.claimNames() {
		pvc, ok := p.x.pvcs[p.Namespace+"/"+name]
		if !ok {
			continue
		}
		c := p.x.claim(pvc)
		if !c.ill() {
			continue
		}
		f.because += "; claim " + clip(name, 253) + " is " + string(pvc.Status.Phase)
		f.quotes = append(f.quotes, c.quote())
		if e := c.trouble(); e != nil {
			f.quotes = append(f.quotes, quoteEvent(e))
		}
	}
}

// indexClaims finds claims by namespace and name.
func indexClaims(list []corev1.PersistentVolumeClaim) map[string]*corev1.PersistentVolumeClaim {
	if len(list) == 0 {
		return nil
	}
	index := make(map[string]*corev1.PersistentVolumeClaim, len(list))
	for i := range list {
		key, c := list[i].Namespace+"/"+list[i].Name, &list[i]
		if had, ok := index[key]; ok {
			larger := evidence.Larger(*had, *c)
			c = &larger
		}
		index[key] = c
	}
	return index
}

// claimNames are the claims that the pod's volumes name.
func (p *pod) claimNames() []string {
	var out []string
	for _, v := range p.Spec.Volumes {
		switch {
		case len(out) == maxContainers:
			return out
		case v.PersistentVolumeClaim != nil:
			out = append(out, v.PersistentVolumeClaim.ClaimName)
		case v.Ephemeral != nil:
			out = append(out, p.Name+"-"+v.Name)
		}
	}
	return out
}

// claimRules are about claims for which no pod speaks.
var claimRules = []row[claim]{
	{Rule{
		Name: "claim-pending", Cause: causeNoVolume, Confidence: likely,
		When:   "a claim is Pending and its provisioner or binder says why: pods that mount it cannot be scheduled",
		Quotes: "the claim; its ProvisioningFailed or FailedBinding event",
	}, claimPending},
	{Rule{
		Name: "claim-lost", Cause: causeVolumeFailed, Confidence: strong,
		When:   "a claim is Lost: the volume that it was bound to is gone",
		Quotes: "the claim; its ClaimLost event",
	}, claimLost},
	{Rule{
		Name: "claim-not-resized", Cause: causeVolumeFailed, Confidence: likely,
		When:   "a claim could not be made larger, and was not since",
		Quotes: "the claim; its VolumeResizeFailed event",
	}, claimNotResized},
}

func (c claim) finding(e *corev1.Event, because string) finding {
	f := finding{
		symptom: "claim " + c.Namespace + "/" + c.Name + " is " + strings.ToLower(string(c.Status.Phase)),
		because: because, quotes: []string{c.quote()},
	}
	if e != nil {
		f.quotes = append(f.quotes, quoteEvent(e))
	}
	return f
}

// claimPending leaves out claims that wait for their first consumer, or for a
// provisioner that has not failed.
func claimPending(c claim) (finding, bool) {
	e := c.trouble()
	if c.Status.Phase != corev1.ClaimPending || e == nil || e.Reason == "ExternalProvisioning" && eventCount(e) < 5 {
		return finding{}, false
	}
	because := "no volume can be provisioned for it"
	switch e.Reason {
	case "FailedBinding":
		because = "there is no volume that it could be bound to"
	case "ExternalProvisioning":
		because = "its provisioner does not answer"
	}
	return c.finding(e, because), true
}

func claimLost(c claim) (finding, bool) {
	return c.finding(c.trouble(), "the volume that it was bound to is gone"), c.Status.Phase == corev1.ClaimLost
}

func claimNotResized(c claim) (finding, bool) {
	e := lastOf(c.events, resizeFailed)
	if e == nil || !lastTime(c.events, "FileSystemResizeSuccessful", "VolumeResizeSuccessful").Before(eventTime(e)) {
		return finding{}, false
	}
	return c.finding(e, "it could not be made larger"), true
}

// wellClaim says how a claim fares for which no pod speaks. One that waits for
// its first pod is well: its storage class wants it so.
func wellClaim(c claim) (string, bool) {
	waits := lastOf(c.events, func(e *corev1.Event) bool { return e.Reason == "WaitForFirstConsumer" })
	switch {
	case !c.x.open() && c.x.q.Target.Kind != "PersistentVolumeClaim" || len(c.x.pods) > 0:
		return "", true
	case c.Status.Phase == corev1.ClaimBound:
		return c.quote(), true
	case waits != nil:
		return quoteEvent(waits), true
	}
	return c.quote(), false
}
