package standin

import (
	"crypto/sha1" //nolint:gosec // what git names its objects by
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// GitHub is one repository, acme/deploy, behind as much of GitHub's REST API as is
// used: refs, trees, blobs, commits, contents, pulls and issues. It refuses what
// GitHub refuses: a wrong token, a ref or a pull request that is there already, a
// tree of nothing, a file written over a version that was not read.
type GitHub struct {
	URL   string
	Token string

	mu       sync.Mutex
	refs     map[string]string            // branch → commit
	commits  map[string]commit            // by SHA
	trees    map[string]map[string]string // tree → path → content
	Pulls    []Pull
	Issues   []Issue
	Requests []string      // METHOD path, in their order
	fails    []GitHubFails // the first that matches is used
	server   *httptest.Server
}

// GitHubFails makes requests fail whose method and path begin so.
type GitHubFails struct {
	Request string // e.g. "POST /pulls"
	Status  int
	Times   int // 0: always
}

type commit struct{ tree, parent, message string }

// Pull is a pull request.
type Pull struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
	Body   string `json:"body"`
	Head   string `json:"-"`
	Base   string `json:"-"`
	URL    string `json:"html_url"`
}

// Issue is an issue.
type Issue struct {
	Number int      `json:"number"`
	Title  string   `json:"title"`
	Body   string   `json:"body"`
	Labels []string `json:"-"`
	State  string   `json:"state"`
	URL    string   `json:"html_url"`
}

// Repo is the one repository that there is.
const Repo = "acme/deploy"

// StartGitHub serves a repository whose branch main holds these files.
func StartGitHub(token string, files map[string]string) *GitHub {
	g := &GitHub{Token: token, refs: map[string]string{}, commits: map[string]commit{}, trees: map[string]map[string]string{}}
	g.refs["main"] = g.commit("", "first", files)
	mux := http.NewServeMux()
	for pattern, serve := range map[string]func(*http.Request) (int, any){
		"GET /git/ref/heads/{branch...}": g.getRef, "POST /git/refs": g.postRef,
		"GET /git/trees/{sha}": g.getTree, "POST /git/trees": g.postTree, "GET /git/blobs/{sha}": g.getBlob,
		"GET /git/commits/{sha}": g.getCommit, "POST /git/commits": g.postCommit,
		"GET /contents/{path...}": g.getContents, "PUT /contents/{path...}": g.putContents,
		"GET /pulls": g.getPulls, "POST /pulls": g.postPull, "GET /issues": g.getIssues, "POST /issues": g.postIssue,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			status, body := serve(r)
			writeJSON(w, status, body)
		})
	}
	g.server = httptest.NewServer(g.guarded(http.StripPrefix("/repos/"+Repo, mux)))
	g.URL = g.server.URL
	return g
}

// Close stops serving.
func (g *GitHub) Close() { g.server.Close() }

// Fail adds a failure; Heal forgets all.
func (g *GitHub) Fail(f GitHubFails) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fails = append(g.fails, f)
}

// Heal forgets all failures.
func (g *GitHub) Heal() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.fails = nil
}

// File is what a branch holds at a path, and its blob's SHA.
func (g *GitHub) File(branch, path string) (content, blob string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	content = g.files(branch)[path]
	return content, blobSHA(content)
}

// Write commits a file to a branch, as a person does.
func (g *GitHub) Write(branch, path, content string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	files := maps.Clone(g.files(branch))
	files[path] = content
	g.refs[branch] = g.commit(g.refs[branch], "by a person", files)
}

// Seen are the requests so far.
func (g *GitHub) Seen() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.Requests)
}

