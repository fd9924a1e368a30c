//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"salve/test/cluster"
)

// host is one machine behind a real sshd on loopback, with the vetted scripts as
// hosts have them. What a test must not touch of this machine is played: /var/log is
// a directory of the host's own, and df, openssl, certbot and systemctl say what its
// state is.
type host struct {
	dir     string
	port    int
	key     string // private, of n8n
	user    string
	process *process
}

// vetted are the scripts that look at, or into, directories that are played.
var vetted = []string{"logs-clean", "logs-compress", "coredumps-delete", "disk-biggest", "disk-core-dumps"}

// programs play what belongs to the machine itself.
var programs = map[string]string{
	"df": `use=64 used=67108864
[ -e "$HOST/var/log/nginx/debug.log.3" ] && use=68 used=71303168
[ -e "$HOST/var/log/nginx/access.log.1" ] && use=87 used=91226112
case "$*" in
*-Pi*) printf 'Filesystem Inodes IUsed IFree IUse%% Mounted on\n/dev/sda1 6553600 655360 5898240 10%% /\n' ;;
*) printf 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/sda1 104857600 %s %s %s%% /\n' $used $((104857600 - used)) $use ;;
esac`,
	"du": `printf '93415538688\t/\n48318382080\t/var/log\n42949672960\t/var/log/nginx\n'`,
	"openssl": `case $1 in
s_client) exit 0 ;;
x509) printf 'subject=CN = api.example.com\nissuer=C = US, O = Example, CN = R11\nnotBefore=Aug 30 00:00:00 2026 GMT\nnotAfter=%s\nX509v3 Subject Alternative Name: \n    DNS:api.example.com\n' "$(cat "$HOST/notAfter")" ;;
esac`,
	"certbot": `echo "certbot $*" >>"$HOST/called"
case $1 in
certificates) printf '  Certificate Name: api.example.com\n    Domains: api.example.com\n    Expiry Date: 2026-12-02 00:00:00+00:00 (VALID: 5 days)\n' ;;
renew) cp "$HOST/renewed" "$HOST/notAfter" ;;
esac`,
	"systemctl": `echo "systemctl $*" >>"$HOST/called"
case "$*" in
*LoadState*) echo loaded ;;
*ActiveState*) echo active ;;
esac`,
}

func startHost(ctx context.Context, dir string, port int) (*host, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	h := &host{dir: filepath.Join(dir, "host"), port: port, user: me.Username}
	if err := errors.Join(h.furnish(), h.play()); err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	return h, h.serve(ctx)
}

// furnish gives the host its directories, the vetted scripts, and the file roots.
func (h *host) furnish() error {
	scripts := filepath.Join(h.dir, "scripts")
	for _, name := range []string{"bin", "var/log/nginx", "var/crash"} {
		if err := os.MkdirAll(filepath.Join(h.dir, name), 0o755); err != nil {
			return err
		}
	}
	return errors.Join(
		os.CopyFS(scripts, os.DirFS(filepath.Join(workflowDir(), "scripts"))),
		os.CopyFS(filepath.Join(h.dir, "vetted"), os.DirFS(filepath.Join(workflowDir(), "scripts"))),
		os.WriteFile(filepath.Join(h.dir, "vetted", "roots"), fmt.Appendf(nil, "%s/var/log\n%s/var/crash\n", h.dir, h.dir), 0o600))
}

// play puts the played programs in the way of the real ones, and gives the scripts
// that name directories those of the host.
func (h *host) play() error {
	var errs []error
	for name, body := range programs {
		errs = append(errs, writeScript(filepath.Join(h.dir, "bin", name), "HOST='"+h.dir+"'\n"+body))
	}
	for _, name := range vetted {
		errs = append(errs, os.Remove(filepath.Join(h.dir, "scripts", name)), writeScript(filepath.Join(h.dir, "scripts", name), `
for a; do shift; case $a in /var/log*|/var/crash*) a='`+h.dir+`'$a ;; /var/lib/systemd/coredump) a='`+h.dir+`/var/crash' ;; esac; set -- "$@" "$a"; done
exec '`+filepath.Join(h.dir, "vetted", name)+`' "$@"`))
	}
	return errors.Join(errs...)
}

