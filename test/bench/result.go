package main

import "time"

// result is what one cell came to.
type result struct {
	cell     cell
	requests float64 // measured successes
	alerts   float64
	elapsed  time.Duration
	latency  histogram
	outcomes map[string]int // of the sampled answers
	failures map[string]int
	spent    usage
}

func (r result) perSecond(n float64) float64 {
	if r.elapsed <= 0 {
		return 0
	}
	return n / r.elapsed.Seconds()
}

func (r result) failed() int {
	total := 0
	for _, n := range r.failures {
		total += n
	}
	return total
}

// results are looked up by the three names of a cell.
type results []result

func (all results) find(target, load, shape string) (result, bool) {
	for _, r := range all {
		if r.cell.target.name == target && r.cell.load.name == load && r.cell.shape.name == shape {
			return r, r.requests > 0
		}
	}
	return result{}, false
}

func (all results) failed() int {
	total := 0
	for _, r := range all {
		total += r.failed()
	}
	return total
}
