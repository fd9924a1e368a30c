package policy

import (
	"fmt"
	"strings"

	"salve/internal/suggest"
)

// didYouMean is the second half of a refusal: the nearest word, or all of them.
func didYouMean(word string, known []string) string {
	if near := suggest.Nearest(word, known); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if len(known) == 0 {
		return "nothing is allowed here"
	}
	return "known are " + strings.Join(known, ", ")
}
