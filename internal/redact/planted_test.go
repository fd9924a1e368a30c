package redact_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"salve/internal/redact"
)

const (
	upper   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	letters = "abcdefghijklmnopqrstuvwxyz"
	digits  = "0123456789"
	alnum   = upper + letters + digits
)

// chars draws n characters; mixed ones hold two digits at least, as real tokens do.
func chars(t *rapid.T, from string, n int) string {
	b := []byte(rapid.StringOfN(rapid.SampledFrom([]rune(from)), n, n, n).Draw(t, "chars"))
	for i, c := range b { // no run of one letter: a token is random
		b[i] = from[(strings.IndexByte(from, c)+i*7)%len(from)]
	}
	if strings.Contains(from, digits) && n >= 4 {
		b[1], b[n-2] = '7', '3'
	}
	return string(b)
}

// secret is a text that holds a secret, and the part of it that must not stay.
type secret struct{ text, hidden string }

func whole(s string) secret { return secret{s, s} }

// secrets are the formats that people and programs give away.
var secrets = map[string]func(*rapid.T) secret{
	"aws access key":   func(t *rapid.T) secret { return whole("AKIA" + chars(t, upper+"234567", 16)) },
	"aws secret key":   func(t *rapid.T) secret { return assignedTo("aws_secret_access_key = ", chars(t, alnum+"/+", 40)) },
	"github token":     func(t *rapid.T) secret { return whole("ghp_" + chars(t, alnum, 36)) },
	"github app token": func(t *rapid.T) secret { return whole("ghs_" + chars(t, alnum, 36)) },
	"gitlab token":     func(t *rapid.T) secret { return whole("glpat-" + chars(t, alnum, 20)) },
	"slack bot token": func(t *rapid.T) secret {
		return whole("xoxb-" + chars(t, digits, 12) + "-" + chars(t, digits, 12) + "-" + chars(t, alnum, 24))
	},
	"slack webhook": func(t *rapid.T) secret {
		hidden := "T" + chars(t, upper+digits, 10) + "/B" + chars(t, upper+digits, 10) + "/" + chars(t, alnum, 24)
		return secret{"https://hooks.slack.com/services/" + hidden, hidden}
	},
	"stripe key":   func(t *rapid.T) secret { return whole("sk_live_" + chars(t, alnum, 24)) },
	"npm token":    func(t *rapid.T) secret { return whole("npm_" + chars(t, alnum, 36)) },
	"google key":   func(t *rapid.T) secret { return whole("AIza" + chars(t, alnum, 35)) },
	"vault token":  func(t *rapid.T) secret { return whole("hvs." + chars(t, alnum, 95)) },
	"sendgrid":     func(t *rapid.T) secret { return whole("SG." + chars(t, alnum, 66)) },
	"digitalocean": func(t *rapid.T) secret { return whole("dop_v1_" + chars(t, "abcdef"+digits, 64)) },
	"JWT": func(t *rapid.T) secret {
		return whole("eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.eyJ" + chars(t, alnum, 80) + "." + chars(t, alnum, 86))
	},
	"private key": func(t *rapid.T) secret {
		body := chars(t, alnum, 64)
		return secret{"-----BEGIN RSA PRIVATE KEY-----\n" + body + "\n-----END RSA PRIVATE KEY-----", body}
	},
	"google service account": func(t *rapid.T) secret {
		body := chars(t, alnum, 64)
		return secret{`{"type":"service_account","private_key_id":"x","private_key":"-----BEGIN PRIVATE KEY-----\n` + body + `\n-----END PRIVATE KEY-----\n"}`, body}
	},
	"postgres address": func(t *rapid.T) secret {
		return between("postgres://app:", chars(t, alnum, 9), "@db.prod:5432/app?sslmode=require")
	},
	"redis address": func(t *rapid.T) secret { return between("redis://:", chars(t, alnum, 12), "@cache:6379/0") },
	"odd password in an address": func(t *rapid.T) secret {
		return between("amqp://app:", chars(t, alnum, 5)+"/"+chars(t, alnum, 5), "@rabbit:5672/")
	},
	"basic authorization": func(t *rapid.T) secret {
		return assignedTo("Authorization: Basic ", base64.StdEncoding.EncodeToString([]byte("app:"+chars(t, alnum, 10))))
	},
	"basic alone": func(t *rapid.T) secret {
		return assignedTo("header Basic ", base64.StdEncoding.EncodeToString([]byte("app:"+chars(t, alnum, 10))))
	},
	"bearer": func(t *rapid.T) secret { return assignedTo("Authorization: Bearer ", chars(t, alnum, 32)) },
	"cookie": func(t *rapid.T) secret { return assignedTo("Cookie: session=", chars(t, alnum, 22)) },
	"azure account": func(t *rapid.T) secret {
		return between("DefaultEndpointsProtocol=https;AccountName=shop;AccountKey=", chars(t, alnum+"+/", 86)+"==", ";EndpointSuffix=core.windows.net")
	},
	"azure SAS": func(t *rapid.T) secret {
		return assignedTo("https://shop.blob.core.windows.net/a?sv=2022-11-02&sp=r&sig=", chars(t, alnum, 43)+"%3D")
	},
	"s3 address": func(t *rapid.T) secret {
		return assignedTo("https://b.s3.amazonaws.com/a?X-Amz-Expires=300&X-Amz-Signature=", chars(t, "abcdef"+digits, 64))
	},
	"pgpass": func(t *rapid.T) secret { return assignedTo("db.prod:5432:app:app:", chars(t, alnum, 12)) },
	"docker auth": func(t *rapid.T) secret {
		hidden := base64.StdEncoding.EncodeToString([]byte("robot:" + chars(t, alnum, 14)))
		return secret{`{"auths":{"registry.example.com":{"auth":"` + hidden + `"}}}`, hidden}
	},
	"password=": func(t *rapid.T) secret { return assignedTo("DB_PASSWORD=", chars(t, letters, 8)) },
	"password:": func(t *rapid.T) secret { return assignedTo("password: ", "x"+chars(t, letters, 9)) },
	"quoted password": func(t *rapid.T) secret {
		return between(`password="`, chars(t, letters, 6)+", &"+chars(t, letters, 6), `"`)
	},
	"token=":               func(t *rapid.T) secret { return assignedTo("?token=", chars(t, alnum, 12)) },
	"--password":           func(t *rapid.T) secret { return assignedTo("--password ", chars(t, letters, 8)) },
	"sql":                  func(t *rapid.T) secret { return between("ALTER USER app WITH PASSWORD '", chars(t, letters, 8), "'") },
	"curl":                 func(t *rapid.T) secret { return between("curl -u app:", chars(t, letters, 8), " https://x") },
	"java":                 func(t *rapid.T) secret { return assignedTo("-Djavax.net.ssl.keyStorePassword=", chars(t, alnum, 8)) },
	"ado.net":              func(t *rapid.T) secret { return between("Server=db;User Id=app;Password=", chars(t, alnum, 8), ";") },
	"bcrypt":               func(t *rapid.T) secret { return whole("$2y$10$" + chars(t, alnum, 53)) },
	"generic high entropy": func(t *rapid.T) secret { return assignedTo("shop_auth = ", chars(t, alnum, 40)) },
}

