package main

import (
	"fmt"
	"os"

	"salve/internal/policy"
	"salve/internal/remedy"
)

type policyCommand struct {
	Show     policyShow     `cmd:"" help:"Print the policy: the embedded default, or a file."`
	Check    policyCheck    `cmd:"" help:"Check policy files; errors name file, line and column."`
	Test     policyTest     `cmd:"" help:"Decide the cases that stand in files beside a policy."`
	Explain  policyExplain  `cmd:"" help:"Say which rule would apply to an alert, and why the others would not."`
	Backtest policyBacktest `cmd:"" help:"Compare what two policies would have decided about stored events."`
	Guards   policyGuards   `cmd:"" help:"Print what stops a change, and who may override it."`
}

type policyShow struct {
	File string `arg:"" optional:"" help:"Policy file; without it the default."`
}

// Run prints the policy that would be in force.
func (s policyShow) Run(env *environment) error {
	p, err := loadPolicy(s.File)
	if err != nil {
		return err
	}
	_, err = env.stdout.Write(p.Source())
	return err
}

type policyCheck struct {
	Files []string `arg:"" help:"Policy files."`
}

// Run checks every file and reports all errors of all of them.
func (c policyCheck) Run(env *environment) error {
	bad := false
	for _, file := range c.Files {
		p, err := loadPolicy(file)
		if err != nil {
			bad = true
			fmt.Fprintln(env.stdout, err)
			continue
		}
		fmt.Fprintf(env.stdout, "%s: good, %d rules, version %.12s\n", file, len(p.Rules()), p.Version())
	}
	if bad {
		return exitCode(1)
	}
	return nil
}

// loadPolicy reads a policy file, or the default where none is named.
func loadPolicy(file string) (*policy.Policy, error) {
	if file == "" {
		return policy.Load("default.yaml", policy.Default(), remedy.Catalogue{})
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return parsePolicy(file, source)
}

func parsePolicy(name string, source []byte) (*policy.Policy, error) {
	return policy.Load(name, source, remedy.Catalogue{})
}
