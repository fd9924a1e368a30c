package diagnose

// logSign is what real programs say when something is wrong.
type logSign struct {
	runtime string
	means   *meaning
	phrases []string // one of them, in lower case
	also    []string // and one of these on the same line
	unless  []string // and none of these
	client  bool     // in a server's own log the same words are about its clients
}

func says(phrases ...string) []string { return phrases }

// logSigns is the one table of what a log can tell. Where one line shows several
// signs the first row counts: what is nearer to the root stands higher. No row
// holds a name or an address; those are read from the line afterwards.
var logSigns = []logSign{
	// Memory that the program manages itself. The kernel's OOM killer leaves no word in a log.
	{runtime: "JVM", means: selfHeapFull, phrases: says("java.lang.outofmemoryerror", "insufficient memory for the java runtime", "gc overhead limit exceeded", "terminating due to java.lang.outofmemory")},
	{runtime: "Node", means: selfHeapFull, phrases: says("javascript heap out of memory", "reached heap limit allocation failed", "array buffer allocation failed")},
	{runtime: "Python", means: selfHeapFull, phrases: says("memoryerror"), unless: says("outofmemoryerror")},
	{runtime: "Go, C", means: selfHeapFull, phrases: says("fatal error: runtime: out of memory", "runtime: cannot allocate memory", "cannot allocate memory", "std::bad_alloc", "out of memory (allocated", "memory allocation of")},
	{runtime: "PHP, Ruby, .NET", means: selfHeapFull, phrases: says("allowed memory size of", "nomemoryerror", "system.outofmemoryexception")},
	{runtime: "all", means: selfDiskFull, phrases: says("no space left on device", "disk quota exceeded", "enospc:", "there is not enough space on the disk"), unless: says("file watchers")},
	{runtime: "all", means: selfFilesOpen, phrases: says("too many open files", "emfile:", "system limit for number of file watchers", "can't start new thread", "unable to create new native thread", "pthread_create failed", "fork: retry: resource temporarily")},

	{runtime: "kernel", means: platformWrong, phrases: says("exec format error", "cannot execute binary file")},
	{runtime: "runc", means: programMissing, phrases: says("exec /"), also: says(": no such file or directory", ": permission denied"), unless: says("fork/exec")},
	{runtime: "runc, tini", means: programMissing, phrases: says("exec user process caused", "exec: fatal: unable to exec", "[fatal tini", "cannot execute: required file not found")},

	// The database has no connection left.
	{runtime: "Postgres", means: connsTaken, phrases: says("too many clients already", "remaining connection slots are reserved", "too many connections for role", "too many connections for database", "no more connections allowed", "sqlstate 53300", "query_wait_timeout")},
	{runtime: "MySQL", means: connsTaken, phrases: says("too many connections", "max_user_connections", "error 1040"), unless: says("pool")},
	{runtime: "Redis, Oracle, Mongo", means: connsTaken, phrases: says("max number of clients reached", "ora-00018", "ora-12516", "ora-12519", "ora-12520", "connection refused because too many open connections")},

	// It answers, but not to these credentials.
	{runtime: "Postgres", means: depDeniesLogin, phrases: says("password authentication failed", "no pg_hba.conf entry for", "sasl authentication failed", "sqlstate 28p01", "sqlstate 28000", "scram authentication failed"), client: true},
	{runtime: "Postgres", means: depDeniesLogin, phrases: says("role \""), also: says("\" does not exist"), unless: says("migrat"), client: true},
	{runtime: "MySQL, SQL Server, Oracle", means: depDeniesLogin, phrases: says("access denied for user", "login failed for user", "ora-01017", "p1000: authentication failed")},
	{runtime: "Redis", means: depDeniesLogin, phrases: says("wrongpass", "noauth authentication required", "invalid username-password pair", "err invalid password", "client sent auth, but no password")},
	{runtime: "Mongo", means: depDeniesLogin, phrases: says("mongoservererror: authentication failed", "auth error: sasl conversation", "exception authenticating mongocredential", "scram-sha-256: authenticationfailed", "(authenticationfailed)")},
	{runtime: "RabbitMQ, Kafka", means: depDeniesLogin, phrases: says("access_refused", "saslauthenticationexception", "sasl authentication error", "login was refused using authentication mechanism")},
	{runtime: "all", means: depDeniesLogin, phrases: says("permission denied (publickey", "authentication failed for 'http", "401 unauthorized", "invalid_client", "signaturedoesnotmatch", "invalidaccesskeyid", "the security token included in the request is"), unless: says("http/1.", "http/2")},

	// Its name does not resolve.
	{runtime: "Go", means: depUnresolved, phrases: says("lookup "), also: says("no such host", "server misbehaving", "i/o timeout", "connection refused", "temporary failure")},
	{runtime: "Go, .NET", means: depUnresolved, phrases: says("no such host")},
	{runtime: "Node", means: depUnresolved, phrases: says("getaddrinfo enotfound", "getaddrinfo eai_again", "enotfound", "eai_again", "queryasrv eservfail", "hostnotfounderror"), unless: says("npm err! 404")},
	{runtime: "libc", means: depUnresolved, phrases: says("name or service not known", "temporary failure in name resolution", "name does not resolve", "nodename nor servname", "no address associated with hostname", "name has no usable address", "unknown host", "failed to lookup address information", "try again (error -3)")},
	{runtime: "JVM", means: depUnresolved, phrases: says("unknownhostexception", "unresolvedaddressexception", "<unresolved>", "no resolvable bootstrap urls")},
	{runtime: "Postgres, PHP, curl, wget, busybox", means: depUnresolved, phrases: says("could not translate host name", "php_network_getaddresses", "could not resolve host", "getaddrinfo failed", "getaddrinfo for", "bad address '", "can't resolve '", "unable to resolve host", "couldn't resolve host")},
	{runtime: "nginx", means: depUnresolved, phrases: says("host not found in upstream", "could not be resolved (")},
	{runtime: "nslookup", means: depUnresolved, phrases: says("nxdomain", "server can't find")},

	// A certificate of the program's own that it cannot read is its configuration.
	{runtime: "all", means: selfConfigBad, phrases: says("cannot load certificate", "failed to find any pem data", "private key does not match", "key values mismatch", "keystore was tampered with", "failed to load tls key pair")},
	{runtime: "Go", means: depUntrusted, phrases: says("x509:", "tls: failed to verify", "tls: handshake failure", "remote error: tls:", "tls: first record does not look like"), unless: says("tls handshake error from")},
	{runtime: "JVM", means: depUntrusted, phrases: says("pkix path building failed", "sslhandshakeexception", "unable to find valid certification path", "certpathvalidatorexception")},
	{runtime: "Python, Ruby, OpenSSL", means: depUntrusted, phrases: says("certificate_verify_failed", "certificate verify failed", "ssl: wrong_version_number", "sslv3 alert", "ssl_connect returned=1", "server does not support ssl", "certificate problem:"), unless: says("while ssl handshaking, client")},
	{runtime: "Node", means: depUntrusted, phrases: says("self_signed_cert_in_chain", "depth_zero_self_signed_cert", "unable_to_verify_leaf_signature", "unable to verify the first certificate", "self signed certificate", "self-signed certificate", "unable to get local issuer", "cert_has_expired", "certificate has expired", "err_tls_cert_altname_invalid"), unless: says("self-signed certificate created", "generating")},
	{runtime: ".NET, Rust", means: depUntrusted, phrases: says("remote certificate is invalid", "ssl connection could not be established", "invalid peer certificate")},

	// It answers that it does not serve.
	{runtime: "Postgres", means: depNotServing, phrases: says("the database system is starting up", "the database system is shutting down", "the database system is in recovery mode", "the database system is not yet accepting", "not accepting connections", "failed to create a backend 0 connection", "no pgpool"), client: true},
	{runtime: "Redis", means: depNotServing, phrases: says("loading redis is loading", "clusterdown", "masterdown link", "readonly you can't write", "no master found", "all sentinels are unreachable")},
	{runtime: "Mongo", means: depNotServing, phrases: says("notwritableprimary", "not master and slaveok", "notprimarynosecondaryok", "no primary found", "no server chosen by")},
	{runtime: "Kafka", means: depNotServing, phrases: says("leader_not_available", "broker may not be available", "run out of available brokers", "nobrokersavailable", "not present in metadata after", "while fetching topic metadata", "failed to update metadata after", "all broker connections are down", "timed out waiting for a node assignment", "coordinator_not_available")},
	{runtime: "Elasticsearch", means: depNotServing, phrases: says("master_not_discovered_exception", "nonodeavailableexception", "no living connections", "none of the configured nodes", "cluster_block_exception", "no alive nodes")},
	{runtime: "SQL Server, Oracle, etcd", means: depNotServing, phrases: says("ora-12514", "ora-12505", "ora-01033", "etcdserver: no leader", "etcdserver: request timed out")},

	// It refuses the connection.
	{runtime: "nginx", means: depRefuses, phrases: says("connection refused"), also: says("while connecting to upstream")},
	{runtime: "Node", means: depRefuses, phrases: says("econnrefused")},
	{runtime: "Go, libc, .NET, Rust", means: depRefuses, phrases: says("connection refused", "actively refused", "connectionrefusederror", "[errno 111]", "errno::econnrefused", "err_connection_refused"), unless: says("fluentd", "otel")},
	{runtime: "Postgres", means: depRefuses, phrases: says("could not connect to server", "connection to server on socket")},
	{runtime: "JDBC", means: depRefuses, phrases: says("check that the hostname and port are correct")},
	{runtime: "MySQL", means: depRefuses, phrases: says("can't connect to mysql server", "can't connect to local mysql server", "can't connect to server on", "can't connect to local server through")},
	{runtime: "Oracle", means: depRefuses, phrases: says("ora-12541")},

	// It does not answer in time, or there is no way to it.
	{runtime: "Node", means: depSilent, phrases: says("connect etimedout", "connect ehostunreach", "connect enetunreach", "esockettimedout")},
	{runtime: "Go", means: depSilent, phrases: says("dial tcp"), also: says("i/o timeout", "context deadline exceeded", "operation was canceled", "connection timed out", "no route to host", "network is unreachable")},
	{runtime: "Go", means: depSilent, phrases: says("client.timeout exceeded while awaiting", "timeout: failed to connect service", "server selection timeout", "context deadline exceeded"), also: says("http", "connect", "dial", "ping", "server selection")},
	{runtime: "libc, JVM, Python", means: depSilent, phrases: says("connection timed out", "connect timed out", "connecttimeoutexception", "connecttimeouterror", "connecttimeout", "timeout expired", "no route to host", "network is unreachable", "host is unreachable", "timeout occurred after waiting", "timed out trying to connect", "connection timeout expired", "noroutetohostexception", "ora-12170"), unless: says("queuepool", "connection pool", "from pool", "noclassdeffounderror", "classnotfoundexception")},
	{runtime: "nginx", means: depSilent, phrases: says("upstream timed out")},
	{runtime: "Mongo", means: depSilent, phrases: says("mongoserverselectionerror", "mongooseserverselectionerror", "serverselectiontimeouterror", "mongotimeoutexception", "server selection error")},
	{runtime: "Redis", means: depSilent, phrases: says("rediscommandtimeoutexception")},
	{runtime: "Redis", means: depUnreachable, phrases: says("maxretriesperrequesterror", "it was not possible to connect to the redis")},
	{runtime: "Prisma", means: depSilent, phrases: says("p1001:", "p1002:", "can't reach database server")},

	// It cannot be reached, and how is not said.
	{runtime: "nginx, envoy", means: depUnreachable, phrases: says("no live upstreams", "upstream connect error", "upstream prematurely closed", "connection reset by peer) while reading response header from upstream")},
	{runtime: "JVM", means: depUnreachable, phrases: says("communications link failure", "unable to connect to redis", "unable to open jdbc connection", "exception opening socket", "redisconnectionexception", "cjcommunicationsexception")},
	{runtime: "RabbitMQ, Kafka", means: depUnreachable, phrases: says("brokerunreachableexception", "amqpconnectionerror", "amqpconnectionexception", "kafkajsconnectionerror", "kafkajsnumberofretriesexceeded", "(id: -1 rack: null) disconnected")},
	{runtime: "Postgres, MySQL, SQL Server", means: depUnreachable, phrases: says("server closed the connection unexpectedly", "could not connect to the primary server", "lost connection to mysql server", "mysql server has gone away", "failed to obtain jdbc connection", "unable to obtain jdbc connection", "network-related or instance-specific error", "could not connect to the database", "could not connect to database", "failed to connect to database", "failed to connect to the database", "unable to connect to the database", "unable to connect to database", "unable to connect to db", "cannot connect to database", "error connecting to database", "database connection failed", "failed to initialize database, got error failed to connect"), unless: says("migrat")},
	{runtime: "Python, .NET", means: depUnreachable, phrases: says("max retries exceeded with url", "npgsqlexception", "failed to establish a new connection", "error while dialing", "all connection attempts failed", "code = unavailable")},

	// Ports.
	{runtime: "all", means: portForbidden, phrases: says("bind", "listen"), also: says("permission denied", "eacces"), unless: says("bind-mount", "bind mount")},
	{runtime: "Apache", means: portForbidden, phrases: says("make_sock: could not bind to address"), also: says("permission denied")},
	{runtime: "all", means: portTaken, phrases: says("address already in use", "eaddrinuse", "address in use", "port already in use", "only one usage of each socket address", "could not create any tcp/ip sockets", "already running on port"), unless: says("volume")},
	{runtime: "all", means: portTaken, phrases: says("was already in use", "is already in use", "is already being used"), also: says("port ", "port:", "address", "bind", "listen", "socket"), unless: says("volume", "name is already in use", "is already in use by container", "email", "port name")},
	{runtime: "JVM", means: portTaken, phrases: says("java.net.bindexception"), unless: says("cannot assign requested")},

	// What it may not do.
	{runtime: "Kubernetes API", means: apiForbidden, phrases: says("is forbidden: user \"system:serviceaccount", "is forbidden: user \"", "cannot list resource", "cannot get resource", "cannot create resource", "cannot watch resource", "cannot update resource", "cannot patch resource")},
	{runtime: "clouds", means: rightsLacking, phrases: says("accessdeniedexception: user", "is not authorized to perform", "accessdenied: access denied", "(accessdenied)", "permission_denied: permission", "does not have storage.", "authorizationfailed", "iam_permission_denied"), unless: says("nio.file")},
	{runtime: "Postgres", means: rightsLacking, phrases: says("permission denied for table", "permission denied for schema", "permission denied for database", "permission denied for relation", "permission denied to create", "must be owner of", "command denied to user"), client: true},
	{runtime: "all", means: fileReadOnly, phrases: says("read-only file system", "erofs:"), unless: says("(read-only file system?)")},
	{runtime: "all", means: fileForbidden, phrases: says("permission denied", "eacces", "errno::eacces", "accessdeniedexception", "[errno 13]", "is denied.", "has invalid permissions", "has wrong ownership", "permissionerror")},
	{runtime: "all", means: fileForbidden, phrases: says("operation not permitted"), also: says("chown", "chmod", "ownership", "setuid", "setgid", "setgroups", "mkdir", "mount", "open", "permissions", "bpf", "eperm", "su-exec", "gosu", "failed")},

	// What is not there.
	{runtime: "shells", means: commandMissing, phrases: says(": command not found", ": not found", "/usr/bin/env: ", "env: can't execute", "env: ‘", "executable file not found in $path"), unless: says("http", "404", "module", "version `", "page not found", "image", "manifest", "shared librar")},
	{runtime: "all", means: selfCodeMissing, phrases: says("modulenotfounderror", "importerror:", "cannot find module", "module_not_found", "cannot find package", "classnotfoundexception", "noclassdeffounderror", "could not find or load main class", "unsupportedclassversionerror", "nosuchmethoderror", "cannot load such file", "bundler::gemnotfound", "could not find gem", "failed opening required", "error while loading shared libraries", "could not load file or assembly", "you must install or update .net", "unable to access jarfile", "no module named", "symbol not found", "no main manifest attribute")},
	{runtime: "glibc", means: selfCodeMissing, phrases: says("version `glibc", "version `glibcxx"), also: says("not found")},
	{runtime: "all", means: selfSettingMissing, phrases: says("environment variable", "env var", "missing required", "required environment"), also: says("not set", "must be set", "missing", "is required", "not found", "undefined", "not defined", "not provided", "empty", "required")},
	{runtime: "shells, Spring, Go, Ruby", means: selfSettingMissing, phrases: says("unbound variable", "parameter not set", "parameter null or not set", "could not resolve placeholder", "missing required configuration", "key not found: \"", "environment variable not found", "superuser password is not specified", "password option is not specified", "is not set", "must be set", "required key", "is not defined in the environment"), unless: says("warn", "not set, using", "not set; using", "not set. using", "default", "variable is not set. defaulting")},
	{runtime: "Python", means: selfSettingMissing, phrases: says("keyerror: '"), also: says("_")},
	{runtime: "all", means: selfConfigBad, phrases: says("yaml: line", "yaml: unmarshal", "error converting yaml", "cannot unmarshal", "jsondecodeerror", "in json at position", "is not valid json", "scannererror", "parsererror", "invalid character '", "toml: ", "toml parse error", "error parsing config", "failed to parse config", "could not parse config", "error loading config", "failed to load config", "invalid configuration", "configuration error", "config validation", "configuration validation", "bad configuration", "error in config", "configuration file", "fatal config file error", "bad directive", "improperlyconfigured", "bootstrap check failure", "missing script: "), unless: says("syntax is ok", "successful", "using configuration file", "loaded configuration file", "/etc/nginx/nginx.conf syntax", "read configuration file")},
	{runtime: "all", means: selfConfigBad, phrases: says("unknown flag", "unknown shorthand flag", "unknown command", "unknown option", "unrecognized option", "unrecognized argument", "unrecognised option", "flag provided but not defined", "unknown directive", "unexpected end of file, expecting", "unrecognized vm option", "could not create the java virtual machine", "invalid maximum heap size", "unrecognized configuration parameter", "unknown variable '", "no such option", "invalid argument \"", "failed to bind properties", "invalid value for", "unexpected argument", "bad option", "is not a valid", "directive is not allowed here", "invalid number of arguments in")},
	{runtime: "Postgres, MySQL", means: selfConfigBad, phrases: says("database \"", "unknown database", "relation \""), also: says("does not exist", "unknown database"), unless: says("migrat"), client: true},
	{runtime: "Postgres, MySQL, Mongo", means: selfDataUnfit, phrases: says("database files are incompatible", "exists but is not empty", "invalid downgrade", "unsupported redo log format", "wrong mongod version", "featurecompatibilityversion", "data directory was initialized by", "different server version", "directory has files in it", "has unusable configuration", "corrupt", "could not locate a valid checkpoint")},
	{runtime: "all", means: selfFileMissing, phrases: says("no such file or directory", "enoent", "filenotfoundexception", "filenotfounderror", "errno::enoent", "failed to open stream", "can't open file", "could not find a part of the path", "file does not exist"), unless: says("exec user process")},

	// Pools of the program's own: they run dry because of a dependency, or of their size.
	{runtime: "JVM", means: poolEmpty, phrases: says("connection is not available, request timed out", "unable to fetch a connection in", "poolexhaustedexception", "pool exhausted", "connectionpooltimeoutexception", "timeout waiting for connection from pool", "timeout waiting for idle object", "getconnectiontimeoutexception", "attempt by a client to checkout a connection", "poolacquiretimeoutexception", "connection acquisition timed out", "could not get a resource from the pool")},
	{runtime: "Python, Ruby", means: poolEmpty, phrases: says("queuepool limit of size", "could not obtain a connection from the pool", "could not obtain a database connection within", "pool timeout", "couldn't get a connection after", "connectiontimeouterror: could not obtain")},
	{runtime: "Node", means: poolEmpty, phrases: says("timeout acquiring a connection", "resourcerequest timed out", "connectionacquiretimeouterror", "timed out fetching a new connection from the connection pool", "p2024", "timeout exceeded when trying to connect", "queue limit reached")},
	{runtime: "Go, Rust, .NET, Mongo", means: poolEmpty, phrases: says("connection pool timeout", "pool timed out while waiting", "pooltimedout", "connection pool has been exhausted", "obtaining a connection from the pool", "while checking out a connection from", "waitqueuefull", "connection pool exhausted", "timed out in bb8", "timeout waiting for a slot to become available")},

	{runtime: "all", means: selfMigration, phrases: says("flywayexception", "migrations have failed validation", "liquibaseexception", "validationfailedexception", "migrationfailedexception", "dirty database version", "migration failed", "migrations failed", "failed to run migrations", "failed to apply migration", "error running migrations", "p3009", "p3018", "pendingmigrationerror", "alembic.util.exc", "can't locate revision identified by", "waiting for changelog lock", "lockexception: could not acquire change log lock", "standarderror: an error has occurred, this and all later migrations canceled", "duplicatetable", "inconsistentmigrationhistory", "failed migrations in the target database")},

	// Faults of the program itself.
	{runtime: "JVM", means: selfFault, phrases: says("nullpointerexception", "illegalargumentexception", "illegalstateexception", "indexoutofboundsexception", "classcastexception", "stackoverflowerror", "nosuchelementexception", "a fatal error has been detected by the java runtime", "nosuchbeandefinitionexception", "unsatisfieddependencyexception")},
	{runtime: "Node", means: selfFault, phrases: says("typeerror:", "referenceerror:", "syntaxerror:", "rangeerror:", "err_require_esm", "err_unhandled_rejection")},
	{runtime: "Go", means: selfFault, phrases: says("nil pointer dereference", "index out of range", "concurrent map", "all goroutines are asleep", "slice bounds out of range", "assignment to entry in nil map")},
	{runtime: "Python", means: selfFault, phrases: says("attributeerror:", "nameerror:", "valueerror:", "keyerror:", "indexerror:", "recursionerror:", "assertionerror", "zerodivisionerror", "indentationerror:", "notimplementederror")},
	{runtime: "Ruby, PHP, .NET, Rust, C", means: selfFault, phrases: says("nomethoderror", "uninitialized constant", "uncaught error", "call to undefined", "nullreferenceexception", "invalidoperationexception", "called `option::unwrap()` on a `none`", "segmentation fault", "sigsegv", "illegal instruction", "stack smashing detected", "assertion failed", "double free or corruption")},
	{runtime: "all", means: selfEnd, phrases: says("panic: ", "exception in thread \"main\"", "application failed to start", "unhandled exception", "uncaught exception", "unhandledpromiserejection", "application run failed", "fatal error", "fatal:", "[fatal]", "[emerg]", "level=fatal", "\"level\":\"fatal\"", "thread 'main' panicked", "error: failed to")},

	// An init container that is there to wait.
	{runtime: "shells", means: depAwaited, phrases: waitingWords},
}

// waitingWords count only where a container has nothing to do but to wait.
var waitingWords = says("waiting for", "waiting until", "is unavailable - sleeping", "not ready", "is not available", "no response", "retrying in", "sleeping", "still waiting", "trying to connect", "not yet available", "not up yet", "unavailable")

// logPhrases finds the phrases of all signs; of is the row.
var logPhrases = func() (b phraseBook) {
	for i := range logSigns {
		for _, p := range logSigns[i].phrases {
			b.add(p, i)
		}
	}
	return b
}()