func (g *GitHub) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		g.mu.Lock()
		defer g.mu.Unlock()
		request := r.Method + " " + strings.TrimPrefix(r.URL.Path, "/repos/"+Repo)
		g.Requests = append(g.Requests, request)
		for i, f := range g.fails {
			if !strings.HasPrefix(request, f.Request) {
				continue
			}
			if f.Times == 1 {
				g.fails = slices.Delete(g.fails, i, i+1)
			} else if f.Times > 1 {
				g.fails[i].Times--
			}
			writeJSON(w, f.Status, object{"message": "the stand-in was told to fail"})
			return
		}
		switch {
		case r.Header.Get("Authorization") != "Bearer "+g.Token:
			writeJSON(w, http.StatusUnauthorized, object{"message": "Bad credentials"})
		case !strings.HasPrefix(r.URL.Path, "/repos/"+Repo+"/"):
			writeJSON(w, http.StatusNotFound, object{"message": "Not Found"})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func notFound() (int, any) { return http.StatusNotFound, object{"message": "Not Found"} }

func invalid(why string) (int, any) {
	return http.StatusUnprocessableEntity, object{"message": "Validation Failed: " + why}
}

// files are those of a branch, or of a commit.
func (g *GitHub) files(at string) map[string]string {
	if sha, is := g.refs[at]; is {
		at = sha
	}
	return g.trees[g.commits[at].tree]
}

func (g *GitHub) tree(files map[string]string) string {
	var b strings.Builder
	for _, path := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "%s %s\n", path, blobSHA(files[path]))
	}
	sha := sum("tree " + b.String())
	g.trees[sha] = files
	return sha
}

func (g *GitHub) commit(parent, message string, files map[string]string) string {
	c := commit{g.tree(files), parent, message}
	sha := sum(fmt.Sprint("commit ", len(g.commits), c))
	g.commits[sha] = c
	return sha
}

func sum(s string) string {
	h := sha1.Sum([]byte(s)) //nolint:gosec // as above
	return hex.EncodeToString(h[:])
}

func blobSHA(content string) string { return sum(fmt.Sprintf("blob %d\x00%s", len(content), content)) }

func ref(branch, sha string) object {
	return object{"ref": "refs/heads/" + branch, "object": object{"type": "commit", "sha": sha}}
}

func (g *GitHub) getRef(r *http.Request) (int, any) {
	branch := r.PathValue("branch")
	sha, is := g.refs[branch]
	if !is {
		return notFound()
	}
	return http.StatusOK, ref(branch, sha)
}

func (g *GitHub) postRef(r *http.Request) (int, any) {
	var in struct{ Ref, SHA string }
	err := json.NewDecoder(r.Body).Decode(&in)
	branch, ok := strings.CutPrefix(in.Ref, "refs/heads/")
	if err != nil || !ok {
		return invalid("ref")
	}
	if _, is := g.refs[branch]; is {
		return http.StatusUnprocessableEntity, object{"message": "Reference already exists"}
	}
	if _, is := g.commits[in.SHA]; !is {
		return invalid("sha")
	}
	g.refs[branch] = in.SHA
	return http.StatusCreated, ref(branch, in.SHA)
}

func (g *GitHub) getTree(r *http.Request) (int, any) {
	files := g.files(r.PathValue("sha"))
	if files == nil || r.URL.Query().Get("recursive") == "" {
		return notFound()
	}
	entries := []any{object{"path": "apps", "type": "tree", "mode": "040000", "sha": sum("apps")}}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		entries = append(entries, object{"path": path, "type": "blob", "mode": "100644", "size": len(files[path]), "sha": blobSHA(files[path])})
	}
	return http.StatusOK, object{"tree": entries, "truncated": false}
}

