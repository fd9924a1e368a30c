// Package store is the only package that knows pgx and SQL: slices in, slices
// out. An exported method is one transaction in words; unexported helpers take
// the transaction and do one thing.
//
// What makes it right with several replicas: locks are always taken in the order
// incidents, then what belongs to them; rows that are not there yet are claimed
// by unique indexes, and who loses that race runs again on what the winner
// wrote; every change of an intent's state is compare-and-swap; every write
// after a claim is fenced by the lease. Postgres' clock is never asked: now is
// an argument, one a transaction.
package store
