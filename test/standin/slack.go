package standin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Message is what chat.postMessage takes, as far as the tests look at it.
type Message struct {
	Channel  string          `json:"channel"`
	Text     string          `json:"text"`
	ThreadTS string          `json:"thread_ts,omitempty"`
	Blocks   json.RawMessage `json:"blocks,omitempty"`
}

// postMessage answers as Slack does: 200 always, and ok says whether it worked.
func (s *Server) postMessage(w http.ResponseWriter, r *http.Request) {
	var m Message
	switch err := json.NewDecoder(r.Body).Decode(&m); {
	case !s.authorized(r):
		writeJSON(w, http.StatusOK, object{"ok": false, "error": "invalid_auth"})
	case err != nil:
		writeJSON(w, http.StatusOK, object{"ok": false, "error": "invalid_json"})
	case m.Channel == "":
		writeJSON(w, http.StatusOK, object{"ok": false, "error": "channel_not_found"})
	case m.Text == "":
		writeJSON(w, http.StatusOK, object{"ok": false, "error": "no_text"})
	default:
		writeJSON(w, http.StatusOK, object{"ok": true, "channel": channelID(m.Channel), "ts": s.timestamp(), "message": m})
	}
}

// channelID maps a name to an id, as Slack's answers never carry the name.
func channelID(name string) string {
	return "C0" + strings.ToUpper(strings.NewReplacer("#", "", "-", "").Replace(name))
}

func (s *Server) timestamp() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages++
	return fmt.Sprintf("%d.%06d", s.world.now().Unix(), s.messages)
}
