// supervisor is what a local cluster needs besides Kubernetes: `supervise` runs the cluster's processes
// and leaves no orphan behind, `certs` makes the keys and certificates of one cluster.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

const usage = `usage: supervisor certs DIRECTORY ADDRESS...
       supervisor supervise --state DIRECTORY [--detached] [--grace DURATION]`

// Exit statuses that the caller tells apart.
const (
	exitFailed = 1 // something broke; standard error or the supervisor's log says what
	exitUsage  = 2
	exitInUse  = 3 // another supervisor holds the state folder
)

func init() {
	// The kernel sends the parent-death signal when the *thread* that started a child ends. All children
	// are started from the main goroutine, which therefore has to stay on the main thread.
	runtime.LockOSThread()
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(exitUsage)
	}
	var err error
	switch os.Args[1] {
	case "certs":
		err = runCerts(os.Args[2:])
	case "supervise":
		err = runSupervise(os.Args[2:])
	default:
		err = errUsage
	}
	switch {
	case err == nil:
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, usage)
		os.Exit(exitUsage)
	case errors.Is(err, errInUse):
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitInUse)
	default:
		fmt.Fprintln(os.Stderr, err)
		os.Exit(exitFailed)
	}
}

var errUsage = errors.New("usage")
