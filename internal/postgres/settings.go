package postgres

// settings are given on the command line at every start, so that the cluster's own files stay as initdb made them and a
// new Salve brings its settings along. What is not here is Postgres's default: fsync, synchronous_commit and
// full_page_writes on, wal_level replica (pg_basebackup works, and minimal would save nothing on single-row writes).
func settings(socketDir string, fast bool) []string {
	args := []string{
		// Reachable by whoever may open the directory, and by nobody over the network.
		"-c", "listen_addresses=",
		"-c", "port=5432",
		"-c", "unix_socket_directories=" + socketDir,
		"-c", "unix_socket_permissions=0700",
		"-c", "cluster_name=salve",

		// A small box shared with Salve itself.
		"-c", "shared_buffers=128MB",
		// Every statement is short: neither compiling it nor spreading it over workers pays.
		"-c", "jit=off",
		"-c", "max_parallel_workers_per_gather=0",

		// Few and spread checkpoints: a full page is written after each, and stalls are what a caller sees.
		"-c", "max_wal_size=1GB",
		"-c", "min_wal_size=256MB",
		"-c", "checkpoint_timeout=15min",
		"-c", "checkpoint_completion_target=0.9",

		// A hung or vanished client must not hold locks for ever.
		"-c", "idle_in_transaction_session_timeout=60s",
		"-c", "client_connection_check_interval=5s",

		"-c", "timezone=UTC",
		"-c", "log_timezone=UTC",
		"-c", "log_checkpoints=off",
		"-c", "logging_collector=off",
		"-c", "log_destination=stderr",
	}
	if fast {
		return append(args, "-c", "max_connections=200", "-c", "fsync=off", "-c", "full_page_writes=off")
	}
	return append(args, "-c", "max_connections=50")
}
