package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"
)

var timeBefore = regexp.MustCompile(`<(-?\w+)>`)

// at writes a body about a moment: at TEMPLATE FILE AGO [NAME=VALUE]... In the
// template <15m> is the time that is 15 minutes before it, and $NAME the value.
// AGO is how long ago the moment is.
func (s *script) at(args []string) error {
	if err := wants(args, 3, 20, "at TEMPLATE FILE AGO [NAME=VALUE]..."); err != nil {
		return err
	}
	ago, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	text := s.ts.ReadFile(args[0])
	for _, given := range args[3:] {
		name, value, _ := strings.Cut(given, "=")
		if !strings.Contains(text, "$"+name) {
			return fmt.Errorf("%s holds no $%s", args[0], name)
		}
		text = strings.ReplaceAll(text, "$"+name, value)
	}
	moment := time.Now().Truncate(time.Minute).Add(-ago).UTC()
	text = timeBefore.ReplaceAllStringFunc(text, func(token string) string {
		before, bad := time.ParseDuration(strings.Trim(token, "<>"))
		if bad != nil {
			err = bad
		}
		return moment.Add(-before).Format(time.RFC3339)
	})
	if err != nil {
		return err
	}
	return os.WriteFile(s.ts.MkAbs(args[1]), []byte(text), 0o600)
}

// load writes a body with a range query's answer: load TEMPLATE FILE MINUTES FROM TO
// puts a sample a minute until now, from one value to the other, in $RANGE's place.
func (s *script) load(args []string) error {
	if err := wants(args, 5, 5, "load TEMPLATE FILE MINUTES FROM TO"); err != nil {
		return err
	}
	var minutes int
	var from, to float64
	if _, err := fmt.Sscan(strings.Join(args[2:], " "), &minutes, &from, &to); err != nil {
		return err
	}
	now := time.Now().Unix()
	values := make([]string, minutes)
	for i := range values {
		share := float64(i) / float64(max(1, minutes-1))
		values[i] = fmt.Sprintf(`[%d.5,"%g"]`, now-1-60*int64(minutes-1-i), from+share*(to-from))
	}
	answer := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"namespace":"shop"},"values":[` + strings.Join(values, ",") + `]}]}}`
	return os.WriteFile(s.ts.MkAbs(args[1]), []byte(strings.ReplaceAll(s.ts.ReadFile(args[0]), "$RANGE", answer)), 0o600)
}

// past writes an array of bodies, one for each hour until now: past TEMPLATE FILE HOURS
// FROM TO puts the hour in $TIME's place, and in $VALUE's what lies between.
func (s *script) past(args []string) error {
	if err := wants(args, 5, 5, "past TEMPLATE FILE HOURS FROM TO"); err != nil {
		return err
	}
	var hours int
	var from, to float64
	if _, err := fmt.Sscan(strings.Join(args[2:], " "), &hours, &from, &to); err != nil {
		return err
	}
	template, now := s.ts.ReadFile(args[0]), time.Now().UTC()
	bodies := make([]string, hours)
	for i := range bodies {
		value := from + (to-from)*float64(i)/float64(max(1, hours-1))
		bodies[i] = strings.NewReplacer("$TIME", now.Add(-time.Duration(hours-1-i)*time.Hour).Format(time.RFC3339), "$VALUE", fmt.Sprintf("%.3f", value)).Replace(template)
	}
	return os.WriteFile(s.ts.MkAbs(args[1]), []byte("["+strings.Join(bodies, ",")+"]"), 0o600)
}
