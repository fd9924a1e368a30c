package intake

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"salve/internal/incident"
)

// Labels that Prometheus puts on what it scrapes, in the ways in which these
// exporters are installed. Where the metric has such a label itself, the
// scrape's either gives way (honorLabels) or pushes it aside to exported_….
const (
	ksmStack      = " job=kube-state-metrics service=kps-kube-state-metrics container=kube-state-metrics endpoint=http instance=10.244.1.7:8080 prometheus=monitoring/kps-prometheus"
	ksmStackPod   = ksmStack + " pod=kps-kube-state-metrics-6c4f7b9d8-hx2lp"
	ksmPushed     = ksmStackPod + " namespace=monitoring"
	ksmPrometheus = " job=kube-state-metrics container=kube-rbac-proxy-main instance=10.244.1.7:8443 prometheus=monitoring/k8s"
	ksmChart      = " job=kubernetes-service-endpoints service=prometheus-kube-state-metrics app_kubernetes_io_name=kube-state-metrics node=worker-9 instance=10.244.1.7:8080"
	nodeStack     = " job=node-exporter service=kps-prometheus-node-exporter container=node-exporter endpoint=http-metrics instance=10.0.0.12:9100 namespace=monitoring pod=kps-prometheus-node-exporter-8wzq7"
	nodeOperator  = " job=node-exporter container=kube-rbac-proxy endpoint=https instance=worker-3 namespace=monitoring pod=node-exporter-8wzq7 service=node-exporter"
	nodeDebian    = " job=node instance=web-01:9100"
	kubelet       = " job=kubelet service=kps-kubelet endpoint=https-metrics instance=10.0.0.12:10250 node=worker-3 metrics_path=/metrics"
	cadvisor      = " job=kubelet service=kps-kubelet endpoint=https-metrics instance=10.0.0.12:10250 node=worker-3 metrics_path=/metrics/cadvisor"
	blackboxPod   = " job=blackbox service=prometheus-blackbox-exporter container=blackbox-exporter namespace=monitoring pod=prometheus-blackbox-exporter-5f6c8-abcde"
	certManager   = " job=cert-manager service=cert-manager container=cert-manager-controller endpoint=tcp-prometheus-servicemonitor instance=10.244.2.3:9402 pod=cert-manager-6d4b7c-xk2lq"
	argocd        = " job=argocd-application-controller-metrics service=argocd-application-controller-metrics container=application-controller endpoint=http-metrics instance=10.244.3.4:8082 namespace=argocd pod=argocd-application-controller-0"
	velero        = " job=velero service=velero container=velero endpoint=http-monitoring instance=10.244.4.5:8085 namespace=velero pod=velero-7c9f-abcde"
	pgSidecar     = " job=shop-db-metrics service=shop-db-metrics container=metrics endpoint=http-metrics instance=10.244.5.6:9187 namespace=production pod=shop-db-0"
	pgElsewhere   = " job=prometheus-postgres-exporter service=prometheus-postgres-exporter container=prometheus-postgres-exporter endpoint=http instance=10.244.5.7:9187 namespace=monitoring pod=prometheus-postgres-exporter-5b8-qqqqq"
)

type patientCase struct {
	name    string // and where such labels come from
	labels  string
	want    incident.Target
	says    string // the hypothesis, or its family
	service string
}

func inContainer(t incident.Target, container string) incident.Target {
	t.Container = container
	return t
}

func unitOf(host, unit string) incident.Target {
	return incident.Target{Cluster: "main", Kind: "Host", Host: host, Service: unit}
}

