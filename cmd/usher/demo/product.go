package demo

import "fmt"

// shelf is how many products a category has.
const shelf = 12

// pick takes a product from a shelf. A product has the same price whenever it
// is picked.
func (v *script) pick(category string) product {
	n := v.shop.random.IntN(shelf)
	low, step := prices(category)
	return product{
		id:       fmt.Sprintf("%s-%02d", category, n+1),
		category: category,
		price:    float64(low+n*step) - 0.01,
	}
}

// prices returns the price of the cheapest product of a category, and by how
// much each next one is dearer.
func prices(category string) (low, step int) {
	switch category {
	case "laptops":
		return 600, 120
	case "phones":
		return 200, 75
	case "headphones":
		return 30, 22
	case "keyboards":
		return 25, 10
	default:
		return 8, 3
	}
}
