package main

import "strings"

// width estimates how wide a text is in a sans-serif font, on the wide side: what
// is measured too narrow would be cut.
func width(s string, size float64) float64 {
	total := 0.0
	for _, r := range s {
		switch {
		case strings.ContainsRune("iljtfI.,:;'|!()[]{}` ", r):
			total += 0.36
		case strings.ContainsRune("mwMW@%—…", r):
			total += 0.95
		case r >= 'A' && r <= 'Z' || r == '_' || r == '&':
			total += 0.72
		case r >= 0x2190 && r <= 0x2bff || r >= 0x1f000:
			total += 1
		default:
			total += 0.6
		}
	}
	return total * size
}

// wrap breaks a text into lines of at most that width. A word that is too long
// alone stays whole: nothing is cut.
func wrap(s string, size, limit float64) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case width(line+" "+word, size) <= limit:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
