// The scalar functions that Swift leaves to the C library, in Double.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

package func naturalExponential(_ x: Double) -> Double { exp(x) }
func logarithmOfOnePlus(_ x: Double) -> Double { log1p(x) }

/// The natural logarithm, in Double.
package func naturalLogarithm(_ x: Double) -> Double { log(x) }
package func sine(_ x: Double) -> Double { sin(x) }
package func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }
