package evidence

// Disk is what df, du and a listing of core dumps say of one host.
type Disk struct {
	Host        string       `json:"host" also:"hostname,node,server,machine,instance"`
	Filesystems []Filesystem `json:"filesystems" also:"mounts,partitions,volumes,disks"`
	Top         []PathSize   `json:"top" also:"topDirectories,largest,biggest,directories,usage"` // the biggest directories and files
	CoreDumps   []PathSize   `json:"coreDumps" also:"cores,dumps,coredumpFiles"`
}

// Filesystem is one line of df -P and of df -Pi. What was not measured is unknown.
type Filesystem struct {
	Filesystem        string   `json:"filesystem" also:"device,source,name"`
	Mount             string   `json:"mount" also:"mountPoint,mountedOn,target,path"`
	Type              string   `json:"type" also:"fstype,fs"`
	SizeBytes         Number   `json:"sizeBytes" also:"size,totalBytes,total,capacityBytes"`
	UsedBytes         Number   `json:"usedBytes" also:"used"`
	AvailBytes        Number   `json:"availBytes" also:"availableBytes,freeBytes,avail,available,free"`
	UsePercent        Number   `json:"usePercent" also:"usedPercent,usagePercent,percentUsed,percent,usePct,usedPct,use%,use,capacity,pcent"`
	Inodes            Number   `json:"inodes" also:"inodesTotal,totalInodes"`
	InodesUsed        Number   `json:"inodesUsed" also:"iused,usedInodes"`
	InodesFree        Number   `json:"inodesFree" also:"ifree,freeInodes,inodesAvailable"`
	GrowthBytesADay   Number   `json:"growthBytesPerDay" also:"growthPerDay,dailyGrowthBytes"` // what a sender worked out itself
	GrowthPercentADay Number   `json:"growthPercentPerDay" also:"dailyGrowthPercent"`
	DaysUntilFull     Number   `json:"daysUntilFull" also:"daysToFull,fullInDays,predictedFullInDays,estimatedDaysUntilFull"`
	ReadOnly          bool     `json:"readOnly" also:"ro"`
	History           []Sample `json:"history" also:"samples,series"`
	InodesUsePercent  Number   `json:"inodesUsePercent" also:"inodesUsedPercent,inodeUsePercent,inodeUsagePercent,inodePercent,inodesPercent,iuse%,iuse"`
}

// PathSize is a directory or file and how much it holds.
type PathSize struct {
	Path  string `json:"path" also:"name,directory,dir,file"`
	Bytes Number `json:"bytes" also:"size,sizeBytes,usedBytes"`
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
	Subject     string      `json:"subject" also:"commonName,cn,domain"`
	Name        string      `json:"name"`
	Namespace   string      `json:"namespace"`
	Host        string      `json:"host" also:"hostname,node,server,machine,instance,endpoint"`
	Issuer      string      `json:"issuer" also:"issuedBy,ca,issuerName"`
	DNSNames    []string    `json:"dnsNames" also:"sans,san,altNames,subjectAltNames,domains"`
	NotBefore   Time        `json:"notBefore" also:"validFrom,issuedAt"`
	NotAfter    Time        `json:"notAfter" also:"expiresAt,expiresOn,expires,expiry,expiryDate,expirationDate,expiration,validTo,validUntil"`
	CheckedAt   Time        `json:"checkedAt" also:"checked,asOf"`
	DaysLeft    Number      `json:"daysLeft" also:"daysRemaining,daysUntilExpiry,daysToExpiry,expiresInDays,remainingDays,validDays"`
	VerifyError string      `json:"verifyError" also:"verificationError,tlsError,error"`
	Conditions  []Condition `json:"conditions"` // cert-manager's
	PEM         string      `json:"pem"`
	Renewal     *Renewal    `json:"renewal" also:"lastRenewal"`
}

// Renewal is how the last attempt to renew a certificate ended.
type Renewal struct {
	Tool   string `json:"tool" also:"client"` // certbot, acme.sh, cert-manager
	Failed bool   `json:"failed"`
	Status string `json:"status" also:"result,state"`
	Error  string `json:"error" also:"message,detail,output"`
}

