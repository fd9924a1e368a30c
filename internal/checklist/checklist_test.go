package checklist

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestLoad(t *testing.T) {
	list, err := Load("heartbeat.yaml", []byte(`checks:
  - {name: shop-pods, kind: k8s_pods, cluster: production, namespace: shop}
  - {name: web-01-disk, kind: disk, every: 30m, host: web-01}
  - {name: site, kind: http, url: "https://example.com/healthz"}
`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Check{
		{Name: "shop-pods", Kind: Pods, Every: 5 * time.Minute, Cluster: "production", Namespace: "shop"},
		{Name: "web-01-disk", Kind: Disk, Every: 30 * time.Minute, Host: "web-01"},
		{Name: "site", Kind: HTTP, Every: 5 * time.Minute, URL: "https://example.com/healthz"},
	}
	if diff := cmp.Diff(want, list.Checks()); diff != "" {
		t.Error(diff)
	}
	if c, ok := list.Find("site"); !ok || c.Kind != HTTP {
		t.Errorf("Find(site) = %v, %v", c, ok)
	}
	if _, ok := list.Find("other"); ok {
		t.Error("found a check that is not there")
	}
}

func TestDefaultChecksNothingItCannotKnow(t *testing.T) {
	list, err := Load("default.yaml", Default())
	if err != nil || len(list.Checks()) != 0 {
		t.Errorf("default: %v, %v", list, err)
	}
}

// The example of the default's comment is good as it stands.
func TestDefaultsExample(t *testing.T) {
	var example strings.Builder
	for line := range strings.Lines(string(Default())) {
		if text, ok := strings.CutPrefix(line, "#   "); ok {
			example.WriteString(text)
		}
	}
	list, err := Load("example", []byte(example.String()))
	if err != nil || len(list.Checks()) != 3 {
		t.Errorf("%v\n%s", err, example.String())
	}
}

func TestEveryKindHasADefault(t *testing.T) {
	if len(Kinds()) != 9 {
		t.Errorf("kinds: %v", Kinds())
	}
	for _, k := range kinds {
		if k.every < time.Minute || len(k.places) == 0 {
			t.Errorf("%s: every %s, places %v", k.kind, k.every, k.places)
		}
	}
}

func TestLoadSaysWhatIsWrongAndWhere(t *testing.T) {
	const disk = "name: d, kind: disk, host: web-01"
	for name, c := range map[string]struct{ src, want string }{
		"empty":                {"", "f:1:1: the file is empty; a checklist has at least checks"},
		"no checks":            {"{}", "a checklist needs checks"},
		"unknown key":          {"checks: []\nhosts: []", `f:2:1: a checklist has no key "hosts"`},
		"no list":              {"checks: 3", "f:1:9: checks is a number; a list would be right"},
		"no mapping":           {"checks: [disk]", "a check is text; keys and values would be right"},
		"no name":              {"checks: [{kind: disk, host: web-01}]", "a check needs a name"},
		"bad name":             {"checks: [{name: Web 1, kind: disk, host: web-01}]", `name "Web 1" cannot be`},
		"no kind":              {"checks: [{name: d, host: web-01}]", "a check needs a kind: k8s_pods, services"},
		"unknown kind":         {"checks: [{name: d, kind: disks, host: web-01}]", `f:1:26: kind cannot be "disks"; it is one of k8s_pods`},
		"twice":                {"checks:\n- {" + disk + "}\n- {" + disk + "}", `check "d" is there twice`},
		"too often":            {"checks: [{" + disk + ", every: 10s}]", "every is 10s; 1m to 31d would be right"},
		"no duration":          {"checks: [{" + disk + ", every: often}]", `every: "often" is not a duration`},
		"nowhere":              {"checks: [{name: d, kind: disk}]", "a check of kind disk says where it looks by host"},
		"elsewhere":            {"checks: [{" + disk + ", namespace: shop}]", "a check of kind disk says where it looks by host"},
		"both":                 {"checks: [{name: c, kind: certificates, host: a, cluster: b, namespace: c, object: d}]", "by host, or by cluster and namespace and object"},
		"what cannot be read":  {"checks: [{name: c, kind: certificates, cluster: b, namespace: c, object: a..b}]", `check c: collect.certificate refused: Certificate name "a..b"`},
		"a path for a host":    {"checks: [{name: d, kind: disk, host: ../etc}]", `host "../etc" cannot be`},
		"an option for a unit": {"checks: [{name: s, kind: services, host: web-01, unit: --all}]", `unit "--all" cannot be`},
		"file address":         {"checks: [{name: h, kind: http, url: 'file:///etc/passwd'}]", "url is no address of the web"},
		"password in address":  {"checks: [{name: h, kind: http, url: 'https://a:b@example.com'}]", "url holds a user or password"},
		"an anchor":            {"checks: &a []", "a YAML anchor or alias"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Load("f", []byte(c.src))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "a:b@") {
				t.Error("the password is quoted back")
			}
		})
	}
}
