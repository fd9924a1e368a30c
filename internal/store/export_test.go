package store

// Limit makes a committer take at most n deliveries a transaction.
func (c *Committer) Limit(n int) { c.limit = n }

// Queue makes room for n calls that wait.
func (c *Committer) Queue(n int) { c.queue = make(chan *request, n) }

// ReadEvidence counts what the store would read of incidents' evidence.
const ReadEvidence = `select count(*), sum(octet_length(evidence::text)) from (` + readEvidence + `) as read`

// Seq is the last number that a horizon covers.
func Seq(h Horizon) int64 { return h.seq }

// HoldAutomation is how a claim reads the mode.
const HoldAutomation = holdAutomation

// LockGuards is what every claim of a change takes.
const LockGuards = lockGuards