// Backup is the standing of one backup job.
type Backup struct {
	Tool                   string      `json:"tool"`
	Name                   string      `json:"name" also:"job"`
	Host                   string      `json:"host" also:"hostname,node,server,machine,instance"`
	Schedule               string      `json:"schedule"`
	Cron                   string      `json:"cron"`
	Status                 string      `json:"status" also:"state,result,lastStatus,lastResult,lastRunStatus"`
	Phase                  string      `json:"phase"`
	Message                string      `json:"message" also:"error,lastError,failureReason,reason,detail"`
	Errors                 Number      `json:"errors"`
	LastAttempt            Time        `json:"lastAttempt" also:"lastRun,lastRunAt,lastAttemptAt,startedAt,lastBackup"`
	LastSuccess            Time        `json:"lastSuccess" also:"lastSuccessAt,lastSuccessTime,lastSuccessful,lastSuccessfulBackup,lastSuccessfulRun,lastSuccessTimestamp"`
	AgeHours               Number      `json:"ageHours" also:"age,hoursSinceLastSuccess,hoursSinceSuccess,lastSuccessAgeHours"`
	MaxAgeHours            Number      `json:"maxAgeHours" also:"maxAge,rpoHours,maxAllowedAgeHours"`
	FailedSinceLastSuccess Number      `json:"failedSinceLastSuccess" also:"failuresSinceLastSuccess,consecutiveFailures"`
	RetentionDaysLeft      Number      `json:"retentionDaysLeft" also:"retentionLeftDays,daysUntilExpiry,expiresInDays"`
	SizeBytes              Number      `json:"sizeBytes" also:"size"`
	Paused                 bool        `json:"paused" also:"suspended"`
	Conditions             []Condition `json:"conditions"`
	CheckedAt              Time        `json:"checkedAt" also:"checked,asOf"`
}

// Service is what systemd says of one unit.
type Service struct {
	Host           string `json:"host" also:"hostname,node,server,machine,instance"`
	Unit           string `json:"unit" also:"name,service"`
	Type           string `json:"type"` // simple, oneshot, …
	LoadState      string `json:"loadState"`
	ActiveState    string `json:"activeState" also:"active,state,status"`
	SubState       string `json:"subState" also:"sub"`
	Result         string `json:"result"`
	ExecMainStatus Number `json:"execMainStatus" also:"exitCode,exitStatus"`
	TriggeredBy    string `json:"triggeredBy"` // the timer, socket or path that starts it
	Restarts       Number `json:"nRestarts" also:"restarts,restartCount"`
	Enabled        Word   `json:"enabled" also:"unitFileState"` // enabled, disabled, static, masked; true and false are read as the first two
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
	Engine                string   `json:"engine" also:"type"`
	Cluster               string   `json:"cluster" also:"clusterName,scope"`
	Host                  string   `json:"host" also:"hostname,node,server,machine,instance"`
	Name                  string   `json:"name" also:"database"`
	ConnectionsUsed       Number   `json:"connectionsUsed" also:"usedConnections,activeConnections,currentConnections,threadsConnected"`
	ConnectionsMax        Number   `json:"connectionsMax" also:"maxConnections,connectionLimit,poolSize"`
	ReplicationLagSeconds Number   `json:"replicationLagSeconds" also:"lagSeconds,replicationLag,secondsBehindMaster,secondsBehindSource"`
	ConnectionsPercent    Number   `json:"connectionsPercent" also:"connectionsUsedPercent,connectionUsagePercent,connectionsUsePercent"`
	Status                string   `json:"status" also:"state,health"`
	Members               []Member `json:"members" also:"nodes,instances,servers"`
}

// Member is one server of a replicated database.
type Member struct {
	Name       string `json:"name" also:"member,pod,host"`
	Role       string `json:"role" also:"type"`
	State      string `json:"state" also:"status,health"`
	Timeline   Number `json:"timeline" also:"tl"`
	LagBytes   Number `json:"lagBytes"`
	LagSeconds Number `json:"lagSeconds" also:"replicationLagSeconds"`
	LagMB      Number `json:"lagMB" also:"lagInMB,lagMegabytes"`
}

// Finding is one line of a security audit.
type Finding struct {
	Kind     string `json:"kind" also:"type,category,rule,check,ruleId,checkId,control"`
	Object   string `json:"object" also:"resource,target,name"`
	Severity string `json:"severity" also:"level"`
	Message  string `json:"message" also:"description,title,detail,msg"`
	Status   string `json:"status" also:"result,outcome"` // pass, fail; empty is a finding
}

