package remedy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"k8s.io/apimachinery/pkg/api/resource"

	"salve/internal/evidence"
	"salve/internal/incident"
	"salve/internal/policy"
)

const pullRequestAction = "git.pull_request"

// pullRequestShape is a change of files that people merge.
type pullRequestShape struct {
	Shape          string       `json:"shape"`
	Cluster        string       `json:"cluster"`
	Repo           string       `json:"repo"`
	Base           string       `json:"base"`
	Branch         string       `json:"branch"`
	Files          []fileChange `json:"files"`
	Title          string       `json:"title"`
	Body           string       `json:"body"`
	TimeoutSeconds int          `json:"timeout_seconds"`
}

// fileChange is a file as it is to be; the blob is what it was made of.
type fileChange struct {
	Path    string `json:"path"`
	BlobSHA string `json:"blob_sha"`
	Content string `json:"content"`
}

type pullRequestParams struct {
	resourcesDone
	Repo string `json:"repo"`
	Path string `json:"path"`
}

const pullRequestTimeout = 60 * time.Second

// repositoryOf is the repository whose files bring a workload.
func (r Request) repositoryOf(t incident.Target) (incident.Repository, bool) {
	for _, repo := range r.Repositories {
		if policy.Listed(repo.Clusters, r.Incident.Target.Cluster) && policy.Listed(repo.Namespaces, t.Namespace) {
			return repo, true
		}
	}
	return incident.Repository{}, false
}

// buildPullRequest changes one value where Git says it: the memory limit of the ill
// container, or the maximum of an autoscaler. Comments, order and spaces of the file stay.
func buildPullRequest(r Request) (plan, error) {
	if raisesAutoscaler(r.Params) {
		return buildAutoscalerRaise(r)
	}
	up, err := r.raising()
	if err != nil {
		return plan{}, err
	}
	d, old, to := up.deployment, up.old, up.to
	repo, ok := r.repositoryOf(r.Diagnosis.Owner)
	if !ok {
		return plan{}, fmt.Errorf("no repository of inventory.repositories brings namespace %s of cluster %s", d.Namespace, up.cluster)
	}
	file, edited, err := edit{
		what: fmt.Sprintf("Deployment %s with a memory limit of container %s", d.Name, old.Container),
		find: func(content string) (ast.Node, bool) { return limitIn(content, d.Namespace, d.Name, old.Container) },
		is: func(text string) bool {
			q, err := resource.ParseQuantity(text)
			return err == nil && q.Cmp(old.Limit) == 0
		},
		from: old.Limit.String(), to: to.String(),
	}.in(r.Evidence.Files, repo)
	if err != nil {
		return plan{}, err
	}
	raised := old
	raised.Limit = to
	title := fmt.Sprintf("Raise the memory limit of %s/%s, container %s, to %s", d.Namespace, d.Name, old.Container, to.String())
	target := ofDeployment(d).target(up.cluster)
	target.Container = old.Container
	return plan{
		target: target, timeout: pullRequestTimeout,
		summary: fmt.Sprintf("Open a pull request in %s: %s (now %s).", repo.Repo, strings.ToLower(title[:1])+title[1:], old.Limit.String()),
		params:  pullRequestParams{done(old.Container, old.Limit.String(), raised, up.params), repo.Repo, file.Path},
		execute: r.pullRequest(up.cluster, repo, file, edited, title),
	}, nil
}

// branch is named after the incident and what the file is to be, so that the same
// change is the same branch.
func branch(i incident.Incident, file, content string) string {
	sum := sha256.Sum256([]byte(file + "\n" + content))
	return fmt.Sprintf("salve/%s-%s", strings.ToLower(incident.IncidentNumber(i.Number)), hex.EncodeToString(sum[:4]))
}

// edit is one value that is to become another.
type edit struct {
	what     string // the object and the value, for people
	find     func(content string) (ast.Node, bool)
	is       func(text string) bool // what the file says is what the cluster has
	from, to string
}

