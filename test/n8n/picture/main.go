// Command picture draws the workflows of n8n-workflows as n8n shows them, one SVG
// each and a page that shows them all, from the files alone: make pictures.
//
// A picture is the same for the same file, so that a test can tell when one is not
// what its file says any more.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const head = `# The workflows in pictures

Drawn from the files by ` + "`make pictures`" + `. A key marks a node that holds a credential; red leads where errors go.
`

func main() {
	dir := "n8n-workflows"
	if len(os.Args) > 1 {
		dir = os.Args[1]
	}
	if err := run(dir); err != nil {
		fmt.Fprintln(os.Stderr, "picture:", err)
		os.Exit(1)
	}
}

func run(dir string) error {
	pictures, err := renderAll(dir)
	if err != nil {
		return err
	}
	out := filepath.Join(dir, "pictures")
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	old, err := filepath.Glob(filepath.Join(out, "*.svg"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if _, still := pictures[filepath.Base(name)]; !still {
			if err := os.Remove(name); err != nil {
				return err
			}
		}
	}
	for name, svg := range pictures {
		if err := os.WriteFile(filepath.Join(out, name), svg, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// renderAll gives every workflow's picture, and the page, by file name.
func renderAll(dir string) (map[string][]byte, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no workflow files in %s", dir)
	}
	pictures, page := map[string][]byte{}, head
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		svg, err := render(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		pictures[name+".svg"] = svg
		page += fmt.Sprintf("\n## %s\n\n[![%s](%s.svg)](%s.svg)\n", name, name, name, name)
	}
	pictures["README.md"] = []byte(page)
	return pictures, nil
}
