package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"
)

// exitCode ends the program without a further word.
type exitCode int

func (e exitCode) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// environment is what a sub-command may touch.
type environment struct {
	ctx    context.Context
	stdout io.Writer
}

type commands struct {
	Serve     serveCommand     `cmd:"" default:"withargs" help:"Run the service (the default)."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database up to this program's schema, and end."`
	Keygen    keygenCommand    `cmd:"" help:"Make a key pair for tokens."`
	Token     tokenCommand     `cmd:"" help:"Sign a token, offline."`
	Diagnose  diagnoseCommand  `cmd:"" help:"Say what is wrong, from files or a pipe: no server, no database."`
	Policy    policyCommand    `cmd:"" help:"Show, check, test or explain a policy."`
	Heartbeat heartbeatCommand `cmd:"" help:"Check a checklist of the heartbeat."`
	Forecast  forecastCommand  `cmd:"" help:"Say what a series of measurements will be, from a CSV file: no server, no database."`
	Version   versionCommand   `cmd:"" help:"Print the version."`
}

// run is the whole program: the same entry starts it in tests. It ends when ctx does.
func run(ctx context.Context, args []string, getenv func(string) string, stdout io.Writer) error {
	var cli commands
	ended := exitCode(-1)
	parser, err := kong.New(&cli,
		kong.Name("salve"),
		kong.Description("Takes alerts and evidence from n8n, diagnoses them, decides by policy, and answers with remediation intents."),
		kong.Writers(stdout, os.Stderr),
		kong.Exit(func(code int) { ended = exitCode(code) }),
		kong.Resolvers(environmentResolver(getenv)),
		kong.UsageOnError(),
	)
	if err != nil {
		return fmt.Errorf("command line: %w", err)
	}
	parsed, err := parser.Parse(args)
	if ended >= 0 {
		return ended // help was asked for and given
	}
	if err != nil {
		return fmt.Errorf("%w; `salve --help` lists what there is", err)
	}
	return parsed.Run(&environment{ctx: ctx, stdout: stdout})
}

// environmentResolver gives a flag the value of its environment variable: the
// flag's name in capitals with _ for -. A flag that is given wins.
func environmentResolver(getenv func(string) string) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if value := getenv(strings.ToUpper(strings.ReplaceAll(flag.Name, "-", "_"))); value != "" {
			return value, nil
		}
		return nil, nil
	})
}

type versionCommand struct{}

func (versionCommand) Run(env *environment) error {
	_, err := fmt.Fprintln(env.stdout, "salve", version())
	return err
}

// version is what the build recorded of itself.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "development"
}
