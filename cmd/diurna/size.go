package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A ByteSize is an amount of memory or disk: 1048576, 512KiB, 32MiB, 2GiB.
type ByteSize int64

type byteUnit struct {
	suffix string
	bytes  int64
}

// byteUnits lists the units, largest first, so that no suffix hides a longer one.
func byteUnits() []byteUnit {
	return []byteUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"B", 1}, {"", 1}}
}

// UnmarshalText reads a whole number with an optional binary unit. Decimal units (MB) are refused: half of those who
// write them mean the other kind.
func (b *ByteSize) UnmarshalText(text []byte) error {
	s := strings.TrimSpace(string(text))
	for _, unit := range byteUnits() {
		digits, ok := strings.CutSuffix(s, unit.suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
		if err != nil || n < 0 || n > math.MaxInt64/unit.bytes {
			break
		}
		*b = ByteSize(n * unit.bytes)
		return nil
	}
	return fmt.Errorf("%q is no size: write a whole number with B, KiB, MiB, GiB or TiB", s)
}

// String returns the size in the largest unit that keeps it whole; UnmarshalText and DuckDB read it.
func (b ByteSize) String() string {
	for _, unit := range byteUnits() {
		if b != 0 && unit.suffix != "" && int64(b)%unit.bytes == 0 {
			return strconv.FormatInt(int64(b)/unit.bytes, 10) + unit.suffix
		}
	}
	return "0B"
}

// MarshalText is String.
func (b ByteSize) MarshalText() ([]byte, error) { //nolint:unparam // encoding.TextMarshaler
	return []byte(b.String()), nil
}
