package evidence_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/evidence"
)

// printed is a document with the output of one tool.
func printed(tool, text string) json.RawMessage {
	return rawOf(evidence.Raw{Tool: tool, Host: "web-01", Text: text})
}

func rawOf(outputs ...evidence.Raw) json.RawMessage {
	doc, err := json.Marshal(map[string]any{"raw": outputs})
	if err != nil {
		panic(err)
	}
	return doc
}

// toolCase is a tool's output and all that it tells.
type toolCase struct {
	name, tool, text string
	want             evidence.Evidence
	problem          string
}

func runTools(t *testing.T, cases []toolCase) {
	t.Helper()
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			tc.want.ObservedAt = now
			var problems []evidence.Problem
			if tc.problem != "" {
				problems = []evidence.Problem{{Pointer: "/raw/0", Detail: tc.problem}}
			}
			got, found := evidence.Parse(printed(tc.tool, tc.text), now)
			if diff := cmp.Diff(problems, found); diff != "" {
				t.Errorf("problems: %s", diff)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func disks(d evidence.Disk) evidence.Evidence {
	d.Host = "web-01"
	return evidence.Evidence{Disks: []evidence.Disk{d}}
}

const dfLine = "Filesystem     1024-blocks     Used Available Capacity Mounted on\n/dev/sda1         41152736 35802880   3233688      92% /\n"

var dfRoot = disks(evidence.Disk{Filesystems: []evidence.Filesystem{root}})

var root = evidence.Filesystem{
	Filesystem: "/dev/sda1", Mount: "/", SizeBytes: evidence.Of(42140401664), UsedBytes: evidence.Of(36662149120),
	AvailBytes: evidence.Of(3311296512), UsePercent: evidence.Of(92),
}

// A tool is called what people write; its output alone tells it where they
// write something else.
func TestToolNames(t *testing.T) {
	for _, tool := range []string{
		"df", "df -P", "/bin/df -P", "sudo -n /usr/bin/df -P", "LC_ALL=C df -P", "df_P", "df-p", "timeout 5 df -P", "uptime; df -P", "df -P | sort",
		"disk usage", "ssh", "",
	} {
		t.Run(tool, func(t *testing.T) {
			got, problems := evidence.Parse(printed(tool, dfLine), now)
			want := dfRoot
			want.ObservedAt = now
			if diff := cmp.Diff(want, got); diff != "" || problems != nil {
				t.Error(diff, problems)
			}
		})
	}
}

func TestWhatIsNoOutput(t *testing.T) {
	runTools(t, []toolCase{
		{name: "a missing program", tool: "df -P", text: "bash: df: command not found\n", problem: `df failed: "bash: df: command not found"`},
		{name: "a refusal", tool: "journal-scan", text: "sudo: a password is required\n", problem: `the command failed: "sudo: a password is required"`},
		{name: "no such object", tool: "kubectl describe pod api", text: "Error from server (NotFound): pods \"api\" not found\n",
			problem: `kubectl describe failed: "Error from server (NotFound): pods \"api\" not found"`},
		{name: "no server", tool: "kubectl -n production get pods", text: "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout\n",
			problem: `kubectl get failed: "Unable to connect to the server: dial tcp 10.0.0.1:6443: i/o timeout"`},
		{name: "nothing", tool: "kubectl top pods", text: " \n",
			problem: "kubectl top: the output is empty; what kubectl top pods or kubectl top nodes prints is expected: NAME CPU(cores) MEMORY(bytes) and a line a pod or node"},
		{name: "something else", tool: "systemctl show nginx", text: "hello\n",
			problem: "systemctl: systemctl show (Id=, LoadState=, ActiveState=, SubState=, Result= …), systemctl status or systemctl list-units is expected"},
		{name: "an unknown tool is a log of the host", tool: "journalctl -u nginx", text: "Nov 23 03:10:11 web-01 nginx[1]: bind() to 0.0.0.0:80 failed (98: Address already in use)\n",
			want: evidence.Evidence{Logs: []evidence.Log{{Host: "web-01", Tool: "journalctl -u nginx",
				Text: "Nov 23 03:10:11 web-01 nginx[1]: bind() to 0.0.0.0:80 failed (98: Address already in use)\n"}}}},
		{name: "a log that tells of a failure is a log", tool: "tail /var/log/app.log", text: strings.Repeat("open /data: Permission denied\n", 6),
			want: evidence.Evidence{Logs: []evidence.Log{{Host: "web-01", Tool: "tail /var/log/app.log", Text: strings.Repeat("open /data: Permission denied\n", 6)}}}},
		{name: "a pod's log", tool: "kubectl logs -n production api-1 -c app --previous", text: "panic: no memory\n",
			want: evidence.Evidence{Logs: []evidence.Log{{Pod: "api-1", Container: "app", Previous: true, Text: "panic: no memory\n"}}}},
	})
}

// What several tools said of one host is one disk.
func TestOneDiskAHost(t *testing.T) {
	inodes := "Filesystem      Inodes  IUsed   IFree IUse% Mounted on\n/dev/sda1      2621440 130000 2491440    5% /\n"
	got, problems := evidence.Parse(rawOf(
		evidence.Raw{Tool: "df -Pi", Text: inodes},
		evidence.Raw{Tool: "df -P", Host: "web-01", Text: dfLine},
		evidence.Raw{Tool: "du -x -d1 -b /var", Text: "48318382080\t/var/log\n"},
	), now)
	both := root
	both.Inodes, both.InodesUsed, both.InodesFree, both.InodesUsePercent = evidence.Of(2621440), evidence.Of(130000), evidence.Of(2491440), evidence.Of(5)
	want := disks(evidence.Disk{Filesystems: []evidence.Filesystem{both}, Top: []evidence.PathSize{{Path: "/var/log", Bytes: evidence.Of(48318382080)}}})
	want.ObservedAt = now
	if diff := cmp.Diff(want, got); diff != "" || problems != nil {
		t.Error(diff, problems)
	}
}
