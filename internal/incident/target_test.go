package incident_test

import (
	"testing"

	"pgregory.net/rapid"

	"salve/internal/incident"
)

func TestTargetKey(t *testing.T) {
	cases := []struct {
		name, family string
		target       incident.Target
		want         string
	}{
		{"object", "pod", incident.Target{Cluster: "prod", Namespace: "shop", Kind: "Deployment", Name: "api"}, "prod/shop/Deployment/api/pod"},
		{"uid and container do not count", "pod", incident.Target{Cluster: "prod", Namespace: "shop", Kind: "Deployment", Name: "api", UID: "1", Generation: 3, Container: "app"}, "prod/shop/Deployment/api/pod"},
		{"cluster-wide object", "node", incident.Target{Cluster: "prod", Kind: "Node", Name: "n1"}, "prod//Node/n1/node"},
		{"host", "host", incident.Target{Cluster: "prod", Kind: "Host", Host: "web-01", Service: "nginx"}, "web-01//Host/web-01/host"},
		{"a unit of a host", "service", incident.Target{Cluster: "prod", Kind: "Host", Host: "web-01", Service: "nginx.service"}, "web-01//Host/nginx.service/service"},
		{"service", "slo", incident.Target{Cluster: "prod", Kind: "Service", Service: "shop"}, "prod//Service/shop/slo"},
		{"nothing", "unknown", incident.Target{}, "////unknown"},
		{"slashes are escaped", "pod", incident.Target{Cluster: "a/b", Namespace: "c%2Fd", Kind: "Pod", Name: "/"}, "a%2Fb/c%252Fd/Pod/%2F/pod"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := c.target.Key(c.family); got != c.want {
				t.Errorf("key is %q, want %q", got, c.want)
			}
		})
	}
}

// Objects share a key only if they are the same object and family; so do hosts
// and services. The parts are drawn from what could make a key ambiguous.
func TestTargetKeyIsInjective(t *testing.T) {
	part := rapid.SampledFrom([]string{"", "a", "b", "/", "%", "%2F", "%25", "a/b", "a%2Fb", "a%252Fb", "//"})
	type identity struct{ branch, place, namespace, kind, name, family string }
	draw := func(t *rapid.T, label string) (incident.Target, identity) {
		target := incident.Target{
			Cluster: part.Draw(t, label+" cluster"), Namespace: part.Draw(t, label+" namespace"),
			Kind: part.Draw(t, label+" kind"), Name: part.Draw(t, label+" name"),
			Host: part.Draw(t, label+" host"), Service: part.Draw(t, label+" service"),
		}
		family := part.Draw(t, label+" family")
		switch {
		case target.Name != "":
			return target, identity{"object", target.Cluster, target.Namespace, target.Kind, target.Name, family}
		case target.Host != "":
			return target, identity{"host", target.Host, "", target.Kind, target.Host, family}
		}
		return target, identity{"service", target.Cluster, "", target.Kind, target.Service, family}
	}
	rapid.Check(t, func(t *rapid.T) {
		a, idA := draw(t, "a")
		b, idB := draw(t, "b")
		if idA.branch != idB.branch {
			return
		}
		if same := a.Key(idA.family) == b.Key(idB.family); same != (idA == idB) {
			t.Fatalf("%+v and %+v: same key %t, same target %t", a, b, same, idA == idB)
		}
	})
}

func TestTargetString(t *testing.T) {
	cases := []struct {
		want   string
		target incident.Target
	}{
		{"production/Pod/api-gateway-x7k2m", incident.Target{Cluster: "prod", Namespace: "production", Kind: "Pod", Name: "api-gateway-x7k2m"}},
		{"Node/n1", incident.Target{Kind: "Node", Name: "n1"}},
		{"web-01", incident.Target{Host: "web-01", Service: "nginx"}},
		{"shop", incident.Target{Service: "shop"}},
		{"", incident.Target{}},
	}
	for _, c := range cases {
		if got := c.target.String(); got != c.want {
			t.Errorf("%+v reads %q, want %q", c.target, got, c.want)
		}
		if c.target.IsZero() != (c.want == "") {
			t.Errorf("%+v: IsZero is %t", c.target, c.target.IsZero())
		}
	}
}

func TestFamily(t *testing.T) {
	for cause, want := range map[string]string{
		"pod.oom_killed": "pod", "pod.unschedulable.taint": "pod", "unknown": "unknown", "": "", ".x": "",
	} {
		if got := incident.Family(cause); got != want {
			t.Errorf("family of %q is %q, want %q", cause, got, want)
		}
	}
}

func TestSeverityWorse(t *testing.T) {
	all := incident.Severities()
	for i, a := range all {
		for j, b := range all {
			if got := a.Worse(b); got != all[min(i, j)] {
				t.Errorf("the worse of %s and %s is %s", a, b, got)
			}
		}
		if !a.Valid() || a.Worse("loud") != a || incident.Severity("loud").Worse(a) != a {
			t.Errorf("%s beside an unknown word", a)
		}
	}
	if incident.Severity("loud").Valid() {
		t.Error("an unknown severity is valid")
	}
}