// in finds the one manifest that holds the value among the files, and changes it.
func (e edit) in(files []evidence.File, repo incident.Repository) (evidence.File, string, error) {
	for _, f := range files {
		if f.Repo != repo.Repo || !mayChange(repo, f.Path) {
			continue
		}
		node, found := e.find(f.Content)
		if !found {
			continue
		}
		token := node.GetToken()
		switch {
		case !e.is(token.Value):
			return f, "", fmt.Errorf("%s says %s where the cluster has %s: somebody changes it already", f.Path, clip(token.Value, 40), e.from)
		case f.BlobSHA == "":
			return f, "", fmt.Errorf("the evidence does not say which version of %s it holds", f.Path)
		}
		edited, err := replaceAt(f.Content, token.Position.Line, token.Position.Column, strings.TrimSpace(token.Origin), e.to)
		return f, edited, err
	}
	return evidence.File{}, "", fmt.Errorf("no file of %s in the evidence holds %s: %w", repo.Repo, e.what, errNoFile)
}

var errNoFile = fmt.Errorf("collect.files brings them")

// mayChange wants a clean path within the repository that policy lists.
func mayChange(repo incident.Repository, file string) bool {
	clean := path.Clean(file) == file && !path.IsAbs(file) && !strings.HasPrefix(file, "../") && !strings.ContainsAny(file, "\\\x00\n")
	return clean && policy.Listed(repo.Paths, file)
}

// limitIn is the value at spec.template.spec.containers[name].resources.limits.memory.
func limitIn(content, namespace, name, container string) (ast.Node, bool) {
	for _, doc := range documents(content, "Deployment", namespace, name) {
		list, ok := at(doc, "spec", "template", "spec", "containers").(*ast.SequenceNode)
		if !ok {
			continue
		}
		for _, c := range list.Values {
			if limit := at(c, "resources", "limits", "memory"); textAt(c, "name") == container && limit != nil {
				return limit, true
			}
		}
	}
	return nil, false
}

// documents are those of a file that are about an object. One without a namespace is
// taken for it: whoever applies the file says where.
func documents(content, kind, namespace, name string) (out []ast.Node) {
	// Lines and columns are the same with either line end; the parser counts one only.
	file, err := parser.ParseBytes([]byte(strings.ReplaceAll(content, "\r\n", "\n")), 0)
	if err != nil {
		return nil
	}
	for _, doc := range file.Docs {
		ns := textAt(doc.Body, "metadata", "namespace")
		if textAt(doc.Body, "kind") == kind && textAt(doc.Body, "metadata", "name") == name && (ns == "" || ns == namespace) {
			out = append(out, doc.Body)
		}
	}
	return out
}

func at(n ast.Node, keys ...string) ast.Node {
	for _, key := range keys {
		next := ast.Node(nil)
		switch m := n.(type) {
		case *ast.MappingNode:
			for _, kv := range m.Values {
				if kv.Key.String() == key {
					next = kv.Value
				}
			}
		case *ast.MappingValueNode:
			if m.Key.String() == key {
				next = m.Value
			}
		}
		if next == nil {
			return nil
		}
		n = next
	}
	return n
}

func textAt(n ast.Node, keys ...string) string {
	found := at(n, keys...)
	if found == nil {
		return ""
	}
	return found.GetToken().Value
}

// replaceAt changes one word in one line, and nothing else.
func replaceAt(content string, line, column int, was, to string) (string, error) {
	lines := strings.SplitAfter(content, "\n")
	if line < 1 || line > len(lines) {
		return "", fmt.Errorf("line %d is not in the file", line)
	}
	text := []rune(lines[line-1])
	if column < 1 || column > len(text) || !strings.HasPrefix(string(text[column-1:]), was) {
		return "", fmt.Errorf("line %d of the file does not read as it was parsed", line)
	}
	quote := ""
	if q := was[:1]; q == `"` || q == "'" {
		quote = q
	}
	lines[line-1] = string(text[:column-1]) + quote + to + quote + strings.TrimPrefix(string(text[column-1:]), was)
	return strings.Join(lines, ""), nil
}

// readFiles reads the manifests of the repository that brings the target.
func readFiles(r Request, target incident.Target) ([]read, error) {
	repo, ok := r.repositoryOf(target)
	if !ok {
		return nil, fmt.Errorf("no repository of inventory.repositories brings namespace %s", clip(target.Namespace, 63))
	}
	return []read{{EvidenceKey: "files", Repo: repo.Repo, Ref: repo.Base, Paths: repo.Paths}}, nil
}
