package evidence_test

import (
	"testing"

	"salve/internal/evidence"
)

// of is a known number; the zero Number is unknown.
var of = evidence.Of

func TestDF(t *testing.T) {
	fs := func(list ...evidence.Filesystem) evidence.Evidence { return disks(evidence.Disk{Filesystems: list}) }
	runTools(t, []toolCase{
		{name: "df -P", tool: "df -P", text: dfLine, want: dfRoot},
		{name: "GNU, long names on their own lines", tool: "df", text: `Filesystem           1K-blocks      Used Available Use% Mounted on
/dev/mapper/vg_data-lv_postgres
                     103081248  98931392         0 100% /var/lib/postgresql
tmpfs                   819200      1024    818176   1% /run
`, want: fs(
			evidence.Filesystem{Filesystem: "/dev/mapper/vg_data-lv_postgres", Mount: "/var/lib/postgresql",
				SizeBytes: of(103081248 << 10), UsedBytes: of(98931392 << 10), AvailBytes: of(0), UsePercent: of(100)},
			evidence.Filesystem{Filesystem: "tmpfs", Mount: "/run", SizeBytes: of(819200 << 10), UsedBytes: of(1 << 20), AvailBytes: of(818176 << 10), UsePercent: of(1)},
		)},
		{name: "sizes for people", tool: "df -h", text: `Filesystem      Size  Used Avail Use% Mounted on
/dev/nvme0n1p1   20G   18G  1.5G  93% /
`, want: fs(evidence.Filesystem{Filesystem: "/dev/nvme0n1p1", Mount: "/", SizeBytes: of(20 << 30), UsedBytes: of(18 << 30), AvailBytes: of(3 << 29), UsePercent: of(93)})},
		{name: "in thousands", tool: "df -H", text: "Filesystem Size Used Avail Use% Mounted on\n/dev/sda1 20G 18G 2G 90% /\n",
			want: fs(evidence.Filesystem{Filesystem: "/dev/sda1", Mount: "/", SizeBytes: of(20e9), UsedBytes: of(18e9), AvailBytes: of(2e9), UsePercent: of(90)})},
		{name: "types, and names with spaces", tool: "df -PT", text: `Filesystem           Type 1024-blocks  Used Available Capacity Mounted on
//nas/team share     cifs        1000   500       500      50% /mnt/team share
systemd-1            autofs         -     -         -        - /proc/sys/fs/binfmt_misc
`, want: fs(
			evidence.Filesystem{Filesystem: "//nas/team share", Type: "cifs", Mount: "/mnt/team share", SizeBytes: of(1000 << 10), UsedBytes: of(500 << 10), AvailBytes: of(500 << 10), UsePercent: of(50)},
			evidence.Filesystem{Filesystem: "systemd-1", Type: "autofs", Mount: "/proc/sys/fs/binfmt_misc"},
		)},
		{name: "inodes", tool: "df -Pi", text: `Filesystem       Inodes    IUsed  IFree IUse% Mounted on
/dev/sda1       2621440  2621440      0  100% /
/dev/sdb1             0        0      0     - /boot/efi
`, want: fs(
			evidence.Filesystem{Filesystem: "/dev/sda1", Mount: "/", Inodes: of(2621440), InodesUsed: of(2621440), InodesFree: of(0), InodesUsePercent: of(100)},
			evidence.Filesystem{Filesystem: "/dev/sdb1", Mount: "/boot/efi", Inodes: of(0), InodesUsed: of(0), InodesFree: of(0)},
		)},
		{name: "a BSD's, blocks and inodes at once", tool: "df", text: `Filesystem   512-blocks      Used Available Capacity iused      ifree %iused  Mounted on
/dev/disk1s1  976490576 480000000 490000000    50% 1200000 4881252880    0%   /
`, want: fs(evidence.Filesystem{Filesystem: "/dev/disk1s1", Mount: "/", SizeBytes: of(976490576 * 512), UsedBytes: of(480000000 * 512), AvailBytes: of(490000000 * 512),
			UsePercent: of(50), InodesUsed: of(1200000), InodesFree: of(4881252880), InodesUsePercent: of(0)})},
		{name: "chosen columns, without the percentage", tool: "df --output=target,size,used,avail", text: "",
			problem: "df: the output is empty; this is not what df prints: a header such as 'Filesystem 1024-blocks Used Available Capacity Mounted on' and a line a filesystem are expected (LC_ALL=C df -P)"},
		{name: "percentages are worked out as df does", tool: "df --output=source,size,used,avail,target", text: "Filesystem 1K-blocks Used Avail Mounted on\n/dev/sda1 1000 800 101 /\n",
			want: fs(evidence.Filesystem{Filesystem: "/dev/sda1", Mount: "/", SizeBytes: of(1000 << 10), UsedBytes: of(800 << 10), AvailBytes: of(101 << 10), UsePercent: of(89)})},
		{name: "errors between the lines", tool: "df -P", text: "df: /mnt/nfs: Stale file handle\n" + dfLine, want: dfRoot},
		{name: "blocks and inodes of one call", tool: "df -P; df -Pi", text: "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 100 50 50 50% /\nFilesystem Inodes IUsed IFree IUse% Mounted on\n/dev/sda1 10 9 1 90% /\n",
			want: fs(evidence.Filesystem{Filesystem: "/dev/sda1", Mount: "/", SizeBytes: of(100 << 10), UsedBytes: of(50 << 10), AvailBytes: of(50 << 10), UsePercent: of(50),
				Inodes: of(10), InodesUsed: of(9), InodesFree: of(1), InodesUsePercent: of(90)})},
		{name: "only errors", tool: "df -P /mnt/nfs", text: "df: /mnt/nfs: No such file or directory\n", problem: `df failed: "df: /mnt/nfs: No such file or directory"`},
	})
}

