package main

import (
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/server/v3/embed"
)

// startEtcd starts an etcd of one member on free loopback ports. It does not
// wait for the disk: what it holds is worth nothing after the test.
func startEtcd(dir string) (*embed.Etcd, error) {
	c := embed.NewConfig()
	c.Dir = dir
	anywhere := []url.URL{{Scheme: "http", Host: "127.0.0.1:0"}}
	c.ListenClientUrls, c.AdvertiseClientUrls = anywhere, anywhere
	c.ListenPeerUrls, c.AdvertisePeerUrls = anywhere, anywhere
	c.InitialCluster = c.InitialClusterFromName(c.Name)
	c.UnsafeNoFsync = true
	c.LogLevel = "error"
	c.TickMs, c.ElectionMs = 10, 100 // nobody else stands for election
	etcd, err := embed.StartEtcd(c)
	if err != nil {
		return nil, fmt.Errorf("etcd: %w", err)
	}
	select {
	case <-etcd.Server.ReadyNotify():
		return etcd, nil
	case err = <-etcd.Err():
	case <-time.After(time.Minute):
		err = fmt.Errorf("not ready after a minute")
	}
	etcd.Close()
	return nil, fmt.Errorf("etcd: %w", err)
}
