package intake

import (
	"strings"

	"salve/internal/incident"
)

// Families of causes, as far as an alert can suggest one.
const (
	familyPod      = "pod"
	familyWorkload = "workload"
	familyJob      = "job"
	familyNode     = "node"
	familyHost     = "host"
	familyService  = "service"
	familyCert     = "cert"
	familyBackup   = "backup"
	familySLO      = "slo"
	familyDB       = "db"
	familyResource = "resource"
	familyWatchdog = "watchdog"
)

// hypothesis is what the name of an alert says before anything is looked at.
type hypothesis struct {
	family   string
	about    string // the kind of target to look for first; "" for no preference
	suppress string // why such an alert is no incident
}

// hypotheses is by the words that an alert's name begins with, in the style of
// the kubernetes, node-exporter and alertmanager mixins. The longest wins.
var hypotheses = map[string]hypothesis{
	"Watchdog":      {familyWatchdog, "", "Watchdog always fires: it proves that alerts arrive"},
	"InfoInhibitor": {familyWatchdog, "", "InfoInhibitor only mutes alerts of severity info"},

	"KubePod":                  {familyPod, "Pod", ""},
	"KubeContainer":            {familyPod, "Pod", ""},
	"KubeDeployment":           {familyWorkload, "Deployment", ""},
	"KubeStatefulSet":          {familyWorkload, "StatefulSet", ""},
	"KubeDaemonSet":            {familyWorkload, "DaemonSet", ""},
	"KubeReplicaSet":           {familyWorkload, "ReplicaSet", ""},
	"KubeHpa":                  {familyWorkload, "HorizontalPodAutoscaler", ""},
	"KubePdb":                  {familyWorkload, "PodDisruptionBudget", ""},
	"KubeJob":                  {familyJob, "Job", ""},
	"KubeCronJob":              {familyJob, "CronJob", ""},
	"KubeNode":                 {familyNode, "Node", ""},
	"Kubelet":                  {familyNode, "Node", ""},
	"KubePersistentVolume":     {"", "PersistentVolumeClaim", ""},
	"KubeAPIErrorBudget":       {familySLO, "", ""},
	"KubeClientCertificate":    {familyCert, "", ""},
	"KubeletClientCertificate": {familyCert, "Node", ""},
	"KubeletServerCertificate": {familyCert, "Node", ""},
	"CPUThrottling":            {familyResource, "Pod", ""},

	"Pod":       {familyPod, "Pod", ""},
	"Container": {familyPod, "Pod", ""},
	"OOM":       {familyPod, "Pod", ""},

	"Node":                   {familyHost, kindHost, ""},
	"NodeNot":                {familyNode, "Node", ""},
	"NodeSystemdService":     {familyService, kindHost, ""},
	"NodeCPUHigh":            {familyResource, kindHost, ""},
	"NodeMemoryHigh":         {familyResource, kindHost, ""},
	"Host":                   {familyHost, kindHost, ""},
	"Disk":                   {familyHost, kindHost, ""},
	"TargetDown":             {familyService, "", ""},
	"InstanceDown":           {familyService, "", ""},
	"ServiceDown":            {familyService, "", ""},
	"Probe":                  {familyService, "", ""},
	"Cert":                   {familyCert, "", ""},
	"Certificate":            {familyCert, "", ""},
	"SSLCertificate":         {familyCert, "", ""},
	"TLSCertificate":         {familyCert, "", ""},
	"BlackboxSslCertificate": {familyCert, "", ""},
	"Backup":                 {familyBackup, "", ""},
	"Velero":                 {familyBackup, "", ""},
	"ErrorBudget":            {familySLO, "", ""},
	"ErrorRate":              {familySLO, "", ""},
	"HighErrorRate":          {familySLO, "", ""},
	"HighLatency":            {familySLO, "", ""},
	"SLO":                    {familySLO, "", ""},
	"Postgres":               {familyDB, "", ""},
	"Postgresql":             {familyDB, "", ""},
	"PostgreSQL":             {familyDB, "", ""},
	"Patroni":                {familyDB, "", ""},
	"Mysql":                  {familyDB, "", ""},
	"MySQL":                  {familyDB, "", ""},
}

// familyOfKind is the hypothesis when only the target is known.
var familyOfKind = map[string]string{
	"Pod": familyPod, "Deployment": familyWorkload, "StatefulSet": familyWorkload, "DaemonSet": familyWorkload,
	"ReplicaSet": familyWorkload, "HorizontalPodAutoscaler": familyWorkload, "PodDisruptionBudget": familyWorkload,
	"Job": familyJob, "CronJob": familyJob, "Node": familyNode, kindHost: familyHost,
}

// families are the words that a native alert's kind may say.
var families = map[string]bool{
	familyPod: true, familyWorkload: true, familyJob: true, "deploy": true, familyNode: true, familyHost: true,
	familyService: true, familyCert: true, familyBackup: true, familySLO: true, familyDB: true,
	familyResource: true, "security": true, "trend": true,
}

// hypothesisOf looks an alert's name up by whole words, longest first: Node
// fits NodeClockSkew and does not fit NodejsHeapFull.
func hypothesisOf(name string) hypothesis {
	for end := min(len(name), maxDNSLabel); end > 0; end-- {
		if end < len(name) && 'a' <= name[end] && name[end] <= 'z' {
			continue
		}
		if h, ok := hypotheses[name[:end]]; ok {
			return h
		}
	}
	return hypothesis{}
}

// familyFor picks the family: the sender's word, the alert's name, the target.
func familyFor(kind string, h hypothesis, target incident.Target) string {
	if family := incident.Family(strings.ToLower(kind)); families[family] {
		return family
	}
	if h.family != "" {
		return h.family
	}
	if family := familyOfKind[target.Kind]; family != "" {
		return family
	}
	return incident.CauseUnknown
}
