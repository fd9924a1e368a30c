package redact

import "strings"

// marks finds the places of a text at which one of many markers begins. Three
// letters are read as one number and looked up in a table of bits: a byte that
// begins nothing costs one step, however many markers there are.
type marks struct {
	bits  [1 << 15 / 64]uint64
	index [1 << 15]uint16 // into lists, by the first three letters; 0 is an empty one
	lists [][]marker
	all   []marker
}

// marker is the beginning of something: in lower case, unless it counts only as
// it is written.
type marker struct {
	text  string
	exact bool
	check func(s string, at int) bool // cheap; nil takes every place
	find  finder
}

// add takes markers of two bytes or more.
func (m *marks) add(mk marker) {
	if m.lists == nil {
		m.lists = make([][]marker, 1)
	}
	m.all = append(m.all, mk)
	head := classes[mk.text[0]]<<5 | classes[mk.text[1]]
	thirds := make([]uint16, 0, 32)
	if len(mk.text) > 2 {
		thirds = append(thirds, classes[mk.text[2]])
	} else {
		for c := range uint16(32) {
			thirds = append(thirds, c)
		}
	}
	for _, third := range thirds {
		gram := head<<5 | third
		m.bits[gram/64] |= 1 << (gram % 64)
		if m.index[gram] == 0 {
			m.index[gram] = uint16(len(m.lists))
			m.lists = append(m.lists, nil)
		}
		list := &m.lists[m.index[gram]]
		*list = append(*list, mk)
	}
}

// next is the first index from i on at which a marker may begin, and what its
// first letters are; len(s) when there is none.
func (m *marks) next(s string, i int) (at int, gram uint16) {
	if i+1 >= len(s) {
		return len(s), 0
	}
	gram = classes[s[i]]<<5 | classes[s[i+1]]
	for at = i + 2; at < len(s); at++ {
		gram = (gram<<5 | classes[s[at]]) & (1<<15 - 1)
		if m.bits[gram/64]&(1<<(gram%64)) != 0 {
			return at - 2, gram
		}
	}
	return len(s), 0
}

// after gives the markers that begin with these letters.
func (m *marks) after(gram uint16) []marker { return m.lists[m.index[gram]] }

// stands says whether the marker is in s at i and may mean something there.
func (mk *marker) stands(s string, i int) bool {
	if len(s)-i < len(mk.text) {
		return false
	}
	if len(mk.text) > 3 && lower(s[i+3]) != lower(mk.text[3]) { // the first three are known
		return false
	}
	here := s[i : i+len(mk.text)]
	if mk.exact && here != mk.text || !mk.exact && !strings.EqualFold(here, mk.text) {
		return false
	}
	return mk.check == nil || mk.check(s, i)
}

// classes tell bytes apart, case aside, in five bits.
var classes = func() (table [256]uint16) {
	for c := range table {
		table[c] = 31
	}
	for c := 'a'; c <= 'z'; c++ {
		table[c], table[c-'a'+'A'] = uint16(c-'a'), uint16(c-'a')
	}
	for c := '0'; c <= '9'; c++ {
		table[c] = 26
	}
	table['_'], table['-'], table['"'], table['\\'] = 27, 28, 29, 30
	return table
}()
