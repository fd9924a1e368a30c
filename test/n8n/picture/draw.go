package main

import (
	"bytes"
	"fmt"
	"html"
	"math"
	"strings"
)

const (
	side      = 96.0 // of a node
	perOutput = 32.0 // a node with many outputs is higher
	nameSize  = 14.0
	whatSize  = 11.0
	nameWidth = 196.0 // nodes stand 220 apart
	margin    = 48.0
)

// box is where something is drawn.
type box struct{ x, y, w, h float64 }

func (b box) right() float64  { return b.x + b.w }
func (b box) bottom() float64 { return b.y + b.h }
func (b box) middle() float64 { return b.x + b.w/2 }

func (b box) union(o box) box {
	x, y := math.Min(b.x, o.x), math.Min(b.y, o.y)
	return box{x, y, math.Max(b.right(), o.right()) - x, math.Max(b.bottom(), o.bottom()) - y}
}

// figure is a node with its place.
type figure struct {
	node
	box
	name []string // lines under it
}

func (f figure) labelled() box {
	return box{f.x - 50, f.y, f.w + 100, f.h + 8 + float64(len(f.name))*nameSize*1.25 + whatSize*1.5}
}

// out is where the wire of an output begins, in where one ends.
func (f figure) out(i int) (x, y float64) {
	n := float64(max(1, len(f.outputs())))
	return f.right(), f.y + f.h*(float64(i)+0.5)/n
}

func (f figure) in() (x, y float64) { return f.x, f.y + f.h/2 }

type picture struct {
	bytes.Buffer
	area box
}

func (p *picture) add(format string, args ...any) {
	fmt.Fprintf(p, format+"\n", args...)
}

// render draws one workflow file.
func render(data []byte) ([]byte, error) {
	w, err := parse(data)
	if err != nil {
		return nil, err
	}
	figures, notes := place(w)
	p := &picture{area: append(figures[:len(figures):len(figures)], notes...)[0].box}
	for _, f := range figures {
		p.area = p.area.union(f.labelled())
	}
	for _, n := range notes {
		p.area = p.area.union(n.box)
	}
	for _, n := range notes {
		p.note(n)
	}
	p.wires(w, figures)
	for _, f := range figures {
		p.figure(f)
	}
	for _, f := range figures {
		p.ports(f)
	}
	return p.document(w.Name), nil
}

// place gives every node its box. n8n counts from the upper left corner.
func place(w workflow) (figures, notes []figure) {
	for _, n := range w.Nodes {
		at := box{n.Position[0], n.Position[1], side, math.Max(side, perOutput*float64(len(n.outputs())))}
		if n.kind() == "stickyNote" {
			at.w, at.h = 240, 160
			if v, ok := n.at("width").(float64); ok {
				at.w = v
			}
			if v, ok := n.at("height").(float64); ok {
				at.h = v
			}
			notes = append(notes, figure{node: n, box: at})
			continue
		}
		figures = append(figures, figure{n, at, wrap(n.Name, nameSize, nameWidth)})
	}
	return figures, notes
}

