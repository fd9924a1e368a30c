// Package outlook looks ahead: what was measured becomes series, and a series that
// goes where it hurts becomes an alert (SPEC section 5). It is pure; an alert begins
// on a trend, not on a day's noise, and ends likewise.
package outlook
