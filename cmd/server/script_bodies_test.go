package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// makeBody writes what cannot stand in a script: make FILE KIND N.
//
//	alerts N      an array of N native alerts, each its own incident
//	nested N      N arrays inside each other
//	spaces N      N MiB of spaces around one good alert
//	text N        an alert whose message is N MiB long
//	truncated N   the first N bytes of a good alert
//	latin1 0      an alert with a byte that is no UTF-8
//	nul 0         an alert with an escaped NUL
func (s *script) makeBody(args []string) error {
	if err := wants(args, 3, 3, "make FILE KIND N"); err != nil {
		return err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	maker, known := bodyMakers[args[1]]
	if !known {
		return fmt.Errorf("there is no body %q", args[1])
	}
	return os.WriteFile(s.ts.MkAbs(args[0]), maker(n), 0o600)
}

const goodAlert = `{"severity":"warning","service":"shop","message":"slow","labels":{"alertname":"Slow","env":"test"}}`

var bodyMakers = map[string]func(n int) []byte{
	"alerts": manyAlerts,
	"nested": func(n int) []byte { return append(bytes.Repeat([]byte("["), n), bytes.Repeat([]byte("]"), n)...) },
	"spaces": func(n int) []byte { return append([]byte(goodAlert), bytes.Repeat([]byte(" "), n<<20)...) },
	"text": func(n int) []byte {
		return fmt.Appendf(nil, `{"severity":"info","service":"shop","message":"%s"}`, bytes.Repeat([]byte("x"), n<<20))
	},
	"truncated": func(n int) []byte { return []byte(goodAlert)[:n] },
	"latin1":    func(int) []byte { return bytes.Replace([]byte(goodAlert), []byte("slow"), []byte("sl\xf6w"), 1) },
	"nul":       func(int) []byte { return bytes.Replace([]byte(goodAlert), []byte("slow"), []byte(`sl\u0000w`), 1) },
}

func manyAlerts(n int) []byte {
	var body bytes.Buffer
	body.WriteByte('[')
	for i := range n {
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"severity":"info","service":"s%d","message":"m","labels":{"alertname":"A","n":"%d"}}`, i, i)
	}
	body.WriteByte(']')
	return body.Bytes()
}
