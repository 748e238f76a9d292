package ranking

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/diurna-health/diurna/schemas"
)

// A publicationMark tells one revision of a frozen board from every other.
type publicationMark struct {
	revision int
	sha256   string
}

// A publication is a frozen board: its rules and everybody on it.
type publication struct {
	publicationMark
	publishedAt time.Time
	head        publicationHead
	entries     []entry // in listing order, then those who are not ranked
}

// A publicationHead is the first line of a publication; the entries follow, one a line.
type publicationHead struct {
	Format      string  `json:"format"`
	Board       Board   `json:"board"`
	Rules       string  `json:"rules"`
	Period      string  `json:"period"`
	SettlesAtMS int64   `json:"settles_at_ms"`
	Limits      []Limit `json:"limits"`
}

// publicationFormat names the form of a publication's lines.
const publicationFormat = "diurna.ranking.publication/1"

// freeze makes the standings a publication.
func (s *Standings) freeze() *publication {
	p := &publication{
		publicationMark: publicationMark{revision: 1},
		publishedAt:     s.asOf,
		head: publicationHead{Format: publicationFormat, Board: s.board, Rules: s.rules, Period: s.period.String(),
			SettlesAtMS: s.settlesAt.UnixMilli(), Limits: s.limits},
		entries: slices.Clone(s.ranked),
	}
	for _, e := range s.absent {
		p.entries = append(p.entries, e)
	}
	slices.SortFunc(p.entries[len(s.ranked):], func(a, b entry) int { return strings.Compare(a.ID, b.ID) })
	return p
}

// standings makes a frozen board what Load returns.
func (p *publication) standings(people pseudonyms) (*Standings, error) {
	period, err := schemas.ParsePeriod(p.head.Period)
	if err != nil {
		return nil, fmt.Errorf("read publication: %w", err)
	}
	s := &Standings{
		board: p.head.Board, rules: p.head.Rules, period: period, asOf: p.publishedAt, status: StatusFinal,
		settlesAt: time.UnixMilli(p.head.SettlesAtMS).UTC(), limits: p.head.Limits, people: people,
		mark: p.publicationMark,
	}
	s.arrange(p.entries)
	return s, nil
}

// without returns the next revision, from which the people of these ids are gone; false when none of them is on it.
func (p *publication) without(gone map[string]bool) (*publication, bool) {
	kept := slices.DeleteFunc(slices.Clone(p.entries), func(e entry) bool { return gone[e.ID] })
	if len(kept) == len(p.entries) {
		return p, false
	}
	next := *p
	next.revision++
	next.entries = kept
	return &next, true
}

// encode returns the lines, compressed, and their SHA-256 before compression.
func (p *publication) encode() (compressed []byte, hash string, err error) {
	var buffer bytes.Buffer
	digest := sha256.New()
	zip := gzip.NewWriter(&buffer)
	out := json.NewEncoder(io.MultiWriter(digest, zip))
	err = out.Encode(p.head)
	for i := range p.entries {
		err = cmp.Or(err, out.Encode(&p.entries[i]))
	}
	if err = cmp.Or(err, zip.Close()); err != nil {
		return nil, "", fmt.Errorf("encode publication: %w", err)
	}
	return buffer.Bytes(), hex.EncodeToString(digest.Sum(nil)), nil
}

// decode reads what encode wrote. Lines whose hash is not the one recorded are an error: somebody changed them.
func (p *publication) decode(compressed []byte) error {
	zip, err := gzip.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return fmt.Errorf("decode publication: %w", err)
	}
	digest := sha256.New()
	in := json.NewDecoder(bufio.NewReader(io.TeeReader(zip, digest)))
	if err := in.Decode(&p.head); err != nil {
		return fmt.Errorf("decode publication: %w", err)
	}
	for {
		var e entry
		if err := in.Decode(&e); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("decode publication: %w", err)
		}
		p.entries = append(p.entries, e)
	}
	if hex.EncodeToString(digest.Sum(nil)) != p.sha256 {
		return errors.New("decode publication: the entries are not those that were frozen: their hash differs")
	}
	if p.head.Format != publicationFormat {
		return errors.New("decode publication: it has a form that this version does not know")
	}
	return nil
}

// loadPublication returns the newest revision of a frozen board, nil when it is not frozen.
func loadPublication(ctx context.Context, db *sql.DB, board string, period schemas.Period) (*publication, error) {
	var p publication
	var publishedMS int64
	var compressed []byte
	err := db.QueryRowContext(ctx, `select revision, sha256, published_at_ms, entries from ranking_publications
		where board = ? and period = ? order by revision desc limit 1`, board, period.String()).
		Scan(&p.revision, &p.sha256, &publishedMS, &compressed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // not frozen is no error
	}
	if err != nil {
		return nil, fmt.Errorf("load publication of %s %s: %w", board, period, err)
	}
	p.publishedAt = time.UnixMilli(publishedMS).UTC()
	if err := p.decode(compressed); err != nil {
		return nil, fmt.Errorf("load publication of %s %s: %w", board, period, err)
	}
	return &p, nil
}

// insert writes a revision and takes the entries from those before it.
func (p *publication) insert(ctx context.Context, tx *sql.Tx, reason string, at time.Time) error {
	compressed, hash, err := p.encode()
	if err != nil {
		return err
	}
	result, err := tx.ExecContext(ctx, `insert into ranking_publications
		(board, period, revision, reason, published_at_ms, entry_count, sha256, entries) values (?, ?, ?, ?, ?, ?, ?, ?)
		on conflict do nothing`, p.head.Board.ID, p.head.Period, p.revision, reason, at.UnixMilli(), len(p.entries), hash, compressed)
	if err != nil {
		return fmt.Errorf("insert publication: %w", err)
	}
	// Somebody else froze the board at the same time: theirs stands.
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return err
	}
	if _, err := tx.ExecContext(ctx, `update ranking_publications set entries = null
		where board = ? and period = ? and revision < ?`, p.head.Board.ID, p.head.Period, p.revision); err != nil {
		return fmt.Errorf("clear replaced publication: %w", err)
	}
	return nil
}

// windowSeenAt returns when a board's period was first seen, the zero time when it was not yet.
func windowSeenAt(ctx context.Context, db *sql.DB, board string, period schemas.Period) (time.Time, error) {
	var ms int64
	err := db.QueryRowContext(ctx, "select seen_at_ms from ranking_windows where board = ? and period = ?", board, period.String()).Scan(&ms)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, nil
	}
	if err != nil {
		return time.Time{}, fmt.Errorf("read window of %s %s: %w", board, period, err)
	}
	return time.UnixMilli(ms).UTC(), nil
}

// Revision returns which revision of a frozen board is the newest, 0 when it is not frozen. Standings of one revision are
// the same at every Load.
func Revision(ctx context.Context, ledgerDB *sql.DB, board string, period schemas.Period) (int, error) {
	var revision int
	err := ledgerDB.QueryRowContext(ctx, "select coalesce(max(revision), 0) from ranking_publications where board = ? and period = ?",
		board, period.String()).Scan(&revision)
	if err != nil {
		return 0, fmt.Errorf("read revision of %s %s: %w", board, period, err)
	}
	return revision, nil
}
