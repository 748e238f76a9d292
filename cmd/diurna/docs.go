package main

import "github.com/spf13/cobra"

func newDocsCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "docs",
		Short: "Write the data dictionary: every table, column and metric, with unit, method and source",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			project, err := loadProject(cmd.Context())
			if err != nil {
				return err
			}
			text, err := project.Dictionary(cmd.Context())
			if err != nil {
				return err
			}
			_, err = a.stdout.Write(text)
			return err
		},
	}
}
