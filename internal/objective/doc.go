// Package objective says from the windows of one service what of it is amiss: which
// alerts begin and which are over, as if each source had sent them itself. It owns
// how long an objective must be missed before that counts, how long it must be kept
// before that is over, and which source may be believed. It is pure; the windows
// are the store's.
package objective
