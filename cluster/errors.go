package cluster

import "errors"

// ErrNotLocated is returned when an identity has no address: nobody owns its
// partition, or this member has not joined, or its kind is not offered.
var ErrNotLocated = errors.New("virtual actor not located")

// ErrJoined is returned when a member joins for the second time. One that has
// left comes back as a new member.
var ErrJoined = errors.New("this member has joined already")
