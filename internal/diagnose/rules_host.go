package diagnose

// Thresholds of SPEC sections 3 and 4.
const (
	diskFullPercent    = 80 // "disk > 80 % → clean old logs"
	inodesFullPercent  = 90
	exhaustedPercent   = 98
	exhaustedBelow     = 1 << 30 // bytes: with more left than this a file system is not exhausted, whatever the percentage
	largeCoreDump      = 100e6   // bytes: core dumps over 100 MB are told apart
	plausiblyFull      = 150     // percent: BSD's df counts what is reserved for root and goes over 100
	eatersQuoted       = 5
	coreDumpsQuoted    = 3
	othersQuoted       = 3
	sharesLookLikeThis = 1 // a "percentage" below this may be a share
)

var needsRoom = []string{"service.down", "backup.failed", "db.primary_down", "trend.disk_filling"}

var hostRules = []row[filesystem]{
	{Rule{
		Name: "disk-full", Cause: "host.disk_full", Confidence: 0.95,
		When:     "a file system that can be written to is more than 80 % full",
		Quotes:   "the line of df; the biggest directories, log directories and core dumps on it",
		Explains: []string{"trend.disk_filling"},
	}, diskFull},
	{Rule{
		Name: "disk-exhausted", Cause: "host.disk_full", Confidence: certain,
		When:     "a file system that can be written to is at least 98 % full with less than 1 GiB left: what writes to it fails",
		Quotes:   "the line of df; the biggest directories, log directories and core dumps on it",
		Explains: needsRoom,
	}, diskExhausted},
	{Rule{
		Name: "inodes-full", Cause: "host.inodes_full", Confidence: 0.95,
		When:   "a file system that can be written to has used more than 90 % of its inodes",
		Quotes: "the line of df -i",
	}, inodesFull},
	{Rule{
		Name: "inodes-exhausted", Cause: "host.inodes_full", Confidence: certain,
		When:     "a file system that can be written to has used at least 98 % of its inodes: no new file can be made, however much space is free",
		Quotes:   "the line of df -i",
		Explains: needsRoom,
	}, inodesExhausted},
}
