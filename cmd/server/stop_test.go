package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"salve/internal/store/storetest"
)

// home is a directory with keys, and a token that may do everything a sender and
// a reader may.
func home(t *testing.T) (settings map[string]string, token string) {
	t.Helper()
	dir := t.TempDir()
	s := &script{t: t, dir: dir, tokens: map[string]string{}}
	if err := s.makeKeys(); err != nil {
		t.Fatal(err)
	}
	if err := s.token([]string{"t", "n8n", "events:write read"}); err != nil {
		t.Fatal(err)
	}
	return map[string]string{
		"SALVE_ADDR": "127.0.0.1:0", "SALVE_DATA_DIR": filepath.Join(dir, "data"), "SALVE_JWT_KEYS": filepath.Join(dir, "trusted"),
	}, s.tokens["t"]
}

// A request that is under way when the server is asked to stop is answered, and
// what it brought is durable. New ones are not taken.
func TestStopLetsRequestsFinish(t *testing.T) {
	t.Parallel()
	settings, token := home(t)
	settings["DATABASE_URL"] = storetest.New(t)
	server, err := startRun(settings, filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(server.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Expect: 100-continue makes the server say when it has begun to read.
	fmt.Fprintf(conn, "POST /v1/alerts HTTP/1.1\r\nHost: salve\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\nExpect: 100-continue\r\n\r\n", token, len(goodAlert))
	reader := bufio.NewReader(conn)
	if line, err := reader.ReadString('\n'); err != nil || !strings.Contains(line, "100") {
		t.Fatalf("the server did not begin to read: %q, %v", line, err)
	}
	if _, err := reader.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	server.cancel()
	untilRefused(t, server.url)
	if _, err := io.WriteString(conn, goodAlert); err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !bytes.Contains(body, []byte(`"accepted"`)) {
		t.Errorf("the request under way got %d %s, %v", resp.StatusCode, body, err)
	}
	if err := <-server.ended; err != nil {
		t.Errorf("run ended with %v", err)
	}
}

// untilRefused waits until the server listens no more.
func untilRefused(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		conn.Close()
		select {
		case <-ctx.Done():
			t.Fatal("the server went on taking connections")
		case <-tick.C:
		}
	}
}

// program is the real program in a process of its own, with a Postgres of its own.
type program struct {
	cmd *exec.Cmd
	url string
	log *logFile
}

// itself is this test's binary under the name by which it is the real main.
func itself(t *testing.T) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "salve")
	if err := os.Symlink(executable, path); err != nil {
		t.Fatal(err)
	}
	return path
}

func launch(t *testing.T, binary string, settings map[string]string) *program {
	t.Helper()
	log, err := newLogFile(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	p := &program{cmd: exec.Command(binary), log: log}
	for name, value := range settings {
		p.cmd.Env = append(p.cmd.Env, name+"="+value)
	}
	p.cmd.Env = append(p.cmd.Env, "PATH="+os.Getenv("PATH"))
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	limit := time.NewTimer(90 * time.Second)
	defer limit.Stop()
	select {
	case <-log.ready:
	case <-limit.C:
		t.Fatalf("it was not ready:\n%s", read(t, log.file.Name()))
	}
	p.url = "http://" + strings.TrimSpace(read(t, filepath.Join(settings["SALVE_DATA_DIR"], "address")))
	return p
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// end asks the program to stop, and wants no complaint.
func (p *program) end(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("it ended with %v:\n%s", err, read(t, p.log.file.Name()))
	}
}

func (p *program) request(t *testing.T, method, path, token, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// Without DATABASE_URL Salve keeps a Postgres of its own. What was answered is
// durable through kill -9; a second Salve on the same data is turned away.
func TestPrivateDatabase(t *testing.T) {
	t.Parallel()
	binary := itself(t)
	settings, token := home(t)
	first := launch(t, binary, settings)
	if code, answer := first.request(t, http.MethodPost, "/v1/alerts", token, goodAlert); code != http.StatusOK {
		t.Fatalf("the alert got %d %s", code, answer)
	}

	second := exec.Command(binary)
	second.Env = first.cmd.Env
	out, err := second.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "in use by process") {
		t.Errorf("a second instance got %v and this: %s", err, out)
	}
	if code, _ := first.request(t, http.MethodGet, "/readyz", "", ""); code != http.StatusOK {
		t.Errorf("the first instance is not ready any more: %d", code)
	}

	if err := first.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = first.cmd.Wait() // it was killed
	again := launch(t, binary, settings)
	if code, answer := again.request(t, http.MethodGet, "/v1/incidents/INC-1", token, ""); code != http.StatusOK || !strings.Contains(answer, `"service":"shop"`) {
		t.Errorf("after kill -9 the incident is %d %s", code, answer)
	}
	if code, answer := again.request(t, http.MethodPost, "/v1/alerts", token, goodAlert); code != http.StatusOK || !strings.Contains(answer, "duplicate") {
		t.Errorf("after kill -9 the same alert is %d %s", code, answer)
	}
	again.end(t)
	third := launch(t, binary, settings)
	third.end(t)
}

// A heartbeat that waits for work does not keep a stop waiting: it is answered.
func TestStopEndsPolls(t *testing.T) {
	t.Parallel()
	settings, _ := home(t)
	settings["DATABASE_URL"] = storetest.New(t)
	s := &script{t: t, dir: filepath.Dir(settings["SALVE_DATA_DIR"]), tokens: map[string]string{}}
	if err := s.token([]string{"n8n", "n8n", "intents:execute"}); err != nil {
		t.Fatal(err)
	}
	server, err := startRun(settings, filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url+"/v1/heartbeat", strings.NewReader(`{"wait":55}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+s.tokens["n8n"])
	req.Header.Set("Content-Type", "application/json")
	begin := time.Now()
	time.AfterFunc(time.Second, server.cancel)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if took := time.Since(begin); resp.StatusCode != http.StatusOK || took > 30*time.Second {
		t.Errorf("%d after %s", resp.StatusCode, took)
	}
	if err := <-server.ended; err != nil {
		t.Errorf("run ended with %v", err)
	}
}
