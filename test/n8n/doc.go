// Package n8n owns what the project knows of n8n without running it: the rules
// that the workflow files must keep, checked in every test run, and the scripts
// that install a real n8n and lint with its own code for the end-to-end tests.
//
// It must not need n8n: what n8n's nodes are called and take stands in
// nodes.json, which reduce-nodes.js makes from an installation.
package n8n
