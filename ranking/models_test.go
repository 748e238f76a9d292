package ranking_test

import (
	"flag"
	"slices"
	"testing"

	"github.com/diurna-health/diurna/ranking"
	"github.com/diurna-health/diurna/ranking/rankingtest"
	"github.com/diurna-health/diurna/transform/transformtest"
)

var update = flag.Bool("update", false, "rewrite wanted rows and goldens")

func TestModels(t *testing.T) {
	transformtest.RunModels(t, transformtest.Load(t, ranking.Models), "models", *update)
}

func TestEveryColumnOfAModelIsDescribed(t *testing.T) {
	t.Parallel()
	g := rankingtest.Open(t)
	project := transformtest.Load(t, ranking.Models)
	for _, name := range []string{"stg_ranking_minutes", "ranking_days"} {
		var described []string
		for _, c := range project.Model(name).Columns {
			described = append(described, c.Name)
		}
		rows, err := g.DB.QueryContext(t.Context(), "select column_name from (describe "+name+")")
		if err != nil {
			t.Fatal(err)
		}
		defer rows.Close()
		for rows.Next() {
			var column string
			if err := rows.Scan(&column); err != nil {
				t.Fatal(err)
			}
			if !slices.Contains(described, column) {
				t.Errorf("%s: column %s has no comment with unit and meaning", name, column)
			}
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
	}
}
