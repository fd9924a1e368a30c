package main

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"salve/internal/trend"
)

type forecastCommand struct {
	File    string        `arg:"" help:"CSV with the columns timestamp and value; - is standard input."`
	Horizon time.Duration `default:"1h" help:"How far to look ahead, such as 1h or 24h; a week at most."`
	JSON    bool          `name:"json" help:"Print the forecast for a program."`
}

// Help is the longer text of --help.
func (forecastCommand) Help() string {
	return `Examples:

  salve forecast cpu.csv
  salve forecast cpu.csv --horizon 24h --json

The file has a head with the columns timestamp and value; others are ignored.
Times are RFC 3339, "2026-01-05 14:30:00" (UTC), or seconds since 1970. The exit
status is 0, or 2 where the input cannot be used.`
}

// Run reads the series, forecasts it and prints the answer.
func (c forecastCommand) Run(env *environment) error {
	f, err := c.forecast()
	if err != nil {
		fmt.Fprintln(os.Stderr, "salve forecast:", err)
		return exitUnusable
	}
	if c.JSON {
		out := json.NewEncoder(env.stdout)
		out.SetIndent("", "  ")
		return out.Encode(f)
	}
	return printForecast(env.stdout, f)
}

func (c forecastCommand) forecast() (trend.Forecast, error) {
	in := io.Reader(os.Stdin)
	if c.File != "-" {
		file, err := os.Open(c.File)
		if err != nil {
			return trend.Forecast{}, err
		}
		defer file.Close()
		in = file
	}
	samples, err := readSamples(in)
	if err != nil {
		return trend.Forecast{}, fmt.Errorf("%s: %w", c.File, err)
	}
	f, err := trend.Ahead(samples, c.Horizon)
	if err != nil {
		return f, fmt.Errorf("%s: %w", c.File, err)
	}
	return f, nil
}

// readSamples reads timestamp,value. One bad row refuses the file: a forecast of
// what was half understood is worse than none.
func readSamples(in io.Reader) ([]trend.Sample, error) {
	limited := &io.LimitedReader{R: in, N: mostInput + 1}
	rows := csv.NewReader(limited)
	rows.ReuseRecord = true
	head, err := rows.Read()
	if err != nil {
		return nil, fmt.Errorf("no head with the columns timestamp and value: %w", err)
	}
	at, value := column(head, "timestamp"), column(head, "value")
	if at < 0 || value < 0 {
		return nil, fmt.Errorf("line 1: the head is %.200q, it must name the columns timestamp and value", strings.Join(head, ","))
	}
	var samples []trend.Sample
	for {
		row, err := rows.Read()
		switch {
		case limited.N <= 0:
			return nil, fmt.Errorf("longer than %d MiB", mostInput>>20)
		case errors.Is(err, io.EOF):
			return samples, nil
		case err != nil:
			return nil, err // csv names the line itself
		}
		line, _ := rows.FieldPos(0)
		s, err := readSample(row[at], row[value])
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		samples = append(samples, s)
	}
}

func column(head []string, name string) int {
	for i, h := range head {
		if strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")), name) {
			return i
		}
	}
	return -1
}

func readSample(at, value string) (trend.Sample, error) {
	t, err := readTime(strings.TrimSpace(at))
	if err != nil {
		return trend.Sample{}, err
	}
	v, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return trend.Sample{}, fmt.Errorf("value %.40q is no finite number", value)
	}
	return trend.Sample{At: t, Value: v}, nil
}

// lastSecond is the end of the year 9999: later times are mistakes, such as
// milliseconds taken for seconds.
const lastSecond = 253402300799

func readTime(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateTime} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC(), nil
		}
	}
	if s, err := strconv.ParseFloat(text, 64); err == nil && s >= 0 && s <= lastSecond {
		return time.UnixMilli(int64(s * 1000)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("timestamp %.40q is not RFC 3339, 2006-01-02 15:04:05 or seconds since 1970", text)
}

// printForecast tells a person: twelve moments, the last among them.
func printForecast(out io.Writer, f trend.Forecast) error {
	var text strings.Builder
	n := len(f.Points)
	for i := range min(n, 12) {
		p := f.Points[(i+1)*n/min(n, 12)-1]
		fmt.Fprintf(&text, "%s  %12.4g  (%.4g to %.4g)\n", p.T.Format(time.RFC3339), p.Value, p.Lower, p.Upper)
	}
	fmt.Fprintf(&text, "In brackets: where the value lies in four of five cases. %s.\n", f.Method)
	_, err := io.WriteString(out, text.String())
	return err
}
