package main

import (
	"context"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apiserver/pkg/quota/v1/generic"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/scale"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/controller-manager/pkg/informerfactory"
	"k8s.io/klog/v2"

	"k8s.io/kubernetes/pkg/controller"
	"k8s.io/kubernetes/pkg/controller/cronjob"
	"k8s.io/kubernetes/pkg/controller/daemon"
	"k8s.io/kubernetes/pkg/controller/deployment"
	"k8s.io/kubernetes/pkg/controller/disruption"
	"k8s.io/kubernetes/pkg/controller/garbagecollector"
	"k8s.io/kubernetes/pkg/controller/job"
	"k8s.io/kubernetes/pkg/controller/namespace"
	"k8s.io/kubernetes/pkg/controller/replicaset"
	"k8s.io/kubernetes/pkg/controller/resourcequota"
	"k8s.io/kubernetes/pkg/controller/serviceaccount"
	"k8s.io/kubernetes/pkg/controller/statefulset"
	quotainstall "k8s.io/kubernetes/pkg/quota/v1/install"
)

// manager is what controllers are made of.
type manager struct {
	config    *rest.Config
	client    *kubernetes.Clientset
	metadata  metadata.Interface
	mapper    *restmapper.DeferredDiscoveryRESTMapper
	informers informers.SharedInformerFactory
	either    informerfactory.InformerFactory // typed where the type is known
	started   chan struct{}                   // closed when the informers run
}

// loop is a controller that is ready to run until its context ends.
type loop func(context.Context)

// startControllers runs the controllers of a kube-controller-manager that
// matter here. All are made before the informers start: they say what to watch.
func startControllers(ctx context.Context, config *rest.Config, c *kubernetes.Clientset) error {
	md, err := metadata.NewForConfig(config)
	if err != nil {
		return err
	}
	typed, untyped := informers.NewSharedInformerFactory(c, 0), metadatainformer.NewSharedInformerFactory(md, 0)
	m := &manager{
		config: config, client: c, metadata: md,
		mapper:    restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(c.Discovery())),
		informers: typed, either: informerfactory.NewInformerFactory(typed, untyped), started: make(chan struct{}),
	}
	var loops []loop
	for _, start := range []func(context.Context) ([]loop, error){m.workloads, m.sets, m.jobs, m.housekeeping, m.garbage, m.quotas, m.disruption} {
		more, err := start(ctx)
		if err != nil {
			return err
		}
		loops = append(loops, more...)
	}
	typed.Start(ctx.Done())
	untyped.Start(ctx.Done())
	close(m.started)
	for _, run := range loops {
		go run(ctx)
	}
	return nil
}

func (m *manager) workloads(ctx context.Context) ([]loop, error) {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	deployments, err := deployment.NewDeploymentController(ctx, apps.Deployments(), apps.ReplicaSets(), core.Pods(), m.client)
	if err != nil {
		return nil, err
	}
	replicaSets := replicaset.NewReplicaSetController(ctx, apps.ReplicaSets(), core.Pods(), m.client, replicaset.BurstReplicas)
	return []loop{
		func(ctx context.Context) { deployments.Run(ctx, 2) },
		func(ctx context.Context) { replicaSets.Run(ctx, 2) },
	}, nil
}

func (m *manager) sets(ctx context.Context) ([]loop, error) {
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	stateful := statefulset.NewStatefulSetController(ctx, core.Pods(), apps.StatefulSets(), core.PersistentVolumeClaims(), apps.ControllerRevisions(), m.client)
	daemons, err := daemon.NewDaemonSetsController(ctx, apps.DaemonSets(), apps.ControllerRevisions(), core.Pods(), core.Nodes(), m.client, flowcontrol.NewBackOff(time.Second, 15*time.Minute))
	if err != nil {
		return nil, err
	}
	return []loop{
		func(ctx context.Context) { stateful.Run(ctx, 1) },
		func(ctx context.Context) { daemons.Run(ctx, 1) },
	}, nil
}

