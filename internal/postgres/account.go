package postgres

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// account is the unprivileged account that runs the server's programs when Salve itself runs as root, because Postgres
// refuses root. A nil account means Salve's own.
type account struct {
	uid, gid int
	name     string
}

// chooseAccount takes the owner of data that is there already, so that a directory can be started by root and by its
// owner in turn; new data goes to the first of the usual accounts.
func chooseAccount(data string) (*account, error) {
	owner, found := ownerOf(data)
	if os.Geteuid() != 0 {
		if found && owner.uid != os.Geteuid() {
			return nil, fmt.Errorf("the data belongs to user id %d, this process runs as %d: run it as that user or as root", owner.uid, os.Geteuid())
		}
		return nil, nil
	}
	if found && owner.uid != 0 {
		return owner, nil
	}
	account, err := usualAccount()
	if err == nil && found {
		err = account.chownTree(data)
	}
	return account, err
}

func usualAccount() (*account, error) {
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(found.Uid)
		gid, gidErr := strconv.Atoi(found.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return &account{uid: uid, gid: gid, name: name}, nil
		}
	}
	return nil, fmt.Errorf("running as root, which Postgres refuses, and there is neither a user postgres nor nobody to run it: start Salve as an ordinary user, or set DATABASE_URL")
}

func ownerOf(path string) (*account, bool) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil, false
	}
	return &account{uid: int(stat.Uid), gid: int(stat.Gid), name: "#" + strconv.Itoa(int(stat.Uid))}, true
}

func (a *account) own(path string) error {
	if a == nil {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// chownTree is for data that root copied into place, from a backup for example.
func (a *account) chownTree(dir string) error {
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return a.own(path)
	})
}

// lend makes cmd run as the account and returns the names under which it sees the directories.
//
// The parents of a data directory are often closed to the account (a clone under /root, a folder from mktemp). Opening
// up somebody's folders is not Salve's to do, and moving the data elsewhere would surprise; so on Linux the child gets
// the opened directories as descriptors and reaches them through /proc, past the parents. The caller closes them once
// the child has started.
func (a *account) lend(cmd *exec.Cmd, dirs ...string) (names []string, closeAll func(), err error) {
	cmd.Dir = "/"
	if a == nil {
		return dirs, func() {}, nil
	}
	cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)}
	if runtime.GOOS != "linux" {
		return dirs, func() {}, nil
	}
	closeAll = func() {
		for _, file := range cmd.ExtraFiles {
			file.Close()
		}
	}
	for i, dir := range dirs {
		file, err := os.Open(dir)
		if err != nil {
			closeAll()
			return nil, nil, err
		}
		cmd.ExtraFiles = append(cmd.ExtraFiles, file)
		names = append(names, fmt.Sprintf("/proc/self/fd/%d", 3+i))
	}
	return names, closeAll, nil
}
