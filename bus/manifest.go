package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"

	"github.com/usher-audiences/usher/bus/subject"
	"github.com/usher-audiences/usher/rules"
)

// Manifest is one revision of all audiences. It is immutable.
type Manifest struct {
	Revision uint64 `json:"revision"`
	// Evaluation is rules.EvaluationVersion of the build that wrote it.
	Evaluation int `json:"evaluation"`
	// Digest is the SHA-256 of all that decides, so that equal sets of
	// definitions have equal digests.
	Digest    string          `json:"digest"`
	Audiences []ManifestEntry `json:"audiences,omitempty"` // by key
}

// ManifestEntry is one audience of a revision. Version grows by one whenever
// Digest, that of the definition's canonical form, changes.
type ManifestEntry struct {
	Key     rules.AudienceKey `json:"key"`
	Version uint64            `json:"version"`
	Digest  string            `json:"digest"`
}

// manifestRecord is a manifest as stored. The audiences of a large one are in
// parts, each stored under its digest, so that no record outgrows a message.
type manifestRecord struct {
	Manifest
	Parts []string `json:"parts,omitempty"`
}

// partMax is how many audiences one record lists.
const partMax = 2000

// Records of the bucket.
const (
	headKey     = "head"
	revisionKey = "rev."
	docKey      = "doc."
	partKey     = "part."
)

func definitionSubject(key string) string { return bucketSubject(subject.BucketDefinitions, key) }

