package slack

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
)

// Slash is a slash command as Slack sends it, form-encoded.
type Slash struct {
	User    string // U0123ABC
	Text    string
	Channel string
}

var errForm = errors.New("the body is not the form that Slack sends: user_id and command are missing")

// ReadSlash reads the body of a slash command.
func ReadSlash(body []byte) (Slash, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("user_id") == "" || form.Get("command") == "" {
		return Slash{}, errForm
	}
	return Slash{User: form.Get("user_id"), Text: form.Get("text"), Channel: form.Get("channel_id")}, nil
}

// Click is a button that was pressed.
type Click struct {
	User   string
	Do     string // the button's action id
	Intent string
	Hash   string
}

// ReadClick reads the body of an interaction: a form whose field payload is JSON.
func ReadClick(body []byte) (Click, error) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return Click{}, errors.New("the body is not the form that Slack sends")
	}
	var payload struct {
		Type string `json:"type"`
		User struct {
			ID string `json:"id"`
		} `json:"user"`
		Actions []struct {
			ActionID string `json:"action_id"`
			Value    string `json:"value"`
		} `json:"actions"`
	}
	if err := json.Unmarshal([]byte(form.Get("payload")), &payload); err != nil {
		return Click{}, errors.New("its field payload is not the JSON that Slack sends")
	}
	if payload.Type != "block_actions" || len(payload.Actions) != 1 || payload.User.ID == "" {
		return Click{}, errors.New("its payload is not one click of a button (block_actions)")
	}
	intent, hash, _ := strings.Cut(payload.Actions[0].Value, " ")
	return Click{User: payload.User.ID, Do: payload.Actions[0].ActionID, Intent: intent, Hash: strings.TrimSpace(hash)}, nil
}

// Reply is a message that somebody wrote in a thread.
type Reply struct {
	User    string
	Text    string
	Channel string
	Thread  string // ts of the message that the thread belongs to; empty: not in a thread
}

// ReadReply reads an event callback. What is no message of a person is a Reply
// without a user.
func ReadReply(body []byte) (Reply, error) {
	var e struct {
		Type  string `json:"type"`
		Event struct {
			Type    string `json:"type"`
			Subtype string `json:"subtype"`
			BotID   string `json:"bot_id"`
			User    string `json:"user"`
			Text    string `json:"text"`
			Channel string `json:"channel"`
			Thread  string `json:"thread_ts"`
		} `json:"event"`
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Type != "event_callback" {
		return Reply{}, errors.New("the body is not an event_callback of Slack's Events API")
	}
	if e.Event.Type != "message" || e.Event.Subtype != "" || e.Event.BotID != "" {
		return Reply{}, nil
	}
	return Reply{User: e.Event.User, Text: e.Event.Text, Channel: e.Event.Channel, Thread: e.Event.Thread}, nil
}

// Aborts says whether a reply is the one word that stops what was announced.
func (r Reply) Aborts() bool {
	return r.User != "" && r.Thread != "" && strings.EqualFold(strings.Trim(strings.TrimSpace(r.Text), ".!*_\"“”"), "abort")
}
