package item

import "github.com/cairn-stac/cairn/internal/geotiff"

// The codes of Rejects. They are stable.
const (
	CodeEmpty          = "empty"
	CodeNotTIFF        = geotiff.CodeNotTIFF
	CodeTruncated      = geotiff.CodeTruncated
	CodeMalformed      = geotiff.CodeMalformed
	CodeNoTransform    = "no_transform"
	CodeNoCRS          = "no_crs"
	CodeUnsupportedCRS = "unsupported_crs"
	CodeNotEarth       = "not_earth"
	CodeOffEarth       = "off_earth"
	CodeNoDatetime     = "no_datetime"
	CodeDenied         = "denied"
	CodeArchived       = "archived"
	CodeUnstable       = "unstable"
	CodeDuplicateID    = "duplicate_id"
)

// A RejectCode is a reason for which a raster is not catalogued.
type RejectCode struct {
	Code    string
	Meaning string // what is the matter, for the documentation
	Advice  string // what to do; ends the message of each Reject of the code
	Retry   bool   // the matter may end without the file changing, so each Run tries again
}

// RejectCodes are all there are.
var RejectCodes = []RejectCode{
	{CodeEmpty, "The file has no bytes.", "upload it again, or remove it", false},
	{CodeNotTIFF, "The file does not begin as a TIFF does, whatever its name says.",
		"rename it, or leave it out with exclude in cairn.yaml", false},
	{CodeTruncated, "The header points past the end of the file: it was cut off, or is still being written.",
		"copy or upload it again", false},
	{CodeMalformed, "The file is a TIFF, but its header contradicts itself or asks for more than any raster has.",
		"write it anew with gdal_translate, if GDAL can open it", false},
	{CodeNoTransform, "The file does not say where its pixels lie: neither it nor a file beside it has a geotransform, or ground control points.",
		"georeference it with gdal_translate -a_ullr or gdalwarp", false},
	{CodeNoCRS, "The file names no coordinate reference system.",
		"set assume_crs in cairn.yaml, or write one into the file with gdal_edit.py -a_srs", false},
	{CodeUnsupportedCRS, "The coordinate reference system is geocentric, not defined to the end, or one that Cairn does not know.",
		"reproject it with gdalwarp -t_srs, e.g. to EPSG:4326 or a UTM zone", false},
	{CodeNotEarth, "The coordinate reference system is of another body, such as the Moon or Mars, so that there is no place on the Earth.",
		"set without_footprint to item in cairn.yaml to catalogue it without one, or leave it out with exclude", false},
	{CodeOffEarth, "The raster lies outside of the area that its coordinate reference system can describe.",
		"check its geotransform and its coordinate reference system, which probably do not belong together", false},
	{CodeNoDatetime, "Neither the file nor its key tells a time, and cairn.yaml says to reject such files.",
		"add a pattern to datetime.patterns in cairn.yaml, or set datetime.fallback to last_modified", false},
	{CodeDenied, "Cairn is not allowed to read the file. In a folder: by its mode, or because it is a link that leads out of the " +
		"source. In a bucket: for want of `s3:GetObject`, of `kms:Decrypt` where a KMS key encrypts it, or of `--request-payer`.",
		"grant read access, or leave it out with exclude in cairn.yaml; each refresh tries again", true},
	{CodeArchived, "The file is archived: its storage class gives no bytes before it is restored (GLACIER, DEEP_ARCHIVE, the " +
		"archive tiers of INTELLIGENT_TIERING).",
		"restore it with aws s3api restore-object, or copy it to another storage class; each refresh tries again", true},
	{CodeUnstable, "The file was replaced each time that it was read.", "the next refresh tries again", true},
	{CodeDuplicateID, "The Item would have the id of another one: the hashes of their keys are equal.", "rename the file", true},
}

// A Reject is a raster that cannot be catalogued, or a sidecar that must not be read, and why. It is data, not an error.
type Reject struct {
	Key     string
	Code    string // one of RejectCodes
	Message string // a sentence for people: what is the matter, and what to do
	Retry   bool   // tried again in each Run
}

// NewReject makes the Reject of an Object, with what is the matter in this case.
func NewReject(key, code, problem string) Reject {
	for _, c := range RejectCodes {
		if c.Code == code {
			return Reject{Key: key, Code: code, Message: problem + "; " + c.Advice, Retry: c.Retry}
		}
	}
	return Reject{Key: key, Code: CodeMalformed, Message: problem}
}
