package remedy

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf16"

	"salve/internal/redact"
	"salve/internal/slack"
)

const slackTimeout = 10 * time.Second

// maxSlackText is what one block of a Slack message holds.
const maxSlackText = 3000

// slackParams is where and what; the text is plain, and is escaped here.
type slackParams struct {
	Channel  string `json:"channel"`
	Text     string `json:"text"`
	ThreadTS string `json:"thread_ts,omitempty"`
}

func readSlack(params map[string]any) (slackParams, error) {
	p := reader{given: params}
	out := slackParams{
		Channel:  p.text("channel", "#name of lower-case letters, digits, - and _ (at most 80), or a channel's id such as C0123456789", slackChannel),
		Text:     p.text("text", "a text", func(string) bool { return true }),
		ThreadTS: p.text("thread_ts", "a message's ts such as 1712345678.123456", slackTS),
	}
	return out, p.done()
}

func checkSlack(params map[string]any) error {
	_, err := readSlack(params)
	return err
}

// buildSlack renders one message about the target.
func buildSlack(r Request) (plan, error) {
	params, err := readSlack(r.Params)
	if err != nil {
		return plan{}, err
	}
	if params.Channel == "" {
		return plan{}, fmt.Errorf("channel is missing")
	}
	params.Text = slackText(redact.Text(params.Text))
	if strings.TrimSpace(params.Text) == "" {
		return plan{}, fmt.Errorf("text is missing")
	}
	target := r.Target
	if target.IsZero() {
		target = r.Incident.Target
	}
	blocks, err := slackBlocks(params.Text, r.Buttons)
	if err != nil {
		return plan{}, err
	}
	return plan{
		target:  target,
		summary: "Tell " + params.Channel + " in Slack about " + clip(target.String(), 200) + ".",
		timeout: slackTimeout,
		params:  params,
		execute: slackShape{"slack", params.Channel, params.Text, params.ThreadTS, false, blocks, int(slackTimeout / time.Second)},
	}, nil
}

// slackBlocks is a text with its buttons; nothing where there are none, because the
// text alone shows as well.
func slackBlocks(text string, buttons []slack.Button) (json.RawMessage, error) {
	if len(buttons) == 0 {
		return nil, nil
	}
	return encode(slack.Say(text).Buttons(buttons...).Blocks)
}

// slackText escapes what Slack reads as markup for links and mentions, drops
// what does not show or turns the reading order, and cuts at the block's limit.
func slackText(plain string) string {
	var b strings.Builder
	length, limit := 0, maxSlackText-1 // room for the ellipsis
	cut := 0                           // where to cut if more comes than fits
	for _, r := range plain {
		if r != '\n' && r != '\t' && unseen(r) {
			continue
		}
		escaped, width := slackRune(r)
		if length+width > maxSlackText {
			return b.String()[:cut] + "…"
		}
		length += width
		b.WriteString(escaped)
		if length <= limit {
			cut = b.Len()
		}
	}
	return b.String()
}

func unseen(r rune) bool { return unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) }

// slackRune escapes one character, and says how long Slack thinks it is.
func slackRune(r rune) (string, int) {
	switch r {
	case '&':
		return "&amp;", 5
	case '<':
		return "&lt;", 4
	case '>':
		return "&gt;", 4
	}
	return string(r), utf16.RuneLen(r)
}

func slackChannel(s string) bool {
	if name, ok := strings.CutPrefix(s, "#"); ok {
		return name != "" && len(name) <= 80 && !strings.ContainsFunc(name, func(r rune) bool {
			return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' && r != '_'
		})
	}
	return len(s) >= 9 && len(s) <= 20 && (s[0] == 'C' || s[0] == 'G') && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	})
}

func slackTS(s string) bool {
	seconds, micros, ok := strings.Cut(s, ".")
	return ok && len(seconds) == 10 && len(micros) == 6 && !strings.ContainsFunc(seconds+micros, func(r rune) bool {
		return r < '0' || r > '9'
	})
}
