package kube

import (
	"encoding/json"
	"fmt"
	"strings"
)

// ApplyTo changes some fields of one object by server-side apply. The UID in the
// body makes the API server refuse another object of that name, and keeps an
// apply from creating one that is gone. Fields that others own are taken over:
// whoever asks has decided that.
func ApplyTo(kind, namespace, name, uid string, spec map[string]any) (Request, error) {
	path, err := ObjectPath(kind, namespace, name)
	if err != nil {
		return Request{}, err
	}
	if err := CheckUID(uid); err != nil {
		return Request{}, err
	}
	meta := map[string]any{"name": name, "uid": uid}
	if namespace != "" {
		meta["namespace"] = namespace
	}
	p, err := placeOf(kind)
	if err != nil {
		return Request{}, err
	}
	body, err := json.Marshal(map[string]any{"apiVersion": p.apiVersion(), "kind": kind, "metadata": meta, "spec": spec})
	if err != nil {
		return Request{}, fmt.Errorf("apply of %s %s/%s: %w", kind, namespace, name, err)
	}
	return Request{
		Method: "PATCH", Path: path + "?fieldManager=" + FieldManager + "&force=true",
		ContentType: "application/apply-patch+yaml", Body: body,
	}, nil
}

// MergeInto changes some fields of one object whose schema the API server may not
// know well enough for an apply. What is null is taken away.
func MergeInto(kind, namespace, name string, patch map[string]any) (Request, error) {
	path, err := ObjectPath(kind, namespace, name)
	if err != nil {
		return Request{}, err
	}
	body, err := json.Marshal(patch)
	if err != nil {
		return Request{}, fmt.Errorf("patch of %s %s/%s: %w", kind, namespace, name, err)
	}
	return Request{Method: "PATCH", Path: path + "?fieldManager=" + FieldManager, ContentType: "application/merge-patch+json", Body: body}, nil
}

// Create makes one object of a kind in a namespace.
func Create(kind, namespace string, object any) (Request, error) {
	p, err := placeOf(kind)
	if err != nil {
		return Request{}, err
	}
	if err := CheckLabel("namespace", namespace); err != nil {
		return Request{}, err
	}
	body, err := json.Marshal(object)
	if err != nil {
		return Request{}, fmt.Errorf("creation of a %s in %s: %w", kind, namespace, err)
	}
	return Request{
		Method: "POST", Path: p.prefix + "/namespaces/" + namespace + "/" + p.plural + "?fieldManager=" + FieldManager,
		ContentType: "application/json", Body: body,
	}, nil
}

func (p place) apiVersion() string {
	if rest, group := strings.CutPrefix(p.prefix, "/apis/"); group {
		return rest
	}
	return "v1"
}
