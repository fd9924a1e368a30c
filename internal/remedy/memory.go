package remedy

import (
	"fmt"
	"math"
	"math/big"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
)

// raise multiplies a memory limit and keeps it at or under ceiling × first. The
// result is more than current, in current's format, and a whole number of a unit
// that people write.
func raise(current, first resource.Quantity, factor, ceiling float64) (resource.Quantity, error) {
	if current.Sign() <= 0 || first.Sign() <= 0 {
		return resource.Quantity{}, fmt.Errorf("there is no memory limit to raise")
	}
	now := big.NewInt(current.Value())
	unit := unitOf(current)
	most := scale(big.NewInt(first.Value()), ceiling, false)
	if limit := big.NewInt(math.MaxInt64); most.Cmp(limit) > 0 {
		most = limit
	}
	raised := roundTo(scale(now, factor, true), unit, true)
	if raised.Cmp(most) > 0 {
		raised = roundTo(most, unit, false)
	}
	if raised.Cmp(now) <= 0 {
		return resource.Quantity{}, fmt.Errorf("the ceiling is reached: the limit is %s, and may be at most %s times the first one, %s",
			current.String(), strconv.FormatFloat(ceiling, 'g', -1, 64), first.String())
	}
	return *resource.NewQuantity(raised.Int64(), current.Format), nil
}

// unitOf is what the limit is rounded to: 1Mi or 1M, and less for what is smaller.
func unitOf(q resource.Quantity) int64 {
	base := int64(1000)
	if q.Format == resource.BinarySI {
		base = 1024
	}
	switch v := q.Value(); {
	case v >= base*base:
		return base * base
	case v >= base:
		return base
	}
	return 1
}

// scale multiplies by the factor as it is written in decimal: 1.1 is 11/10.
func scale(v *big.Int, factor float64, up bool) *big.Int {
	exact, ok := new(big.Rat).SetString(strconv.FormatFloat(factor, 'g', -1, 64))
	if !ok {
		return new(big.Int) // NaN and Inf never pass the parameters' check
	}
	exact.Mul(exact, new(big.Rat).SetInt(v))
	return divide(exact.Num(), exact.Denom(), up)
}

func roundTo(v *big.Int, unit int64, up bool) *big.Int {
	u := big.NewInt(unit)
	return new(big.Int).Mul(divide(v, u, up), u)
}

func divide(num, denom *big.Int, up bool) *big.Int {
	whole, rest := new(big.Int).QuoRem(num, denom, new(big.Int))
	if up && rest.Sign() > 0 {
		whole.Add(whole, big.NewInt(1))
	}
	return whole
}
