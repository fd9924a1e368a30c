package main

import (
	"fmt"
	"os"

	"salve/internal/checklist"
)

type heartbeatCommand struct {
	Check checklistCheck `cmd:"" help:"Check checklist files; errors name file, line and column."`
}

type checklistCheck struct {
	Files []string `arg:"" help:"Checklist files."`
}

// Run checks every file and reports all errors of all of them.
func (c checklistCheck) Run(env *environment) error {
	bad := false
	for _, file := range c.Files {
		list, err := loadChecklist(file)
		if err != nil {
			bad = true
			fmt.Fprintln(env.stdout, err)
			continue
		}
		fmt.Fprintf(env.stdout, "%s: good, %d checks, version %.12s\n", file, len(list.Checks()), list.Version())
	}
	if bad {
		return exitCode(1)
	}
	return nil
}

// loadChecklist reads a checklist file.
func loadChecklist(file string) (*checklist.Checklist, error) {
	source, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("checklist: %w", err)
	}
	return checklist.Load(file, source)
}
