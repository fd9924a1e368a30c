package archtest

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "salve/"

// listed is a package of this module as go list sees it, without its tests.
type listed struct {
	ImportPath, Dir  string
	GoFiles, Imports []string
}

func (p listed) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func packages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.Command("go", "list", "-e", "-json=ImportPath,Dir,GoFiles,Imports", "./...")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []listed
	for decoder := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
}

// matches reads a pattern as the go command does: a path, or a path with everything below.
func matches(pattern, name string) bool {
	prefix, below := strings.CutSuffix(pattern, "/...")
	return name == prefix || below && strings.HasPrefix(name, prefix+"/")
}

func matchesAny(patterns []string, name string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool { return matches(pattern, name) })
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"net", "net", true}, {"net", "net/url", false}, {"net/http/...", "net/http", true},
		{"net/http/...", "net/http/httptest", true}, {"net/http/...", "net/httpx", false},
	} {
		if got := matches(c.pattern, c.name); got != c.want {
			t.Errorf("matches(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

// A rule about a package that is no more would go on passing.
func TestRulesNamePackagesThatExist(t *testing.T) {
	all := packages(t)
	named := slices.Concat(slices.Concat(floors...), besideTheHouse, pure)
	for _, rule := range exclusive {
		named = append(named, rule.only...)
	}
	for _, pattern := range named {
		if !slices.ContainsFunc(all, func(p listed) bool { return matches(pattern, p.name()) }) {
			t.Errorf("no package is called %s any more: move its rules to the new name", pattern)
		}
	}
	for _, p := range all {
		if floorOf(p.name()) < 0 && !matchesAny(besideTheHouse, p.name()) {
			t.Errorf("%s has no floor in the house: add it to the table", p.name())
		}
	}
}

func floorOf(name string) int {
	return slices.IndexFunc(floors, func(floor []string) bool { return slices.Contains(floor, name) })
}

func TestPackagesImportOnlyFloorsBelow(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			name, ours := strings.CutPrefix(imported, module)
			if wrong := wrongImport(p.name(), name); ours && wrong != "" {
				t.Errorf("%s imports %s: %s", p.name(), name, wrong)
			}
		}
	}
}

// wrongImport says what is wrong with one package of ours importing another, or nothing.
func wrongImport(from, to string) string {
	switch {
	case matchesAny(besideTheHouse, from):
		return ""
	case matchesAny(besideTheHouse, to):
		return "it is not part of the program"
	case floorOf(to) >= floorOf(from):
		return "only floors below may be imported"
	}
	return ""
}

func TestWrongImport(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"down", "internal/http", "internal/handlers", ""},
		{"up", "internal/handlers", "internal/http", "only floors below may be imported"},
		{"a neighbour", "internal/policy", "internal/kube", "only floors below may be imported"},
		{"a test program", "internal/store", "test/bench", "it is not part of the program"},
		{"from a test program", "test/bench", "internal/store", ""},
	} {
		if got := wrongImport(c.from, c.to); got != c.want {
			t.Errorf("%s: %s imports %s: %q, want %q", c.name, c.from, c.to, got, c.want)
		}
	}
}

func TestEachTechnologyHasOneHome(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			for _, rule := range exclusive {
				if matches(rule.path, imported) && !matchesAny(rule.only, p.name()) {
					t.Errorf("%s imports %s, which belongs to %v alone: %s", p.name(), imported, rule.only, rule.reason)
				}
			}
		}
	}
}

func TestGroundFloorIsStandardLibraryOnly(t *testing.T) {
	for _, p := range packages(t) {
		if p.name() != "internal/incident" {
			continue
		}
		for _, imported := range p.Imports {
			if first, _, _ := strings.Cut(imported, "/"); strings.Contains(first, ".") || first == "salve" {
				t.Errorf("%s imports %s: the words of the product depend on nothing", p.name(), imported)
			}
		}
	}
}

func TestPurePackagesImportNothingImpure(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(pure, p.name()) {
			continue
		}
		for _, imported := range p.Imports {
			name, ours := strings.CutPrefix(imported, module)
			if ours && !slices.Contains(pure, name) {
				t.Errorf("%s is pure and imports %s, which is not", p.name(), name)
			}
			if matchesAny(impure, imported) && !(imported == "sync" && late[p.name()] != nil) {
				t.Errorf("%s is pure and imports %s: pass what is needed as an argument", p.name(), imported)
			}
		}
	}
}

func TestPurePackagesReadNoClock(t *testing.T) {
	forEachFile(t, func(p listed, set *token.FileSet, file *ast.File) {
		if !slices.Contains(pure, p.name()) {
			return
		}
		for _, use := range clockUses(file) {
			t.Errorf("%s: %s: time is an argument in a pure package", set.Position(use.Pos()), use.Sel.Name)
		}
	})
}

func TestPurePackagesOnlyComputeLate(t *testing.T) {
	forEachFile(t, func(p listed, set *token.FileSet, file *ast.File) {
		for _, use := range usesOf(file, map[string]bool{"sync": true}) {
			if slices.Contains(pure, p.name()) && !slices.Contains(late[p.name()], use.Sel.Name) {
				t.Errorf("%s: sync.%s: a pure package may only use %v of it", set.Position(use.Pos()), use.Sel.Name, late[p.name()])
			}
		}
	})
}

func TestClockIsSeenUnderAnotherName(t *testing.T) {
	source := `package p; import clock "time"; var now = clock.Now; type s struct{ Now int }; func f(time s) int { return time.Now }`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	if uses := clockUses(file); len(uses) != 1 {
		t.Errorf("found %d uses of the clock, want the renamed one alone", len(uses))
	}
}

// clockUses follows the file's own names for imports, so that renaming one hides nothing.
func clockUses(file *ast.File) []*ast.SelectorExpr {
	return slices.DeleteFunc(usesOf(file, map[string]bool{"time": true}), func(use *ast.SelectorExpr) bool {
		return !slices.Contains(clock["time"], use.Sel.Name)
	})
}

// usesOf gives what a file takes from some packages, under whatever name it imports them.
func usesOf(file *ast.File, packages map[string]bool) []*ast.SelectorExpr {
	names := map[string]bool{}
	for _, spec := range file.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		name := path.Base(imported)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = packages[imported]
	}
	var uses []*ast.SelectorExpr
	ast.Inspect(file, func(node ast.Node) bool {
		use, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := use.X.(*ast.Ident); ok && names[x.Name] {
			uses = append(uses, use)
		}
		return true
	})
	return uses
}

// What runs before main can't be given its arguments, its errors or its order.
func TestNobodyHasInit(t *testing.T) {
	forEachFile(t, func(_ listed, set *token.FileSet, file *ast.File) {
		for _, declaration := range file.Decls {
			if f, ok := declaration.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				t.Errorf("%s: construction is explicit, there is no init", set.Position(f.Pos()))
			}
		}
	})
}

// A package says what it owns and what it must not do before anybody reads its code.
func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	documented := map[string]bool{}
	forEachFile(t, func(p listed, _ *token.FileSet, file *ast.File) {
		documented[p.name()] = documented[p.name()] || file.Doc.Text() != ""
	})
	for name, ok := range documented {
		if !ok {
			t.Errorf("%s has no package comment", name)
		}
	}
}

func forEachFile(t *testing.T, visit func(listed, *token.FileSet, *ast.File)) {
	t.Helper()
	for _, p := range packages(t) {
		for _, name := range p.GoFiles {
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, filepath.Join(p.Dir, name), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			visit(p, set, file)
		}
	}
}
