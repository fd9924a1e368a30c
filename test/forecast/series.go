package main

import (
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"salve/internal/trend"
)

// series is one metric at even steps.
type series struct {
	name   string
	points []trend.Sample
}

const step = 5 * time.Minute

// real reads the series of a folder, each a CSV file with timestamp and value.
func real(folder string) ([]series, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.csv"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all []series
	for _, file := range files {
		s, err := read(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, s)
	}
	return all, nil
}

func read(file string) (series, error) {
	f, err := os.Open(file)
	if err != nil {
		return series{}, err
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return series{}, err
	}
	s := series{name: strings.TrimSuffix(filepath.Base(file), ".csv")}
	for i, row := range rows[1:] {
		at, err := time.Parse(time.DateTime, row[0])
		if err != nil {
			return s, fmt.Errorf("line %d: %w", i+2, err)
		}
		v, err := strconv.ParseFloat(row[1], 64)
		if err != nil {
			return s, fmt.Errorf("line %d: %w", i+2, err)
		}
		s.points = append(s.points, trend.Sample{At: at, Value: v})
	}
	s.points = trend.Tidy(s.points)
	return s, nil
}

// generated are series whose nature is known. The same numbers every time.
func generated() []series {
	const days = 14
	perDay := int(24 * time.Hour / step)
	begin := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	make14 := func(name string, seed uint64, of func(day, phase float64, r *rand.Rand) float64) series {
		r := rand.New(rand.NewPCG(seed, 7))
		s := series{name: name}
		for i := range days * perDay {
			day := float64(i) / float64(perDay)
			s.points = append(s.points, trend.Sample{At: begin.Add(time.Duration(i) * step), Value: max(0, of(day, 2*math.Pi*day, r))})
		}
		return s
	}
	walk := 50.0
	return []series{
		make14("a day's rhythm", 1, func(_, phase float64, r *rand.Rand) float64 { return 40 - 25*math.Cos(phase) + 3*r.NormFloat64() }),
		make14("a working week", 2, func(day, phase float64, r *rand.Rand) float64 {
			busy := 1.0
			if int(day)%7 >= 5 {
				busy = 0.3
			}
			return 10 + busy*(30-25*math.Cos(phase)) + 2*r.NormFloat64()
		}),
		make14("a disk that fills and is cleaned", 3, func(day, _ float64, r *rand.Rand) float64 { return 40 + 6*math.Mod(day, 5) + 0.2*r.NormFloat64() }),
		make14("steady with outliers", 4, func(_, _ float64, r *rand.Rand) float64 {
			if r.IntN(100) == 0 {
				return 95
			}
			return 20 + r.NormFloat64()
		}),
		make14("a random walk", 5, func(_, _ float64, r *rand.Rand) float64 { walk = min(max(walk+r.NormFloat64(), 5), 95); return walk }),
		make14("a rise of a week", 6, func(day, phase float64, r *rand.Rand) float64 {
			return 20 + 3*day - 8*math.Cos(phase) + 2*r.NormFloat64()
		}),
	}
}
