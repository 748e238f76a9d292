package medals

import "embed"

// Models holds the models and definitions of the medals' evidence, in the form of transform's.
//
//go:embed models/*/*.sql models/definitions.csv
var Models embed.FS