var patients = []patientCase{
	// kube-state-metrics
	{"crash loop, kube-prometheus-stack", "alertname=KubePodCrashLooping namespace=production pod=shop-7d9-x7k2m container=app reason=CrashLoopBackOff uid=6f1f job=kube-state-metrics service=kps-kube-state-metrics instance=10.244.1.7:8080 endpoint=http", inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "pod", ""},
	{"crash loop, kube-prometheus", "alertname=KubePodCrashLooping namespace=production pod=shop-7d9-x7k2m container=app reason=CrashLoopBackOff job=kube-state-metrics instance=10.244.1.7:8443 prometheus=monitoring/k8s", inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "pod", ""},
	{"crash loop, honorLabels off", "alertname=KubePodCrashLooping exported_namespace=production exported_pod=shop-7d9-x7k2m exported_container=app" + ksmPushed, inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "pod", ""},
	{"crash loop of kube-state-metrics itself", "alertname=KubePodCrashLooping namespace=monitoring" + ksmStackPod, object("monitoring", "Pod", "kps-kube-state-metrics-6c4f7b9d8-hx2lp"), "pod", ""},
	{"crash loop, rule by namespace and pod", "alertname=KubePodNotReady namespace=production pod=payments-0 job=kube-state-metrics", object("production", "Pod", "payments-0"), "pod", ""},
	{"out of memory, awesome-prometheus-alerts", "alertname=KubernetesContainerOomKiller namespace=production pod=shop-7d9-x7k2m container=app uid=6f1f job=kube-state-metrics instance=10.244.1.7:8080", inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "pod.oom_killed", ""},
	{"a waiting container that says why", "alertname=KubeContainerWaiting namespace=production pod=shop-7d9-x7k2m container=app reason=CreateContainerConfigError" + ksmPrometheus[len(" job=kube-state-metrics container=kube-rbac-proxy-main"):], inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "pod.config_missing", ""},
	{"a waiting container that does not", "alertname=KubeContainerWaiting namespace=production pod=shop-7d9-x7k2m container=app reason=ContainerCreating", inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "pod", ""},
	{"rollout, kube-prometheus-stack: pod and container are the exporter's", "alertname=KubeDeploymentRolloutStuck namespace=production deployment=shop condition=Progressing status=false" + ksmStackPod, object("production", "Deployment", "shop"), "workload.rollout_stalled", ""},
	{"rollout, kube-prometheus", "alertname=KubeDeploymentRolloutStuck namespace=production deployment=shop condition=Progressing status=false" + ksmPrometheus, object("production", "Deployment", "shop"), "workload.rollout_stalled", ""},
	{"rollout, honorLabels off: the namespace is the exporter's", "alertname=KubeDeploymentReplicasMismatch exported_namespace=production deployment=shop" + ksmPushed, object("production", "Deployment", "shop"), "workload", ""},
	{"rollout, prometheus chart: service and node are the exporter's", "alertname=KubernetesDeploymentReplicasMismatch namespace=production deployment=shop" + ksmChart, object("production", "Deployment", "shop"), "workload", ""},
	{"a rule that nobody knows, on a deployment", "alertname=ShopIsSmall namespace=production deployment=shop" + ksmStackPod, object("production", "Deployment", "shop"), "workload", ""},
	{"a rule that nobody knows, honorLabels off, the exporter called otherwise", "alertname=ShopIsSmall exported_namespace=production deployment=shop job=ksm service=ksm container=ksm instance=10.244.1.7:8080 namespace=monitoring pod=ksm-6c4f7b9d8-hx2lp", object("production", "Deployment", "shop"), "workload", ""},
	{"the same, on a namespace: instance is the exporter's", "alertname=NamespaceIsFull exported_namespace=production job=ksm container=ksm instance=10.244.1.7:8080 namespace=monitoring pod=ksm-6c4f7b9d8-hx2lp", object("", "Namespace", "production"), "unknown", ""},
	{"a rule that nobody knows, kube-prometheus, the exporter's pod called otherwise", "alertname=ShopIsSmall namespace=production deployment=shop pod=ksm-6c4f7b9d8-hx2lp" + ksmPrometheus, object("production", "Deployment", "shop"), "workload", ""},
	{"a rule that nobody knows, where only the container gives the exporter away", "alertname=ShopIsSmall namespace=production deployment=shop job=ksm container=kube-state-metrics instance=10.244.1.7:8080 pod=ksm-6c4f7b9d8-hx2lp", object("production", "Deployment", "shop"), "workload", ""},
	{"a rule that nobody knows, on a namespace", "alertname=NamespaceIsFull namespace=production" + ksmStackPod, object("", "Namespace", "production"), "unknown", ""},
	{"a rule that nobody knows, on a namespace, honorLabels off", "alertname=NamespaceIsFull exported_namespace=production" + ksmPushed, object("", "Namespace", "production"), "unknown", ""},
	{"a rule that nobody knows, on a namespace, prometheus chart: no node", "alertname=NamespaceIsFull namespace=production" + ksmChart, object("", "Namespace", "production"), "unknown", ""},
	{"statefulset", "alertname=KubeStatefulSetUpdateNotRolledOut namespace=production statefulset=shop-db job=kube-state-metrics", object("production", "StatefulSet", "shop-db"), "workload.rollout_stalled", ""},
	{"daemonset, honorLabels off", "alertname=KubeDaemonSetRolloutStuck exported_namespace=logging daemonset=alloy" + ksmPushed, object("logging", "DaemonSet", "alloy"), "workload.rollout_stalled", ""},
	{"autoscaler", "alertname=KubeHpaMaxedOut namespace=production horizontalpodautoscaler=shop" + ksmStackPod, object("production", "HorizontalPodAutoscaler", "shop"), "workload.hpa_maxed", ""},
	{"autoscaler, the older label", "alertname=KubernetesHpaMetricsUnavailability namespace=production hpa=shop condition=ScalingActive status=false" + ksmStackPod, object("production", "HorizontalPodAutoscaler", "shop"), "workload.hpa_metrics_missing", ""},
	{"disruption budget", "alertname=KubePdbNotEnoughHealthyPods namespace=production poddisruptionbudget=shop" + ksmStackPod, object("production", "PodDisruptionBudget", "shop"), "workload.pdb_blocked", ""},
	{"words that begin like a pod's", "alertname=PodDisruptionBudgetAtLimit namespace=production poddisruptionbudget=shop" + ksmStackPod, object("production", "PodDisruptionBudget", "shop"), "workload", ""},
	{"words that begin like a pod's, and a pod that is the exporter's", "alertname=PodsAreFew namespace=production deployment=shop" + ksmStackPod, object("production", "Deployment", "shop"), "workload", ""},
	{"words of a pod, and a pod that is the exporter's", "alertname=PodFew namespace=production deployment=shop" + ksmStackPod, object("production", "Deployment", "shop"), "pod", ""},
	{"a known rule that somebody has summed up: still no exporter's pod", "alertname=KubeDeploymentRolloutStuck namespace=production" + ksmStackPod, object("", "Namespace", "production"), "workload.rollout_stalled", ""},
	{"quota, by namespace, resource and resourcequota", "alertname=KubeQuotaExceeded namespace=production resource=requests.memory resourcequota=compute", object("production", "ResourceQuota", "compute"), "workload.quota_exceeded", ""},
	{"job", "alertname=KubeJobFailed namespace=batch job_name=nightly-29012345 condition=true" + ksmStackPod, object("batch", "Job", "nightly-29012345"), "job", ""},
	{"job, honorLabels off, whose metric calls it job", "alertname=KubeJobFailed exported_namespace=batch exported_job=nightly-29012345" + ksmPushed, object("batch", "Job", "nightly-29012345"), "job", "nightly-29012345"},
	{"job that says why", "alertname=KubernetesJobFailed namespace=batch job_name=nightly-29012345 reason=DeadlineExceeded" + ksmStackPod, object("batch", "Job", "nightly-29012345"), "job.deadline_exceeded", ""},
	{"cron job", "alertname=KubernetesCronjobFailing namespace=batch cronjob=nightly" + ksmStackPod, object("batch", "CronJob", "nightly"), "job", ""},
	{"node: the namespace is the exporter's", "alertname=KubeNodeNotReady node=worker-3 condition=Ready status=true namespace=monitoring" + ksmStackPod, object("", "Node", "worker-3"), "node.not_ready", ""},
	{"node under pressure", "alertname=KubeNodePressure node=worker-3 condition=DiskPressure status=true namespace=monitoring" + ksmStackPod, object("", "Node", "worker-3"), "node.disk_pressure", ""},
	{"node under a pressure that is new", "alertname=KubeNodePressure node=worker-3 condition=Loneliness status=true", object("", "Node", "worker-3"), "node", ""},
	{"node, pushed aside by the scrape's", "alertname=KubernetesNodeNotReady exported_node=worker-3 node=worker-9 job=kube-state-metrics instance=10.244.1.7:8080", object("", "Node", "worker-3"), "node.not_ready", ""},
	{"volume", "alertname=KubePersistentVolumeErrors persistentvolume=pvc-6f1f8b1e phase=Failed namespace=monitoring" + ksmStackPod, object("", "PersistentVolume", "pvc-6f1f8b1e"), "unknown", ""},
	{"kube-state-metrics' own trouble", "alertname=KubeStateMetricsListErrors cluster=main", service("", "KubeStateMetricsListErrors"), "service", ""},

	// kubelet and cAdvisor
	{"claim", "alertname=KubePersistentVolumeFillingUp namespace=production persistentvolumeclaim=data-shop-db-0" + kubelet, object("production", "PersistentVolumeClaim", "data-shop-db-0"), "trend.disk_filling", ""},
	{"kubelet", "alertname=KubeletInstanceUnreachable namespace=kube-system" + kubelet, object("", "Node", "worker-3"), "node.not_ready", ""},
	{"eviction", "alertname=KubeNodeEviction eviction_signal=memory.available instance=10.0.0.12:10250 node=worker-3", object("", "Node", "worker-3"), "node.memory_pressure", ""},
	{"kubelet's certificate", "alertname=KubeletServerCertificateExpiration namespace=kube-system" + kubelet, object("", "Node", "worker-3"), "cert.expiring", ""},
	{"throttling, without job and node", "alertname=CPUThrottlingHigh namespace=production pod=shop-7d9-x7k2m container=app instance=10.0.0.12:10250 service=kps-kubelet", inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "resource.cpu_saturated", ""},
	{"an exporter's pod is the patient of cAdvisor", "alertname=PodIsFat namespace=monitoring pod=kps-prometheus-node-exporter-8wzq7 container=node-exporter" + cadvisor, inContainer(object("monitoring", "Pod", "kps-prometheus-node-exporter-8wzq7"), "node-exporter"), "pod", ""},
	{"an exporter's pod is the patient where a rule kept it", "alertname=Restarting namespace=monitoring pod=kps-prometheus-node-exporter-8wzq7 container=node-exporter", inContainer(object("monitoring", "Pod", "kps-prometheus-node-exporter-8wzq7"), "node-exporter"), "pod", ""},

	// node-exporter
	{"disk, kube-prometheus-stack: pod and namespace are the exporter's", "alertname=NodeFilesystemAlmostOutOfSpace device=/dev/sda1 fstype=ext4 mountpoint=/" + nodeStack, host("10.0.0.12"), "host.disk_full", ""},
	{"disk, kube-prometheus: instance is the node", "alertname=NodeFilesystemAlmostOutOfFiles device=/dev/sda1 fstype=ext4 mountpoint=/" + nodeOperator, host("worker-3"), "host.inodes_full", ""},
	{"disk, a node label attached", "alertname=NodeFilesystemSpaceFillingUp device=/dev/sda1 mountpoint=/ node=worker-3" + nodeStack, host("worker-3"), "trend.disk_filling", ""},
	{"disk, joined with node_uname_info", "alertname=HostOutOfDiskSpace device=/dev/sda1 mountpoint=/ nodename=web-01" + nodeStack, host("web-01"), "host.disk_full", ""},
	{"disk, a plain machine", "alertname=HostOutOfInodes device=/dev/sda1 mountpoint=/" + nodeDebian, host("web-01"), "host.inodes_full", ""},
	{"unit", "alertname=NodeSystemdServiceFailed name=nginx.service state=failed type=notify" + nodeDebian, unitOf("web-01", "nginx.service"), "service.down", ""},
	{"unit of a template", "alertname=HostSystemdServiceCrashed name=postgresql@16-main.service state=failed" + nodeDebian, unitOf("web-01", "postgresql@16-main.service"), "service.down", ""},
	{"a unit that cannot be one", "alertname=NodeSystemdServiceFailed name=--now.service state=failed" + nodeDebian, host("web-01"), "service.down", ""},
	{"unit, systemd_exporter", "alertname=SystemdUnitFailed name=nginx.service state=failed type=service job=systemd-exporter instance=web-01:9558", unitOf("web-01", "nginx.service"), "service.down", ""},
	{"CPU", "alertname=NodeCPUHighUsage" + nodeOperator, host("worker-3"), "resource.cpu_saturated", ""},
	{"a rule that nobody knows, on a machine", "alertname=FanIsLoud chip=0" + nodeStack, host("10.0.0.12"), "host", ""},
	{"a machine that is another one for everybody", "alertname=NodeClockSkewDetected job=node instance=localhost:9100", service("", "NodeClockSkewDetected"), "host", ""},
	{"the same, as an address", "alertname=NodeClockSkewDetected job=node instance=[::1]:9100", service("", "NodeClockSkewDetected"), "host", ""},

	// blackbox exporter, ssl_exporter
	{"probe, relabelled in a scrape job: everything else is the exporter's", "alertname=BlackboxProbeFailed instance=https://shop.example.org/health" + blackboxPod, host("shop.example.org"), "service.down", ""},
	{"probe, from a Probe object", "alertname=BlackboxProbeFailed instance=https://shop.example.org job=probe/monitoring/web namespace=monitoring", host("shop.example.org"), "service.down", "probe/monitoring/web"},
	{"probe, the address left in target", "alertname=BlackboxProbeHttpFailure instance=prometheus-blackbox-exporter:9115 target=https://shop.example.org job=blackbox", host("shop.example.org"), "service.down", ""},
	{"probe of a port", "alertname=BlackboxProbeFailed instance=db-1.example.org:5432" + blackboxPod, host("db-1.example.org"), "service.down", ""},
	{"certificate behind a probe", "alertname=BlackboxSslCertificateWillExpireSoon instance=https://shop.example.org" + blackboxPod, host("shop.example.org"), "cert.expiring", ""},
	{"certificate behind a probe, expired", "alertname=BlackboxSslCertificateExpired instance=https://shop.example.org" + blackboxPod, host("shop.example.org"), "cert.expired", ""},
	{"a rule that nobody knows, on a probe", "alertname=ShopIsUgly instance=https://shop.example.org" + blackboxPod, host("shop.example.org"), "host", ""},
	{"the same, the address left in target", "alertname=ShopIsUgly instance=prometheus-blackbox-exporter:9115 target=https://shop.example.org job=blackbox", host("shop.example.org"), "host", ""},
	{"ssl_exporter", "alertname=SslCertificateExpiry(<7Days) instance=shop.example.org:443 job=ssl-exporter cn=shop.example.org serial_no=42", host("shop.example.org"), "cert.expiring", ""},
	{"certificate behind a probe that has a name", "alertname=CertificateExpiringSoon instance=https://shop.example.org name=web namespace=monitoring job=probes", host("shop.example.org"), "cert", "probes"},
	{"the prober's own trouble", "alertname=BlackboxConfigurationReloadFailure instance=10.244.6.7:9115" + blackboxPod, object("monitoring", "Pod", "prometheus-blackbox-exporter-5f6c8-abcde"), "service", ""},

	// cert-manager, x509-certificate-exporter
	{"cert-manager, mixin", "alertname=CertManagerCertExpirySoon exported_namespace=production namespace=cert-manager name=shop-tls", object("production", "Certificate", "shop-tls"), "cert.expiring", ""},
	{"cert-manager, mixin with the namespace moved", "alertname=CertManagerCertNotReady namespace=production name=shop-tls condition=False", object("production", "Certificate", "shop-tls"), "cert.renewal_failed", ""},
	{"cert-manager, all labels", "alertname=CertificateExpiringSoon exported_namespace=production name=shop-tls issuer_name=letsencrypt issuer_kind=ClusterIssuer namespace=cert-manager" + certManager, object("production", "Certificate", "shop-tls"), "cert", ""},
	{"cert-manager, honorLabels on: the pod is not in that namespace", "alertname=CertificateExpiringSoon namespace=production name=shop-tls issuer_name=letsencrypt" + certManager, object("production", "Certificate", "shop-tls"), "cert", ""},
	{"a rule that nobody knows, on a certificate: never cert-manager's pod", "alertname=TlsIsOld exported_namespace=production name=shop-tls namespace=cert-manager" + certManager, object("", "Namespace", "production"), "unknown", ""},
	{"the same, honorLabels on", "alertname=TlsIsOld namespace=production name=shop-tls" + certManager, service("", "TlsIsOld"), "unknown", ""},
	{"ACME limits: the host is Let's Encrypt's", "alertname=CertManagerHittingRateLimits host=acme-v02.api.letsencrypt.org", service("", "CertManagerHittingRateLimits"), "cert.renewal_failed", ""},
	{"cert-manager is gone", "alertname=CertManagerAbsent job=cert-manager", service("", "cert-manager"), "service.down", ""},
	{"x509 exporter, a secret", "alertname=CertificateRenewal secret_namespace=production secret_name=shop-tls secret_key=tls.crt subject_CN=shop.example.org issuer_CN=R11 job=x509-certificate-exporter instance=10.244.7.8:9793 namespace=monitoring pod=x509-certificate-exporter-5d9-zzzzz", object("production", "Secret", "shop-tls"), "cert.expiring", ""},
	{"x509 exporter, a file", "alertname=CertificateExpiration filename=apiserver.crt filepath=/etc/kubernetes/pki/apiserver.crt subject_CN=kube-apiserver job=x509-certificate-exporter instance=10.244.7.8:9793 namespace=monitoring pod=x509-certificate-exporter-nodes-zzzzz", service("", "kube-apiserver"), "cert.expiring", ""},

	{"x509 exporter, prometheus chart: the node is the exporter's", "alertname=CertificateExpiration filepath=/pki/ca.crt subject_CN=internal-ca job=kubernetes-service-endpoints app_kubernetes_io_name=x509-certificate-exporter node=worker-9 instance=10.244.7.8:9793", service("", "internal-ca"), "cert.expiring", ""},

	// Argo CD, Flux, Velero, KEDA
	{"Argo CD, mixin by project and name", "alertname=ArgoCdAppOutOfSync name=shop project=default dest_server=https://kubernetes.default.svc sync_status=OutOfSync job=argocd-metrics", object("", "Application", "shop"), "deploy.failed", ""},
	{"Argo CD, all labels: never the controller's pod", "alertname=ArgoAppSyncFailed name=shop exported_namespace=argocd-apps project=default dest_namespace=production phase=Failed" + argocd, object("argocd-apps", "Application", "shop"), "deploy.failed", ""},
	{"Argo CD, honorLabels on", "alertname=ArgoAppNotSynced name=shop project=default" + argocd, object("argocd", "Application", "shop"), "deploy.failed", ""},
	{"Argo CD reports nothing", "alertname=ArgoAppMissing", service("", "ArgoAppMissing"), "service.down", ""},
	{"Argo CD's own trouble: the service is Slack", "alertname=ArgoCdNotificationDeliveryFailed job=argocd-notifications-controller-metrics exported_service=slack succeeded=false", service("", "argocd-notifications-controller-metrics"), "service", ""},
	{"Flux, from its controller", "alertname=ReconciliationFailure kind=HelmRelease name=shop exported_namespace=production type=Ready status=False namespace=flux-system pod=helm-controller-5b8-ccccc container=manager job=flux-system/flux-system instance=10.244.8.9:8080", object("production", "HelmRelease", "shop"), "deploy.failed", ""},
	{"Flux, from kube-state-metrics", "alertname=FluxKustomizationFailure customresource_kind=Kustomization customresource_group=kustomize.toolkit.fluxcd.io exported_namespace=flux-system name=apps ready=False" + ksmPushed, object("flux-system", "Kustomization", "apps"), "deploy.failed", ""},
	{"Flux, a kind that it does not have", "alertname=ReconciliationFailure kind=Secret name=shop exported_namespace=production namespace=flux-system", object("", "Namespace", "production"), "deploy.failed", ""},
	{"Velero", "alertname=VeleroBackupFailed schedule=nightly" + velero, object("velero", "Schedule", "nightly"), "backup.failed", ""},
	{"Velero, by schedule alone", "alertname=VeleroNoNewBackup schedule=nightly", object("", "Schedule", "nightly"), "backup.stale", ""},
	{"KEDA", "alertname=KedaScaledObjectErrors scaledObject=shop exported_namespace=production job=keda-operator", object("production", "ScaledObject", "shop"), "workload.hpa_metrics_missing", ""},

	// databases
	{"Postgres, the exporter beside it", "alertname=PostgresqlDown" + pgSidecar + " server=localhost:5432", object("production", "Pod", "shop-db-0"), "db.primary_down", "shop-db-metrics"},
	{"Postgres, the exporter elsewhere", "alertname=PostgreSQLHighConnections server=shop-db.example.org:5432 datname=shop" + pgElsewhere, host("shop-db.example.org"), "db.connections_exhausted", ""},
	{"Postgres, the exporter elsewhere and silent about whom it looks at", "alertname=PostgreSQLDown" + pgElsewhere, service("", "PostgreSQLDown"), "db.primary_down", ""},
	{"Postgres, on its own machine", "alertname=PostgresqlReplicationLag job=postgres instance=db-1:9187 server=127.0.0.1:5432", host("db-1"), "db.replication_lag", "postgres"},
	{"Patroni, by scope", "alertname=PatroniHasNoLeader scope=shop", service("", "shop"), "db.primary_down", ""},
	{"CloudNativePG, by pod", "alertname=CNPGClusterHighConnectionsCritical pod=shop-db-1 namespace=production cnpg_cluster=shop-db", object("production", "Cluster", "shop-db"), "db.connections_exhausted", ""},
	{"CloudNativePG, by node: the node is not ill", "alertname=CNPGClusterInstancesOnSameNode node=worker-3 namespace=production cnpg_cluster=shop-db", object("production", "Cluster", "shop-db"), "db", ""},
	{"MySQL, one exporter for many", "alertname=MySQLDown job=mysqld-exporter instance=db-2.example.org:3306", host("db-2.example.org"), "db.primary_down", ""},
	{"Redis, one exporter for many", "alertname=RedisDown job=redis_exporter_targets instance=redis://cache-1.example.org:6379", host("cache-1.example.org"), "db.primary_down", ""},
	{"Redis, the exporter beside it", "alertname=RedisTooManyConnections job=cache container=redis-exporter service=cache instance=10.244.5.8:9121 namespace=production pod=cache-0", object("production", "Pod", "cache-0"), "db.connections_exhausted", "cache"},

	{"a rule that nobody knows, on a database: its pod, and not the exporter's container", "alertname=ShopIsSlow" + pgSidecar, object("production", "Pod", "shop-db-0"), "pod", "shop-db-metrics"},
	{"the same, the container called by its name", "alertname=CacheIsCold job=cache container=redis-exporter service=cache instance=10.244.5.8:9121 namespace=production pod=cache-0", object("production", "Pod", "cache-0"), "pod", "cache"},

	// what is scraped, the control plane, service levels
	{"a target is down", "alertname=TargetDown job=api-gateway namespace=production service=api-gateway", service("production", "api-gateway"), "service.down", "api-gateway"},
	{"an exporter is down: here it is the patient", "alertname=TargetDown job=node-exporter namespace=monitoring service=kps-prometheus-node-exporter", service("monitoring", "kps-prometheus-node-exporter"), "service.down", ""},
	{"an instance is down, in a cluster", "alertname=InstanceDown job=shop service=shop namespace=production pod=shop-7d9-x7k2m container=app instance=10.244.9.9:8080", object("production", "Pod", "shop-7d9-x7k2m"), "service.down", "shop"},
	{"an instance is down, a machine", "alertname=PrometheusTargetMissing job=node instance=web-01:9100", host("web-01"), "service.down", ""},
	{"Prometheus", "alertname=PrometheusRuleFailures job=prometheus-k8s service=prometheus-k8s namespace=monitoring pod=prometheus-k8s-0 container=prometheus instance=10.244.9.1:9090 rule_group=x", object("monitoring", "Pod", "prometheus-k8s-0"), "service", "prometheus-k8s"},
	{"prometheus-operator", "alertname=PrometheusOperatorSyncFailed controller=prometheus namespace=monitoring job=prometheus-operator pod=prometheus-operator-5d-kkkkk instance=10.244.9.2:8443", object("monitoring", "Pod", "prometheus-operator-5d-kkkkk"), "service", "prometheus-operator"},
	{"Alertmanager, by namespace and service", "alertname=AlertmanagerClusterDown namespace=monitoring service=alertmanager-main", service("monitoring", "alertmanager-main"), "service.down", "alertmanager-main"},
	{"scheduler, absent", "alertname=KubeSchedulerDown job=kube-scheduler", service("", "kube-scheduler"), "service.down", "kube-scheduler"},
	{"API server, clients' certificates: no machine's own", "alertname=KubeClientCertificateExpiration job=apiserver instance=10.0.0.1:6443", service("", "apiserver"), "cert.expiring", "apiserver"},
	{"aggregated API", "alertname=KubeAggregatedAPIDown name=v1beta1.metrics.k8s.io namespace=default", object("", "APIService", "v1beta1.metrics.k8s.io"), "service.down", ""},
	{"etcd", "alertname=etcdMembersDown job=etcd", service("", "etcd"), "service.down", "etcd"},
	{"Pyrra", "alertname=ErrorBudgetBurn slo=shop-availability exhaustion=2d short=5m long=1h", service("", "shop-availability"), "slo", ""},
	{"Sloth", "alertname=ShopHighErrors sloth_id=shop-requests sloth_service=shop sloth_slo=requests sloth_severity=page", service("", "shop"), "unknown", "shop"},
	{"ingress: the service behind it", "alertname=HighErrorRate exported_namespace=production exported_service=shop ingress=shop host=shop.example.org job=ingress-nginx service=ingress-nginx namespace=ingress pod=ingress-nginx-controller-5d-jjjjj", service("production", "shop"), "slo.error_rate", "shop"},
	{"an application's own metrics", "alertname=HighLatency job=shop service=shop namespace=production pod=shop-7d9-x7k2m container=app instance=10.244.9.9:8080", inContainer(object("production", "Pod", "shop-7d9-x7k2m"), "app"), "slo.latency", "shop"},
}

