package handlers

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"time"

	"salve/internal/fault"
	"salve/internal/identity"
	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/slack"
)

// SlackStore keeps what only the Slack doors need.
type SlackStore interface {
	UseToken(ctx context.Context, jti string, expires time.Time) (first bool, err error)
	Announced(ctx context.Context, channel, ts string) (incident.ID, error)
	ModeBeforePause(ctx context.Context) (incident.Automation, error)
}

// Slack are the doors of Slack's relay. They say and decide through the same use
// cases as everybody else, so that guards, states and the record are the same.
type Slack struct {
	Store     SlackStore
	Incidents *Incidents
	Intents   *Intents
	Guards    *Guards
	Operator  *Operator
	Policy    func() *policy.Policy
	Now       func() time.Time
}

// SlackRequest is what Slack sent, relayed unchanged: the token's body_sha256 is over it.
type SlackRequest struct {
	Body []byte
}

// person is who speaks from Slack, and what they may do.
type person struct {
	identity.Caller
	user   string
	proven bool // by a token for this one request
}

// may says whether somebody may use what wants a right; every person may look and abort.
func (p person) may(r slack.Right) bool {
	switch r {
	case slack.MayLook, slack.MayAbort:
		return true
	case slack.MayDecide:
		return p.Allows(identity.IntentsDecide)
	case slack.MayRule:
		return p.Allows(identity.Admin)
	}
	return false
}

// refusal says what is missing, and who can give it.
func (p person) refusal() slack.Message {
	if !p.proven {
		return slack.Say("⛔ This needs to know for sure who you are, and the relay's token does not say: n8n has to sign one for each request. Reading and aborting work.")
	}
	return slack.Say(fmt.Sprintf("⛔ You (%s) may read and abort. For more, somebody lists you under `slack:` in Salve's policy.", slack.Escape(p.user)))
}

// person takes a user's word for who they are only where the token was signed for this
// user and this body, and was not used before. A standing token may look and abort.
func (h *Slack) person(ctx context.Context, caller identity.Caller, body []byte, user string) (person, error) {
	if caller.Request == nil {
		return person{Caller: identity.Caller{Subject: caller.Subject}, user: user}, nil
	}
	sum := sha256.Sum256(body)
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(caller.Request.BodySHA256)) != 1 {
		return person{}, fault.New(fault.Forbidden, "The token was signed for another body: body_sha256 is over the raw body, in hexadecimal digits.")
	}
	if caller.Request.SlackUser != user {
		return person{}, fault.New(fault.Forbidden, "The token was signed for another user than the one in the body.")
	}
	first, err := h.Store.UseToken(ctx, caller.TokenID, caller.ExpiresAt)
	if err != nil {
		return person{}, err
	}
	if !first {
		return person{}, fault.New(fault.Forbidden, "The token was used already: one is signed for each request.")
	}
	people, scopes := h.Policy().Settings().Slack, identity.ScopeSet(0)
	if people.MayDecide(user) {
		scopes |= identity.Scopes(identity.IntentsDecide)
	}
	if people.MayRule(user) {
		scopes |= identity.Scopes(identity.Admin)
	}
	return person{Caller: identity.Caller{Subject: "slack:" + user, Scopes: scopes}, user: user, proven: true}, nil
}

// Command answers a slash command.
func (h *Slack) Command(ctx context.Context, caller identity.Caller, req SlackRequest) (slack.Message, error) {
	slash, err := slack.ReadSlash(req.Body)
	if err != nil {
		return slack.Message{}, fault.New(fault.Malformed, "%v", err)
	}
	p, err := h.person(ctx, caller, req.Body, slash.User)
	if err != nil {
		return slack.Message{}, err
	}
	c, right, err := slack.Parse(slash.Text)
	if err != nil {
		return slack.Say("🤔 " + slack.Escape(err.Error())), nil
	}
	if !p.may(right) {
		return p.refusal(), nil
	}
	m, err := slackVerbs[c.Verb](h, ctx, p, c)
	return orRefused(m, err)
}

// Interaction answers the click of a button; the answer takes the message's place.
func (h *Slack) Interaction(ctx context.Context, caller identity.Caller, req SlackRequest) (slack.Message, error) {
	click, err := slack.ReadClick(req.Body)
	if err != nil {
		return slack.Message{}, fault.New(fault.Malformed, "%v", err)
	}
	p, err := h.person(ctx, caller, req.Body, click.User)
	if err != nil {
		return slack.Message{}, err
	}
	right := slack.MayDecide
	if click.Do == "abort" {
		right = slack.MayAbort
	}
	if !p.may(right) {
		return p.refusal(), nil
	}
	m, err := h.decide(ctx, p, click.Do, slack.Command{Name: click.Intent}, click.Hash)
	waiting := h.buttonsFor(ctx, click.Intent)
	if f := fault.As(err); err != nil && f.Kind == fault.Conflict && len(waiting) == 0 {
		m, err = h.decidedAlready(ctx, click.Intent, f)
	}
	if err != nil {
		return orRefused(m, err) // to who clicked alone: others may still decide
	}
	return m.Buttons(waiting...).ToAll().Replacing(), nil
}

// Event answers a reply in a thread: ABORT below an announcement stops what it announces.
// Nothing to say is a message without text.
func (h *Slack) Event(ctx context.Context, caller identity.Caller, req SlackRequest) (slack.Message, error) {
	reply, err := slack.ReadReply(req.Body)
	if err != nil {
		return slack.Message{}, fault.New(fault.Malformed, "%v", err)
	}
	if !reply.Aborts() {
		return slack.Message{}, nil
	}
	p, err := h.person(ctx, caller, req.Body, reply.User)
	if err != nil {
		return slack.Message{}, err
	}
	id, err := h.Store.Announced(ctx, reply.Channel, reply.Thread)
	if f := fault.As(err); err != nil && f.Kind == fault.NotFound {
		return slack.Message{}, nil // a thread of something else
	}
	if err != nil {
		return slack.Message{}, err
	}
	m, err := orRefused(h.decide(ctx, p, "abort", slack.Command{Name: id.String()}, ""))
	m.ThreadTS = reply.Thread
	return m.ToAll(), err
}

// orRefused makes an answer for people of what the state, or a missing thing, did not allow.
func orRefused(m slack.Message, err error) (slack.Message, error) {
	if err == nil {
		return m, nil
	}
	switch f := fault.As(err); f.Kind {
	case fault.Conflict, fault.NotFound, fault.Invalid:
		return slack.Say("⛔ " + slack.Escape(f.Detail)), nil
	default:
		return m, err
	}
}
