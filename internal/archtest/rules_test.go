package archtest

// floors are the house of ARCHITECTURE.md, ground floor first. A package imports only what lies on a floor below its
// own, so requests walk straight down and neighbours do not know about one another.
var floors = [][]string{
	{"migrations", "internal/fault", "internal/incident", "internal/postgres", "internal/schedule", "internal/suggest", "internal/trend"},
	{"internal/identity", "internal/intake", "internal/kube", "internal/policy", "internal/report", "internal/slack", "internal/trail"},
	{"internal/evidence", "internal/objective", "internal/redact"},
	{"internal/capacity", "internal/diagnose"},
	{"internal/remedy"},
	{"internal/checklist", "internal/outlook", "internal/triage"},
	{"internal/backtest"},
	{"internal/store"},
	{"internal/store/storetest", "internal/handlers"},
	{"internal/http", "internal/telemetry"},
	{"internal/http/httpcheck", "cmd/server"},
}

// besideTheHouse may import what they like; nobody may import them.
var besideTheHouse = []string{"internal/archtest", "scripts/...", "test/..."}

// pure packages get time, ids and randomness as arguments. That is what makes replay, backtest, simulation and property
// tests one line each.
var pure = []string{
	"internal/backtest", "internal/capacity", "internal/checklist", "internal/diagnose", "internal/evidence", "internal/incident", "internal/intake", "internal/kube", "internal/objective", "internal/outlook", "internal/policy", "internal/redact", "internal/remedy",
	"internal/report", "internal/slack", "internal/suggest", "internal/trend", "internal/triage",
}

// impure is what a pure package must not import itself; what client-go or cel-go import inside is their affair.
var impure = []string{
	"context", "crypto/rand", "database/sql/...", "io/fs", "log/...", "math/rand/...", "net", "net/http/...", "os/...",
	"sync/...", "syscall",
	"github.com/google/uuid", "github.com/jackc/pgx/...", "github.com/rs/zerolog/...",
	"go.opentelemetry.io/...", "github.com/prometheus/...",
}

// late is what a pure package may use of sync: a constant that is computed when it is first asked for.
var late = map[string][]string{
	"internal/redact": {"OnceValue"}, // two hundred expressions of gitleaks, of which most processes need a few
}

// clock is what a pure package must not call.
var clock = map[string][]string{
	"time": {"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker"},
}

// exclusive gives each outside technology to one package.
var exclusive = []struct {
	path   string
	only   []string
	reason string
}{
	{"github.com/zricethezav/gitleaks/...", []string{"internal/redact"},
		"what is a secret is decided in one place"},
	{"github.com/spf13/viper", []string{"internal/redact"},
		"it only reads gitleaks' own rules; Salve's configuration is flags and one policy file"},
	{"k8s.io/client-go/...", []string{"internal/kube"},
		"evidence is decoded and requests are built in one place; the rest uses the API types"},
	{"github.com/jackc/pgx/...", []string{"internal/store", "internal/store/storetest"},
		"SQL has one home: slices in, slices out"},
	{"database/sql/...", []string{"internal/store"},
		"SQL has one home: slices in, slices out"},
	{"github.com/pressly/goose/...", []string{"internal/store"},
		"the schema changes in one place, under one lock"},
	{"github.com/fergusstrange/embedded-postgres", []string{"internal/postgres"},
		"only the private server needs programs"},
	{"os/exec", []string{"internal/postgres", "internal/store/storetest", "scripts/...", "test/..."},
		"Salve runs no command but its own Postgres: it never holds the keys to the pharmacy"},
	{"cel.dev/cel-go/...", []string{"internal/policy"},
		"conditions are compiled, bounded and typed in one place"},
	{"github.com/golang-jwt/...", []string{"internal/identity"},
		"there is one way to become a caller"},
	{"github.com/go-chi/...", []string{"internal/http"},
		"there is one route table"},
	{"github.com/go-playground/validator/...", []string{"internal/http"},
		"a request is valid before a use case sees it"},
	{"net/http/...", []string{"internal/http/...", "internal/telemetry", "cmd/server", "scripts/...", "test/..."},
		"only the edge speaks HTTP, and Salve calls nobody: a client anywhere else would break that promise"},
	{"salve/internal/store/storetest", nil,
		"it is for tests"},
	{"salve/internal/http/httpcheck", []string{"test/..."},
		"it is for tests"},
}