func TestPatients(t *testing.T) {
	for _, tt := range patients {
		t.Run(tt.name, func(t *testing.T) {
			item := one(t, alertmanager(t), input(notificationOf(firing(labelsOf(tt.labels)))))
			if diff := cmp.Diff(tt.want, item.Event.Target); diff != "" {
				t.Errorf("target (-want +got):\n%s", diff)
			}
			cause := tt.says
			if !incident.IsCause(cause) {
				cause = ""
			}
			if item.Event.Family != incident.Family(tt.says) || item.Event.Hypothesis != cause {
				t.Errorf("family %q, hypothesis %q; want %q", item.Event.Family, item.Event.Hypothesis, tt.says)
			}
			if item.Event.Service != tt.service {
				t.Errorf("service %q, want %q", item.Event.Service, tt.service)
			}
		})
	}
}

// An address that everybody has is said to be none, unless a better one was found.
func TestLoopbackIsNobody(t *testing.T) {
	tests := []struct{ labels, note string }{
		{"alertname=NodeClockSkewDetected job=node instance=localhost:9100", `"localhost" is another machine for everyone who reads it: not taken as the target`},
		{"alertname=NodeClockSkewDetected job=node instance=LOCALHOST.localdomain:9100", `"LOCALHOST.localdomain" is another machine for everyone who reads it: not taken as the target`},
		{"alertname=NodeClockSkewDetected job=node instance=127.0.1.1:9100", `"127.0.1.1" is another machine for everyone who reads it: not taken as the target`},
		{"alertname=NodeClockSkewDetected job=node instance=0.0.0.0:9100", `"0.0.0.0" is another machine for everyone who reads it: not taken as the target`},
		{"alertname=NodeClockSkewDetected job=node instance=[::ffff:127.0.0.1]:9100", `"::ffff:127.0.0.1" is another machine for everyone who reads it: not taken as the target`},
		{"alertname=PostgresqlDown job=postgres instance=db-1:9187 server=127.0.0.1:5432", ""},
	}
	for _, tt := range tests {
		item := one(t, alertmanager(t), input(notificationOf(firing(labelsOf(tt.labels)))))
		if got := strings.Join(item.Notes, "; "); got != tt.note || (item.Event.Target.Host == "") != (tt.note != "") {
			t.Errorf("%s: notes %q, target %v", tt.labels, got, item.Event.Target)
		}
	}
}

// Whatever an alert is about, what its labels say stays data.
func TestKnownAlertsWithHostileLabels(t *testing.T) {
	names := []string{"hostname", "node", "instance", "target", "server", "scope", "name", "kind", "slo", "service", "job", "namespace", "exported_pod",
		"exported_namespace", "secret_name", "secret_namespace", "subject_CN", "customresource_kind", "container", "exported_container"}
	for _, o := range objectLabels {
		names = append(names, o.label)
	}
	for _, a := range readAlerts(alertTable) {
		for _, evil := range injections {
			labels := map[string]string{}
			for _, name := range names {
				labels[name] = evil
			}
			labels["alertname"] = a.name
			e := one(t, alertmanager(t), input(notificationOf(firing(labels)))).Event
			checkEvent(t, e)
			if e.Target.Name+e.Target.Host+e.Target.Container+e.Target.Namespace != "" {
				t.Fatalf("%s with %q is about %+v", a.name, evil, e.Target)
			}
		}
	}
}

func labelsOf(text string) map[string]string {
	labels := map[string]string{}
	for _, pair := range strings.Fields(text) {
		name, value, _ := strings.Cut(pair, "=")
		labels[name] = value
	}
	return labels
}
