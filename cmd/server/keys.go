package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"salve/internal/identity"
)

type keygenCommand struct {
	Out string `required:"" help:"Directory for salve.key.pem (mode 0600) and salve.pub.pem."`
	Alg string `default:"EdDSA" enum:"EdDSA,ES256" help:"EdDSA, or ES256 where n8n is to sign."`

	Scopes string `help:"What the key may sign for, separated by spaces; everything, where nothing is said. It is written to salve.scopes, which goes beside the public key."`
}

// Run makes a pair; it never overwrites one.
func (k keygenCommand) Run(env *environment) error {
	private, public, err := identity.Generate(k.Alg)
	var scopes identity.ScopeSet
	if err == nil && k.Scopes != "" {
		scopes, err = identity.ParseScopes(k.Scopes)
	}
	if err != nil {
		return fmt.Errorf("keygen: %w", err)
	}
	if err := identity.WriteKeys(k.Out, private, public, scopes); err != nil {
		return fmt.Errorf("keygen: %w", err)
	}
	_, err = fmt.Fprintf(env.stdout, "private key: %s (keep it; Salve never needs it)\npublic key:  %s (give it to Salve: SALVE_JWT_KEYS)\n",
		filepath.Join(k.Out, "salve.key.pem"), filepath.Join(k.Out, "salve.pub.pem"))
	if err == nil && scopes != 0 {
		_, err = fmt.Fprintf(env.stdout, "its bounds:   %s (beside the public key, under the same name: this key signs for %s and nothing else)\n", filepath.Join(k.Out, "salve.scopes"), scopes)
	}
	return err
}

type tokenCommand struct {
	Key      string        `required:"" help:"Private key, as keygen wrote it."`
	Sub      string        `required:"" help:"Who the token is for."`
	Scope    string        `required:"" help:"Scopes, separated by spaces: events:write intents:execute intents:decide slack:relay read admin."`
	Groups   []string      `help:"Groups the subject belongs to, with commas: policy's approvers name them as group:NAME."`
	TTL      time.Duration `name:"ttl" required:"" help:"How long it is good for, like 24h."`
	Audience string        `name:"aud" default:"salve" help:"Audience."`
	Issuer   string        `name:"iss" help:"Issuer."`
}

// Run signs offline and prints the token alone, for scripts.
func (t tokenCommand) Run(env *environment) error {
	scopes, scopeErr := identity.ParseScopes(t.Scope)
	private, keyErr := os.ReadFile(t.Key)
	if err := errors.Join(scopeErr, keyErr); err != nil {
		return fmt.Errorf("token: %w", err)
	}
	token, err := identity.Sign(private, identity.Claims{
		Subject: t.Sub, Scopes: scopes, Audience: t.Audience, Issuer: t.Issuer, TTL: t.TTL, Groups: t.Groups,
	}, time.Now(), new(idSource).next().String())
	if err != nil {
		return fmt.Errorf("token: %w", err)
	}
	_, err = fmt.Fprintln(env.stdout, token)
	return err
}