// document wraps what was drawn; the wires may have reached below the nodes.
func (p *picture) document(title string) []byte {
	a := box{p.area.x - margin, p.area.y - margin, p.area.w + 2*margin, p.area.h + 2*margin}
	var out bytes.Buffer
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="%s %s %s %s" width="%s" height="%s" font-family="Helvetica, Arial, 'Liberation Sans', sans-serif">`+"\n",
		num(a.x), num(a.y), num(a.w), num(a.h), num(a.w), num(a.h))
	fmt.Fprintf(&out, "<title>%s</title>\n", html.EscapeString(title))
	fmt.Fprintf(&out, `<defs><pattern id="dots" width="20" height="20" patternUnits="userSpaceOnUse"><circle cx="10" cy="10" r="1" fill="#dcdfe6"/></pattern>`)
	for _, m := range []struct{ id, colour string }{{"to", wireColour}, {"fails", failColour}} {
		fmt.Fprintf(&out, `<marker id="%s" viewBox="0 0 10 10" refX="9" refY="5" markerUnits="userSpaceOnUse" markerWidth="13" markerHeight="13" orient="auto"><path d="M0 0L10 5L0 10Z" fill="%s"/></marker>`, m.id, m.colour)
	}
	fmt.Fprintf(&out, "</defs>\n")
	for _, fill := range []string{"#f6f7f9", "url(#dots)"} {
		fmt.Fprintf(&out, `<rect x="%s" y="%s" width="%s" height="%s" fill="%s"/>`+"\n", num(a.x), num(a.y), num(a.w), num(a.h), fill)
	}
	out.Write(p.Bytes())
	out.WriteString("</svg>\n")
	return out.Bytes()
}

func (p *picture) figure(f figure) {
	radius := "8"
	if f.trigger() { // round on the side where nothing comes in
		p.add(`<path d="M%s %sh%sa8 8 0 0 1 8 8v%sa8 8 0 0 1 -8 8h%sa36 36 0 0 1 -36 -36v%sa36 36 0 0 1 36 -36z" fill="#fff" stroke="#b9c0cc" stroke-width="2"/>`,
			num(f.x+36), num(f.y), num(f.w-44), num(f.h-16), num(-(f.w - 44)), num(-(f.h - 72)))
	} else {
		p.add(`<rect x="%s" y="%s" width="%s" height="%s" rx="%s" fill="#fff" stroke="#b9c0cc" stroke-width="2"/>`, num(f.x), num(f.y), num(f.w), num(f.h), radius)
	}
	p.icon(f)
	if len(f.Credentials) > 0 {
		p.key(f.right()-14, f.y+14)
	}
	y := f.bottom() + 6
	for _, line := range f.name {
		y += nameSize * 1.2
		p.text(f.middle(), y, nameSize, "middle", "#1f2733", "600", line)
	}
	y += whatSize * 1.4
	p.text(f.middle(), y, whatSize, "middle", "#6b7482", "400", f.what())
}

// text has a pale edge, so that it can be read where a wire passes under it.
func (p *picture) text(x, y, size float64, anchor, colour, weight, s string) {
	p.add(`<text x="%s" y="%s" font-size="%s" text-anchor="%s" fill="%s" font-weight="%s" stroke="#f6f7f9" stroke-width="4" stroke-linejoin="round" paint-order="stroke">%s</text>`,
		num(x), num(y), num(size), anchor, colour, weight, html.EscapeString(s))
}

// noteColours are the seven that n8n offers, fill and edge.
var noteColours = map[int][2]string{
	1: {"#fff6d6", "#e8d28a"}, 2: {"#fde6d3", "#ecb98a"}, 3: {"#fbdcd9", "#e8a39c"}, 4: {"#def3dd", "#9fd19c"},
	5: {"#dbeafb", "#9bbfe8"}, 6: {"#e9e2fa", "#bba8e6"}, 7: {"#eef0f4", "#c5cad4"},
}

func (p *picture) note(n figure) {
	colour := 1
	if v, ok := n.at("color").(float64); ok {
		colour = int(v)
	}
	c, known := noteColours[colour]
	if !known {
		c = noteColours[1]
	}
	const inner = 16
	lines := fit(n.text("content"), n.w-2*inner, n.h-2*inner)
	p.add(`<rect x="%s" y="%s" width="%s" height="%s" rx="6" fill="%s" stroke="%s"/>`, num(n.x), num(n.y), num(n.w), num(n.h), c[0], c[1])
	y := n.y + inner
	for _, l := range lines {
		y += l.gap + l.size*1.25
		if len(l.spans) == 0 {
			continue
		}
		p.add(`<text x="%s" y="%s" font-size="%s" fill="#2f3846" xml:space="preserve">%s</text>`,
			num(n.x+inner+l.indent), num(y-l.size*0.25), num(l.size), spansSVG(l.spans))
	}
	p.area = p.area.union(box{n.x, n.y, n.w, math.Max(n.h, y-n.y+inner)})
}

func spansSVG(spans []span) string {
	var b strings.Builder
	for _, s := range spans {
		style := map[string]string{
			"bold": ` font-weight="700"`, "italic": ` font-style="italic"`,
			"code": ` font-family="Menlo, Consolas, 'Liberation Mono', monospace" font-size="92%" fill="#8a3b12"`,
		}[s.style]
		fmt.Fprintf(&b, "<tspan%s>%s</tspan>", style, html.EscapeString(s.text))
	}
	return b.String()
}

// num writes a number shortly and always alike.
func num(v float64) string {
	s := fmt.Sprintf("%.1f", v)
	s = strings.TrimSuffix(s, ".0")
	if s == "-0" {
		return "0"
	}
	return s
}
