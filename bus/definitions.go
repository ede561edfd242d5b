package bus

import (
	"context"

	"github.com/usher-audiences/usher/rules"
)

// Definitions is the audience definitions of an installation, by revision.
type Definitions struct{ conn *Conn }

// Manifest is one revision of all audiences. It is immutable.
type Manifest struct {
	Revision  uint64          `json:"revision"`
	Engine    int             `json:"engine"` // rules.EngineVersion of the build that wrote it
	Digest    string          `json:"digest"` // of the audiences, so equal sets have equal digests
	Audiences []ManifestEntry `json:"audiences"`
}

// ManifestEntry is one audience of a revision. Version grows by one whenever
// Digest, that of the definition's canonical form, changes.
type ManifestEntry struct {
	Key     rules.AudienceKey `json:"key"`
	Version uint64            `json:"version"`
	Digest  string            `json:"digest"`
}

// ApplyOptions says how to apply. The zero value adds and replaces, and
// deletes nothing.
type ApplyOptions struct {
	// PruneMissing deletes the audiences that are not among the documents.
	PruneMissing bool
	// DryRun only says what would change.
	DryRun bool
}

// Change is what applying changed, or would. Revision is the one now in
// force; it is the old one if nothing changed.
type Change struct {
	Revision  uint64
	Added     []ManifestEntry
	Changed   []ManifestEntry
	Unchanged []ManifestEntry
	Removed   []ManifestEntry // with their last version
}

// Empty reports whether nothing changed.
func (c *Change) Empty() bool { return len(c.Added)+len(c.Changed)+len(c.Removed) == 0 }

// Definitions returns the installation's definitions.
func (c *Conn) Definitions() *Definitions { return &Definitions{conn: c} }

// Apply adds and replaces definitions as one revision. All are refused if one
// is wrong: the error is then the rules package's, with the places.
func (d *Definitions) Apply(ctx context.Context, docs []*rules.Definition, opts ApplyOptions) (Change, error) {
	return Change{}, nil
}

// Delete removes audiences as one revision; their members exit. The error
// wraps [ErrUnknownAudience] if one does not exist, and none is removed.
func (d *Definitions) Delete(ctx context.Context, keys ...rules.AudienceKey) (Change, error) {
	return Change{}, nil
}

// Current returns the newest revision with its definitions, by key. Without
// any revision the manifest's is 0.
func (d *Definitions) Current(ctx context.Context) (Manifest, []*rules.Definition, error) {
	return Manifest{}, nil, nil
}
