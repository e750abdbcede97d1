// What one cluster holds for itself: its state folder and its block of loopback addresses. The kernel
// keeps both claims and drops them when this process ends, however it ends: none can be stale.
package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

var errInUse = errors.New("the state folder is in use by another cluster")

const lockFileName = "lock"

// claimStateFolder locks the folder and empties it: whatever a crashed cluster left there is gone. A folder
// with content that no cluster has locked before is somebody else's and is refused.
// The open lock file has to be kept for as long as the claim.
func claimStateFolder(directory string) (*os.File, error) {
	if err := os.MkdirAll(directory, 0o700); err != nil {
		return nil, err
	}
	lockPath := filepath.Join(directory, lockFileName)
	if _, err := os.Lstat(lockPath); errors.Is(err, os.ErrNotExist) {
		entries, err := os.ReadDir(directory)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			return nil, fmt.Errorf("%s holds files that are no local cluster's: name another state folder", directory)
		}
	}
	lock, err := os.OpenFile(lockPath, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errInUse
		}
		return nil, err
	}
	// A cluster that was just stopping may have removed the file between our open and our lock.
	if held, err := isStillAt(lock, lockPath); err != nil || !held {
		lock.Close()
		if err != nil {
			return nil, err
		}
		return claimStateFolder(directory)
	}
	return lock, removeAllBut(directory, lockFileName)
}

func isStillAt(file *os.File, path string) (bool, error) {
	opened, err := file.Stat()
	if err != nil {
		return false, err
	}
	found, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(opened, found), nil
}

func removeAllBut(directory, kept string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == kept {
			continue
		}
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// claimAddressBlock takes one free 127.N.0.0/16, lowest first. 127.0 is everybody's. The claim is an abstract
// socket, whose name lives in the network namespace as the addresses themselves do, so it also holds
// against other users and never against other containers. The listener has to be kept.
func claimAddressBlock() (string, net.Listener, error) {
	for n := 1; n <= 254; n++ {
		block := fmt.Sprintf("127.%d", n)
		listener, err := net.Listen("unix", "@llama-operator/address-block/"+block)
		if err == nil {
			return block, listener, nil
		}
		if !errors.Is(err, syscall.EADDRINUSE) {
			return "", nil, err
		}
	}
	return "", nil, errors.New("all 254 blocks of loopback addresses are taken by local clusters")
}
