// Package rights tests the manifests of deploy/kubernetes against a real API
// server: with the token that they give, all that Salve's catalogue asks for is
// granted, and nothing else.
//
// Its tests carry the build tag e2e and are run by make e2e.
package rights
