package evidence

import "testing"

func TestShows(t *testing.T) {
	for doc, want := range map[string]bool{
		`{"pods":[]}`: true, `{"logs":"unreadable"}`: true, `{"disk":{"host":"a"},"unheardOf":1}`: true,
		`{}`: false, `{"podz":[]}`: false, `{"pods":null}`: false, `{"observedAt":"2026-01-01T00:00:00Z","cluster":"c"}`: false,
		`[]`: false, `null`: false, ``: false,
	} {
		if got := Shows([]byte(doc)); got != want {
			t.Errorf("%s shows something: %t", doc, got)
		}
	}
	for _, key := range Keys() {
		if !Shows([]byte(`{"` + key + `":{}}`)) {
			t.Errorf("%s is a key and shows nothing", key)
		}
	}
}
