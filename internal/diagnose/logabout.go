package diagnose

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// about finds whom or what a sign is about: in its own line, in the lines of its
// entry (those that follow first), and in other lines that mean as much.
func (p *page) about(h *hit) string {
	find := h.means().about
	if find == nil {
		return ""
	}
	if !h.means().remote {
		return find(p.of(h.logLine))
	}
	whole := p.of(h.logLine)
	for i := h.index + 1; i < len(p.lines) && i <= h.index+5 && p.lines[i].head == h.head; i++ {
		whole += " " + strings.TrimSpace(p.of(&p.lines[i]))
	}
	if found := find(whole); found != "" {
		return found
	}
	for i := h.index - 1; i >= 0 && i >= h.index-60; i-- {
		l := &p.lines[i]
		if l.sign == nil || !l.sign.means.remote || l.sign.means == depAwaited && h.means() != depAwaited {
			continue
		}
		if found := find(p.of(l)); found != "" {
			return found
		}
	}
	return ""
}

// targets are the ways in which programs write whom they call, the surest first.
// Group 1 is the host, group 2 the port where the text has one.
var targets = compile(
	`upstream: "\w+://([^/":]+)(?::(\d+))?`,
	`(?:Get|Post|Put|Patch|Delete|Head|GET|POST) \\?"\w+://(\[[^\]]+\]|[^/":\\]+)(?::(\d+))?`,
	`dial tcp: lookup ([^\s:]+)`,
	`lookup ([^\s:]+)(?: on [^\s]+)?:`,
	`->(\[[0-9a-f:]+\]|[\d.]+):(\d+)`,
	`dial (?:tcp|udp)[46]? (\[[0-9a-f:]+\]|[\w.-]+):(\d+)`,
	`(?:ENOTFOUND|EAI_AGAIN|UnknownHostException:|[Cc]ould not resolve host:?|[Cc]ouldn't resolve host|bad address|can't resolve|can't find|translate host name|not found in upstream|getaddrinfo for|[Uu]nable to resolve host|Failed to resolve|resolving|resolve) +\\?['"‘]?([\w.-]*[\w])(?::(\d+))?`,
	`host='([\w.-]+)', port=(\d+)`,
	`\('([\w.-]+)', (\d+)\)`,
	"`([\\w.-]+)`:`(\\d+)`",
	`(?:server at|running on host|for|to|connecting to|host) \\?['"]?([\w.-]*[\w])\\?['"]?(?: \([^)]*\))?,? port:? ?(\d+)`,
	`running on host \\?"([\w.-]+)\\?".{0,80}? on port (\d+)`,
	`MySQL server on '([\w.-]+)(?::(\d+))?'`,
	`nc: ([\w.-]+) \([\d.]+:(\d+)\)`,
	`\[([\d.]+)\] (\d+) \(`,
	`-h ([\w.-]+)(?: -p (\d+))?`,
	`(?:jdbc:)?(?:postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|redis|rediss|amqps?|kafka|nats|tcp)://(?:[^@/\s"']*@)?([\w.-]+)(?::(\d+))?`,
	`([\w.-]*[A-Za-z][\w.-]*)/(?:<unresolved>|[\d.]+):(\d+)`,
	`https?://(?:[^@/\s"']*@)?([\w.-]+):(\d+)`,
	`(?:^|[^\w.:/-])(\[[0-9a-f:]+\]|[A-Za-z0-9][\w.-]*):(\d{2,5})(?:$|[^\w.:]|:(?:\D|$))`,
	`(?i)(?:waiting for|wait for|connect to|connecting to|host|server) \\?['"]?([a-z0-9][\w-]*(?:\.[\w-]+)*)(?::(\d+))?`,
)

func compile(patterns ...string) []*regexp.Regexp {
	all := make([]*regexp.Regexp, len(patterns))
	for i, p := range patterns {
		all[i] = regexp.MustCompile(p)
	}
	return all
}

