package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"salve/internal/evidence"
)

// filesystem is one file system of a host, with what is known of what lies on it.
type filesystem struct {
	x          *examination
	disk       *evidence.Disk
	fs         evidence.Filesystem
	top, cores []evidence.PathSize // what lies on it, the biggest first
}

// maxFilesystems bounds what is looked at of one host.
const maxFilesystems = 200

// filesystems are those that can be filled.
func (x *examination) filesystems() []filesystem {
	var out []filesystem
	for i := range x.ev.Disks {
		d := &x.ev.Disks[i]
		if !x.concernsHost(d.Host) {
			continue
		}
		top, cores := onMounts(d, d.Top), onMounts(d, d.CoreDumps)
		for _, fs := range mountsOf(d) {
			if canFill(fs) {
				out = append(out, filesystem{x, d, fs, top[fs.Mount], cores[fs.Mount]})
			}
		}
	}
	return out
}

func mountsOf(d *evidence.Disk) []evidence.Filesystem {
	return d.Filesystems[:min(len(d.Filesystems), maxFilesystems)]
}

// neverFill are file systems whose use says nothing: images that are full from
// birth, and the kernel's own.
var neverFill = map[string]bool{
	"squashfs": true, "iso9660": true, "udf": true, "devtmpfs": true, "efivarfs": true, "proc": true, "sysfs": true,
	"cgroup": true, "cgroup2": true, "erofs": true, "cramfs": true, "ramfs": true, "nsfs": true, "udev": true, "none": true, "devfs": true,
}

// images are how devices and mounts of what cannot be written to are named.
var images = []string{"/dev/sr", "/dev/cdrom", "/dev/dvd", "/dev/fuse"}

var imageMounts = []string{"/snap/", "/var/lib/snapd/snap/", "/sys/", "/proc/", "/dev/", "/run/", "/media/cdrom", "/mnt/cdrom", "/cdrom"}

func canFill(fs evidence.Filesystem) bool {
	isDisk := slices.Contains([]string{"ext2", "ext3", "ext4", "xfs", "btrfs", "zfs"}, fs.Type)
	switch {
	case fs.ReadOnly, neverFill[fs.Type], neverFill[fs.Filesystem], beginsWithAny(fs.Filesystem, images), fs.Mount == "/run", fs.Mount == "/dev":
		return false
	case beginsWithAny(fs.Mount, imageMounts), strings.HasSuffix(fs.Mount, ".iso"), strings.HasSuffix(fs.Filesystem, ".iso"):
		return false
	case strings.HasPrefix(fs.Filesystem, "/dev/loop"):
		return isDisk
	}
	return true
}

func beginsWithAny(s string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(s, p) })
}

// inMemory says whether a file system is a piece of the host's memory: there are
// no old logs to be cleaned away.
func (f filesystem) inMemory() bool { return f.fs.Type == "tmpfs" || f.fs.Filesystem == "tmpfs" }

// place is the host's: what happens to a file system happens to all that runs there.
func (f filesystem) place() place {
	p := f.x.factPlace("Filesystem", f.disk.Host, f.fs.Mount, 1)
	p.at = f.x.hostKey(f.disk.Host)
	return p
}

// where names the file system for people: "/var of web-01".
func (f filesystem) where() string {
	if f.disk.Host == "" {
		return f.mount()
	}
	return f.mount() + " of " + f.disk.Host
}

func (f filesystem) mount() string {
	return orElse(f.fs.Mount, orElse(f.fs.Filesystem, "the disk"))
}

// used is how full a file system is in percent; not known where the number makes
// no sense, or may be a share of one.
func (f filesystem) used() (float64, bool) {
	return f.sensible(f.fs.UsePercent, func(o evidence.Filesystem) evidence.Number { return o.UsePercent })
}

func (f filesystem) inodesUsed() (float64, bool) {
	return f.sensible(f.fs.InodesUsePercent, func(o evidence.Filesystem) evidence.Number { return o.InodesUsePercent })
}

