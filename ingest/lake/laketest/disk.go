package laketest

import (
	"errors"
	"hash/fnv"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/diurna-health/diurna/ingest/lake"
)

// An Op is a kind of operation on a disk.
type Op string

// The kinds of operations. The first ones change something.
const (
	OpCreate  Op = "create"
	OpWrite   Op = "write"
	OpSync    Op = "sync"
	OpSyncDir Op = "sync folder"
	OpRename  Op = "rename"
	OpRemove  Op = "remove"
	OpMkdir   Op = "make folder"
	OpOpen    Op = "open"
	OpRead    Op = "read"
	OpStat    Op = "stat"
	OpReadDir Op = "read folder"
)

// Changes reports whether operations of this kind change what is on the disk, or make it durable.
func (o Op) Changes() bool {
	return slices.Contains([]Op{OpCreate, OpWrite, OpSync, OpSyncDir, OpRename, OpRemove, OpMkdir}, o)
}

// A Disk is a file system in memory. It keeps apart what is written and what is durable, the way Linux does: bytes are
// durable when the file was synced, names when their folder was. CutPower says what could be left.
type Disk struct {
	// Fault is asked before each operation; an error of it is the operation's. A write that fails has written half.
	Fault func(op Op, path string) error
	// Lies is asked before each sync that is to succeed; of one for which it says true nothing becomes durable.
	Lies func(op Op, path string) bool
	// Now dates the files; nil leaves them without a date.
	Now func() time.Time

	mu   sync.Mutex
	root *node
	made uint64 // nodes and changes so far: lots are drawn by number, for names are random
}

type node struct {
	number uint64
	dir    bool

	data    []byte
	synced  []byte
	modTime time.Time
	lost    bool // a sync failed: Linux then takes the bytes for clean, and no later sync writes them

	children map[string]*node
	durable  map[string]*node
	pending  []*change // what happened to children since durable
}

// A change of a folder that is not durable.
type change struct {
	number uint64
	name   string
	to     *node   // nil: the name is gone
	after  *change // of a rename: the old name is not gone unless the new one is there
	synced bool
}

// NewDisk returns an empty disk.
func NewDisk() *Disk { return &Disk{root: newFolder(0)} }

func newFolder(number uint64) *node {
	return &node{number: number, dir: true, children: map[string]*node{}, durable: map[string]*node{}}
}

// CutPower returns a disk as it could be found after a power cut at this moment. What was not synced, each block of
// 4 KiB and each change of a folder, is there with the given probability: with 0 nothing is, with 100 all of it. The
// same seed draws the same lots.
func (d *Disk) CutPower(seed uint64, percent int) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := &Disk{Now: d.Now, Lies: d.Lies, made: d.made}
	cut := powerCut{seed: seed, percent: uint64(percent), copies: map[*node]*node{}}
	left.root = cut.node(d.root)
	return left
}

type powerCut struct {
	seed, percent uint64
	copies        map[*node]*node // a file may have two names
}

// survives draws a lot.
func (c *powerCut) survives(number uint64, block int) bool {
	h := fnv.New64a()
	for _, v := range []uint64{c.seed, number, uint64(block)} {
		var b [8]byte
		for i := range b {
			b[i] = byte(v >> (8 * i))
		}
		_, _ = h.Write(b[:])
	}
	v := h.Sum64()
	v ^= v >> 32 // the low bits of FNV alone are no good lots
	return (v*0x9E3779B97F4A7C15)>>33%100 < c.percent
}

func (c *powerCut) survivesChange(ch *change) bool {
	if ch.synced {
		return true
	}
	return (ch.after == nil || c.survivesChange(ch.after)) && c.survives(ch.number, 0)
}

func (c *powerCut) node(n *node) *node {
	if left, ok := c.copies[n]; ok {
		return left
	}
	if !n.dir {
		left := &node{number: n.number, data: c.content(n), modTime: n.modTime}
		left.synced = left.data
		c.copies[n] = left
		return left
	}
	left := newFolder(n.number)
	c.copies[n] = left
	names := maps.Clone(n.durable)
	for _, ch := range n.pending {
		if !c.survivesChange(ch) {
			continue
		}
		if ch.to == nil {
			delete(names, ch.name)
		} else {
			names[ch.name] = ch.to
		}
	}
	for name, child := range names {
		left.children[name] = c.node(child)
	}
	left.durable = maps.Clone(left.children)
	return left
}

// content mixes what was synced with what was not, block by block; a block that never came to the disk reads as zeros.
func (c *powerCut) content(n *node) []byte {
	const block = 4096
	left := slices.Clone(n.synced)
	for from := 0; from < len(n.data); from += block {
		to := min(from+block, len(n.data))
		if !c.survives(n.number, from/block) {
			continue
		}
		if to > len(left) {
			left = append(left, make([]byte, to-len(left))...)
		}
		copy(left[from:to], n.data[from:to])
	}
	return left
}

func (d *Disk) fault(op Op, path string) error {
	if d.Fault == nil {
		return nil
	}
	return d.Fault(op, path)
}

func (d *Disk) lies(op Op, path string) bool { return d.Lies != nil && d.Lies(op, path) }

// find returns the node at a path; the caller holds the lock.
func (d *Disk) find(op, name string) (*node, error) {
	n := d.root
	for part := range strings.SplitSeq(strings.Trim(path.Clean(name), "/"), "/") {
		if part == "" || part == "." {
			continue
		}
		if n = n.children[part]; n == nil {
			return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
		}
	}
	return n, nil
}

