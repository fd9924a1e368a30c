package kube

import (
	"encoding/json"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
)

// Fault names one part that could not be read.
type Fault struct {
	Pointer string // JSON pointer within what was decoded; "" is the whole
	Detail  string
}

// Faults is the error of everything in this package that decodes. What could be
// read is returned beside it.
type Faults []Fault

// Error lists the first few faults.
func (f Faults) Error() string {
	var parts []string
	for i, fault := range f {
		if i == maxFaults {
			parts = append(parts, fmt.Sprintf("and %d more", len(f)-i))
			break
		}
		parts = append(parts, strings.TrimPrefix(fault.Pointer+": "+fault.Detail, ": "))
	}
	return "decode: " + strings.Join(parts, "; ")
}

// orNil keeps an empty Faults from becoming an error that is not nil.
func (f Faults) orNil() error {
	if len(f) == 0 {
		return nil
	}
	return f
}

// typed decodes what must all be of one kind. A missing kind is taken as the
// wanted one: items of an API server's lists carry none.
func typed[T any, P interface {
	*T
	runtime.Object
	metav1.Object
}](raw json.RawMessage, want schema.GroupVersionKind) ([]T, error) {
	parts, faults := split(raw)
	out := make([]T, 0, len(parts))
	for _, p := range parts {
		var one T
		obj, detail := decodePart(p.orKind(want), P(&one))
		switch typedObj, ok := obj.(P); {
		case detail != "" && obj == nil:
			faults = faults.add(p.pointer, detail)
		case !ok:
			faults = faults.add(p.pointer, expected(want, obj.GetObjectKind().GroupVersionKind()))
		case typedObj.GetName() == "":
			faults = faults.add(p.pointer, "the "+want.Kind+" has no metadata.name")
		default:
			out = append(out, *typedObj)
		}
	}
	return out, faults.orNil()
}

// decodePart gives the object, or says why there is none.
func decodePart(p part, into runtime.Object) (runtime.Object, string) {
	if !isObject(p.raw) {
		return nil, "an object was expected, this is " + jsonKind(p.raw)
	}
	def := p.kind
	obj, actual, err := scheme.Codecs.UniversalDeserializer().Decode(p.raw, &def, into)
	switch {
	case err == nil:
		obj.GetObjectKind().SetGroupVersionKind(*actual) // an item of a list does not say it itself
		return obj, ""
	case actual == nil:
		return nil, "not readable: " + clip(err.Error(), 160)
	case actual.Kind == "" || actual.Version == "":
		return nil, "apiVersion or kind is missing: give the object as kubectl get -o json prints it"
	case runtime.IsNotRegisteredError(err) && into != nil && p.kind.Kind != "":
		return nil, expected(p.kind, *actual)
	case runtime.IsNotRegisteredError(err):
		return nil, "unknown kind " + kindName(*actual)
	default:
		return nil, "the " + clip(actual.Kind, 60) + " is malformed: " + clip(err.Error(), 160)
	}
}

func expected(want, got schema.GroupVersionKind) string {
	if want.Kind == got.Kind {
		return article(kindName(want)) + " was expected, this is " + article(kindName(got))
	}
	return article(want.Kind) + " was expected, this is " + article(clip(got.Kind, 60))
}

// article puts a or an before a kind.
func article(kind string) string {
	if kind != "" && strings.ContainsRune("AEIOUaeiou", rune(kind[0])) {
		return "an " + kind
	}
	return "a " + kind
}

// kindName is apps/v1 Deployment; hostile names are cut.
func kindName(k schema.GroupVersionKind) string {
	return clip(k.GroupVersion().String(), 60) + " " + clip(k.Kind, 60)
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
