// One supervised process: its start, its restarts after an unexpected end, its log.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

const (
	restartsAllowed    = 4
	firstRestartDelay  = 250 * time.Millisecond
	longestRestartWait = 5 * time.Second
	// A process that ran this long has recovered: its earlier ends no longer count.
	stableAfter = time.Minute
)

// processSpec is what a caller asks to run. The environment is the supervisor's own plus these.
type processSpec struct {
	Name        string   `json:"name"`
	Command     []string `json:"command"`
	Environment []string `json:"environment,omitempty"`
	Directory   string   `json:"directory,omitempty"`
}

// processStatus is what a caller is told about a process.
type processStatus struct {
	Name string `json:"name"`
	PID  int    `json:"pid,omitempty"`
	// running, restarting (between an unexpected end and the next start) or stopped.
	State    string `json:"state"`
	Restarts int    `json:"restarts"`
	LastEnd  string `json:"lastEnd,omitempty"`
}

type child struct {
	spec     processSpec
	logPath  string
	command  *exec.Cmd // nil while it does not run
	started  time.Time
	stopping bool
	restarts int // since it was last stable
	lastEnd  string
	// waiters are told when the process has been stopped as asked.
	waiters []chan<- response
	// killTimer ends the grace of a stopping process.
	killTimer *time.Timer
}

// exitEvent says that a process has ended; command tells a late event of an earlier run apart.
type exitEvent struct {
	child   *child
	command *exec.Cmd
	err     error
}

// start has to be called on the main thread (see init in main.go).
func (c *child) start(exits chan<- exitEvent) error {
	log, err := os.OpenFile(c.logPath, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	command := exec.Command(c.spec.Command[0], c.spec.Command[1:]...)
	command.Env = append(os.Environ(), c.spec.Environment...)
	command.Dir = c.spec.Directory
	command.Stdout = log
	command.Stderr = log
	// A group of its own keeps a terminal's Ctrl-C away, which would break the order of the stop.
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := command.Start(); err != nil {
		return fmt.Errorf("%s does not start: %w", c.spec.Name, err)
	}
	c.command = command
	c.started = time.Now()
	c.stopping = false
	go func() {
		exits <- exitEvent{child: c, command: command, err: command.Wait()}
	}()
	return nil
}

// signal reaches the process and what it started.
func (c *child) signal(signal syscall.Signal) {
	if c.command != nil {
		_ = syscall.Kill(-c.command.Process.Pid, signal)
	}
}

// nextRestartDelay counts an unexpected end; ok is false when it was one too many.
func (c *child) nextRestartDelay() (delay time.Duration, ok bool) {
	if time.Since(c.started) >= stableAfter {
		c.restarts = 0
	}
	if c.restarts >= restartsAllowed {
		return 0, false
	}
	delay = min(firstRestartDelay<<c.restarts, longestRestartWait)
	c.restarts++
	return delay, true
}

func (c *child) status() processStatus {
	status := processStatus{Name: c.spec.Name, State: "stopped", Restarts: c.restarts, LastEnd: c.lastEnd}
	switch {
	case c.command != nil:
		status.State, status.PID = "running", c.command.Process.Pid
	case !c.stopping:
		status.State = "restarting"
	}
	return status
}

func logPathOf(stateDirectory, name string) string {
	return filepath.Join(stateDirectory, "logs", name+".log")
}
