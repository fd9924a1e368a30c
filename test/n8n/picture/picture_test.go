package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const workflows = "../../../n8n-workflows"

// A picture that is checked in is what its file renders to.
func TestPicturesAreOfToday(t *testing.T) {
	pictures, err := renderAll(workflows)
	if err != nil {
		t.Fatal(err)
	}
	for name, svg := range pictures {
		kept, err := os.ReadFile(filepath.Join(workflows, "pictures", name))
		if err != nil || !bytes.Equal(kept, svg) {
			t.Errorf("pictures/%s is not what its workflow looks like: run make pictures (%v)", name, err)
		}
	}
	kept, err := filepath.Glob(filepath.Join(workflows, "pictures", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range kept {
		if pictures[filepath.Base(file)] == nil {
			t.Errorf("%s is a picture of no workflow: run make pictures", file)
		}
	}
}

// said is all text of a picture; a picture that is no XML is no picture.
func said(t *testing.T, svg []byte) string {
	t.Helper()
	var all strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return all.String()
		}
		if err != nil {
			t.Fatalf("not XML: %v\n%s", err, svg)
		}
		if text, ok := token.(xml.CharData); ok {
			all.Write(text)
		}
	}
}

// Every node, every branch and every connection of every workflow is shown.
func TestNothingIsLeftOut(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(workflows, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		svg, err := render(data)
		if err != nil {
			t.Fatal(err)
		}
		w, err := parse(data)
		if err != nil {
			t.Fatal(err)
		}
		text, wires := strings.Join(strings.Fields(said(t, svg)), " "), 0
		for _, n := range w.Nodes {
			for _, word := range strings.Fields(n.Name) {
				if n.kind() != "stickyNote" && !strings.Contains(text, word) {
					t.Errorf("%s: node %q is not named", file, n.Name)
				}
			}
			for _, o := range n.outputs() {
				for _, word := range strings.Fields(o.label) {
					if !strings.Contains(text, word) {
						t.Errorf("%s: output %q of %q is not named", file, o.label, n.Name)
					}
				}
			}
			for _, to := range w.Connections[n.Name].Main {
				wires += len(to)
			}
		}
		if got := bytes.Count(svg, []byte("marker-end=")); got != wires {
			t.Errorf("%s: %d wires are drawn, the file has %d", file, got, wires)
		}
	}
}

const small = `{"name": "a <b> & c", "nodes": [
	{"name": "Start", "type": "n8n-nodes-base.webhook", "position": [0, 0], "parameters": {"httpMethod": "POST", "path": "in"}},
	{"name": "Which way?", "type": "n8n-nodes-base.switch", "position": [220, 0], "onError": "continueErrorOutput", "parameters": {
		"rules": {"values": [{"outputKey": "north"}, {"outputKey": "south"}]}, "options": {"fallbackOutput": "extra"}}},
	{"name": "A name that is much too long to stand in one line under a node", "type": "other.strangeThing", "position": [440, 0], "credentials": {"x": {}}},
	{"name": "Note", "type": "n8n-nodes-base.stickyNote", "position": [0, -400], "parameters": {"width": 300, "height": 200, "content": "## Title\nSome *thing* in **bold**, and ` + "`code <x>`" + `.\n- one\n- two"}}],
	"connections": {"Start": {"main": [[{"node": "Which way?", "index": 0}]]},
		"Which way?": {"main": [[{"node": "Start", "index": 0}], [], [], [{"node": "A name that is much too long to stand in one line under a node", "index": 0}]]}}}`

func TestPicture(t *testing.T) {
	svg, err := render([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	text := said(t, svg)
	for _, want := range []string{"a <b> & c", "north", "south", "else", "error", "POST /in", "strangeThing", "Title", "code <x>", "• one", "holds a credential"} {
		if !strings.Contains(text, want) {
			t.Errorf("it does not say %q:\n%s", want, text)
		}
	}
	for what, n := range map[string]int{`url(#fails)"/>`: 1, `url(#to)"/>`: 2, `font-style="italic">thing<`: 1, `font-weight="700">bold<`: 1, "</pattern>": 1} {
		if got := bytes.Count(svg, []byte(what)); got != n {
			t.Errorf("%q stands %d times, want %d:\n%s", what, got, n, svg)
		}
	}
	if again, err := render([]byte(small)); err != nil || !bytes.Equal(svg, again) {
		t.Errorf("a second rendering differs (%v)", err)
	}
}

// Lines keep within their width, unless one word alone is wider; no word is lost.
func TestWrapKeepsEveryWord(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 1))
		var words []string
		for range r.IntN(30) {
			words = append(words, strings.Repeat("ab", 1+r.IntN(12)))
		}
		text := strings.Join(words, " ")
		lines := wrap(text, 14, 196)
		if got := strings.Join(lines, " "); got != text {
			t.Fatalf("%q became %q", text, got)
		}
		for _, l := range lines {
			if width(l, 14) > 196 && strings.Contains(l, " ") {
				t.Fatalf("%q is wider than a node's place", l)
			}
		}
	}
}

func TestNotesFit(t *testing.T) {
	long := strings.Repeat("Some **bold** words and `code`, again and again. ", 40)
	lines := fit(long, 600, 300)
	if h := height(lines); h > 300 {
		t.Errorf("the text is %v high, its note 300", h)
	}
	var words strings.Builder
	for _, l := range lines {
		for _, s := range l.spans {
			words.WriteString(s.text)
		}
		words.WriteString(" ")
	}
	if got, want := strings.Join(strings.Fields(words.String()), " "), strings.TrimSpace(strings.NewReplacer("**", "", "`", "").Replace(long)); got != want {
		t.Errorf("the note says\n%s\nwant\n%s", got, want)
	}
}

func TestNoWorkflowIsSaid(t *testing.T) {
	for _, bad := range []string{``, `[]`, `{"name": "x"}`, `{"nodes": [{}]}`} {
		if _, err := render([]byte(bad)); err == nil {
			t.Errorf("%q was drawn", bad)
		}
	}
	if err := run(t.TempDir()); err == nil || !strings.Contains(fmt.Sprint(err), "no workflow files") {
		t.Errorf("error %v", err)
	}
}

// A workflow is somebody's file: whatever is in it, drawing must not fall over.
func FuzzRender(f *testing.F) {
	f.Add([]byte(small))
	f.Add([]byte(`{"name": "x", "nodes": [{"type": "n8n-nodes-base.stickyNote", "parameters": {"width": -5, "content": "#"}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if svg, err := render(data); err == nil && len(svg) == 0 {
			t.Error("an empty picture")
		}
	})
}
