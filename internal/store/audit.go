package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
)

// auditLine is one audit row as the chain sees it.
type auditLine struct {
	seq                              int64
	at                               time.Time
	operation, actor, object, reason string
	incidentID, intentID             *[16]byte
	detail                           []byte
}

// link chains one row to what came before: SHA-256 over the previous hash and
// every column, each with its length, so that no two rows share an encoding.
func (l auditLine) link(previous []byte) []byte {
	h := sha256.New()
	part := func(b []byte) {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(b)))
		h.Write(n[:])
		h.Write(b)
	}
	part(previous)
	part(binary.BigEndian.AppendUint64(nil, uint64(l.seq)))
	part(binary.BigEndian.AppendUint64(nil, uint64(l.at.UnixMicro())))
	for _, s := range []string{l.operation, l.actor, l.object, l.reason} {
		part([]byte(s))
	}
	part(idBytes(l.incidentID))
	part(idBytes(l.intentID))
	part(l.detail)
	return h.Sum(nil)
}

func idBytes(id *[16]byte) []byte {
	if id == nil {
		return nil
	}
	return id[:]
}

const readAuditLines = `select seq, at, operation, actor, object, reason, incident_id, intent_id, detail from audit
	where seq > $1 and seq <= $2 order by seq`

func scanLine(row pgx.CollectableRow) (auditLine, error) {
	var l auditLine
	err := row.Scan(&l.seq, &l.at, &l.operation, &l.actor, &l.object, &l.reason, &l.incidentID, &l.intentID, &l.detail)
	return l, err
}

// Horizon is a point of the audit sequence, with the transactions that may still
// write before it.
type Horizon struct {
	seq  int64
	xmax uint64
}

// Horizon reads the last number given out and then which transactions are open.
// Whoever holds a number up to it has a transaction id below it, because a row
// takes its transaction id before its number.
func (s *Store) Horizon(ctx context.Context) (Horizon, error) {
	var h Horizon
	err := s.pool.QueryRow(ctx, `select coalesce(pg_sequence_last_value(pg_get_serial_sequence('audit', 'seq')::regclass), 0)`).Scan(&h.seq)
	if err == nil {
		err = s.pool.QueryRow(ctx, `select pg_snapshot_xmax(pg_current_snapshot())::text::bigint`).Scan(&h.xmax)
	}
	return h, translate("read audit horizon", err)
}

// sealBatch bounds what one seal covers.
const sealBatch = 5000

// Seal chains the rows up to the horizon, once every transaction that may still
// write before it has ended; until then it seals nothing. One replica seals at
// a time. It returns how many rows it chained.
func (s *Store) Seal(ctx context.Context, h Horizon) (int, error) {
	sealed := 0
	err := s.inTx(ctx, "seal audit", func(tx pgx.Tx) error {
		sealed = 0
		var mine, over bool
		err := tx.QueryRow(ctx, `select pg_try_advisory_xact_lock(hashtext('salve audit sealer')),
			pg_snapshot_xmin(pg_current_snapshot())::text::bigint >= $1`, h.xmax).Scan(&mine, &over)
		if err != nil || !mine || !over {
			return err
		}
		last, previous, err := head(ctx, tx)
		if err != nil || h.seq <= last {
			return err
		}
		sealed, err = s.sealFrom(ctx, tx, last, h.seq, previous)
		return err
	})
	return sealed, err
}

func (s *Store) sealFrom(ctx context.Context, tx pgx.Tx, last, upto int64, previous []byte) (int, error) {
	rows, err := tx.Query(ctx, readAuditLines+fmt.Sprintf(" limit %d", sealBatch), last, upto)
	if err != nil {
		return 0, err
	}
	lines, err := pgx.CollectRows(rows, scanLine)
	if err != nil || len(lines) == 0 {
		return 0, err
	}
	hash := previous
	for _, l := range lines {
		hash = l.link(hash)
	}
	_, err = tx.Exec(ctx, `insert into audit_seals (upto_seq, rows, previous, hash, sealed_at) values ($1, $2, $3, $4, $5)`,
		lines[len(lines)-1].seq, len(lines), previous, hash, s.now())
	return len(lines), err
}

// head is the last seal; before the first one the chain starts at 32 zero bytes.
func head(ctx context.Context, tx pgx.Tx) (int64, []byte, error) {
	var last int64
	hash := make([]byte, sha256.Size)
	err := tx.QueryRow(ctx, `select upto_seq, hash from audit_seals order by upto_seq desc limit 1`).Scan(&last, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return last, hash, err
}

// Verification says how far the audit chain holds.
type Verification struct {
	Rows, SealedUpTo, Unsealed int64
	Head                       []byte
	Broken                     string // where it does not hold, in words
}

// VerifyAudit reads the whole chain again, in one snapshot.
func (s *Store) VerifyAudit(ctx context.Context) (Verification, error) {
	var v Verification
	err := pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		v = Verification{Head: make([]byte, sha256.Size)}
		rows, err := tx.Query(ctx, `select upto_seq, rows, previous, hash from audit_seals order by upto_seq`)
		if err != nil {
			return err
		}
		seals, err := pgx.CollectRows(rows, pgx.RowToStructByPos[seal])
		if err != nil {
			return err
		}
		for _, sl := range seals {
			if v.Broken, err = v.check(ctx, tx, sl); err != nil || v.Broken != "" {
				return err
			}
		}
		return tx.QueryRow(ctx, `select count(*) from audit where seq > $1`, v.SealedUpTo).Scan(&v.Unsealed)
	})
	return v, translate("verify audit", err)
}

type seal struct {
	UptoSeq, Rows  int64
	Previous, Hash []byte
}