func (g *GitHub) postTree(r *http.Request) (int, any) {
	var in struct {
		BaseTree string `json:"base_tree"`
		Tree     []struct{ Path, Mode, Type, Content string }
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || len(in.Tree) == 0 || g.trees[in.BaseTree] == nil {
		return invalid("tree")
	}
	files := maps.Clone(g.trees[in.BaseTree])
	for _, entry := range in.Tree {
		files[entry.Path] = entry.Content
	}
	return http.StatusCreated, object{"sha": g.tree(files)}
}

func (g *GitHub) getBlob(r *http.Request) (int, any) {
	for _, files := range g.trees {
		for _, content := range files {
			if blobSHA(content) == r.PathValue("sha") {
				return http.StatusOK, object{"encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(content))}
			}
		}
	}
	return notFound()
}

func (g *GitHub) getCommit(r *http.Request) (int, any) {
	c, is := g.commits[r.PathValue("sha")]
	if !is {
		return notFound()
	}
	return http.StatusOK, object{"sha": r.PathValue("sha"), "tree": object{"sha": c.tree}}
}

func (g *GitHub) postCommit(r *http.Request) (int, any) {
	var in struct {
		Message, Tree string
		Parents       []string
	}
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || g.trees[in.Tree] == nil || len(in.Parents) != 1 || in.Message == "" {
		return invalid("commit")
	}
	return http.StatusCreated, object{"sha": g.commit(in.Parents[0], in.Message, g.trees[in.Tree])}
}

func (g *GitHub) getContents(r *http.Request) (int, any) {
	at := r.URL.Query().Get("ref")
	if at == "" {
		at = "main"
	}
	content, is := g.files(at)[r.PathValue("path")]
	if !is {
		return notFound()
	}
	return http.StatusOK, object{"path": r.PathValue("path"), "sha": blobSHA(content), "encoding": "base64", "content": base64.StdEncoding.EncodeToString([]byte(content))}
}

// putContents writes one file, over the version that is named.
func (g *GitHub) putContents(r *http.Request) (int, any) {
	var in struct{ Message, Content, SHA, Branch string }
	content, err := []byte(nil), json.NewDecoder(r.Body).Decode(&in)
	if err == nil {
		content, err = base64.StdEncoding.DecodeString(in.Content)
	}
	if err != nil || in.Message == "" {
		return invalid("content")
	}
	if in.Branch == "" {
		in.Branch = "main"
	}
	path, files := r.PathValue("path"), maps.Clone(g.files(in.Branch))
	if old, is := files[path]; is && blobSHA(old) != in.SHA {
		return http.StatusConflict, object{"message": path + " does not match " + in.SHA}
	}
	files[path] = string(content)
	g.refs[in.Branch] = g.commit(g.refs[in.Branch], in.Message, files)
	return http.StatusOK, object{"content": object{"path": path, "sha": blobSHA(string(content))}, "commit": object{"sha": g.refs[in.Branch]}}
}

func (g *GitHub) getPulls(r *http.Request) (int, any) {
	_, head, _ := strings.Cut(r.URL.Query().Get("head"), ":")
	found := []Pull{}
	for _, p := range g.Pulls {
		if p.Head == head {
			found = append(found, p)
		}
	}
	return http.StatusOK, found
}

func (g *GitHub) postPull(r *http.Request) (int, any) {
	var in struct{ Title, Body, Head, Base string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || g.refs[in.Head] == "" || g.refs[in.Base] == "" {
		return invalid("head or base")
	}
	if slices.ContainsFunc(g.Pulls, func(p Pull) bool { return p.Head == in.Head }) {
		return invalid("a pull request already exists for acme:" + in.Head)
	}
	n := len(g.Pulls) + 1
	g.Pulls = append(g.Pulls, Pull{n, in.Title, in.Body, in.Head, in.Base, fmt.Sprintf("https://github.example/%s/pull/%d", Repo, n)})
	return http.StatusCreated, g.Pulls[n-1]
}

func (g *GitHub) getIssues(r *http.Request) (int, any) {
	found := []Issue{}
	for _, i := range g.Issues {
		if i.State == r.URL.Query().Get("state") {
			found = append(found, i)
		}
	}
	return http.StatusOK, found
}

func (g *GitHub) postIssue(r *http.Request) (int, any) {
	var in Issue
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || in.Title == "" {
		return invalid("title")
	}
	in.Number, in.State = len(g.Issues)+1, "open"
	in.URL = fmt.Sprintf("https://github.example/%s/issues/%d", Repo, in.Number)
	g.Issues = append(g.Issues, in)
	return http.StatusCreated, in
}
