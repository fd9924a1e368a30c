package evidence

import (
	"path"
	"slices"
	"strings"
)

// command is a command line as people write it down for what they ran.
type command struct {
	words []string // the program without its path, its sub-commands and arguments; options left out
	opts  []string
}

// printout is what one command printed.
type printout struct {
	command
	pointer string // where in the document
	host    string
	text    string
}

const maxCommand = 2_000

// commands takes a line apart at pipes and semicolons.
func commands(line string) []command {
	var out []command
	for part := range strings.FieldsFuncSeq(clip(line, maxCommand), func(r rune) bool { return strings.ContainsRune("|;&\n()`", r) }) {
		if c := commandOf(part); len(c.words) > 0 {
			out = append(out, c)
		}
	}
	return out
}

// wrappers run another command; their options and numbers come first.
var wrappers = []string{"sudo", "env", "timeout", "nice", "ionice", "time", "command", "exec", "microk8s", "k3s", "watch", "$", "#", "+"}

// programs that go by several names.
var aliases = map[string]string{"oc": "kubectl", "k": "kubectl", "gdu": "du", "gdf": "df", "gls": "ls", "letsencrypt": "certbot"}

func commandOf(line string) command {
	fields := strings.Fields(line)
	for len(fields) > 0 && isWrapping(fields[0]) {
		fields = fields[1:]
		for len(fields) > 0 && (strings.HasPrefix(fields[0], "-") || strings.Trim(fields[0], "0123456789.smh") == "") {
			fields = fields[1:]
		}
	}
	var c command
	for i := 0; i < len(fields); i++ {
		word := strings.Trim(fields[i], `"'`)
		switch {
		case strings.HasPrefix(word, "-") && len(c.words) > 0:
			c.opts = append(c.opts, word)
			if takesValue(c.words[0], word) && i+1 < len(fields) {
				i++
				c.opts = append(c.opts, strings.Trim(fields[i], `"'`))
			}
		case len(c.words) == 0:
			c.words = program(word)
		case word != "":
			c.words = append(c.words, word)
		}
	}
	return c
}

func isWrapping(word string) bool {
	name, _, assigns := strings.Cut(word, "=")
	return slices.Contains(wrappers, path.Base(word)) || assigns && !strings.HasPrefix(name, "-") && !strings.Contains(name, "/")
}

// program reads systemctl_show and openssl-x509 as program and sub-command.
func program(word string) []string {
	name := strings.ToLower(path.Base(word))
	if known := aliases[name]; known != "" {
		name = known
	}
	if knownProgram(name) {
		return []string{name}
	}
	parts := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("_-:.", r) })
	if len(parts) > 1 && knownProgram(parts[0]) {
		return parts
	}
	return []string{name}
}

// valued are the options whose value is the next word and would else be taken
// for a sub-command or an argument.
var valued = map[string][]string{
	"kubectl":   {"-n", "--namespace", "--context", "--kubeconfig", "-l", "--selector", "-o", "--output", "-c", "--container", "-s", "--server", "--cluster", "--user", "--sort-by", "--field-selector", "--tail", "--since"},
	"du":        {"-d", "--max-depth", "-B", "--block-size", "-t", "--threshold", "--exclude"},
	"df":        {"-t", "-x", "-B", "--type", "--exclude-type", "--block-size"},
	"systemctl": {"-p", "--property", "-n", "--lines", "-t", "--type", "-H", "--host", "-M", "-o", "--state"},
	"openssl":   {"-in", "-connect", "-servername", "-CAfile", "-CApath", "-checkend", "-inform", "-starttls", "-nameopt", "-ext"},
	"velero":    {"-n", "--namespace", "-o", "--kubecontext", "-l"},
}

func takesValue(program, option string) bool { return slices.Contains(valued[program], option) }

// has says whether a flag is set: a letter, also among others as in -Pi, or a
// long option.
func (c command) has(letter byte, long string) bool {
	for _, o := range c.opts {
		if long != "" && o == long || len(o) > 1 && o[0] == '-' && o[1] != '-' && strings.IndexByte(o[1:], letter) >= 0 {
			return true
		}
	}
	return false
}

// value is what an option is given, in any of the forms -n x, -nx, --name x, --name=x.
func (c command) value(options ...string) string {
	for i, o := range c.opts {
		for _, name := range options {
			if o == name && i+1 < len(c.opts) && !strings.HasPrefix(c.opts[i+1], "-") {
				return c.opts[i+1]
			}
			if v, ok := strings.CutPrefix(o, name+"="); ok {
				return v
			}
			if v, ok := strings.CutPrefix(o, name); ok && len(name) == 2 && v != "" {
				return v
			}
		}
	}
	return ""
}

// arg is the nth word after the program and its sub-commands, or nothing.
func (c command) arg(n int) string {
	if n < len(c.words) {
		return c.words[n]
	}
	return ""
}
