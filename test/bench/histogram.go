package main

import (
	"math/bits"
	"time"
)

// subBits gives 32 buckets to each power of two: a quantile is at most 3 %
// above the truth, whatever the latency, in a fixed 16 KiB.
const subBits = 5

// histogram counts latencies in log-linear buckets. Each connection owns one
// and they are merged afterwards, so recording takes no lock and nothing has
// to be sorted.
type histogram struct {
	buckets [64 << subBits]uint32
	count   uint64
	sum     time.Duration
}

func (h *histogram) record(d time.Duration) {
	d = max(d, 0)
	h.buckets[bucketOf(uint64(d))]++
	h.count++
	h.sum += d
}

func (h *histogram) merge(other *histogram) {
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
	h.count += other.count
	h.sum += other.sum
}

// quantile answers the upper edge of the bucket that holds the q-th latency,
// so that it never flatters; zero when nothing was recorded.
func (h *histogram) quantile(q float64) time.Duration {
	if h.count == 0 {
		return 0
	}
	rank := max(uint64(q*float64(h.count)+0.5), 1)
	var seen uint64
	for i, n := range h.buckets {
		if seen += uint64(n); seen >= rank {
			return time.Duration(upperEdge(i))
		}
	}
	return time.Duration(upperEdge(len(h.buckets) - 1))
}

func (h *histogram) mean() time.Duration {
	if h.count == 0 {
		return 0
	}
	return h.sum / time.Duration(h.count)
}

// bucketOf keeps the leading bit and the subBits after it.
func bucketOf(v uint64) int {
	if v < 1<<subBits {
		return int(v)
	}
	shift := bits.Len64(v) - 1 - subBits
	return (shift+1)<<subBits + int(v>>shift) - 1<<subBits
}

func upperEdge(bucket int) uint64 {
	if bucket < 1<<subBits {
		return uint64(bucket)
	}
	shift := bucket>>subBits - 1
	low := uint64(1<<subBits + bucket&(1<<subBits-1))
	return (low+1)<<shift - 1
}
