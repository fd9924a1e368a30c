package remedy

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"salve/internal/incident"
	"salve/internal/redact"
)

// What tells people, beside one message in Slack.
func tellings() []remedy {
	const tell = incident.Tell
	return []remedy{
		{Entry{"ticket.create", tell, low, false, "one ticket"}, checkTicket, buildTicket, nil},
		{Entry{"notify.sms", tell, low, false, "one text message"}, checkSMS, buildSMS, nil},
		{Entry{"notify.digest", tell, low, false, "one line in the next digest"}, checkSlack, buildDigest, nil},
	}
}

type ticketShape struct {
	Shape          string `json:"shape"`
	Queue          string `json:"queue"`
	Title          string `json:"title"`
	Body           string `json:"body"`
	TimeoutSeconds int    `json:"timeout_seconds"`
}

type ticketParams struct {
	Queue string `json:"queue"`
	Title string `json:"title"`
	Body  string `json:"body"`
}

const ticketTimeout = 30 * time.Second

func readTicket(params map[string]any) (ticketParams, error) {
	p := reader{given: params}
	out := ticketParams{
		Queue: cmp.Or(p.text("queue", "the name of a queue: lower-case letters, digits and -", isLabel), "operations"),
		Title: p.text("title", "a text", anyText), Body: p.text("body", "a text", anyText),
	}
	return out, p.done()
}

// printable drops what does not show, or turns the reading order.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && unseen(r) {
			return -1
		}
		return r
	}, text)
}

func anyText(string) bool { return true }

func checkTicket(params map[string]any) error {
	_, err := readTicket(params)
	return err
}

// buildTicket writes down what is wrong, for whoever takes it up by day.
func buildTicket(r Request) (plan, error) {
	params, err := readTicket(r.Params)
	if err != nil {
		return plan{}, err
	}
	name := incident.IncidentNumber(r.Incident.Number)
	params.Title = clip(redact.Text(cmp.Or(params.Title, name+": "+r.Diagnosis.Cause+" on "+r.Incident.Target.String())), 200)
	body := []string{r.Diagnosis.Summary}
	for _, quote := range r.Diagnosis.Evidence {
		body = append(body, "- "+quote)
	}
	params.Title = printable(params.Title)
	params.Body = clip(printable(redact.Text(cmp.Or(params.Body, strings.Join(body, "\n")))), 8000)
	return plan{
		target: r.Incident.Target, summary: "Open a ticket in " + params.Queue + ": " + params.Title + ".", timeout: ticketTimeout, params: params,
		execute: ticketShape{"ticket", params.Queue, params.Title, params.Body, int(ticketTimeout / time.Second)},
	}, nil
}

type smsShape struct {
	Shape          string `json:"shape"`
	To             string `json:"to"` // a list that n8n keeps: Salve knows no number
	Text           string `json:"text"`
	TimeoutSeconds int    `json:"timeout_seconds"`
}

type smsParams struct {
	To   string `json:"to"`
	Text string `json:"text"`
}

// maxSMS is two concatenated messages of the GSM alphabet.
const maxSMS = 306

func readSMS(params map[string]any) (smsParams, error) {
	p := reader{given: params}
	out := smsParams{
		To:   cmp.Or(p.text("to", "the name of a list that n8n keeps: lower-case letters, digits and -", isLabel), "on-call"),
		Text: p.text("text", "a text", anyText),
	}
	return out, p.done()
}

func checkSMS(params map[string]any) error {
	_, err := readSMS(params)
	return err
}

func buildSMS(r Request) (plan, error) {
	params, err := readSMS(r.Params)
	if err != nil {
		return plan{}, err
	}
	text := cmp.Or(params.Text, fmt.Sprintf("%s %s: %s", incident.IncidentNumber(r.Incident.Number), r.Diagnosis.Cause, r.Incident.Target))
	params.Text = clip(strings.Join(strings.Fields(printable(redact.Text(text))), " "), maxSMS-len("…"))
	if params.Text == "" {
		return plan{}, fmt.Errorf("text is missing")
	}
	return plan{
		target: r.Incident.Target, summary: "Text " + params.To + " about " + clip(r.Incident.Target.String(), 200) + ".", timeout: slackTimeout, params: params,
		execute: smsShape{"sms", params.To, params.Text, int(slackTimeout / time.Second)},
	}, nil
}

// buildDigest is a message that waits for the next digest.
func buildDigest(r Request) (plan, error) {
	p, err := buildSlack(r)
	if err != nil {
		return plan{}, err
	}
	x, ok := p.execute.(slackShape)
	if !ok {
		return plan{}, fmt.Errorf("a digest is a message in Slack")
	}
	x.Digest = true
	p.execute, p.summary = x, strings.Replace(p.summary, "Tell ", "Put into the next digest of ", 1)
	return p, nil
}