// sensible reads a percentage. 0.87 alone may be 87 %; beside other numbers over
// one, or with the bytes that it follows from, it is not.
func (f filesystem) sensible(n evidence.Number, of func(evidence.Filesystem) evidence.Number) (float64, bool) {
	v := n.Value
	if !n.Known || v < 0 || v > plausiblyFull {
		return 0, false
	}
	if v == 0 || v >= sharesLookLikeThis {
		return v, true
	}
	if f.fs.UsedBytes.Known && f.fs.SizeBytes.Known && f.fs.SizeBytes.Value > 0 && of(f.fs) == f.fs.UsePercent {
		return 100 * f.fs.UsedBytes.Value / f.fs.SizeBytes.Value, true
	}
	return v, slices.ContainsFunc(f.disk.Filesystems, func(o evidence.Filesystem) bool { return of(o).Value >= sharesLookLikeThis })
}

func diskFull(f filesystem) (finding, bool) {
	used, known := f.used()
	if !known || used <= diskFullPercent || f.inMemory() {
		return finding{}, false
	}
	out := finding{
		symptom: fmt.Sprintf("%s is %s %% full", f.where(), amount(used)),
		because: f.space(),
		quotes:  []string{f.quoteSpace()},
		grave:   used,
	}
	lines, what := f.eaters()
	out.quotes = append(append(out.quotes, lines...), f.others(diskFullPercent, filesystem.used, filesystem.quoteSpace)...)
	if what != "" {
		out.because = what + "; " + out.because
	} else {
		out.missing = []string{"what fills " + f.where() + ": du, and a list of core dumps"}
		out.wants = []string{CollectDisk}
	}
	return out, true
}

// space says what is left, or at least which line was crossed.
func (f filesystem) space() string {
	if f.fs.AvailBytes.Known && f.fs.SizeBytes.Known {
		return fmt.Sprintf("%s of %s are left, and over %d %% is too full", bytes(f.fs.AvailBytes), bytes(f.fs.SizeBytes), diskFullPercent)
	}
	return fmt.Sprintf("over %d %% is too full", diskFullPercent)
}

// diskExhausted is the same when there is nothing left to write to.
func diskExhausted(f filesystem) (finding, bool) {
	used, known := f.used()
	if !known || used < exhaustedPercent || f.fs.AvailBytes.Known && f.fs.AvailBytes.Value >= exhaustedBelow || f.isBoot() {
		return finding{}, false
	}
	out, ok := diskFull(f)
	out.acute = 2
	return out, ok
}

// isBoot is for what only upgrades write to.
func (f filesystem) isBoot() bool {
	return f.fs.Mount == "/boot" || strings.HasPrefix(f.fs.Mount, "/boot/") || f.fs.Mount == "/efi"
}

func inodesFull(f filesystem) (finding, bool) {
	used, known := f.inodesUsed()
	if !known || used <= inodesFullPercent || f.inMemory() {
		return finding{}, false
	}
	out := finding{
		symptom: fmt.Sprintf("%s has used %s %% of its inodes", f.where(), amount(used)),
		because: "many small files use them up, whatever their size",
		quotes:  []string{f.quoteInodes()},
		grave:   used,
	}
	if f.fs.InodesFree.Known && f.fs.Inodes.Known {
		out.because = fmt.Sprintf("%s of %s inodes are left: %s", f.fs.InodesFree, f.fs.Inodes, out.because)
	}
	if space, known := f.used(); known && space <= diskFullPercent {
		out.because += fmt.Sprintf(", while only %s %% of the space is used", amount(space))
		out.quotes = append(out.quotes, f.quoteSpace())
	}
	out.quotes = append(out.quotes, f.others(inodesFullPercent, filesystem.inodesUsed, filesystem.quoteInodes)...)
	out.missing = []string{"which directory of " + f.where() + " holds so many files"}
	return out, true
}

func inodesExhausted(f filesystem) (finding, bool) {
	if used, known := f.inodesUsed(); !known || used < exhaustedPercent || f.isBoot() {
		return finding{}, false
	}
	out, ok := inodesFull(f)
	out.acute = 2
	return out, ok
}

