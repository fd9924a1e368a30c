package policy

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/ext"
	"github.com/goccy/go-yaml/ast"
)

// A condition costs a few dozen units; the limit stops what a hostile or
// careless one could make of long lists.
const (
	evaluationLimit = 100_000
	maxCondition    = 4096
)

// variableTypes are the variables of a condition. Being typed, a misspelt field
// is an error when the file is loaded and not a surprise at night.
var variableTypes = [...]struct {
	name string
	view reflect.Type
}{
	{"incident", reflect.TypeFor[incidentView]()},
	{"target", reflect.TypeFor[targetView]()},
	{"diagnosis", reflect.TypeFor[diagnosisView]()},
	{"history", reflect.TypeFor[historyView]()},
}

func newEnvironment() (*cel.Env, error) {
	options := []cel.EnvOption{
		ext.NativeTypes(ext.ParseStructTag("cel"),
			reflect.TypeFor[incidentView](), reflect.TypeFor[targetView](), reflect.TypeFor[diagnosisView](),
			reflect.TypeFor[objectView](), reflect.TypeFor[historyView](), reflect.TypeFor[triedView]()),
		cel.OptionalTypes(),
		cel.Variable("now", cel.TimestampType),
		cel.ParserRecursionLimit(50),
	}
	for _, v := range variableTypes {
		options = append(options, cel.Variable(v.name, cel.ObjectType(v.view.String())))
	}
	return cel.NewEnv(options...)
}

// condition is one compiled CEL expression; a nil one always holds.
type condition struct {
	text    string
	program cel.Program
}

// holds evaluates the condition. An error means that it does not hold, and the
// caller must not become bolder by it.
func (c *condition) holds(activation map[string]any) (bool, error) {
	value, _, err := c.program.Eval(activation)
	if err != nil {
		return false, err
	}
	held, ok := value.Value().(bool)
	if !ok {
		return false, fmt.Errorf("it gave %T, not true or false", value.Value())
	}
	return held, nil
}

// condition compiles what stands after `if` and maps every error to its place
// in the file. It is never nil: a condition that cannot be read is not none.
func (b *builder) condition(n ast.Node) *condition {
	text, ok := b.text(n, "if")
	if ok && (len(text) > maxCondition || strings.TrimSpace(text) == "") {
		b.fail(n, "if: a condition has 1 to %d characters; leave if out where there is none", maxCondition)
		ok = false
	}
	c := &condition{text: strings.Join(strings.Fields(text), " ")}
	if ok {
		c.program = b.compile(n, text)
	}
	return c
}

func (b *builder) compile(n ast.Node, text string) cel.Program {
	checked, issues := b.env.Compile(text)
	if issues.Err() != nil {
		b.issues(n, text, issues.Errors())
		return nil
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		b.fail(n, "if: the condition gives %s; a condition gives true or false", checked.OutputType())
		return nil
	}
	program, err := b.env.Program(checked, cel.CostLimit(evaluationLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		b.fail(n, "if: %v", err)
	}
	return program
}

func (b *builder) issues(n ast.Node, text string, issues []*common.Error) {
	for _, issue := range issues {
		line, column := b.within(n, text, issue.Location.Line(), issue.Location.Column())
		b.failAt(line, column, "if: %s", explainIssue(text, issue.Message))
	}
}

var (
	undefinedField = regexp.MustCompile(`undefined field '([^']*)'`)
	undeclaredName = regexp.MustCompile(`undeclared reference to '([^']*)'`)
)

// explainIssue adds what would be right to CEL's words.
func explainIssue(text, message string) string {
	message = strings.TrimSpace(strings.ReplaceAll(message, " (in container '')", ""))
	if strings.Contains(message, "did you mean") {
		return message
	}
	if m := undefinedField.FindStringSubmatch(message); m != nil {
		return message + "; " + didYouMean(m[1], fieldsOf(ownerOf(text, m[1])))
	}
	if m := undeclaredName.FindStringSubmatch(message); m != nil && !strings.Contains(message, "candidates") {
		return message + "; " + didYouMean(m[1], variableNames())
	}
	if strings.Contains(message, "error at: '= '") {
		message += "; == compares"
	}
	return strings.ReplaceAll(message, "\n", " ")
}

func variableNames() []string {
	names := []string{"now", "has", "size", "startsWith", "endsWith", "contains", "matches", "exists", "all",
		"orValue", "getHours", "getDayOfWeek", "duration", "timestamp"}
	for _, v := range variableTypes {
		names = append(names, v.name)
	}
	return names
}

// ownerOf finds the word before the misspelt field: incident in incident.severty.
func ownerOf(text, field string) string {
	m := regexp.MustCompile(`(\w+)\s*\.\s*\??` + regexp.QuoteMeta(field) + `\b`).FindStringSubmatch(text)
	if m == nil {
		return ""
	}
	return m[1]
}

func fieldsOf(variable string) []string {
	view := reflect.TypeFor[objectView]()
	for _, v := range variableTypes {
		if v.name == variable {
			view = v.view
		}
	}
	if variable != "subject" && variable != "owner" && view == reflect.TypeFor[objectView]() {
		view = reflect.TypeFor[triedView]()
	}
	var names []string
	for i := range view.NumField() {
		names = append(names, view.Field(i).Tag.Get("cel"))
	}
	return names
}

// String is the condition as written, on one line; empty for none.
func (c *condition) String() string {
	if c == nil {
		return ""
	}
	return c.text
}
