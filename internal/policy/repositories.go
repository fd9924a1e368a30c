package policy

import (
	"regexp"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

var (
	repoShape   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}(/[A-Za-z0-9][A-Za-z0-9_.-]{0,99}){1,3}$`)
	branchShape = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./-]{0,199}$`)
	filesShape  = regexp.MustCompile(`^!?[A-Za-z0-9*][A-Za-z0-9*_./-]{0,252}$`)
)

const maxRepositories = 500

func (r *reader) repositories(n ast.Node, into *[]incident.Repository) {
	*into = nil
	for _, item := range r.listOf(n, "repositories", 0, maxRepositories) {
		repo := incident.Repository{Base: "main", Clusters: []string{"*"}}
		r.mapping(item, "a repository", []field{
			{"repo", func(n ast.Node) { repo.Repo, _ = r.matching(n, "repo", repoShape, "owner/name") }},
			{"base", func(n ast.Node) { repo.Base, _ = r.matching(n, "base", branchShape, "the name of a branch") }},
			{"clusters", func(n ast.Node) { r.patterns(n, "clusters", &repo.Clusters) }},
			{"namespaces", func(n ast.Node) { r.patterns(n, "namespaces", &repo.Namespaces) }},
			{"paths", func(n ast.Node) {
				r.texts(n, "paths", func(item ast.Node, s string) {
					if !filesShape.MatchString(s) {
						r.fail(item, "paths: %q cannot be; a file, or a pattern like \"deploy/*.yaml\" would be right", clip(s))
					}
					repo.Paths = append(repo.Paths, s)
				})
			}},
		})
		for _, key := range []string{"repo", "namespaces", "paths"} {
			if r.isMapping(item, "a repository") && !hasKey(item, key) {
				r.fail(item, "a repository needs %s", key)
			}
		}
		*into = append(*into, repo)
	}
}

// Listed says whether a list of names and patterns holds a name; an empty list
// holds nothing.
func Listed(patterns []string, name string) bool { return listed(patterns, name) }
