package diagnose

// phraseBook finds many phrases in one pass: a look at four bytes rules out
// nearly every place of a text, so that the time does not grow with the book.
type phraseBook struct {
	seen    [1 << 10]uint64 // one bit for each first four bytes, folded to sixteen bits
	phrases map[uint32][]phrase
}

// phrase is a text of at least four bytes, in lower case, and what it stands for.
type phrase struct {
	text string
	of   int
}

func (b *phraseBook) add(text string, of int) {
	if b.phrases == nil {
		b.phrases = map[uint32][]phrase{}
	}
	key := firstFour(text, 0)
	b.phrases[key] = append(b.phrases[key], phrase{text, of})
	bit := fold(key)
	b.seen[bit>>6] |= 1 << (bit & 63)
}

// find calls each with every place where a phrase stands in a text of lower case.
func (b *phraseBook) find(lower string, each func(at int, p phrase)) {
	for i := 0; i+4 <= len(lower); i++ {
		key := firstFour(lower, i)
		bit := fold(key)
		if b.seen[bit>>6]&(1<<(bit&63)) == 0 {
			continue
		}
		for _, p := range b.phrases[key] {
			if len(lower)-i >= len(p.text) && lower[i:i+len(p.text)] == p.text {
				each(i, p)
			}
		}
	}
}

func firstFour(s string, i int) uint32 {
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

func fold(key uint32) uint32 { return (key * 2654435761) >> 16 }

// lowerASCII keeps every byte at its place, so that what is found can be quoted
// from the original.
func lowerASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return string(b)
}