func TestDU(t *testing.T) {
	top := func(list ...evidence.PathSize) evidence.Evidence { return disks(evidence.Disk{Top: list}) }
	size := func(path string, bytes float64) evidence.PathSize {
		return evidence.PathSize{Path: path, Bytes: of(bytes)}
	}
	runTools(t, []toolCase{
		{name: "bytes", tool: "du -x -d1 -b /var", text: "4096\t/var/mail\n48318382080\t/var/log\ndu: cannot read directory '/var/lib/private': Permission denied\n48318386176\t/var\n",
			want: top(size("/var", 48318386176), size("/var/log", 48318382080), size("/var/mail", 4096))},
		{name: "kibibytes unless told otherwise", tool: "du /var/log", text: "2048\t/var/log/nginx\n", want: top(size("/var/log/nginx", 2048<<10))},
		{name: "mebibytes", tool: "du -sm /var/log", text: "3\t/var/log\n", want: top(size("/var/log", 3<<20))},
		{name: "blocks of a size", tool: "du -B1 /var/log", text: "77\t/var/log\n", want: top(size("/var/log", 77))},
		{name: "for people, with a total", tool: "du -shc *", text: "45G\tlog\n1,5M\tcache dir\n0\tempty\n46G\ttotal\n", want: top(size("log", 45<<30), size("cache dir", 3<<19), size("empty", 0))},
		{name: "sorted by another command", tool: "du -xk / | sort -rn | head", text: "10 /usr\n9 /usr/lib\n", want: top(size("/usr", 10<<10), size("/usr/lib", 9<<10))},
		{name: "core dumps of find", tool: `find /var/lib/systemd/coredump /var/crash -type f -printf '%s %p\n'`,
			text: "734003200 /var/lib/systemd/coredump/core.nginx.33.4c1e.1234.1764000000000000.zst\n52428800 /var/crash/_usr_bin_app.1000.crash\n",
			want: disks(evidence.Disk{CoreDumps: []evidence.PathSize{
				size("/var/lib/systemd/coredump/core.nginx.33.4c1e.1234.1764000000000000.zst", 734003200), size("/var/crash/_usr_bin_app.1000.crash", 52428800)}})},
		{name: "no core dumps", tool: `find / -xdev -name 'core.*' -printf '%s %p\n'`, text: "", want: disks(evidence.Disk{CoreDumps: []evidence.PathSize{}})},
		{name: "ls -l of a directory", tool: "ls -l /var/log/nginx", text: "total 48828\ndrwxr-xr-x 2 root adm 4096 Nov 23 00:00 old\n-rw-r----- 1 www-data adm 49999872 Nov 23 03:14 access.log\n-rw-r----- 1 www-data adm 1234 Nov 22  2025 error log\n",
			want: top(size("/var/log/nginx/access.log", 49999872), size("/var/log/nginx/error log", 1234))},
		{name: "ls of several directories", tool: "ls -lh --time-style=long-iso /var/log /srv", text: "/srv:\ntotal 0\n\n/var/log:\ntotal 2.1G\n-rw-r----- 1 root adm 2.1G 2026-11-23 03:14 syslog\nlrwxrwxrwx 1 root root 9 2026-11-23 03:14 a -> b\n",
			want: top(size("/var/log/syslog", 2254857830))},
		{name: "ls with full times", tool: "ls -l --full-time /var/log", text: "-rw-r--r-- 1 root root 77 2026-11-23 03:14:15.123456789 +0000 dpkg.log\n", want: top(size("/var/log/dpkg.log", 77))},
		{name: "coredumpctl", tool: "coredumpctl list", text: `TIME                          PID  UID  GID SIG     COREFILE EXE                   SIZE
Mon 2026-11-23 02:10:11 UTC  1234 1000 1000 SIGSEGV present  /usr/bin/app          120.5M
Mon 2026-11-23 02:11:11 UTC  1235 1000 1000 SIGABRT missing  /usr/bin/app             -
`, want: disks(evidence.Disk{CoreDumps: []evidence.PathSize{size("/usr/bin/app (pid 1234)", 126353408)}})},
		{name: "no core dumps of coredumpctl", tool: "coredumpctl", text: "No coredumps found.\n", want: disks(evidence.Disk{CoreDumps: []evidence.PathSize{}})},
		{name: "no sizes", tool: "find /var/log -size +100M", text: "/var/log/syslog\n",
			problem: `find: lines of a size and a path are expected, as du -x -d1 -b, find -printf '%s %p\n', ls -l and coredumpctl list print them`},
	})
}
