// The control socket: one request a connection, a line of JSON each way. It lies in the state folder, which
// only its owner can enter.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"net"
)

type request struct {
	// status, start (process), stop (name), shutdown
	Operation string       `json:"operation"`
	Process   *processSpec `json:"process,omitempty"`
	Name      string       `json:"name,omitempty"`
	KeepState bool         `json:"keepState,omitempty"`

	reply chan<- response
}

type response struct {
	Error        string          `json:"error,omitempty"`
	AddressBlock string          `json:"addressBlock,omitempty"`
	PID          int             `json:"pid,omitempty"`
	Processes    []processStatus `json:"processes,omitempty"`
}

// serveControl hands every request to the main loop and writes its answer.
func serveControl(listener net.Listener, requests chan<- request) {
	for {
		connection, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue
		}
		go serveConnection(connection, requests)
	}
}

func serveConnection(connection net.Conn, requests chan<- request) {
	defer connection.Close()
	line, err := bufio.NewReader(connection).ReadBytes('\n')
	if err != nil {
		return
	}
	var asked request
	answer := response{}
	if err := json.Unmarshal(line, &asked); err != nil {
		answer.Error = err.Error()
	} else {
		// Room for one, so that the main loop never waits for a caller that has gone away.
		reply := make(chan response, 1)
		asked.reply = reply
		requests <- asked
		answer = <-reply
	}
	// A caller that has gone away does not want the answer.
	_ = json.NewEncoder(connection).Encode(answer)
}
