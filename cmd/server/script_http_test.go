package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	requestLimit = 2 * time.Minute  // a server that hangs fails the script that met it
	untilLimit   = 30 * time.Second // longer than any interval of the server's own clock
	manyWords    = 1000             // of a body that stands in its line
)

// reply is the last answer.
type reply struct {
	status int
	header http.Header
	body   []byte
}

// method makes a word of a request: METHOD @TOKEN PATH [BODY]. @- sends no
// token. BODY is a file, or JSON itself to the end of the line; ${NAME} in it
// stands for what was saved.
func method(name string) word {
	return func(s *script, args []string) error {
		if err := wants(args, 2, manyWords, name+" @TOKEN PATH [BODY]"); err != nil {
			return err
		}
		req, err := s.request(name, args)
		if err == nil {
			s.last, err = s.send(req)
		}
		s.headers = http.Header{}
		return err
	}
}

func (s *script) request(method string, args []string) (*http.Request, error) {
	if s.server == nil {
		return nil, errors.New("the server does not run")
	}
	body, err := s.body(args[2:])
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(method, s.server.url+args[1], bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	switch token, known := s.tokens[strings.TrimPrefix(args[0], "@")]; {
	case known:
		req.Header.Set("Authorization", "Bearer "+token)
	case args[0] != "@-":
		return nil, fmt.Errorf("there is no token %s", args[0])
	}
	for name, values := range s.headers {
		req.Header[name] = values
	}
	return req, nil
}

func (s *script) body(args []string) ([]byte, error) {
	if len(args) == 0 {
		return nil, nil
	}
	if first := args[0] + " "; first[0] != '{' && first[0] != '[' {
		text, err := os.ReadFile(s.ts.MkAbs(args[0]))
		return s.fillIn(text), err
	}
	return s.fillIn([]byte(strings.Join(args, " "))), nil
}

func (s *script) fillIn(text []byte) []byte {
	if !bytes.Contains(text, []byte("${")) {
		return text
	}
	for name, value := range s.saved {
		text = bytes.ReplaceAll(text, []byte("${"+name+"}"), []byte(value))
	}
	return text
}

func (s *script) send(req *http.Request) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	resp, err := s.client.Do(req.WithContext(ctx))
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, body}, err
}

// with sets a header of the next request: with NAME VALUE.
func (s *script) with(args []string) error {
	if err := wants(args, 2, 2, "with NAME VALUE"); err != nil {
		return err
	}
	s.headers.Set(args[0], args[1])
	return nil
}

// storm sends the same request N times at once: storm N METHOD @TOKEN PATH [BODY].
// What it answers is {"statuses": {…}, "outcomes": {…}, "incidents": n, "intents": n}.
func (s *script) storm(args []string) error {
	if err := wants(args, 4, manyWords, "storm N METHOD @TOKEN PATH [BODY]"); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	requests := make([]*http.Request, n)
	for i := range requests {
		if requests[i], err = s.request(args[1], args[2:]); err != nil {
			return err
		}
	}
	replies, errs := s.sendAtOnce(requests)
	s.headers = http.Header{}
	s.last, err = tally(replies)
	return errors.Join(append(errs, err)...)
}

func (s *script) sendAtOnce(requests []*http.Request) ([]reply, []error) {
	replies, errs := make([]reply, len(requests)), make([]error, len(requests))
	var all sync.WaitGroup
	for i, req := range requests {
		all.Go(func() { replies[i], errs[i] = s.send(req) })
	}
	all.Wait()
	return replies, errs
}

func tally(replies []reply) (reply, error) {
	statuses, outcomes := map[int]int{}, map[string]int{}
	incidents, intents := map[string]bool{}, map[string]bool{}
	for _, r := range replies {
		statuses[r.status]++
		var answer struct {
			Results []struct {
				Outcome    string
				IncidentID string `json:"incident_id"`
			}
			Intents []struct{ ID string }
		}
		if err := json.Unmarshal(r.body, &answer); err != nil {
			return reply{}, fmt.Errorf("%d: %w", r.status, err)
		}
		for _, result := range answer.Results {
			outcomes[result.Outcome]++
			incidents[result.IncidentID] = true
		}
		for _, intent := range answer.Intents {
			intents[intent.ID] = true
		}
	}
	body, err := json.Marshal(map[string]any{
		"statuses": statuses, "outcomes": outcomes, "incidents": len(incidents), "intents": len(intents),
	})
	return reply{body: body}, err
}

// until asks again until the answer is as told: until PATH VALUE METHOD @TOKEN PATH [BODY].
// It is for what the server does by its own clock.
func (s *script) until(args []string) error {
	if err := wants(args, 5, manyWords, "until PATH VALUE METHOD @TOKEN PATH [BODY]"); err != nil {
		return err
	}
	deadline := time.NewTimer(untilLimit)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		if err := method(args[2])(s, args[3:]); err != nil {
			return err
		}
		err := s.is(args[:2])
		if err == nil {
			return nil
		}
		select {
		case <-deadline.C:
			return fmt.Errorf("in vain: %w", err)
		case <-tick.C:
		}
	}
}
