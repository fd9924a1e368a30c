package trend

import "time"

// An opinion is one simple forecast: what a series will be h steps after i, from
// what was known at i. Each is right for some kind of series; the blend finds out
// for which.
type opinion struct {
	name string
	at   func(v *view, i, h int) float64
}

const day, week = 24 * time.Hour, 7 * 24 * time.Hour

// hourMean is the place of the opinion by which the scale of a series is told.
const hourMean = 2

var opinions = []opinion{
	{"last value", func(v *view, i, _ int) float64 { return v.value[i] }},
	{"mean of a quarter of an hour", func(v *view, i, _ int) float64 { return v.mean(i, v.quarter) }},
	{"mean of an hour", func(v *view, i, _ int) float64 { return v.mean(i, v.hour) }},
	{"median of an hour", func(v *view, i, _ int) float64 { return v.hourly[i] }},
	{"mean of six hours", func(v *view, i, _ int) float64 { return v.mean(i, 6*v.hour) }},
	{"median of six hours", func(v *view, i, _ int) float64 { return v.sixHourly[i] }},
	{"mean of a day", func(v *view, i, _ int) float64 { return v.mean(i, v.day) }},
	{"median of a day", func(v *view, i, _ int) float64 { return v.daily[i] }},
	{"median of three days", func(v *view, i, _ int) float64 { return v.threeDaily[i] }},
	{"this time of other days", func(v *view, i, h int) float64 { return v.profile(v.smooth, i, i+h) }},
	{"this time of other days, to the minute", func(v *view, i, h int) float64 { return v.profile(v.value, i, i+h) }},
	{"this time of other days, at today's level", func(v *view, i, h int) float64 {
		return v.profile(v.smooth, i, i+h) + v.sixHourly[i] - v.profile(v.sixHourly, i, i)
	}},
	{"this time of other days, at this hour's level", func(v *view, i, h int) float64 {
		return v.profile(v.smooth, i, i+h) + v.hourly[i] - v.profile(v.hourly, i, i)
	}},
	{"this time of other days, to the minute, at today's level", func(v *view, i, h int) float64 {
		return v.profile(v.value, i, i+h) + v.sixHourly[i] - v.profile(v.sixHourly, i, i)
	}},
	{"this time a week ago", func(v *view, i, h int) float64 { return v.weekAgo(i, i+h) }},
}
