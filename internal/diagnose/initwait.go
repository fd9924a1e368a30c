package diagnose

import (
	"regexp"
	"strings"
)

// waitLoop finds the command of an init container that ends only when something
// else answers.
var waitLoop = regexp.MustCompile(`\b(?:until|while)\b[^;]{0,200}?\b(?:nc|ncat|netcat|nslookup|dig|host|getent|pg_isready|psql|mysqladmin|mysql|mariadb-admin|redis-cli|mongo|mongosh|curl|wget|ping|telnet|cqlsh|kubectl|grpc_health_probe)\b|\bwait-for-it\b|\bwait-for\b|\bwait4x\b|\bdockerize\b.{0,80}-wait|\bk8s-wait-for\b|\bwaitforit\b|\bwait-on\b|/dev/tcp/`)

// waitTargets are whom such a command asks.
var waitTargets = compile(
	`/dev/tcp/([\w.-]+)/(\d+)`,
	`\bnc(?:at)?(?: -[\w]+(?: \d+)?)* ([\w.-]+) (\d+)`,
	`\b(?:nslookup|dig|getent hosts|ping(?: -\w+ \d+)?|host) ([\w.-]+)`,
	`-h ?([\w.-]+)(?:.{0,40}?-[pP] ?(\d+))?`,
	`--host[= ]([\w.-]+)(?:.{0,40}?--port[= ](\d+))?`,
	`\w+://(?:[^@/\s"']*@)?([\w.-]+)(?::(\d+))?`,
	`([A-Za-z][\w.-]*):(\d{2,5})`,
)

// toldToWait takes an init container that runs on for one that still waits, where
// its command is a loop that ends when something answers.
func (c container) toldToWait() *testimony {
	command := strings.Join(append(append([]string{}, c.spec.Command...), c.spec.Args...), " ")
	command = command[:min(len(command), longestLine)]
	if !waitLoop.MatchString(command) {
		return nil
	}
	return &testimony{
		reading: reading{means: depAwaited, line: command, about: firstTarget(waitTargets, command), times: 1},
		quote:   c.quote("command: " + excerpt(command)), guessed: true,
	}
}