// others quotes the host's other file systems that are as badly off.
func (f filesystem) others(above float64, used func(filesystem) (float64, bool), quote func(filesystem) string) []string {
	var found []filesystem
	for _, fs := range mountsOf(f.disk) {
		o := filesystem{x: f.x, disk: f.disk, fs: fs}
		if v, known := used(o); known && v > above && fs.Mount != f.fs.Mount && canFill(fs) && !o.inMemory() {
			found = append(found, o)
		}
	}
	slices.SortStableFunc(found, func(a, b filesystem) int { return strings.Compare(a.fs.Mount, b.fs.Mount) })
	var out []string
	for _, o := range found[:min(len(found), othersQuoted)] {
		out = append(out, quote(o))
	}
	return out
}

func (f filesystem) quote(command, what string) string {
	device := f.fs.Filesystem
	if device != "" && device != f.mount() {
		device += " on "
	} else {
		device = ""
	}
	return command + " " + device + f.where() + ": " + what
}

func (f filesystem) quoteSpace() string {
	return f.quote("df", fmt.Sprintf("size=%s used=%s avail=%s usePercent=%s%%", bytes(f.fs.SizeBytes), bytes(f.fs.UsedBytes), bytes(f.fs.AvailBytes), f.fs.UsePercent))
}

func (f filesystem) quoteInodes() string {
	return f.quote("df -i", fmt.Sprintf("inodes=%s used=%s free=%s usePercent=%s%%", f.fs.Inodes, f.fs.InodesUsed, f.fs.InodesFree, f.fs.InodesUsePercent))
}

func diskWell(f filesystem) (string, bool) {
	used, known := f.used()
	inodes, inodesKnown := f.inodesUsed()
	switch {
	case f.inMemory() && (used >= exhaustedPercent || inodes >= exhaustedPercent):
		return f.where() + " is a full tmpfs: it lies in memory, not on a disk; " + f.quoteSpace(), false
	case f.inMemory():
		return "", true
	case known && inodesKnown:
		return fmt.Sprintf("%s: %s %% of the space and %s %% of the inodes used", f.where(), amount(used), amount(inodes)), true
	case known:
		return fmt.Sprintf("%s is %s %% full", f.where(), amount(used)), true
	case inodesKnown:
		return fmt.Sprintf("%s: %s %% of the inodes used", f.where(), amount(inodes)), true
	case f.fs.UsePercent.Known:
		return f.where() + ": usePercent=" + f.fs.UsePercent.String() + " makes no sense as a percentage", false
	case f.fs.DaysUntilFull.Known, !strings.HasPrefix(f.fs.Filesystem, "/dev/") && f.fs.Mount != "/":
		return "", true // of its own table, or a pseudo file system without blocks
	}
	return f.where() + ": nothing was measured", false
}

// amount is a number as people read it.
func amount(v float64) string { return evidence.Of(v).String() }

// bytes is a size as people read it.
func bytes(n evidence.Number) string {
	if !n.Known {
		return "?"
	}
	v := n.Value
	for _, unit := range []string{"B", "KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 || unit == "TiB" {
			return fmt.Sprintf("%s %s", amount(float64(int64(v*10))/10), unit)
		}
		v /= 1024
	}
	return ""
}

// maxPaths bounds how many paths of one host are looked at.
const maxPaths = 1_000

// onMounts tells which paths lie on which file system, the biggest first. A file
// system's own mount point says nothing.
func onMounts(d *evidence.Disk, paths []evidence.PathSize) map[string][]evidence.PathSize {
	out := map[string][]evidence.PathSize{}
	for _, p := range paths[:min(len(paths), maxPaths)] {
		if mount := mountOf(d, p.Path); p.Path != "" && p.Path != mount && p.Bytes.Value >= 0 {
			out[mount] = append(out[mount], p)
		}
	}
	for _, list := range out {
		slices.SortFunc(list, func(a, b evidence.PathSize) int {
			return cmp.Or(-cmp.Compare(a.Bytes.Value, b.Bytes.Value), strings.Compare(a.Path, b.Path))
		})
	}
	return out
}

// mountOf is the longest mount point that a path lies under.
func mountOf(d *evidence.Disk, path string) string {
	best := ""
	for _, fs := range mountsOf(d) {
		under := fs.Mount == "/" || path == fs.Mount || fs.Mount != "" && strings.HasPrefix(path, strings.TrimSuffix(fs.Mount, "/")+"/")
		if under && len(fs.Mount) > len(best) {
			best = fs.Mount
		}
	}
	return best
}
