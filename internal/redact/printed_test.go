package redact_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/redact"
)

// What commands print of objects is read line by line: names stay, values go.
func TestPrintedObjects(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"a Secret, whose kind comes last", `
apiVersion: v1
data:
  password: aHVudGVyMg==
  tls.key: |
    first
    second
kind: Secret
metadata:
  name: db
`, `
apiVersion: v1
data:
  password: [redacted]
  tls.key: [redacted]
kind: Secret
metadata:
  name: db
`},
		{"another document's data", "kind: Secret\nstringData:\n  a: x\n---\nkind: Other\ndata:\n  b: y\n", "kind: Secret\nstringData:\n  a: [redacted]\n---\nkind: Other\ndata:\n  b: y\n"},
		{"a list of them", "items:\n- apiVersion: v1\n  data:\n    a: x\n  kind: ConfigMap\n  metadata:\n    name: b\nkind: List\n",
			"items:\n- apiVersion: v1\n  data:\n    a: [redacted]\n  kind: ConfigMap\n  metadata:\n    name: b\nkind: List\n"},
		{"an environment", `
    env:
    - name: DB_USER
      value: "app one"
    - name: DB_PASSWORD
      valueFrom:
        secretKeyRef:
          key: pw
          name: db
    - name: LONG
      value: |
        a: b
        c
    image: x
`, `
    env:
    - name: DB_USER
      value: [redacted]
    - name: DB_PASSWORD
      valueFrom:
        secretKeyRef:
          key: pw
          name: db
    - name: LONG
      value: [redacted]
    image: x
`},
		{"describe pod", `
Containers:
  app:
    Image:  x
    Environment:
      DB_HOST:      db.prod
      DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false
      POD:          web-1 (v1:metadata.name)
    Mounts:
      /data from data (rw)
`, `
Containers:
  app:
    Image:  x
    Environment:
      DB_HOST:      [redacted]
      DB_PASSWORD:  <set to the key 'password' in secret 'db'>  Optional: false
      POD:          [redacted]
    Mounts:
      /data from data (rw)
`},
		{"describe configmap", "Name:  app\n\nData\n====\napp.yaml:\n----\ndb: x\npool: 3\n\n\nBinaryData\n====\n\nEvents:  <none>\n", "Name:  app\n\nData\n====\napp.yaml:\n----\n[redacted]\n\n\nBinaryData\n====\n\nEvents:  <none>\n"},
		{"describe secret", "Type:  Opaque\n\nData\n====\npassword:  12 bytes\n", "Type:  Opaque\n\nData\n====\npassword:  12 bytes\n"},
		{"an argument of its own line", "args:\n- --token\n- hunter2\n- --verbose\n", "args:\n- --token\n- [redacted]\n- --verbose\n"},
		{"last applied", "annotations:\n  kubectl.kubernetes.io/last-applied-configuration: |\n    {\"a\":1}\n  b: c\n", "annotations:\n  kubectl.kubernetes.io/last-applied-configuration: |\n[redacted]\n  b: c\n"},
		{"no listing", "data: x\nenvironment is fine\nData\nmore\n", "data: x\nenvironment is fine\nData\nmore\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := redact.Text(c.in)
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if again := redact.Text(got); again != got {
				t.Errorf("redacting twice: %s", cmp.Diff(got, again))
			}
			doc, err := redact.JSON(json.RawMessage(`{"raw":[{"tool":"kubectl","text":` + quoted(c.in) + `}]}`))
			var back struct{ Raw []struct{ Text string } }
			if err != nil || json.Unmarshal(doc, &back) != nil || back.Raw[0].Text != c.want {
				t.Errorf("as raw text: %s (%v)", doc, err)
			}
		})
	}
}

func TestPairs(t *testing.T) {
	clean := map[string]string{"alertname": "A", "pod": "api-gateway-7d9f5b8c6-x7k2m"}
	if got := redact.Pairs(clean); !cmp.Equal(got, clean) {
		t.Errorf("got %v", got)
	}
	given := map[string]string{"alertname": "A", "token": "x", "db_password": "", "url": "amqp://a:b@c"}
	want := map[string]string{"alertname": "A", "token": redact.Hole, "db_password": "", "url": "amqp://" + redact.Hole + "@c"}
	if diff := cmp.Diff(want, redact.Pairs(given)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if given["token"] != "x" {
		t.Error("the given map was changed")
	}
}
