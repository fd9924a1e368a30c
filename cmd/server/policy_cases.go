package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"

	"salve/internal/incident"
	"salve/internal/policy"
	"salve/internal/remedy"
)

type policyTest struct {
	Files []string `arg:"" help:"Files of test cases, named like the policy beside them: mine.test.yaml tests mine.yaml. A directory is all of its files."`
}

// Run decides every case and prints what is not as expected.
func (c policyTest) Run(env *environment) error {
	files, err := testFiles(c.Files)
	if err != nil {
		return err
	}
	failed, all := 0, 0
	for _, file := range files {
		bad, n, err := c.one(env, file)
		if err != nil {
			fmt.Fprintln(env.stdout, err)
			failed++
		}
		failed, all = failed+bad, all+n
	}
	fmt.Fprintf(env.stdout, "%d cases, %d failed\n", all, failed)
	if failed > 0 {
		return exitCode(1)
	}
	return nil
}

const testSuffix = ".test.yaml"

func testFiles(given []string) ([]string, error) {
	var files []string
	for _, name := range given {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, fmt.Errorf("policy test: %w", err)
		case !info.IsDir() && !strings.HasSuffix(name, testSuffix):
			return nil, fmt.Errorf("policy test: %s does not end in %s; mine%s would be right for mine.yaml", name, testSuffix, testSuffix)
		case !info.IsDir():
			files = append(files, name)
		default:
			found, err := filepath.Glob(filepath.Join(name, "*"+testSuffix))
			if err != nil || len(found) == 0 {
				return nil, fmt.Errorf("policy test: %s holds no file that ends in %s", name, testSuffix)
			}
			files = append(files, found...)
		}
	}
	return files, nil
}

func (policyTest) one(env *environment, file string) (failed, all int, err error) {
	p, err := loadPolicy(strings.TrimSuffix(file, testSuffix) + ".yaml")
	if err != nil {
		return 0, 0, err
	}
	source, err := os.ReadFile(file)
	if err != nil {
		return 0, 0, err
	}
	cases, err := policy.ReadCases(file, source, remedy.Catalogue{})
	if err != nil {
		return 0, 0, err
	}
	for _, c := range cases {
		d, wrong := c.Run(p)
		if len(wrong) == 0 {
			continue
		}
		failed++
		fmt.Fprintf(env.stdout, "%s:%d: %s\n", file, c.Line, c.Name)
		for _, w := range wrong {
			fmt.Fprintf(env.stdout, "  %s\n", w)
		}
		fmt.Fprintf(env.stdout, "  because: %s\n", strings.Join(d.Reasons, "; "))
	}
	return failed, len(cases), nil
}

type policyGuards struct {
	JSON bool `name:"json" help:"For a program."`
}

// Run prints the table guard × mode × who may override.
func (c policyGuards) Run(env *environment) error {
	rows := policy.GuardTable()
	if c.JSON {
		enc := json.NewEncoder(env.stdout)
		enc.SetIndent("", "  ")
		return enc.Encode(rows)
	}
	tab := tabwriter.NewWriter(env.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tab, "GUARD\tSTOPS A CHANGE WHEN\tAUTO\tHOLD\tAPPROVE\tOVERRIDDEN BY")
	for _, r := range rows {
		cells := []string{r.Guard, r.What}
		for _, mode := range []incident.Mode{incident.Auto, incident.Hold, incident.Approve} {
			cells = append(cells, r.Binds[mode])
		}
		fmt.Fprintln(tab, strings.Join(slices.Concat(cells, []string{whoOverrides[r.Override]}), "\t"))
	}
	return tab.Flush()
}

var whoOverrides = map[policy.Override]string{
	policy.ByNobody: "nobody", policy.ByApprover: "an approver", policy.ByAdmin: "an admin, with a reason",
}