func assignedTo(before, hidden string) secret { return secret{before + hidden, hidden} }

func between(before, hidden, after string) secret { return secret{before + hidden + after, hidden} }

// places are where a text with a secret in it may stand.
var places = map[string]func(s string) string{
	"log line": func(s string) string {
		return object("logs", "2026-11-23T03:15:00Z ERROR connecting with "+s+" failed\nretrying")
	},
	"start of line": func(s string) string { return object("logs", "ok\n"+s+"\nretrying") },
	"bare string":   func(s string) string { return quoted(s) },
	"message":       func(s string) string { return object("message", s) },
	"array":         func(s string) string { return "[1," + quoted(s) + ",null]" },
	"args":          func(s string) string { return `{"spec":{"containers":[{"args":["run",` + quoted(s) + `]}]}}` },
	"annotation": func(s string) string {
		return `{"metadata":{"annotations":{"example.com/note":` + quoted("see "+s) + `}}}`
	},
	"nested JSON":   func(s string) string { return object("stdout", object("error", "401: "+s)) },
	"JSON in a log": func(s string) string { return object("text", "level=error body="+object("error", s)+"\n") },
	"deep JSON":     func(s string) string { return object("a", object("b", object("c", s))) },
	"yaml": func(s string) string {
		return object("text", "status:\n  message: |\n    "+strings.ReplaceAll(s, "\n", "\n    ")+"\n")
	},
	"key": func(s string) string { return "{" + quoted("calls to "+s) + ":1}" },
	"env": func(s string) string { return `{"env":[{"name":"A","value":` + quoted(s) + `}]}` },
	"env in yaml": func(s string) string {
		return object("text", "env:\n- name: A\n  value: "+strings.ReplaceAll(s, "\n", "\n    ")+"\nimage: x")
	},
	"last-applied": func(s string) string {
		return `{"annotations":{"kubectl.kubernetes.io/last-applied-configuration":` + quoted(s) + `}}`
	},
	"secret": func(s string) string { return `{"data":{"a":` + quoted(s) + `},"kind":"Secret"}` },
	"secret in yaml": func(s string) string {
		return object("text", "apiVersion: v1\ndata:\n  a: "+strings.ReplaceAll(s, "\n", "\n    ")+"\nkind: Secret\n")
	},
}

