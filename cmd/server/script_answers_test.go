package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// status says what the last answer's must be: status 200.
func (s *script) status(args []string) error {
	if err := wants(args, 1, 1, "status CODE"); err != nil {
		return err
	}
	if got := strconv.Itoa(s.last.status); got != args[0] {
		return fmt.Errorf("the status is %s, not %s: %s", got, args[0], short(s.last.body))
	}
	return nil
}

// header matches a header of the last answer: header NAME REGEXP.
func (s *script) header(args []string) error {
	if err := wants(args, 2, 2, "header NAME REGEXP"); err != nil {
		return err
	}
	return matches("header "+args[0], args[1], s.last.header.Get(args[0]))
}

// replyMatches matches the whole body of the last answer: reply REGEXP.
func (s *script) replyMatches(args []string) error {
	if err := wants(args, 1, 1, "reply REGEXP"); err != nil {
		return err
	}
	return matches("the answer", args[0], string(s.last.body))
}

func matches(what, pattern, text string) error {
	re, err := regexp.Compile("(?m)" + pattern)
	if err != nil {
		return err
	}
	if !re.MatchString(text) {
		return fmt.Errorf("%s does not match %s: %s", what, pattern, short([]byte(text)))
	}
	return nil
}

// is compares one member of the last answer: is PATH VALUE. A path is
// .intents[action=collect.pod].state or .results[0].diagnosis.cause; a value
// that is no string is compared as JSON.
func (s *script) is(args []string) error {
	if err := wants(args, 2, 2, "is PATH VALUE"); err != nil {
		return err
	}
	got, err := s.text(args[0])
	if err == nil && got != args[1] {
		err = fmt.Errorf("%s is %s, not %s\n%s", args[0], got, args[1], short(s.last.body))
	}
	return err
}

// has matches one member of the last answer: has PATH REGEXP.
func (s *script) has(args []string) error {
	if err := wants(args, 2, 2, "has PATH REGEXP"); err != nil {
		return err
	}
	got, err := s.text(args[0])
	if err != nil {
		return err
	}
	return matches(args[0], args[1], got)
}

// none says that the last answer has no such member, or null: none PATH.
func (s *script) none(args []string) error {
	if err := wants(args, 1, 1, "none PATH"); err != nil {
		return err
	}
	if got, err := s.text(args[0]); err == nil && got != "null" {
		return fmt.Errorf("%s is there: %s", args[0], got)
	}
	return nil
}

// count counts a list's items, or an object's members: count PATH N.
func (s *script) count(args []string) error {
	if err := wants(args, 2, 2, "count PATH N"); err != nil {
		return err
	}
	v, err := s.value(args[0])
	if err != nil {
		return err
	}
	n := -1
	switch v := v.(type) {
	case []any:
		n = len(v)
	case map[string]any:
		n = len(v)
	}
	if strconv.Itoa(n) != args[1] {
		return fmt.Errorf("%s has %d items, not %s: %s", args[0], n, args[1], short(s.last.body))
	}
	return nil
}

// save gives a member a name, for later words ($NAME) and bodies (${NAME}): save NAME PATH.
func (s *script) save(args []string) error {
	if err := wants(args, 2, 2, "save NAME PATH"); err != nil {
		return err
	}
	text, err := s.text(args[1])
	s.saved[args[0]] = text
	s.ts.Setenv(args[0], text)
	return err
}

// keep and same compare whole answers, byte by byte: keep NAME, same NAME.
func (s *script) keep(args []string) error {
	if err := wants(args, 1, 1, "keep NAME"); err != nil {
		return err
	}
	s.kept[args[0]] = s.last.body
	return nil
}

func (s *script) same(args []string) error {
	if err := wants(args, 1, 1, "same NAME"); err != nil {
		return err
	}
	if !bytes.Equal(s.kept[args[0]], s.last.body) {
		return fmt.Errorf("the answers differ:\n%s\n%s", short(s.kept[args[0]]), short(s.last.body))
	}
	return nil
}

func (s *script) text(path string) (string, error) {
	v, err := s.value(path)
	if err != nil {
		return "", err
	}
	return textOf(v), nil
}

func textOf(v any) string {
	if text, ok := v.(string); ok {
		return text
	}
	data, _ := json.Marshal(v) // it was decoded from JSON
	return string(data)
}

func (s *script) value(path string) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(s.last.body))
	decoder.UseNumber()
	var v any
	if err := decoder.Decode(&v); err != nil {
		return nil, fmt.Errorf("the answer is no JSON: %w: %s", err, short(s.last.body))
	}
	v, err := lookUp(v, path)
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, short(s.last.body))
	}
	return v, nil
}

var pathStep = regexp.MustCompile(`^(?:\.([A-Za-z0-9_]+)|\[([^\]]*)\])`)

// lookUp follows .member, [index], [-1] for the last, and [member=value] for
// the first that has it.
func lookUp(v any, path string) (any, error) {
	for rest := path; rest != ""; {
		step := pathStep.FindStringSubmatch(rest)
		if step == nil {
			return nil, fmt.Errorf("%s is no path at %s", path, rest)
		}
		rest = rest[len(step[0]):]
		var ok bool
		if step[1] != "" {
			v, ok = memberOf(v, step[1])
		} else {
			v, ok = itemOf(v, step[2])
		}
		if !ok {
			return nil, fmt.Errorf("there is no %s at %s", path, step[0])
		}
	}
	return v, nil
}

func memberOf(v any, name string) (any, bool) {
	object, _ := v.(map[string]any)
	member, ok := object[name]
	return member, ok
}

func itemOf(v any, which string) (any, bool) {
	list, _ := v.([]any)
	if name, value, ok := strings.Cut(which, "="); ok {
		for _, item := range list {
			if member, ok := memberOf(item, name); ok && textOf(member) == value {
				return item, true
			}
		}
		return nil, false
	}
	i, err := strconv.Atoi(which)
	if i < 0 {
		i += len(list)
	}
	if err != nil || i < 0 || i >= len(list) {
		return nil, false
	}
	return list[i], true
}

func short(body []byte) string {
	const most = 4000
	if len(body) > most {
		return string(body[:most]) + "…"
	}
	return string(body)
}