// set changes a name of a folder; the caller holds the lock.
func (d *Disk) set(folder *node, name string, to *node, after *change) *change {
	d.made++
	ch := &change{number: d.made, name: name, to: to, after: after}
	folder.pending = append(folder.pending, ch)
	if to == nil {
		delete(folder.children, name)
	} else {
		folder.children[name] = to
	}
	return ch
}

// Create implements lake.FS.
func (d *Disk) Create(name string) (lake.FSFile, error) {
	if err := d.fault(OpCreate, name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	folder, err := d.find("create", path.Dir(name))
	if err != nil {
		return nil, err
	}
	d.made++
	n := &node{number: d.made, modTime: d.now()}
	d.set(folder, path.Base(name), n, nil)
	return &file{disk: d, node: n, path: name}, nil
}

func (d *Disk) now() time.Time {
	if d.Now == nil {
		return time.Time{}
	}
	return d.Now()
}

// Open implements lake.FS.
func (d *Disk) Open(name string) (lake.FSFile, error) {
	if err := d.fault(OpOpen, name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("open", name)
	if err != nil {
		return nil, err
	}
	return &file{disk: d, node: n, path: name}, nil
}

// Rename implements lake.FS.
func (d *Disk) Rename(from, to string) error {
	if err := d.fault(OpRename, from); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("rename", from)
	if err != nil {
		return err
	}
	source, err := d.find("rename", path.Dir(from))
	if err != nil {
		return err
	}
	target, err := d.find("rename", path.Dir(to))
	if err != nil {
		return err
	}
	added := d.set(target, path.Base(to), n, nil)
	d.set(source, path.Base(from), nil, added)
	return nil
}

// Remove implements lake.FS.
func (d *Disk) Remove(name string) error {
	if err := d.fault(OpRemove, name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("remove", name)
	if err != nil {
		return err
	}
	if len(n.children) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: errors.New("folder not empty")}
	}
	folder, err := d.find("remove", path.Dir(name))
	if err != nil {
		return err
	}
	d.set(folder, path.Base(name), nil, nil)
	return nil
}

// Mkdir implements lake.FS.
func (d *Disk) Mkdir(name string) error {
	if err := d.fault(OpMkdir, name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	folder, err := d.find("mkdir", path.Dir(name))
	if err != nil {
		return err
	}
	if folder.children[path.Base(name)] != nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	d.made++
	d.set(folder, path.Base(name), newFolder(d.made), nil)
	return nil
}

// SyncDir implements lake.FS.
func (d *Disk) SyncDir(name string) error {
	if err := d.fault(OpSyncDir, name); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("sync", name)
	if err != nil || d.lies(OpSyncDir, name) {
		return err
	}
	n.durable = maps.Clone(n.children)
	for _, ch := range n.pending {
		ch.synced = true
	}
	n.pending = nil
	return nil
}

// Stat implements lake.FS.
func (d *Disk) Stat(name string) (fs.FileInfo, error) {
	if err := d.fault(OpStat, name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("stat", name)
	if err != nil {
		return nil, err
	}
	return n.info(path.Base(name)), nil
}

// ReadDir implements lake.FS.
func (d *Disk) ReadDir(name string) ([]fs.FileInfo, error) {
	if err := d.fault(OpReadDir, name); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.find("read", name)
	if err != nil {
		return nil, err
	}
	infos := make([]fs.FileInfo, 0, len(n.children))
	// In the order in which they were made: by name it would be another one each time.
	names := slices.SortedFunc(maps.Keys(n.children), func(a, b string) int {
		return int(n.children[a].number) - int(n.children[b].number)
	})
	for _, name := range names {
		infos = append(infos, n.children[name].info(name))
	}
	return infos, nil
}

// Free implements lake.FS: nobody can say.
func (d *Disk) Free(string) (bytes int64, known bool, err error) { return 0, false, nil }

func (n *node) info(name string) fs.FileInfo {
	return fileInfo{name: name, size: int64(len(n.data)), modTime: n.modTime, dir: n.dir}
}

type fileInfo struct {
	name    string
	size    int64
	modTime time.Time
	dir     bool
}

func (i fileInfo) Name() string       { return i.name }
func (i fileInfo) Size() int64        { return i.size }
func (i fileInfo) ModTime() time.Time { return i.modTime }
func (i fileInfo) IsDir() bool        { return i.dir }
func (i fileInfo) Sys() any           { return nil }

func (i fileInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}

// A file is an open file of a disk. It is for one goroutine, but for ReadAt.
type file struct {
	disk *Disk
	node *node
	path string
	at   int
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, int64(f.at))
	f.at += n
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	if err := f.disk.fault(OpRead, f.path); err != nil {
		return 0, err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if f.node.dir {
		return 0, &fs.PathError{Op: "read", Path: f.path, Err: errors.New("is a folder")}
	}
	if off >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) Write(p []byte) (int, error) {
	err := f.disk.fault(OpWrite, f.path)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err != nil {
		p = p[:len(p)/2]
	}
	// A copy, for a disk that lost power shares what was synced.
	f.node.data = append(slices.Clip(f.node.data), p...)
	f.node.modTime = f.disk.now()
	return len(p), err
}

func (f *file) Sync() error {
	err := f.disk.fault(OpSync, f.path)
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if err != nil {
		f.node.lost = true
		return err
	}
	if !f.node.lost && !f.disk.lies(OpSync, f.path) {
		f.node.synced = slices.Clip(f.node.data)
	}
	return nil
}

func (f *file) Close() error { return nil }

var _ lake.FS = (*Disk)(nil)
