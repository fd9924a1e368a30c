package identity

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// DefaultAudience is what a token's `aud` says unless configured.
	DefaultAudience = "salve"

	defaultLeeway    = 30 * time.Second
	defaultCacheSize = 4096
	maxTokenBytes    = 8 << 10
	reloadInterval   = time.Second
)

// Config of a Verifier. Audience is required: a token made for another service
// must not open this one.
type Config struct {
	Audience  string
	Issuer    string        // empty: not checked
	Leeway    time.Duration // zero: 30 s
	CacheSize int           // zero: 4096 tokens
	DenyFile  string        // empty: no deny list; one jti a line
}

// Verifier turns a token into a Caller. A verified token is remembered until
// it expires, the keys change, or the deny list changes.
type Verifier struct {
	ring   *Keyring
	config Config
	now    func() time.Time
	parser *jwt.Parser

	current    atomic.Pointer[generation]
	lastReload atomic.Int64 // Unix nanoseconds

	mu           sync.Mutex // one change of generation at a time
	denySnapshot string
}

// generation is one set of keys, one deny list and the tokens verified with
// them. A change replaces it as a whole: a slow verification against the old
// one can only remember its token in what is already thrown away.
type generation struct {
	keys   *keySet
	denied map[string]bool
	cache  *cache
}

// NewVerifier reads the deny list and is ready to verify.
func NewVerifier(ring *Keyring, config Config, now func() time.Time) (*Verifier, error) {
	if config.Audience == "" {
		return nil, errors.New("audience: must be set, as the aud that tokens for this server carry")
	}
	if config.Leeway == 0 {
		config.Leeway = defaultLeeway
	}
	if config.CacheSize <= 0 {
		config.CacheSize = defaultCacheSize
	}
	v := &Verifier{ring: ring, config: config, now: now, parser: newParser(config, now)}
	v.current.Store(v.newGeneration(nil))
	_, err := v.reloadDenied()
	return v, err
}

func newParser(config Config, now func() time.Time) *jwt.Parser {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(algorithms()),
		jwt.WithAudience(config.Audience),
		jwt.WithExpirationRequired(),
		jwt.WithLeeway(config.Leeway),
		jwt.WithTimeFunc(now),
		jwt.WithStrictDecoding(),
	}
	if config.Issuer != "" {
		options = append(options, jwt.WithIssuer(config.Issuer))
	}
	return jwt.NewParser(options...)
}

// Verify gives the caller a token stands for, or a *Refusal.
func (v *Verifier) Verify(token string) (Caller, error) {
	if token == "" {
		return Caller{}, refuse(Missing, "no token given; send Authorization: Bearer and a token made with salve token")
	}
	if len(token) > maxTokenBytes {
		return Caller{}, refuse(TooLarge, fmt.Sprintf("the token is %d bytes long; at most %d are read", len(token), maxTokenBytes))
	}
	d := hash(token)
	if caller, ok := v.generation().cache.get(d, v.now()); ok {
		return caller, nil
	}
	caller, err := v.check(token, d)
	if errors.Is(err, UnknownKey) && v.reloadForUnknown() {
		caller, err = v.check(token, d)
	}
	return caller, err
}

// hash copies the token to the stack: this is the hot path of every request,
// and a usual token fits.
func hash(token string) digest {
	var buffer [1024]byte
	return sha256.Sum256(append(buffer[:0], token...))
}

func (v *Verifier) check(token string, d digest) (Caller, error) {
	gen := v.generation()
	caller, err := v.parse(gen.keys, token)
	if err != nil {
		return Caller{}, err
	}
	if caller.TokenID != "" && gen.denied[caller.TokenID] {
		return Caller{}, refuse(Denied, "this token was revoked; ask for a new one")
	}
	gen.cache.put(d, remembered{caller, caller.ExpiresAt.Add(v.config.Leeway)}, v.now())
	return caller, nil
}

// Reload reads keys and deny list again where their files changed. An error
// leaves what was there before in force.
func (v *Verifier) Reload() (changed bool, err error) {
	keysChanged, keysErr := v.ring.Reload()
	v.generation()
	deniedChanged, deniedErr := v.reloadDenied()
	return keysChanged || deniedChanged, errors.Join(keysErr, deniedErr)
}

// reloadForUnknown looks for a key that arrived since, at most once a second
// whatever the tokens ask for. A reload's error is left to the periodic caller
// of Reload, who can log it; for this token the key is simply unknown.
func (v *Verifier) reloadForUnknown() bool {
	now, last := v.now().UnixNano(), v.lastReload.Load()
	if now-last < int64(reloadInterval) || !v.lastReload.CompareAndSwap(last, now) {
		return false
	}
	changed, err := v.ring.Reload()
	return changed && err == nil
}

// generation follows the keyring: whoever reloaded it, remembered tokens end
// with the keys that verified them.
func (v *Verifier) generation() *generation {
	gen := v.current.Load()
	if gen.keys == v.ring.current.Load() {
		return gen
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if gen = v.current.Load(); gen.keys != v.ring.current.Load() {
		gen = v.newGeneration(gen.denied)
		v.current.Store(gen)
	}
	return gen
}

func (v *Verifier) newGeneration(denied map[string]bool) *generation {
	return &generation{keys: v.ring.current.Load(), denied: denied, cache: newCache(v.config.CacheSize)}
}

func (v *Verifier) reloadDenied() (changed bool, err error) {
	if v.config.DenyFile == "" {
		return false, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	snapshot, err := snapshotFiles(v.config.DenyFile)
	if err != nil {
		return false, fmt.Errorf("deny list: %w", err)
	}
	if snapshot == v.denySnapshot {
		return false, nil
	}
	denied, err := readDenyList(v.config.DenyFile)
	if err != nil {
		return false, fmt.Errorf("deny list %s: %w", v.config.DenyFile, err)
	}
	v.denySnapshot = snapshot
	v.current.Store(v.newGeneration(denied))
	return true, nil
}
