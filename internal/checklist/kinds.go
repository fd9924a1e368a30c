package checklist

import (
	"fmt"
	"strings"
	"time"

	"salve/internal/diagnose"
)

const day = 24 * time.Hour

// place is where a check of some kind looks: the keys that it takes one set of.
type place struct {
	needs []string
	may   []string
}

var (
	inNamespace = place{needs: []string{"cluster", "namespace"}}
	onHost      = place{needs: []string{"host"}}
	anywhere    = place{may: []string{"cluster", "namespace", "object", "host", "unit"}}
)

// kind is what is known of a kind of check.
type kind struct {
	kind   Kind
	every  time.Duration // where the file does not say
	places []place       // any one of them
	family string        // of what it finds, before it is known what it is
	looks  string        // the action of remedy that looks; empty: n8n needs none
}

// kinds are all kinds, with how often each looks by default (SPEC section 5).
var kinds = []kind{
	{Pods, 5 * time.Minute, []place{inNamespace}, "pod", diagnose.CollectPod},
	{Services, 5 * time.Minute, []place{{needs: []string{"host"}, may: []string{"unit"}}}, "service", diagnose.CollectService},
	{Disk, 15 * time.Minute, []place{onHost}, "host", diagnose.CollectDisk},
	{ResourceUsage, 15 * time.Minute, []place{onHost}, "resource", diagnose.CollectUsage},
	{Backups, time.Hour, []place{onHost}, "backup", diagnose.CollectBackup},
	{Certificates, day, []place{onHost, {needs: []string{"cluster", "namespace", "object"}}}, "cert", diagnose.CollectCertificate},
	{SecurityAudit, day, []place{inNamespace}, "security", diagnose.CollectPod},
	{HTTP, 5 * time.Minute, []place{{needs: []string{"url"}}}, "slo", ""},
	{Custom, time.Hour, []place{anywhere}, "slo", ""},
}

// Kinds lists the kinds of checks.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

func kindOf(word Kind) (kind, bool) {
	for _, k := range kinds {
		if k.kind == word {
			return k, true
		}
	}
	return kind{}, false
}

// Unlisted says why a check that is on no checklist cannot be what it says; empty
// where it can.
func (c Check) Unlisted() string {
	k, known := kindOf(c.Kind)
	if !known {
		return fmt.Sprintf("check %s is on no checklist: say what kind it is, one of %s", c.Name, words(Kinds()))
	}
	var right []string
	for _, p := range k.places {
		if c.Kind == HTTP || p.named(c) {
			return ""
		}
		right = append(right, p.String())
	}
	return fmt.Sprintf("check %s is on no checklist: one of kind %s says where it looked by %s", c.Name, c.Kind, strings.Join(right, ", or by "))
}

// named says whether the check names all that the place needs.
func (p place) named(c Check) bool {
	has := map[string]string{"cluster": c.Cluster, "namespace": c.Namespace, "object": c.Object, "host": c.Host, "unit": c.Unit, "url": c.URL}
	for _, need := range p.needs {
		if has[need] == "" && !(need == "cluster" && c.Host == "") {
			return false
		}
	}
	return true
}
