package diagnose

import (
	"regexp"
	"strings"
)

// sign is a phrase that tells why something could not be done.
type sign struct {
	phrase  string // in lower case
	cause   string // "" where the phrase decides for no cause that the table is about
	because string // in words
}

// read gives the first sign of a table that stands in a text: tables are in the
// order in which they decide.
func read(signs []sign, text string) (sign, bool) {
	for _, s := range signs {
		if strings.Contains(text, s.phrase) {
			return s, true
		}
	}
	return sign{}, false
}

// longestText bounds what is read of one message.
const longestText = 8_192

// namesInMessage is what a message quotes or points to: references and
// addresses, whose words (rate-limiter, not-found) are no signs.
var namesInMessage = regexp.MustCompile(`"[^"]*"|https?://[^\s"]+`)

// withoutNames is a message in lower case without what it quotes.
func withoutNames(message string) string {
	return strings.ToLower(namesInMessage.ReplaceAllString(clip(message, longestText), `""`))
}

// readTexts reads once what several rules ask.
func (c *container) readTexts() {
	if p, ok := c.pullTrouble(); ok {
		c.pull = &p
	}
	if t, ok := c.creationTrouble(); ok {
		c.unmade = &t
	}
}
