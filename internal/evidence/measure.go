package evidence

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// prefixes are the steps of a size's suffix: each is a thousand or 1024 times
// the one before.
const prefixes = "KMGTPE"

// size reads what df, du, ls and kubectl print: "1024", "45G", "1.5M", "512Mi",
// "12MB". A number without a suffix counts units of so many bytes; base is what
// a bare letter steps by, 1024 or, for --si, 1000.
func size(text string, unit, base float64) (Number, bool) {
	digits := strings.TrimRight(text, "KMGTPEkmgtpeiB")
	suffix := text[len(digits):]
	v, err := strconv.ParseFloat(strings.Replace(digits, ",", ".", 1), 64)
	if err != nil || v < 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return Number{}, false
	}
	factor, ok := suffixFactor(suffix, unit, base)
	return known(math.Round(v*factor), ok)
}

func suffixFactor(suffix string, unit, base float64) (float64, bool) {
	switch suffix {
	case "":
		return unit, true
	case "B":
		return 1, true
	}
	step := strings.IndexByte(prefixes, suffix[0]&^0x20) + 1
	switch {
	case step == 0:
		return 0, false
	case suffix[1:] == "B":
		base = 1000
	case suffix[1:] == "i" || suffix[1:] == "iB":
		base = 1024
	case suffix[1:] != "":
		return 0, false
	}
	return math.Pow(base, float64(step)), true
}

// percent reads "87%", "87" or "-" for unknown.
func percent(text string) (Number, bool) {
	if text == "-" {
		return Number{}, true
	}
	v, err := strconv.ParseFloat(strings.TrimSuffix(text, "%"), 64)
	return known(v, err == nil && v >= 0 && v <= 1e6)
}

// count reads a whole number that is not negative.
func count(text string) (Number, bool) {
	v, err := strconv.ParseUint(text, 10, 53)
	return known(float64(v), err == nil)
}

func known(v float64, ok bool) (Number, bool) {
	if !ok {
		return Number{}, false
	}
	return Of(v), true
}

// countOrNot is count where what is no number is merely unknown.
func countOrNot(text string) Number {
	n, ok := count(strings.TrimSpace(text))
	if !ok {
		return Number{}
	}
	return n
}

// ageUnits in the order in which kubectl prints them.
var ageUnits = map[byte]time.Duration{
	'y': 365 * 24 * time.Hour, 'd': 24 * time.Hour, 'h': time.Hour, 'm': time.Minute, 's': time.Second,
}

const maxAge = 100 * 365 * 24 * time.Hour

// age reads how long ago, as kubectl prints it: "3m12s", "5d3h", "2y45d".
func age(text string) (time.Duration, bool) {
	var sum time.Duration
	for text != "" {
		digits := strings.TrimLeft(text, "0123456789")
		n, err := strconv.Atoi(text[:len(text)-len(digits)])
		if err != nil || n > 1e6 || digits == "" || ageUnits[digits[0]] == 0 {
			return 0, false
		}
		sum += time.Duration(min(n, int(maxAge/ageUnits[digits[0]]))) * ageUnits[digits[0]]
		text = digits[1:]
		if sum > maxAge || text == "" {
			return min(sum, maxAge), true
		}
	}
	return 0, false
}
