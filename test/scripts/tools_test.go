package scripts

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tools are programs that say what they were called with, in one file.
type tools struct {
	t   *testing.T
	dir string
}

func newTools(t *testing.T) tools { return tools{t, t.TempDir()} }

func (s tools) add(name, body string) {
	s.t.Helper()
	script := "#!/bin/sh\necho \"" + name + " $*\" >>'" + s.dir + "/called'\n" + body + "\n"
	must(s.t, os.WriteFile(filepath.Join(s.dir, name), []byte(script), 0o755))
}

// called lists the calls since the last look.
func (s tools) called() string {
	file := filepath.Join(s.dir, "called")
	said, _ := os.ReadFile(file)
	_ = os.Remove(file)
	return strings.TrimSpace(string(said))
}

func (s tools) run(script string, args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command("sh", append([]string{filepath.Join(installed(), script)}, args...)...)
	cmd.Env = []string{"PATH=" + s.dir + ":" + systemPath, "LC_ALL=C"}
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return strings.TrimSpace(string(out)), cmd.ProcessState.ExitCode()
}

// place puts a file into the folder of the scripts, as an operator does.
func place(t *testing.T, name, content string, mode os.FileMode) {
	t.Helper()
	path := filepath.Join(installed(), name)
	must(t, os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(content), mode))
	t.Cleanup(func() { os.Remove(path) })
}

