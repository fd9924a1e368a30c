package main

import (
	"strings"
	"unicode/utf8"
)

// A sticky note is Markdown; of it headings, paragraphs, lists, **bold**, *italic*
// and `code` are drawn.

// span is a run of text in one style.
type span struct {
	text  string
	style string // "", bold, italic, code
}

type line struct {
	spans  []span
	size   float64
	indent float64
	gap    float64 // above it
}

// noteLines lays a note's text out for a width.
func noteLines(markdown string, size, limit float64) []line {
	var lines []line
	for paragraph := range strings.SplitSeq(markdown, "\n") {
		paragraph = strings.TrimSpace(paragraph)
		at := line{size: size, gap: size * 0.15}
		switch {
		case paragraph == "":
			if len(lines) > 0 {
				lines = append(lines, line{size: size * 0.45})
			}
			continue
		case strings.HasPrefix(paragraph, "#"):
			heading := strings.TrimLeft(paragraph, "#")
			at.size = size * max(1.1, 1.7-0.2*float64(len(paragraph)-len(heading)-1))
			at.gap = size * 0.3
			paragraph = "**" + strings.ReplaceAll(strings.TrimSpace(heading), "**", "") + "**"
		case strings.HasPrefix(paragraph, "- ") || strings.HasPrefix(paragraph, "* "):
			at.indent = size
			paragraph = "• " + paragraph[2:]
		}
		lines = append(lines, fill(spansOf(paragraph), at, limit)...)
	}
	return lines
}

func spansOf(paragraph string) []span {
	marks := []struct{ mark, style string }{{"`", "code"}, {"**", "bold"}, {"*", "italic"}}
	var spans []span
	plain := ""
next:
	for paragraph != "" {
		for _, m := range marks {
			if rest, ok := strings.CutPrefix(paragraph, m.mark); ok {
				if inside, after, closed := strings.Cut(rest, m.mark); closed && inside != "" {
					spans = append(spans, span{text: plain}, span{inside, m.style})
					plain, paragraph = "", after
					continue next
				}
			}
		}
		_, size := utf8.DecodeRuneInString(paragraph)
		plain += paragraph[:size]
		paragraph = paragraph[size:]
	}
	return append(spans, span{text: plain})
}

// fill breaks spans into lines, between words.
func fill(spans []span, at line, limit float64) []line {
	var lines []line
	current, used := at, at.indent
	space := width(" ", at.size)
	for i, word := range words(spans) {
		w := 0.0
		for _, s := range word {
			w += spanWidth(s, at.size)
		}
		if i > 0 && used+space+w > limit {
			lines = append(lines, current)
			current, used = at, at.indent
			current.gap = at.size * 0.1
		} else if i > 0 {
			current.spans = append(current.spans, span{text: " "})
			used += space
		}
		current.spans = append(current.spans, word...)
		used += w
	}
	return append(lines, current)
}

// words cuts spans at their spaces; a word may be of several styles.
func words(spans []span) [][]span {
	var all [][]span
	open := false
	for _, s := range spans {
		for i, part := range strings.Split(s.text, " ") {
			if i > 0 {
				open = false
			}
			if part == "" {
				continue
			}
			if !open {
				all = append(all, nil)
				open = true
			}
			all[len(all)-1] = append(all[len(all)-1], span{part, s.style})
		}
	}
	return all
}

func spanWidth(s span, size float64) float64 {
	switch s.style {
	case "bold":
		return width(s.text, size) * 1.08
	case "code":
		return float64(len([]rune(s.text))) * size * 0.58
	}
	return width(s.text, size)
}

func height(lines []line) float64 {
	total := 0.0
	for _, l := range lines {
		total += l.gap + l.size*1.25
	}
	return total
}

// fit gives the largest text that a note has room for.
func fit(markdown string, w, h float64) []line {
	for size := 15.0; ; size -= 0.5 {
		lines := noteLines(markdown, size, w)
		if size <= 9 || height(lines) <= h {
			return lines
		}
	}
}
