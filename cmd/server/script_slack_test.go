package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/uuid"
)

// slash types a command as a Slack user, relayed with a token for this one request:
// slash USER TEXT...
func (s *script) slash(args []string) error {
	if err := wants(args, 1, manyWords, "slash USER [TEXT...]"); err != nil {
		return err
	}
	form := url.Values{"command": {"/salve"}, "user_id": {args[0]}, "text": {string(s.fillIn([]byte(strings.Join(args[1:], " "))))}, "channel_id": {"C0OPS"}}
	return s.relay("/v1/slack/commands", form.Encode(), args[0])
}

// click presses a button as a Slack user: click USER DO INTENT [HASH].
func (s *script) click(args []string) error {
	if err := wants(args, 3, 4, "click USER DO INTENT [HASH]"); err != nil {
		return err
	}
	value := string(s.fillIn([]byte(strings.Join(args[2:], " "))))
	payload, err := json.Marshal(map[string]any{
		"type": "block_actions", "user": map[string]string{"id": args[0]}, "actions": []any{map[string]string{"action_id": args[1], "value": value}},
		"response_url": "https://hooks.slack.com/actions/T0/1/x",
	})
	if err != nil {
		return err
	}
	return s.relay("/v1/slack/interactions", url.Values{"payload": {string(payload)}}.Encode(), args[0])
}

// answerIn writes into a thread as a Slack user: answer-in USER CHANNEL TS TEXT.
func (s *script) answerIn(args []string) error {
	if err := wants(args, 4, 4, "answer-in USER CHANNEL TS TEXT"); err != nil {
		return err
	}
	event := map[string]string{"type": "message", "user": args[0], "channel": args[1], "thread_ts": args[2], "text": args[3]}
	body, err := json.Marshal(map[string]any{"type": "event_callback", "event": event})
	if err != nil {
		return err
	}
	return s.relay("/v1/slack/events", string(body), args[0])
}

// relayed sends the last of these once more: relayed again, with the same token;
// relayed swapped, with a token for another body; relayed as USER, with another
// user's token; relayed late, with one that lives too long; relayed standing, with
// the relay's own.
func (s *script) relayed(args []string) error {
	if s.slackRequest == nil {
		return errors.New("nothing was relayed yet")
	}
	r := *s.slackRequest
	if err := wants(args, 1, 2, "relayed again|swapped|standing|late|as USER"); err != nil {
		return err
	}
	switch args[0] {
	case "again":
		return s.sendSlack(r.path, r.body, r.token)
	case "standing":
		return s.sendSlack(r.path, r.body, s.tokens["relay"])
	case "swapped":
		token, err := s.slackToken(r.body+"&x=1", r.user, time.Minute)
		return errors.Join(err, s.sendSlack(r.path, r.body, token))
	case "late":
		token, err := s.slackToken(r.body, r.user, time.Hour)
		return errors.Join(err, s.sendSlack(r.path, r.body, token))
	case "as":
		token, err := s.slackToken(r.body, args[1], time.Minute)
		return errors.Join(err, s.sendSlack(r.path, r.body, token))
	}
	return fmt.Errorf("there is no way to relay it %q", args[0])
}

type slackRequest struct{ path, body, user, token string }

func (s *script) relay(path, body, user string) error {
	token, err := s.slackToken(body, user, time.Minute)
	if err != nil {
		return err
	}
	s.slackRequest = &slackRequest{path, body, user, token}
	return s.sendSlack(path, body, token)
}

func (s *script) slackToken(body, user string, life time.Duration) (string, error) {
	key, _, err := s.keyPair()
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256([]byte(body))
	return sign(jwt.SigningMethodEdDSA, jwt.MapClaims{
		"sub": "n8n-relay", "scope": "slack:relay", "aud": "salve", "jti": uuid.NewString(), "iat": time.Now().Unix(), "exp": time.Now().Add(life).Unix(),
		"slack_user": user, "body_sha256": hex.EncodeToString(sum[:]),
	}, key, "")
}

func (s *script) sendSlack(path, body, token string) error {
	if s.server == nil {
		return errors.New("the server does not run")
	}
	req, err := http.NewRequest(http.MethodPost, s.server.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if path == "/v1/slack/events" {
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("Authorization", "Bearer "+token)
	s.last, err = s.send(req)
	return err
}
