package triage

import (
	"fmt"
	"slices"
	"time"

	"salve/internal/evidence"
	"salve/internal/incident"
)

// watching says whether a repair is being verified: what is seen counts, not
// what was reported.
func (r *round) watching() bool { return !r.inc.VerifyBy.IsZero() }

// verify watches after the last urgent step of a rung, or where evidence shows
// health although an alert fires.
func (r *round) verify() {
	if !r.inc.Open() {
		return
	}
	began := !r.watching() && r.beginWatching()
	if !r.watching() {
		return
	}
	if r.looked {
		r.judgeLook()
	}
	if r.watching() && r.inc.Open() {
		r.keepLooking(began && !(r.looked && r.trusted))
	}
}

func (r *round) beginWatching() bool {
	healthy := r.looked && r.out.Diagnosis.Cause == incident.CauseHealthy && !r.objectiveUnseen()
	if r.liveRung() || r.rungGoesOn() || !healthy && !r.rungJustEnded() {
		return false
	}
	r.inc.VerifyBy = r.now.Add(r.verificationWindow())
	r.inc.HealthyAt = zeroTime
	return true
}

// rungGoesOn says whether more of the rung runs by itself, although nothing waits
// for it: what is seen before that says little.
func (r *round) rungGoesOn() bool {
	return r.anyChange(func(in incident.Intent) bool {
		moves := in.State == incident.Waiting || in.State == incident.Ready || in.State == incident.Running
		return in.Independent && in.Mode != incident.Approve && !in.OnFailure && in.Undoes.IsZero() && moves
	})
}

// rungJustEnded says whether a change ended in this round in a way that may have
// helped: done, or lost and perhaps done.
func (r *round) rungJustEnded() bool {
	return r.endedUp(func(in incident.Intent) bool {
		return in.State == incident.Succeeded || in.State == incident.Lost
	})
}

// judgeLook says what a look showed. Time is reckoned from what was seen to what
// was seen: between two looks nobody knows.
func (r *round) judgeLook() {
	switch d := r.out.Diagnosis; {
	case !r.trusted, d.Cause == incident.CauseHealthy && r.objectiveUnseen():
		return
	case d.Cause == incident.CauseHealthy:
		r.judgeHealthy(r.current.ObservedAt)
	case d.Decided():
		r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
		r.acted = true
		r.audit("incident.ineffective", incident.ID{}, r.inc.Target.String(), "ill while it was watched: "+d.Summary)
		if !r.undone() {
			r.endRepairs(all(incident.RepairIneffective))
		}
	default:
		r.inc.HealthyAt = zeroTime
	}
}

func (r *round) judgeHealthy(at time.Time) {
	if r.inc.HealthyAt.IsZero() || r.inc.HealthyAt.Before(r.lastChangeEnd()) {
		r.inc.HealthyAt = at // what was seen before the last change says nothing about now
		if began := beganAt(r.current); !began.IsZero() {
			r.inc.HealthyAt = earlier(began, at) // a window that keeps its objectives was well all along
		}
	}
	if seen := at.Sub(r.inc.HealthyAt); seen >= r.set.Verification.HealthyFor {
		r.resolve(fmt.Sprintf("verified: healthy for %s", seen.Round(time.Second)))
	}
}

// objectiveUnseen says whether the incident is about an objective, about more pods for
// a load, or about a disk that fills, and what is seen does not measure it: that the
// pods are well, or the disk not full yet, is no news then.
func (r *round) objectiveUnseen() bool {
	return r.inc.Family == "slo" && len(r.current.Aggregates) == 0 || sized(r.knowledge) && !sized(r.current) || r.fills() && !eased(r.knowledge, r.current)
}

// fills says whether it is about a disk that will be full.
func (r *round) fills() bool {
	const filling = "trend.disk_filling"
	return r.inc.Family == "trend" && (r.inc.Hypothesis == filling || r.inc.Cause == filling)
}

// easedBy is by how many points less of a disk must be in use for a cleaning to have
// helped against its growth.
const easedBy = 1

// eased says whether less of a disk is in use than where its series ended. Where no
// series is known, that it is not full has to do.
func eased(before, now evidence.Evidence) bool {
	known := false
	for _, u := range before.Usages {
		for _, s := range u.Series {
			if s.Metric != evidence.DiskPercent || len(s.Points) == 0 {
				continue
			}
			known = true
			if use, seen := inUse(now, s.About); seen && use <= s.Points[len(s.Points)-1].Value.Value-easedBy {
				return true
			}
		}
	}
	return !known
}

func inUse(ev evidence.Evidence, mount string) (float64, bool) {
	for _, d := range ev.Disks {
		for _, f := range d.Filesystems {
			if f.Mount == mount && f.UsePercent.Known {
				return f.UsePercent.Value, true
			}
		}
	}
	return 0, false
}

// sized says whether evidence holds what POST /v1/capacity made of a workload's use.
func sized(ev evidence.Evidence) bool {
	return slices.ContainsFunc(ev.Usages, func(u evidence.Usage) bool { return u.Measured[evidence.PresentReplicas].Known })
}

// dropLooks takes back the looks that are not under way yet.
func (r *round) dropLooks() {
	for i := range r.intents {
		if in := r.intents[i]; in.Effect == incident.Observe && in.State.Unclaimed() && !r.rechecks() {
			r.move(i, incident.Supersede, "the watch is over")
		}
	}
}

// rechecks says whether a change waits for a look.
func (r *round) rechecks() bool {
	return r.anyChange(func(in incident.Intent) bool { return in.State == incident.Rechecking })
}

// undone issues a lost change once more where the look shows that it was not
// done: the same plan can be made again, for the same object as it was. It says
// whether it did.
func (r *round) undone() bool {
	at := r.lastRepair()
	if at < 0 || r.intents[at].State != incident.Lost || r.intents[at].Attempt > 0 {
		return false
	}
	old := r.intents[at]
	if again, err := r.rebuild(old); err != nil || again.PlanHash != old.PlanHash {
		return false // it was done after all, or is not wanted any more
	}
	next := anew(old)
	next.Attempt++
	next.EvidenceAt = r.current.ObservedAt
	next.Reason = "issued anew: it was lost, and is seen not to be done"
	if next.Mode == incident.Hold {
		next.Mode = incident.Approve // the window was for the first one
	}
	r.add(next)
	return true
}

// lastRepair is the last urgent change of this stretch, or -1.
func (r *round) lastRepair() int {
	last := -1
	for i, in := range r.intents {
		if in.Effect == incident.Change && !in.Independent && r.ofThisStretch(in) {
			last = i
		}
	}
	return last
}

// keepLooking asks for the next look, the first one at once, or gives up when
// the window closes.
func (r *round) keepLooking(atOnce bool) {
	if r.now.After(r.inc.VerifyBy) {
		r.inc.VerifyBy, r.inc.HealthyAt = zeroTime, zeroTime
		r.dropLooks()
		r.endRepairs(all(incident.RepairInconclusive))
		r.escalating = "inconclusive: the verification window closed before health was seen for long enough"
		r.acted = true
		return
	}
	if r.liveCollect() {
		return // the next look is on its way
	}
	target := r.subject()
	in, err := r.build(r.look(target), target, nil)
	if err != nil {
		return // what cannot be looked at is left to the alert and the window's end
	}
	in.Mode, in.State, in.Reason = incident.Auto, incident.Waiting, "to see whether the repair helped"
	in.Attempt = len(reissueAfter) // the next look comes by itself
	if !atOnce {
		in.NotBefore = r.now.Add(r.set.Verification.LookEvery)
	}
	r.add(in)
}
