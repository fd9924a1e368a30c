package store_test

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/errgroup"

	"salve/internal/store"
)

func TestAuditCannotBeRewritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeOne(w.firing("a"))
	w.seal()
	rows, seals := w.count("select count(*) from audit"), w.count("select count(*) from audit_seals")
	for _, sql := range []string{
		"update audit set reason = 'x'", "delete from audit", "truncate audit", "truncate audit, audit_seals",
		"update audit_seals set rows = 0", "delete from audit_seals", "truncate audit_seals",
		"delete from audit where seq < 0", "truncate audit cascade",
	} {
		if _, err := w.sql.Exec(t.Context(), sql); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Errorf("%s: %v, want the database to refuse it", sql, err)
		}
	}
	if w.count("select count(*) from audit") != rows || w.count("select count(*) from audit_seals") != seals {
		t.Error("something was changed all the same")
	}
}

// seal chains all that is there.
func (w *world) seal() int64 {
	w.t.Helper()
	h, err := w.main.Horizon(w.t.Context())
	w.must(err)
	return w.sealUpTo(h)
}

// sealUpTo tries until the transactions of other tests, which run on the same
// server and count as well, have ended.
func (w *world) sealUpTo(h store.Horizon) (total int64) {
	w.t.Helper()
	for left := int64(1); left > 0; {
		n, err := w.main.Seal(w.t.Context(), h)
		w.must(err)
		total += int64(n)
		left = w.count("select count(*) from audit where seq > (select coalesce(max(upto_seq), 0) from audit_seals) and seq <= $1", store.Seq(h))
	}
	return total
}

func (w *world) verify() store.Verification {
	w.t.Helper()
	v, err := w.main.VerifyAudit(w.t.Context())
	w.must(err)
	return v
}

const insertAudit = `insert into audit (at, operation, actor, object, reason) values (now(), 'test', 'test', 'test', $1)`

// A row whose number is below the horizon may still be on its way. It must be in
// the chain when it comes, so nothing is sealed before.
func TestSealWaitsForOpenTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	open, err := w.sql.Begin(t.Context())
	w.must(err)
	defer func() { _ = open.Rollback(t.Context()) }()
	_, err = open.Exec(t.Context(), insertAudit, "it takes its time")
	w.must(err)
	w.takeOne(w.firing("a")) // its rows come later and are committed earlier
	total := w.count("select count(*) from audit")

	before, err := w.main.Horizon(t.Context())
	w.must(err)
	if n, err := w.main.Seal(t.Context(), before); err != nil || n != 0 {
		t.Fatalf("%d rows were sealed (%v) while a transaction may precede them", n, err)
	}
	w.must(open.Commit(t.Context()))
	if n := w.sealUpTo(before); n != total+1 {
		t.Errorf("%d rows sealed, want %d with the one that took its time", n, total+1)
	}
	w.takeOne(w.firing("b"))
	v := w.verify()
	if v.Broken != "" || v.Rows != total+1 || v.Unsealed == 0 {
		t.Errorf("verification %+v, want %d sealed rows and some that are not sealed yet", v, total+1)
	}
}

// A transaction that is open but older than nothing of the record does no harm,
// and one that began after the horizon does not hold it up.
func TestSealIgnoresLaterTransactions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.takeOne(w.firing("a"))
	h, err := w.main.Horizon(t.Context())
	w.must(err)
	later, err := w.sql.Begin(t.Context())
	w.must(err)
	defer func() { _ = later.Rollback(t.Context()) }()
	_, err = later.Exec(t.Context(), insertAudit, "later")
	w.must(err)
	total := w.count("select count(*) from audit")
	if n := w.sealUpTo(h); n != total {
		t.Errorf("%d rows sealed, want the %d before the horizon", n, total)
	}
	w.must(later.Commit(t.Context()))
	w.seal()
	if v := w.verify(); v.Broken != "" || v.Rows != total+1 || v.Unsealed != 0 {
		t.Errorf("verification %+v, want all %d rows sealed", v, total+1)
	}
}

func TestTwoSealersAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	second := w.replica()
	for _, pod := range []string{"a", "b", "c", "d", "e"} {
		w.takeOne(w.firing(pod))
		var sealers errgroup.Group
		for _, r := range []*replica{w.main, second, w.main, second} {
			sealers.Go(func() error {
				h, err := r.Horizon(t.Context())
				if err != nil {
					return err
				}
				_, err = r.Seal(t.Context(), h)
				return err
			})
		}
		w.must(sealers.Wait())
	}
	w.seal()
	if v := w.verify(); v.Broken != "" || v.Unsealed != 0 || v.Rows != w.count("select count(*) from audit") {
		t.Errorf("verification %+v, want one whole chain", v)
	}
}

func TestVerifyFindsWhatWasDone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, sql, want string }{
		{"nothing", "select 1", ""},
		{"a row was changed", "update audit set reason = reason || '.' where seq = 2", "a row was changed between rows 1 and"},
		{"a row's time was changed", "update audit set at = at + interval '1 microsecond' where seq = (select max(seq) from audit)", "a row was changed"},
		{"a row's detail was changed", "update audit set detail = '{}' where seq = 2", "a row was changed"},
		{"a row was removed", "delete from audit where seq = 2", "rows were sealed between rows 1 and"},
		{"a row was slipped into a gap", `insert into audit (seq, at, operation, actor, object, reason) overriding system value
			select n, now(), '', '', '', '' from generate_series(1, (select max(seq) from audit)) n
			where not exists (select 1 from audit where seq = n) limit 1`, "rows were sealed between"},
		{"the first seal was removed", "delete from audit_seals where upto_seq = (select min(upto_seq) from audit_seals)", "a seal is missing or was replaced"},
		{"a seal in the middle was removed", "delete from audit_seals where upto_seq = (select upto_seq from audit_seals order by 1 offset 1 limit 1)", "a seal is missing or was replaced"},
		{"a seal was changed", "update audit_seals set hash = sha256('x') where upto_seq = (select min(upto_seq) from audit_seals)", "a row was changed"},
		{"text moved from one column to the next", "update audit set actor = actor || left(object, 1), object = substr(object, 2) where seq = 2", "a row was changed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			for _, pod := range []string{"a", "b", "c"} {
				w.takeOne(w.firing(pod))
				execSQL(t, w.url, "select nextval(pg_get_serial_sequence('audit', 'seq'))")
				w.seal()
			}
			// Only who owns the tables can do this.
			execSQL(t, w.url, "alter table audit disable trigger user", "alter table audit_seals disable trigger user", tt.sql)
			v := w.verify()
			if tt.want == "" && v.Broken != "" || !strings.Contains(v.Broken, tt.want) {
				t.Errorf("broken: %q, want %q", v.Broken, tt.want)
			}
		})
	}
}

// A row before the first one would stand in a story and be part of no seal.
func TestNoRowBeforeTheFirst(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.sql.Exec(t.Context(), `insert into audit (seq, at, operation, actor, object, reason) overriding system value
		values (-5, now(), 'intent.approve', 'ines', '', '')`)
	if err == nil || !strings.Contains(err.Error(), "audit_seq_check") {
		t.Errorf("%v, want it refused", err)
	}
}

// Chaining goes on in pieces when there is much to chain.
func TestSealInPieces(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(pgx.BeginFunc(t.Context(), w.sql, func(tx pgx.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into audit (at, operation, actor, object, reason) select now(), 'test', 'test', 'test', n::text from generate_series(1, 6000) n`)
		return err
	}))
	w.seal()
	if v := w.verify(); v.Broken != "" || v.Unsealed != 0 || v.Rows != 6001 {
		t.Errorf("verification %+v, want 6001 rows sealed", v)
	}
}
