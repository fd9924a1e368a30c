package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"time"
)

// maxAnswer bounds what a server may make this program hold.
const maxAnswer = 64 << 20

// conn is one keep-alive connection of a minimal HTTP/1.1 client.
//
// net/http's client spends about as much on a request as the servers under
// test: two goroutines a connection, a header map, a pool. On shared cores that
// would be measured as theirs. Here a request is one write of bytes rendered
// beforehand and an answer is read into memory that is used again.
type conn struct {
	net  net.Conn
	in   *bufio.Reader
	body []byte
}

// answer is what came back. The body is there only when it was asked for or the
// status is not a success, and only until the connection's next request.
type answer struct {
	status int
	body   []byte
	closed bool
}

func (a answer) ok() bool { return a.status >= 200 && a.status < 300 }

func dial(addr string, until time.Time) (*conn, error) {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	if err := c.SetDeadline(until); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return &conn{net: c, in: bufio.NewReaderSize(c, 32<<10)}, nil
}

func (c *conn) close() error { return c.net.Close() }

// do sends one rendered request and reads its whole answer.
func (c *conn) do(request []byte, keep bool) (answer, error) {
	if _, err := c.net.Write(request); err != nil {
		return answer{}, fmt.Errorf("send: %w", err)
	}
	a, err := readAnswer(c.in, keep, c.body[:0])
	if err != nil {
		return answer{}, fmt.Errorf("receive: %w", err)
	}
	if a.body != nil {
		c.body = a.body
	}
	return a, nil
}

// framing is how the end of an answer's body is told.
type framing struct {
	length  int // -1: not said
	chunked bool
	closed  bool
}

func readAnswer(in *bufio.Reader, keep bool, into []byte) (answer, error) {
	status, err := readStatus(in)
	if err != nil {
		return answer{}, err
	}
	f, err := readHeader(in)
	if err != nil {
		return answer{}, err
	}
	a := answer{status: status, closed: f.closed}
	sink := sink{in: in, keep: keep || !a.ok(), body: into}
	switch {
	case status == 204 || status == 304:
	case f.chunked:
		err = sink.chunks()
	case f.length >= 0:
		err = sink.take(f.length)
	default:
		err = errors.New("answer with neither Content-Length nor chunks")
	}
	if err != nil {
		return answer{}, err
	}
	if sink.keep {
		a.body = sink.body
	}
	return a, nil
}

func readStatus(in *bufio.Reader) (int, error) {
	line, err := readLine(in)
	if err != nil {
		return 0, err
	}
	if len(line) < 12 || !bytes.HasPrefix(line, []byte("HTTP/1.")) || line[8] != ' ' {
		return 0, fmt.Errorf("no HTTP/1 status line: %.40q", line)
	}
	status, err := strconv.Atoi(string(line[9:12]))
	if err != nil || status < 200 {
		return 0, fmt.Errorf("unusable status in %.40q", line)
	}
	return status, nil
}

func readHeader(in *bufio.Reader) (framing, error) {
	f := framing{length: -1}
	for {
		line, err := readLine(in)
		if err != nil || len(line) == 0 {
			return f, err
		}
		name, value, found := bytes.Cut(line, []byte(":"))
		if !found {
			return f, fmt.Errorf("header line without a colon: %.40q", line)
		}
		if err := f.note(name, bytes.TrimSpace(value)); err != nil {
			return f, err
		}
	}
}

func (f *framing) note(name, value []byte) error {
	switch {
	case bytes.EqualFold(name, []byte("Content-Length")):
		n, err := strconv.ParseUint(string(value), 10, 31)
		if err != nil || n > maxAnswer {
			return fmt.Errorf("unusable Content-Length %.40q", value)
		}
		f.length = int(n)
	case bytes.EqualFold(name, []byte("Transfer-Encoding")):
		f.chunked = bytes.EqualFold(value, []byte("chunked"))
	case bytes.EqualFold(name, []byte("Connection")):
		f.closed = bytes.EqualFold(value, []byte("close"))
	}
	return nil
}

// sink reads a body, keeping it or throwing it away.
type sink struct {
	in   *bufio.Reader
	keep bool
	body []byte
	size int
}

func (s *sink) take(n int) error {
	if s.size += n; s.size > maxAnswer {
		return fmt.Errorf("answer over %d bytes", maxAnswer)
	}
	if !s.keep {
		_, err := s.in.Discard(n)
		return err
	}
	at := len(s.body)
	s.body = append(s.body, make([]byte, n)...)
	_, err := io.ReadFull(s.in, s.body[at:])
	return err
}

func (s *sink) chunks() error {
	for {
		line, err := readLine(s.in)
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil || n > maxAnswer {
			return fmt.Errorf("unusable chunk size %.40q", line)
		}
		if err := s.take(int(n)); err != nil {
			return err
		}
		if end, err := readLine(s.in); err != nil || len(end) != 0 {
			return errors.Join(err, errIf(len(end) != 0, "chunk without an end"))
		}
		if n == 0 {
			return nil
		}
	}
}

func errIf(bad bool, text string) error {
	if bad {
		return errors.New(text)
	}
	return nil
}

// readLine answers a line without its end; it is valid until the next read.
func readLine(in *bufio.Reader) ([]byte, error) {
	line, err := in.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	return bytes.TrimRight(line, "\r\n"), nil
}
