package evidence_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/evidence"
)

func look(age time.Duration, disks ...evidence.Disk) evidence.Evidence {
	return evidence.Evidence{ObservedAt: now.Add(-age), Disks: disks}
}

func TestMergeDisks(t *testing.T) {
	bytes := func(used float64) evidence.Filesystem {
		return evidence.Filesystem{Filesystem: "/dev/sda1", Mount: "/", SizeBytes: of(100), UsedBytes: of(used), AvailBytes: of(100 - used), UsePercent: of(used)}
	}
	inodes := func(used float64) evidence.Filesystem {
		return evidence.Filesystem{Filesystem: "/dev/sda1", Mount: "/", Inodes: of(10), InodesUsed: of(used), InodesFree: of(10 - used), InodesUsePercent: of(10 * used)}
	}
	both := func(b, i evidence.Filesystem) evidence.Filesystem {
		b.Inodes, b.InodesUsed, b.InodesFree, b.InodesUsePercent = i.Inodes, i.InodesUsed, i.InodesFree, i.InodesUsePercent
		return b
	}
	fs := func(host string, list ...evidence.Filesystem) evidence.Disk {
		return evidence.Disk{Host: host, Filesystems: list}
	}
	cores := func(list ...evidence.PathSize) evidence.Disk { return evidence.Disk{Host: "web-01", CoreDumps: list} }
	core := evidence.PathSize{Path: "/var/crash/a.crash", Bytes: of(7)}
	for _, tc := range []struct {
		name         string
		older, newer evidence.Disk
		age          time.Duration
		want         []evidence.Disk
	}{
		{"bytes of one look, inodes of the other", fs("web-01", bytes(87)), fs("web-01", inodes(9)), time.Minute, []evidence.Disk{fs("web-01", both(bytes(87), inodes(9)))}},
		{"the newer measure counts", fs("web-01", both(bytes(87), inodes(9))), fs("web-01", bytes(64)), time.Minute, []evidence.Disk{fs("web-01", both(bytes(64), inodes(9)))}},
		{"a look that names no host is about the one that is named", fs("web-01", bytes(87)), fs("", inodes(9)), time.Minute, []evidence.Disk{fs("web-01", both(bytes(87), inodes(9)))}},
		{"two hosts", fs("web-01", bytes(87)), fs("web-02", bytes(12)), time.Minute, []evidence.Disk{fs("web-01", bytes(87)), fs("web-02", bytes(12))}},
		{"core dumps that nobody looked for again", cores(core), cores(), time.Minute, []evidence.Disk{cores(core)}},
		{"core dumps that a look found gone", cores(core), evidence.Disk{Host: "web-01", CoreDumps: []evidence.PathSize{}}, time.Minute, []evidence.Disk{{Host: "web-01", CoreDumps: []evidence.PathSize{}}}},
		{"at one time, the fuller", fs("web-01", bytes(64)), fs("web-01", bytes(87)), 0, []evidence.Disk{fs("web-01", bytes(87))}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			older, newer := look(tc.age, tc.older), look(0, tc.newer)
			if diff := cmp.Diff(tc.want, older.Merge(newer).Disks); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.want, newer.Merge(older).Disks); diff != "" {
				t.Errorf("the receiver matters: %s", diff)
			}
		})
	}
}

func anyNumber() *rapid.Generator[evidence.Number] {
	return rapid.Custom(func(t *rapid.T) evidence.Number {
		if rapid.Bool().Draw(t, "known") {
			return of(float64(rapid.IntRange(0, 3).Draw(t, "value")))
		}
		return evidence.Number{}
	})
}

func anyDisk() *rapid.Generator[evidence.Disk] {
	mount := rapid.Custom(func(t *rapid.T) evidence.Filesystem {
		return evidence.Filesystem{
			Mount: rapid.SampledFrom([]string{"/", "/var"}).Draw(t, "mount"), Filesystem: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "device"),
			UsedBytes: anyNumber().Draw(t, "used"), UsePercent: anyNumber().Draw(t, "percent"), InodesUsed: anyNumber().Draw(t, "inodes"),
		}
	})
	size := rapid.Custom(func(t *rapid.T) evidence.PathSize {
		return evidence.PathSize{Path: rapid.SampledFrom([]string{"/a", "/b"}).Draw(t, "path"), Bytes: anyNumber().Draw(t, "bytes")}
	})
	sameMount := func(f evidence.Filesystem) string { return f.Mount }
	samePath := func(p evidence.PathSize) string { return p.Path }
	return rapid.Custom(func(t *rapid.T) evidence.Disk {
		return evidence.Disk{
			Host:        rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "host"),
			Filesystems: rapid.SliceOfNDistinct(mount, 0, 2, sameMount).Draw(t, "filesystems"),
			Top:         rapid.SliceOfNDistinct(size, 0, 2, samePath).Draw(t, "top"),
		}
	})
}

// Which of two looks is merged into which makes no difference, whatever they saw.
func TestMergeOfDisksDoesNotDependOnOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		disks := rapid.SliceOfNDistinct(anyDisk(), 0, 3, func(d evidence.Disk) string { return d.Host })
		a := look(time.Duration(rapid.IntRange(0, 1).Draw(t, "age"))*time.Minute, disks.Draw(t, "one")...)
		b := look(0, disks.Draw(t, "other")...)
		if diff := cmp.Diff(a.Merge(b), b.Merge(a)); diff != "" {
			t.Error(diff)
		}
	})
}
