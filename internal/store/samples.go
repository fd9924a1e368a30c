package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"salve/internal/incident"
	"salve/internal/outlook"
	"salve/internal/trend"
)

// How long samples are kept, and how late they may come.
const (
	keepSamplesFor = 16 * 24 * time.Hour
	keepHoursFor   = 400 * 24 * time.Hour
	latestSample   = 14 * 24 * time.Hour
	aheadOfClock   = 5 * time.Minute
)

// mostSeries bounds how many series one sender may have: whoever may send can name mounts.
const mostSeries = 20_000

// ErrTooManySeries says that samples of series not known before were left out.
var ErrTooManySeries = errors.New("there are too many series already: samples of new ones are not kept")

// KeepSamples keeps readings, each once. What is more than two weeks old or ahead of
// the clock is left out. It says how many were new.
func (s *Store) KeepSamples(ctx context.Context, readings []outlook.Reading) (int, error) {
	now := s.now()
	var of given
	for _, r := range readings {
		if r.At.Before(now.Add(-latestSample)) || r.At.After(now.Add(aheadOfClock)) || math.IsNaN(r.Value) || math.IsInf(r.Value, 0) {
			continue
		}
		of.add(r)
	}
	if len(of.at) == 0 {
		return 0, nil
	}
	kept, crowded := 0, false
	err := s.inTx(ctx, "keep samples", func(tx pgx.Tx) error {
		ids, err := of.series(ctx, tx)
		if err != nil {
			return err
		}
		kept, crowded, err = of.insert(ctx, tx, ids)
		return err
	})
	if err == nil && crowded {
		err = ErrTooManySeries
	}
	return kept, err
}

// given are readings as columns.
type given struct {
	place                                    map[[5]string]int // of each key, as it is written
	target, source, subject, metric, aboutOf []string
	last                                     []time.Time
	of                                       []int // which key a reading has
	at                                       []time.Time
	value                                    []float64
}

func (g *given) add(r outlook.Reading) {
	if g.place == nil {
		g.place = map[[5]string]int{}
	}
	key := [5]string{jsonText(r.Target), plain(r.Source), plain(r.Subject), plain(r.Metric), plain(r.About)}
	i, known := g.place[key]
	if !known {
		i = len(g.last)
		g.place[key] = i
		g.target, g.source, g.subject = append(g.target, key[0]), append(g.source, key[1]), append(g.subject, key[2])
		g.metric, g.aboutOf, g.last = append(g.metric, key[3]), append(g.aboutOf, key[4]), append(g.last, r.At)
	}
	if r.At.After(g.last[i]) {
		g.last[i] = r.At
	}
	g.of, g.at, g.value = append(g.of, i), append(g.at, r.At), append(g.value, r.Value)
}

// keepSeries makes the series that are not there, while there is room, and gives the
// ids of all by their place. Rows are locked in one order.
const keepSeries = `with given as (
		select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[]) with ordinality
			as g (target, source, subject, metric, about, last_at, place)
	), kept as (
		insert into series (target, source, subject, metric, about, last_at)
		select target, source, subject, metric, about, last_at from given g
		where $7 or exists (select from series s where s.target = g.target and s.source = g.source and s.subject = g.subject and s.metric = g.metric and s.about = g.about)
		order by target, source, subject, metric, about
		on conflict (target, source, subject, metric, about) do update set last_at = greatest(series.last_at, excluded.last_at)
		returning id, target, source, subject, metric, about)
	select place, id from kept join given using (target, source, subject, metric, about)`

// series gives the ids of all series that there are or that there is room for. Most
// times all are known, and nothing is counted.
func (g *given) series(ctx context.Context, tx pgx.Tx) (map[int]int64, error) {
	ids, err := g.seriesThere(ctx, tx, false)
	if err != nil || len(ids) == len(g.last) {
		return ids, err
	}
	var n int
	if err := tx.QueryRow(ctx, `select count(*) from series where subject = any($1)`, g.subject).Scan(&n); err != nil {
		return nil, err
	}
	if n+len(g.last)-len(ids) > mostSeries {
		return ids, nil
	}
	return g.seriesThere(ctx, tx, true)
}

func (g *given) seriesThere(ctx context.Context, tx pgx.Tx, room bool) (map[int]int64, error) {
	rows, err := tx.Query(ctx, keepSeries, g.target, g.source, g.subject, g.metric, g.aboutOf, g.last, room)
	if err != nil {
		return nil, err
	}
	ids := make(map[int]int64, len(g.last))
	var place int
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&place, &id}, func() error { ids[place-1] = id; return nil })
	return ids, err
}

// keepSamples counts a sample in its hour when it is new.
const keepSamples = `with new as (
		insert into samples (series_id, at, value) select * from unnest($1::bigint[], $2::timestamptz[], $3::float8[])
		on conflict do nothing returning series_id, at, value
	), hours as (
		insert into samples_hourly (series_id, hour, n, total, lowest, highest)
		select series_id, date_trunc('hour', at), count(*), sum(value), min(value), max(value) from new group by 1, 2 order by 1, 2
		on conflict (series_id, hour) do update set n = samples_hourly.n + excluded.n, total = samples_hourly.total + excluded.total,
			lowest = least(samples_hourly.lowest, excluded.lowest), highest = greatest(samples_hourly.highest, excluded.highest))
	select count(*) from new`

