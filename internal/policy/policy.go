package policy

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"

	"salve/internal/incident"
)

//go:embed default.yaml
var defaultSource string

// Default is the policy of a fresh installation, written to be read.
func Default() []byte { return []byte(defaultSource) }

// Catalogue is what policy must know of the actions that exist.
type Catalogue interface {
	// Actions lists every action's name.
	Actions() []string
	// CheckParams says what is wrong with an action's parameters and what would be right.
	CheckParams(action string, params map[string]any) error
	// Effect gives an action's effect and its usual risk; false: no such action.
	Effect(action string) (incident.Effect, incident.Risk, bool)
}

// Policy is one loaded file. It does not change and may be used by many at once.
type Policy struct {
	source    []byte
	version   string
	settings  Settings
	rules     []*rule
	catalogue Catalogue
	byName    map[string]*rule
	byCause   map[string][]*rule // in the file's order
}

// Load reads a policy file. What is wrong with it comes all at once as Errors.
func Load(name string, src []byte, c Catalogue) (*Policy, error) {
	env, err := newEnvironment()
	if err != nil {
		return nil, fmt.Errorf("load policy %s: %w", name, err)
	}
	src = canonical(src)
	b := &builder{reader: newReader(name, src), catalogue: c, env: env}
	p := &Policy{source: src, settings: defaultSettings(), catalogue: c}
	if root := b.root(src); root != nil {
		b.file(root, p)
	}
	if len(b.errs) > 0 {
		return nil, b.errs.sorted()
	}
	sum := sha256.Sum256(src)
	p.version = hex.EncodeToString(sum[:])
	p.index()
	return p, nil
}

// canonical drops what editors add: the same policy has one version whichever
// system its file was saved on.
func canonical(src []byte) []byte {
	src = bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))
	return bytes.ReplaceAll(src, []byte("\r\n"), []byte("\n"))
}

func (b *builder) file(root ast.Node, p *Policy) {
	var rules ast.Node
	if !b.isMapping(root, "a policy") {
		return
	}
	b.mapping(root, "a policy", append(p.settings.all(b.reader, b.catalogue.Actions()),
		field{"rules", func(n ast.Node) { rules = n }}))
	switch {
	case rules != nil:
		p.rules = b.rules(rules, p.settings)
	case !hasKey(root, "rules"):
		b.fail(root, "a policy needs rules; rules: [] only tells")
	}
	b.together(root, p.settings)
}

// together checks what single values cannot show.
func (b *builder) together(root ast.Node, s Settings) {
	if v := s.Verification; v.LookEvery >= v.Window || v.HealthyFor >= v.Window {
		b.fail(root, "verification: look_every (%s) and healthy_for (%s) must be shorter than window (%s)",
			formatDuration(v.LookEvery), formatDuration(v.HealthyFor), formatDuration(v.Window))
	}
}

func (p *Policy) index() {
	p.byName, p.byCause = map[string]*rule{}, map[string][]*rule{}
	for _, r := range p.rules {
		p.byName[r.name] = r
		for _, c := range r.causes {
			p.byCause[c] = append(p.byCause[c], r)
		}
	}
}

// Version is the SHA-256 of the file; it stands in every decision.
func (p *Policy) Version() string { return p.version }

// Source is the file as it was read.
func (p *Policy) Source() []byte { return slices.Clone(p.source) }

// Settings is what the file says beside its rules.
func (p *Policy) Settings() Settings { return p.settings }

// Rules lists the rules in the order they are tried. Its steps are not to be changed.
func (p *Policy) Rules() []RuleInfo {
	infos := make([]RuleInfo, len(p.rules))
	for i, r := range p.rules {
		infos[i] = r.info()
	}
	return infos
}
