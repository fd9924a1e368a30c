// Package backtest takes stored events through the pure core again, once with the
// policy in force and once with another, and says where the answers differ. It
// reads no clock and no database: events in, difference out.
package backtest
