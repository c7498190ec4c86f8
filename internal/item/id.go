package item

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// maxID bounds an id, in bytes: with an extension it still is a file name everywhere.
const maxID = 200

// ID is the id of the Item of a raster, injective in the key within its Collection: the stem of its name where it lies right
// in the Collection's prefix and is called "stem.tif"; else the path below the prefix, made of [A-Za-z0-9._-], "-" and eight
// hex digits of the SHA-256 of the key. The name of a product of a known mission is left to its scene.
func (r *Rules) ID(c Collection, key string) string {
	path := strings.TrimPrefix(key, c.Prefix)
	stem, lossless := strings.CutSuffix(path, ".tif")
	if !lossless {
		stem = path[:stemEnd(path)]
	}
	lossless = lossless && !strings.Contains(stem, "/") && (r.cfg.Scenes.Off || missionOf(stem) == nil)
	return newID(stem, lossless, key)
}

// sceneID is the id of the Item of a scene of several rasters, by the scene's key: the name of the product where it is one of a
// known mission, right in the Collection's prefix or the prefix itself; else its path below the prefix, or the product's name alone, with the hash of the
// key and "/", in which no raster's key ends.
func (r *Rules) sceneID(c Collection, scene string) string {
	path := strings.TrimPrefix(scene, c.Prefix)
	if path == "" {
		path = scene[strings.LastIndexByte(scene[:len(scene)-1], '/')+1:]
	}
	stem := path[:len(path)-1]
	if name := stem[strings.LastIndexByte(stem, '/')+1:]; missionOf(name) != nil && name != stem {
		return newID(name, false, scene+"/") // the folders mostly repeat it
	}
	m := missionOf(stem)
	within := len(scene) > len(c.Prefix) && strings.HasSuffix("/"+c.Prefix, "/"+path) // the prefix's own scene has the name
	return newID(stem, m != nil && m.separator == path[len(path)-1] && !within, scene+"/")
}

// newID makes an id of a text. Where that loses nothing, and nothing was lost before, the text itself is the id; elsewhere
// the id ends in a hash of whole. No id of the first kind ends like one of the second.
func newID(text string, lossless bool, whole string) string {
	if lossless && isPlain(text) {
		return text
	}
	hash := hash8(whole)
	return slug(text, maxID-len(hash)-1) + "-" + hash
}

// isPlain tells whether a text can be an id as it is: in the alphabet, not taken for one with a hash, and a file name on
// every system (on Windows, "aux" and "a." are none).
func isPlain(s string) bool {
	if s == "" || len(s) > maxID || s[0] == '.' || s[len(s)-1] == '.' || endsInHash(s) || isDevice(s) {
		return false
	}
	for i := range len(s) {
		if !inAlphabet(s[i]) {
			return false
		}
	}
	return true
}

var devicePattern = regexp.MustCompile(`(?i)^(?:con|prn|aux|nul|(?:com|lpt)[0-9])(?:\.|$)`)

func isDevice(s string) bool {
	return len(s) >= 3 && (len(s) <= 4 || s[3] == '.' || s[4] == '.') && devicePattern.MatchString(s)
}

func inAlphabet(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '_' || c == '-'
}

// slug is the text in the alphabet of ids, with "-" for each run of anything else.
func slug(s string, limit int) string {
	var b strings.Builder
	gap := false
	for i := 0; i < len(s) && b.Len() < limit-1; i++ {
		if !inAlphabet(s[i]) {
			gap = true
			continue
		}
		if gap && b.Len() > 0 {
			b.WriteByte('-')
		}
		gap = false
		b.WriteByte(s[i])
	}
	if out := strings.TrimLeft(b.String(), ".-"); out != "" {
		return out
	}
	return "unnamed"
}

const hashLen = 8

// hash8 is the first run of eight hex digits of the SHA-256 of s that has a letter in it, so that no date looks like a hash.
func hash8(s string) string {
	sum := sha256.Sum256([]byte(s))
	digits := hex.EncodeToString(sum[:])
	for i := 0; i+hashLen <= len(digits); i++ {
		if run := digits[i : i+hashLen]; strings.ContainsAny(run, "abcdef") {
			return run
		}
	}
	return "a" + digits[:hashLen-1] // 64 decimal digits: never seen, but a total function
}

// endsInHash tells whether s ends like an id with a hash.
func endsInHash(s string) bool {
	i := len(s) - hashLen
	if i < 1 || s[i-1] != '-' {
		return false
	}
	letter := false
	for _, c := range []byte(s[i:]) {
		if c >= 'a' && c <= 'f' {
			letter = true
		} else if c < '0' || c > '9' {
			return false
		}
	}
	return letter
}
