package trend

import "time"

// view is a grid with what the opinions read again and again.
type view struct {
	grid
	quarter, hour, day, week                     int
	hourly, sixHourly, daily, threeDaily, smooth []float64
}

func look(g grid) *view {
	v := &view{grid: g, quarter: g.steps(15 * time.Minute), hour: g.steps(time.Hour), day: g.steps(day), week: g.steps(week)}
	v.hourly = runningMedian(g.value, v.hour)
	v.sixHourly = runningMedian(g.value, 6*v.hour)
	v.daily = runningMedian(g.value, v.day)
	v.threeDaily = runningMedian(g.value, 3*v.day)
	v.smooth = make([]float64, len(g.value))
	for i := range v.smooth {
		v.smooth[i] = v.hourly[min(i+v.hour/2, len(g.value)-1)]
	}
	return v
}

// mostDays is how many days back a time of day is looked at.
const mostDays = 7

// profile is the median of what x was at the time of day of t, on the days
// before, as far as i knew of it.
func (v *view) profile(x []float64, i, t int) float64 {
	var seen [mostDays]float64
	n := 0
	for back := t - v.day; back >= 0 && n < mostDays; back -= v.day {
		if back <= i-v.hour/2 {
			seen[n] = x[back]
			n++
		}
	}
	if n == 0 {
		return v.daily[i]
	}
	sortFew(seen[:n])
	return middle(seen[:n])
}

// weekAgo is what was a week before t, or as many weeks as i knew of it.
func (v *view) weekAgo(i, t int, otherwise float64) float64 {
	back := t - v.week
	for back > i-v.hour/2 {
		back -= v.week
	}
	if back < 0 {
		return otherwise
	}
	return v.smooth[back]
}
