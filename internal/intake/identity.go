package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"time"

	"salve/internal/incident"
)

// frame is what gets hashed: every part behind its length, so that no two lists
// of parts make the same bytes. It begins with what it is for.
type frame []byte

func newFrame(purpose string) frame { return make(frame, 0, 512).add(purpose) }

func (b frame) add(parts ...string) frame {
	for _, part := range parts {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return b
}

// addLabels adds labels in the order of their names.
func (b frame) addLabels(labels map[string]string) frame {
	names := make([]string, 0, 32)
	for name := range labels {
		names = append(names, name)
	}
	slices.Sort(names)
	b = binary.AppendUvarint(b, uint64(len(names)))
	for _, name := range names {
		b = b.add(name, labels[name])
	}
	return b
}

func (b frame) fingerprint() string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// labelFingerprint identifies an alert by its labels.
func labelFingerprint(source, cluster string, labels map[string]string) string {
	return newFrame("labels").add(source, cluster).addLabels(labels).fingerprint()
}

// fieldFingerprint identifies an alert that has no labels.
func fieldFingerprint(source, cluster string, fields ...string) string {
	return newFrame("fields").add(source, cluster).add(fields...).fingerprint()
}

// episode identifies one stretch of firing. Fingerprints come again with the
// next stretch, so the start is part of it; an alert without a start gets the
// episode of its fingerprint, which is whichever is open.
func episode(source, cluster, fingerprint string, starts time.Time) incident.Episode {
	b := newFrame("episode").add(source, cluster, fingerprint)
	if !starts.IsZero() {
		b = binary.BigEndian.AppendUint64(b, uint64(starts.Unix()))
		b = binary.BigEndian.AppendUint32(b, uint32(starts.Nanosecond()))
	}
	return sha256.Sum256(b)
}

// Fingerprint identifies an alert that Salve makes itself of what was sent.
func Fingerprint(source, cluster string, fields ...string) string {
	return fieldFingerprint(source, cluster, fields...)
}

// Episode is the episode of an alert without a start: whichever is open under its
// fingerprint.
func Episode(source, cluster, fingerprint string) incident.Episode {
	return episode(source, cluster, fingerprint, time.Time{})
}
