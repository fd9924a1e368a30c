package evidence_test

import (
	"testing"

	"salve/internal/evidence"
)

func services(list ...evidence.Service) evidence.Evidence {
	for i := range list {
		list[i].Host = "web-01"
	}
	return evidence.Evidence{Services: list}
}

func TestSystemctl(t *testing.T) {
	runTools(t, []toolCase{
		{name: "show", tool: "systemctl show nginx postgresql@15-main", text: `Type=forking
Result=exit-code
NRestarts=5
ExecMainStatus=1
Id=nginx.service
LoadState=loaded
ActiveState=failed
SubState=failed
UnitFileState=enabled

Type=oneshot
Result=success
ExecMainStatus=0
Id=postgresql@15-main.service
LoadState=loaded
ActiveState=active
SubState=exited
`, want: services(
			evidence.Service{Unit: "nginx.service", Type: "forking", LoadState: "loaded", ActiveState: "failed", SubState: "failed", Result: "exit-code", ExecMainStatus: of(1), Restarts: of(5), Enabled: "enabled"},
			evidence.Service{Unit: "postgresql@15-main.service", Type: "oneshot", LoadState: "loaded", ActiveState: "active", SubState: "exited", Result: "success", ExecMainStatus: of(0)},
		)},
		{name: "show without names: in the order they were asked for", tool: "systemctl show -p ActiveState,SubState nginx ssh.socket", text: "ActiveState=active\nSubState=running\n\nActiveState=inactive\nSubState=dead\n",
			want: services(evidence.Service{Unit: "nginx.service", ActiveState: "active", SubState: "running"}, evidence.Service{Unit: "ssh.socket", ActiveState: "inactive", SubState: "dead"})},
		{name: "status", tool: "systemctl status nginx", text: `× nginx.service - A high performance web server and a reverse proxy server
     Loaded: loaded (/lib/systemd/system/nginx.service; enabled; preset: enabled)
     Active: failed (Result: exit-code) since Mon 2026-11-23 03:10:11 UTC; 5min ago
    Process: 1233 ExecStart=/usr/sbin/nginx -g daemon on; (code=exited, status=1/FAILURE)
        CPU: 12ms

Nov 23 03:10:11 web-01 nginx[1233]: nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)
Nov 23 03:10:11 web-01 systemd[1]: nginx.service: Failed with result 'exit-code'.

● ssh.service - OpenBSD Secure Shell server
     Loaded: loaded (/lib/systemd/system/ssh.service; disabled; preset: enabled)
     Active: active (running) since Mon 2026-11-23 03:10:11 UTC; 5min ago
   Main PID: 601 (sshd)
`, want: func() evidence.Evidence {
			e := services(
				evidence.Service{Unit: "nginx.service", LoadState: "loaded", ActiveState: "failed", SubState: "failed", Result: "exit-code", ExecMainStatus: of(1), Enabled: "enabled"},
				evidence.Service{Unit: "ssh.service", LoadState: "loaded", ActiveState: "active", SubState: "running", Enabled: "disabled"},
			)
			e.Logs = []evidence.Log{{Host: "web-01", Tool: "systemctl status", Text: "Nov 23 03:10:11 web-01 nginx[1233]: nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)\nNov 23 03:10:11 web-01 systemd[1]: nginx.service: Failed with result 'exit-code'.\n"}}
			return e
		}()},
		{name: "status of a unit that restarts", tool: "systemctl status api", text: "● api.service - API\n     Loaded: loaded (/etc/systemd/system/api.service; static)\n     Active: activating (auto-restart) (Result: signal) since Mon 2026-11-23 03:10:11 UTC; 2s ago\n",
			want: services(evidence.Service{Unit: "api.service", LoadState: "loaded", ActiveState: "activating", SubState: "auto-restart", Result: "signal", Enabled: "static"})},
		{name: "no such unit", tool: "systemctl status ngnix", text: "Unit ngnix.service could not be found.\n", want: services(evidence.Service{Unit: "ngnix.service", LoadState: "not-found"})},
		{name: "list of the failed", tool: "systemctl --failed", text: `  UNIT          LOAD   ACTIVE SUB    DESCRIPTION
● nginx.service loaded failed failed A high performance web server and a reverse proxy server

LOAD   = Reflects whether the unit definition was properly loaded.
ACTIVE = The high-level unit activation state, i.e. generalization of SUB.
SUB    = The low-level unit activation state, values depend on unit type.
1 loaded units listed.
`, want: services(evidence.Service{Unit: "nginx.service", LoadState: "loaded", ActiveState: "failed", SubState: "failed"})},
		{name: "none failed", tool: "systemctl list-units --failed", text: "  UNIT LOAD ACTIVE SUB DESCRIPTION\n0 loaded units listed.\n", want: evidence.Evidence{Services: []evidence.Service{}}},
		{name: "is-active", tool: "systemctl is-active nginx ssh", text: "inactive\nactive\n",
			want: services(evidence.Service{Unit: "nginx.service", ActiveState: "inactive"}, evidence.Service{Unit: "ssh.service", ActiveState: "active"})},
		{name: "values alone", tool: "systemctl show --value -p ActiveState nginx", text: "active\n",
			problem: "systemctl: systemctl show (Id=, LoadState=, ActiveState=, SubState=, Result= …), systemctl status or systemctl list-units is expected"},
	})
}
