package gateway

// HoldSearch is a search for a batch that goes on until release is called.
func (g *Gateway) HoldSearch() (release func()) {
	g.searches <- struct{}{}
	return func() { <-g.searches }
}