func (g *given) insert(ctx context.Context, tx pgx.Tx, ids map[int]int64) (kept int, crowded bool, err error) {
	var id []int64
	var at []time.Time
	var value []float64
	for i, key := range g.of {
		if one, ok := ids[key]; ok {
			id, at, value = append(id, one), append(at, g.at[i]), append(value, g.value[i])
		} else {
			crowded = true
		}
	}
	err = tx.QueryRow(ctx, keepSamples, id, at, value).Scan(&kept)
	return kept, crowded, err
}

// Measured is everything that one source has of one target.
type Measured struct {
	Target          incident.Target
	Source, Subject string
	target          string
}

const readMeasured = `select distinct target, source, subject from series
	where last_at > $1 and (target, source, subject) > ($2, $3, $4) order by target, source, subject limit $5`

// MeasuredSince lists what was measured since then, after the one given, limit at most.
func (s *Store) MeasuredSince(ctx context.Context, since time.Time, after Measured, limit int) ([]Measured, error) {
	rows, err := s.pool.Query(ctx, readMeasured, since, after.target, after.Source, after.Subject, limit)
	if err != nil {
		return nil, translate("list series", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m Measured, err error) {
		if err = row.Scan(&m.target, &m.Source, &m.Subject); err != nil {
			return m, err
		}
		return m, json.Unmarshal([]byte(m.target), &m.Target)
	})
	return list, translate("list series", err)
}

const readHours = `select s.metric, s.about, h.hour, h.total / h.n from series s join samples_hourly h on h.series_id = s.id and h.hour >= $4
	where s.target = $1 and s.source = $2 and s.subject = $3 order by s.metric, s.about, h.hour limit $5`

// mostHours bounds what is read of one target: fifteen days of two hundred series.
const mostHours = 15 * 24 * 200

// SeriesOf gives the hourly means of all series of one source and target since then.
func (s *Store) SeriesOf(ctx context.Context, m Measured, since time.Time) ([]outlook.Series, error) {
	name := "read series of " + m.Target.String()
	rows, err := s.pool.Query(ctx, readHours, m.target, m.Source, m.Subject, since, mostHours)
	if err != nil {
		return nil, translate(name, err)
	}
	var all []outlook.Series
	var metric, about string
	var one trend.Sample
	_, err = pgx.ForEachRow(rows, []any{&metric, &about, &one.At, &one.Value}, func() error {
		if n := len(all); n == 0 || all[n-1].Metric != metric || all[n-1].About != about {
			all = append(all, outlook.Series{Key: outlook.Key{Target: m.Target, Source: m.Source, Subject: m.Subject, Metric: metric, About: about}})
		}
		last := &all[len(all)-1]
		last.Samples = append(last.Samples, trend.Sample{At: one.At.UTC(), Value: one.Value})
		return nil
	})
	return all, translate(name, err)
}

// span is one way of cutting a table into partitions.
type span struct {
	table  string
	keep   time.Duration
	format string
	from   func(time.Time) time.Time // the start of the partition that a moment lies in
	next   func(time.Time) time.Time
}

var spans = []span{
	{"samples", keepSamplesFor, "20060102", monday, func(t time.Time) time.Time { return t.AddDate(0, 0, 7) }},
	{"samples_hourly", keepHoursFor, "200601", firstOfMonth, nextMonth},
}

func nextMonth(t time.Time) time.Time { return t.AddDate(0, 1, 0) }

func monday(t time.Time) time.Time {
	t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

func firstOfMonth(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
}

// ensureSamples makes the partitions for what may come until the one after this, late
// or in time, and drops those that are older than they are kept.
func (s *Store) ensureSamples(ctx context.Context, tx pgx.Tx) error {
	now := s.now()
	for _, p := range spans {
		last := p.next(p.from(now))
		for from := p.from(now.Add(-latestSample)); !from.After(last); from = p.next(from) {
			day := time.DateOnly
			sql := `create table if not exists ` + p.table + `_` + from.Format(p.format) + ` partition of ` + p.table +
				` for values from ('` + from.Format(day) + `') to ('` + p.next(from).Format(day) + `')`
			if _, err := tx.Exec(ctx, sql); err != nil {
				return fmt.Errorf("partition of %s from %s: %w", p.table, from.Format(day), err)
			}
		}
		if _, err := p.forget(ctx, tx, now); err != nil {
			return err
		}
	}
	return nil
}

const readPartitions = `select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid join pg_class p on p.oid = i.inhparent
	where p.relname = $1 and p.relnamespace = current_schema()::regnamespace`

// forget drops the partitions that are older than is kept, and says how many.
func (p span) forget(ctx context.Context, tx pgx.Tx, now time.Time) (n int64, err error) {
	rows, err := tx.Query(ctx, readPartitions, p.table)
	if err != nil {
		return 0, err
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		from, err := time.Parse(p.format, strings.TrimPrefix(name, p.table+"_"))
		if err != nil || p.next(from).After(now.Add(-p.keep)) {
			continue // somebody else's, or young enough
		}
		if _, err := tx.Exec(ctx, `drop table `+pgx.Identifier{name}.Sanitize()); err != nil {
			return n, fmt.Errorf("drop partition %s: %w", name, err)
		}
		n++
	}
	return n, nil
}

// forgetSeries drops series of which no hour is kept any more.
func (s *Store) forgetSeries(ctx context.Context, tx pgx.Tx) error {
	_, err := tx.Exec(ctx, `delete from series where last_at < $1`, s.now().Add(-keepHoursFor))
	return err
}
