package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
)

// plan is what has to be written so that n8n has the files.
type plan struct {
	steps []step
	ids   map[string]string // of the files, to those in n8n
}

type step struct {
	standing
	file   string   // id in the file
	write  workflow // as it should be in n8n
	was    workflow
	absent []credential // that its nodes name and n8n does not have
}

func newPlan(files, there []workflow, credentials []credential) (plan, error) {
	p := plan{ids: map[string]string{}}
	for _, file := range files {
		was, err := find(there, file)
		if err != nil {
			return p, err
		}
		s := step{file: file.id(), write: file.clone(), was: was}
		if was != nil {
			s.there, s.published = true, was.published()
			s.write["id"] = was.id()
			s.write.keep(was)
			p.ids[file.id()] = was.id()
		}
		s.absent = s.write.choose(credentials)
		p.steps = append(p.steps, s)
	}
	return p, nil
}

// find looks for a file's workflow in n8n: by its id, else, where n8n gave it
// another one, by its name.
func find(there []workflow, file workflow) (workflow, error) {
	var named []workflow
	for _, w := range there {
		if w.id() == file.id() {
			return w, nil
		}
		if w.name() == file.name() && w["isArchived"] != true {
			named = append(named, w)
		}
	}
	switch len(named) {
	case 0:
		return nil, nil
	case 1:
		return named[0], nil
	}
	return nil, fmt.Errorf("n8n has %d workflows of the name %q: archive or rename all but one", len(named), file.name())
}

// choose gives each node the credential that it names, by id, else by type and
// name, which is all there is where it was made by hand. It gives those that are
// missing.
func (w workflow) choose(credentials []credential) []credential {
	var absent []credential
	for _, n := range w.nodes() {
		named, _ := n["credentials"].(map[string]any)
		for kind, ref := range named {
			c, _ := ref.(map[string]any)
			want := credential{ID: text(c["id"]), Name: text(c["name"]), Type: kind}
			i := slices.IndexFunc(credentials, func(c credential) bool { return c.ID == want.ID && c.Type == want.Type })
			if i < 0 {
				i = slices.IndexFunc(credentials, func(c credential) bool { return c.Name == want.Name && c.Type == want.Type })
			}
			if i >= 0 {
				c["id"], c["name"] = credentials[i].ID, credentials[i].Name
			} else if !slices.Contains(absent, want) {
				absent = append(absent, want)
			}
		}
	}
	return absent
}

// same says whether n8n has all of it already. n8n may have settings of its own.
func (s step) same() bool {
	if s.was == nil || !reflect.DeepEqual(s.write["connections"], s.was["connections"]) || !reflect.DeepEqual(s.write["nodes"], s.was["nodes"]) {
		return false
	}
	settings, _ := s.write["settings"].(map[string]any)
	had, _ := s.was["settings"].(map[string]any)
	for key, value := range settings {
		if !reflect.DeepEqual(value, had[key]) {
			return false
		}
	}
	return s.write.name() == s.was.name()
}

// carryOut writes what differs, those that are called first, and publishes again
// what was published.
func (p *plan) carryOut(ctx context.Context, to n8n, publish bool, out io.Writer) error {
	var due []*step
	for i := range p.steps {
		s := &p.steps[i]
		s.write.eachCall(p.idOf)
		verb := "unchanged"
		if !s.same() {
			id, err := to.write(ctx, s.write, s.standing)
			if err != nil {
				return fmt.Errorf("%s: %w", s.write.name(), err)
			}
			p.ids[s.file], s.write["id"] = id, id
			verb = map[bool]string{true: "updated", false: "new"}[s.there]
		}
		fmt.Fprintf(out, "  %-10s %s\n", verb, s.write.name())
		// One that calls itself knows its id only now.
		if verb == "new" && slices.Contains(allCalls(s.write), s.file) && s.write.id() != s.file {
			s.write.eachCall(p.idOf)
			if _, err := to.write(ctx, s.write, standing{there: true}); err != nil {
				return fmt.Errorf("%s: %w", s.write.name(), err)
			}
		}
		if s.published && verb == "updated" || publish && !s.published {
			due = append(due, s)
		}
	}
	if err := to.finish(ctx); err != nil {
		return err
	}
	// What was in service and is out of it now is the worst to leave behind: one that
	// cannot be published keeps none of the others from it.
	var failed []error
	for _, s := range due {
		if err := to.publish(ctx, s.write.id()); err != nil {
			hint := ""
			if s.published {
				hint = ", and it was in service before: run again with PUBLISH=1"
			}
			failed = append(failed, fmt.Errorf("publish %s: %w%s", s.write.name(), err, hint))
			s.published = false
			continue
		}
		fmt.Fprintf(out, "  %-10s %s\n", "published", s.write.name())
		s.published = true
	}
	if len(failed) > 0 {
		return errors.Join(failed...)
	}
	if len(due) > 0 && to.late() {
		fmt.Fprintln(out, "\nAn n8n that runs takes up what was published within a minute; restart it where it does not.")
	}
	return nil
}

func (p *plan) idOf(id string) string {
	if known, ok := p.ids[id]; ok {
		return known
	}
	return id
}

func allCalls(w workflow) []string {
	var ids []string
	w.eachCall(func(id string) string { ids = append(ids, id); return id })
	return ids
}

// remains tells what only the user can do.
func (p *plan) remains(out io.Writer) {
	users := map[credential][]string{}
	var order []credential
	var unpublished []step
	for _, s := range p.steps {
		for _, c := range s.absent {
			if users[c] == nil {
				order = append(order, c)
			}
			users[c] = append(users[c], s.write.name())
		}
		if !s.published {
			unpublished = append(unpublished, s)
		}
	}
	if len(order) > 0 {
		fmt.Fprintln(out, "\nCredentials that are missing; a credential of this name and type is found by the next import:")
		for _, c := range order {
			fmt.Fprintf(out, "  %-24s %-16s for %s\n", c.Name, c.Type, strings.Join(users[c], ", "))
		}
	}
	if len(unpublished) > 0 {
		fmt.Fprintln(out, "\nNot published yet, in the order in which to publish (-publish, or PUBLISH=1 with make, does it):")
		for _, s := range unpublished {
			fmt.Fprintf(out, "  %-24s %s\n", s.write.id(), s.write.name())
		}
	}
	if len(order) == 0 && len(unpublished) == 0 {
		fmt.Fprintln(out, "\nNothing remains: all is published, and no credential is missing.")
	}
}