func digestOf(evaluation int, entries []ManifestEntry) string {
	h := sha256.New()
	fmt.Fprintf(h, "evaluation %d\n", evaluation)
	for _, e := range entries {
		fmt.Fprintf(h, "%s %d %s\n", e.Key, e.Version, e.Digest)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// headRecord says which revision is the newest.
type headRecord struct {
	Revision uint64 `json:"revision"`
	Digest   string `json:"digest"`
}

// headState is the newest revision, and the head record's own sequence.
type headState struct {
	revision uint64
	seq      uint64
}

// head finds the newest revision. It moves the head record on if whoever
// stored a later manifest did not live to do it.
func (d *Definitions) head(ctx context.Context) (headState, error) {
	for {
		m, err := d.get(ctx, headKey)
		if err != nil {
			return headState{}, fmt.Errorf("read the definitions' head: %w", err)
		}
		var h headState
		if m != nil {
			var r headRecord
			if err := json.Unmarshal(m.Data, &r); err != nil {
				return headState{}, fmt.Errorf("read the definitions' head: %w", err)
			}
			h = headState{revision: r.Revision, seq: m.Seq}
		}
		later, err := d.get(ctx, revisionKey+strconv.FormatUint(h.revision+1, 10))
		if err != nil {
			return headState{}, err
		}
		if later == nil {
			return h, nil
		}
		var r manifestRecord
		if err := json.Unmarshal(later.Data, &r); err != nil {
			return headState{}, fmt.Errorf("revision %d: %w", h.revision+1, err)
		}
		if err := d.advance(ctx, h, r.Manifest); err != nil {
			return headState{}, err
		}
	}
}

// advance moves the head record to m. Losing against another is fine: it
// moved it at least as far.
func (d *Definitions) advance(ctx context.Context, from headState, m Manifest) error {
	data, err := json.Marshal(headRecord{Revision: m.Revision, Digest: m.Digest})
	if err != nil {
		return fmt.Errorf("encode the definitions' head: %w", err)
	}
	r, err := d.conn.storeWait(ctx, expecting(definitionSubject(headKey), data, from.seq))
	if err == nil && r.Error != nil && !r.refused() {
		err = r.Error
	}
	if err != nil {
		return fmt.Errorf("move the definitions' head to revision %d: %w", m.Revision, err)
	}
	return nil
}

// publish stores the documents, then the manifest if its number is free. It
// reports whether it was, in which case m is in force.
func (d *Definitions) publish(ctx context.Context, from headState, m Manifest, docs []*rules.Definition) (bool, error) {
	record := manifestRecord{Manifest: m}
	content := make(map[string][]byte, len(docs))
	for _, doc := range docs {
		content[docKey+doc.Digest()] = doc.Canonical()
	}
	if len(m.Audiences) > partMax {
		record.Audiences = nil
		for rest := m.Audiences; len(rest) > 0; rest = rest[min(partMax, len(rest)):] {
			part, err := json.Marshal(rest[:min(partMax, len(rest))])
			if err != nil {
				return false, fmt.Errorf("encode revision %d: %w", m.Revision, err)
			}
			sum := sha256.Sum256(part)
			digest := hex.EncodeToString(sum[:])
			content[partKey+digest] = part
			record.Parts = append(record.Parts, digest)
		}
	}
	if err := d.putContent(ctx, content); err != nil {
		return false, err
	}
	data, err := json.Marshal(record)
	if err != nil {
		return false, fmt.Errorf("encode revision %d: %w", m.Revision, err)
	}
	stored, err := d.create(ctx, revisionKey+strconv.FormatUint(m.Revision, 10), data)
	if err != nil || !stored {
		return false, err
	}
	// In force now, even if the head record cannot be moved: the next to look
	// for it moves it.
	return true, d.advance(ctx, from, m)
}

// putContent stores records whose names are their digests.
func (d *Definitions) putContent(ctx context.Context, content map[string][]byte) error {
	ends := make(chan error, len(content))
	for key, data := range content {
		d.conn.ask(&d.conn.gates.appends, expecting(definitionSubject(key), data, 0), func(m *nats.Msg, err error) {
			var r pubReply
			if err == nil {
				r, err = readPubReply(m.Data)
			}
			if err == nil && r.Error != nil && !r.refused() { // refused: it is there
				err = r.Error
			}
			ends <- err
		})
	}
	var errs []error
	for range content {
		select {
		case err := <-ends:
			errs = append(errs, err)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("store the definitions: %w", err)
	}
	return nil
}

// create stores a record if there is none of its name and reports whether
// it did. When the acknowledgement was lost it looks.
func (d *Definitions) create(ctx context.Context, key string, data []byte) (bool, error) {
	r, err := d.conn.storeWait(ctx, expecting(definitionSubject(key), data, 0))
	if err == nil && r.Error == nil {
		return true, nil
	}
	if err == nil && r.refused() {
		return false, nil
	}
	m, err2 := d.get(ctx, key)
	if err2 == nil && m != nil {
		return string(m.Data) == string(data), nil
	}
	if err == nil {
		err = r.Error
	}
	return false, fmt.Errorf("store %s: %w", key, errors.Join(err, err2))
}

// manifest reads a revision; 0 is the one before the first. With the error
// [ErrEvaluation] it is returned all the same.
func (d *Definitions) manifest(ctx context.Context, revision uint64) (Manifest, error) {
	if revision == 0 {
		return Manifest{Evaluation: rules.EvaluationVersion, Digest: digestOf(rules.EvaluationVersion, nil)}, nil
	}
	m, err := d.get(ctx, revisionKey+strconv.FormatUint(revision, 10))
	if err == nil && m == nil {
		err = ErrNoRevision
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("revision %d: %w", revision, err)
	}
	var r manifestRecord
	if err := json.Unmarshal(m.Data, &r); err != nil {
		return Manifest{}, fmt.Errorf("revision %d: %w", revision, err)
	}
	parts, err := d.getContent(ctx, partKey, r.Parts)
	if err != nil {
		return Manifest{}, fmt.Errorf("revision %d: %w", revision, err)
	}
	for _, part := range parts {
		var entries []ManifestEntry
		if err := json.Unmarshal(part, &entries); err != nil {
			return Manifest{}, fmt.Errorf("revision %d: %w", revision, err)
		}
		r.Audiences = append(r.Audiences, entries...)
	}
	if r.Evaluation != rules.EvaluationVersion {
		return r.Manifest, fmt.Errorf("revision %d has evaluation %d, this build has %d: %w; apply the definitions again with one build everywhere",
			revision, r.Evaluation, rules.EvaluationVersion, ErrEvaluation)
	}
	return r.Manifest, nil
}

// load reads the definitions of the entries, in their order.
func (d *Definitions) load(ctx context.Context, entries []ManifestEntry) ([]*rules.Definition, error) {
	digests := make([]string, len(entries))
	for i, e := range entries {
		digests[i] = e.Digest
	}
	docs, err := d.getContent(ctx, docKey, digests)
	if err != nil {
		return nil, err
	}
	defs := make([]*rules.Definition, len(docs))
	for i, doc := range docs {
		parsed, err := rules.Parse(string(entries[i].Key), doc)
		if err == nil && len(parsed) != 1 {
			err = fmt.Errorf("%d documents, want 1", len(parsed))
		}
		if err != nil {
			return nil, fmt.Errorf("stored definition of %s: %w", entries[i].Key, err)
		}
		defs[i] = parsed[0]
	}
	return defs, nil
}

// getContent reads records by their digests, in that order.
func (d *Definitions) getContent(ctx context.Context, prefix string, digests []string) ([][]byte, error) {
	type answer struct {
		i   int
		m   *storedMessage
		err error
	}
	ch := make(chan answer, len(digests))
	for i, digest := range digests {
		q := getQuery{Last: definitionSubject(prefix + digest)}
		d.conn.getMessage(bucketStream(subject.BucketDefinitions), q, func(m *storedMessage, err error) { ch <- answer{i, m, err} })
	}
	out := make([][]byte, len(digests))
	for range digests {
		select {
		case a := <-ch:
			if a.err == nil && a.m == nil {
				a.err = errors.New("it is not there")
			}
			if a.err != nil {
				return nil, fmt.Errorf("read %s%s: %w", prefix, digests[a.i], a.err)
			}
			out[a.i] = a.m.Data
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	return out, nil
}

func (d *Definitions) get(ctx context.Context, key string) (*storedMessage, error) {
	m, err := d.conn.getMessageWait(ctx, bucketStream(subject.BucketDefinitions), getQuery{Last: definitionSubject(key)})
	if isCode(err, codeNoStream) {
		return nil, fmt.Errorf("%w; `usher serve` makes one", ErrNotInstalled)
	}
	return m, err
}
