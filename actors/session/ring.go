package session

// countedMax is how many messageIds a session remembers.
const countedMax = 1024

// ring remembers the last countedMax messageIds that were counted, oldest
// first from head on. It keeps 64-bit FNV-1a hashes: that two different ids
// among the remembered ones collide, so that an event is taken for a
// duplicate, has a chance of 1 in 2^54 per event. Memory grows with use, up to
// 8 KB.
type ring struct {
	hashes []uint64
	head   uint16 // of the oldest, once full
}

func hashID(id string) uint64 {
	const offset, prime = 14695981039346656037, 1099511628211
	hash := uint64(offset)
	for i := range len(id) {
		hash = (hash ^ uint64(id[i])) * prime
	}
	return hash
}

// has reports whether the id is remembered.
func (r *ring) has(hash uint64) bool {
	for _, h := range r.hashes {
		if h == hash {
			return true
		}
	}
	return false
}

// add remembers an id and forgets the oldest if that is one too many.
func (r *ring) add(hash uint64) {
	if len(r.hashes) < countedMax {
		r.hashes = append(r.hashes, hash)
		return
	}
	r.hashes[r.head] = hash
	r.head = (r.head + 1) % countedMax
}

// oldest is the hash that the next add replaces, 0 if it replaces none.
func (r *ring) oldest() uint64 {
	if len(r.hashes) < countedMax {
		return 0
	}
	return r.hashes[r.head]
}

// undo takes back an add that followed before and replaced oldest.
func (r *ring) undo(before ring, oldest uint64) {
	*r = before
	if len(r.hashes) == countedMax {
		r.hashes[r.head] = oldest
	}
}