func writeScript(path, body string) error {
	return os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o755)
}

const sshdConfig = `
Port %d
ListenAddress 127.0.0.1
HostKey %[2]s/host_key
AuthorizedKeysFile %[2]s/authorized_keys
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin forced-commands-only
SetEnv PATH=%[2]s/bin:%[3]s
`

// serve starts sshd as whoever runs the tests. n8n's key can do one thing: gate.
func (h *host) serve(ctx context.Context) error {
	program := "/usr/sbin/sshd"
	if _, err := os.Stat(program); err != nil {
		return fmt.Errorf("no sshd: run scripts/need.sh sshd: %w", err)
	}
	for _, name := range []string{"host_key", "n8n_key"} {
		if _, err := run(ctx, os.Environ(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(h.dir, name)); err != nil {
			return err
		}
	}
	private, err := os.ReadFile(filepath.Join(h.dir, "n8n_key"))
	if err != nil {
		return err
	}
	public, err := os.ReadFile(filepath.Join(h.dir, "n8n_key.pub"))
	if err != nil {
		return err
	}
	h.key = string(private)
	config := filepath.Join(h.dir, "sshd_config")
	authorized := fmt.Sprintf("restrict,command=%q %s", filepath.Join(h.dir, "scripts", "gate"), public)
	err = errors.Join(os.WriteFile(filepath.Join(h.dir, "authorized_keys"), []byte(authorized), 0o600),
		os.WriteFile(config, fmt.Appendf(nil, sshdConfig, h.port, h.dir, os.Getenv("PATH")), 0o600))
	if os.Getuid() == 0 {
		err = errors.Join(err, os.MkdirAll("/run/sshd", 0o755)) // sshd wants it as root
	}
	if err != nil {
		return err
	}
	if h.process, err = launch(h.dir, "sshd", os.Environ(), program, "-D", "-e", "-f", config); err != nil {
		return err
	}
	return cluster.Until(ctx, func() (bool, error) {
		conn, err := net.DialTimeout("tcp", fmt.Sprintf("127.0.0.1:%d", h.port), time.Second)
		if err != nil {
			return false, nil
		}
		return true, conn.Close()
	})
}

// write makes a file of the host, so many days old.
func (h *host) write(t *testing.T, name, content string, days int) {
	t.Helper()
	path, then := filepath.Join(h.dir, name), time.Now().AddDate(0, 0, -days)
	if err := errors.Join(os.WriteFile(path, []byte(content), 0o600), os.Chtimes(path, then, then)); err != nil {
		t.Fatal(err)
	}
}

func (h *host) has(name string) bool {
	_, err := os.Stat(filepath.Join(h.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// called lists what the played programs were asked to change.
func (h *host) called(t *testing.T) (calls []string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(h.dir, "called"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasPrefix(line, "certbot renew") || strings.HasPrefix(line, "systemctl reload") {
			calls = append(calls, strings.TrimSpace(line))
		}
	}
	return calls
}

// Scenario 2 of SPEC section 10: a disk at 87 % is looked at and cleaned over SSH, by
// scripts that touch nothing else, and seen to be at 64 %.
func TestScenarioDisk(t *testing.T) {
	h := theWorld.host
	h.write(t, "var/log/nginx/access.log.1", "old", 30)
	h.write(t, "var/log/nginx/access.log", "in use", 0)
	h.write(t, "var/log/nginx/error.log.1", "of yesterday", 1)
	h.write(t, "var/log/audit.log.1", "nobody deletes this", 30)
	h.write(t, "var/crash/core.1234", "a core dump", 30)

	s := newHostStory(t, "web-01", object{"severity": "warning", "message": "disk is at 87 %", "hostname": "web-01", "kind": "host.disk_full", "labels": object{"alertname": "HostDiskUsageHigh", "instance": "web-01"}})
	i := s.untilIncident("it is verified", func(i incidentView) bool { return i.State == "resolved" })
	for name, want := range map[string]bool{
		"var/log/nginx/access.log.1": false, "var/log/nginx/access.log": true, "var/log/nginx/error.log.1": true, "var/log/audit.log.1": true,
	} {
		if h.has(name) != want {
			t.Errorf("%s is there: %v, want %v", name, !want, want)
		}
	}
	s.wantRows("each step was done once, by n8n, and says what it freed", `
		select i.action, i.state, i.worker, r.doc->'output'->>'exit_code', (r.doc->'output'->>'freed_bytes')::int > 0
		from intents i join results r on r.intent_id = i.id and r.flag = '' where i.incident_id = '`+i.ID+`' and i.effect = 'change' order by 1`,
		[][]string{{"host.coredumps.delete", "succeeded", "n8n", "0", "t"}, {"host.logs.clean", "succeeded", "n8n", "0", "t"}, {"host.logs.compress", "succeeded", "n8n", "0", "f"}})
	s.wantRows("it was seen, before and after", `
		select distinct e.evidence->'raw'->0->>'text' ~ ' 87% /', e.evidence->'raw'->0->>'text' ~ ' 64% /'
		from events e where incident_id = '`+i.ID+`' and kind = 'result' and evidence->'raw' is not null order by 1`,
		[][]string{{"f", "t"}, {"t", "f"}})
}

// Scenario 4: a certificate with five days left is renewed, nginx reloads, and ninety
// days are seen.
func TestScenarioCertificate(t *testing.T) {
	h := theWorld.host
	day := func(n int) string { return time.Now().UTC().AddDate(0, 0, n).Format("Jan _2 15:04:05 2006") + " GMT" }
	h.write(t, "notAfter", day(5), 0)
	h.write(t, "renewed", day(90), 0)

	s := newHostStory(t, "web-02", object{"severity": "high", "message": "certificate expires in 5 days", "hostname": "web-02", "kind": "cert.expiring", "labels": object{"alertname": "CertificateExpiring", "instance": "web-02"}})
	i := s.untilIncident("it is verified", func(i incidentView) bool { return i.State == "resolved" })
	if diff := cmp.Diff([]string{"certbot renew --cert-name api.example.com --force-renewal --non-interactive", "systemctl reload -- nginx"}, h.called(t)); diff != "" {
		t.Errorf("what was done on the host differs (-want +got):\n%s", diff)
	}
	s.wantRows("both steps are in the one result", `
		select r.status, r.doc->'output'->>'domain', r.doc->'output'->'then'->>'unit' from results r join intents i on i.id = r.intent_id
		where i.incident_id = '`+i.ID+`' and i.action = 'cert.renew' and r.flag = ''`, [][]string{{"succeeded", "api.example.com", "nginx"}})
}

// A host that n8n was never told of, and one that does not answer, come back as a
// failed look: silence would look like work.
func TestHostThatIsNotThere(t *testing.T) {
	for name, want := range map[string]string{
		"web-99":   `host "web-99" is not in the SSH_HOSTS of this n8n`,
		"web-dead": `host "web-dead" was not reached: %`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newHostStory(t, name, object{"severity": "warning", "message": "disk is full", "hostname": name, "kind": "host.disk_full", "labels": object{"alertname": "HostDiskUsageHigh", "instance": name}})
			i := s.untilIncident("the look has failed", func(i incidentView) bool { return i.has("collect.disk", "failed") })
			s.wantRows("the result says why", `
				select r.status, r.doc->>'error' like '`+want+`' from results r join intents i on i.id = r.intent_id
				where i.incident_id = '`+i.ID+`' and i.action = 'collect.disk' order by r.received_at limit 1`, [][]string{{"failed", "t"}})
		})
	}
}

// The key that n8n holds opens no shell.
func TestKeyOfN8NOpensNoShell(t *testing.T) {
	h := theWorld.host
	cmd := exec.CommandContext(t.Context(), "ssh", "-i", filepath.Join(h.dir, "n8n_key"), "-p", fmt.Sprint(h.port), "-o", "StrictHostKeyChecking=no",
		"-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes", h.user+"@127.0.0.1", "id")
	out, err := cmd.Output()
	if err == nil || string(out) != `{"error":"only gate is run here"}`+"\n" {
		t.Errorf("it answered %q, %v", out, err)
	}
}
