package scripts

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// gate runs the script gate, as sshd does where it is a key's forced command: what was
// asked for is one line in the environment. With arguments, as it is called otherwise.
func gate(t *testing.T, shell []string, line string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command(shell[0], slices.Concat(shell[1:], []string{filepath.Join(installed(), "gate")}, args)...)
	cmd.Env = []string{"PATH=" + systemPath, "LC_ALL=C", "SSH_ORIGINAL_COMMAND=" + line}
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// echoes puts a script into the folder that says what it was given.
func echoes(t *testing.T, name, body string) {
	t.Helper()
	path := filepath.Join(installed(), name)
	must(t, os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755))
	t.Cleanup(func() { os.Remove(path) })
}

// The key of n8n is worth the vetted scripts and nothing else, whatever is asked for.
func TestGateLetsOnlyVettedScriptsThrough(t *testing.T) {
	echoes(t, "echo-args", `for a; do printf '<%s>' "$a"; done`)
	must(t, os.WriteFile(filepath.Join(installed(), "not-executable"), []byte("#!/bin/sh\nid\n"), 0o600))
	const ran, refused = 0, 64
	for name, tc := range map[string]struct {
		line string
		code int
		says string
	}{
		"a script":            {"/opt/salve/scripts/gate 5 echo-args --root /var/log a=b,c+d%e@f:1", ran, "<--root></var/log><a=b,c+d%e@f:1>"},
		"as n8n's node asks":  {"cd / ; /opt/salve/scripts/gate 5 echo-args x", ran, "<x>"},
		"nothing":             {"", refused, "nothing is asked for"},
		"a shell":             {"/bin/sh -i", refused, "only gate is run here"},
		"scp":                 {"scp -t /opt/salve/scripts", refused, "only gate is run here"},
		"internal-sftp":       {"internal-sftp", refused, "only gate is run here"},
		"a second command":    {"/x/gate 5 echo-args ; id", refused, "an argument holds"},
		"a second one, close": {"/x/gate 5 echo-args; id", refused, "no name of a vetted script"},
		"a subshell":          {"/x/gate 5 echo-args $(id)", refused, "an argument holds"},
		"backticks":           {"/x/gate 5 echo-args `id`", refused, "an argument holds"},
		"a star":              {"/x/gate 5 echo-args *", refused, "an argument holds"},
		"a quote":             {"/x/gate 5 echo-args 'a", refused, "an argument holds"},
		"a pipe":              {"/x/gate 5 echo-args |sh", refused, "an argument holds"},
		"itself":              {"/x/gate 5 gate 5 echo-args", refused, "no name of a vetted script"},
		"a path":              {"/x/gate 5 ../../bin/sh", refused, "no name of a vetted script"},
		"what is sourced":     {"/x/gate 5 common.sh", refused, "no name of a vetted script"},
		"what is not there":   {"/x/gate 5 reboot", refused, "no such script"},
		"what may not be run": {"/x/gate 5 not-executable", refused, "no such script"},
		"no seconds":          {"/x/gate echo-args", refused, "usage"},
		"odd seconds":         {"/x/gate 5s echo-args", refused, "whole number"},
		"all day":             {"/x/gate 86400 echo-args", refused, "whole number"},
		"no time":             {"/x/gate 0 echo-args", refused, "whole number"},
	} {
		for which, shell := range shells(t) {
			t.Run(name+"/"+which, func(t *testing.T) {
				said, code := gate(t, shell, tc.line)
				if code != tc.code || !strings.Contains(said, tc.says) {
					t.Errorf("%q: ended with %d, saying %q; want %d and %q", tc.line, code, said, tc.code, tc.says)
				}
			})
		}
	}
}

// What is given as arguments counts, and the environment does not.
func TestGateWithArguments(t *testing.T) {
	echoes(t, "echo-args", `for a; do printf '<%s>' "$a"; done`)
	if said, code := gate(t, []string{"sh"}, "/bin/sh", "5", "echo-args", "x"); code != 0 || said != "<x>" {
		t.Errorf("ended with %d, saying %q", code, said)
	}
	if said, code := gate(t, []string{"sh"}, "", "5", "echo-args", "a b"); code != 64 {
		t.Errorf("an argument with a space: ended with %d, saying %q", code, said)
	}
}

// A script that hangs is ended: n8n would wait for it for ever.
func TestGateEndsWhatHangs(t *testing.T) {
	echoes(t, "hang", "exec sleep 600")
	if said, code := gate(t, []string{"sh"}, "", "1", "hang"); code != 124 {
		t.Errorf("ended with %d, saying %q; want 124", code, said)
	}
}
