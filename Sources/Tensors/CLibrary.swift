// Scalar functions of the C library, in Double.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// e^x.
package func naturalExponential(_ x: Double) -> Double { exp(x) }

/// log(1 + x), accurate for small x.
func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }

/// The natural logarithm.
package func naturalLogarithm(_ x: Double) -> Double { log(x) }

/// The sine of an angle in radians.
package func sine(_ x: Double) -> Double { sin(x) }

/// The base raised to the exponent.
package func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
