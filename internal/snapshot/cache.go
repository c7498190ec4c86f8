package snapshot

import (
	"container/list"
	"sync"
)

// DefaultCache is enough for the indexes of 2 million Items, in bytes.
const DefaultCache = 64 << 20

// A Cache keeps the indexes of Parts that were used last. Parts never change, so one Cache serves all Readers of one
// Catalog, whatever their Snapshots. It is safe for concurrent use.
type Cache struct {
	mu    sync.Mutex
	free  int64
	byKey map[string]*list.Element
	used  list.List // of *cached, last used first
}

type cached struct {
	key string
	x   *index
}

// NewCache makes a Cache of about so many bytes.
func NewCache(bytes int64) *Cache {
	return &Cache{free: bytes, byKey: map[string]*list.Element{}}
}

func (c *Cache) get(key string) (*index, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.byKey[key]
	if !ok {
		return nil, false
	}
	c.used.MoveToFront(e)
	return e.Value.(*cached).x, true
}

func (c *Cache) put(key string, x *index) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.byKey[key]; ok {
		return
	}
	c.byKey[key] = c.used.PushFront(&cached{key, x})
	c.free -= x.bytes()
	for c.free < 0 {
		last := c.used.Back()
		old := c.used.Remove(last).(*cached)
		delete(c.byKey, old.key)
		c.free += old.x.bytes()
	}
}
