package identity

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/MicahParks/jwkset"
)

// A public key is under 2 KiB; a JWKS holds a few dozen at most.
const maxKeyFileBytes = 1 << 20

// keySet is an immutable set of keys by every kid they answer to.
type keySet struct {
	byKid map[string]*key
	keys  []*key
}

// add files a key under its kid and under its thumbprint.
func (s *keySet) add(kid string, k *key) error {
	for _, name := range []string{kid, k.thumbprint} {
		if old, taken := s.byKid[name]; taken && old.thumbprint != k.thumbprint {
			return fmt.Errorf("kid %q names two different keys; rename one", clip(name))
		}
	}
	if known, ok := s.byKid[k.thumbprint]; ok {
		known.scopes &= k.scopes // what bounds a key under one name bounds it under all
		k = known
	} else {
		s.keys = append(s.keys, k)
	}
	s.byKid[kid], s.byKid[k.thumbprint] = k, k
	return nil
}

// find gives the key a token is to be checked with. A token without kid is
// tried only where exactly one key fits its algorithm: with two there would be
// a choice, and the choice is the signer's to make.
func (s *keySet) find(kid, alg string) (*key, error) {
	if kid == "" {
		return s.only(alg)
	}
	k, ok := s.byKid[kid]
	if !ok {
		return nil, refuse(UnknownKey, fmt.Sprintf("no key named %q is known here; sign with a known key, or add its public key to the keys of this server", clip(kid)))
	}
	if !k.fits(alg) {
		return nil, refuse(Algorithm, fmt.Sprintf("the key named %q verifies %s only", clip(kid), strings.Join(k.algs, " and ")))
	}
	return k, nil
}

func (s *keySet) only(alg string) (*key, error) {
	var found *key
	for _, k := range s.keys {
		if !k.fits(alg) {
			continue
		}
		if found != nil {
			return nil, refuse(UnknownKey, "the token has no kid and several keys fit; name the key in the header's kid")
		}
		found = k
	}
	if found == nil {
		return nil, refuse(UnknownKey, "no key here fits "+alg+"; sign with a known key and name it in the header's kid")
	}
	return found, nil
}

// loadKeys reads a directory of PEM files or one JWKS file.
func loadKeys(source string) (*keySet, error) {
	set := &keySet{byKid: map[string]*key{}}
	info, err := os.Stat(source)
	if err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	if info.IsDir() {
		err = set.addDirectory(source)
	} else {
		err = set.addSource(source)
	}
	if err != nil {
		return nil, err
	}
	if len(set.keys) == 0 {
		return nil, fmt.Errorf("keys in %s: %w", source, ErrNoKeys)
	}
	return set, nil
}

func (s *keySet) addDirectory(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	for _, entry := range entries {
		if err := boundsAKey(dir, entry.Name()); err != nil {
			return err
		}
		path := filepath.Join(dir, entry.Name())
		// Stat, not the entry's own type: mounted secrets are symbolic links.
		info, err := os.Stat(path)
		if err != nil {
			return fmt.Errorf("keys: %w", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if err := s.addFile(path); err != nil {
			return fmt.Errorf("key file %s: %w", path, err)
		}
	}
	return nil
}

// addFile reads one file of a key directory. Every file is looked at for
// private keys; only *.pem is taken as a key.
func (s *keySet) addFile(path string) error {
	data, err := readBounded(path)
	if err != nil {
		return err
	}
	if holdsPrivatePEM(data) || holdsPrivateJWK(data) {
		return errPrivateKey
	}
	name := filepath.Base(path)
	if !strings.HasSuffix(name, ".pem") {
		return nil
	}
	k, err := parsePEM(data)
	if err != nil {
		return err
	}
	kid := kidOf(name)
	if k.scopes, err = boundOf(filepath.Join(filepath.Dir(path), kid+scopesSuffix)); err != nil {
		return err
	}
	return s.add(kid, k)
}

// kidOf is what a key is called by its file: relay of relay.pub.pem.
func kidOf(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, ".pem"), ".pub")
}

// scopesSuffix is that of the file beside a key that says what it may sign for:
// relay.scopes holds slack:relay, and the key of relay.pub.pem signs for nothing else.
const scopesSuffix = ".scopes"

// boundOf reads what a key may sign for; without a file that is everything.
func boundOf(path string) (ScopeSet, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return everything, nil
	}
	if err != nil {
		return 0, err
	}
	scopes, err := ParseScopes(strings.Join(strings.Fields(string(data)), " "))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return scopes, nil
}

// boundsAKey refuses a file of scopes that stands beside no key: somebody means to
// bound one, and does not.
func boundsAKey(dir, name string) error {
	kid, is := strings.CutSuffix(name, scopesSuffix)
	if !is {
		return nil
	}
	for _, file := range []string{kid + ".pub.pem", kid + ".pem"} {
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return nil
		}
	}
	return fmt.Errorf("key file %s: it bounds no key: there is no %s.pub.pem beside it", filepath.Join(dir, name), kid)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxKeyFileBytes {
		return nil, fmt.Errorf("%d bytes are too many for a key file (at most %d)", info.Size(), maxKeyFileBytes)
	}
	return os.ReadFile(path)
}

