package ranking

import "embed"

// Models holds the models and definitions of the rankings, in the form of transform's.
//
//go:embed models/*/*.sql models/definitions.csv
var Models embed.FS