// Usage is how much of something is in use: of a host, a node, a workload, or
// of whatever the evidence is about.
type Usage struct {
	Host             string            `json:"host" also:"hostname,node,server,machine,instance"`
	Namespace        string            `json:"namespace"`
	Kind             string            `json:"kind"`
	Name             string            `json:"name" also:"pod,workload"`
	Container        string            `json:"container"`
	Service          string            `json:"-"` // whose objectives the metrics are about
	CPUPercent       Number            `json:"cpuPercent" also:"cpuUsagePercent,cpuUsedPercent,cpuUtilization,cpuUtilizationPercent,cpuPct,cpuPercentUsed"`
	MemoryPercent    Number            `json:"memoryPercent" also:"memoryUsagePercent,memoryUsedPercent,memoryUtilization,memoryUtilizationPercent,memoryPct,memoryPercentUsed,memPercent,memUsagePercent,memUsedPercent,ramPercent"`
	CPUMillicores    Number            `json:"cpuMillicores" also:"millicores"` // what kubectl top measures; percent of a limit follows where the limit is known
	MemoryBytes      Number            `json:"memoryBytes" also:"memoryUsedBytes,memoryWorkingSetBytes,workingSetBytes"`
	BaselineCPU      Number            `json:"baselineCpuPercent" also:"baselineCpu,cpuBaseline,cpuBaselinePercent,usualCpuPercent,normalCpuPercent,typicalCpuPercent,expectedCpuPercent"` // what is usual at this hour
	BaselineMemory   Number            `json:"baselineMemoryPercent" also:"baselineMemory,memoryBaseline,memoryBaselinePercent,usualMemoryPercent,normalMemoryPercent,typicalMemoryPercent,expectedMemoryPercent"`
	TopProcesses     []Process         `json:"topProcesses" also:"processes,topProcess,process"`
	Series           []Series          `json:"series"`
	Measured         map[string]Number `json:"metrics" also:"measurements" rest:"numbers"`           // what has no field of its own
	Anomalous        bool              `json:"anomalous" also:"anomaly,isAnomalous,anomalyDetected"` // the sender's own detector says so
	AnomalousBecause string            `json:"anomalousBecause" also:"anomalyReason,anomalousReason"`
}

// Process is one line of top.
type Process struct {
	Name          string `json:"name" also:"command,comm,cmd,process,cmdline"`
	User          string `json:"user"`
	CPUPercent    Number `json:"cpuPercent" also:"cpu,cpuPct"`
	MemoryPercent Number `json:"memoryPercent" also:"memory,mem,memPercent"`
}

// Series is one metric over time.
type Series struct {
	Metric string  `json:"metric" also:"name,query"`                // cpuPercent, memoryPercent, memoryBytes, diskUsedPercent, …
	About  string  `json:"about" also:"mount,mountpoint,container"` // a mount, a container; may be empty
	Limit  Number  `json:"limit" also:"capacity,max"`               // where it is full; 100 for percentages
	Points []Point `json:"points" also:"values,samples,data,datapoints"`
}

// Point is one sample of a series.
type Point struct {
	T     Time   `json:"t"`
	Value Number `json:"value"`
}

// Aggregate is what n8n's monitoring merges for one service and window
// (SPEC section 1, /v1/monitoring).
type Aggregate struct {
	Service     string            `json:"service" also:"serviceName,app"`
	Window      Window            `json:"window"`
	Metrics     map[string]Number `json:"metrics" rest:"numbers"` // availability, error_rate, p99_latency, …
	Objectives  map[string]Number `json:"objectives"`             // what it must keep: availability and error_rate in per cent, p99_latency in milliseconds
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
	OK    bool   `json:"ok"` // true where nothing says otherwise
	AsOf  Time   `json:"as_of"`
	Error string `json:"error"`
}

// Rollout is one deployment that monitoring knows of.
type Rollout struct {
	Service string `json:"service"`
	Version string `json:"version" also:"tag,revision,sha"`
	At      Time   `json:"at" also:"time,timestamp,deployedAt,createdAt,finishedAt"`
	Status  string `json:"status" also:"state,result"`
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
