package incident

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"time"
)

// ID is a UUIDv7 (RFC 9562): time-ordered, so that it is a key for pages too.
type ID [16]byte

// NewID makes an ID from its ingredients. Only 74 bits of entropy are used.
func NewID(now time.Time, entropy [10]byte) ID {
	var id ID
	binary.BigEndian.PutUint64(id[:8], uint64(now.UnixMilli())<<16)
	copy(id[6:], entropy[:])
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id
}

// ParseID reads the 36 character form; anything else is an error that says so.
func ParseID(s string) (ID, error) {
	var id ID
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return id, fmt.Errorf("%q is not an id; ids look like 01890a5d-ac96-774b-bcce-b302099a8057", clip(s, 48))
	}
	packed := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(packed)); err != nil {
		return ID{}, fmt.Errorf("%q is not an id: %w", clip(s, 48), err)
	}
	return id, nil
}

func (id ID) String() string {
	b, _ := id.AppendText(make([]byte, 0, 36))
	return string(b)
}

// AppendText implements encoding.TextAppender.
func (id ID) AppendText(b []byte) ([]byte, error) {
	b = hex.AppendEncode(b, id[:4])
	for _, part := range [][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		b = append(b, '-')
		b = hex.AppendEncode(b, part)
	}
	return b, nil
}

// MarshalText implements encoding.TextMarshaler.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText implements encoding.TextUnmarshaler.
func (id *ID) UnmarshalText(b []byte) (err error) {
	*id, err = ParseID(string(b))
	return err
}

// IsZero says whether the id was never set.
func (id ID) IsZero() bool { return id == ID{} }

// IDs hands out new ids. The pure core takes it as an argument.
type IDs func() ID

// IncidentNumber and IntentNumber are what people say: INC-1042, INT-2077.
func IncidentNumber(n int64) string { return "INC-" + strconv.FormatInt(n, 10) }

// IntentNumber is the short id of an intent.
func IntentNumber(n int64) string { return "INT-" + strconv.FormatInt(n, 10) }

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:n] + "…"
}
