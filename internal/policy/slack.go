package policy

import (
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// SlackPeople says what people may do from Slack, by their Slack user id. Whoever
// is not listed reads and aborts.
type SlackPeople struct {
	Decide []string          // approve, reject, acknowledge, resolve; a rule's approvers narrow it
	Admin  []string          // that, and freeze, unfreeze, pause, resume
	People map[string]string // what a user is called where they hold a token of their own
}

var slackUser = regexp.MustCompile(`^[UW][A-Z0-9]{2,20}$`)

func (p *SlackPeople) fields(r *reader) []field {
	users := func(name string, into *[]string) field {
		return field{name, func(n ast.Node) {
			*into = nil
			r.texts(n, name, func(item ast.Node, s string) {
				if !slackUser.MatchString(s) {
					r.fail(item, "%s: %q is no Slack user's id; U0123ABC would be right", name, clip(s))
					return
				}
				*into = append(*into, s)
			})
		}}
	}
	return []field{users("decide", &p.Decide), users("admin", &p.Admin), {"people", func(n ast.Node) { p.readPeople(r, n) }}}
}

var subjectShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._@/-]{0,126}[A-Za-z0-9])?$`)

func (p *SlackPeople) readPeople(r *reader, n ast.Node) {
	p.People = nil
	for _, kv := range r.pairs(n, "people") {
		user := keyOf(kv)
		if !slackUser.MatchString(user) {
			r.fail(kv.Key, "people: %q is no Slack user's id; U0123ABC would be right", clip(user))
			continue
		}
		if subject, ok := r.matching(kv.Value, user, subjectShape, "the subject of a token, such as ines"); ok {
			if p.People == nil {
				p.People = map[string]string{}
			}
			p.People[user] = subject
		}
	}
}

// Person is the one name of whoever may be known by two: that of their own token, where
// policy says which it is.
func (p SlackPeople) Person(subject string) string {
	if user, is := strings.CutPrefix(subject, "slack:"); is && p.People[user] != "" {
		return p.People[user]
	}
	return subject
}

// MayDecide says whether a Slack user may say yes and no.
func (p SlackPeople) MayDecide(user string) bool {
	return slices.Contains(p.Decide, user) || p.MayRule(user)
}

// MayRule says whether a Slack user may stop all changes and let them go on.
func (p SlackPeople) MayRule(user string) bool { return slices.Contains(p.Admin, user) }
