package bus

type pull struct{}

func (p *pull) fail(error) {}
