package evidence_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"salve/internal/evidence"
)

// hostileTools are a call of every tool, and what its output looks like.
func hostileTools() []evidence.Raw {
	return []evidence.Raw{
		{Tool: "df -P", Text: dfLine},
		{Tool: "du -b", Text: "4096\t/var/log\n"},
		{Tool: "ls -l /var/log", Text: "-rw-r----- 1 root adm 49999872 Nov 23 03:14 access.log\n"},
		{Tool: "coredumpctl list", Text: "Mon 2026-11-23 02:10:11 UTC 1234 1000 1000 SIGSEGV present /usr/bin/app 120.5M\n"},
		{Tool: "systemctl show nginx", Text: "Id=nginx.service\nActiveState=failed\n\n"},
		{Tool: "systemctl status nginx", Text: "● nginx.service - x\n     Loaded: loaded (x; enabled)\n     Active: failed (Result: exit-code) since x\n\nNov 23 log\n"},
		{Tool: "systemctl list-units", Text: "UNIT LOAD ACTIVE SUB\nnginx.service loaded failed failed x\n"},
		{Tool: "openssl x509", Text: "notAfter=Nov 28 12:00:00 2026 GMT\nsubject=CN = a\nDNS:a, DNS:b\n"},
		{Tool: "pem", Text: "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
		{Tool: "certbot renew", Text: "Processing /etc/letsencrypt/renewal/a.conf\nDomain: a\nDetail: b\nFailed to renew certificate a with error: c\n/etc/letsencrypt/live/b/fullchain.pem (failure)\n"},
		{Tool: "kubectl top pods", Text: "NAME     CPU(cores)   MEMORY(bytes)\napi-1    250m         480Mi\n"},
		{Tool: "kubectl describe pod a", Text: "Name:  a\nNode:  b/1\nStatus:  Running\nIP:  1\nContainers:\n  app:\n    State:  Waiting\n      Reason:  x\nEvents:\n  Type     Reason   Age   From     Message\n  ----\n  Warning  BackOff  2m (x3 over 4m)    kubelet  b\n"},
		{Tool: "kubectl get events", Text: "LAST SEEN   TYPE      REASON    OBJECT    MESSAGE\n2m          Warning   BackOff   pod/a     Back-off\n"},
		{Tool: "kubectl get pods", Text: "NAME   READY   STATUS             RESTARTS     AGE\na      0/1     CrashLoopBackOff   7 (3m ago)   5d\n"},
		{Tool: "kubectl get pods -o json", Text: `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"}}`},
		{Tool: "kubectl get pods -o yaml", Text: "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n"},
		{Tool: "kubectl logs a", Text: "x\n"},
		{Tool: "patronictl list", Text: "+ Cluster: pg (1) -+\n| Member | Role | State | TL | Lag in MB |\n| a | Leader | running | 1 | 0 |\n"},
		{Tool: "pg_isready", Text: "localhost:5432 - no response\n"},
		{Tool: "velero backup get", Text: "NAME    STATUS      ERRORS   CREATED                         EXPIRES\nd-20261123020003   Completed   0        2026-11-23 02:00:03 +0000 UTC   29d\n"},
		{Tool: "restic snapshots", Text: "ID        Time                 Host    Tags  Paths\n----\n40dc1520  2026-11-22 02:00:12  web-01        /var\n"},
		{Tool: "pgbackrest info", Text: "stanza: main\n    status: ok\n        timestamp start/stop: 2026-11-22 02:00:01+00 / 2026-11-22 02:10:00+00\n"},
		{Tool: "borg list", Text: "web-2026-11-22T02:00:05  Sun, 2026-11-22 02:00:07 [abc]\n"},
		{Tool: "unknown", Text: "x\n"},
	}
}

// upTo repeats a text up to a size.
func upTo(size int, text string) string { return strings.Repeat(text, 1+size/len(text)) }

// TestHostileOutputIsCheap reads half a megabyte of every tool's lines, of its
// lines run together, and of one line without end. It counts processor time, for
// other work on the machine must not fail it; what is not linear takes minutes.
func TestHostileOutputIsCheap(t *testing.T) {
	const size, limit = 512 << 10, 5 * time.Second
	for _, tool := range hostileTools() {
		t.Run(tool.Tool, func(t *testing.T) {
			lines := strings.SplitAfter(strings.TrimSuffix(tool.Text, "\n"), "\n")
			for how, text := range map[string]string{
				"repeated":      upTo(size, tool.Text),
				"one header":    tool.Text + upTo(size, lines[len(lines)-1]+"\n"),
				"one line":      tool.Text + upTo(size, strings.ReplaceAll(tool.Text, "\n", " ")),
				"spaces":        tool.Text + upTo(size, " \t"),
				"short lines":   tool.Text + upTo(size, "a\n"),
				"deep brackets": strings.TrimSpace(tool.Text) + upTo(size, "[{("),
			} {
				cheap(t, how, tool.Tool, text, limit)
			}
		})
	}
}

// TestLargestBodyIsCheap reads as much as one body may hold.
func TestLargestBodyIsCheap(t *testing.T) {
	for _, tool := range hostileTools() {
		switch tool.Tool {
		case "df -P", "kubectl describe pod a", "kubectl get pods -o json", "kubectl get pods -o yaml", "pem":
			cheap(t, tool.Tool, tool.Tool, upTo(5<<20, tool.Text), 30*time.Second)
		}
	}
}

// cheap reads a text as a file and as a tool's output.
func cheap(t *testing.T, how, tool, text string, limit time.Duration) {
	t.Helper()
	began := processorTime(t)
	file, problems := evidence.FromFile([]byte(text), now)
	output, more := evidence.Parse(rawOf(evidence.Raw{Tool: tool, Text: text}), now)
	if took := processorTime(t) - began; took > limit {
		t.Errorf("%s: took %s", how, took)
	}
	for _, ev := range []evidence.Evidence{file, output} {
		if len(ev.Events) > 5_000 || len(ev.Pods) > 5_000 || len(ev.Services) > 1_000 || len(ev.Certificates) > 1_000 || len(ev.Logs) > 1_000 {
			t.Errorf("%s: %s", how, inventory(ev))
		}
	}
	if len(problems) > 100 || len(more) > 100 {
		t.Errorf("%s: %d and %d problems", how, len(problems), len(more))
	}
}

func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func seeds(f *testing.F, add func(tool, text string)) {
	f.Helper()
	for _, tool := range hostileTools() {
		add(tool.Tool, tool.Text)
	}
	files, err := filepath.Glob("testdata/tools/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no testdata", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		add("", string(text))
	}
}

// reads checks what holds of any evidence: it can be written down, and a look
// merged with itself is itself.
func reads(t *testing.T, ev evidence.Evidence) {
	t.Helper()
	if _, err := json.Marshal(ev); err != nil {
		t.Errorf("evidence that cannot be written down: %v", err)
	}
	ev.Merge(ev)
}

func FuzzTool(f *testing.F) {
	seeds(f, func(tool, text string) { f.Add(tool, text) })
	f.Fuzz(func(t *testing.T, tool, text string) {
		ev, _ := evidence.Parse(rawOf(evidence.Raw{Tool: tool, Text: text}), now)
		reads(t, ev)
	})
}

func FuzzFromFile(f *testing.F) {
	seeds(f, func(_, text string) { f.Add([]byte(text)) })
	f.Add([]byte(listOf(podJSON("a", "1", "Running"), applicationJSON)))
	f.Fuzz(func(t *testing.T, text []byte) {
		ev, _ := evidence.FromFile(text, now)
		reads(t, ev)
	})
}
