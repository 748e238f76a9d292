package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	koanfmaps "github.com/knadh/koanf/maps"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/diurna-health/diurna/schemas"
)

const (
	envPrefix  = "DIURNA_"
	configFlag = "config"

	// settingAnnotation ties a flag to the setting it sets.
	settingAnnotation = "diurna_setting"
)

// A setting is one leaf of Config.
type setting struct {
	path  string // kafka.topic
	doc   string
	index []int // of the field
	list  bool  // several values, separated by commas in variables and flags
}

func (s setting) name() string { return s.path[strings.LastIndex(s.path, ".")+1:] }
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.path, ".", "_"))
}
func (s setting) plainDoc() string { return strings.ReplaceAll(s.doc, "'", "") }
func (s setting) flagDoc() string  { return strings.ReplaceAll(s.doc, "'", "`") }

// knownSettings lists the leaves of Config in its order.
func knownSettings() []setting {
	return leaves(reflect.TypeFor[Config](), "", nil)
}

func leaves(t reflect.Type, prefix string, index []int) []setting {
	var all []setting
	for i := range t.NumField() {
		f := t.Field(i)
		path, at := prefix+f.Tag.Get("koanf"), append(slices.Clone(index), i)
		if f.Type.Kind() == reflect.Struct {
			all = append(all, leaves(f.Type, path+".", at)...)
			continue
		}
		all = append(all, setting{path: path, doc: f.Tag.Get("doc"), index: at, list: f.Type.Kind() == reflect.Slice})
	}
	return all
}

func lookupSetting(path string) (setting, bool) {
	all := knownSettings()
	i := slices.IndexFunc(all, func(s setting) bool { return s.path == path })
	if i < 0 {
		return setting{}, false
	}
	return all[i], true
}

// addSettingFlag adds a flag for a setting. Its default stays empty: the setting has its own, and a flag that was not
// given must not win over a file.
func addSettingFlag(flags *pflag.FlagSet, name, path string) {
	s, ok := lookupSetting(path)
	if !ok {
		panic("no setting has the path " + path) // a slip in this package, found by the first test that runs
	}
	usage := s.flagDoc()
	value := fmt.Sprint(defaultOf(s))
	_, yesOrNo := defaultOf(s).(bool)
	if !s.list && !yesOrNo && value != "" && value != "0" {
		usage += " (default " + value + ")"
	}
	flags.String(name, "", usage)
	flag := flags.Lookup(name)
	flag.Annotations = map[string][]string{settingAnnotation: {path}}
	if yesOrNo {
		flag.NoOptDefVal = "true" // given without a value, it means yes
	}
}

func defaultOf(s setting) any {
	return reflect.ValueOf(DefaultConfig()).FieldByIndex(s.index).Interface()
}

// settings are the effective settings and where those that are not defaults come from.
type settings struct {
	config Config
	origin map[string]string // by path
}

func (s *settings) value(st setting) any {
	return reflect.ValueOf(s.config).FieldByIndex(st.index).Interface()
}

// loadSettings returns the settings in effect: defaults, the file that --config names, environment, flags, later ones
// winning. The error is a *schemas.Error that names every problem.
func loadSettings(flags *pflag.FlagSet, lookupEnv func(string) (string, bool)) (*settings, error) {
	file, err := flags.GetString(configFlag)
	if err != nil {
		return nil, fmt.Errorf("read --%s: %w", configFlag, err)
	}
	l := loader{values: koanf.New("."), origin: map[string]string{}}
	if err := l.addFile(file); err != nil {
		return nil, err
	}
	l.addEnv(lookupEnv)
	l.addFlags(flags)
	config := l.decode()
	if err := errors.Join(l.problems...); err != nil {
		return nil, problemsError(err) // a value that could not be read would be judged as its default
	}
	if err := config.Validate(); err != nil {
		return nil, problemsError(err)
	}
	return &settings{config: config, origin: l.origin}, nil
}

// A loader lays sources of settings over each other.
type loader struct {
	values   *koanf.Koanf
	origin   map[string]string
	problems []error
}

// A source is settings by path. It is a koanf.Provider.
type source map[string]any