func (m *manager) jobs(ctx context.Context) ([]loop, error) {
	batch := m.informers.Batch().V1()
	// The last two are of a feature that is off.
	jobs, err := job.NewController(ctx, m.client, m.informers.Core().V1().Pods(), batch.Jobs(), nil, nil)
	if err != nil {
		return nil, err
	}
	cronJobs, err := cronjob.NewControllerV2(ctx, batch.Jobs(), batch.CronJobs(), m.client)
	if err != nil {
		return nil, err
	}
	return []loop{
		func(ctx context.Context) { jobs.Run(ctx, 2) },
		func(ctx context.Context) { cronJobs.Run(ctx, 1) },
	}, nil
}

func (m *manager) housekeeping(ctx context.Context) ([]loop, error) {
	core := m.informers.Core().V1()
	accounts, err := serviceaccount.NewServiceAccountsController(klog.FromContext(ctx), core.ServiceAccounts(), core.Namespaces(), m.client, serviceaccount.DefaultServiceAccountsControllerOptions())
	if err != nil {
		return nil, err
	}
	namespaces := namespace.NewNamespaceController(ctx, m.client, m.metadata, m.client.Discovery().ServerPreferredNamespacedResources, core.Namespaces(), 5*time.Minute, v1.FinalizerKubernetes)
	return []loop{
		func(ctx context.Context) { accounts.Run(ctx, 1) },
		func(ctx context.Context) { namespaces.Run(ctx, 2) },
	}, nil
}

func (m *manager) garbage(ctx context.Context) ([]loop, error) {
	ignored := map[schema.GroupResource]struct{}{
		{Group: "", Resource: "events"}:              {},
		{Group: "events.k8s.io", Resource: "events"}: {},
	}
	collector, err := garbagecollector.NewGarbageCollector(ctx, m.client, m.metadata, m.mapper, ignored, m.either, m.started)
	if err != nil {
		return nil, err
	}
	return []loop{
		func(ctx context.Context) { collector.Run(ctx, 2, 30*time.Second) },
		func(ctx context.Context) { collector.Sync(ctx, m.client.Discovery(), 30*time.Second) },
	}, nil
}

func (m *manager) quotas(ctx context.Context) ([]loop, error) {
	discover := m.client.Discovery().ServerPreferredNamespacedResources
	configuration, err := quotainstall.NewQuotaConfigurationForControllers(generic.ListerFuncForResourceFunc(m.informers.ForResource), m.informers)
	if err != nil {
		return nil, err
	}
	quotas, err := resourcequota.NewController(ctx, &resourcequota.ControllerOptions{
		QuotaClient:               m.client.CoreV1(),
		ResourceQuotaInformer:     m.informers.Core().V1().ResourceQuotas(),
		ResyncPeriod:              controller.StaticResyncPeriodFunc(5 * time.Minute),
		InformerFactory:           m.either,
		ReplenishmentResyncPeriod: controller.StaticResyncPeriodFunc(12 * time.Hour),
		DiscoveryFunc:             discover,
		IgnoredResourcesFunc:      configuration.IgnoredResources,
		InformersStarted:          m.started,
		Registry:                  generic.NewRegistry(configuration.Evaluators()),
		UpdateFilter:              quotainstall.DefaultUpdateFilter(),
	})
	if err != nil {
		return nil, err
	}
	return []loop{
		func(ctx context.Context) { quotas.Run(ctx, 2) },
		func(ctx context.Context) { quotas.Sync(ctx, discover, 30*time.Second) },
	}, nil
}

// disruption keeps the status of budgets: without it every eviction that one
// covers is refused.
func (m *manager) disruption(ctx context.Context) ([]loop, error) {
	scales, err := scale.NewForConfig(m.config, m.mapper, dynamic.LegacyAPIPathResolverFunc, scale.NewDiscoveryScaleKindResolver(m.client.Discovery()))
	if err != nil {
		return nil, err
	}
	apps, core := m.informers.Apps().V1(), m.informers.Core().V1()
	budgets := disruption.NewDisruptionController(ctx, core.Pods(), m.informers.Policy().V1().PodDisruptionBudgets(), core.ReplicationControllers(),
		apps.ReplicaSets(), apps.Deployments(), apps.StatefulSets(), m.client, m.mapper, scales, m.client.Discovery())
	return []loop{func(ctx context.Context) { budgets.Run(ctx, 1) }}, nil
}
