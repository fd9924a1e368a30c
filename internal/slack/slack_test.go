package slack_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"salve/internal/slack"
)

func TestParse(t *testing.T) {
	const uuid = "01a21a80-1f0e-766a-ade3-4d063d14cb95"
	for text, want := range map[string]slack.Command{
		"":                            {Verb: "help"},
		"  status ":                   {Verb: "status"},
		"STATUS":                      {Verb: "status"},
		"incidents":                   {Verb: "incidents", Which: "open"},
		"incidents ALL":               {Verb: "incidents", Which: "all"},
		"show INC-1042":               {Verb: "show", Name: "INC-1042"},
		"show inc1042":                {Verb: "show", Name: "INC-1042"},
		"show " + uuid:                {Verb: "show", Name: uuid},
		"why int-7":                   {Verb: "why", Name: "INT-7"},
		"approve INT-7":               {Verb: "approve", Name: "INT-7"},
		"reject INT-7 not tonight":    {Verb: "reject", Name: "INT-7", Reason: "not tonight"},
		`reject INT-7 "not  tonight"`: {Verb: "reject", Name: "INT-7", Reason: "not  tonight"},
		"reject INT-7 “not tonight”":  {Verb: "reject", Name: "INT-7", Reason: "not tonight"},
		"resolve INC-7":               {Verb: "resolve", Name: "INC-7"},
		"abort":                       {Verb: "abort"},
		"abort int-9":                 {Verb: "abort", Name: "INT-9"},
		"freeze 90m load test":        {Verb: "freeze", For: 90 * time.Minute, Reason: "load test"},
		"freeze 1d12h move":           {Verb: "freeze", For: 36 * time.Hour, Reason: "move"},
		"unfreeze " + uuid:            {Verb: "unfreeze", Name: uuid},
		"pause it burns":              {Verb: "pause", Reason: "it burns"},
		"report":                      {Verb: "report", Which: "day"},
		"report week":                 {Verb: "report", Which: "week"},
	} {
		got, right, err := slack.Parse(text)
		if diff := cmp.Diff(want, got); err != nil || right == "" || diff != "" {
			t.Errorf("%q: %v, right %q (-want +got):\n%s", text, err, right, diff)
		}
	}
}

// What cannot be is answered with what would be right.
func TestParseRefuses(t *testing.T) {
	for text, says := range map[string]string{
		"aprove INT-1":            "Did you mean /salve approve",
		"xyzzy":                   "There are: status, incidents",
		"status now":              `here is "now". Right would be: /salve status`,
		"show":                    "Right would be: /salve show INC-1042",
		"show INT-1":              "INT-1 is not an incident",
		"show INC-0":              `"INC-0" is no name of an incident`,
		"show 1042":               `"1042" is no name of an incident`,
		"show INC-1 INC-2":        "It takes one name",
		"approve INC-1":           "INC-1 is not an intent",
		"reject INT-1":            "It wants a reason",
		`reject INT-1 " "`:        "It wants a reason",
		"freeze":                  "for how long, and why",
		"freeze 2h":               "It wants a reason",
		"freeze 2 deploy":         "is no time between a minute and 30 days",
		"freeze 31d deploy":       "is no time between a minute and 30 days",
		"freeze 0m deploy":        "is no time between a minute and 30 days",
		"freeze -1h deploy":       "is no time between a minute and 30 days",
		"unfreeze 7":              `"7" is no freeze's id`,
		"pause":                   "It wants a reason",
		`pause "it burns`:         "A quotation mark is not closed",
		"incidents closed":        "It takes open or all",
		strings.Repeat("x", 4001): "longer than the 4000 characters",
	} {
		_, _, err := slack.Parse(text)
		if wrong, ok := errors.AsType[*slack.Wrong](err); !ok || !strings.Contains(wrong.Detail, says) {
			t.Errorf("%.40q: %v, want %q", text, err, says)
		}
	}
}

// Whatever is typed, there is a command or a reason, and never a crash.
func TestParseAnything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`(show|freeze|reject|abort) [A-Za-z0-9" “”-]{0,30}`)).Draw(t, "text")
		c, right, err := slack.Parse(text)
		if err == nil && (c.Verb == "" || right == "") {
			t.Fatalf("%q: neither a command nor a reason", text)
		}
	})
}

