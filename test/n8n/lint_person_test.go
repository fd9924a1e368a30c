package n8n

import (
	"strings"
	"testing"
)

// Where a person's token passes, and where a link leads, one thing is broken at a
// time, too.
func TestPersonRulesCatch(t *testing.T) {
	const approval, page = "approval.json", "approval-page.json"
	for name, tc := range map[string]struct{ file, old, new, want string }{
		"kept when it fails":   {approval, `"saveDataErrorExecution": "none"`, `"saveDataErrorExecution": "all"`, "the settings must save no execution"},
		"kept when it is well": {approval, `"saveDataSuccessExecution": "none"`, `"saveDataSuccessExecution": "all"`, "the settings must save no execution"},
		"kept by hand":         {approval, `"saveManualExecutions": false`, `"saveManualExecutions": true`, "the settings must save no execution"},
		"kept in progress":     {approval, `"saveExecutionProgress": false`, `"saveExecutionProgresss": false`, "the settings must save no execution"},
		"told of":              {approval, `"executionOrder": "v1"`, `"executionOrder": "v1", "errorWorkflow": "salveIntentError"`, "no error workflow that is told of it"},
		"by another node":      {approval, `"name": "Decide"`, `"name": "Decided"`, "Decided needs exactly one credential"},
		"a link that decides":  {page, `"method": "GET"`, `"method": "POST"`, "Opened is opened by a link and leads to Look"},
		"a POST that is a GET": {approval, `"httpMethod": "POST"`, `"httpMethod": "GET"`, "Sent is opened by a link and leads to Decide"},
	} {
		t.Run(name, func(t *testing.T) {
			files := workflowFiles(t)
			broken := strings.Replace(string(files[tc.file]), tc.old, tc.new, 1)
			if broken == string(files[tc.file]) {
				t.Fatalf("%s does not hold %s", tc.file, tc.old)
			}
			files[tc.file] = []byte(broken)
			if all := strings.Join(lintFiles(t, files), "\n"); !strings.Contains(all, tc.want) {
				t.Errorf("not caught: want %q in\n%s", tc.want, all)
			}
		})
	}
}
