package slack

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"salve/internal/suggest"
)

// Right is what one must be allowed to use a command.
type Right string

// The rights, each with what it opens.
const (
	MayLook   Right = "look"   // everybody
	MayAbort  Right = "abort"  // everybody
	MayDecide Right = "decide" // policy's slack.decide: approve, reject, ack, resolve
	MayRule   Right = "admin"  // policy's slack.admin: freeze, unfreeze, pause, resume
)

// Command is what somebody asked for.
type Command struct {
	Verb   string
	Name   string // INC-1042 or INT-2077, or a freeze's id
	Which  string // incidents: open or all; report: day or week
	For    time.Duration
	Reason string
}

// verb is one row of the grammar.
type verb struct {
	name  string
	form  string // of its arguments, as help shows it
	does  string
	right Right
	read  func(args []string) (Command, error)
}

// verbs are the whole grammar of /salve.
func verbs() []verb {
	return []verb{
		{"status", "", "what is going on", MayLook, bare},
		{"incidents", "[open|all]", "what is wrong, newest first", MayLook, oneOf("open", "all")},
		{"show", "INC-1042", "one incident: what happened, what was done, what is wanted", MayLook, named(incidentName)},
		{"why", "INT-2077", "why an intent is there, and what stands in its way", MayLook, named(intentName)},
		{"ack", "INC-1042", "you have seen it", MayDecide, named(incidentName)},
		{"resolve", "INC-1042 [reason]", "it is over", MayDecide, namedBecause(incidentName, false)},
		{"approve", "INT-2077", "shows the plan, with a button to say yes", MayDecide, named(intentName)},
		{"reject", "INT-2077 reason", "no", MayDecide, namedBecause(intentName, true)},
		{"abort", "[INT-2077]", "stops what is about to be done", MayAbort, optional(intentName)},
		{"freeze", "2h reason", "no changes for so long", MayRule, freeze},
		{"unfreeze", "[id]", "changes may be made again", MayRule, optional(freezeName)},
		{"pause", "reason", "the kill switch: no changes at all", MayRule, because},
		{"resume", "", "changes may be made again", MayRule, bare},
		{"policy", "", "which policy is in force", MayLook, bare},
		{"report", "[day|week]", "what was done", MayLook, oneOf("day", "week")},
		{"help", "", "this", MayLook, bare},
	}
}

// Wrong is a command that cannot be; its text says what would be right.
type Wrong struct{ Detail string }

func (w *Wrong) Error() string { return w.Detail }

func wrong(format string, args ...any) *Wrong { return &Wrong{fmt.Sprintf(format, args...)} }

// maxText is what Slack lets people type.
const maxText = 4000

// Parse reads what was typed behind /salve. Every error is a *Wrong.
func Parse(text string) (Command, Right, error) {
	if len(text) > maxText {
		return Command{}, "", wrong("That is longer than the %d characters that are read.", maxText)
	}
	words, err := split(text)
	if err != nil {
		return Command{}, "", err
	}
	if len(words) == 0 {
		words = []string{"help"}
	}
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == strings.ToLower(words[0]) })
	if i < 0 {
		return Command{}, "", unknown(words[0])
	}
	v := all[i]
	c, err := v.read(words[1:])
	if err != nil {
		return Command{}, v.right, wrong("%s Right would be: /salve %s", err.Error(), strings.TrimSpace(v.name+" "+v.form))
	}
	c.Verb = v.name
	return c, v.right, nil
}

func unknown(word string) error {
	names := make([]string, 0, len(verbs()))
	for _, v := range verbs() {
		names = append(names, v.name)
	}
	if best := suggest.Nearest(strings.ToLower(word), names); best != "" {
		return wrong("There is no command %q. Did you mean /salve %s?", clip(word, 40), best)
	}
	return wrong("There is no command %q. There are: %s.", clip(word, 40), strings.Join(names, ", "))
}

// quotes open and close a reason; phones make curly ones of straight ones.
var quotes = map[rune]rune{'"': '"', '“': '”', '„': '“', '«': '»'}