// Read returns the settings nested by section.
func (s source) Read() (map[string]any, error) { return koanfmaps.Unflatten(s, "."), nil }

// ReadBytes is for providers of files in a format koanf is to parse, which this is not.
func (s source) ReadBytes() ([]byte, error) { return nil, errors.ErrUnsupported }

func (l *loader) add(s source, origin func(path string) string) {
	if err := l.values.Load(s, nil); err != nil {
		l.problems = append(l.problems, err)
	}
	for path := range s {
		l.origin[path] = origin(path)
	}
}

func (l *loader) addFile(path string) error {
	if path == "" {
		return nil
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf("there is no file %s to read settings from", path)}
	}
	if err != nil {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: "cannot read settings from " + path, Err: errors.Unwrap(err)}
	}
	var nested map[string]any
	if err := yaml.Unmarshal(data, &nested); err != nil {
		return &schemas.Error{Code: schemas.CodeInvalid, Message: fmt.Sprintf("the settings in %s are not valid YAML", path), Err: err}
	}
	flat, _ := koanfmaps.Flatten(nested, nil, ".")
	s := source{}
	for _, key := range slices.Sorted(maps.Keys(flat)) {
		_, known := lookupSetting(key)
		switch {
		case known && flat[key] != nil:
			s[key] = flat[key]
		case known || flat[key] == nil && isSection(key):
			// Written without a value: the default stays.
		default:
			l.problems = append(l.problems, fmt.Errorf("%s in %s is unknown: `diurna config` lists all settings", key, path))
		}
	}
	l.add(s, func(string) string { return path })
	return nil
}

func isSection(path string) bool {
	return slices.ContainsFunc(knownSettings(), func(s setting) bool { return strings.HasPrefix(s.path, path+".") })
}

// addEnv takes the variables that settings have. Others that begin alike are left alone: they are for other programs.
func (l *loader) addEnv(lookup func(string) (string, bool)) {
	s := source{}
	for _, st := range knownSettings() {
		if value, ok := lookup(st.env()); ok {
			s[st.path] = value
		}
	}
	l.add(s, func(path string) string {
		st, _ := lookupSetting(path)
		return st.env()
	})
}

func (l *loader) addFlags(flags *pflag.FlagSet) {
	s, names := source{}, map[string]string{}
	flags.Visit(func(f *pflag.Flag) { // visits those that were given
		for _, path := range f.Annotations[settingAnnotation] {
			s[path], names[path] = f.Value.String(), "--"+f.Name
		}
	})
	l.add(s, func(path string) string { return names[path] })
}

// decode reads every value into its field's type, setting by setting, so that each problem is named.
func (l *loader) decode() Config {
	config := DefaultConfig()
	fields := reflect.ValueOf(&config).Elem()
	for _, st := range knownSettings() {
		raw := l.values.Get(st.path)
		if raw == nil {
			continue
		}
		if text, ok := raw.(string); ok && st.list {
			raw = splitList(text)
		}
		// One value at a time, under a name of its own: koanf decodes values, not lone ones.
		one := koanf.New(".")
		target := reflect.New(reflect.StructOf([]reflect.StructField{{
			Name: "Value", Type: fields.FieldByIndex(st.index).Type(), Tag: `koanf:"value"`,
		}}))
		err := one.Set("value", raw)
		if err == nil {
			err = one.Unmarshal("", target.Interface())
		}
		if err != nil {
			l.problems = append(l.problems, fmt.Errorf("%s from %s: %w", st.path, l.origin[st.path], oneLine(err)))
			continue
		}
		fields.FieldByIndex(st.index).Set(target.Elem().Field(0))
	}
	return config
}

func splitList(text string) []string {
	var list []string
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item != "" {
			list = append(list, item)
		}
	}
	return list
}

// oneLine keeps the last line of what koanf says in several: the ones before only announce it, under the name that
// decode gave.
func oneLine(err error) error {
	text := strings.TrimSpace(err.Error())
	text = strings.TrimSpace(text[strings.LastIndex(text, "\n")+1:])
	return errors.New(strings.TrimPrefix(text, "'value' "))
}
