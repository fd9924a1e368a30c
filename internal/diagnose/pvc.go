package diagnose

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// pvc is one PersistentVolumeClaim, or what events tell of one. A claim is no
// cause of its own: where a pod of the evidence mounts it, the pod's trouble is
// the answer.
type pvc struct {
	object
	phase string
	claim *corev1.PersistentVolumeClaim // nil: only events tell of it
}

const kindPVC = "PersistentVolumeClaim"

func (x *examination) pvcs() []pvc {
	var out []pvc
	for _, c := range distinct(x.ev.PVCs, func(c *corev1.PersistentVolumeClaim) *metav1.ObjectMeta { return &c.ObjectMeta }) {
		out = append(out, pvc{x.object(kindPVC, &c.ObjectMeta), string(c.Status.Phase), c})
	}
	held := func(m *metav1.ObjectMeta) bool {
		return slices.ContainsFunc(out, func(c pvc) bool { return c.meta.Name == m.Name && c.meta.Namespace == m.Namespace })
	}
	for _, o := range x.heardOf(func(kind string) bool { return kind == kindPVC }) {
		if !held(o.meta) {
			out = append(out, pvc{o, "", nil})
		}
	}
	return slices.DeleteFunc(out, func(c pvc) bool { return !x.concerns(kindPVC, c.meta) })
}

func (c pvc) place() place { return c.x.objectPlace(kindPVC, c.meta, 1) }

// mounted says whether a pod in question mounts the claim: then it tells.
func (c pvc) mounted() bool {
	return slices.ContainsFunc(c.x.pods, func(p *pod) bool {
		return p.Namespace == c.meta.Namespace && slices.ContainsFunc(p.Spec.Volumes, func(v corev1.Volume) bool {
			return v.PersistentVolumeClaim != nil && v.PersistentVolumeClaim.ClaimName == c.meta.Name
		})
	})
}

// claimReasons are the reasons of events that tell why a claim gets no volume.
// WaitForFirstConsumer is none: the volume is made when a pod wants it.
var claimReasons = []string{"ProvisioningFailed", "FailedBinding", "VolumeMismatch", "ClaimLost", "ClaimMisbound", "VolumeResizeFailed"}

func claimFailed(c pvc) (finding, bool) {
	lost := c.phase == string(corev1.ClaimLost)
	e, told := c.lately(claimReasons, []string{"ProvisioningSucceeded", "FileSystemResizeSuccessful", "WaitForFirstConsumer"})
	if c.mounted() || c.phase == string(corev1.ClaimBound) || !lost && !told {
		return finding{}, false
	}
	f := finding{
		symptom: c.title() + " has no volume",
		because: "the claim has lost the volume that it was bound to",
		missing: []string{"the pods that mount the claim"},
		wants:   []string{CollectWorkload},
	}
	if lost {
		f.quotes = append(f.quotes, c.quote("status.phase="+c.phase))
	}
	if told {
		f.quotes = append(f.quotes, quoteEvent(e))
		f.because = "no volume is provisioned or bound for it: " + e.Message
	}
	return f, true
}

func wellPVC(c pvc) (string, bool) {
	switch {
	case c.claim == nil || c.mounted() || c.phase == "" || !c.x.open() && c.x.q.Target.Kind != kindPVC:
		return "", true
	case c.phase == string(corev1.ClaimBound):
		return c.quote("Bound"), true
	case c.waitsForPod():
		return c.quote("waits for its first pod, as its storage class wants"), true
	}
	return c.quote("status.phase=" + c.phase), false
}

func (c pvc) waitsForPod() bool {
	e, ok := c.last("WaitForFirstConsumer")
	return ok && strings.Contains(e.Message, "first consumer")
}
