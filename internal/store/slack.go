package store

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/fault"
	"salve/internal/incident"
)

// UseToken notes that a token for one request was used, and says whether this was
// the first time. What has expired is forgotten on the way.
func (s *Store) UseToken(ctx context.Context, jti string, expires time.Time) (first bool, err error) {
	const use = `with forgotten as (delete from used_tokens where expires_at < $3)
		insert into used_tokens (jti, expires_at) values ($1, $2) on conflict do nothing`
	tag, err := s.pool.Exec(ctx, use, jti, expires, s.now().Add(-time.Hour))
	if err != nil {
		return false, translate("use token "+jti, err)
	}
	return tag.RowsAffected() == 1, nil
}

// announcedFor is how far back a thread may lie: longer than any window and its rollback.
const announcedFor = 24 * time.Hour

// Announced is the change whose abort window a message in Slack opened; its channel
// and ts are those that the message's result brought. None is a NotFound fault.
//
// What an executor reported is read here and not in SQL: a text that Postgres cannot
// decode would fail the question for all of them.
func (s *Store) Announced(ctx context.Context, channel, ts string) (incident.ID, error) {
	const find = `select ` + intentColumns + ` from intents where mode = 'hold' and created_at > $1 order by number desc limit 1000`
	rows, err := s.pool.Query(ctx, find, s.now().Add(-announcedFor))
	if err != nil {
		return incident.ID{}, translate("list announced intents", err)
	}
	held, err := pgx.CollectRows(rows, scanIntent)
	if err != nil {
		return incident.ID{}, translate("list announced intents", err)
	}
	changes := map[incident.ID]incident.ID{} // by what announced them
	for _, in := range held {
		if in.AnnouncedBy != nil {
			changes[*in.AnnouncedBy] = in.ID
		}
	}
	messages, err := s.messages(ctx, slices.Collect(maps.Keys(changes)))
	for announcement, m := range messages {
		if m.Channel == channel && m.TS == ts {
			return changes[announcement], nil
		}
	}
	if err == nil {
		err = fault.Missing("announcement", channel+" "+ts)
	}
	return incident.ID{}, err
}

// sent is where a message lies in Slack.
type sent struct {
	Channel string `json:"channel"`
	TS      string `json:"ts"`
}

// messages are those that the results of these intents brought.
func (s *Store) messages(ctx context.Context, of []incident.ID) (map[incident.ID]sent, error) {
	rows, err := s.pool.Query(ctx, `select intent_id, doc from results where flag = '' and intent_id = any($1)`, uuids(of))
	if err != nil {
		return nil, translate("read announcements", err)
	}
	found := map[incident.ID]sent{}
	for rows.Next() {
		var id incident.ID
		var doc []byte
		if err := rows.Scan((*[16]byte)(&id), &doc); err != nil {
			return nil, translate("read announcements", err)
		}
		var result struct{ Output sent }
		if json.Unmarshal(doc, &result) == nil { // an output of another shape is no message
			found[id] = result.Output
		}
	}
	return found, translate("read announcements", rows.Err())
}

// ModeBeforePause is the mode that was in force before the pause, as the record has
// it; dry_run where it does not say.
func (s *Store) ModeBeforePause(ctx context.Context) (incident.Automation, error) {
	const find = `select object from audit where operation = 'automation.set' and object <> 'paused' order by seq desc limit 1`
	mode := string(incident.DryRunAll)
	err := s.pool.QueryRow(ctx, find).Scan(&mode)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return incident.Automation(mode), translate("find the mode before the pause", err)
}