var (
	// ErrNoKeys is an empty keyring: nobody could be let in.
	ErrNoKeys = errors.New("no keys: put a public key there (salve keygen makes a pair)")

	errPrivateKey = errors.New("holds a private or symmetric key; this server takes public keys only: name the public file alone, or move the private one to where tokens are made and consider it compromised")
)

// holdsPrivatePEM looks at the armour's words rather than parsing, so that a
// damaged or encrypted private key is noticed too.
func holdsPrivatePEM(data []byte) bool {
	return bytes.Contains(data, []byte("PRIVATE KEY-----"))
}

func parsePEM(data []byte) (*key, error) {
	block, rest := pem.Decode(data)
	if block == nil {
		return nil, errors.New("is not PEM; a public key begins with -----BEGIN PUBLIC KEY-----")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("holds more than one PEM block; put one key in a file")
	}
	switch block.Type {
	case "PUBLIC KEY":
		return admitPublic(x509.ParsePKIXPublicKey(block.Bytes))
	case "RSA PUBLIC KEY":
		public, err := x509.ParsePKCS1PublicKey(block.Bytes)
		return admitPublic(public, err)
	}
	return nil, fmt.Errorf("holds a PEM block of type %q; a public key (PUBLIC KEY) is needed", clip(block.Type))
}

func admitPublic(public any, err error) (*key, error) {
	if err != nil {
		return nil, fmt.Errorf("is not a public key: %w", err)
	}
	return newKey(public)
}

// addSource takes a file that stands alone: one public key as PEM, or a JWK set.
func (s *keySet) addSource(path string) error {
	if !strings.HasSuffix(path, ".pem") {
		return s.addJWKSFile(path)
	}
	if err := s.addFile(path); err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	return nil
}

func (s *keySet) addJWKSFile(path string) error {
	data, err := readBounded(path)
	if err == nil {
		err = s.addJWKS(data)
	}
	if err != nil {
		return fmt.Errorf("key file %s: %w", path, err)
	}
	return nil
}

func (s *keySet) addJWKS(data []byte) error {
	if holdsPrivatePEM(data) || holdsPrivateJWK(data) {
		return errPrivateKey
	}
	var doc struct {
		Keys []jwkset.JWKMarshal `json:"keys"`
	}
	var bounds struct {
		Keys []struct {
			Scopes *string `json:"salve_scopes"` // what the key may sign for; missing: everything
		} `json:"keys"`
	}
	if err := errors.Join(json.Unmarshal(data, &doc), json.Unmarshal(data, &bounds)); err != nil {
		return fmt.Errorf(`is not a JWK set ({"keys":[…]}): %w`, err)
	}
	for i, jwk := range doc.Keys {
		k, err := parseJWK(jwk)
		if err != nil {
			return fmt.Errorf("/keys/%d: %w", i, err)
		}
		if text := bounds.Keys[i].Scopes; text != nil {
			if k.scopes, err = ParseScopes(*text); err != nil {
				return fmt.Errorf("/keys/%d/salve_scopes: %w", i, err)
			}
		}
		if jwk.KID == "" {
			jwk.KID = k.thumbprint
		}
		if err := s.add(jwk.KID, k); err != nil {
			return fmt.Errorf("/keys/%d: %w", i, err)
		}
	}
	return nil
}

// parseJWK gives jwkset the public members alone: its checks of the key
// material are wanted, its certificates, private and remote keys are not.
func parseJWK(j jwkset.JWKMarshal) (*key, error) {
	if j.USE != "" && j.USE != jwkset.UseSig {
		return nil, fmt.Errorf("use is %q; a key that verifies has %q", clip(string(j.USE)), jwkset.UseSig)
	}
	public := jwkset.JWKMarshal{KTY: j.KTY, CRV: j.CRV, X: j.X, Y: j.Y, N: j.N, E: j.E}
	parsed, err := jwkset.NewJWKFromMarshal(public, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return nil, fmt.Errorf("is not a public key: %w", err)
	}
	k, err := newKey(parsed.Key())
	if err != nil || j.ALG == "" {
		return k, err
	}
	if !k.fits(string(j.ALG)) {
		return nil, fmt.Errorf("alg %q does not fit the key; it verifies %s", clip(string(j.ALG)), strings.Join(k.algs, " and "))
	}
	k.algs = []string{string(j.ALG)}
	return k, nil
}

// holdsPrivateJWK reports whether data is a JWK, or a set of them, with a
// member that only a private or symmetric key has.
func holdsPrivateJWK(data []byte) bool {
	var doc struct {
		secretMembers
		Keys []secretMembers `json:"keys"`
	}
	if json.Unmarshal(data, &doc) != nil {
		return false
	}
	for _, k := range append(doc.Keys, doc.secretMembers) {
		if k.KTY == jwkset.KtyOct || k.D != nil || k.K != nil || k.P != nil || k.Q != nil {
			return true
		}
	}
	return false
}

type secretMembers struct {
	KTY jwkset.KTY      `json:"kty"`
	D   json.RawMessage `json:"d"`
	K   json.RawMessage `json:"k"`
	P   json.RawMessage `json:"p"`
	Q   json.RawMessage `json:"q"`
}