// Each script does what it says with --apply, nothing without, and tells how it ended.
func TestScriptsAroundTools(t *testing.T) {
	place(t, "backup.d/nightly", "#!/bin/sh\nexec backup-tool \"$@\"\n", 0o755)
	place(t, "backup.d/unready", "#!/bin/sh\n", 0o600)
	place(t, "playbooks/grow-disk.yml", "- hosts: all\n", 0o600)
	listed := func(host string) string {
		return "ansible-playbook --list-hosts --limit " + host + " -- " + installed() + "/playbooks/grow-disk.yml"
	}
	looked := "certbot certificates --cert-name a.example.com"
	for name, tc := range map[string]struct {
		call   string
		code   int
		prints string
		calls  string
	}{
		"renews":              {"certificate-renew --domain a.example.com --tool certbot --apply", 0, `{"applied":true,"domain":"a.example.com","tool":"certbot","status":0}`, looked + "\ncertbot renew --cert-name a.example.com --force-renewal --non-interactive"},
		"would renew":         {"certificate-renew --domain a.example.com --tool certbot", 0, `{"applied":false,"domain":"a.example.com","tool":"certbot","status":0}`, looked},
		"renews with acme.sh": {"certificate-renew --domain a.example.com --tool acme.sh --apply", 1, `{"applied":true,"domain":"a.example.com","tool":"acme.sh","status":3}`, "acme.sh --renew --force -d a.example.com"},
		"another tool":        {"certificate-renew --domain a.example.com --tool sh --apply", 64, `{"error":"--tool wants certbot or acme.sh"}`, ""},
		"no domain":           {"certificate-renew --tool certbot --apply", 64, `{"error":"--domain is missing"}`, ""},
		"backs up":            {"backup-run --tool restic --name nightly --apply", 0, `{"applied":true,"tool":"restic","name":"nightly","did":"run","status":0}`, "backup-tool run"},
		"would back up":       {"backup-run --tool restic --name nightly", 0, `{"applied":false,"tool":"restic","name":"nightly","did":"run","status":0}`, ""},
		"verifies":            {"backup-verify --tool restic --name nightly --apply", 0, `{"applied":true,"tool":"restic","name":"nightly","did":"verify","status":0}`, "backup-tool verify"},
		"retains":             {"backup-retain --tool restic --name nightly --days 14 --apply", 0, `{"applied":true,"tool":"restic","name":"nightly","did":"retain 14","status":0}`, "backup-tool retain 14"},
		"odd days":            {"backup-retain --tool restic --name nightly --days 1e9 --apply", 64, `{"error":"--days wants a whole number"}`, ""},
		"an unknown backup":   {"backup-run --tool restic --name weekly --apply", 64, `{"error":"backup.d holds no executable of that backup's name"}`, ""},
		"one outside":         {"backup-run --tool restic --name .. --apply", 64, `{"error":"backup.d holds no executable of that backup's name"}`, ""},
		"one not to be run":   {"backup-run --tool restic --name unready --apply", 64, `{"error":"backup.d holds no executable of that backup's name"}`, ""},
		"an option for it":    {"backup-run --tool restic --name --apply", 64, `{"error":"--name wants a word of letters, digits and . : @ _ -"}`, ""},
		"plays":               {"ansible-run --playbook grow-disk --host web-01 --apply", 0, `{"applied":true,"playbook":"grow-disk","host":"web-01","status":0}`, listed("web-01") + "\nansible-playbook --limit web-01 -- " + installed() + "/playbooks/grow-disk.yml"},
		"would play":          {"ansible-run --playbook grow-disk --host web-01", 0, `{"applied":false,"playbook":"grow-disk","host":"web-01","status":0}`, listed("web-01") + "\nansible-playbook --check --limit web-01 -- " + installed() + "/playbooks/grow-disk.yml"},
		"a group of hosts":    {"ansible-run --playbook grow-disk --host web --apply", 64, `{"error":"the playbook and the inventory do not make exactly that one host of --host"}`, listed("web")},
		"no play about it":    {"ansible-run --playbook grow-disk --host db-09 --apply", 64, `{"error":"the playbook and the inventory do not make exactly that one host of --host"}`, listed("db-09")},
		"an unknown playbook": {"ansible-run --playbook other --host web-01 --apply", 64, `{"error":"there is no such playbook"}`, ""},
		"two hosts":           {"ansible-run --playbook grow-disk --host web-01:web-02 --apply", 64, `{"error":"--host wants one plain name, and no pattern"}`, ""},
		"hosts of a file":     {"ansible-run --playbook grow-disk --host @retry --apply", 64, `{"error":"--host wants one plain name, and no pattern"}`, ""},
		"every host":          {"ansible-run --playbook grow-disk --host all --apply", 64, `{"error":"--host wants one plain name, and no pattern"}`, ""},
		"unknown argument":    {"ansible-run --playbook grow-disk --host web-01 --become --apply", 64, `{"error":"unknown argument"}`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := newTools(t)
			s.add("certbot", "echo '  Certificate Name: a.example.com'")
			s.add("acme.sh", "exit 3")
			s.add("backup-tool", "")
			s.add("ansible-playbook", `case "$*" in --list-hosts*) printf '\nplaybook: grow-disk.yml\n\n  play #1 (all): all\tTAGS: []\n    pattern: [all]\n    hosts (1):\n'
case $3 in web) printf '      web-01\n      web-02\n' ;; db-09) ;; *) printf '      %s\n' "$3" ;; esac ;; esac`)
			words := strings.Fields(tc.call)
			prints, code := s.run(words[0], words[1:]...)
			if code != tc.code || prints != tc.prints {
				t.Errorf("%s: ended with %d, printing %s; want %d and %s", tc.call, code, prints, tc.code, tc.prints)
			}
			if calls := s.called(); calls != tc.calls {
				t.Errorf("%s: called\n%s\nwant\n%s", tc.call, calls, tc.calls)
			}
		})
	}
}

