package incident_test

import (
	"testing"

	"salve/internal/incident"
)

func TestFamiliesAndCauses(t *testing.T) {
	for _, family := range incident.Families() {
		if !incident.IsFamily(family) || incident.IsCause(family) {
			t.Errorf("%s is a family and no cause", family)
		}
	}
	for _, cause := range incident.Causes() {
		if !incident.IsCause(cause) || incident.IsFamily(cause) {
			t.Errorf("%s is a cause and no family", cause)
		}
	}
	for _, word := range []string{"", "healthy", "unknown", "Pod", "pod.", ".", "pod.oom", "pod.unschedulable", "host.disk_full "} {
		if incident.IsCause(word) || incident.IsFamily(word) {
			t.Errorf("%q is neither", word)
		}
	}
}