func quoted(s string) string {
	b, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func object(key, s string) string { return "{" + quoted(key) + ":" + quoted(s) + "}" }

// No secret of any format survives in any place.
func TestNoPlantedSecretSurvives(t *testing.T) {
	for format, make := range secrets {
		t.Run(format, rapid.MakeCheck(func(t *rapid.T) {
			s := make(t)
			for place, plant := range places {
				doc := plant(s.text)
				got, err := redact.JSON(json.RawMessage(doc))
				if err != nil || !json.Valid(got) {
					t.Fatalf("%s: %s became %s (%v)", place, doc, got, err)
				}
				if strings.Contains(string(got), s.hidden) {
					t.Fatalf("%s: a secret survives:\nin  %s\nout %s", place, doc, got)
				}
				if again, _ := redact.JSON(got); string(again) != string(got) {
					t.Fatalf("%s: twice is another thing:\nonce  %s\ntwice %s", place, got, again)
				}
			}
			if got := redact.Text(s.text); strings.Contains(got, s.hidden) {
				t.Fatalf("Text: %s", got)
			}
		}))
	}
}

// Values that a name gives away, as JSON writes them.
func TestNamedValues(t *testing.T) {
	for _, doc := range []string{
		`{"password":%s}`, `{"DB-Password":%s}`, `{"api_key":%s}`, `{"tls.key":%s}`, `{".dockerconfigjson":%s}`, `{"credentials":%s}`, `{"connectionString":%s}`,
		`{"authorization":[%s]}`, `{"headers":{"Cookie":[%s,%[1]s]}}`, `{"headers":[{"name":"Authorization","value":%s}]}`, `{"parameters":[{"value":%s,"name":"db.password"}]}`,
		`{"args":["--token",%s]}`, `{"command":["mysql","--password",%s,"-v"]}`, `{"env":{"A":%s}}`, `{"Env":["A="],"environment":[{"name":"A","value":%s}]}`,
		`{"stringData":{"a":%s}}`, `{"kind":"ConfigMap","binaryData":{"a":%s}}`, `{"signing_key":%s}`, `{"kubeconfig":%s}`, `{"environment":{"A":%s}}`,
	} {
		got, err := redact.JSON(json.RawMessage(fmt.Sprintf(doc, `"plain"`)))
		if err != nil || strings.Contains(string(got), "plain") || !json.Valid(got) {
			t.Errorf("%s: %s (%v)", doc, got, err)
		}
	}
	for in, want := range map[string]string{
		`{"Env":["A=x y","B="]}`:           `{"Env":["A=[redacted]","B="]}`,
		`{"password":12345}`:               `{"password":"[redacted]"}`,
		`{"env":{"PORT":8080,"ok":true}}`:  `{"env":{"PORT":"[redacted]","ok":true}}`,
		`{"args":["--token","--verbose"]}`: `{"args":["--token","--verbose"]}`,
		`{"automountServiceAccountToken":true,"serviceAccountToken":{"path":"token","expirationSeconds":3607}}`: `{"automountServiceAccountToken":true,"serviceAccountToken":{"path":"token","expirationSeconds":3607}}`,
		`{"imagePullSecrets":[{"name":"regcred"}],"envFrom":[{"secretRef":{"name":"db-password"}}]}`:            `{"imagePullSecrets":[{"name":"regcred"}],"envFrom":[{"secretRef":{"name":"db-password"}}]}`,
	} {
		if got, err := redact.JSON(json.RawMessage(in)); err != nil || string(got) != want {
			t.Errorf("%s: got %s (%v), want %s", in, got, err, want)
		}
	}
}
