// Package report owns the documents that people read afterwards: an incident's
// report, the record of a day, the figures of a week, and the morning briefing.
//
// It is pure: facts in, a document out, as data or as Markdown. Whatever comes from
// outside is escaped before it stands in Markdown.
package report
