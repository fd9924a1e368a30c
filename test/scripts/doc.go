// Package scripts runs the scripts of n8n-workflows/scripts on scratch directories.
package scripts
