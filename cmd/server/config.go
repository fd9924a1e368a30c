package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/rs/zerolog"

	"salve/internal/incident"
)

// secret is a value that is never printed.
type secret string

func (secret) String() string               { return "[redacted]" }
func (secret) GoString() string             { return "[redacted]" }
func (secret) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// hide takes the secret out of an error that repeats it: drivers quote what they
// cannot read.
func (s secret) hide(err error) error {
	if err == nil || s == "" || !strings.Contains(err.Error(), string(s)) {
		return err
	}
	return errors.New(strings.ReplaceAll(err.Error(), string(s), s.String()))
}

// config is read once: each flag has an environment variable of the same name
// (--salve-addr is SALVE_ADDR).
type config struct {
	Addr       string `name:"salve-addr" default:"127.0.0.1:8080" help:"Where to listen (SALVE_ADDR)."`
	Database   secret `name:"database-url" help:"Postgres to use (DATABASE_URL). Unset: Salve starts a private one in its data directory."`
	DataDir    string `name:"salve-data-dir" default:".salve" help:"Where Salve keeps files of its own (SALVE_DATA_DIR)."`
	Keys       string `name:"salve-jwt-keys" help:"Public keys: a .pem file, a directory of them, or a JWKS file (SALVE_JWT_KEYS). Required."`
	Audience   string `name:"salve-jwt-audience" default:"salve" help:"Audience that tokens must carry (SALVE_JWT_AUDIENCE)."`
	Issuer     string `name:"salve-jwt-issuer" help:"Issuer that tokens must carry, if any (SALVE_JWT_ISSUER)."`
	Deny       string `name:"salve-jwt-deny" help:"File with the jti of refused tokens, one a line (SALVE_JWT_DENY)."`
	Policy     string `name:"salve-policy" help:"Policy file (SALVE_POLICY). Unset: the default, see salve policy show."`
	Checklist  string `name:"salve-checklist" help:"Checklist of the heartbeat, such as heartbeat.yaml (SALVE_CHECKLIST). Unset: nothing is checked."`
	Automation string `name:"salve-automation" default:"dry_run" help:"paused, dry_run or live: the first value only, later ones are set by PUT /v1/automation (SALVE_AUTOMATION)."`
	PublicURL  string `name:"salve-public-url" help:"Where people and n8n reach Salve; named in the OpenAPI document (SALVE_PUBLIC_URL)."`
	LogLevel   string `name:"salve-log-level" default:"info" help:"debug, info, warn or error (SALVE_LOG_LEVEL)."`
	LogFormat  string `name:"salve-log-format" default:"json" help:"json, or console for people (SALVE_LOG_FORMAT)."`
	Metrics    string `name:"salve-metrics" default:"token" help:"token (scope read) or open: who may read /metrics (SALVE_METRICS)."`
}

// check reports everything that is wrong at once.
func (c config) check() error {
	var all []error
	wrong := func(name, format string, args ...any) {
		all = append(all, fmt.Errorf("%s: %s", name, fmt.Sprintf(format, args...)))
	}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		wrong("SALVE_ADDR", "%q is no host:port, like 127.0.0.1:8080", c.Addr)
	}
	if c.Keys == "" {
		wrong("SALVE_JWT_KEYS", "a public key (.pem), a directory of them or a JWKS file is needed; `salve keygen --out DIR` makes a pair, and `make run` does it for you")
	}
	if !incident.Automation(c.Automation).Valid() {
		wrong("SALVE_AUTOMATION", "%q is none of paused, dry_run, live", c.Automation)
	}
	if _, err := zerolog.ParseLevel(c.LogLevel); err != nil || c.LogLevel == "" {
		wrong("SALVE_LOG_LEVEL", "%q is none of debug, info, warn, error", c.LogLevel)
	}
	if c.LogFormat != "json" && c.LogFormat != "console" {
		wrong("SALVE_LOG_FORMAT", "%q is neither json nor console", c.LogFormat)
	}
	if c.Metrics != "token" && c.Metrics != "open" {
		wrong("SALVE_METRICS", "%q is neither token nor open", c.Metrics)
	}
	if u, err := url.Parse(c.PublicURL); c.PublicURL != "" && (err != nil || u.Host == "" || !strings.HasPrefix(u.Scheme, "http")) {
		wrong("SALVE_PUBLIC_URL", "%q is no http or https URL", c.PublicURL)
	}
	if c.Policy != "" {
		if _, err := os.Stat(c.Policy); err != nil {
			wrong("SALVE_POLICY", "%v", err)
		}
	}
	if c.Checklist != "" {
		if _, err := os.Stat(c.Checklist); err != nil {
			wrong("SALVE_CHECKLIST", "%v", err)
		}
	}
	return errors.Join(all...)
}

// logger redacts every line as a whole, whoever wrote what in it.
func (c config) logger(out io.Writer) zerolog.Logger {
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		level = zerolog.InfoLevel
	}
	if c.LogFormat == "console" {
		out = zerolog.ConsoleWriter{Out: out}
	}
	return zerolog.New(redacted{out}).Level(level).With().Timestamp().Logger()
}

func (c config) databaseDir() string { return filepath.Join(c.DataDir, "postgres") }
