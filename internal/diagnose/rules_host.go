package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// Thresholds of SPEC sections 3 and 4.
const (
	diskFullPercent   = 80 // "disk > 80 % → clean old logs"
	inodesFullPercent = 90
	exhaustedPercent  = 98
	largeCoreDump     = 100e6 // bytes: core dumps over 100 MB are told apart
)

var hostRules = []row[filesystem]{
	{Rule{
		Name: "disk-full", Cause: "host.disk_full", Confidence: 0.95,
		When:     "a file system that can be written to is more than 80 % full",
		Quotes:   "the line of df; the biggest directories, log directories and core dumps on it",
		Explains: []string{"trend.disk_filling"},
	}, diskFull},
	{Rule{
		Name: "disk-exhausted", Cause: "host.disk_full", Confidence: certain,
		When:     "a file system that can be written to is at least 98 % full: what writes to it fails",
		Quotes:   "the line of df; the biggest directories, log directories and core dumps on it",
		Explains: []string{"service.down", "backup.failed", "db.primary_down", "trend.disk_filling"},
	}, diskExhausted},
	{Rule{
		Name: "inodes-full", Cause: "host.inodes_full", Confidence: 0.95,
		When:     "a file system that can be written to has used more than 90 % of its inodes",
		Quotes:   "the line of df -i",
		Explains: []string{"service.down", "backup.failed"},
	}, inodesFull},
}

// filesystem is one file system of a host, with what is known of what lies on it.
type filesystem struct {
	x    *examination
	disk *evidence.Disk
	fs   evidence.Filesystem
}

func (x *examination) filesystems() []filesystem {
	var out []filesystem
	for i := range x.ev.Disks {
		d := &x.ev.Disks[i]
		if !x.concernsHost(d.Host) {
			continue
		}
		for _, fs := range d.Filesystems {
			if canFill(fs) {
				out = append(out, filesystem{x, d, fs})
			}
		}
	}
	return out
}

// neverFill are file systems whose use says nothing: images that are full from
// birth, and the kernel's own.
var neverFill = map[string]bool{
	"squashfs": true, "iso9660": true, "udf": true, "devtmpfs": true, "efivarfs": true, "proc": true, "sysfs": true,
	"cgroup": true, "cgroup2": true, "erofs": true, "cramfs": true, "ramfs": true, "nsfs": true, "udev": true,
}

func canFill(fs evidence.Filesystem) bool {
	for _, prefix := range []string{"/snap/", "/var/lib/snapd/snap/", "/sys/", "/proc/", "/run/user/", "/media/", "/mnt/cdrom"} {
		if strings.HasPrefix(fs.Mount, prefix) {
			return false
		}
	}
	return !neverFill[fs.Type] && !neverFill[fs.Filesystem] && !strings.HasPrefix(fs.Filesystem, "/dev/loop") && fs.Mount != ""
}

// place is the host's: what happens to a file system happens to all that runs there.
func (f filesystem) place() place {
	p := f.x.factPlace("Filesystem", f.disk.Host, f.fs.Mount, 1)
	p.at = "Host:" + f.disk.Host
	return p
}

func (f filesystem) where() string {
	if f.disk.Host == "" {
		return f.fs.Mount
	}
	return f.disk.Host + " " + f.fs.Mount
}

func diskFull(f filesystem) (finding, bool) {
	used := f.fs.UsePercent
	if !used.Known || used.Value <= diskFullPercent {
		return finding{}, false
	}
	out := finding{
		symptom: fmt.Sprintf("%s is %s %% full", f.where(), used),
		because: fmt.Sprintf("the file system %s is %s %% full (over %d %%)", f.where(), used, diskFullPercent),
		quotes:  []string{f.quoteSpace()},
	}
	lines, what := f.eaters()
	out.quotes = append(out.quotes, lines...)
	if what != "" {
		out.because += "; " + what
	} else {
		out.missing, out.wants = []string{"what fills " + f.where() + ": du, and a list of core dumps"}, nil
	}
	return out, true
}

// diskExhausted is the same when there is nothing left to write to.
func diskExhausted(f filesystem) (finding, bool) {
	if used := f.fs.UsePercent; !used.Known || used.Value < exhaustedPercent {
		return finding{}, false
	}
	out, ok := diskFull(f)
	out.acute = 2
	return out, ok
}

