package diagnose

import "strings"

// level is how loud a line of a log is by its own word.
type level int

const (
	unsaid level = iota
	quiet        // information: what it tells of is no failure
	loud
)

// levelWords are whole words as loggers write them: in capitals anywhere near the
// beginning, in small letters only where marks show that a level is meant.
var levelWords = map[string]level{
	"trace": quiet, "trc": quiet, "trce": quiet, "debug": quiet, "dbg": quiet, "dbug": quiet, "verbose": quiet, "fine": quiet, "finest": quiet,
	"info": quiet, "inf": quiet, "information": quiet, "notice": quiet, "note": quiet, "system": quiet, "log": quiet,
	"warn": loud, "warning": loud, "wrn": loud, "error": loud, "err": loud, "eror": loud, "fail": loud, "severe": loud, "alert": loud, "emerg": loud,
	"fatal": loud, "ftl": loud, "crit": loud, "critical": loud, "panic": loud, "dpanic": loud,
}

// levelKeys are the names under which JSON lines keep their level; numbers are
// pino's and bunyan's.
var levelKeys = []string{`"level":`, `"severity":`, `"log.level":`, `"levelname":`, `"loglevel":`, `"lvl":`, `"@l":`, `"s":`}

var levelCodes = map[string]level{"i": quiet, "d": quiet, "w": loud, "e": loud, "f": loud, "10": quiet, "20": quiet, "30": quiet, "40": loud, "50": loud, "60": loud}

// levelReach is how far into a line a level is looked for.
const levelReach = 160

func levelOf(line string) level {
	if strings.HasPrefix(line, "{") {
		return jsonLevel(line)
	}
	head := line[:min(len(line), levelReach)]
	if l := letterLevel(head); l != unsaid {
		return l
	}
	for i := 0; i < len(head); {
		if !isLetter(head[i]) {
			i++
			continue
		}
		from := i
		for i < len(head) && isLetter(head[i]) {
			i++
		}
		if i < len(head) || len(head) == len(line) {
			if l := wordLevel(head, from, i); l != unsaid {
				return l
			}
		}
	}
	return unsaid
}

func jsonLevel(line string) level {
	line = lowerASCII(line[:min(len(line), 4<<10)])
	for _, key := range levelKeys {
		_, rest, ok := strings.Cut(line, key)
		if !ok {
			continue
		}
		value, _, _ := strings.Cut(strings.TrimLeft(rest, ` "`), `"`)
		value = strings.TrimRight(strings.SplitN(value, ",", 2)[0], " }")
		if l := levelWords[value]; l != unsaid {
			return l
		}
		if l := levelCodes[value]; l != unsaid {
			return l
		}
	}
	return unsaid
}

// letterLevel reads klog's "I1123 03:15:00", Ruby's "I, [2026-" and the mark in
// Redis's "1:M 23 Nov 2026 03:15:00.000 * Ready".
func letterLevel(head string) level {
	if len(head) > 5 && (isDigits(head[1:5]) || head[1:4] == ", [") {
		switch head[0] {
		case 'I', 'D':
			return quiet
		case 'W', 'E', 'F':
			return loud
		}
	}
	if len(head) > 4 && head[0] >= '0' && head[0] <= '9' {
		if i := strings.IndexByte(head, ':'); i > 0 && i+2 < len(head) && strings.IndexByte("MSCX", head[i+1]) >= 0 && head[i+2] == ' ' {
			return redisLevel(head[i+2:])
		}
	}
	return unsaid
}

func redisLevel(rest string) level {
	for _, mark := range []struct {
		text string
		level
	}{{" * ", quiet}, {" - ", quiet}, {" . ", quiet}, {" # ", loud}} {
		if i := strings.Index(rest, mark.text); i > 0 && i < 32 {
			return mark.level
		}
	}
	return unsaid
}

// wordLevel says whether head[from:to] is a level rather than a word of a sentence.
func wordLevel(head string, from, to int) level {
	word := head[from:to]
	l := levelWords[lowerASCII(word)]
	if l == unsaid {
		return unsaid
	}
	before, after := byte('\n'), byte('\n')
	if from > 0 {
		before = head[from-1]
	}
	if to < len(head) {
		after = head[to]
	}
	capitals := word == strings.ToUpper(word)
	switch {
	case strings.EqualFold(word, "log"):
		return only(l, capitals && after == ':') // Postgres
	case capitals:
		return only(l, !isWordByte(before) && !isWordByte(after))
	case before == '[' && after == ']', before == '<' && after == '>', before == '\t' && after == '\t':
		return l
	case before == '=', before == '"' && from > 1 && head[from-2] == '=':
		return only(l, levelKey(head[:from]))
	default:
		return only(l, after == ':' && (from == 0 || before == ' ') && word != "system" && word != "fine")
	}
}

// levelKey says whether what stands before a value is the key of a level.
func levelKey(before string) bool {
	key := strings.TrimRight(lowerASCII(before), `="`)
	for _, k := range []string{"level", "lvl", "severity"} {
		if strings.HasSuffix(key, k) {
			return true
		}
	}
	return false
}

func only(l level, sure bool) level {
	if sure {
		return l
	}
	return unsaid
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

func isWordByte(c byte) bool { return isLetter(c) || '0' <= c && c <= '9' || c == '_' || c == '-' }

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
