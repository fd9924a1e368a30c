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
	"salve/internal/redact"
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

// buildPullRequest raises the memory limit of the ill container where Git says it.
// One value changes; comments, order and spaces of the file stay.
func buildPullRequest(r Request) (plan, error) {
	up, err := r.raising()
	if err != nil {
		return plan{}, err
	}
	d, old, to := up.deployment, up.old, up.to
	repo, ok := r.repositoryOf(r.Diagnosis.Owner)
	if !ok {
		return plan{}, fmt.Errorf("no repository of inventory.repositories brings namespace %s of cluster %s", d.Namespace, up.cluster)
	}
	file, edited, err := editLimit(r.Evidence.Files, repo, d.Namespace, d.Name, old.Container, old.Limit, to)
	if err != nil {
		return plan{}, err
	}
	raised := old
	raised.Limit = to
	title := fmt.Sprintf("Raise the memory limit of %s/%s, container %s, to %s", d.Namespace, d.Name, old.Container, to.String())
	x := pullRequestShape{
		Shape: "pull_request", Cluster: up.cluster, Repo: repo.Repo, Base: repo.Base, Branch: branch(r.Incident, file.Path, edited),
		Files: []fileChange{{file.Path, file.BlobSHA, edited}}, Title: title,
		Body: clip(redact.Text(r.Diagnosis.Summary+"\n\n- "+strings.Join(r.Diagnosis.Evidence, "\n- ")), 8000), TimeoutSeconds: int(pullRequestTimeout / time.Second),
	}
	target := ofDeployment(d).target(up.cluster)
	target.Container = old.Container
	return plan{
		target: target, timeout: pullRequestTimeout,
		summary: fmt.Sprintf("Open a pull request in %s: %s (now %s).", repo.Repo, strings.ToLower(title[:1])+title[1:], old.Limit.String()),
		params:  pullRequestParams{done(old.Container, old.Limit.String(), raised, up.params), repo.Repo, file.Path},
		execute: x,
	}, nil
}

// branch is named after the incident and what the file is to be, so that the same
// change is the same branch.
func branch(i incident.Incident, file, content string) string {
	sum := sha256.Sum256([]byte(file + "\n" + content))
	return fmt.Sprintf("salve/%s-%s", strings.ToLower(incident.IncidentNumber(i.Number)), hex.EncodeToString(sum[:4]))
}

// editLimit finds the one manifest of the Deployment among the files, and changes
// the limit in it.
func editLimit(files []evidence.File, repo incident.Repository, namespace, name, container string, from, to resource.Quantity) (evidence.File, string, error) {
	for _, f := range files {
		if f.Repo != repo.Repo || !mayChange(repo, f.Path) {
			continue
		}
		node, found := limitIn(f.Content, namespace, name, container)
		if !found {
			continue
		}
		token := node.GetToken()
		now, err := resource.ParseQuantity(token.Value)
		switch {
		case err != nil || now.Cmp(from) != 0:
			return f, "", fmt.Errorf("%s says %s where the cluster has %s: somebody changes it already", f.Path, clip(token.Value, 40), from.String())
		case f.BlobSHA == "":
			return f, "", fmt.Errorf("the evidence does not say which version of %s it holds", f.Path)
		}
		edited, err := replaceAt(f.Content, token.Position.Line, token.Position.Column, strings.TrimSpace(token.Origin), to.String())
		return f, edited, err
	}
	return evidence.File{}, "", fmt.Errorf("no file of %s in the evidence holds Deployment %s with a memory limit of container %s: %w", repo.Repo, name, container, errNoFile)
}

var errNoFile = fmt.Errorf("collect.files brings them")

// mayChange wants a clean path within the repository that policy lists.
func mayChange(repo incident.Repository, file string) bool {
	clean := path.Clean(file) == file && !path.IsAbs(file) && !strings.HasPrefix(file, "../") && !strings.ContainsAny(file, "\\\x00\n")
	return clean && policy.Listed(repo.Paths, file)
}

// limitIn is the value at spec.template.spec.containers[name].resources.limits.memory.
func limitIn(content, namespace, name, container string) (ast.Node, bool) {
	// Lines and columns are the same with either line end; the parser counts one only.
	file, err := parser.ParseBytes([]byte(strings.ReplaceAll(content, "\r\n", "\n")), 0)
	if err != nil {
		return nil, false
	}
	for _, doc := range file.Docs {
		ns := textAt(doc.Body, "metadata", "namespace")
		if textAt(doc.Body, "kind") != "Deployment" || textAt(doc.Body, "metadata", "name") != name || ns != "" && ns != namespace {
			continue
		}
		list, ok := at(doc.Body, "spec", "template", "spec", "containers").(*ast.SequenceNode)
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
