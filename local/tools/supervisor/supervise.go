// The supervisor of one cluster. Guarantees:
//   - no process outlives it: the kernel kills the children of a supervisor that dies (Pdeathsig);
//   - attached, it does not outlive its caller: the end of standard input, which the caller's death brings
//     about, stops everything as SIGTERM does; detached, it ignores standard input;
//   - processes end in the reverse order of their start, each with a grace before SIGKILL;
//   - a process that ends by itself is started again, with growing delays; one that keeps ending stops
//     the cluster, with exit status 1, the reason in the file `failure` and the state folder kept;
//   - after an orderly stop the state folder is gone, unless the caller asked to keep it.
//
// Everything is decided in one loop on the main thread; goroutines only bring it events.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

type supervisor struct {
	directory    string
	addressBlock string
	grace        time.Duration

	children []*child // in the order of their start
	exits    chan exitEvent
	restarts chan *child
	kills    chan exitEvent // the grace of this run of this child is over

	stopping  bool
	keepState bool
	failure   string
}

// ready is the one line on standard output, written when the claims are held and the socket answers.
type ready struct {
	AddressBlock string `json:"addressBlock"`
	PID          int    `json:"pid"`
}

func runSupervise(arguments []string) error {
	flags := flag.NewFlagSet("supervise", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	directory := flags.String("state", "", "the cluster's state folder")
	detached := flags.Bool("detached", false, "outlive the caller")
	grace := flags.Duration("grace", 5*time.Second, "between SIGTERM and SIGKILL")
	if err := flags.Parse(arguments); err != nil || *directory == "" || flags.NArg() > 0 {
		return errUsage
	}

	lock, err := claimStateFolder(*directory)
	if err != nil {
		return err
	}
	defer lock.Close()
	block, claim, err := claimAddressBlock()
	if err != nil {
		return err
	}
	defer claim.Close()
	if err := os.MkdirAll(filepath.Join(*directory, "logs"), 0o700); err != nil {
		return err
	}
	control, err := net.Listen("unix", filepath.Join(*directory, "supervisor.sock"))
	if err != nil {
		return err
	}

	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	inputEnded := make(chan struct{})
	if !*detached {
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			close(inputEnded)
		}()
	}
	requests := make(chan request)
	go serveControl(control, requests)

	if err := json.NewEncoder(os.Stdout).Encode(ready{AddressBlock: block, PID: os.Getpid()}); err != nil {
		return err
	}
	if err := logToFile(logPathOf(*directory, "supervisor")); err != nil {
		return err
	}

	s := &supervisor{
		directory:    *directory,
		addressBlock: block,
		grace:        *grace,
		exits:        make(chan exitEvent),
		restarts:     make(chan *child),
		kills:        make(chan exitEvent),
	}
	s.loop(requests, signals, inputEnded, *detached)

	// The folder goes while it is still locked, so that nobody has begun to use it.
	if s.failure == "" && !s.keepState {
		if err := os.RemoveAll(*directory); err != nil {
			return err
		}
	}
	if s.failure != "" {
		return fmt.Errorf("%s", s.failure)
	}
	return nil
}

// logToFile sends this process's own output to a file: whoever held the other end of the pipes may go.
func logToFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	for _, standard := range []int{1, 2} {
		if err := syscall.Dup3(int(file.Fd()), standard, 0); err != nil {
			return err
		}
	}
	return nil
}

func (s *supervisor) loop(requests <-chan request, signals <-chan os.Signal, inputEnded <-chan struct{}, detached bool) {
	for {
		select {
		case asked := <-requests:
			s.handle(asked)
		case ended := <-s.exits:
			s.handleExit(ended)
		case restarting := <-s.restarts:
			s.restart(restarting)
		case late := <-s.kills:
			if late.child.command == late.command {
				s.log("%s has not ended within %s: killed", late.child.spec.Name, s.grace)
				late.child.signal(syscall.SIGKILL)
			}
		case <-inputEnded:
			inputEnded = nil
			s.log("the caller has gone")
			s.beginShutdown()
		case got := <-signals:
			if got == syscall.SIGHUP && detached {
				continue
			}
			s.log("received %s", got)
			if s.stopping {
				s.killAll()
			}
			s.beginShutdown()
		}
		if s.stopping && !s.stopNext() {
			return
		}
	}
}

func (s *supervisor) handle(asked request) {
	switch asked.Operation {
	case "status":
		answer := response{AddressBlock: s.addressBlock, PID: os.Getpid()}
		for _, c := range s.children {
			answer.Processes = append(answer.Processes, c.status())
		}
		asked.reply <- answer
	case "start":
		asked.reply <- s.startProcess(asked.Process)
	case "stop":
		s.stopProcess(asked.Name, asked.reply)
	case "shutdown":
		s.keepState = asked.KeepState
		// The answer is the end of the connection, when everything has stopped and this process ends.
		s.beginShutdown()
	default:
		asked.reply <- response{Error: fmt.Sprintf("unknown operation %q", asked.Operation)}
	}
}

