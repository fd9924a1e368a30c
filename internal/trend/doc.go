// Package trend says where a series is going: what it will be within hours or
// days, with an interval, and how long until it reaches a limit. It is pure: the
// end of the data is its present, and nothing is drawn by chance.
//
// A forecast is a blend of simple opinions (the last value, medians of hours and
// days, this time of other days). For each distance ahead the series' own past
// says how much each opinion is worth; the less past there is, the nearer the
// weights stay to an even share. The interval is what the blend missed by.
package trend
