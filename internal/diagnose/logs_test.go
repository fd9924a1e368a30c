package diagnose_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// logOf is the key of one container's log.
func logOf(container string, previous bool, text string) string {
	return logKey(logEntry(apiPod, container, previous, text))
}

func logEntry(pod, container string, previous bool, text string) string {
	quoted, _ := json.Marshal(text)
	return fmt.Sprintf(`{"pod":%q,"container":%q,"previous":%t,"text":%s}`, pod, container, previous, quoted)
}

func logKey(entries ...string) string { return `"logs":[` + strings.Join(entries, ",") + `]` }

// TestLogSigns reads what real programs say before they end with code 1.
func TestLogSigns(t *testing.T) {
	const dependency, startup, permission, port, connections = "pod.dependency_unavailable", "pod.startup_failed", "pod.permission_denied", "pod.port_conflict", "db.connections_exhausted"
	for _, tc := range []struct{ name, cause, says, text string }{
		{"Go, refused", dependency, "cannot reach 10.96.14.2:5432", "2026/11/23 03:14:01 dial tcp 10.96.14.2:5432: connect: connection refused\nexit status 1"},
		{"Go, by URL", dependency, "cannot reach auth.svc:8080", "time=\"2026-11-23T03:14:01Z\" level=fatal msg=\"cannot fetch keys\" error=\"Get \\\"http://auth.svc:8080/keys\\\": dial tcp 10.96.14.9:8080: connect: connection refused\""},
		{"Go, DNS", dependency, "the name cannot be resolved", "panic: dial tcp: lookup postgres-rw on 10.96.0.10:53: no such host\n\ngoroutine 1 [running]:\nmain.main()\n\t/src/main.go:31 +0x1d"},
		{"Go, DNS server silent", dependency, "cannot reach postgres-rw: the name", "fatal: dial tcp: lookup postgres-rw on 10.96.0.10:53: read udp 10.244.1.7:40123->10.96.0.10:53: i/o timeout"},
		{"Go, timed out", dependency, "cannot reach 10.0.9.4:3306: no answer", "E1123 03:14:00.000001       1 main.go:44] dial tcp 10.0.9.4:3306: i/o timeout"},
		{"Go, TLS", dependency, "TLS fails", "Error: Get \"https://vault.example.com:8200/v1/sys/health\": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-11-23T03:14:00Z is after 2026-11-20T00:00:00Z"},
		{"Node, refused", dependency, "cannot reach 10.96.3.3:6379", "Error: connect ECONNREFUSED 10.96.3.3:6379\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1494:16) {\n  errno: -111,\n  code: 'ECONNREFUSED',\n  syscall: 'connect',\n  address: '10.96.3.3',\n  port: 6379\n}\n\nNode.js v20.11.0"},
		{"Node, DNS", dependency, "cannot reach mongo-0.mongo: the name", "MongoServerSelectionError: getaddrinfo ENOTFOUND mongo-0.mongo\n    at Topology.selectServer (/app/node_modules/mongodb/lib/sdam/topology.js:321:38)\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)"},
		{"Node, pino", dependency, "cannot reach redis", `{"level":60,"time":1795403641000,"pid":1,"hostname":"x","err":{"type":"Error","message":"getaddrinfo EAI_AGAIN redis"},"msg":"startup failed"}`},
		{"JVM, Caused by", dependency, "cannot reach orders-db:5432", "2026-11-23 03:14:00.120 ERROR 1 --- [main] o.s.boot.SpringApplication : Application run failed\n\norg.springframework.beans.factory.BeanCreationException: Error creating bean with name 'entityManagerFactory'\n\tat org.springframework.x.Y(Y.java:10)\nCaused by: java.lang.IllegalStateException: cannot build\n\t... 20 more\nCaused by: org.postgresql.util.PSQLException: Connection to orders-db:5432 refused. Check that the hostname and port are correct and that the postmaster is accepting TCP/IP connections.\n\tat org.postgresql.core.v3.ConnectionFactoryImpl.openConnectionImpl(ConnectionFactoryImpl.java:331)\nCaused by: java.net.ConnectException: Connection refused\n\tat java.base/sun.nio.ch.Net.pollConnect(Native Method)\n"},
		{"JVM, unknown host", dependency, "cannot reach kafka", "Exception in thread \"main\" java.net.UnknownHostException: kafka\n\tat java.net.InetAddress.getAllByName(InetAddress.java:1281)"},
		{"JVM, PKIX", dependency, "TLS fails", "javax.net.ssl.SSLHandshakeException: PKIX path building failed: sun.security.provider.certpath.SunCertPathBuilderException: unable to find valid certification path to requested target"},
		{"Kafka", dependency, "cannot reach", "2026-11-23 03:14:00 WARN  NetworkClient:780 - [AdminClient clientId=adminclient-1] Connection to node -1 (kafka/10.96.7.7:9092) could not be established. Broker may not be available.\n2026-11-23 03:14:30 ERROR Failed: java.net.ConnectException: Connection refused"},
		{"Python, psycopg2 on two lines", dependency, "cannot reach db:5432", "Traceback (most recent call last):\n  File \"/app/manage.py\", line 22, in <module>\n    main()\ndjango.db.utils.OperationalError: could not connect to server: Connection refused\n\tIs the server running on host \"db\" (10.96.5.5) and accepting\n\tTCP/IP connections on port 5432?\n"},
		{"Python, psycopg 3", dependency, "cannot reach db:5432", "psycopg.OperationalError: connection failed: connection to server at \"10.96.5.5\", port 5432 failed: Connection refused\nsqlalchemy.exc.OperationalError: (psycopg2.OperationalError) connection to server at \"db\" (10.96.5.5), port 5432 failed: Connection refused"},
		{"Python, requests", dependency, "cannot reach api:80", "requests.exceptions.ConnectionError: HTTPConnectionPool(host='api', port=80): Max retries exceeded with url: /v1 (Caused by NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111] Connection refused'))"},
		{"Python, redis", dependency, "cannot reach redis:6379", "redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused."},
		{"Ruby", dependency, "cannot reach db:5432", "/usr/local/bundle/gems/pg-1.5.4/lib/pg/connection.rb:696:in `async_connect_or_reset': connection to server at \"db\" (10.96.5.5), port 5432 failed: Connection refused (PG::ConnectionBad)\n\tIs the server running on that host and accepting TCP/IP connections?"},
		{"PHP", dependency, "cannot reach", "PHP Fatal error:  Uncaught PDOException: SQLSTATE[HY000] [2002] php_network_getaddresses: getaddrinfo for mysql failed: Name or service not known in /app/index.php:3"},
		{"nginx, upstream name", dependency, "cannot reach api-backend", "2026/11/23 03:14:00 [emerg] 1#1: host not found in upstream \"api-backend\" in /etc/nginx/conf.d/default.conf:12\nnginx: [emerg] host not found in upstream \"api-backend\" in /etc/nginx/conf.d/default.conf:12"},
		{"MySQL client", dependency, "cannot reach mysql:3306", "sqlalchemy.exc.OperationalError: (pymysql.err.OperationalError) (2003, \"Can't connect to MySQL server on 'mysql:3306' ([Errno 111] Connection refused)\")"},
		{".NET", dependency, "cannot reach 10.96.5.5:5432", "Unhandled exception. Npgsql.NpgsqlException (0x80004005): Failed to connect to 10.96.5.5:5432\n ---> System.Net.Sockets.SocketException (111): Connection refused\n   at Npgsql.Internal.NpgsqlConnector.Connect(NpgsqlTimeout timeout)"},
		{"Rust", dependency, "cannot reach", "Error: error communicating with database: Connection refused (os error 111)"},
		{"RabbitMQ", dependency, "cannot reach rabbitmq:5672", "pika.exceptions.AMQPConnectionError\n2026-11-23 03:14:00 ERROR failed to connect to amqp://app:secret@rabbitmq:5672/ : dial tcp: i/o timeout"},
		{"Postgres that starts up", dependency, "does not serve", "django.db.utils.OperationalError: connection to server at \"db\" (10.96.5.5), port 5432 failed: FATAL:  the database system is starting up"},
		{"Prisma", dependency, "cannot reach pg:5432", "PrismaClientInitializationError: \nCan't reach database server at `pg`:`5432`\n\nPlease make sure your database server is running at `pg`:`5432`."},
		{"a local port", dependency, "that is the pod itself", "Error: connect ECONNREFUSED 127.0.0.1:5432"},

		{"Postgres, no slot", connections, "no connection left to give", "psycopg2.OperationalError: connection to server at \"db\" (10.96.5.5), port 5432 failed: FATAL:  sorry, too many clients already"},
		{"Postgres, reserved slots", connections, "no connection left to give", "pq: remaining connection slots are reserved for non-replication superuser connections"},
		{"MySQL, 1040", connections, "no connection left to give", "SQLSTATE[HY000] [1040] Too many connections"},
		{"Hikari alone", connections, "its own connection pool", "2026-11-23 03:14:00 ERROR o.h.engine.jdbc.spi.SqlExceptionHelper : HikariPool-1 - Connection is not available, request timed out after 30001ms."},
		{"SQLAlchemy", connections, "QueuePool", "sqlalchemy.exc.TimeoutError: QueuePool limit of size 5 overflow 10 reached, connection timed out, timeout 30.00"},

		{"JVM heap", startup, "its own heap is full", "Exception in thread \"main\" java.lang.OutOfMemoryError: Java heap space\n\tat java.util.Arrays.copyOf(Arrays.java:3332)"},
		{"Node heap", startup, "its own heap is full", "<--- Last few GCs --->\n[1:0x5]    45000 ms: Mark-sweep 2047.5 (2083.1) -> 2046.9 (2083.9) MB\nFATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory\n 1: 0xb7a940 node::Abort() [node]"},
		{"the heap explains what follows", startup, "its own heap is full", "java.lang.OutOfMemoryError: Java heap space\n2026-11-23 03:14:02 ERROR pool : java.net.SocketTimeoutException: connect timed out to db:5432"},
		{"Python memory", startup, "its own heap is full", "Traceback (most recent call last):\n  File \"x.py\", line 1\nMemoryError"},
		{"disk", startup, "the disk that it writes to is full", "FATAL:  could not write lock file \"postmaster.pid\": No space left on device"},
		{"credentials", startup, "10.96.5.5:5432 refuses its credentials", "failed to connect to `host=10.96.5.5 user=app database=app`: 10.96.5.5:5432 (db): failed SASL auth: FATAL: password authentication failed for user \"app\" (SQLSTATE 28P01)"},
		{"credentials of MySQL", startup, "refuses its credentials", "ERROR 1045 (28000): Access denied for user 'app'@'10.244.1.7' (using password: YES)"},
		{"variable", startup, "variable is missing", "Error: environment variable DATABASE_URL is not set"},
		{"Python variable", startup, "variable is missing", "  File \"<frozen os>\", line 679, in __getitem__\nKeyError: 'DATABASE_URL'"},
		{"Spring placeholder", startup, "variable is missing", "Caused by: java.lang.IllegalArgumentException: Could not resolve placeholder 'payment.url' in value \"${payment.url}\""},
		{"yaml", startup, "configuration or arguments are not valid", "error loading config: yaml: line 14: did not find expected key"},
		{"flag", startup, "configuration or arguments are not valid", "unknown flag: --metrics-adr\nUsage:\n  operator [flags]"},
		{"nginx directive", startup, "configuration or arguments are not valid", "nginx: [emerg] unknown directive \"proxy_passs\" in /etc/nginx/conf.d/default.conf:9"},
		{"module", startup, "not in the image", "Error: Cannot find module '/app/dist/main.js'\n    at Module._resolveFilename (node:internal/modules/cjs/loader:1145:15) {\n  code: 'MODULE_NOT_FOUND',\n  requireStack: []\n}"},
		{"class", startup, "not in the image", "Error: Could not find or load main class com.example.Main\nCaused by: java.lang.ClassNotFoundException: com.example.Main"},
		{"file", startup, "a file is missing", "panic: open /etc/app/config.yaml: no such file or directory"},
		{"flyway", startup, "migration failed", "org.flywaydb.core.api.FlywayException: Validate failed: Migrations have failed validation\nMigration checksum mismatch for migration version 3"},
		{"golang-migrate", startup, "migration failed", "error: Dirty database version 12. Fix and force version."},
		{"data of another version", startup, "its data", "FATAL:  database files are incompatible with server\nDETAIL:  The data directory was initialized by PostgreSQL version 13, which is not compatible with this version 16.1."},
		{"segmentation fault", startup, "fault of its own", "panic: runtime error: invalid memory address or nil pointer dereference\n[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x4f]"},

		{"low port", permission, "may not listen on port 80", "nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)"},
		{"low port in Go", permission, "may not listen on port 443", "listen tcp :443: bind: permission denied"},
		{"file in Node", permission, "may not use /app/data/db.json", "Error: EACCES: permission denied, open '/app/data/db.json'"},
		{"directory", permission, "may not use /bitnami/postgresql", "mkdir: cannot create directory ‘/bitnami/postgresql’: Permission denied"},
		{"read-only", permission, "read-only", "OSError: [Errno 30] Read-only file system: '/app/cache'"},
		{"chown", permission, "may not use /var/lib/postgresql/data", "chown: changing ownership of '/var/lib/postgresql/data': Operation not permitted"},
		{"RBAC", permission, `system:serviceaccount:ops:operator cannot list resource pods in API group "" at the cluster scope`[:59], "E1123 03:14:00.000001       1 reflector.go:147] failed to list *v1.Pod: pods is forbidden: User \"system:serviceaccount:ops:operator\" cannot list resource \"pods\" in API group \"\" at the cluster scope"},

		{"port in Node", port, "port 3000", "Error: listen EADDRINUSE: address already in use :::3000\n    at Server.setupListenHandle [as _listen2] (node:net:1817:16)"},
		{"port in Spring", port, "port 8080", "***************************\nAPPLICATION FAILED TO START\n***************************\n\nDescription:\n\nWeb server failed to start. Port 8080 was already in use.\n\nAction:\n\nIdentify and stop the process that's listening on port 8080 or configure this application to listen on another port."},
		{"port in nginx", port, "port 80", "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\nnginx: [emerg] still could not bind()"},
		{"port in Go", port, "port 9090", "2026/11/23 03:14:00 listen tcp :9090: bind: address already in use"},

		{"platform", "pod.image_wrong_platform", "exec format error", "exec /usr/local/bin/docker-entrypoint.sh: exec format error"},
		{"interpreter", "pod.command_invalid", "no such file or directory", "standard_init_linux.go:228: exec user process caused: no such file or directory"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			doc := sent(one(pod{statuses: []string{st("app", false, 5, crashLoop, ended("Error", 1, time.Minute))}}), nil, logOf("app", true, tc.text))
			checkDisease(t, diseaseCase{doc: doc, cause: tc.cause, container: "app", says: tc.says}, aboutPod(apiPod))
		})
	}
}