// Exactly the plan that people looked at is applied, and none that came after it.
func TestTerraformAppliesOnlyWhatWasLookedAt(t *testing.T) {
	s, dir := newTools(t), t.TempDir()
	place(t, "terraform-hosts", "other-01 /nowhere prod\nweb-01 "+dir+" prod\n", 0o600)
	// What is planned while somebody looks at a plan takes the place of the saved one.
	s.add("terraform", `[ "$TF_WORKSPACE" = prod ] || exit 9
for last; do :; done
here=${1#-chdir=}
case $2 in
plan) cp '`+s.dir+`/size' "$here/${last#-out=}" ;;
show) printf '\n\n  # disk of web-01\n  ~ size = 20 -> %s\n\nPlan: 0 to add, 1 to change, 0 to destroy. \n\n' "$(cat "$here/$last")"
	[ ! -e '`+s.dir+`/meanwhile' ] || mv '`+s.dir+`/meanwhile' "$here/salve.plan" ;;
apply) echo "applied $(cat "$here/$last")" >>'`+s.dir+`/called' ;;
esac`)
	size := func(gb string) { must(t, os.WriteFile(filepath.Join(s.dir, "size"), []byte(gb), 0o600)) }
	size("40")

	plan, code := s.run("terraform-plan", "--host", "web-01")
	const want = "# disk of web-01\n  ~ size = 20 -> 40\n\nPlan: 0 to add, 1 to change, 0 to destroy."
	if code != 0 || plan != want {
		t.Fatalf("the plan is %q, ended with %d", plan, code)
	}
	s.called()
	sum := sha256.Sum256([]byte(plan))
	digest := hex.EncodeToString(sum[:])
	apply := func(workspace, digest string, more ...string) (string, int, string) {
		said, code := s.run("terraform-apply", append([]string{"--host", "web-01", "--workspace", workspace, "--digest", digest}, more...)...)
		applied := ""
		for line := range strings.Lines(s.called()) {
			if to, is := strings.CutPrefix(line, "applied "); is {
				applied = strings.TrimSpace(to)
			}
		}
		return said, code, applied
	}
	for name, tc := range map[string]struct {
		workspace, digest string
		says              string
	}{
		"another plan":      {"prod", strings.Repeat("0", 64), "not the one that was looked at"},
		"another workspace": {"stage", digest, "another workspace"},
	} {
		if said, code, applied := apply(tc.workspace, tc.digest, "--apply"); code != 64 || !strings.Contains(said, tc.says) || applied != "" {
			t.Errorf("%s: %s, %d, applied %q", name, said, code, applied)
		}
	}
	if said, code, applied := apply("prod", digest); code != 0 || applied != "" {
		t.Errorf("without --apply: %s, %d, applied %q", said, code, applied)
	}
	if said, code, applied := apply("prod", digest, "--apply"); code != 0 || applied != "40" {
		t.Errorf("%s, %d, applied %q", said, code, applied)
	}
	must(t, os.WriteFile(filepath.Join(s.dir, "meanwhile"), []byte("4000"), 0o600))
	if said, code, applied := apply("prod", digest, "--apply"); code != 0 || applied != "40" {
		t.Errorf("another plan took its place while it was looked at: %s, %d, applied %q", said, code, applied)
	}
	size("400")
	if _, code := s.run("terraform-plan", "--host", "web-01"); code != 0 {
		t.Fatalf("another plan: %d", code)
	}
	if said, code, applied := apply("prod", digest, "--apply"); code != 64 || applied != "" {
		t.Errorf("the plan changed meanwhile: %s, %d, applied %q", said, code, applied)
	}
	size("(sensitive value)")
	hidden, _ := s.run("terraform-plan", "--host", "web-01")
	sum = sha256.Sum256([]byte(hidden))
	if said, code, applied := apply("prod", hex.EncodeToString(sum[:]), "--apply"); code != 64 || applied != "" || !strings.Contains(said, "hides values") {
		t.Errorf("a plan that hides values: %s, %d, applied %q", said, code, applied)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".salve-plan.*"))
	if err != nil || len(left) > 0 {
		t.Errorf("plans are left lying about: %v %v", left, err)
	}
	if said, code := s.run("terraform-plan", "--host", "web-02"); code != 64 {
		t.Errorf("an unlisted host: %s, %d", said, code)
	}
}