func inodesFull(f filesystem) (finding, bool) {
	used := f.fs.InodesUsePercent
	if !used.Known || used.Value <= inodesFullPercent {
		return finding{}, false
	}
	out := finding{
		symptom: fmt.Sprintf("%s has used %s %% of its inodes", f.where(), used),
		because: fmt.Sprintf("the file system %s has %s of %s inodes left: many small files, whatever their size", f.where(), f.fs.InodesFree, f.fs.Inodes),
		quotes:  []string{f.quote(fmt.Sprintf("inodes=%s inodesUsed=%s inodesFree=%s inodesUsePercent=%s%%", f.fs.Inodes, f.fs.InodesUsed, f.fs.InodesFree, used))},
	}
	if used.Value >= exhaustedPercent {
		out.acute = 2
	}
	return out, true
}

func (f filesystem) quote(what string) string {
	return "df " + strings.TrimSpace(f.fs.Filesystem+" on "+f.where()) + ": " + what
}

func (f filesystem) quoteSpace() string {
	return f.quote(fmt.Sprintf("size=%s used=%s avail=%s usePercent=%s%%", bytes(f.fs.SizeBytes), bytes(f.fs.UsedBytes), bytes(f.fs.AvailBytes), f.fs.UsePercent))
}

// eaters are the biggest directories and the core dumps that lie on the file
// system, and what stands out among them.
func (f filesystem) eaters() (quotes []string, what string) {
	var parts []string
	top := f.on(f.disk.Top)
	for i, d := range top {
		if i == 5 {
			break
		}
		quotes = append(quotes, fmt.Sprintf("du: %s %s", bytes(d.Bytes), d.Path))
	}
	if logs := slices.IndexFunc(top, func(d evidence.PathSize) bool { return logDirectory(d.Path) }); logs >= 0 {
		parts = append(parts, fmt.Sprintf("logs hold %s in %s", bytes(top[logs].Bytes), top[logs].Path))
	} else if len(top) > 0 {
		parts = append(parts, fmt.Sprintf("the biggest is %s with %s", top[0].Path, bytes(top[0].Bytes)))
	}
	var large, sum float64
	for _, c := range f.on(f.disk.CoreDumps) {
		if c.Bytes.Value > largeCoreDump {
			large++
			sum += c.Bytes.Value
			if large <= 3 {
				quotes = append(quotes, fmt.Sprintf("core dump: %s %s", bytes(c.Bytes), c.Path))
			}
		}
	}
	if large > 0 {
		parts = append(parts, fmt.Sprintf("%.0f core dumps over 100 MB hold %s", large, bytes(evidence.Of(sum))))
	}
	return quotes, strings.Join(parts, "; ")
}

func logDirectory(path string) bool {
	return strings.HasPrefix(path, "/var/log") || strings.HasSuffix(path, "/log") || strings.HasSuffix(path, "/logs") ||
		strings.Contains(path, "/logs/") || strings.Contains(path, "/log/")
}

// on are the paths that lie on this file system, the biggest first. The file
// system's own mount point says nothing.
func (f filesystem) on(paths []evidence.PathSize) []evidence.PathSize {
	var out []evidence.PathSize
	for _, p := range paths {
		if p.Path != f.fs.Mount && f.mountOf(p.Path) == f.fs.Mount {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b evidence.PathSize) int {
		return cmp.Or(-cmp.Compare(a.Bytes.Value, b.Bytes.Value), strings.Compare(a.Path, b.Path))
	})
	return out
}

// mountOf is the longest mount point that a path lies under.
func (f filesystem) mountOf(path string) string {
	best := ""
	for _, fs := range f.disk.Filesystems {
		under := fs.Mount == "/" || path == fs.Mount || strings.HasPrefix(path, strings.TrimSuffix(fs.Mount, "/")+"/")
		if under && len(fs.Mount) > len(best) {
			best = fs.Mount
		}
	}
	return best
}

func diskWell(f filesystem) (string, bool) {
	if !f.fs.UsePercent.Known && !f.fs.InodesUsePercent.Known {
		return f.where() + ": nothing was measured", false
	}
	return fmt.Sprintf("%s: %s %% full", f.where(), f.fs.UsePercent), true
}

// bytes is a size as people read it.
func bytes(n evidence.Number) string {
	if !n.Known {
		return "?"
	}
	v := n.Value
	for _, unit := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 || unit == "TiB" {
			return fmt.Sprintf("%s %s", evidence.Of(float64(int64(v*10))/10), unit)
		}
		v /= 1024
	}
	return ""
}
