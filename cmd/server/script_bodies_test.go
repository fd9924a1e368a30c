package main

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// makeBody writes what cannot stand in a script: make FILE KIND N.
//
//	alerts N      an array of N native alerts, each its own incident
//	crashes N     an array of N alerts of pods that crash, each its own incident
//	nested N      N arrays inside each other
//	spaces N      N MiB of spaces around one good alert
//	text N        an alert whose message is N MiB long
//	truncated N   the first N bytes of a good alert
//	latin1 0      an alert with a byte that is no UTF-8
//	nul 0         an alert with an escaped NUL
//	oom N         an alert with the evidence of an out-of-memory pod of deployment app-N inside
//	ill N         the alert alone
//	look N        the evidence alone, about the pod
//	long N        evidence about a host with a log of N bytes
func (s *script) makeBody(args []string) error {
	if err := wants(args, 3, 3, "make FILE KIND N"); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	maker, known := bodyMakers[args[1]]
	if !known {
		return fmt.Errorf("there is no body %q", args[1])
	}
	return os.WriteFile(s.ts.MkAbs(args[0]), maker(n), 0o600)
}

const goodAlert = `{"severity":"warning","service":"shop","message":"slow","labels":{"alertname":"Slow","env":"test"}}`

var bodyMakers = map[string]func(n int) []byte{
	"alerts": manyAlerts,
	"crashes": func(n int) []byte {
		alerts := make([]string, n)
		for i := range alerts {
			alerts[i] = string(numbered(i+1000, `{`+oomAlert+`}`))
		}
		return []byte("[" + strings.Join(alerts, ",") + "]")
	},
	"nested": func(n int) []byte { return append(bytes.Repeat([]byte("["), n), bytes.Repeat([]byte("]"), n)...) },
	"spaces": func(n int) []byte { return append([]byte(goodAlert), bytes.Repeat([]byte(" "), n<<20)...) },
	"text": func(n int) []byte {
		return fmt.Appendf(nil, `{"severity":"info","service":"shop","message":"%s"}`, bytes.Repeat([]byte("x"), n<<20))
	},
	"truncated": func(n int) []byte { return []byte(goodAlert)[:n] },
	"latin1":    func(int) []byte { return bytes.Replace([]byte(goodAlert), []byte("slow"), []byte("sl\xf6w"), 1) },
	"oom":       func(n int) []byte { return numbered(n, `{`+oomAlert+`, "evidence": `+oomEvidence+`}`) },
	"ill":       func(n int) []byte { return numbered(n, `{`+oomAlert+`}`) },
	"long": func(n int) []byte {
		return fmt.Appendf(nil, `{"target":{"cluster":"prod","host":"web-01"},"evidence":{"logs":[{"text":"%s"}]}}`, bytes.Repeat([]byte("x"), n))
	},
	"look": func(n int) []byte { return numbered(n, `{`+oomTarget+`, "evidence": `+oomEvidence+`}`) },
	"nul":  func(int) []byte { return bytes.ReplaceAll([]byte(goodAlert), []byte("low"), []byte(`l\u0000w`)) },
}

func numbered(n int, body string) []byte {
	return fmt.Append(nil, strings.ReplaceAll(body, "-N", fmt.Sprintf("-%d", n)))
}

// oomAlert is a pod that was killed for memory; oomEvidence shows it with its owners.
const (
	oomAlert = `
 "severity": "warning", "service": "app-N", "message": "pod is crash looping", "cluster": "prod", "namespace": "shop",
 "labels": {"alertname": "KubePodCrashLooping", "pod": "app-N-6d4cf56db6-x7k2m", "container": "app"}`
	oomTarget   = `"target": {"cluster": "prod", "namespace": "shop", "kind": "Pod", "name": "app-N-6d4cf56db6-x7k2m"}`
	oomEvidence = `{
  "pods": [{"apiVersion": "v1", "kind": "Pod",
   "metadata": {"name": "app-N-6d4cf56db6-x7k2m", "namespace": "shop", "uid": "pod-uid-N", "labels": {"app": "app-N"},
    "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "app-N-6d4cf56db6", "uid": "rs-uid", "controller": true}]},
   "spec": {"containers": [{"name": "app", "image": "app:1", "resources": {"limits": {"memory": "512Mi"}}}]},
   "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": false, "restartCount": 7, "image": "app:1", "imageID": "",
    "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}}]}}],
  "replicaSets": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"name": "app-N-6d4cf56db6", "namespace": "shop", "uid": "rs-uid",
   "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "app-N", "uid": "deploy-uid", "controller": true}]},
   "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "app-N"}}}}],
  "deployments": [{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "app-N", "namespace": "shop", "uid": "deploy-uid", "generation": 4},
   "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "app-N"}},
    "template": {"metadata": {"labels": {"app": "app-N"}}, "spec": {"containers": [{"name": "app", "image": "app:1", "resources": {"limits": {"memory": "512Mi"}}}]}}}}]
 }`
)

func manyAlerts(n int) []byte {
	var body bytes.Buffer
	body.WriteByte('[')
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"severity":"info","service":"s%d","message":"m","labels":{"alertname":"A","n":"%d"}}`, i, i)
	}
	body.WriteByte(']')
	return body.Bytes()
}

// policy writes the default policy with other values: policy FILE [NAME=VALUE]...
func (s *script) policy(args []string) error {
	if err := wants(args, 1, 20, "policy FILE [NAME=VALUE]..."); err != nil {
		return err
	}
	text, err := salve("policy", "show")
	if err != nil {
		return err
	}
	for _, setting := range args[1:] {
		name, value, _ := strings.Cut(setting, "=")
		line := regexp.MustCompile(`(?m)^(\s*` + regexp.QuoteMeta(name) + `:\s*)\S+`)
		if !line.MatchString(text) {
			return fmt.Errorf("the default policy has no %s", name)
		}
		text = line.ReplaceAllString(text, "${1}"+value)
	}
	return os.WriteFile(s.ts.MkAbs(args[0]), []byte(text+"\n"), 0o600)
}

// mode says what a file's permissions must be: mode FILE OCTAL.
func (s *script) mode(args []string) error {
	if err := wants(args, 2, 2, "mode FILE OCTAL"); err != nil {
		return err
	}
	info, err := os.Stat(s.ts.MkAbs(args[0]))
	if err == nil && fmt.Sprintf("%#o", info.Mode().Perm()) != args[1] {
		err = fmt.Errorf("%s has mode %#o", args[0], info.Mode().Perm())
	}
	return err
}
