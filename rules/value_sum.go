package rules

import "math"

// addExact adds x to a sum kept as an expansion: floats that do not overlap,
// in ascending magnitude, whose sum is exact (Shewchuk, "Adaptive Precision
// Floating-Point Arithmetic", 1997). A sum that leaves the range of float64,
// be it for a moment, stays infinite.
func addExact(partials []float64, x float64) []float64 {
	kept := 0
	for _, y := range partials {
		if math.Abs(x) < math.Abs(y) {
			x, y = y, x
		}
		high := x + y
		if math.IsInf(high, 0) {
			return append(partials[:0], high)
		}
		if low := y - (high - x); low != 0 {
			partials[kept] = low
			kept++
		}
		x = high
	}
	return append(partials[:kept], x)
}

// roundExact rounds the sum to the nearest float64, ties to even, as Python's
// math.fsum does.
func roundExact(partials []float64) float64 {
	n := len(partials)
	if n == 0 {
		return 0
	}
	high, low := partials[n-1], 0.0
	for n--; n > 0; n-- {
		x, y := high, partials[n-1]
		high = x + y
		if low = y - (high - x); low != 0 {
			n--
			break
		}
	}
	// Half-way cases look at the sign of what lies below.
	if n > 0 && (low < 0 && partials[n-1] < 0 || low > 0 && partials[n-1] > 0) {
		if x := high + low*2; x-high == low*2 {
			return x
		}
	}
	return high
}
