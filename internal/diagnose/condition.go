package diagnose

import (
	"fmt"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"salve/internal/evidence"
)

// condition is one condition of an object: each kind has a Go type of its own for
// the same five fields.
type condition struct {
	kind, status, reason, message string
	since                         time.Time
}

type conditions []condition

// find is the condition of a kind; a status that is not there is neither true
// nor false.
func (cs conditions) find(kind string) condition {
	for _, c := range cs {
		if c.kind == kind {
			return c
		}
	}
	return condition{kind: kind}
}

func (c condition) yes() bool { return c.status == "True" }
func (c condition) no() bool  { return c.status == "False" }

// quote is the condition as describe prints it.
func (c condition) quote() string {
	since := ""
	if !c.since.IsZero() {
		since = ", since " + c.since.UTC().Format(time.RFC3339)
	}
	return fmt.Sprintf("condition %s=%s, reason=%s%s: %s", c.kind, c.status, c.reason, since, c.message)
}

// conditionsOf reads the conditions of any of the kinds.
func conditionsOf[T any](list []T, read func(T) condition) conditions {
	out := make(conditions, len(list))
	for i, one := range list {
		out[i] = read(one)
	}
	return out
}

func deploymentCondition(c appsv1.DeploymentCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func replicaSetCondition(c appsv1.ReplicaSetCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func statefulSetCondition(c appsv1.StatefulSetCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func daemonSetCondition(c appsv1.DaemonSetCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func jobCondition(c batchv1.JobCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func nodeCondition(c corev1.NodeCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func hpaCondition(c autoscalingv2.HorizontalPodAutoscalerCondition) condition {
	return condition{string(c.Type), string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func metaCondition(c metav1.Condition) condition {
	return condition{c.Type, string(c.Status), c.Reason, c.Message, c.LastTransitionTime.Time}
}

func gitopsCondition(c evidence.Condition) condition {
	return condition{c.Type, c.Status, c.Reason, c.Message, c.Since.Time}
}
