package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-isatty"

	"salve/internal/diagnose"
	"salve/internal/evidence"
	"salve/internal/incident"
)

type diagnoseCommand struct {
	Files   []string `arg:"" optional:"" help:"What is known: kubectl get -o json or -o yaml, evidence as the API takes it, or what df, du, systemctl, openssl, certbot or kubectl printed. - is standard input, as is nothing at all."`
	JSON    bool     `name:"json" help:"Print the diagnosis for a program."`
	About   string   `help:"Ask about one object or host: [NAMESPACE/]KIND/NAME, or host/NAME. Without it the worst of all there is, is told."`
	Alert   string   `help:"The name of the alert that asks."`
	NoColor bool     `name:"no-color" help:"No colours, even on a terminal (NO_COLOR does the same)."`
}

// Exit statuses of salve diagnose.
const (
	exitIll      = exitCode(1)
	exitUnusable = exitCode(2)
)

// mostInput bounds what is read from one file.
const mostInput = 64 << 20

// Help is the longer text of --help.
func (diagnoseCommand) Help() string {
	return `Examples:

  kubectl get pod,events -n production -o json | salve diagnose
  kubectl describe pod api-gateway-7d9f5b8c6-x7k2m | salve diagnose
  salve diagnose evidence.json previous.log
  ssh web-01 df -P | salve diagnose --json

It needs no server, no database and no credentials. The exit status is 0 for
healthy, 1 where something was found or nothing could be decided, and 2 where the
input cannot be used.`
}

// Run reads what there is, diagnoses it and prints the answer.
func (c diagnoseCommand) Run(env *environment) error {
	question, err := c.question()
	if err != nil {
		return c.unusable(err)
	}
	ev, err := c.read(time.Now().UTC())
	if err != nil {
		return c.unusable(err)
	}
	d := diagnosed(ev, question)
	if c.JSON {
		err = printJSON(env.stdout, d)
	} else {
		err = printDiagnosis(env.stdout, d, c.style(env.stdout))
	}
	if err != nil {
		return err
	}
	if d.Cause != incident.CauseHealthy {
		return exitIll
	}
	return nil
}

func (diagnoseCommand) unusable(err error) error {
	fmt.Fprintln(os.Stderr, "salve diagnose:", err)
	return exitUnusable
}

// diagnosed answers for now. A report that was kept, and does not say when it was
// seen, is taken for as old as the newest time that it speaks of.
func diagnosed(ev evidence.Evidence, q diagnose.Question) incident.Diagnosis {
	d := diagnose.Diagnose(ev, q)
	newest := ev.Newest()
	if d.Decided() || newest.IsZero() || ev.ObservedAt.Sub(newest) < time.Hour {
		return d
	}
	ev.ObservedAt = newest
	if again := diagnose.Diagnose(ev, q); again.Decided() {
		return again
	}
	return d
}

func (c diagnoseCommand) question() (diagnose.Question, error) {
	q := diagnose.Question{AlertName: c.Alert}
	if c.About == "" {
		return q, nil
	}
	parts := strings.Split(c.About, "/")
	switch {
	case len(parts) == 2 && strings.EqualFold(parts[0], "host") && parts[1] != "":
		q.Target = incident.Target{Kind: "Host", Host: parts[1]}
	case len(parts) == 2 && parts[0] != "" && parts[1] != "":
		q.Target = incident.Target{Kind: diagnose.Kind(parts[0]), Name: parts[1]}
	case len(parts) == 3 && parts[1] != "" && parts[2] != "":
		q.Target = incident.Target{Namespace: parts[0], Kind: diagnose.Kind(parts[1]), Name: parts[2]}
	default:
		return q, fmt.Errorf("--about %q: write [NAMESPACE/]KIND/NAME, such as production/Deployment/api-gateway, or host/web-01", c.About)
	}
	return q, nil
}

