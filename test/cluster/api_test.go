package cluster

import (
	"strings"
	"testing"
)

func TestPathOfAManifest(t *testing.T) {
	for name, tc := range map[string]struct{ manifest, want, err string }{
		"a deployment":   {"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}", "/apis/apps/v1/namespaces/shop/deployments/api", ""},
		"in JSON":        {`{"kind": "Job", "metadata": {"name": "migrate"}}`, "/apis/batch/v1/namespaces/shop/jobs/migrate", ""},
		"no namespace":   {"kind: Namespace\nmetadata: {name: shop}", "/api/v1/namespaces/shop", ""},
		"unknown kind":   {"kind: Rollout\nmetadata: {name: api}", "", `kind "Rollout", name "api": no path is known`},
		"no name":        {"kind: Pod", "", `kind "Pod", name "": no path is known`},
		"not a manifest": {"a: [", "", "manifest: "},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := pathOf("shop", tc.manifest)
			if got != tc.want || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%q, %v; want %q, %q", got, err, tc.want, tc.err)
			}
		})
	}
}
