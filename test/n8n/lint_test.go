package n8n

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func catalogue(t *testing.T) Catalogue {
	t.Helper()
	data, err := os.ReadFile("nodes.json")
	if err != nil {
		t.Fatal(err)
	}
	var c Catalogue
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

func workflowFiles(t *testing.T) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob("../../n8n-workflows/*.json")
	if err != nil || len(names) == 0 {
		t.Fatalf("no workflow files: %v", err)
	}
	files := map[string][]byte{}
	for _, name := range names {
		if files[filepath.Base(name)], err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

func lintFiles(t *testing.T, files map[string][]byte) []string {
	t.Helper()
	var workflows []Workflow
	for name, data := range files {
		w, err := Parse(name, data)
		if err != nil {
			return []string{err.Error()}
		}
		workflows = append(workflows, w)
	}
	return Lint(workflows, catalogue(t))
}

func TestWorkflowsKeepTheRules(t *testing.T) {
	for _, problem := range lintFiles(t, workflowFiles(t)) {
		t.Error(problem)
	}
}

// Every script that the executor names is one that hosts are given.
func TestNamedScriptsExist(t *testing.T) {
	w, err := Parse("execute-intent.json", workflowFiles(t)["execute-intent.json"])
	if err != nil {
		t.Fatal(err)
	}
	n, there := w.node("Script")
	named := regexp.MustCompile(`'([a-z]+-[a-z-]+)'`).FindAllStringSubmatch(n.source(), -1)
	if !there || len(named) < 6 {
		t.Fatalf("the node Script names %v", named)
	}
	for _, m := range named {
		if _, err := os.Stat("../../n8n-workflows/scripts/" + m[1]); err != nil {
			t.Error(err)
		}
	}
}

// The list of nodes belongs to the n8n that the end-to-end tests install.
func TestCatalogueIsOfThePinnedN8N(t *testing.T) {
	data, err := os.ReadFile("package.json")
	if err != nil {
		t.Fatal(err)
	}
	var pinned struct{ Dependencies map[string]string }
	if err := json.Unmarshal(data, &pinned); err != nil {
		t.Fatal(err)
	}
	if got := catalogue(t).N8N; got != pinned.Dependencies["n8n"] {
		t.Errorf("nodes.json is of n8n %s, package.json pins %s: run reduce-nodes.js", got, pinned.Dependencies["n8n"])
	}
}

// Every rule must catch what it is for: one thing is broken at a time.
func TestRulesCatch(t *testing.T) {
	const execute, collect, cluster, intake = "execute-intent.json", "collect-evidence.json", "kubernetes.json", "alert-intake.json"
	for name, tc := range map[string]struct {
		file, old, new string
		want           string
	}{
		"cut file":             {execute, `"connections"`, `"conn`, "not a workflow"},
		"unknown type":         {execute, `n8n-nodes-base.switch"`, `n8n-nodes-base.kubernetes"`, "has no n8n-nodes-base.kubernetes"},
		"unknown version":      {execute, `"typeVersion": 3.4`, `"typeVersion": 9.9`, "has no n8n-nodes-base.switch 9.9"},
		"unknown parameter":    {execute, `"jsCode"`, `"jsKode"`, "takes no parameter jsKode"},
		"missing reference":    {execute, `$('Config')`, `$('Konfig')`, "refers to Konfig, which is not there"},
		"ambiguous output":     {execute, `$('Lease').first(0)`, `$('Lease').first()`, "without naming the output"},
		"dangling connection":  {execute, `"node": "Slack answer"`, `"node": "Slack reply"`, "Slack reply, which is not there"},
		"early end":            {execute, `execution_id: $execution.id }) }}`, `execution_id: {id: $execution.id}}) }}`, "ends an expression at the first }}"},
		"no equals sign":       {intake, `"={{ $json.status }}"`, `"{{ $json.status }}"`, "an expression without its ="},
		"environment":          {cluster, `$json.url`, `$env.URL`, "reads $env"},
		"unguarded":            {execute, `catch (e)`, `finally`, "only with a fallback"},
		"a token":              {cluster, `"value": "application/json"`, `"value": "Bearer abcdef0123456789"`, "looks like a secret"},
		"a private address":    {intake, `127.0.0.1:8080`, `salve.corp.internal`, "names the address"},
		"laundered evidence":   {intake, `"salveIntakeTok01"`, `"salveToken000001"`, "take the Salve intake token"},
		"credential data":      {execute, `"name": "Salve token"`, `"name": "Salve token", "data": "x"`, "must be id and name, nothing else"},
		"retried claim":        {execute, `"onError": "continueErrorOutput"`, `"retryOnFail": true, "onError": "continueErrorOutput"`, "may not be retried"},
		"result sent once":     {execute, `"retryOnFail": true`, `"retryOnFail": false`, "Result must be retried"},
		"no error output":      {execute, `"onError": "continueErrorOutput"`, `"onError": ""`, "what a refused Claim says must lead to Not claimed"},
		"looks like success":   {execute, `"onError": "continueErrorOutput"`, `"onError": "continueRegularOutput"`, "Claim: an error that looks like success"},
		"redirects":            {execute, `"followRedirects": false`, `"followRedirects": true`, "follows redirects"},
		"no timeout":           {execute, `"timeout": 10000`, `"timeoutt": 10000`, "has no timeout"},
		"hidden status":        {cluster, `"fullResponse": true`, `"fullResponse": false`, "hides the status"},
		"raw and json":         {cluster, `"autodetect"`, `"json"`, "only autodetect"},
		"lost shape":           {execute, `"rightValue": "collect"`, `"rightValue": "gather"`, "Shape has no branch for collect"},
		"lost place":           {collect, `"rightValue": "host"`, `"rightValue": "computer"`, "Where has no branch for host"},
		"ssh that seems well":  {"host-script.json", `"onError": "continueErrorOutput"`, `"onError": "continueRegularOutput"`, "looks like success"},
		"no fallback":          {collect, `"fallbackOutput": "extra"`, `"fallbackOutput": "none"`, "one for what it does not know"},
		"whole error":          {execute, `error: message, output`, `error: $json.error, output`, "passes on the whole error"},
		"unknown sub-workflow": {intake, `"value": "salveExecuteIntent"`, `"value": "salveOther"`, "which is in no file"},
		"id taken":             {intake, `"id": "salveAlertIntake"`, `"id": "salveIntentError"`, "is taken by"},
		"no stable id":         {execute, `"name": "Intent",`, `"name": "Intent", "id": "1",`, "has no stable id"},
		"long id":              {intake, `"id": "salveAlertIntake"`, `"id": "salveAlertIntakeButLongerThanN8NKeepsThem"`, "longer than the 36 characters"},
		"a token beside it":    {"slack-relay.json", `'Bearer ' + $json.token`, `'Bearer ' + $json.other`, "Relay needs exactly one credential"},
		"no credential":        {execute, `"credentials"`, `"kredentials"`, "needs exactly one credential"},
		"led to by nothing":    {intake, `"node": "Config"`, `"node": "Ask Salve"`, "Config is connected to nothing"},
		"variables":            {cluster, `$json.url`, `$vars.url`, "reads $vars"},
		"pinned data":          {execute, `"active": false,`, `"active": false, "pinData": {},`, "pinned data"},
	} {
		t.Run(name, func(t *testing.T) {
			files := workflowFiles(t)
			broken := strings.Replace(string(files[tc.file]), tc.old, tc.new, 1)
			if broken == string(files[tc.file]) {
				t.Fatalf("%s does not hold %s", tc.file, tc.old)
			}
			files[tc.file] = []byte(broken)
			all := strings.Join(lintFiles(t, files), "\n")
			if !strings.Contains(all, tc.want) {
				t.Errorf("not caught: want %q in\n%s", tc.want, all)
			}
		})
	}
}

// What no single replacement breaks: the wiring behind a node's outputs.
func TestWiringRulesCatch(t *testing.T) {
	for name, tc := range map[string]struct {
		node   string
		rewire func(outputs []any) []any
		want   string
	}{
		"unwired error":        {"Slack", func(o []any) []any { return o[:1] }, "Slack: its error output must lead to Failed"},
		"error sent on":        {"Slack", func(o []any) []any { return []any{o[0], to("Result")} }, "which may send it on with its token"},
		"no way for the rest":  {"Shape", func(o []any) []any { return append(o[:12:12], o[13]) }, "one for what it does not know"},
		"shape leads nowhere":  {"Shape", func(o []any) []any { return append([]any{o[0], []any{}}, o[2:]...) }, "output 1 of Shape leads nowhere"},
		"lease without result": {"Slack answer", func([]any) []any { return nil }, "Slack answer ends without a result"},
		"loud refusal":         {"Claim", func(o []any) []any { return []any{o[0], to("Result")} }, "what a refused Claim says must lead to Not claimed"},
		"error elsewhere":      {"Lease", func(o []any) []any { return []any{o[0], to("Slack answer")} }, "Lease: its error output must lead to Failed"},
	} {
		t.Run(name, func(t *testing.T) {
			files := workflowFiles(t)
			var w map[string]any
			if err := json.Unmarshal(files["execute-intent.json"], &w); err != nil {
				t.Fatal(err)
			}
			from := w["connections"].(map[string]any)[tc.node].(map[string]any)
			from["main"] = tc.rewire(from["main"].([]any))
			broken, err := json.Marshal(w)
			if err != nil {
				t.Fatal(err)
			}
			files["execute-intent.json"] = broken
			if all := strings.Join(lintFiles(t, files), "\n"); !strings.Contains(all, tc.want) {
				t.Errorf("not caught: want %q in\n%s", tc.want, all)
			}
		})
	}
}

func to(node string) []any {
	return []any{map[string]any{"node": node, "type": "main", "index": 0}}
}

// A workflow is somebody's file: whatever is in it, the rules must not fall over.
func FuzzLint(f *testing.F) {
	f.Add([]byte(`{"id":"a","name":"b","nodes":[{"name":"Claim"},{"name":"Shape"}],"connections":{"Claim":{"main":[[{"node":"Claim"}]]}}}`))
	f.Add([]byte(`{"id":"a","name":"b","nodes":[{"name":"x","parameters":{"a":["={{ '}}' }}"]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, err := Parse("fuzz.json", data); err == nil {
			Lint([]Workflow{w}, Catalogue{})
		}
	})
}
