package evidence

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// oneDiskAHost unites what df -P, df -Pi, du and listings said of each host, all
// at the same time.
func oneDiskAHost(disks []Disk) []Disk {
	if len(disks) < 2 {
		return disks
	}
	only := onlyHost(disks)
	place := map[string]int{}
	var out []Disk
	for _, d := range disks {
		d.Host = cmp.Or(d.Host, only)
		i, ok := place[d.Host]
		if !ok {
			place[d.Host] = len(out)
			out = append(out, d)
			continue
		}
		out[i] = d.over(out[i], true)
	}
	return out
}

// onlyHost is the host that a look is about throughout, where it names just one.
func onlyHost(disks []Disk) string {
	only := ""
	for _, d := range disks {
		if d.Host != "" && only != "" && d.Host != only {
			return ""
		}
		only = cmp.Or(d.Host, only)
	}
	return only
}

// mergeDisks puts two looks together, host by host.
func mergeDisks(older, newer []Disk, tie bool) []Disk {
	if older == nil && newer == nil {
		return nil
	}
	only := onlyHost(slices.Concat(older, newer))
	byHost := map[string]Disk{}
	for _, d := range named(older, only) {
		byHost[d.Host] = d
	}
	for _, d := range named(newer, only) {
		if had, ok := byHost[d.Host]; ok {
			d = d.over(had, tie)
		}
		byHost[d.Host] = d
	}
	out := make([]Disk, 0, len(byHost))
	for _, host := range slices.Sorted(maps.Keys(byHost)) {
		out = append(out, byHost[host])
	}
	return out
}

// named gives the host's name to what has none, and unites what is then of one host.
func named(disks []Disk, host string) []Disk {
	out := slices.Clone(disks)
	for i := range out {
		out[i].Host = cmp.Or(out[i].Host, host)
	}
	return oneDiskAHost(out)
}

// over is one disk out of an older look at it and this newer one; tie says that
// neither is newer. Filesystems are united by mount, bytes and inodes apart, for
// df measures one of them at a time. A list of the biggest paths or of core
// dumps replaces an older one: what is not on it any more was cleaned away.
func (d Disk) over(older Disk, tie bool) Disk {
	return Disk{
		Host:        d.Host,
		Filesystems: mountsOver(older.Filesystems, d.Filesystems, tie),
		Top:         pathsOver(older.Top, d.Top, tie),
		CoreDumps:   pathsOver(older.CoreDumps, d.CoreDumps, tie),
	}
}

func mountsOver(older, newer []Filesystem, tie bool) []Filesystem {
	if older == nil || newer == nil {
		return slices.Concat(older, newer)
	}
	place := map[string]int{}
	out := slices.Clone(older)
	for i, f := range out {
		place[f.Mount] = i
	}
	for _, f := range newer {
		i, ok := place[f.Mount]
		if !ok {
			place[f.Mount] = len(out)
			out = append(out, f)
			continue
		}
		out[i] = f.over(out[i], tie)
	}
	slices.SortStableFunc(out, func(a, b Filesystem) int { return strings.Compare(a.Mount, b.Mount) })
	return out
}

func (f Filesystem) over(older Filesystem, tie bool) Filesystem {
	bytes, inodes := f, f
	if !f.measured() || tie && older.measured() {
		bytes = chosen(older, f, f.measured())
	}
	if !f.inodesMeasured() || tie && older.inodesMeasured() {
		inodes = chosen(older, f, f.inodesMeasured())
	}
	return Filesystem{
		Filesystem: wordOver(older.Filesystem, f.Filesystem, tie), Mount: f.Mount, Type: wordOver(older.Type, f.Type, tie),
		SizeBytes: bytes.SizeBytes, UsedBytes: bytes.UsedBytes, AvailBytes: bytes.AvailBytes, UsePercent: bytes.UsePercent,
		ReadOnly: f.ReadOnly || older.ReadOnly, GrowthBytesADay: orElse(f.GrowthBytesADay, older.GrowthBytesADay),
		GrowthPercentADay: orElse(f.GrowthPercentADay, older.GrowthPercentADay), DaysUntilFull: orElse(f.DaysUntilFull, older.DaysUntilFull),
		History: append(f.History, older.History...),
		Inodes:  inodes.Inodes, InodesUsed: inodes.InodesUsed, InodesFree: inodes.InodesFree, InodesUsePercent: inodes.InodesUsePercent,
	}
}

// chosen is the older one, or of two equally old ones always the same.
func chosen(older, newer Filesystem, both bool) Filesystem {
	if both {
		return Larger(older, newer)
	}
	return older
}

func (f Filesystem) measured() bool {
	return f.SizeBytes.Known || f.UsedBytes.Known || f.AvailBytes.Known || f.UsePercent.Known
}

func (f Filesystem) inodesMeasured() bool {
	return f.Inodes.Known || f.InodesUsed.Known || f.InodesFree.Known || f.InodesUsePercent.Known
}

func pathsOver(older, newer []PathSize, tie bool) []PathSize {
	switch {
	case newer == nil:
		return older
	case older == nil || !tie:
		return newer
	}
	byPath := map[string]Number{}
	for _, p := range slices.Concat(older, newer) {
		byPath[p.Path] = larger(byPath[p.Path], p.Bytes)
	}
	out := make([]PathSize, 0, len(byPath))
	for path, bytes := range byPath {
		out = append(out, PathSize{path, bytes})
	}
	return biggest(out)
}

func wordOver(older, newer string, tie bool) string {
	if tie {
		return max(older, newer)
	}
	return cmp.Or(newer, older)
}
