// Package compose checks what the containers are made of without an engine to run them: that the compose file loads,
// that it keeps the promises of the safety chapter, and that the image's build line yields a static program.
package compose
