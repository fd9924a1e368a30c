package http

import (
	"errors"
	"reflect"
	"strings"
	"unicode"

	"github.com/go-playground/validator/v10"

	"salve/internal/fault"
)

// requestValidator checks a request's fields by their tags and names each bad
// one by JSON pointer.
type requestValidator struct{ validate *validator.Validate }

func newRequestValidator() requestValidator {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(fieldName)
	return requestValidator{v}
}

func (v requestValidator) check(req any) error {
	err := v.validate.Struct(req)
	if err == nil {
		return nil
	}
	var broken validator.ValidationErrors
	if !errors.As(err, &broken) {
		return &fault.Fault{Kind: fault.Internal, Err: err}
	}
	f := &fault.Fault{Kind: fault.Invalid, Detail: "Some fields are not as they must be."}
	for _, field := range broken {
		f.Fields = append(f.Fields, fault.Field{Pointer: pointerTo(field), Detail: ruleInWords(field)})
	}
	return f
}

// fieldName is the name on the wire: the JSON name, or for a parameter of the
// path or the query the field's own in snake case.
func fieldName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
	if name != "" && name != "-" {
		return name
	}
	var snake strings.Builder
	lower := false
	for _, r := range field.Name {
		if unicode.IsUpper(r) && lower {
			snake.WriteByte('_')
		}
		lower = unicode.IsLower(r)
		snake.WriteRune(unicode.ToLower(r))
	}
	return snake.String()
}

// pointerTo turns DecideRequest.override[2] into /override/2.
func pointerTo(field validator.FieldError) string {
	_, path, _ := strings.Cut(field.Namespace(), ".")
	return "/" + strings.NewReplacer(".", "/", "[", "/", "]", "").Replace(path)
}

func ruleInWords(field validator.FieldError) string {
	unit := " characters"
	switch field.Kind() {
	case reflect.Slice, reflect.Map:
		unit = " items"
	case reflect.Int, reflect.Int64, reflect.Float64:
		unit = ""
	}
	switch field.Tag() {
	case "required":
		return "is required"
	case "oneof":
		return "must be one of: " + strings.ReplaceAll(field.Param(), " ", ", ")
	case "max":
		return "must be at most " + field.Param() + unit
	case "min":
		return "must be at least " + field.Param() + unit
	}
	return strings.TrimSpace("must meet " + field.Tag() + " " + field.Param())
}