// split cuts a text into words; what stands in quotes is one.
func split(text string) ([]string, error) {
	var words []string
	var word strings.Builder
	var closing rune
	begun := false
	for _, r := range text {
		switch {
		case closing != 0 && (r == closing || r == '"'):
			closing = 0
		case closing == 0 && quotes[r] != 0:
			closing, begun = quotes[r], true
		case closing == 0 && (r == ' ' || r == '\t' || r == '\n' || r == '\u00a0'):
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	if closing != 0 {
		return nil, wrong("A quotation mark is not closed.")
	}
	if begun {
		words = append(words, word.String())
	}
	return words, nil
}

func bare(args []string) (Command, error) {
	if len(args) > 0 {
		return Command{}, wrong("It takes nothing, and here is %q.", clip(args[0], 40))
	}
	return Command{}, nil
}

func oneOf(known ...string) func([]string) (Command, error) {
	return func(args []string) (Command, error) {
		switch {
		case len(args) == 0:
			return Command{Which: known[0]}, nil
		case len(args) == 1 && slices.Contains(known, strings.ToLower(args[0])):
			return Command{Which: strings.ToLower(args[0])}, nil
		}
		return Command{}, wrong("It takes %s.", strings.Join(known, " or "))
	}
}

// name reads a name and gives it as it is written here.
type name func(word string) (string, error)

var (
	numbered  = regexp.MustCompile(`^(?i)(inc|int)-?([1-9][0-9]{0,17})$`)
	uuidShape = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
)

func incidentName(word string) (string, error) { return shortName("INC", "an incident", word) }
func intentName(word string) (string, error)   { return shortName("INT", "an intent", word) }

func shortName(prefix, what, word string) (string, error) {
	if low := strings.ToLower(word); uuidShape.MatchString(low) {
		return low, nil
	}
	m := numbered.FindStringSubmatch(word)
	switch {
	case m == nil:
		return "", wrong("%q is no name of %s.", clip(word, 40), what)
	case !strings.EqualFold(m[1], prefix):
		return "", wrong("%s-%s is not %s.", strings.ToUpper(m[1]), m[2], what)
	}
	return prefix + "-" + m[2], nil
}

func freezeName(word string) (string, error) {
	if low := strings.ToLower(word); uuidShape.MatchString(low) {
		return low, nil
	}
	return "", wrong("%q is no freeze's id.", clip(word, 40))
}

func named(read name) func([]string) (Command, error) {
	return func(args []string) (Command, error) {
		if len(args) != 1 {
			return Command{}, wrong("It takes one name.")
		}
		n, err := read(args[0])
		return Command{Name: n}, err
	}
}

func optional(read name) func([]string) (Command, error) {
	return func(args []string) (Command, error) {
		if len(args) == 0 {
			return Command{}, nil
		}
		return named(read)(args)
	}
}

func namedBecause(read name, needed bool) func([]string) (Command, error) {
	return func(args []string) (Command, error) {
		if len(args) == 0 {
			return Command{}, wrong("It takes a name.")
		}
		n, err := read(args[0])
		c := Command{Name: n, Reason: strings.Join(args[1:], " ")}
		if err == nil && needed && strings.TrimSpace(c.Reason) == "" {
			err = wrong("It wants a reason.")
		}
		return c, err
	}
}

func because(args []string) (Command, error) {
	c := Command{Reason: strings.Join(args, " ")}
	if strings.TrimSpace(c.Reason) == "" {
		return c, wrong("It wants a reason.")
	}
	return c, nil
}

const (
	minFreeze = time.Minute
	maxFreeze = 30 * 24 * time.Hour
)

func freeze(args []string) (Command, error) {
	if len(args) == 0 {
		return Command{}, wrong("It wants to know for how long, and why.")
	}
	d, err := duration(args[0])
	if err != nil {
		return Command{}, err
	}
	c, err := because(args[1:])
	c.For = d
	return c, err
}

var durationShape = regexp.MustCompile(`^(?:(\d{1,3})d)?(?:(\d{1,4})h)?(?:(\d{1,5})m)?$`)

func duration(word string) (time.Duration, error) {
	m := durationShape.FindStringSubmatch(strings.ToLower(word))
	var d time.Duration
	if m != nil {
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute} {
			n := 0
			if m[i+1] != "" {
				_, _ = fmt.Sscan(m[i+1], &n)
			}
			d += time.Duration(n) * unit
		}
	}
	if d < minFreeze || d > maxFreeze {
		return 0, wrong("%q is no time between a minute and 30 days, such as 30m, 2h or 1d12h.", clip(word, 40))
	}
	return d, nil
}

func clip(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:n-1]) + "…"
}