const longestTargetLine = 1 << 10

// target is host:port, host alone, or a socket of this machine.
func targetOf(line string) string {
	line = line[:min(len(line), longestTargetLine)]
	if found := firstTarget(targets, line); found != "" {
		return found
	}
	return socket.FindString(line)
}

// firstTarget is the first host that one of the patterns finds, in their order.
func firstTarget(patterns []*regexp.Regexp, text string) string {
	for _, p := range patterns {
		for _, m := range p.FindAllStringSubmatch(text, 4) {
			if host, ok := hostOf(m[1]); ok {
				return withPort(host, m[2:]...)
			}
		}
	}
	return ""
}

var socket = regexp.MustCompile(`/(?:var/)?(?:run|tmp)/[\w./-]+(?:sock|\.s\.PGSQL\.\d+)`)

func withPort(host string, port ...string) string {
	if len(port) == 0 {
		return host
	}
	if n, err := strconv.Atoi(port[0]); err != nil || n < 1 || n > 65535 {
		return host
	}
	return strings.Trim(host, "[]") + ":" + port[0]
}

// notHosts are words that stand where a host could.
var notHosts = map[string]bool{
	"the": true, "a": true, "an": true, "it": true, "this": true, "database": true, "server": true, "host": true, "errno": true, "code": true, "line": true, "pid": true, "port": true,
	"connection": true, "status": true, "db": false, "any": true, "all": true, "be": true, "become": true, "node": true, "of": true, "is": true, "in": true, "at": true, "on": true, "to": true,
	"initial": true, "another": true, "dependencies": true, "services": true, "its": true, "your": true, "http": true, "https": true, "tcp": true, "address": true, "name": true, "start": true, "running": true, "accepting": true, "that": true, "which": true, "not": true, "startup": true, "backend": true, "socket": true,
}

// hostOf says whether a word can be a host: an address, or a name with a letter
// that is no file, time or common word.
func hostOf(word string) (string, bool) {
	word = strings.TrimRight(word, ".")
	if validAddress(strings.Trim(word, "[]")) {
		return word, true
	}
	lower := lowerASCII(word)
	switch {
	case word == "" || notHosts[lower] || !strings.ContainsAny(lower, "abcdefghijklmnopqrstuvwxyz"):
		return "", false
	case dated.MatchString(word) || sourceFile.MatchString(lower):
		return "", false
	}
	return word, true
}

var (
	dated      = regexp.MustCompile(`^\d{4}-\d\d-\d\dT`)
	sourceFile = regexp.MustCompile(`\.(?:java|go|js|mjs|cjs|ts|tsx|py|rb|cs|php|rs|c|cc|cpp|kt|scala|sh|yaml|yml|json|conf|xml|ex|erl)$`)
)

// isLocal says whether a target is the pod itself.
func isLocal(target string) bool {
	host, _ := splitTarget(target)
	return strings.HasPrefix(target, "/") || host == "localhost" || host == "::1" || host == "0.0.0.0" || strings.HasPrefix(host, "127.")
}

func splitTarget(target string) (host, port string) {
	if i := strings.LastIndexByte(target, ':'); i >= 0 && isDigits(target[i+1:]) && len(target) > i+1 {
		return target[:i], target[i+1:]
	}
	return target, ""
}

// ownPort is the port that the program wants for itself.
func ownPort(line string) string {
	line = line[:min(len(line), longestTargetLine)]
	for _, p := range portNumbers {
		if m := p.FindStringSubmatch(line); m != nil {
			return "port " + m[1]
		}
	}
	return ""
}

var portNumbers = compile(
	`listen (?:tcp|udp)[46]? \S*:(\d{1,5})\b`,
	`bind\(\) to \S*?:(\d{1,5})\b`,
	`EADDRINUSE.*:(\d{1,5})\b`,
	`\('[^']*', (\d{1,5})\)`,
	`(?i)\bport:? ?(\d{1,5})\b`,
	`(?:\d\.\d|\]|\*|localhost|::|address) ?:(\d{1,5})\b`,
	`(?:^|[^\d]):(\d{2,5})\b`,
)

