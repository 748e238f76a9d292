package lake

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"golang.org/x/sync/errgroup"
)

// A sweep and a commit of another process may meet over a file that both know: one that lay there unreferenced for long,
// and that somebody has just published again. Neither waits for the other. Whoever comes last finds out, and the trash
// keeps the file for them:
//
//   - the sweep looks at the age of what it has moved, which is that of the youngest writer, and at the table again;
//   - the commit looks for what it adds before it is made and after;
//   - and if both die over it, the next sweep brings back from the trash what the table refers to.

// bringBack brings back from the trash those of the files that are missing, and returns how many. A file that is
// nowhere is an error that is fs.ErrNotExist.
func (l *Lake) bringBack(ctx context.Context, paths []string) (int, error) {
	missing, err := l.missing(ctx, paths)
	if err != nil {
		return 0, err
	}
	for i, path := range missing {
		in, err := l.inTrash(ctx, path)
		if err != nil {
			return i, err
		}
		if in == "" {
			return i, fmt.Errorf("file %s: %w", path, fs.ErrNotExist)
		}
		if err := l.store.Move(ctx, in, path); err != nil {
			return i, fmt.Errorf("bring back file %s: %w", path, err)
		}
	}
	return len(missing), nil
}

// missing returns those of the paths at which nothing is.
func (l *Lake) missing(ctx context.Context, paths []string) ([]string, error) {
	const atOnce = 8 // in a bucket each look is a request
	gone := make([]bool, len(paths))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	for i, path := range paths {
		group.Go(func() error {
			_, err := l.store.Stat(ctx, path)
			if gone[i] = errors.Is(err, fs.ErrNotExist); gone[i] {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var missing []string
	for i, path := range paths {
		if gone[i] {
			missing = append(missing, path)
		}
	}
	return missing, nil
}

// bringBackLive brings back from the trash what a table refers to.
func (l *Lake) bringBackLive(ctx context.Context, name string, live map[string]bool) error {
	thrown, err := l.listTrash(ctx)
	if err != nil {
		return err
	}
	folder := l.path(name) + "/"
	var paths []string
	for _, f := range thrown {
		if path := l.thrownFrom(f); strings.HasPrefix(path, folder) && live[path] {
			paths = append(paths, path)
		}
	}
	_, err = l.bringBack(ctx, paths)
	return err
}

// thrownFrom returns where a file of the trash lay.
func (l *Lake) thrownFrom(f thrownFile) string {
	within := strings.TrimPrefix(f.Path, l.store.Root()+"/"+trashDir+"/")
	_, path, _ := strings.Cut(within, "/")
	return l.store.Root() + "/" + path
}
