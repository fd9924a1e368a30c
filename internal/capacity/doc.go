// Package capacity says how many pods a workload should have: from its use now, from
// a forecast of it over the time that new pods need to serve, and from who else
// decides about them. It is pure: time comes with the case.
package capacity
