package http

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html/template"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/yuin/goldmark"
)

// The parts of an OpenAPI document that its page shows, in the document's
// order. It is this package's own document: what is not understood here is a
// mistake that stops the start, not input.

type document struct {
	Info struct {
		Title       string
		Summary     string
		Description markdown
	}
	Sections []section
	Schemas  []schemaDoc
}

type section struct {
	Name        string
	Description markdown
	Operations  []operation
}

type operation struct {
	Method, Path string
	Tags         []string
	OperationID  string `yaml:"operationId"`
	Summary      string
	Description  markdown
	Security     []map[string][]string
	Parameters   []parameter
	RequestBody  *content `yaml:"requestBody"`
	Responses    yaml.MapSlice
	Answers      []answer `yaml:"-"`
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Required    bool
	Description markdown
	Schema      schema
}

type content struct {
	Ref         string `yaml:"$ref"`
	Description markdown
	Content     map[string]media
}

type media struct {
	Schema  schema
	Example example
}

type answer struct {
	Status string
	content
}

type rawDocument struct {
	Info struct {
		Title, Summary string
		Description    markdown
	}
	Tags []struct {
		Name        string
		Description markdown
	}
	Paths      yaml.MapSlice
	Components struct {
		Parameters    map[string]parameter
		RequestBodies map[string]content `yaml:"requestBodies"`
		Responses     map[string]content
		Schemas       yaml.MapSlice
	}
}

func readDocument(source []byte) (*document, error) {
	var raw rawDocument
	if err := readOrdered(source, &raw); err != nil {
		return nil, err
	}
	doc := &document{}
	doc.Info.Title, doc.Info.Summary, doc.Info.Description = raw.Info.Title, raw.Info.Summary, raw.Info.Description
	operations, err := raw.operations()
	if err != nil {
		return nil, err
	}
	for _, tag := range raw.Tags {
		part := section{Name: tag.Name, Description: tag.Description}
		for _, op := range operations {
			if len(op.Tags) == 1 && op.Tags[0] == tag.Name {
				part.Operations = append(part.Operations, op)
			}
		}
		doc.Sections = append(doc.Sections, part)
	}
	doc.Schemas, err = readSchemas(raw.Components.Schemas)
	return doc, err
}

func (raw *rawDocument) operations() ([]operation, error) {
	var operations []operation
	for _, path := range raw.Paths {
		methods, ok := path.Value.(yaml.MapSlice)
		if !ok {
			return nil, fmt.Errorf("%v: not an object", path.Key)
		}
		for _, method := range methods {
			op, err := raw.operation(method.Value)
			if err != nil {
				return nil, fmt.Errorf("%v %v: %w", method.Key, path.Key, err)
			}
			op.Method, op.Path = strings.ToUpper(fmt.Sprint(method.Key)), fmt.Sprint(path.Key)
			operations = append(operations, op)
		}
	}
	return operations, nil
}

func (raw *rawDocument) operation(node any) (operation, error) {
	var op operation
	if err := reread(node, &op); err != nil {
		return op, err
	}
	for i, p := range op.Parameters {
		if p.Ref != "" {
			op.Parameters[i] = raw.Components.Parameters[lastPart(p.Ref)]
		}
	}
	if body := op.RequestBody; body != nil && body.Ref != "" {
		resolved := raw.Components.RequestBodies[lastPart(body.Ref)]
		op.RequestBody = &resolved
	}
	for _, response := range op.Responses {
		var c content
		if err := reread(response.Value, &c); err != nil {
			return op, err
		}
		if c.Ref != "" {
			c = raw.Components.Responses[lastPart(c.Ref)]
		}
		op.Answers = append(op.Answers, answer{fmt.Sprint(response.Key), c})
	}
	return op, nil
}

// reread turns a generic node into a typed one.
func reread(node, into any) error {
	data, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	return readOrdered(data, into)
}

func readOrdered(data []byte, into any) error {
	return yaml.UnmarshalWithOptions(data, into, yaml.UseOrderedMap())
}

func lastPart(ref string) string { return ref[strings.LastIndex(ref, "/")+1:] }

// Scope is the scope an operation needs; empty where it is open.
func (op operation) Scope() string {
	for _, requirement := range op.Security {
		for _, scopes := range requirement {
			return strings.Join(scopes, " ")
		}
	}
	return ""
}

// PathParts is the path in pieces between which a line may break.
func (op operation) PathParts() []string {
	parts := strings.SplitAfter(strings.TrimPrefix(op.Path, "/"), "/")
	parts[0] = "/" + parts[0]
	return parts
}

// markdown is rendered when it is shown. Its source is this program's own.
type markdown string

// HTML renders the text.
func (m markdown) HTML() (template.HTML, error) {
	var out bytes.Buffer
	err := goldmark.Convert([]byte(m), &out)
	return template.HTML(out.String()), err
}

// example is JSON as it stands in the document, laid out for reading.
type example string

// UnmarshalYAML keeps the order of the members.
func (e *example) UnmarshalYAML(source []byte) error {
	raw, err := yaml.YAMLToJSON(source)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, raw, "", "  "); err != nil {
		return err
	}
	*e = example(strings.TrimSpace(out.String()))
	return nil
}