// read puts all files together. What cannot be read in one of them is named on
// standard error, and the rest is used.
func (c diagnoseCommand) read(now time.Time) (evidence.Evidence, error) {
	files := c.Files
	if len(files) == 0 {
		if isatty.IsTerminal(os.Stdin.Fd()) {
			return evidence.Evidence{}, errors.New("nothing to read: name a file, or pipe something in, such as kubectl get pod,events -o json; --help has examples")
		}
		files = []string{"-"}
	}
	var all evidence.Evidence
	known := false
	for _, file := range files {
		text, err := readInput(file)
		if err != nil {
			return all, err
		}
		ev, problems := evidence.FromFile(text, now)
		for _, p := range problems {
			fmt.Fprintf(os.Stderr, "salve diagnose: %s%s: %s\n", nameOf(file), p.Pointer, p.Detail)
		}
		if !ev.Empty() {
			if known {
				ev = all.Merge(ev)
			}
			all, known = ev, true
		}
	}
	all = attachLogs(all)
	if !known {
		return all, errors.New("nothing in the input could be used as evidence: give kubectl's JSON or YAML, evidence as the API takes it, or what df, du, systemctl, openssl, certbot or kubectl printed")
	}
	return all, nil
}

// attachLogs gives a log that names no pod to the one container that is ill. Where
// several are, or none is, nobody knows whose it is.
func attachLogs(ev evidence.Evidence) evidence.Evidence {
	var pod, container string
	crashed, ill := false, 0
	for _, p := range ev.Pods {
		for _, s := range slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses) {
			if done := s.State.Terminated != nil && s.State.Terminated.ExitCode == 0; s.Ready || done || s.State.Waiting != nil && s.State.Waiting.Reason == "PodInitializing" {
				continue
			}
			pod, container, crashed = p.Name, s.Name, s.State.Running == nil && s.State.Terminated == nil
			ill++
		}
	}
	for i, l := range ev.Logs {
		switch {
		case l.Pod != "" || len(ev.Pods) == 0:
		case ill == 1:
			ev.Logs[i].Pod, ev.Logs[i].Container, ev.Logs[i].Previous = pod, container, crashed
		default:
			fmt.Fprintln(os.Stderr, "salve diagnose: a log was not used: it does not say which container it is from; give it as evidence logs[] {pod, container, previous, text}")
		}
	}
	return ev
}

func nameOf(file string) string {
	if file == "-" {
		return "standard input"
	}
	return file
}

func readInput(file string) ([]byte, error) {
	var in io.Reader = os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, mostInput+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", nameOf(file), err)
	case len(text) > mostInput:
		return nil, fmt.Errorf("%s is over %d MiB: give a part of it, such as one namespace", nameOf(file), mostInput>>20)
	}
	return text, nil
}

// answer is a diagnosis as programs get it.
type answer struct {
	Cause        string                 `json:"cause"`
	Confidence   float64                `json:"confidence"`
	Container    string                 `json:"container"`
	Summary      string                 `json:"summary"`
	Chain        []string               `json:"chain"`
	Evidence     []string               `json:"evidence"`
	Missing      []string               `json:"missing"`
	Alternatives []incident.Alternative `json:"alternatives"`
	Subject      *incident.Target       `json:"subject,omitempty"`
	Owner        *incident.Target       `json:"owner,omitempty"`
}

func printJSON(w io.Writer, d incident.Diagnosis) error {
	a := answer{d.Cause, d.Confidence, d.Container, d.Summary, d.Chain, d.Evidence, d.Missing, d.Alternatives, nil, nil}
	if !d.Subject.IsZero() {
		a.Subject = &d.Subject
	}
	if !d.Owner.IsZero() {
		a.Owner = &d.Owner
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(a)
}

func (c diagnoseCommand) style(w io.Writer) style {
	s := style{width: plainWidth}
	f, ok := w.(*os.File)
	if !ok || !isatty.IsTerminal(f.Fd()) {
		return s
	}
	s.width = terminalWidth(f)
	s.colour = !c.NoColor && os.Getenv("NO_COLOR") == "" && cmp.Or(os.Getenv("TERM"), "dumb") != "dumb"
	return s
}
