package evidence

// Disk is what df, du and a listing of core dumps say of one host.
type Disk struct {
	Host        string       `json:"host"`
	Filesystems []Filesystem `json:"filesystems"`
	Top         []PathSize   `json:"top"` // the biggest directories and files
	CoreDumps   []PathSize   `json:"coreDumps"`
}

// Filesystem is one line of df -P and of df -Pi. What was not measured is unknown.
type Filesystem struct {
	Filesystem       string `json:"filesystem"`
	Mount            string `json:"mount"`
	Type             string `json:"type"`
	SizeBytes        Number `json:"sizeBytes"`
	UsedBytes        Number `json:"usedBytes"`
	AvailBytes       Number `json:"availBytes"`
	UsePercent       Number `json:"usePercent"`
	Inodes           Number `json:"inodes"`
	InodesUsed       Number `json:"inodesUsed"`
	InodesFree       Number `json:"inodesFree"`
	InodesUsePercent Number `json:"inodesUsePercent"`
}

// PathSize is a directory or file and how much it holds.
type PathSize struct {
	Path  string `json:"path"`
	Bytes Number `json:"bytes"`
}

// Condition is a Kubernetes-like condition of an object that client-go does not know.
type Condition struct {
	Type    string `json:"type"`
	Status  string `json:"status"`
	Reason  string `json:"reason"`
	Message string `json:"message"`
	Since   Time   `json:"lastTransitionTime"`
}

// Certificate is what is known of one TLS certificate and of its renewal.
type Certificate struct {
	Subject     string      `json:"subject"`
	Name        string      `json:"name"`
	Namespace   string      `json:"namespace"`
	Host        string      `json:"host"`
	Issuer      string      `json:"issuer"`
	DNSNames    []string    `json:"dnsNames"`
	NotBefore   Time        `json:"notBefore"`
	NotAfter    Time        `json:"notAfter"`
	CheckedAt   Time        `json:"checkedAt"`
	DaysLeft    Number      `json:"daysLeft"`
	VerifyError string      `json:"verifyError"`
	Conditions  []Condition `json:"conditions"` // cert-manager's
	PEM         string      `json:"pem"`
	Renewal     *Renewal    `json:"renewal"`
}

// Renewal is how the last attempt to renew a certificate ended.
type Renewal struct {
	Tool   string `json:"tool"` // certbot, acme.sh, cert-manager
	Failed bool   `json:"failed"`
	Error  string `json:"error"`
}

// Backup is the standing of one backup job.
type Backup struct {
	Tool                   string      `json:"tool"`
	Name                   string      `json:"name"`
	Host                   string      `json:"host"`
	Schedule               string      `json:"schedule"`
	Cron                   string      `json:"cron"`
	Status                 string      `json:"status"`
	Phase                  string      `json:"phase"`
	Message                string      `json:"message"`
	Errors                 Number      `json:"errors"`
	LastAttempt            Time        `json:"lastAttempt"`
	LastSuccess            Time        `json:"lastSuccess"`
	AgeHours               Number      `json:"ageHours"`
	MaxAgeHours            Number      `json:"maxAgeHours"`
	FailedSinceLastSuccess Number      `json:"failedSinceLastSuccess"`
	RetentionDaysLeft      Number      `json:"retentionDaysLeft"`
	SizeBytes              Number      `json:"sizeBytes"`
	Paused                 bool        `json:"paused"`
	Conditions             []Condition `json:"conditions"`
	CheckedAt              Time        `json:"checkedAt"`
}

// Service is what systemd says of one unit.
type Service struct {
	Host           string `json:"host"`
	Unit           string `json:"unit"`
	Type           string `json:"type"` // simple, oneshot, …
	LoadState      string `json:"loadState"`
	ActiveState    string `json:"activeState"`
	SubState       string `json:"subState"`
	Result         string `json:"result"`
	ExecMainStatus Number `json:"execMainStatus"`
	Restarts       Number `json:"nRestarts"`
	Enabled        Word   `json:"enabled"` // enabled, disabled, static, masked; true and false are read as the first two
}

// GitOps is what Salve reads of an Argo CD Application, a Flux Kustomization or
// a HelmRelease.
type GitOps struct {
	Kind       string
	Namespace  string
	Name       string
	AutoSync   bool
	Sync       string // Synced, OutOfSync, Unknown
	Health     string // Healthy, Progressing, Degraded, Missing, Suspended, Unknown
	Phase      string // of the last operation: Succeeded, Failed, Error, Running
	Message    string
	Revision   string
	Target     string // namespace that it deploys to
	Suspended  bool
	Conditions []Condition
	Resources  []GitOpsResource // what it deploys
}

