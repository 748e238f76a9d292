package main

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/diurna-health/diurna/medals"
	medalspage "github.com/diurna-health/diurna/medals/page"
	"github.com/diurna-health/diurna/ranking"
	rankingpage "github.com/diurna-health/diurna/ranking/page"
	"github.com/diurna-health/diurna/schemas"
	"github.com/diurna-health/diurna/transform"
)

// pages serves a person's pages: report, ranking, medal wall. Whoever can reach the address can read them, so only the
// demo's made-up people are shown like this.
type pages struct {
	p    *pipeline
	lake *liveReader
	log  *slog.Logger
}

func newPages(p *pipeline) *pages {
	return &pages{p: p, log: p.log, lake: newLiveReader(p)}
}

func (s *pages) mount(mux *http.ServeMux) {
	mux.HandleFunc("GET /people/{user}/reports/{period}", s.page(s.report))
	mux.HandleFunc("GET /people/{user}/rankings/{board}/{period}", s.page(s.ranking))
	mux.HandleFunc("GET /people/{user}/medals", s.page(s.medals))
}

// page turns a function that makes a page into a handler.
func (s *pages) page(compose func(r *http.Request, lake *transform.Reader) ([]byte, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		lake, giveBack, err := s.lake.borrow(r.Context())
		if err == nil {
			defer giveBack()
			var html []byte
			if html, err = compose(r, lake); err == nil {
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				w.Header().Set("Cache-Control", "private, no-cache")
				w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; img-src data:")
				w.Header().Set("Referrer-Policy", "no-referrer")
				w.Header().Set("X-Content-Type-Options", "nosniff")
				_, _ = w.Write(html) // whoever asked is gone
				return
			}
		}
		s.refuse(w, r, err)
	}
}

func (s *pages) refuse(w http.ResponseWriter, r *http.Request, err error) {
	var known *schemas.Error
	if !errors.As(err, &known) || known.Code == schemas.CodeInternal {
		s.log.ErrorContext(r.Context(), "page went wrong", schemas.LogKeyError, err)
		http.Error(w, "This page cannot be shown: something went wrong on our side.", http.StatusInternalServerError)
		return
	}
	status := http.StatusBadRequest
	if known.Code == schemas.CodeNotFound {
		status = http.StatusNotFound
	}
	http.Error(w, known.Message, status)
}

func (s *pages) report(r *http.Request, lake *transform.Reader) ([]byte, error) {
	period, err := schemas.ParsePeriod(r.PathValue("period"))
	if err != nil {
		return nil, err
	}
	newest, err := newestMessage(r.Context(), s.p.lake)
	if err != nil {
		return nil, err
	}
	snapshot, err := composeReport(r.Context(), lake.DB, newest, r.PathValue("user"), period)
	if err != nil {
		return nil, err
	}
	return renderReport(snapshot, "html")
}

func (s *pages) ranking(r *http.Request, lake *transform.Reader) ([]byte, error) {
	period, err := schemas.ParsePeriod(r.PathValue("period"))
	if err != nil {
		return nil, err
	}
	standings, err := ranking.Load(r.Context(), lake.DB, s.p.db, r.PathValue("board"), period, time.Now())
	if err != nil {
		return nil, err
	}
	view, err := standings.View(ranking.Question{User: r.PathValue("user")})
	if err != nil {
		return nil, err
	}
	return rankingpage.HTML(view)
}

func (s *pages) medals(r *http.Request, lake *transform.Reader) ([]byte, error) {
	wall, err := medals.ReadWall(r.Context(), lake.DB, medals.NewSQLLedger(s.p.db), r.PathValue("user"), reportLanguage)
	if err != nil {
		return nil, err
	}
	return medalspage.HTML(wall)
}
