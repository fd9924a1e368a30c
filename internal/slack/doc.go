// Package slack owns the language of Slack: the commands that people type, the
// clicks and replies that Slack sends, and the messages they are answered with.
//
// It is pure: it reads and renders, and does nothing. It is the only importer of
// slack-go, for its types of blocks; nothing here calls Slack.
package slack