// No message is larger than Slack takes, whatever is in it.
func TestMessagesKeepSlacksLimits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := slack.Say()
		for range rapid.IntRange(0, 70).Draw(t, "lines") {
			m = m.Line(slack.Escape(strings.Repeat(rapid.StringN(1, 40, -1).Draw(t, "text"), rapid.IntRange(1, 200).Draw(t, "times"))))
			var list []slack.Button
			for range rapid.IntRange(0, 7).Draw(t, "buttons") {
				list = append(list, slack.Button{Do: rapid.SampledFrom([]string{"abort", "approve", "reject", "explode"}).Draw(t, "do"), Intent: "x", Hash: strings.Repeat("h", 64), About: rapid.StringN(0, 900, -1).Draw(t, "about")})
			}
			m = m.Buttons(list...)
		}
		checkLimits(t, m)
	})
	checkLimits(t, slack.Help())
}

type failer interface{ Errorf(string, ...any) }

func checkLimits(t failer, m slack.Message) {
	raw, err := json.Marshal(m)
	var out struct {
		Text   string
		Blocks []struct {
			Type     string
			Text     struct{ Text string }
			Elements []struct {
				ActionID string `json:"action_id"`
				Value    string
				Text     struct{ Text string }
				Confirm  struct {
					Title, Text, Confirm, Deny struct{ Text string }
				}
			}
		}
	}
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil || len(out.Blocks) > 50 || utf8.RuneCountInString(out.Text) > 3000 {
		t.Errorf("%v: %d blocks, %d characters", err, len(out.Blocks), utf8.RuneCountInString(out.Text))
	}
	for _, b := range out.Blocks {
		if n := utf8.RuneCountInString(b.Text.Text); n > 3000 || b.Type == "section" && n == 0 {
			t.Errorf("a section of %d characters", n)
		}
		if len(b.Elements) > 5 || b.Type == "actions" && len(b.Elements) == 0 {
			t.Errorf("%d buttons", len(b.Elements))
		}
		for _, e := range b.Elements {
			c := e.Confirm
			for what, limit := range map[string]int{e.Text.Text: 75, e.Value: 2000, c.Title.Text: 100, c.Text.Text: 300, c.Confirm.Text: 30, c.Deny.Text: 30} {
				if n := utf8.RuneCountInString(what); n == 0 || n > limit {
					t.Errorf("a text of %d characters where Slack takes 1 to %d: %.40q", n, limit, what)
				}
			}
		}
	}
}

// Nothing from data mentions anybody, links anywhere, or turns the reading order.
func TestEscape(t *testing.T) {
	got := slack.Escape("<!channel> <https://evil|ok> *b* `c` a\u202eb & ~x~")
	for _, bad := range []string{"<", ">", "*", "`", "\u202e", "~"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is left in %q", bad, got)
		}
	}
}

func TestReadClickRefuses(t *testing.T) {
	for _, payload := range []string{"", "{}", `{"type":"view_submission"}`, `{"type":"block_actions","user":{"id":"U1"},"actions":[]}`,
		`{"type":"block_actions","user":{},"actions":[{"action_id":"abort","value":"x"}]}`, `{"type":"block_actions","user":{"id":"U1"},"actions":[{},{}]}`} {
		if _, err := slack.ReadClick([]byte(url.Values{"payload": {payload}}.Encode())); err == nil {
			t.Errorf("%s was taken", payload)
		}
	}
}

// Only the one word, by a person, in a thread.
func TestReplyAborts(t *testing.T) {
	for body, want := range map[string]bool{
		`{"type":"event_callback","event":{"type":"message","user":"U1","text":"ABORT","channel":"C1","thread_ts":"1.2"}}`:                 true,
		`{"type":"event_callback","event":{"type":"message","user":"U1","text":" *abort!* ","channel":"C1","thread_ts":"1.2"}}`:            true,
		`{"type":"event_callback","event":{"type":"message","user":"U1","text":"do not abort","channel":"C1","thread_ts":"1.2"}}`:          false,
		`{"type":"event_callback","event":{"type":"message","user":"U1","text":"ABORT","channel":"C1"}}`:                                   false,
		`{"type":"event_callback","event":{"type":"message","bot_id":"B1","user":"U1","text":"ABORT","channel":"C1","thread_ts":"1.2"}}`:   false,
		`{"type":"event_callback","event":{"type":"message","subtype":"message_changed","text":"ABORT","channel":"C1","thread_ts":"1.2"}}`: false,
		`{"type":"event_callback","event":{"type":"reaction_added","user":"U1","text":"ABORT","channel":"C1","thread_ts":"1.2"}}`:          false,
	} {
		r, err := slack.ReadReply([]byte(body))
		if err != nil || r.Aborts() != want {
			t.Errorf("%s: %v, %v", body, r.Aborts(), err)
		}
	}
}
