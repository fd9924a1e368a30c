package main

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"salve/internal/http/httpcheck"
	"salve/internal/store/storetest"
	"salve/test/standin"
)

// The scripts in testdata/script tell, one story a file, what the whole program
// does over HTTP. `serve` starts the real run in this process, on a database of
// its own; `exec salve` is the real program. The words are listed below; what
// each one takes is said where it is defined.

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"salve": main})
}

func TestScripts(t *testing.T) {
	t.Parallel()
	words := map[string]func(*testscript.TestScript, bool, []string){}
	for name, do := range vocabulary() {
		words[name] = func(ts *testscript.TestScript, neg bool, args []string) { speak(ts, do, neg, args) }
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"), Setup: setUp, Cmds: words, RequireExplicitExec: true,
	})
}

// word is one command of a script. An error fails it; after `!` it must fail,
// and what it says goes to stderr.
type word func(*script, []string) error

func vocabulary() map[string]word {
	return map[string]word{
		"serve": (*script).serve, "halt": (*script).halt, "token": (*script).token, "forge": (*script).forge, "deny": (*script).deny, "make": (*script).makeBody, "at": (*script).at, "load": (*script).load, "past": (*script).past, "policy": (*script).policy,
		"GET": method("GET"), "POST": method("POST"), "PUT": method("PUT"), "DELETE": method("DELETE"),
		"with": (*script).with, "storm": (*script).storm, "until": (*script).until,
		"status": (*script).status, "header": (*script).header, "reply": (*script).replyMatches,
		"is": (*script).is, "has": (*script).has, "none": (*script).none, "count": (*script).count,
		"save": (*script).save, "sql": (*script).sql, "mode": (*script).mode, "keep": (*script).keep, "same": (*script).same,
		"cluster": (*script).startCluster, "work": (*script).work, "slack": (*script).slack, "called": (*script).called,
		"slash": (*script).slash, "click": (*script).click, "answer-in": (*script).answerIn, "relayed": (*script).relayed,
	}
}

// script is the state of one script.
type script struct {
	ts       *testscript.TestScript
	t        testing.TB
	dir      string
	settings map[string]string // the server's environment
	client   *http.Client      // checks every exchange with the server
	server   *running
	tokens   map[string]string
	saved    map[string]string // what bodies may name as ${NAME}
	headers  http.Header       // of the next request
	last     reply
	kept     map[string][]byte
	cluster  *standin.Server

	slackRequest *slackRequest // the last one that was relayed
}

type scriptKey struct{}

func speak(ts *testscript.TestScript, do word, neg bool, args []string) {
	s := ts.Value(scriptKey{}).(*script)
	s.ts = ts
	err := do(s, args)
	switch {
	case err != nil && !neg:
		ts.Fatalf("%v", err)
	case err == nil && neg:
		ts.Fatalf("this should have failed; the answer is %s", short(s.last.body))
	case err != nil:
		fmt.Fprintln(ts.Stderr(), err)
	}
}

// setUp gives a script its keys, its tokens and a database.
func setUp(env *testscript.Env) error {
	t, ok := env.T().(testing.TB)
	if !ok {
		return errors.New("the scripts were not started by testscript.Run")
	}
	s := &script{
		t: t, dir: env.WorkDir, tokens: map[string]string{}, saved: map[string]string{}, headers: http.Header{}, kept: map[string][]byte{},
	}
	document, err := os.ReadFile(filepath.Join("..", "..", "internal", "http", "openapi.yaml"))
	if err != nil {
		return err
	}
	s.client = httpcheck.Client(t, document)
	env.Values[scriptKey{}] = s
	payloads, err := filepath.Abs(filepath.Join("..", "..", "internal", "intake", "testdata"))
	if err != nil {
		return err
	}
	env.Setenv("PAYLOADS", payloads) // as Alertmanager sends them
	example, err := filepath.Abs(filepath.Join("..", "..", "docs", "policy-example"))
	if err != nil {
		return err
	}
	env.Setenv("EXAMPLE", example)
	env.Defer(s.tearDown)
	if err := s.makeKeys(); err != nil {
		return err
	}
	s.settings = map[string]string{
		"SALVE_ADDR": "127.0.0.1:0", "SALVE_DATA_DIR": filepath.Join(s.dir, "data"), "SALVE_JWT_KEYS": filepath.Join(s.dir, "trusted"),
		"SALVE_JWT_DENY": filepath.Join(s.dir, "denied"), "DATABASE_URL": storetest.New(t), "SALVE_LOG_LEVEL": "debug",
	}
	env.Setenv("DB", s.settings["DATABASE_URL"])
	return s.makeTokens()
}

func (s *script) tearDown() {
	if s.server != nil {
		if err := s.server.stop(); err != nil {
			s.t.Errorf("stop: %v", err)
		}
	}
	if s.cluster != nil {
		s.cluster.Close()
	}
}

func wants(args []string, least, most int, usage string) error {
	if len(args) < least || len(args) > most {
		return errors.New("usage: " + usage)
	}
	return nil
}
