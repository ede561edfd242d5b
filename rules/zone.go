package rules

import (
	"archive/zip"
	_ "embed" // for zoneinfo
	"fmt"
	"io"
	"strings"
	"time"
)

// zoneinfo is the IANA time zone database, release 2025c, as Go 1.26 carries
// it in lib/time. It is in the public domain. Another release may decide
// differently: whoever replaces it raises [EvaluationVersion].
//
//go:embed zoneinfo.zip
var zoneinfo string

// zones loads time zones, each once, from the database in the program. What
// the machine has is not looked at: every node must decide alike.
type zones struct {
	files map[string]*zip.File
	known map[string]*time.Location
}

// Zone returns the time zone of that IANA name as conditions see it. The
// empty name is UTC.
func Zone(name string) (*time.Location, error) { return new(zones).load(name) }

func (z *zones) load(name string) (*time.Location, error) {
	if name == "" || name == "UTC" {
		return time.UTC, nil
	}
	if found := z.known[name]; found != nil {
		return found, nil
	}
	if z.files == nil {
		z.open()
	}
	file := z.files[name]
	if file == nil || strings.HasSuffix(name, "/") {
		return nil, fmt.Errorf("there is no time zone %q", diagClip(name))
	}
	zone, err := loadZone(name, file)
	if err != nil {
		panic(fmt.Sprintf("rules: time zone %s of the database in the program: %v", name, err))
	}
	z.known[name] = zone
	return zone, nil
}

func (z *zones) open() {
	archive, err := zip.NewReader(strings.NewReader(zoneinfo), int64(len(zoneinfo)))
	if err != nil {
		panic("rules: the time zone database in the program: " + err.Error())
	}
	z.files, z.known = make(map[string]*zip.File, len(archive.File)), make(map[string]*time.Location)
	for _, f := range archive.File {
		z.files[f.Name] = f
	}
}

func loadZone(name string, file *zip.File) (*time.Location, error) {
	r, err := file.Open()
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	return time.LoadLocationFromTZData(name, data)
}
