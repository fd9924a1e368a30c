package http

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// schemaDoc is one named schema as its page shows it.
type schemaDoc struct {
	Name        string
	Description markdown
	Is          string // what it is, where it is no object
	Parts       []string
	Fields      []fieldDoc
}

type fieldDoc struct {
	Name     string
	Required bool
	Schema   schema
}

// schema is as much of JSON Schema as the document uses.
type schema struct {
	Ref         string `yaml:"$ref"`
	Type        any
	Format      string
	Description markdown
	Enum        []string
	Pattern     string
	Minimum     any
	Maximum     any
	MinLength   any `yaml:"minLength"`
	MaxLength   any `yaml:"maxLength"`
	Required    []string
	Properties  yaml.MapSlice
	Items       *schema
	OneOf       []schema `yaml:"oneOf"`
	AllOf       []schema `yaml:"allOf"`
}

func readSchemas(named yaml.MapSlice) ([]schemaDoc, error) {
	var docs []schemaDoc
	for _, item := range named {
		var s schema
		if err := reread(item.Value, &s); err != nil {
			return nil, fmt.Errorf("schema %v: %w", item.Key, err)
		}
		doc := schemaDoc{Name: fmt.Sprint(item.Key), Description: s.Description}
		if err := doc.add(s); err != nil {
			return nil, fmt.Errorf("schema %v: %w", item.Key, err)
		}
		if len(doc.Fields) == 0 {
			doc.Is = s.Words()
		}
		docs = append(docs, doc)
	}
	return docs, nil
}

func (d *schemaDoc) add(s schema) error {
	for _, property := range s.Properties {
		var value schema
		if err := reread(property.Value, &value); err != nil {
			return err
		}
		name := fmt.Sprint(property.Key)
		d.Fields = append(d.Fields, fieldDoc{name, contains(s.Required, name), value})
	}
	for _, part := range s.AllOf {
		if part.Ref != "" {
			d.Parts = append(d.Parts, lastPart(part.Ref))
		}
		if err := d.add(part); err != nil {
			return err
		}
	}
	return nil
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}
	return false
}

// Link is the named schema to read on at: its own, or its items'.
func (s schema) Link() string {
	for _, ref := range s.refs() {
		return lastPart(ref)
	}
	return ""
}

func (s schema) refs() []string {
	if s.Ref != "" {
		return []string{s.Ref}
	}
	var refs []string
	if s.Items != nil {
		refs = s.Items.refs()
	}
	for _, part := range append(s.OneOf, s.AllOf...) {
		refs = append(refs, part.refs()...)
	}
	return refs
}

// Words says what a value may be: "array of Intent", "string, date-time".
func (s schema) Words() string {
	switch {
	case s.Ref != "":
		return lastPart(s.Ref)
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, " | ")
	case len(s.OneOf) > 0:
		return joinWords(s.OneOf, " or ")
	case len(s.AllOf) > 0:
		return joinWords(s.AllOf, " and ")
	case s.Items != nil:
		return "array of " + s.Items.Words() + s.orNull()
	}
	words := s.base()
	if s.Format != "" {
		words += ", " + s.Format
	}
	return words + s.bounds() + s.orNull()
}

func joinWords(list []schema, by string) string {
	var words []string
	for _, s := range list {
		words = append(words, s.Words())
	}
	return strings.Join(words, by)
}

func (s schema) base() string {
	switch t := s.Type.(type) {
	case string:
		return t
	case []any:
		return fmt.Sprint(t[0])
	}
	return "any value"
}

func (s schema) orNull() string {
	if _, several := s.Type.([]any); several {
		return " or null"
	}
	return ""
}

func (s schema) bounds() string {
	var words []string
	if s.Minimum != nil {
		words = append(words, fmt.Sprintf("from %v", s.Minimum))
	}
	if s.Maximum != nil {
		words = append(words, fmt.Sprintf("to %v", s.Maximum))
	}
	if s.MaxLength != nil {
		words = append(words, fmt.Sprintf("at most %v characters", s.MaxLength))
	}
	if len(words) == 0 {
		return ""
	}
	return ", " + strings.Join(words, " ")
}
