package item

import "strings"

// What the names of a scene's rasters end in, after "_" or ".", besides B and BAND with a number: the tokens of missions.
var knownTokens = set(`
	B8A TCI SCL AOT WVP CLD SNW PVI
	SR_B1 SR_B2 SR_B3 SR_B4 SR_B5 SR_B6 SR_B7 ST_B6 ST_B10 B6_VCID_1 B6_VCID_2
	ST_ATRAN ST_CDIST ST_DRAD ST_EMIS ST_EMSD ST_TRAD ST_URAD ST_QA
	SR_QA_AEROSOL SR_ATMOS_OPACITY SR_CLOUD_QA QA_PIXEL QA_RADSAT BQA SAA SZA VAA VZA
	Fmask
	VV VH HH HV
	AnalyticMS AnalyticMS_SR AnalyticMS_8b AnalyticMS_SR_8b udm2`)

// isQualifier tells what may follow a token: its resolution in metres, and what Planet did to the raster.
func isQualifier(s string) bool {
	metres, ok := strings.CutSuffix(s, "m")
	return ok && 1 <= len(metres) && len(metres) <= 4 && digits(metres) == len(metres) || s == "clip" || s == "harmonized"
}

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}

// maxTokenParts is how many parts with "_" or "." between them are looked at for a token.
const maxTokenParts = 6

// bandAt is where the token of a scene's raster begins in a stem, the key without its extension; -1 where there is none. What
// stands before it is the scene's key: directory and name up to the "_" or "." before the token; or the directory alone where
// the token is the whole name and the directory is called like a product. Of several tokens the longest counts.
func (r *Rules) bandAt(stem string) int {
	if r.cfg.Scenes.Off {
		return -1
	}
	name := strings.LastIndexByte(stem, '/') + 1
	if name > 0 && r.isToken(stem[name:], inProduct(stem[:name])) {
		return name
	}
	at := -1
	for i, parts := len(stem)-1, 0; i > name && parts < maxTokenParts; i-- {
		if c := stem[i]; c == '_' || c == '.' {
			parts++
			if r.isToken(stem[i+1:], true) {
				at = i + 1
			}
		}
	}
	return at
}

// isToken tells whether a text is a token: of the config's, or where known is true of the known ones.
func (r *Rules) isToken(s string, known bool) bool {
	if known && r.cfg.Scenes.Known && s != "" && isKnownToken(s) {
		return true
	}
	for _, g := range r.cfg.Scenes.Tokens {
		if g.Match(s) {
			return true
		}
	}
	return false
}

func isKnownToken(s string) bool {
	if c := s[0]; c < 'A' || c > 'Z' && c != 'u' {
		return false // as most parts of names
	}
	token, _ := cutQualifiers(s)
	return knownTokens[token] || isNumbered(token)
}

// isNumbered tells whether a token is B or BAND with a number of up to three digits.
func isNumbered(s string) bool {
	for _, prefix := range [...]string{"BAND", "B"} {
		if n, ok := strings.CutPrefix(s, prefix); ok {
			return len(n) <= 3 && n != "" && digits(n) == len(n)
		}
	}
	return false
}

// cutQualifiers takes the qualifiers off a token.
func cutQualifiers(s string) (token, qualifiers string) {
	for token = s; ; {
		i := strings.LastIndexByte(token, '_')
		if i <= 0 || !isQualifier(token[i+1:]) {
			return token, s[len(token):]
		}
		token = token[:i]
	}
}

// inProduct tells whether a directory is called like a product of a known mission.
func inProduct(dir string) bool { return missionOf(productName(dir)) != nil }

// productName is the last level of a directory, as the product is called that lies there.
func productName(dir string) string {
	dir = strings.TrimSuffix(dir, "/")
	return strings.TrimSuffix(dir[strings.LastIndexByte(dir, '/')+1:], ".SAFE")
}
