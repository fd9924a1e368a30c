package main

import (
	"encoding/json"
	"fmt"
	"html"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"salve/test/standin"
)

// narrator tells what happens: time, who, what.
type narrator struct {
	out   io.Writer
	cause string // told already
}

func (n *narrator) say(who, format string, args ...any) {
	first := fmt.Sprintf("%s  %-12s  ", time.Now().Format("15:04:05"), who)
	n.print(first, strings.Repeat(" ", len(first)), fmt.Sprintf(format, args...))
}

// more goes on with what was said last.
func (n *narrator) more(format string, args ...any) {
	indent := strings.Repeat(" ", len("15:04:05  alertmanager  "))
	n.print(indent, indent+"  ", fmt.Sprintf(format, args...))
}

// columns is how wide a line may be before it goes on in the next.
const columns = 118

func (n *narrator) print(first, next, text string) {
	line := first
	empty := true
	for word := range strings.FieldsSeq(text) {
		if !empty && utf8.RuneCountInString(line)+utf8.RuneCountInString(word) >= columns {
			fmt.Fprintln(n.out, line)
			line, empty = next, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(n.out, line)
}

func (n *narrator) heading(text string) {
	fmt.Fprintf(n.out, "\n%s\n%s\n\n", text, strings.Repeat("─", len([]rune(text))))
}

func (n *narrator) opening() {
	fmt.Fprintln(n.out, `A pod runs out of memory at night. Salve finds out why, decides what may be done,
and a stand-in for n8n does it, with credentials that Salve never sees.`)
	n.heading("The alert")
}

func (n *narrator) started(s *salve) {
	n.say("salve", "is ready at %s: live, with a Postgres of its own, both gone after this.", s.url)
}

func (n *narrator) firing() {
	n.say("alertmanager", "KubePodCrashLooping is firing (warning): pod %s/%s on %s.", standin.Namespace, standin.CrashingPod, cluster)
}

// judged tells a diagnosis that is news, with the evidence it rests on, and the
// decision that followed.
func (n *narrator) judged(r itemResult) {
	d := r.Diagnosis
	if d == nil || r.Decision == nil || d.Cause == n.cause {
		return
	}
	n.cause = d.Cause
	if d.Cause == "unknown" {
		n.say("salve", "does not know yet, and does not guess. It would take: %s.", strings.Join(d.Missing, "; "))
		return
	}
	n.say("salve", "diagnoses %s, %.0f %% sure:", d.Cause, 100*d.Confidence)
	n.more("%s", d.Summary)
	for _, quoted := range d.Evidence {
		n.more("“%s”", quoted)
	}
	n.decided(r.Decision)
}

func (n *narrator) decided(d *decision) {
	switch d.Verdict {
	case "collect":
		return
	case "wait":
		n.more("%s", strings.Join(d.Reasons, "; "))
		return
	}
	n.say("salve", "decides: %s, level %d, risk %s.", d.Verdict, d.Level, d.Risk)
	for _, reason := range d.Reasons {
		n.more("because %s", reason)
	}
	for _, g := range d.Guards {
		n.more("guard %s lets it pass: %s", g.Guard, g.Reading)
	}
	n.heading("The repair")
}

// did tells of one intent that was claimed, executed and reported.
func (n *narrator) did(step standin.Step) {
	n.say("n8n", "%s %s: %s", step.Intent.ShortID, step.Intent.Action, step.Intent.Summary)
	n.more("%s", outcome(step))
	if step.Execute.Shape == "slack" {
		n.slack(step.Execute.Message)
	}
	var results []itemResult
	if json.Unmarshal(step.Answer.Results, &results) == nil && len(results) == 1 {
		n.judged(results[0])
	}
}

func outcome(step standin.Step) string {
	what := step.Result.Status
	switch {
	case step.Result.Error != "":
		return what + ": " + step.Result.Error
	case step.Execute.Shape == "kubernetes":
		return fmt.Sprintf("%s: %s %s answered %v", what, step.Execute.Method, step.Execute.Path, step.Result.Output["http_code"])
	case step.Execute.Shape == "collect":
		return fmt.Sprintf("%s: %d reads of the cluster, nothing changed", what, len(step.Execute.Requests))
	}
	return what
}

// boxed is the left side of a message.
const boxed = "                        │ "

// slack draws a message as people see it.
func (n *narrator) slack(m standin.Message) {
	n.more("┌ Slack  %s", m.Channel)
	for line := range strings.SplitSeq(html.UnescapeString(m.Text), "\n") {
		n.print(boxed, boxed+"  ", line)
	}
	n.more("└")
}

func (n *narrator) asked(in plan) {
	n.heading("The one question for a human")
	n.say("salve", "%s waits for a yes (%s risk): %s", in.ShortID, in.Risk, in.Summary)
	n.more("memory limit %v → %v; plan %.12s…", in.Params["from"], in.Params["to"], in.PlanHash)
	n.more("way back: %v", in.Rollback["summary"])
}

func (n *narrator) approved(in plan) {
	n.say("ines", "says yes to exactly this plan. %s is %s.", in.ShortID, in.State)
}

func (n *narrator) watching() {
	n.heading("Did it help?")
	n.say("salve", "watches: what is seen counts, not what was reported.")
}

func (n *narrator) resolving(outcome string) {
	n.say("alertmanager", "KubePodCrashLooping is resolved, as its look-back is over.")
	n.say("salve", "keeps that (%s); there is nothing left to do.", outcome)
}

func (n *narrator) resolved(i incidentStory) {
	n.say("salve", "%s is %s: %s.", i.ShortID, i.State, i.Resolution)
}

func (n *narrator) story(i incidentStory) {
	n.heading("The story of " + i.ShortID + ", as Salve wrote it down")
	for _, line := range i.Story {
		first := fmt.Sprintf("%s  %-5s  %-18s  ", line.At.Local().Format("15:04:05.000"), line.Actor, line.Operation)
		indent := strings.Repeat(" ", len(first))
		n.print(first, indent, line.Object)
		if line.Reason != "" {
			n.print(indent, indent, line.Reason)
		}
	}
}

func (n *narrator) audit(v verification) {
	fmt.Fprintln(n.out)
	if v.OK {
		n.say("audit", "holds: %d rows, each chained to the one before it; the last is %.16s….", v.Rows, v.Head)
		return
	}
	n.say("audit", "does not hold: %s", v.Broken)
}

func (n *narrator) verdict(err error) error {
	if err == nil {
		fmt.Fprint(n.out, "\nEverything happened as it should.\n")
	}
	return err
}
