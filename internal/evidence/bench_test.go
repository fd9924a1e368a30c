package evidence_test

import (
	"fmt"
	"strings"
	"testing"

	"salve/internal/evidence"
)

// BenchmarkDF reads df of a host with forty filesystems.
func BenchmarkDF(b *testing.B) {
	text := dfLine
	for i := range 39 {
		text += fmt.Sprintf("/dev/mapper/vg-lv%02d 41152736 35802880 3233688 92%% /srv/%02d\n", i, i)
	}
	benchTool(b, evidence.Raw{Tool: "df -P", Text: text})
}

// BenchmarkDescribe reads kubectl describe of a pod with fifty events.
func BenchmarkDescribe(b *testing.B) {
	text := testdata(b, "describe-pod.txt") + strings.Repeat("  Warning  BackOff    2m1s (x25 over 10m)  kubelet            Back-off restarting failed container app\n", 50)
	benchTool(b, evidence.Raw{Tool: "kubectl describe pod", Text: text})
}

func benchTool(b *testing.B, output evidence.Raw) {
	doc := rawOf(output)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		if _, problems := evidence.Parse(doc, now); problems != nil {
			b.Fatal(problems)
		}
	}
}