// startProcess gives a process that was stopped its old place in the order of the stop.
func (s *supervisor) startProcess(spec *processSpec) response {
	if spec == nil || spec.Name == "" || filepath.Base(spec.Name) != spec.Name || len(spec.Command) == 0 {
		return response{Error: "start needs a process with a name and a command"}
	}
	if s.stopping {
		return response{Error: "the cluster is being stopped"}
	}
	at := s.indexOf(spec.Name)
	if at >= 0 && s.children[at].status().State != "stopped" {
		return response{Error: spec.Name + " runs already"}
	}
	c := &child{spec: *spec, logPath: logPathOf(s.directory, spec.Name)}
	if err := c.start(s.exits); err != nil {
		return response{Error: err.Error()}
	}
	if at >= 0 {
		s.children[at] = c
	} else {
		s.children = append(s.children, c)
	}
	s.log("%s started, PID %d", spec.Name, c.command.Process.Pid)
	return response{PID: c.command.Process.Pid}
}

func (s *supervisor) stopProcess(name string, reply chan<- response) {
	at := s.indexOf(name)
	if at < 0 {
		reply <- response{Error: "no process named " + name}
		return
	}
	c := s.children[at]
	s.stopChild(c)
	if c.command == nil {
		reply <- response{}
		return
	}
	c.waiters = append(c.waiters, reply)
}

// stopChild asks the process to end; the end comes by handleExit.
func (s *supervisor) stopChild(c *child) {
	if c.stopping {
		return
	}
	c.stopping = true
	if c.command == nil {
		return
	}
	c.signal(syscall.SIGTERM)
	run := c.command
	c.killTimer = time.AfterFunc(s.grace, func() { s.kills <- exitEvent{child: c, command: run} })
}

func (s *supervisor) handleExit(ended exitEvent) {
	c := ended.child
	if c.command != ended.command {
		return
	}
	// What the process had started itself ends with it.
	c.signal(syscall.SIGKILL)
	c.command = nil
	c.lastEnd = "exit status 0"
	if ended.err != nil {
		c.lastEnd = ended.err.Error()
	}
	if c.stopping {
		if c.killTimer != nil {
			c.killTimer.Stop()
		}
		s.log("%s stopped", c.spec.Name)
		for _, waiter := range c.waiters {
			waiter <- response{}
		}
		c.waiters = nil
		return
	}
	s.log("%s ended by itself: %s", c.spec.Name, c.lastEnd)
	s.restartLater(c)
}

func (s *supervisor) restartLater(c *child) {
	if s.stopping {
		return
	}
	delay, ok := c.nextRestartDelay()
	if !ok {
		s.fail(fmt.Sprintf("%s keeps ending (%s)", c.spec.Name, c.lastEnd))
		return
	}
	time.AfterFunc(delay, func() { s.restarts <- c })
}

func (s *supervisor) restart(c *child) {
	if s.stopping || c.stopping || c.command != nil || !slices.Contains(s.children, c) {
		return
	}
	if err := c.start(s.exits); err != nil {
		c.lastEnd = err.Error()
		s.restartLater(c)
		return
	}
	s.log("%s started again, PID %d", c.spec.Name, c.command.Process.Pid)
}

func (s *supervisor) fail(reason string) {
	s.failure = reason
	s.log("%s: stopping the cluster", reason)
	if err := os.WriteFile(filepath.Join(s.directory, "failure"), []byte(reason+"\n"), 0o600); err != nil {
		s.log("the failure cannot be recorded: %v", err)
	}
	s.beginShutdown()
}

func (s *supervisor) beginShutdown() {
	s.stopping = true
}

// stopNext sees to it that the last process still running is ending; false when none is left.
func (s *supervisor) stopNext() bool {
	for _, c := range slices.Backward(s.children) {
		if c.command != nil {
			s.stopChild(c)
			return true
		}
	}
	return false
}

func (s *supervisor) killAll() {
	for _, c := range s.children {
		c.stopping = true
		c.signal(syscall.SIGKILL)
	}
}

func (s *supervisor) indexOf(name string) int {
	return slices.IndexFunc(s.children, func(c *child) bool { return c.spec.Name == name })
}

func (s *supervisor) log(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "%s %s\n", time.Now().UTC().Format(time.RFC3339), fmt.Sprintf(format, arguments...))
}
