package render

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	htmltemplate "html/template"
	texttemplate "text/template"

	"github.com/diurna-health/diurna/reports"
	"github.com/diurna-health/diurna/reports/locales"
)

//go:embed templates/*
var templateFiles embed.FS

// A Renderer renders snapshots in one language. It may be used by several goroutines.
type Renderer struct {
	locale *locales.Locale
	page   *htmltemplate.Template
	text   *texttemplate.Template
	style  htmltemplate.CSS
}

// New returns the renderer of a language, such as locales.Fallback.
func New(language string) (*Renderer, error) {
	locale, err := locales.Load(language)
	if err != nil {
		return nil, err
	}
	r := &Renderer{locale: locale}
	if r.page, err = htmltemplate.ParseFS(templateFiles, "templates/report.html"); err != nil {
		return nil, fmt.Errorf("parse page template: %w", err)
	}
	text := texttemplate.New("report.txt").Funcs(texttemplate.FuncMap{
		"wrap": wrap, "indent": indent, "underline": underline, "grid": grid,
	})
	if r.text, err = text.ParseFS(templateFiles, "templates/report.txt"); err != nil {
		return nil, fmt.Errorf("parse text template: %w", err)
	}
	style, err := templateFiles.ReadFile("templates/report.css")
	if err != nil {
		return nil, fmt.Errorf("read style: %w", err)
	}
	r.style = htmltemplate.CSS(style) //nolint:gosec // our own file
	return r, nil
}

// HTML returns the report as one self-contained page.
func (r *Renderer) HTML(s *reports.Snapshot) ([]byte, error) {
	p, err := newPage(r.locale, s)
	if err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	p.Style = r.style
	var b bytes.Buffer
	if err := r.page.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("render page: %w", err)
	}
	return b.Bytes(), nil
}

// Text returns the report as plain text, at most 78 columns wide.
func (r *Renderer) Text(s *reports.Snapshot) ([]byte, error) {
	p, err := newPage(r.locale, s)
	if err != nil {
		return nil, fmt.Errorf("render text: %w", err)
	}
	var b bytes.Buffer
	if err := r.text.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("render text: %w", err)
	}
	return b.Bytes(), nil
}

// JSON returns the snapshot as an indented document with the disclaimer, ending in a line feed.
func (r *Renderer) JSON(s *reports.Snapshot) ([]byte, error) {
	disclaimer, err := r.locale.Say("disclaimer", nil)
	if err != nil {
		return nil, fmt.Errorf("render document: %w", err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	document := struct {
		*reports.Snapshot
		Disclaimer string `json:"disclaimer"`
	}{s, disclaimer}
	if err := enc.Encode(document); err != nil {
		return nil, fmt.Errorf("render document: %w", err)
	}
	return b.Bytes(), nil
}
