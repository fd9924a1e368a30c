package main

import (
	"fmt"
	"math"
	"slices"
)

const (
	wireColour  = "#8f98a8"
	failColour  = "#d64545"
	labelColour = "#5b6575"
	labelWidth  = 106.0 // between two nodes, which stand 220 apart
)

// wires draws every connection, those of errors in another colour.
func (p *picture) wires(w workflow, figures []figure) {
	backs := 0
	for _, from := range figures {
		outs := from.outputs()
		for i, to := range w.Connections[from.Name].Main {
			o := output{}
			if i < len(outs) {
				o = outs[i]
			}
			for _, c := range to {
				j := slices.IndexFunc(figures, func(f figure) bool { return f.Name == c.Node })
				if j < 0 {
					continue
				}
				if x, _ := from.out(i); x > figures[j].x-8 {
					backs++
					p.back(from, i, figures[j], o, backs, figures)
				} else {
					p.forth(from, i, figures[j], o)
				}
			}
		}
	}
}

// ports marks the outputs of a node and says which is which, where there are
// several; those that lead nowhere, too.
func (p *picture) ports(f figure) {
	for i, o := range f.outputs() {
		x, y := f.out(i)
		p.add(`<circle cx="%s" cy="%s" r="5" fill="#fff" stroke="%s" stroke-width="2"/>`, num(x), num(y), colourOf(o))
		colour := labelColour
		if o.fails {
			colour = failColour
		}
		lines := wrap(o.label, whatSize, labelWidth)
		for j, line := range lines {
			p.text(x+9, y-5-whatSize*float64(len(lines)-1-j), whatSize, "start", colour, "600", line)
		}
	}
}

func colourOf(o output) string {
	if o.fails {
		return failColour
	}
	return wireColour
}

func (p *picture) stroke(path string, o output) {
	marker, thick := "to", "2"
	if o.fails {
		marker, thick = "fails", "1.4"
	}
	p.add(`<path d="%s" fill="none" stroke="%s" stroke-width="%s" marker-end="url(#%s)"/>`, path, colourOf(o), thick, marker)
}

// forth is a wire to the right.
func (p *picture) forth(from figure, i int, to figure, o output) {
	x1, y1 := from.out(i)
	x2, y2 := to.in()
	bend := math.Max(40, (x2-x1)/2)
	if y1 == y2 {
		bend = (x2 - x1) / 3
	}
	p.stroke(fmt.Sprintf("M%s %sC%s %s %s %s %s %s", num(x1), num(y1), num(x1+bend), num(y1), num(x2-bend), num(y2), num(x2-1), num(y2)), o)
}

// back is a wire to the left, or to the node itself: under all that stands between,
// each a little lower than the one before.
func (p *picture) back(from figure, i int, to figure, o output, nth int, figures []figure) {
	x1, y1 := from.out(i)
	x2, y2 := to.in()
	low := math.Max(from.labelled().bottom(), to.labelled().bottom())
	for _, f := range figures {
		between := f.labelled()
		if between.right() > x2-30 && between.x < x1+30 && between.bottom() > low && between.y < low+24 {
			low = between.bottom()
		}
	}
	low += 14 + 6*float64(nth%4)
	right, left := x1+24+6*float64(nth%3), x2-28-6*float64(nth%3)
	const r = 10
	p.stroke(fmt.Sprintf("M%s %sH%sq%d 0 %d %dV%sq0 %d -%d %dH%sq-%d 0 -%d -%dV%sq0 -%d %d -%dH%s",
		num(x1), num(y1), num(right-r), r, r, r, num(low-r), r, r, r, num(left+r), r, r, r, num(y2+r), r, r, r, num(x2-1)), o)
	p.area = p.area.union(box{left, low, right - left, 0})
}
