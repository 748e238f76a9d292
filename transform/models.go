package transform

import "embed"

// Models holds Diurna's own models and definitions, for Load.
//
//go:embed models/*/*.sql models/*/definitions.csv models/definitions.csv
var Models embed.FS
