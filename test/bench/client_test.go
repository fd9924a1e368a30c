package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// fakeServer answers by path and reports the bodies that it was sent.
func fakeServer(t *testing.T) (addr string, bodies chan string) {
	t.Helper()
	bodies = make(chan string, 16)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read request: %v", err)
		}
		bodies <- string(body)
		switch r.URL.Path {
		case "/chunked":
			io.WriteString(w, strings.Repeat("long ", 2000))
			w.(http.Flusher).Flush()
			io.WriteString(w, "end")
		case "/none":
			w.WriteHeader(http.StatusNoContent)
		case "/busy":
			http.Error(w, "come back later", http.StatusServiceUnavailable)
		case "/last":
			w.Header().Set("Connection", "close")
			io.WriteString(w, "bye")
		default:
			io.WriteString(w, "plain")
		}
	}))
	t.Cleanup(server.Close)
	return server.Listener.Addr().String(), bodies
}

func TestClientAgainstNetHTTP(t *testing.T) {
	addr, bodies := fakeServer(t)
	c, err := dial(addr, time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.close() })
	type seen struct {
		Status int
		Body   string
		Closed bool
	}
	long := strings.Repeat("long ", 2000) + "end"
	// One connection for all of them: each must be read to its very end.
	for _, tc := range []struct {
		name, path string
		keep       bool
		want       seen
	}{
		{"length, kept", "/plain", true, seen{200, "plain", false}},
		{"length, thrown away", "/plain", false, seen{200, "", false}},
		{"chunks, kept", "/chunked", true, seen{200, long, false}},
		{"chunks, thrown away", "/chunked", false, seen{200, "", false}},
		{"no content", "/none", true, seen{204, "", false}},
		{"a failure's body is always kept", "/busy", false, seen{503, "come back later\n", false}},
		{"kept memory does not leak into the next answer", "/plain", true, seen{200, "plain", false}},
		{"a server that wants to close says so", "/last", true, seen{200, "bye", true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			request := newTemplate(tc.path, "Authorization: Bearer x\r\n", 1, `{"is":"`+tc.name+`"}`)
			a, err := c.do(request.buffer(), tc.keep)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, seen{a.status, string(a.body), a.closed}); diff != "" {
				t.Errorf("answer (-want +got):\n%s", diff)
			}
			if got := <-bodies; got != `{"is":"`+tc.name+`"}` {
				t.Errorf("the server was sent %q", got)
			}
		})
	}
}

func TestClientRefusesBrokenAnswers(t *testing.T) {
	for name, tc := range map[string]struct{ wire, reason string }{
		"empty":             {"", "EOF"},
		"other protocol":    {"SSH-2.0-OpenSSH_9.2\r\n", "no HTTP/1 status line"},
		"status of letters": {"HTTP/1.1 abc OK\r\n\r\n", "unusable status"},
		"informational":     {"HTTP/1.1 100 Continue\r\n\r\n", "unusable status"},
		"header cut off":    {"HTTP/1.1 200 OK\r\nContent-Le", "EOF"},
		"no colon":          {"HTTP/1.1 200 OK\r\nnonsense\r\n\r\n", "without a colon"},
		"negative length":   {"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "unusable Content-Length"},
		"huge length":       {"HTTP/1.1 200 OK\r\nContent-Length: 2000000000\r\n\r\n", "unusable Content-Length"},
		"no end told":       {"HTTP/1.1 200 OK\r\n\r\nbody", "neither Content-Length nor chunks"},
		"body cut off":      {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbody", "EOF"},
		"bad chunk":         {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "unusable chunk size"},
		"chunk not ended":   {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "chunk without an end"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, keep := range []bool{true, false} {
				_, err := readAnswer(bufio.NewReader(strings.NewReader(tc.wire)), keep, nil)
				if err == nil || !strings.Contains(err.Error(), tc.reason) {
					t.Errorf("keep %v: error %v, want one with %q", keep, err, tc.reason)
				}
			}
		})
	}
}

// Each chunk is within the limit; together they are not.
func TestClientRefusesEndlessChunks(t *testing.T) {
	chunk := fmt.Sprintf("%x\r\n%s\r\n", maxAnswer/2, strings.Repeat("x", maxAnswer/2))
	wire := io.MultiReader(strings.NewReader("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
		strings.NewReader(chunk), strings.NewReader(chunk), strings.NewReader(chunk))
	_, err := readAnswer(bufio.NewReader(wire), false, nil)
	if err == nil || !strings.Contains(err.Error(), "answer over") {
		t.Errorf("error %v", err)
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody")
	f.Add("HTTP/1.1 503 No\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n")
	f.Add("HTTP/1.1 204 \r\nConnection: close\r\n\r\n")
	f.Fuzz(func(t *testing.T, wire string) {
		kept, err := readAnswer(bufio.NewReader(strings.NewReader(wire)), true, nil)
		thrown, thrownErr := readAnswer(bufio.NewReader(strings.NewReader(wire)), false, nil)
		if (err == nil) != (thrownErr == nil) || kept.status != thrown.status || kept.closed != thrown.closed {
			t.Errorf("%q is read as %v, %v when kept and %v, %v when not", wire, kept, err, thrown, thrownErr)
		}
		if len(kept.body) > len(wire) {
			t.Errorf("%q has a body of %d bytes", wire, len(kept.body))
		}
	})
}