// GitOpsResource is one object that a GitOps object deploys.
type GitOpsResource struct {
	Kind, Namespace, Name, Health, Message string
}

// DB is the standing of one database.
type DB struct {
	Engine                string   `json:"engine"`
	Cluster               string   `json:"cluster"`
	Host                  string   `json:"host"`
	Name                  string   `json:"name"`
	ConnectionsUsed       Number   `json:"connectionsUsed"`
	ConnectionsMax        Number   `json:"connectionsMax"`
	ReplicationLagSeconds Number   `json:"replicationLagSeconds"`
	Members               []Member `json:"members"`
}

// Member is one server of a replicated database.
type Member struct {
	Name     string `json:"name"`
	Role     string `json:"role"`
	State    string `json:"state"`
	Timeline Number `json:"timeline"`
	LagMB    Number `json:"lagMB"`
}

// Finding is one line of a security audit.
type Finding struct {
	Kind     string `json:"kind"`
	Object   string `json:"object"`
	Severity string `json:"severity"`
	Message  string `json:"message"`
}

// Usage is how much of something is in use: of a host, a node, a workload, or
// of whatever the evidence is about.
type Usage struct {
	Host             string    `json:"host"`
	Namespace        string    `json:"namespace"`
	Kind             string    `json:"kind"`
	Name             string    `json:"name"`
	Container        string    `json:"container"`
	CPUPercent       Number    `json:"cpuPercent"`
	MemoryPercent    Number    `json:"memoryPercent"`
	CPUMillicores    Number    `json:"cpuMillicores"` // what kubectl top measures; percent of a limit follows where the limit is known
	MemoryBytes      Number    `json:"memoryBytes"`
	BaselineCPU      Number    `json:"baselineCpuPercent"` // what is usual at this hour
	BaselineMemory   Number    `json:"baselineMemoryPercent"`
	TopProcesses     []Process `json:"topProcesses"`
	Series           []Series  `json:"series"`
	Anomalous        bool      `json:"anomalous"` // the sender's own detector says so
	AnomalousBecause string    `json:"anomalousBecause"`
}

// Process is one line of top.
type Process struct {
	Name          string `json:"name"`
	User          string `json:"user"`
	CPUPercent    Number `json:"cpuPercent"`
	MemoryPercent Number `json:"memoryPercent"`
}

// Series is one metric over time.
type Series struct {
	Metric string  `json:"metric"` // cpuPercent, memoryPercent, memoryBytes, diskUsedPercent, …
	About  string  `json:"about"`  // a mount, a container; may be empty
	Limit  Number  `json:"limit"`  // where it is full; 100 for percentages
	Points []Point `json:"points"`
}

// Point is one sample of a series.
type Point struct {
	T     Time   `json:"t"`
	Value Number `json:"value"`
}

// Aggregate is what n8n's monitoring merges for one service and window
// (SPEC section 1, /v1/monitoring).
type Aggregate struct {
	Service     string            `json:"service"`
	Window      Window            `json:"window"`
	Metrics     map[string]Number `json:"metrics"` // availability, error_rate, p99_latency, …
	Sources     map[string]Source `json:"sources"`
	Deployments []Rollout         `json:"deployments"`
	Alerts      []AlertName       `json:"alerts"`
}

// Window is the stretch of time that an aggregate is about.
type Window struct {
	Start Time `json:"start"`
	End   Time `json:"end"`
}

// Source is one monitoring system's part in an aggregate.
type Source struct {
	OK    bool   `json:"ok"`
	AsOf  Time   `json:"as_of"`
	Error string `json:"error"`
}

// Rollout is one deployment that monitoring knows of.
type Rollout struct {
	Service string `json:"service"`
	Version string `json:"version"`
	At      Time   `json:"at"`
	Status  string `json:"status"`
}

// File is one file of a repository.
type File struct {
	Repo    string `json:"repo"`
	Path    string `json:"path"`
	Ref     string `json:"ref"`
	BlobSHA string `json:"blobSHA"`
	Content string `json:"content"`
}

// Raw is what a command printed, to be read by this package.
type Raw struct {
	Tool string `json:"tool"`
	Host string `json:"host"`
	Text string `json:"text"`
}
