package main

import (
	"html"
	"strings"
)

// icons are drawn on a field of 24 by 24, with a line of 1.8.
var icons = map[string]struct{ colour, path string }{
	"webhook":                {"#c0397b", "M9 8a4 4 0 1 1 6 3.2l3.2 5.3M12 8l-4.5 8.5M7.5 16.5a3.5 3.5 0 1 1-2-6.2M7.5 16.5h9.5a3.5 3.5 0 1 1-2.5 5"},
	"httpRequest":            {"#3563c9", "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M3 12h18M12 3c-5 5-5 13 0 18M12 3c5 5 5 13 0 18"},
	"set":                    {"#3563c9", "M4 20l1-4.5L16.5 4a2.1 2.1 0 0 1 3.5 3.500L8.5 19zM14.5 6.500l3 3"},
	"code":                   {"#d9762b", "M8 6l-5 6l5 6M16 6l5 6l-5 6M13.5 4l-3 16"},
	"switch":                 {"#506a9e", "M3 12h6M9 12c4 0 3-7 7-7h4M9 12h11M9 12c4 0 3 7 7 7h4M17.5 2.500L20 5l-2.5 2.500M17.5 9.500L20 12l-2.5 2.500M17.5 16.500L20 19l-2.5 2.5"},
	"if":                     {"#3c9a5f", "M3 12h6M9 12c4 0 3-6 7-6h4M9 12c4 0 3 6 7 6h4M17.5 3.500L20 6l-2.5 2.500M17.5 15.500L20 18l-2.5 2.5"},
	"filter":                 {"#2a8fa8", "M3 5h18l-7 8v6l-4 2v-8z"},
	"splitOut":               {"#8a5bd1", "M4 12h6M10 12V5h4M10 12v7h4M10 12h4M17 5h3M17 12h3M17 19h3"},
	"splitInBatches":         {"#2a8fa8", "M20 7a8.5 8.5 0 0 0-16 3M4 4v6h6M4 17a8.5 8.5 0 0 0 16-3M20 20v-6h-6"},
	"merge":                  {"#3c9a5f", "M4 5h4c5 0 3 7 8 7h4M4 19h4c5 0 3-7 8-7M17.5 9.500L20 12l-2.5 2.5"},
	"aggregate":              {"#8a5bd1", "M4 5h3M4 12h3M4 19h3M10 5h4v14h-4M10 12h10M17.5 9.500L20 12l-2.5 2.5"},
	"wait":                   {"#a06a2c", "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 7v5l3.5 2.5"},
	"scheduleTrigger":        {"#3c9a5f", "M12 3a9 9 0 1 0 0 18a9 9 0 1 0 0-18M12 7v5l3.5 2.5"},
	"respondToWebhook":       {"#c0397b", "M10 6L4 12l6 6M4 12h9c4 0 7 2 7 6"},
	"executeWorkflow":        {"#d9762b", "M4 5h10v6M4 5v14h10v-4M9 13h11M16.5 9.500L20 13l-3.5 3.5"},
	"executeWorkflowTrigger": {"#d9762b", "M20 5H10v14h10zM3 12h11M10.5 8.500L14 12l-3.5 3.5"},
	"errorTrigger":           {"#d64545", "M12 4L2.5 20h19zM12 10v4.500M12 17v.5"},
	"stopAndError":           {"#d64545", "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16v.5"},
	"formTrigger":            {"#2a8f7a", "M5 3h14v18H5zM8.5 8h7M8.5 12h7M8.5 16h4"},
	"form":                   {"#2a8f7a", "M5 3h14v18H5zM8.5 8h7M8.5 12h7M8.5 16h4"},
	"emailSend":              {"#3563c9", "M3 5h18v14H3zM3 6l9 7l9-7"},
	"ssh":                    {"#2f3846", "M3 4h18v16H3zM6.5 9l3.5 3l-3.5 3M12.5 15.500h5"},
	"jwt":                    {"#2f3846", "M8 11a4 4 0 1 1-.1 2M11.5 12H21v4M17 12v3"},
	"crypto":                 {"#3c9a5f", "M5 11h14v9H5zM8 11V8a4 4 0 0 1 8 0v3M12 14.500v2.5"},
	"noOp":                   {"#6b7482", "M4 12h16M14.5 6.500L20 12l-5.5 5.5"},
	"manualTrigger":          {"#6b7482", "M6 4l14 8l-14 8z"},
}

// icon draws what kind a node is; one without a drawing shows its letters.
func (p *picture) icon(f figure) {
	kind := f.kind()
	x, y := f.middle(), f.y+f.h/2
	i, known := icons[kind]
	if !known {
		letters := []rune(kind)
		p.add(`<text x="%s" y="%s" font-size="30" font-weight="700" text-anchor="middle" fill="#506a9e">%s</text>`,
			num(x), num(y+11), html.EscapeString(strings.ToUpper(string(letters[:min(2, len(letters))]))))
		return
	}
	const scale = 1.7
	p.add(`<path transform="translate(%s %s) scale(%s)" d="%s" fill="none" stroke="%s" stroke-width="1.8" stroke-linecap="round" stroke-linejoin="round"/>`,
		num(x-12*scale), num(y-12*scale), num(scale), i.path, i.colour)
}

// key marks a node that holds a credential.
func (p *picture) key(x, y float64) {
	p.add(`<path transform="translate(%s %s)" d="M-6 0a3 3 0 1 1 .1 .1M-1 0H6v3M3 0v2.5" fill="none" stroke="#a06a2c" stroke-width="1.6" stroke-linecap="round" stroke-linejoin="round"><title>holds a credential</title></path>`,
		num(x), num(y))
}
