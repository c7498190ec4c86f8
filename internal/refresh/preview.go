package refresh

// A Preview is what a Run would do now.
type Preview struct {
	Objects   int `json:"objects"`   // listed
	Ignored   int `json:"ignored"`   // of them, those that are neither rasters nor their sidecars
	Unchanged int `json:"unchanged"` // of them, those that would not be opened
	Rasters   int `json:"rasters"`   // that would be opened
	Removed   int `json:"removed"`   // published Objects that are gone
	Shards    int `json:"shards"`    // that would be scanned, each to one Part
}
