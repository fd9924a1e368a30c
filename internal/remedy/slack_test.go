package remedy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
	"salve/internal/remedy"
)

func message(text string) remedy.Request {
	return remedy.Request{
		Action: "notify.slack", Params: map[string]any{"channel": "#devops", "text": text},
		Incident: incident.Incident{Target: incident.Target{Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway"}},
	}
}

func TestSlack(t *testing.T) {
	r := message("🔧 Done: restarted api-gateway-x7k2m\n512Mi → 768Mi")
	r.Params["thread_ts"] = "1712345678.123456"
	got := readable(t, build(t, r))
	want := map[string]any{
		"action": "notify.slack", "effect": incident.Tell, "risk": incident.RiskLow,
		"target":  incident.Target{Cluster: "prod", Namespace: "production", Kind: "Deployment", Name: "api-gateway"},
		"summary": "Tell #devops in Slack about production/Deployment/api-gateway.",
		"timeout": "10s",
		"params": map[string]any{
			"channel": "#devops", "text": "🔧 Done: restarted api-gateway-x7k2m\n512Mi → 768Mi", "thread_ts": "1712345678.123456",
		},
		"precondition": map[string]any{}, "rollback": map[string]any{}, "verify": map[string]any{},
		"execute": map[string]any{
			"shape": "slack", "channel": "#devops", "text": "🔧 Done: restarted api-gateway-x7k2m\n512Mi → 768Mi",
			"thread_ts": "1712345678.123456", "timeout_seconds": 10.0,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("intent (-want +got):\n%s", diff)
	}
}

func TestSlackAboutItsTarget(t *testing.T) {
	r := message("hello")
	r.Target = incident.Target{Host: "web-01"}
	in := build(t, r)
	if in.Target != r.Target || in.Summary != "Tell #devops in Slack about web-01." {
		t.Errorf("target is %v, summary %q", in.Target, in.Summary)
	}
}

func sent(t testing.TB, text string) string {
	t.Helper()
	var shape struct{ Text string }
	if err := json.Unmarshal(build(t, message(text)).Execute, &shape); err != nil {
		t.Fatal(err)
	}
	return shape.Text
}

func TestSlackText(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"a mention of everybody", "<!channel> look", "&lt;!channel&gt; look"},
		{"a mention of somebody", "<@U012AB3CD>", "&lt;@U012AB3CD&gt;"},
		{"a forged link", "<https://evil.example|INC-1042>", "&lt;https://evil.example|INC-1042&gt;"},
		{"an entity", "&lt;!here&gt;", "&amp;lt;!here&amp;gt;"},
		{"control characters", "a\x00b\x1b[31mc\r\nd\te\x7f\u0085", "ab[31mc\nd\te"},
		{"turned reading order", "exe\u202egpj.\u2066x", "exegpj.x"},
		{"not utf-8", "a\xffb", "a\ufffdb"},
		{"template", "={{ $env.TOKEN }} ${HOME} $(id) '; DROP TABLE x; --", "={{ $env.TOKEN }} ${HOME} $(id) '; DROP TABLE x; --"},
		{"as long as may be", strings.Repeat("a", 3000), strings.Repeat("a", 3000)},
		{"one too long", strings.Repeat("a", 3001), strings.Repeat("a", 2999) + "…"},
		{"cut before an entity", strings.Repeat("a", 2998) + "<b>", strings.Repeat("a", 2998) + "…"},
		{"cut before a pair", strings.Repeat("a", 2998) + "🚨🚨", strings.Repeat("a", 2998) + "…"},
		{"long by its escapes", strings.Repeat("&", 5000), strings.Repeat("&amp;", 599) + "…"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, sent(t, c.text)); diff != "" {
				t.Errorf("text (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSlackRefusals(t *testing.T) {
	const channel = ": want #name of lower-case letters, digits, - and _ (at most 80), or a channel's id such as C0123456789"
	cases := []struct {
		name   string
		params map[string]any
		reason string
	}{
		{"no channel", map[string]any{"text": "hello"}, "channel is missing"},
		{"no text", map[string]any{"channel": "#devops"}, "text is missing"},
		{"blank text", map[string]any{"channel": "#devops", "text": " \n\x00"}, "text is missing"},
		{"channel without #", map[string]any{"channel": "devops", "text": "x"}, `channel is "devops"` + channel},
		{"empty name", map[string]any{"channel": "#", "text": "x"}, `channel is "#"` + channel},
		{"upper case", map[string]any{"channel": "#DevOps", "text": "x"}, `channel is "#DevOps"` + channel},
		{"a user", map[string]any{"channel": "U0123456789", "text": "x"}, `channel is "U0123456789"` + channel},
		{"short id", map[string]any{"channel": "C1", "text": "x"}, `channel is "C1"` + channel},
		{"a long name", map[string]any{"channel": "#" + strings.Repeat("a", 81), "text": "x"}, `channel is "#` + strings.Repeat("a", 58) + "…" + channel},
		{"a long id", map[string]any{"channel": "C12345678901234567890", "text": "x"}, `channel is "C12345678901234567890"` + channel},
		{"id in lower case", map[string]any{"channel": "C012345678a", "text": "x"}, `channel is "C012345678a"` + channel},
		{"a line break", map[string]any{"channel": "#devops\n", "text": "x"}, `channel is "#devops\n"` + channel},
		{"not a ts", map[string]any{"channel": "#devops", "text": "x", "thread_ts": "now"}, `thread_ts is "now": want a message's ts such as 1712345678.123456`},
		{"ts with a sign", map[string]any{"channel": "#devops", "text": "x", "thread_ts": "-712345678.123456"}, `thread_ts is "-712345678.123456": want a message's ts such as 1712345678.123456`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := message("")
			r.Params = c.params
			refused(t, r, c.reason)
		})
	}
}

// Whatever the text: no markup of Slack's is left, and the block's limit holds.
func FuzzSlackText(f *testing.F) {
	for _, seed := range []string{"hello", "<!channel>", "&amp;", "\x00\u202e", strings.Repeat("<🚨", 1500), "\xff\xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := remedy.Build(message(text)); err != nil {
			return
		}
		got := sent(t, text)
		if strings.ContainsAny(got, "<>\x00\r\u202e\u2066") || !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
		if n := len(utf16.Encode([]rune(got))); n > 3000 {
			t.Errorf("%q became %d characters", text, n)
		}
		bare := strings.NewReplacer("&amp;", "", "&lt;", "", "&gt;", "").Replace(got)
		if strings.Contains(bare, "&") {
			t.Errorf("%q became %q: an & that is no entity", text, got)
		}
	})
}
