package bus

import "errors"

var (
	// ErrNotInstalled is returned when the server has no Usher installation.
	ErrNotInstalled = errors.New("there is no Usher installation on this server")
	// ErrFixed is returned when something else is asked for than the
	// installation was made with, such as another number of partitions.
	ErrFixed = errors.New("fixed when the installation was made")
	// ErrIncompatible is returned when a stream or bucket exists with a
	// setting that Usher cannot work with and the server cannot change.
	ErrIncompatible = errors.New("an existing stream cannot be used")
	// ErrMapping is returned when the server does not map events.* and
	// traits.* to the partitions' logs.
	ErrMapping = errors.New("the server does not map producers' subjects to the logs")
	// ErrNoJetStream is returned when the server or the account has no
	// JetStream.
	ErrNoJetStream = errors.New("JetStream is not enabled")
	// ErrEvaluation is returned when a revision was written by a build of
	// Usher that decides differently.
	ErrEvaluation = errors.New("the revision belongs to a build of Usher that evaluates rules differently")
	// ErrNoRevision is returned when a revision of the definitions is asked
	// for that does not exist.
	ErrNoRevision = errors.New("no such revision")
	// ErrConflict is returned when definitions were changed by somebody else
	// again and again while a change was being applied.
	ErrConflict = errors.New("definitions were changed at the same time")
	// ErrUnknownAudience is returned when an audience to delete does not exist.
	ErrUnknownAudience = errors.New("no such audience")
)
