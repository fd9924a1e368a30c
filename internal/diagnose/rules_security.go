package diagnose

var securityRules = []row[auditFinding]{
	securityRule("audit-vulnerable", "security.vulnerable_image", "a known vulnerability in an image"),
	securityRule("audit-secret", "security.exposed_secret", "a secret where others can read it"),
	securityRule("audit-privileged", "security.privileged_container", "a container that runs privileged, as root or with a part of the host"),
	securityRule("audit-access", "security.broad_access", "rights or openings that reach too far"),
}

func securityRule(name, cause, what string) row[auditFinding] {
	return row[auditFinding]{
		Rule{Name: name, Cause: cause, Confidence: strong, When: "the audit found " + what + "; by its kind, or where that says nothing by its message", Quotes: "the finding: kind, object, severity and message"},
		func(a auditFinding) (finding, bool) { return a.is(cause) },
	}
}

// auditSign is a word of an audit, and the cause that it stands for. The first that is
// found in a kind counts: a role that may read secrets is broad access.
type auditSign struct {
	cause string
	words []string
}

var auditSigns = []auditSign{
	{"security.vulnerable_image", []string{"cve", "ghsa", "vulnerab", "outdatedimage", "outdatedpackage", "unpatched", "imagescan", "endoflife"}},
	{"security.broad_access", []string{
		"rbac", "clusteradmin", "wildcard", "overpermissive", "overlypermissive", "overprivileged", "excessivepermission", "excessiveright", "publicaccess", "publicbucket", "publiclyaccessible",
		"openport", "opensecuritygroup", "anonymous", "broadaccess", "broadrole", "broadpermission", "networkpolicy", "iampolicy", "0.0.0.0/0", "worldreadable", "worldwritable", "unrestricted", "exposedservice", "exposeddashboard", "systemmasters",
	}},
	{"security.privileged_container", []string{
		"privileged", "hostnetwork", "hostpid", "hostipc", "hostpath", "hostport", "rootcontainer", "runasroot", "runasuser0", "runasnonroot", "containerroot", "capabilit", "capsys", "allowprivilegeescalation", "privilegeescalation", "dockersock", "containerdsock", "seccomp", "apparmor", "readonlyrootfilesystem",
	}},
	{"security.exposed_secret", []string{"secret", "credential", "password", "apikey", "accesskey", "privatekey", "token", "plaintext", "hardcoded"}},
}

// auditPassed are the words for a check that found nothing.
var auditPassed = words("pass passed ok compliant resolved fixed suppressed ignored accepted closed notapplicable skip skipped")