// path is the file that a permission is lacking for.
func pathOf(line string) string {
	line = line[:min(len(line), longestTargetLine)]
	if m := quotedPath.FindStringSubmatch(line); m != nil {
		return clip(m[1], 200)
	}
	return clip(barePath.FindString(line), 200)
}

var (
	quotedPath = regexp.MustCompile("['\"‘“`](/[^'\"’”`]{1,300})['\"’”`]")
	barePath   = regexp.MustCompile(`/[\w.@+-]+(?:/[\w.@+-]+)*`)
)

// forbidden is who may not do what, as the Kubernetes API says it.
func forbiddenOf(line string) string {
	line = strings.ReplaceAll(line[:min(len(line), longestTargetLine)], `\"`, `"`)
	m := rbac.FindStringSubmatch(line)
	if m == nil {
		return ""
	}
	return m[1] + " cannot " + strings.ReplaceAll(m[2], `"`, "")
}

var rbac = regexp.MustCompile(`User "([^"]{1,300})" cannot (\w+ (?:resource "[^"]{1,100}"|[\w./-]{1,100})(?: in API group "[^"]{0,100}")?(?: (?:in the namespace "[^"]{1,100}"|at the cluster scope))?)`)

// wholeLine is the message itself, without time and level before it.
func wholeLine(line string) string {
	line = strings.TrimSpace(unstamped(line))
	if m := leading.FindString(line); len(m) < len(line) {
		line = line[len(m):]
	}
	return clip(line, 200)
}

var leading = regexp.MustCompile(`^(?:[\d:./,TZ+\s-]{8,40})?(?:\[?(?:ERROR|FATAL|CRITICAL|WARN|PANIC|error|fatal)\]?:?\s+)?`)

// products are what a line or a port is about.
var products = []struct{ product, word, port string }{
	{"PostgreSQL", "postgres", "5432"}, {"PostgreSQL", "psql", ""}, {"PostgreSQL", "psycopg", ""}, {"PostgreSQL", "pq:", ""}, {"PostgreSQL", "pgx", ""}, {"MySQL", "mysql", "3306"}, {"MySQL", "mariadb", ""},
	{"Redis", "redis", "6379"}, {"Redis", "jedis", ""}, {"Redis", "lettuce", ""}, {"MongoDB", "mongo", "27017"}, {"Kafka", "kafka", "9092"}, {"RabbitMQ", "amqp", "5672"}, {"RabbitMQ", "rabbit", ""},
	{"Elasticsearch", "elastic", "9200"}, {"Elasticsearch", "opensearch", ""}, {"memcached", "memcache", "11211"}, {"ZooKeeper", "zookeeper", "2181"}, {"etcd", "etcd", "2379"}, {"NATS", "nats:", "4222"},
	{"SQL Server", "sqlserver", "1433"}, {"Oracle", "oracle", "1521"}, {"Cassandra", "cassandra", "9042"}, {"Consul", "consul", "8500"}, {"Vault", "vault", "8200"}, {"MinIO", "minio", "9000"},
}

// product is what a line, in lower case, speaks of; "" where it does not tell.
func product(line string) string {
	for _, p := range products {
		if strings.Contains(line, p.word) || p.port != "" && portIn(line, p.port) {
			return p.product
		}
	}
	return ""
}

func portIn(line, port string) bool {
	i := strings.Index(line, port)
	if i <= 0 || i+len(port) < len(line) && line[i+len(port)] >= '0' && line[i+len(port)] <= '9' {
		return false
	}
	return line[i-1] == ':' || line[i-1] == ' ' || line[i-1] == '='
}

func validAddress(word string) bool {
	_, err := netip.ParseAddr(word)
	return err == nil
}
