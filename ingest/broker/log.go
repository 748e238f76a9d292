package broker

import (
	"errors"
	"fmt"
	"sync"

	"github.com/twmb/franz-go/pkg/kfake"
)

// logger passes the broker's warnings on and keeps its errors, which it reports in no other way.
type logger struct {
	warn func(reason string)

	mu  sync.Mutex
	err error
}

// Logf implements kfake.Logger.
func (l *logger) Logf(level kfake.LogLevel, format string, args ...any) {
	switch level {
	case kfake.LogLevelError:
		err := fmt.Errorf("broker: "+format, args...)
		l.mu.Lock()
		l.err = errors.Join(l.err, err)
		l.mu.Unlock()
	case kfake.LogLevelWarn:
		l.warn(fmt.Sprintf(format, args...))
	default: // requests as they come: an operator has no use for them
	}
}

func (l *logger) takeErr() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.err
	l.err = nil
	return err
}
