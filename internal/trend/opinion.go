package trend

import "time"

const day, week = 24 * time.Hour, 7 * 24 * time.Hour

// An opinion is one simple forecast: what a series will be some steps after a moment,
// from what was known at it. Each is right for some kind of series; the blend finds out
// for which. "This time of day" is the median of the days before at that time.
const (
	lastValue         = iota
	quarterMean       // the mean of a quarter of an hour
	hourMean          // the scale of a series is told by it
	hourMedian        //
	sixHourMean       //
	sixHourMedian     //
	dayMean           //
	dayMedian         //
	threeDayMedian    //
	timeOfDay         // over an hour
	minuteOfDay       //
	timeOfDayToday    // at the level of the last six hours
	timeOfDayThisHour // at the level of the last hour
	minuteOfDayToday  // at the level of the last six hours
	weekAgo           //
	opinions          // how many there are
)

// ask fills said with what each opinion holds of the value h steps after i.
func (v *view) ask(said []float64, i, h int) {
	byTime, byMinute := v.profile(v.smooth, i, i+h), v.profile(v.value, i, i+h)
	today := v.sixHourly[i] - v.profile(v.sixHourly, i, i)
	said[lastValue] = v.value[i]
	said[quarterMean] = v.mean(i, v.quarter)
	said[hourMean] = v.mean(i, v.hour)
	said[hourMedian] = v.hourly[i]
	said[sixHourMean] = v.mean(i, 6*v.hour)
	said[sixHourMedian] = v.sixHourly[i]
	said[dayMean] = v.mean(i, v.day)
	said[dayMedian] = v.daily[i]
	said[threeDayMedian] = v.threeDaily[i]
	said[timeOfDay] = byTime
	said[minuteOfDay] = byMinute
	said[timeOfDayToday] = byTime + today
	said[timeOfDayThisHour] = byTime + v.hourly[i] - v.profile(v.hourly, i, i)
	said[minuteOfDayToday] = byMinute + today
	said[weekAgo] = v.weekAgo(i, i+h, byTime)
}
