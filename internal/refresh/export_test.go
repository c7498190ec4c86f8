package refresh

// Holds tells whether a Run of the Scope looks at the key.
func (s Scope) Holds(key string) bool { return s.holds(key) }
