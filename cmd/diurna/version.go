package main

import (
	"fmt"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print which Diurna this is",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			info, ok := debug.ReadBuildInfo()
			if !ok {
				info = &debug.BuildInfo{}
			}
			_, err := fmt.Fprintln(a.stdout, versionLine(info))
			return err
		},
	}
}

// versionLine says what can be known of a build: the release, else the commit it was made from, and the toolchain.
func versionLine(info *debug.BuildInfo) string {
	version := info.Main.Version
	if version == "" {
		version = "(devel)"
	}
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	line := "diurna " + version
	if commit := settings["vcs.revision"]; commit != "" && version == "(devel)" {
		line += " " + commit[:min(12, len(commit))]
		if settings["vcs.modified"] == "true" {
			line += " with local changes"
		}
	}
	if info.GoVersion != "" {
		line += " " + info.GoVersion
	}
	if os, arch := settings["GOOS"], settings["GOARCH"]; os != "" && arch != "" {
		line += " " + os + "/" + arch
	}
	return line
}