func (v *Verification) check(ctx context.Context, tx pgx.Tx, sl seal) (string, error) {
	between := fmt.Sprintf("between rows %d and %d", v.SealedUpTo+1, sl.UptoSeq)
	if !bytes.Equal(sl.Previous, v.Head) {
		return "a seal is missing or was replaced " + between, nil
	}
	rows, err := tx.Query(ctx, readAuditLines, v.SealedUpTo, sl.UptoSeq)
	if err != nil {
		return "", err
	}
	n, hash := int64(0), sl.Previous
	lines, err := pgx.CollectRows(rows, scanLine)
	if err != nil {
		return "", err
	}
	for _, l := range lines {
		hash, n = l.link(hash), n+1
	}
	switch {
	case n != sl.Rows:
		return fmt.Sprintf("%d rows were sealed %s, %d are there", sl.Rows, between, n), nil
	case !bytes.Equal(hash, sl.Hash):
		return "a row was changed " + between, nil
	}
	v.Rows, v.SealedUpTo, v.Head = v.Rows+n, sl.UptoSeq, hash
	return "", nil
}

// HeadHex is the head of the chain for people to write down elsewhere.
func (v Verification) HeadHex() string { return hex.EncodeToString(v.Head) }

// Automation is the mode of the whole service, with who set it and why.
type Automation struct {
	Mode       incident.Automation
	Reason, By string
	At         time.Time
}

// Automation reads it. Without one, Salve is paused.
func (s *Store) Automation(ctx context.Context) (Automation, error) {
	a := Automation{Mode: incident.Paused, Reason: "never set"}
	err := s.pool.QueryRow(ctx, `select mode, reason, set_by, set_at from automation`).Scan(&a.Mode, &a.Reason, &a.By, &a.At)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	a.At = a.At.UTC()
	return a, translate("read automation", err)
}

// SetAutomation changes the mode; first only sets it where none was set yet.
func (s *Store) SetAutomation(ctx context.Context, a Automation, first bool) error {
	return s.inTx(ctx, "set automation", func(tx pgx.Tx) error {
		onConflict := `do update set mode = excluded.mode, reason = excluded.reason, set_by = excluded.set_by, set_at = excluded.set_at`
		if first {
			onConflict = `do nothing`
		}
		tag, err := tx.Exec(ctx, `insert into automation (mode, reason, set_by, set_at) values ($1, $2, $3, $4) on conflict (singleton) `+onConflict,
			a.Mode, a.Reason, a.By, s.now())
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "automation.set", Actor: a.By, Object: string(a.Mode), Reason: a.Reason})
	})
}

func (s *Store) auditOnly(ctx context.Context, tx pgx.Tx, rows ...incident.AuditEntry) error {
	w := record{now: s.now(), audit: rows}
	return w.write(ctx, tx)
}

// ActivatePolicy keeps a policy version and says on record that it is in force.
func (s *Store) ActivatePolicy(ctx context.Context, version string, source []byte, by string) error {
	return s.inTx(ctx, "activate policy "+version, func(tx pgx.Tx) error {
		// Replicas that start at once activate it once.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtext('salve policy'))`); err != nil {
			return err
		}
		var current string
		err := tx.QueryRow(ctx, `select version from policies order by activated_at desc limit 1`).Scan(&current)
		if err == nil && current == version {
			return nil
		}
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return err
		}
		_, err = tx.Exec(ctx, `insert into policies (version, source, activated_at, activated_by) values ($1, $2, $3, $4)
			on conflict (version) do update set activated_at = excluded.activated_at, activated_by = excluded.activated_by`,
			version, string(source), s.now(), by)
		if err != nil {
			return err
		}
		return s.auditOnly(ctx, tx, incident.AuditEntry{Operation: "policy.activated", Actor: by, Object: version, Reason: "loaded at start"})
	})
}

// LastPolicy is the text of the policy that was put in force last.
func (s *Store) LastPolicy(ctx context.Context) ([]byte, error) {
	var source string
	err := s.pool.QueryRow(ctx, `select source from policies order by activated_at desc limit 1`).Scan(&source)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, errors.New("no policy was ever in force here")
	}
	return []byte(source), translate("read the policy in force last", err)
}

// keptFor is how long an answer is given again.
const keptFor = 24 * time.Hour

// Answered is an answer kept for an Idempotency-Key.
type Answered struct {
	BodyHash [32]byte
	Answer   json.RawMessage
}

// Answered finds the answer kept under a key, or nil.
func (s *Store) Answered(ctx context.Context, caller, route, key string) (*Answered, error) {
	var a Answered
	var hash []byte
	err := s.pool.QueryRow(ctx, `select body_hash, answer from idempotency
		where caller = $1 and route = $2 and key = $3 and created_at > $4`, caller, route, key, s.now().Add(-keptFor)).
		Scan(&hash, (*[]byte)(&a.Answer))
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	copy(a.BodyHash[:], hash)
	return &a, translate("read answer for key "+key, err)
}

// KeepAnswer keeps the first answer under a key, and says which one that is.
func (s *Store) KeepAnswer(ctx context.Context, caller, route, key string, a Answered) (*Answered, error) {
	_, err := s.pool.Exec(ctx, `insert into idempotency (caller, route, key, body_hash, answer, created_at) values ($1, $2, $3, $4, $5, $6)
		on conflict (caller, route, key) do update set body_hash = excluded.body_hash, answer = excluded.answer, created_at = excluded.created_at
		where idempotency.created_at <= $7`, caller, route, key, a.BodyHash[:], []byte(a.Answer), s.now(), s.now().Add(-keptFor))
	if err != nil {
		return nil, translate("keep answer for key "+key, err)
	}
	return s.Answered(ctx, caller, route, key)
}
