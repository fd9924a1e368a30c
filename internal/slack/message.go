package slack

import (
	"strings"
	"unicode"

	"github.com/slack-go/slack"
)

// Slack's limits on a message. Source: Slack's reference of Block Kit.
const (
	maxBlocks     = 50
	maxBlockText  = 3000
	maxButtons    = 5
	maxButtonText = 75
	maxValue      = 2000
	maxConfirm    = 300
)

// Message is an answer to a command, or what takes a message's place after a click.
// Slack takes it as it is: to response_url, or as the answer itself.
type Message struct {
	ResponseType    string        `json:"response_type,omitempty"` // ephemeral or in_channel
	ReplaceOriginal bool          `json:"replace_original,omitempty"`
	ThreadTS        string        `json:"thread_ts,omitempty"`
	Text            string        `json:"text"` // where no blocks are shown: lock screens, screen readers
	Blocks          []slack.Block `json:"blocks,omitempty"`
}

// Say is an answer that only who asked sees. Lines are Slack's mrkdwn, with what
// comes from data escaped already.
func Say(lines ...string) Message {
	m := Message{ResponseType: slack.ResponseTypeEphemeral}
	for _, line := range lines {
		m = m.Line(line)
	}
	return m
}

// ToAll makes an answer be seen by the channel.
func (m Message) ToAll() Message { m.ResponseType = slack.ResponseTypeInChannel; return m }

// Replacing makes it take the place of the message that was clicked in.
func (m Message) Replacing() Message { m.ReplaceOriginal = true; return m }

// Line adds one section; what is too long is cut, and a message that is full ends
// with how many were left out.
func (m Message) Line(text string) Message {
	if strings.TrimSpace(text) == "" {
		return m
	}
	if m.Text != "" {
		m.Text += "\n"
	}
	m.Text = clip(m.Text+text, maxBlockText)
	if len(m.Blocks) == maxBlocks-1 {
		m.Blocks = append(m.Blocks, section("… and more, which no message holds."))
	}
	if len(m.Blocks) < maxBlocks {
		m.Blocks = append(m.Blocks, section(clip(text, maxBlockText)))
	}
	return m
}

func section(text string) slack.Block {
	return slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, text, false, false), nil, nil)
}

// Button is something that can be clicked.
type Button struct {
	Do     string // abort, approve, reject
	Intent string // id
	Hash   string // of the plan that is seen; approve only
	About  string // the plan in a sentence, for the dialog that asks once more
}

// buttons by what they do: what stands on them, and what the dialog asks.
var buttons = map[string]struct {
	label, ask, yes string
	style           slack.Style
}{
	"abort":   {"Abort", "Stop this?", "Abort", slack.StyleDanger},
	"approve": {"Approve", "Say yes to this?", "Yes, do it", slack.StylePrimary},
	"reject":  {"Reject", "Say no to this?", "No, don't", slack.StyleDanger},
}

// Buttons adds a row of them; Slack takes five.
func (m Message) Buttons(list ...Button) Message {
	var elements []slack.BlockElement
	for _, b := range list {
		if look, known := buttons[b.Do]; known && len(elements) < maxButtons {
			e := slack.NewButtonBlockElement(b.Do, clip(strings.TrimSpace(b.Intent+" "+b.Hash), maxValue), plain(clip(look.label, maxButtonText)))
			e.Style = look.style
			e.Confirm = slack.NewConfirmationBlockObject(plain(look.ask), plain(clip(orElse(b.About, look.ask), maxConfirm)), plain(look.yes), plain("Not now"))
			elements = append(elements, e)
		}
	}
	if len(elements) > 0 && len(m.Blocks) < maxBlocks {
		m.Blocks = append(m.Blocks, slack.NewActionBlock("", elements...))
	}
	return m
}

func plain(text string) *slack.TextBlockObject {
	return slack.NewTextBlockObject(slack.PlainTextType, text, false, false)
}

func orElse(text, other string) string {
	if strings.TrimSpace(text) == "" {
		return other
	}
	return text
}

// Escape makes what comes from data plain text in a message: no links, no mentions,
// no markup, nothing that does not show or turns the reading order.
func Escape(text string) string {
	text = strings.Map(func(r rune) rune {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return -1
		}
		return r
	}, text)
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "*", "∗", "_", "_\u200b", "`", "ʼ", "~", "∼").Replace(text)
}

// Help lists the commands.
func Help() Message {
	var lines []string
	for _, v := range verbs() {
		lines = append(lines, "`/salve "+strings.TrimSpace(v.name+" "+Escape(v.form))+"` — "+v.does)
	}
	return Say("*What Salve understands*", strings.Join(lines, "\n"), "A reply `ABORT` in the thread of an announcement stops what it announces.")
}
