package intake

import (
	"encoding/json"
	"strings"

	"salve/internal/incident"
)

// CloudWatch's alarms come as SNS delivers them: an envelope whose Message is the
// alarm as a text of JSON. Source: Amazon SNS, "HTTP/HTTPS notification JSON format",
// and Amazon CloudWatch, "Alarm events".
var fromCloudWatch = sender{"cloudwatch", "what SNS delivers of a CloudWatch alarm, {Type, TopicArn, Message}", readCloudWatch}

type snsEnvelope struct {
	Type      string `json:"Type"`
	TopicArn  string `json:"TopicArn"`
	Message   string `json:"Message"`
	Timestamp string `json:"Timestamp"`
}

type cloudWatchAlarm struct {
	AlarmName        string `json:"AlarmName"`
	AlarmArn         string `json:"AlarmArn"`
	AlarmDescription string `json:"AlarmDescription"`
	AWSAccountID     string `json:"AWSAccountId"`
	Region           string `json:"Region"`
	NewStateValue    string `json:"NewStateValue"`
	NewStateReason   string `json:"NewStateReason"`
	StateChangeTime  string `json:"StateChangeTime"`
	Trigger          struct {
		MetricName string `json:"MetricName"`
		Namespace  string `json:"Namespace"`
		Dimensions []struct {
			Name  string `json:"name"`
			Value string `json:"value"`
		} `json:"Dimensions"`
	} `json:"Trigger"`
}

func readCloudWatch(raw []byte, f *findings) (told, bool) {
	e, ok := decodeLoose[snsEnvelope](raw, f)
	switch {
	case !ok:
		return told{}, false
	case e.Type == "SubscriptionConfirmation" || e.Type == "UnsubscribeConfirmation":
		f.refuse("/Type", "%s: a topic is confirmed where its requests arrive. Salve calls nobody: let n8n open the SubscribeURL of this message, after a look at its TopicArn", e.Type)
		return told{}, false
	case e.Type != "Notification":
		f.refuse("/Type", "%s; SNS delivers a Notification", saw(e.Type))
		return told{}, false
	}
	var a cloudWatchAlarm
	if json.Unmarshal([]byte(e.Message), &a) != nil || a.AlarmName == "" {
		f.refuse("/Message", "is not the JSON of a CloudWatch alarm, {AlarmName, NewStateValue, …}")
		return told{}, false
	}
	t := told{
		name: a.AlarmName, message: strings.TrimSpace(a.AlarmDescription + "\n" + a.NewStateReason), at: moment(a.StateChangeTime),
		fingerprint: []string{a.AlarmArn, a.AWSAccountID, a.Region, a.AlarmName}, labels: map[string]string{"alertname": a.AlarmName},
	}
	for name, value := range map[string]string{"region": a.Region, "account": a.AWSAccountID, "metric": a.Trigger.MetricName, "metric_namespace": a.Trigger.Namespace} {
		if value != "" {
			t.labels[name] = value
		}
	}
	for _, d := range a.Trigger.Dimensions {
		if d.Name != "" && len(t.labels) < maxPairs {
			t.labels[d.Name] = d.Value
		}
	}
	t.kind, t.service, t.host = awsKinds[a.Trigger.Namespace+" "+a.Trigger.MetricName], awsService(t.labels), t.labels["InstanceId"]
	switch a.NewStateValue {
	case "ALARM":
	case "OK":
		t.status = incident.Resolved
	case "INSUFFICIENT_DATA":
		t.suppress = "CloudWatch has too little data to say how " + a.AlarmName + " stands"
	default:
		f.refuse("/Message", "NewStateValue %s; it is ALARM, OK or INSUFFICIENT_DATA", saw(a.NewStateValue))
		return told{}, false
	}
	return t, true
}

// awsKinds are the first hypotheses of metrics that say what is wrong.
var awsKinds = map[string]string{
	"AWS/EC2 CPUUtilization": "resource.cpu_saturated", "AWS/RDS CPUUtilization": "resource.cpu_saturated", "AWS/ECS CPUUtilization": "resource.cpu_saturated",
	"AWS/ECS MemoryUtilization": "resource.memory_saturated", "CWAgent mem_used_percent": "resource.memory_saturated", "CWAgent disk_used_percent": "host.disk_full",
	"AWS/RDS FreeStorageSpace": "host.disk_full", "AWS/RDS DatabaseConnections": "db.connections_exhausted", "AWS/RDS ReplicaLag": "db.replication_lag",
	"AWS/ApplicationELB HTTPCode_Target_5XX_Count": "slo.error_rate", "AWS/ApplicationELB HTTPCode_ELB_5XX_Count": "slo.error_rate",
	"AWS/ApplicationELB TargetResponseTime": "slo.latency", "AWS/ApplicationELB UnHealthyHostCount": "slo.availability",
	"AWS/CertificateManager DaysToExpiry": "cert.expiring",
}

func awsService(labels map[string]string) string {
	for _, name := range []string{"ServiceName", "DBInstanceIdentifier", "FunctionName", "QueueName", "TargetGroup", "LoadBalancer", "CacheClusterId"} {
		if labels[name] != "" {
			return labels[name]
		}
	}
	return ""
}
